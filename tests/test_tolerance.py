"""What programs are to tolerate: texts, trials, sizing, records and the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import tolerance
from vsafsm.cli.entry import main
from vsafsm.errors import FileError, NotProvenError, OptionError, RobustnessError
from vsafsm.intervals import wilson
from vsafsm.machine import Machine
from vsafsm.noise import parse_noise, perturb
from vsafsm.options import Options
from vsafsm.program import Program
from vsafsm.sizing import tolerant
from vsafsm.tolerance import (
    Journal,
    Tolerated,
    correct_draws,
    decided,
    draws_needed,
    tolerances,
    tried,
)
from vsafsm.walk import Walk

pytestmark = pytest.mark.usefixtures("usual_tolerances")

Compiled = Callable[..., Program]


def test_texts_are_noises() -> None:
    assert tolerances("none") == ()
    assert [str(each) for each in tolerances("additive:2  missing:0.3 timing:async:0.1")] == [
        "additive:2",
        "missing:0.3",
        "timing:async:0.1",
    ]
    with pytest.raises(OptionError, match='"additive:1" and for "additive:2"'):
        tolerances("additive:1 additive:2")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tolerate": "additiv:1"}, 'option tolerate: unknown noise "additiv"'),
        ({"tolerate": ""}, "noises between blanks"),
        ({"tolerate": 3}, "noises between blanks"),
        ({"confidence": 1.0}, "below 1"),
        ({"confidence": "much"}, "below 1"),
    ],
)
def test_wrong_tolerances_are_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        Options().with_(changes)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99, 0.999])
def test_so_many_draws_are_needed(confidence: float) -> None:
    number = draws_needed(confidence)
    assert wilson(number, number)[0] > confidence
    assert wilson(number - 1, number - 1)[0] <= confidence


def test_draws_are_those_of_their_seeds(compiled: Compiled, turnstile: Machine) -> None:
    network = compiled(turnstile, dimension=64).network
    noise = parse_noise("additive:1.3")
    found = correct_draws(turnstile, network, noise, 7, range(30))
    expected = [
        Walk(turnstile, perturb(network, noise, np.random.default_rng([7, t]))).shortest_wrong()
        is None
        for t in range(30)
    ]
    assert found == expected
    assert set(found) == {True, False}


def test_trials_end_where_the_interval_decides(
    monkeypatch: pytest.MonkeyPatch, compiled: Compiled, turnstile: Machine, tmp_path: Path
) -> None:
    """A known share of draws is correct; the decision is the right one and draws are few."""
    network, noise = compiled(turnstile).network, parse_noise("additive:1")
    for share, above in ((1.0, True), (0.7, False)):
        rng = np.random.default_rng(0)
        monkeypatch.setattr(
            tolerance,
            "correct_draws",
            lambda machine, network, noise, seed, draws, rng=rng, share=share: (
                rng.random(len(draws)) < share
            ).tolist(),
        )
        found = tried(turnstile, network, noise, 0.9, 0, Journal(None), "key")
        assert (found.interval[0] > 0.9) == above
        assert found.draws <= 67


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 1), st.integers(1, 9), st.floats(0.7, 0.99))
@settings(deadline=None, max_examples=50)
def test_batches_that_are_made_at_once_change_nothing(
    seed: int, share: float, threads: int, confidence: float
) -> None:
    correct = np.random.default_rng(seed).random(20_000) < share

    def found(threads: int) -> tuple[tuple[int, int], list[tuple[int, int]]]:
        noted: list[tuple[int, int]] = []
        result = decided(
            lambda draws: int(correct[draws[0] : draws[-1] + 1].sum()),
            *(confidence, "a coin"),
            note=lambda *numbers: noted.append(numbers),
            threads=threads,
        )
        return result, noted

    assert found(threads) == found(1)


def test_large_networks_are_drawn_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tolerance, "cores", lambda: 64)
    of = {neurons: tolerance._threads(neurons, 0.98) for neurons in (128, 728, 4096, 8192)}
    assert of == {128: 1, 728: 6, 4096: 2, 8192: 1}
    monkeypatch.setattr(tolerance, "cores", lambda: 4)
    assert tolerance._threads(728, 0.98) == 4


def test_draws_that_take_more_than_a_day_are_refused(
    monkeypatch: pytest.MonkeyPatch, compiled: Compiled, turnstile: Machine
) -> None:
    monkeypatch.setattr(tolerance, "DAY_S", 1e-9)
    with pytest.raises(RobustnessError, match="draws of additive:1 would take about"):
        tried(
            turnstile, compiled(turnstile).network, parse_noise("additive:1"), 0.9999, 0,
            Journal(None), "key",
        )  # fmt: skip


def test_interrupted_draws_go_on(
    monkeypatch: pytest.MonkeyPatch, compiled: Compiled, turnstile: Machine, tmp_path: Path
) -> None:
    network, noise, path = compiled(turnstile).network, parse_noise("missing:0.01"), tmp_path / "d"
    real, asked = tolerance.correct_draws, []

    def noted(*args: object) -> list[bool]:
        asked.append(args[-1])
        if len(asked) == 2:
            raise KeyboardInterrupt
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(tolerance, "correct_draws", noted)
    with pytest.raises(KeyboardInterrupt):
        tried(turnstile, network, noise, 0.95, 0, Journal(path), "key")
    went_on = tried(turnstile, network, noise, 0.95, 0, Journal(path), "key")
    assert asked[2] == asked[1]
    assert went_on == tried(turnstile, network, noise, 0.95, 0, Journal(None), "key")


def test_compiling_keeps_draws_in_a_folder(
    monkeypatch: pytest.MonkeyPatch, turnstile: Machine, tmp_path: Path
) -> None:
    options = {"tolerate": "missing:0.01", "confidence": 0.9, "resume": tmp_path / "a" / "b"}
    first = vsafsm.compile(turnstile, **options)  # type: ignore[arg-type]
    monkeypatch.setattr(tolerance, "correct_draws", None)  # nothing is drawn again
    assert vsafsm.compile(turnstile, **options) == first  # type: ignore[arg-type]
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot make"):
        Journal(tmp_path / "file" / "draws.json").note("key", 1, 1)


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"a": 3}', '{"a": ["x", 1]}', '{"a": [Infinity, 1]}', "[" * 10**5]
)
def test_a_damaged_record_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "draws.json"
    path.write_text(text)
    with pytest.raises(RobustnessError, match="is no record of draws"):
        Journal(path)


# ---- compiling


@pytest.fixture(scope="module")
def usual(turnstile: Machine) -> Program:
    return vsafsm.compile(turnstile)


def test_the_default_tolerates_and_says_so(usual: Program) -> None:
    assert usual.options.tolerate == " ".join(tolerance.DEFAULT)
    assert (usual.options.rule, usual.options.confidence) == ("robust", 0.98)
    assert [each.noise for each in usual.tolerated] == list(tolerance.DEFAULT)
    assert all(each.interval[0] > 0.95 for each in usual.tolerated)
    assert usual.prove().holds
    # Draws of other seeds than those that were looked at.
    for text in tolerance.DEFAULT:
        found = correct_draws(usual.machine, usual.network, parse_noise(text), 99, range(60))
        assert sum(found) >= 58


def test_the_record_is_kept_in_the_file(usual: Program, tmp_path: Path) -> None:
    usual.save(tmp_path / "p.npz")
    again = vsafsm.load_program(tmp_path / "p.npz")
    assert again == usual
    assert again.tolerated == usual.tolerated
    assert str(again.tolerated[0]).startswith("additive:1 in ")


def test_the_smallest_is_that_of_no_tolerance(turnstile: Machine, usual: Program) -> None:
    program = vsafsm.compile(turnstile, tolerate="none")
    assert program.tolerated == ()
    assert program.options.rule == "refined"
    assert program.network.neurons < usual.network.neurons


@pytest.mark.parametrize(
    "options",
    [{"dimension": 96}, {"rule": "refined"}, {"bits": 3}, {"target": "brian2"}, {"code": "dense"}],
)
def test_nothing_is_tried_where_options_say_otherwise(
    turnstile: Machine, options: dict[str, object]
) -> None:
    program = vsafsm.compile(turnstile, **options)  # type: ignore[arg-type]
    assert program.tolerated == ()
    assert program.options.tolerate == "none"


def test_what_is_named_is_tolerated(turnstile: Machine) -> None:
    program = vsafsm.compile(
        turnstile, tolerate=["additive:2", "missing:0.2"], confidence=0.9, bits=6
    )
    assert [each.noise for each in program.tolerated] == ["additive:2", "missing:0.2"]
    assert all(each.interval[0] > 0.9 for each in program.tolerated)


def test_every_order_is_proven_where_that_is_asked_for(turnstile: Machine) -> None:
    program = vsafsm.compile(turnstile, tolerate=["missing:0.02", "timing:any"], confidence=0.8)
    missing, order = program.tolerated
    assert (order.noise, missing.noise) == ("timing:any", "missing:0.02")
    assert str(order) == "timing:any: 9 of 9 changes of the mask proven"
    assert vsafsm.prove_any_order(turnstile, program.network).holds
    assert program.prove().holds


def test_an_order_that_cannot_be_proven_is_told(examples: dict[str, Machine]) -> None:
    told = (
        r"tolerates timing:any: the best, N=184: timing:any: .* of \d+ changes of the mask proven"
    )
    with pytest.raises(NotProvenError, match=told):
        vsafsm.compile(examples["gesture_control"], dimension=184, tolerate="timing:any")


def test_a_dimension_that_is_given_has_to_do(turnstile: Machine) -> None:
    program = vsafsm.compile(turnstile, dimension=256, tolerate="missing:0.1", confidence=0.8)
    assert program.network.neurons == 256
    assert program.tolerated[0].interval[0] > 0.8
    with pytest.raises(
        NotProvenError, match=r"tolerates additive:30: the best, N=128: additive:30 in 0 of "
    ):
        vsafsm.compile(turnstile, dimension=128, tolerate="additive:30")


def test_modules_take_no_tolerance(turnstile: Machine) -> None:
    assert vsafsm.compile(turnstile, layout="modules").tolerated == ()
    with pytest.raises(vsafsm.errors.CompileError, match="tolerate"):
        vsafsm.compile(turnstile, layout="modules", tolerate="additive:1")


def test_the_same_seed_gives_the_same_bytes(turnstile: Machine, usual: Program) -> None:
    assert vsafsm.compile(turnstile).to_bytes() == usual.to_bytes()


# ---- the command line


def test_the_command_line_says_what_is_tolerated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / "p.npz"
    asked = ["--tolerate", "missing:0.1", "--tolerate", "timing:async:0.2", "--confidence", "0.8"]
    assert main(["compile", "specs/turnstile.yaml", "-o", str(target), *asked]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("tolerates missing:0.1 in ")
    assert lines[2].startswith("tolerates timing:async:0.2 in ")
    assert main(["info", str(target)]) == 0
    assert "missing:0.1 in " in capsys.readouterr().out
    assert main(["info", str(target), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["tolerated"]
    assert [each["noise"] for each in told] == ["missing:0.1", "timing:async:0.2"]
    smallest = ["compile", "specs/turnstile.yaml", "-o", str(target), "--smallest", "--json"]
    assert main(smallest) == 0
    assert json.loads(capsys.readouterr().out)["tolerated"] == []


def test_a_record_prints_its_interval() -> None:
    assert str(Tolerated("additive:1", 99, 100)) == "additive:1 in 99 of 100 draws (0.946 to 0.998)"


def test_a_network_that_misses_a_timing_is_refined_on_runs_that_failed(
    examples: dict[str, Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, noise = examples["vending_machine"], "timing:async:0.1"
    options = {"dimension": 256, "active": 16, "tolerate": noise, "confidence": 0.9}
    program = vsafsm.compile(machine, **options)
    assert program.prove().holds
    assert program.tolerated[0].interval[0] > 0.9
    # On other draws, too.
    draws = correct_draws(machine, program.network, parse_noise(noise), 1000, range(100))
    assert sum(draws) >= 90
    monkeypatch.setattr(tolerant, "MENDINGS", 0)
    with pytest.raises(NotProvenError, match=r"tolerates timing:async:0\.1"):
        vsafsm.compile(machine, **options)
