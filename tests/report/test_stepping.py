"""Tables of a page, looked up as the page does, against the interpreter and against a session."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.compiler import compile_machine
from vsafsm.formats import load
from vsafsm.program import Program
from vsafsm.report import stepping as room
from vsafsm.report.stepping import stepping
from vsafsm.synchronous import Session


@pytest.mark.parametrize("seed", range(3))
def test_a_word_looked_up_is_the_interpreters(program: Program, seed: int) -> None:
    machine = program.machine
    found = stepping(machine, program.network)
    assert found.complete
    t, node = found.tables, 0
    word = np.random.default_rng(seed).integers(len(machine.inputs), size=40).tolist()
    expected = machine.run([machine.inputs[a] for a in word])
    assert t["states"][t["nodes"][0]] == machine.initial
    for n, a in enumerate(word):
        taken = t["taken"][node][a]
        state, mealy = t["shown"][taken["held"]]
        node = taken["left"]
        assert t["states"][t["nodes"][node]] == t["states"][state] == expected.states[n + 1]
        assert tuple(mealy + t["moore"][t["nodes"][node]]) == expected.outputs[n]


def test_the_machines_own_tables_are_its_transitions(program: Program) -> None:
    machine, t = program.machine, stepping(program.machine, program.network).tables
    for s, state in enumerate(t["states"]):
        for a, symbol in enumerate(machine.inputs):
            taken = machine.transition(state, symbol)
            assert (t["states"][t["delta"][s][a]], tuple(t["mealy"][s][a])) == (
                taken.to,
                taken.outputs,
            )


@settings(deadline=None, max_examples=20)
@given(word=st.lists(st.integers(0, 1), max_size=8))
def test_steps_are_those_of_a_session(word: list[int]) -> None:
    t, program = TURNSTILE
    node = 0
    with Session(program.network) as session:
        for a in word:
            session.send(program.machine.inputs[a])
            taken = t["taken"][node][a]
            node = taken["left"]
            assert taken["steps"][-1]["active"] == int(session.activity.sum())
            assert [step["mask"] for step in taken["steps"]] == [0] + [a + 1] * t["hold"] + [0] * t[
                "gap"
            ]
            assert taken["steps"][-1]["overlaps"][0] == [t["nodes"][node], 1.0]


def test_what_has_no_room_is_left_out(
    programs: dict[str, Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_PAIRS", 8)
    program = programs["vending_machine"]
    found = stepping(program.machine, program.network)
    assert not found.complete
    assert len(found.tables["taken"]) * len(program.machine.inputs) <= 8
    assert len(found.tables["nodes"]) > len(found.tables["taken"])


def test_an_unproven_network_is_followed_as_it_is(programs: dict[str, Program]) -> None:
    program = programs["unproven"]
    t = stepping(program.machine, program.network).tables
    assert all(-1 <= state < len(t["states"]) for state in t["nodes"])
    assert all(0 <= taken["left"] < len(t["nodes"]) for row in t["taken"] for taken in row)


_program = compile_machine(load("specs/turnstile.yaml"))
TURNSTILE = (stepping(_program.machine, _program.network).tables, _program)
