"""Shortfalls against the proof and against integers; terms against the parts of the weights; what
was tried.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from vsafsm.cli import main
from vsafsm.compiler import compile_machine
from vsafsm.explanation.remedies import CERTAINTY, as_it_is, remedies, tolerated_noise
from vsafsm.explanation.shortfalls import shortfalls
from vsafsm.explanation.terms import strongest, terms
from vsafsm.explanation.weakest import margins_of, weakest
from vsafsm.formats import load
from vsafsm.margins import TransitionMargin
from vsafsm.program import Program
from vsafsm.statecharts.columns import short_names

ROOT = Path(__file__).parents[2]
KINDS = (
    {"dimension": 96},
    {"dimension": 96, "rule": "robust"},
    {"dimension": 96, "rule": "one-shot"},
    {"dimension": 96, "inhibition": "separate"},
    {"dimension": 40, "bits": 4},
)


@pytest.fixture(scope="module", params=range(len(KINDS)))
def program(request: pytest.FixtureRequest) -> Program:
    return compile_machine(
        load("specs/vending_machine.yaml"), allow_unproven=True, **KINDS[request.param]
    )


def found_in(program: Program, sigma: float = 1.0) -> list[TransitionMargin]:
    return weakest(margins_of(program, sigma))


def test_a_shortfall_is_what_it_says(program: Program) -> None:
    network = program.network
    for each in shortfalls(program, 1.0).transitions:
        minimum = each.minimum
        z = np.isin(np.arange(network.neurons), minimum.activity)
        drive = int(network.weights[minimum.neuron].astype(int) @ z) - network.gain * int(z.sum())
        assert minimum.margin == pytest.approx(
            (drive if minimum.fires else -drive) / z.sum() / network.scale
        )


@pytest.mark.parametrize("name", ["turnstile", "vending_machine", "door_lock"])
def test_shortfalls_are_margins_where_codes_are_the_fixed_points(name: str) -> None:
    program = compile_machine(load(f"specs/{name}.yaml"))
    assert shortfalls(program).minimum.margin == pytest.approx(program.prove().margin)


def test_what_is_proven_has_margins_and_what_is_not_has_shortfalls(program: Program) -> None:
    least = margins_of(program).minimum.margin
    proof = program.prove()
    if proof.holds:
        assert least == proof.margin
    else:
        assert least == shortfalls(program).minimum.margin < 0


def test_transitions_are_there_once_each_the_weakest_first(program: Program) -> None:
    machine, found = program.machine, found_in(program)
    expected = {
        (s, a, machine.transition(s, a).to) for s in machine.reachable for a in machine.inputs
    }
    assert {(weak.state, weak.input, weak.to) for weak in found} == expected
    assert len(found) == len(expected)
    margins = [round(weak.minimum.margin, 6) for weak in found]
    assert margins == sorted(margins)


def test_terms_are_the_parts_of_the_weights(program: Program) -> None:
    parts, network = program.parts(), program.network
    for weak in found_in(program)[:6]:
        minimum = weak.minimum
        z = np.isin(np.arange(network.neurons), minimum.activity)
        sign, n = (1 if weak.minimum.fires else -1), z.sum()
        found = terms(program, minimum)

        def total(start: str, found: list = found) -> float:
            return sum(term.towards for term in found if term.name.startswith(start))

        assert total("memory") == pytest.approx(
            sign * parts.autoassociative[minimum.neuron] @ z / n
        )
        assert total("transition") == pytest.approx(sign * parts.transition[minimum.neuron] @ z / n)
        left = sign * parts.correction[minimum.neuron] @ z / n - sign * network.gain / network.scale
        assert total("correction") + total("inhibition") == pytest.approx(left)
        assert sum(term.towards for term in found) == pytest.approx(minimum.margin)


def test_shared_neurons_are_counted(program: Program) -> None:
    network = program.network
    minimum = found_in(program)[0].minimum
    found = [term.shared for term in terms(program, minimum) if term.name.startswith("memory of")]
    assert found == network.codes[:, minimum.activity].sum(1).tolist()


def test_the_strongest_carry_first(program: Program) -> None:
    found = strongest(terms(program, found_in(program)[0].minimum))
    signs = [term.towards > 0 for term in found]
    assert signs == sorted(signs, reverse=True)
    assert 1 <= len(found) <= 6


def test_what_was_tried_is_what_compiling_gives() -> None:
    program = compile_machine(load("specs/turnstile.yaml"), dimension=64)
    found = {each.changed: each for each in remedies(program)}
    assert set(found) == {"--dimension 128", "--margin 0.45", "--rule small", "--bits 10"}
    other = compile_machine(program.machine, dimension=128)
    assert found["--dimension 128"].margin == other.claim.margin
    assert found["--dimension 128"].noise == tolerated_noise(other.network, other.prove())
    assert found["--margin 0.45"].margin > as_it_is(program, program.prove()).margin


def test_noise_that_is_borne_is_where_the_bound_is_one_percent() -> None:
    program = compile_machine(load("specs/turnstile.yaml"), dimension=64)
    proof = program.prove()
    steps = tolerated_noise(program.network, proof) * program.network.weight_std
    assert proof.tally.failure_bound(steps) == pytest.approx(CERTAINTY, rel=1e-6)
    assert np.isclose(proof.tally.failure_bound(steps * 1.01), CERTAINTY, rtol=0.5)


# ---- as it is typed


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    shutil.copy("specs/traffic_light.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return "traffic_light.yaml"


def test_weak_transitions_are_listed_with_why_and_what_would_help(
    spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", spec, "--most", "2", "--smallest"]) == 0
    told = capsys.readouterr().out
    for expected in (
        "18 of 18 transitions",
        " on: neuron",
        "\n2. ",
        "inhibition",
        "--rule small",
        "as it is",
    ):
        assert expected in told
    assert "\n3. " not in told
    assert max(map(len, told.splitlines())) <= 120


def test_configurations_have_the_names_that_runs_show(
    spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(ROOT / "specs/wake_word.yaml", ".")
    assert main(["explain", "wake_word.yaml", "--no-try", "--smallest", "--json"]) == 0
    weak = json.loads(capsys.readouterr().out)["transitions"][0]
    short = short_names(load("wake_word.yaml").states)
    assert main(["explain", "wake_word.yaml", "--no-try", "--smallest"]) == 0
    told = capsys.readouterr().out
    first = next(line for line in told.splitlines() if line.startswith("1   "))
    assert first[4:].startswith(short[weak["state"]])
    assert short[weak["to"]] in first
    assert "talk." not in told
    assert max(map(len, told.splitlines())) <= 120


def test_what_is_not_proven_is_explained(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", spec, "--dimension", "40", "--no-try"]) == 1
    told = capsys.readouterr().out
    assert "refuted: " in told
    assert "add --try" in told


def test_json_has_every_term(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", spec, "--most", "3", "--no-try", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"machine", "holds", "margin", "counterexample", "transitions", "compiled"}
    assert len(found["transitions"]) == 3
    for each in found["transitions"]:
        assert sum(term["towards"] for term in each["terms"]) == pytest.approx(each["margin"])
    assert [each["changed"] for each in found["compiled"]] == [""]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["--most", "0"], "most is 0"), (["--bits", "1"], "from 2 to 16"), (["-O", "x=1"], "unknown")],
)
def test_bad_input_is_told(
    spec: str, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", spec, *arguments]) == 2
    assert told in capsys.readouterr().err
