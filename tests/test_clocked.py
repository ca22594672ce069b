"""Sessions that tick while they wait, against the interpreter with its ticks counted by hand."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm.clocked import ClockedSession, expanded
from vsafsm.errors import NotExpressibleError, SessionError, SpecError
from vsafsm.formats.yaml import write_yaml
from vsafsm.machine import Clock, Machine
from vsafsm.program import Program


def lamp(period: str = "100 ms") -> Machine:
    """Goes out after three ticks."""
    return Machine.from_dict(
        {
            "name": "lamp",
            "transitions": {
                "off": {"press": ["on", "click"]},
                "on": {"tick": "on 1"},
                "on 1": {"tick": ["on 2", "warn"]},
                "on 2": {"tick": ["off", "timeout"]},
            },
            "outputs": {"on": "lit", "on 1": "lit", "on 2": "lit"},
            "clock": period,
        }
    )


@pytest.fixture(scope="module")
def program(compiled: Callable[..., Program]) -> Program:
    return compiled(lamp())


def test_a_clock_is_an_input_with_a_period() -> None:
    assert lamp("2 s").clock == Clock("tick", Fraction(2))
    with pytest.raises(SpecError, match="unknown input"):
        Machine.from_dict({"transitions": {"a": {"go": "a"}}, "clock": "1 s"})
    with pytest.raises(SpecError, match="expected one above 0"):
        Machine(
            *("m", ("a",), ("go",), "a", ((vsafsm.Transition("a"),),), ((),)),
            clock=Clock("go", Fraction(0)),
        )


def test_program_files_keep_the_clock(program: Program, tmp_path: Any) -> None:
    program.save(tmp_path / "lamp.npz")
    assert vsafsm.load_program(tmp_path / "lamp.npz").machine == program.machine


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(st.just("press"), st.integers(0, 400).map(lambda n: Fraction(n, 1000)))))
def test_ticks_come_by_themselves(program: Program, actions: list[str | Fraction]) -> None:
    machine, state, time = program.machine, "off", Fraction(0)
    with vsafsm.open(program) as session:
        assert isinstance(session, ClockedSession)
        for action in actions:
            mealy: tuple[str, ...] = ()
            if isinstance(action, str):
                taken = machine.transition(state, action)
                state, mealy = taken.to, taken.outputs
                assert session.send(action) == state
            else:
                before, time = time, time + action
                # Ticks are due at 100 ms, 200 ms and so on, whatever the waits.
                for _ in range(int(time * 10) - int(before * 10)):
                    taken = machine.transition(state, "tick")
                    state, mealy = taken.to, mealy + taken.outputs
                assert session.wait(action) == state
            assert session.outputs == mealy + machine.outputs_of(state)
            assert session.elapsed == time
        assert session.reset() == "off"
        assert session.elapsed == 0


def test_backends_of_every_kind_wait(program: Program) -> None:
    for backend in ("reference", "loihi2"):
        with vsafsm.open(program, backend=backend) as session:
            session.send("press")
            assert session.wait(0.29) == "on 2"
            assert session.wait(0.01) == "off"


def test_what_only_the_backend_has_is_the_backend_s(program: Program) -> None:
    with vsafsm.open(program) as session:
        session.send("press")
        assert session.counts["steps"] > 0
        assert not hasattr(session, "recording")
    session: Any = ClockedSession(
        cast(Any, types.SimpleNamespace(recording="spikes")), program.machine
    )
    assert session.recording == "spikes"


@pytest.mark.parametrize(
    "seconds", [-1, 10**400, float("nan"), float("inf"), "1 s", "1", None, True]
)
def test_a_wait_that_makes_no_sense_is_told(program: Program, seconds: Any) -> None:
    with (
        vsafsm.open(program) as session,
        pytest.raises(SessionError, match=r"the wait is .*at least 0"),
    ):
        session.wait(seconds)


@pytest.mark.parametrize("backend", ["reference", "loihi2"])
def test_a_wait_of_too_many_ticks_is_told_and_no_time_goes_by(
    program: Program, backend: str
) -> None:
    with vsafsm.open(program, backend=backend) as session:
        assert isinstance(session, ClockedSession)
        with pytest.raises(SessionError, match="takes 10000000000000 ticks; expected at most 1000"):
            session.wait(1e12)
        assert session.elapsed == 0
        session.rest(10**12)
        assert session.send("press") == "on"


def test_a_wait_in_a_word_is_its_ticks() -> None:
    word = ["press", "wait:300ms", "wait:0.1 s"]
    assert expanded(word, lamp()) == [("press",), ("tick",) * 3, ("tick",)]


@pytest.mark.parametrize(
    ("item", "machine", "told"),
    [
        ("wait:3", lamp(), "without a unit"),
        ("wait:50ms", lamp(), "no multiple of the clock; expected one of 100ms"),
        ("wait:9999999min", lamp(), "expected at most 1000000"),
        ("wait:1s", vsafsm.Machine.from_dict({"transitions": {"a": {"go": "a"}}}), "has no clock"),
    ],
)
def test_a_wait_that_no_word_can_have_is_told(item: str, machine: Machine, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        expanded([item], machine)


def test_an_input_of_that_name_is_an_input() -> None:
    machine = Machine.from_dict({"transitions": {"a": {"wait:1s": "a"}}})
    assert expanded(["wait:1s"], machine) == [("wait:1s",)]


def test_a_period_that_is_no_decimal_number_cannot_be_written() -> None:
    machine = replace(lamp(), clock=Clock("tick", Fraction(1, 3)))
    with pytest.raises(NotExpressibleError, match="period is 1/3s; expected a decimal number"):
        write_yaml(machine)
    other = replace(lamp(), clock=Clock("press", Fraction(1)))
    with pytest.raises(NotExpressibleError, match='gives the input "press"; expected "tick"'):
        write_yaml(other)
