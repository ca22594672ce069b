"""`compile`: which options are in force, which programs come out, and the same bytes for the same
seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import errors as e
from vsafsm.machine import Machine, Transition
from vsafsm.program import Program
from vsafsm.requirements import Requirements

Compiled = Callable[..., Program]
Install = Callable[..., None]
T = Transition
LATCH = Machine(
    "latch", ("x", "y"), ("a", "b"), "x", ((T("x"), T("y")), (T("x"), T("y"))), (("off",), ("on",))
)


def runs_right(program: Program, machine: Machine, seed: int = 0) -> bool:
    word = np.random.default_rng(seed).choice(machine.inputs, 40).tolist()
    trace = machine.run(word)
    with vsafsm.open(program) as session:
        states, outputs = [session.state], []
        for symbol in word:
            states.append(session.send(symbol))
            outputs.append(session.outputs)
    return (tuple(states), tuple(outputs)) == (trace.states, trace.outputs)


# ---- options


@pytest.mark.parametrize(
    ("required", "spec", "given_now", "expected"),
    [
        (None, None, None, 8),
        (4, None, None, 4),
        (6, 4, None, 4),
        (6, None, 5, 5),
        (None, 4, None, 4),
        (6, 4, 5, 5),
    ],
)
def test_what_is_given_now_comes_before_the_spec_and_the_spec_before_the_target(
    install: Install,
    turnstile: Machine,
    required: int | None,
    spec: int | None,
    given_now: int | None,
    expected: int,
) -> None:
    install("target", Requirements(bits=required))
    machine = replace(turnstile, compile_options=(("bits", spec),) if spec else ())
    options = {"bits": given_now} if given_now else {}
    program = vsafsm.compile(machine, target="target", **options)
    assert (program.options.bits, program.network.bits) == (expected, expected)


def test_a_target_that_wants_separate_inhibition_gets_it(
    install: Install, turnstile: Machine
) -> None:
    install("target", Requirements(folded=False))
    assert vsafsm.compile(turnstile, target="target").network.gain > 0


def test_the_options_of_a_spec_may_be_text(turnstile: Machine) -> None:
    program = vsafsm.compile(
        replace(turnstile, compile_options=(("dimension", "128"), ("margin", "0.2")))
    )
    assert (program.network.neurons, program.options.margin) == (128, 0.2)


@pytest.mark.parametrize("options", [{"bits": 99}, {"rule": "best"}, {"margin": "wide"}])
def test_options_that_cannot_be_are_refused_from_the_spec_and_from_python(
    turnstile: Machine, options: dict[str, Any]
) -> None:
    with pytest.raises(e.OptionError):
        vsafsm.compile(turnstile, **options)
    with pytest.raises(e.OptionError):
        vsafsm.compile(replace(turnstile, compile_options=tuple(options.items())))


def test_an_unknown_target_is_refused(turnstile: Machine) -> None:
    with pytest.raises(e.BackendError):
        vsafsm.compile(turnstile, target="abacus")


# ---- what comes out


@pytest.mark.parametrize("code", ["sparse", "dense"])
@pytest.mark.parametrize("inhibition", ["folded", "separate"])
def test_event_triggered_programs_run_right(
    compiled: Compiled, examples: dict[str, Machine], code: str, inhibition: str
) -> None:
    for name in ("turnstile", "vending_machine", "sequence_detector"):
        program = compiled(examples[name], code=code, inhibition=inhibition)
        assert program.prove().holds
        assert runs_right(program, examples[name])


@pytest.mark.parametrize("code", ["sparse", "dense"])
def test_level_triggered_programs_run_right_however_long_an_input_is_held(
    compiled: Compiled, code: str
) -> None:
    program = compiled(LATCH, trigger="level", code=code)
    assert program.lowered.pending == 0
    assert len(program.network.codes) == 2
    assert program.prove().holds
    assert runs_right(program, LATCH)
    with vsafsm.open(program) as session:
        assert [session.send(symbol, hold=100) for symbol in "bbab"] == ["y", "y", "x", "y"]
        assert session.outputs == ("on",)


def test_level_refuses_a_machine_that_would_run_on(examples: dict[str, Machine]) -> None:
    with pytest.raises(e.CompileError, match="->"):
        vsafsm.compile(examples["modulo_counter"], trigger="level")


@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_any_small_machine_runs_right(
    data: st.DataObject, small_machine_strategy: Callable[..., st.SearchStrategy[Machine]]
) -> None:
    machine = data.draw(small_machine_strategy(states=5, inputs=4))
    code = data.draw(st.sampled_from(["sparse", "dense"]))
    program = vsafsm.compile(machine, code=code, seed=data.draw(st.integers(0, 9)))
    assert program.prove().holds
    assert runs_right(program, machine, data.draw(st.integers(0, 9)))


def test_unreachable_states_are_compiled_and_do_no_harm(compiled: Compiled) -> None:
    machine = Machine(
        "m",
        ("x", "y", "z"),
        ("a",),
        "x",
        ((T("y"),), (T("x"),), (T("y", ("o",)),)),
        ((), (), ("m",)),
    )
    assert machine.unreachable == ("z",)
    program = compiled(machine)
    assert program.prove().fixed_points == 2
    assert len(program.network.states) == 3
    assert runs_right(program, machine)


def test_a_machine_whose_states_and_inputs_share_names(compiled: Compiled) -> None:
    machine = Machine(
        "m", ("a", "b"), ("a", "b"), "b", ((T("a"), T("b", ("a",))), (T("a"), T("b"))), (("b",), ())
    )
    assert runs_right(compiled(machine), machine)


def test_an_unproven_program_comes_out_only_when_asked_for(turnstile: Machine) -> None:
    with pytest.raises(e.NotProvenError, match="turnstile"):
        vsafsm.compile(turnstile, dimension=48, bits=2)
    program = vsafsm.compile(turnstile, dimension=48, bits=2, allow_unproven=True)
    assert not program.claim.holds
    assert not program.prove().holds


def test_the_claim_is_what_the_proof_finds(compiled: Compiled, turnstile: Machine) -> None:
    program = compiled(turnstile)
    proof, claim = program.prove(), program.claim
    assert (claim.verdict, claim.fixed_points, claim.radius, claim.margin) == (
        proof.verdict,
        proof.fixed_points,
        proof.radius,
        proof.margin,
    )
    assert program.network.contract == proof.contract


def test_progress_names_what_is_tried(turnstile: Machine) -> None:
    seen: list[tuple[str, float]] = []
    vsafsm.compile(turnstile, progress=lambda what, share: seen.append((what, share)))
    assert all("N=" in what and 0 <= share <= 1 for what, share in seen)
    assert {share for _, share in seen} >= {0.0, 1.0}


# ---- the same bytes


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"code": "dense"},
        {"inhibition": "separate"},
        {"bits": 4},
        {"dimension": 100, "rule": "one-shot"},
    ],
    ids=str,
)
def test_the_same_options_and_seed_give_the_same_bytes_and_another_seed_does_not(
    examples: dict[str, Machine], options: dict[str, Any]
) -> None:
    machine = examples["sequence_detector"]
    one, same, other = (
        vsafsm.compile(machine, seed=seed, allow_unproven=True, **options).to_bytes()
        for seed in (7, 7, 8)
    )
    assert one == same
    assert one != other


def test_a_spec_read_twice_gives_the_same_bytes(
    examples: dict[str, Machine], compiled: Compiled
) -> None:
    again = replace(examples["turnstile"], name="turnstile")
    options = {"tolerate": "auto"}
    expected = compiled(examples["turnstile"], **options)
    assert vsafsm.compile(again, **options).to_bytes() == expected.to_bytes()


def test_keywords_that_are_no_options_are_pythons_own_error(turnstile: Machine) -> None:
    with pytest.raises(TypeError, match="bitz"):
        vsafsm.compile(turnstile, bitz=4)  # type: ignore[call-arg]


def test_what_would_help_is_worked_out_only_where_nothing_is_proven(
    monkeypatch: pytest.MonkeyPatch, examples: dict[str, Machine]
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("vsafsm.compiler.predicted_neurons", lambda *of: asked.append(of) or 100)
    assert vsafsm.compile(LATCH).claim.verdict == "holds"
    assert not asked
    with pytest.raises(e.NotProvenError, match="expected a dimension of about 100 or more"):
        vsafsm.compile(examples["sequence_detector"], dimension=32)
    assert len(asked) == 1
