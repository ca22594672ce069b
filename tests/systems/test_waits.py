"""Counters in place of chains: a system puts out what the machine does, on every word."""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.errors import NotExpressibleError
from vsafsm.machine import Machine
from vsafsm.statecharts import Output, State, Statechart, Transition, flatten
from vsafsm.systems import System, compile_system, with_counters
from vsafsm.systems.waits import Costs

INPUTS = ("go", "stop", "touch")


def told(outputs: tuple[str, ...]) -> set[str]:
    """What is put out, without what the parts tell each other."""
    return {name for name in outputs if not name.startswith("(")}


def check_same(machine: Machine, system: System, word: list[str]) -> None:
    trace, several = machine.run(word), system.run(word)
    for n, (state, states) in enumerate(zip(trace.states, several.states, strict=True)):
        assert states[0].partition("@")[0] == state.partition("@")[0]
        assert machine.outputs_of(state) == system.moore(states)
        if n:
            mealy = machine.mealy(state, trace.outputs[n - 1])
            assert told(several.outputs[n - 1]) == set(mealy)


def counted(machine: Machine) -> System:
    """The system, whatever it costs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vsafsm.systems.waits._costs", lambda one, several: Costs(1, 0))
        return with_counters(machine)


@st.composite
def charts(draw: st.DrawFn) -> Statechart:
    """States that wait, or do not, with transitions to each other on some inputs and ticks."""
    names = [f"s{n}" for n in range(draw(st.integers(1, 4)))]
    target = st.sampled_from(names)
    states = []
    for name in names:
        taken = [
            Transition((symbol,), (draw(target),), actions=draw(st.sampled_from([(), put])))
            for symbol in INPUTS
            if draw(st.booleans())
            for put in [(Output(f"{symbol}ed"),)]
        ]
        if draw(st.integers(0, 3)):
            ticks = Fraction(draw(st.integers(1, 20)))
            puts = draw(st.sampled_from([(), (Output("rang"),)]))
            taken.append(Transition((), (draw(target),), after=ticks, actions=puts))
        shown = draw(st.sampled_from([(), ("lit",), (name.upper(),)]))
        states.append(State(name, transitions=tuple(taken), outputs=shown))
    return Statechart("chart", tuple(states), clock=Fraction(1), inputs=INPUTS)


@given(chart=charts(), word=st.lists(st.sampled_from([*INPUTS, *["tick"] * 9]), max_size=150))
@settings(deadline=None, max_examples=200)
def test_a_system_with_counters_puts_out_what_the_machine_does(
    chart: Statechart, word: list[str]
) -> None:
    machine = flatten(chart)
    if machine.clock is not None:
        check_same(machine, counted(machine), word)


def lamp(ticks: int, **more: Any) -> Machine:
    out = Transition((), ("off",), after=Fraction(ticks))
    on = State("on", transitions=(Transition(("press",), ("on",)), out), outputs=("lit",))
    off = State("off", transitions=(Transition(("press",), ("on",)),), **more)
    return flatten(Statechart("lamp", (off, on), clock=Fraction(1)))


@pytest.mark.parametrize("ticks", [2, 4, 5, 16, 17, 64, 65])
def test_a_time_out_comes_when_it_is_due(ticks: int) -> None:
    machine = lamp(ticks)
    system = counted(machine)
    assert len(system.machines) > 1
    for pressed in range(ticks):
        word = ["tick", "press", *["tick"] * pressed, "press", *["tick"] * (ticks + 3)]
        check_same(machine, system, word)


def test_costs_choose_between_chain_and_counters() -> None:
    assert len(with_counters(lamp(3)).machines) == 1
    assert len(with_counters(lamp(60)).machines) == 4
    program = compile_system(with_counters(lamp(60)))
    assert program.synapses * 1.5 < compile_system(System("one", (lamp(60),))).synapses
    with program.open() as session:
        session.send("press")
        assert session.wait(59)[0] == "on"
        assert session.wait(1)[0] == "off"


def test_a_machine_without_waits_is_alone() -> None:
    plain = Machine.from_dict({"transitions": {"a": {"go": "a"}}})
    assert with_counters(plain).machines == (plain,)
    blink = Machine.from_dict({"transitions": {"a": {"tick": "b"}, "b": {"tick": "a"}}})
    assert with_counters(blink).machines == (blink,)


def test_outputs_that_the_system_would_hear_are_refused() -> None:
    with pytest.raises(NotExpressibleError, match='output or input "press"'):
        with_counters(lamp(20, outputs=("press",)))


def lines_run(call: Callable[[], object]) -> int:
    """How many lines of Python a call runs: each turn of a loop anew."""
    count, before = 0, sys.gettrace()

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def rounds(count: int) -> Machine:
    """So many waits of three ticks, one after the other."""
    rows = {
        f"s{x}@{ticks}": {
            "tick": f"s{x}@{ticks + 1}" if ticks < 2 else f"s{(x + 1) % count}@0",
            "go": "s0@0",
        }
        for x in range(count)
        for ticks in range(3)
    }
    return Machine.from_dict({"transitions": rows, "clock": "1 s"})


def test_twice_as_many_waits_take_about_twice_as_long() -> None:
    few, many = rounds(100), rounds(200)
    assert len(counted(few).machines[0].states) == 100
    assert lines_run(lambda: counted(many)) < 2.5 * lines_run(lambda: counted(few))
