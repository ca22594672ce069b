"""The clock's neuron: its ticks against a plain account of steps, and in sessions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import errors as e
from vsafsm.clocked import ClockedSession
from vsafsm.discovery import find
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm_loihi2.clock import ClockNeuron, clock
from vsafsm_loihi2.latch import latch
from vsafsm_loihi2.neuron import fire
from vsafsm_loihi2.session import ClockedChipSession

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)).filter(
    lambda shape: shape[1] + shape[2] > 2
)


def lines_of(
    inputs: int, hold: int, gap: int, channel: int, period: int, train: list[list[int]]
) -> list[int | None]:
    """The line that is on in each step, on the chip's neurons."""
    made = latch(inputs, hold, gap, channel)
    ticking = ClockNeuron(clock(made, channel, hold, gap, period))
    neurons = len(made.membrane)
    u, v, none = np.zeros(neurons, np.int32), made.membrane.copy(), np.zeros(neurons, np.int32)
    latched, channels = np.zeros(neurons, np.bool_), np.zeros(made.channels, np.bool_)
    lines: list[int | None] = []
    for spiking in train:
        arriving = made.arrivals[:, channels].sum(1, dtype=np.int32)
        arriving += made.recurrent[:, latched].sum(1, dtype=np.int32)
        arriving += made.from_clock * ticking.fired
        ticking.step(channels, latched)
        u, v, latched = fire(u, v, arriving, none, 4095, 4095)
        on = np.flatnonzero(latched[made.lines]).tolist()
        assert len(on) <= 1
        lines.append(on[0] if on else None)
        channels = np.isin(np.arange(made.channels), spiking)
    return lines


def expected_lines(
    hold: int, gap: int, channel: int, period: int, train: list[list[int]]
) -> list[int | None]:
    """The same from what is documented: which event passes, and which steps the clock counts."""
    on, free = {0: 0}, gap - 1
    back = Counter(range(2, gap + 1))  # by how many steps the clock is set back in which step
    count, fired, pending, heard = 0, False, False, -1
    for t, spiking in enumerate(train):
        before = set(train[t - 1]) if t else set()
        pending = (pending or fired) and t != heard
        count += 1 - back[t] - 5 * len(before)
        fired = count >= period - (hold + gap - 2) and 0 not in before
        count = 0 if fired or 0 in before else count
        if 0 in spiking:
            pending = fired = False
            back = Counter({step: n for step, n in back.items() if step <= t + 2})
        elif not (t >= free and (spiking or pending)):
            continue
        passed = min(set(spiking) - {channel}, default=channel)
        if passed == channel:
            heard = t + 3  # the pending neuron hears of its line
        held = hold if passed else 1
        on = {step: line for step, line in on.items() if step < t + 2}
        on |= dict.fromkeys(range(t + 2, t + 2 + held), passed)
        free = t + held + gap
        # The latch's timer: after an event from its second step on, after a reset behind the hold.
        back.update(range(t + 4, t + 4 + (hold + gap - 2 if passed else gap - 1)))
    return [on.get(t) for t in range(len(train))]


@given(data=st.data(), shape=SHAPES)
@settings(deadline=None, max_examples=300)
def test_ticks_come_when_their_steps_are_over(
    data: st.DataObject, shape: tuple[int, int, int], trains: Any
) -> None:
    inputs, hold, gap = shape
    channel = data.draw(st.integers(1, inputs))
    period = data.draw(st.integers(hold + gap + 5, hold + gap + 30))
    train = data.draw(trains(inputs + 1, 20, 8))
    train += [[]] * (3 * period)
    assert lines_of(inputs, hold, gap, channel, period, train) == expected_lines(
        hold, gap, channel, period, train
    )


def test_a_train_without_inputs_ticks_every_period() -> None:
    lines = lines_of(2, 3, 2, 2, 17, [[]] * 100)
    assert [t for t in range(1, 100) if lines[t] == 2 and lines[t - 1] != 2][:4] == [
        # Three steps after the spike of the clock, and the reset leaves it 6 steps on.
        4 - 1 + 17 - 6 + 3 + 17 * n
        for n in range(4)
    ]
    assert lines.count(2) // 3 == 5


@pytest.fixture(scope="module")
def lamp(compiled: Callable[..., Program], ticking_lamp: Callable[[str], Machine]) -> Program:
    """A lamp that goes out after three ticks."""
    return compiled(ticking_lamp("100 ms"), target="loihi2")


@settings(max_examples=40, deadline=None)
@given(
    actions=st.lists(st.one_of(st.just("press"), st.just("reset"), st.integers(0, 400))),
    steps=st.sampled_from([None, 9, 10, 100]),
    hold=st.sampled_from([None, 2, 5]),
)
def test_sessions_tick_as_the_interpreter_does(
    lamp: Program, actions: list[str | int], steps: int | None, hold: int | None
) -> None:
    machine, state, elapsed = lamp.machine, "off", 0
    options = {"tick_steps": steps and steps + (hold or 2), "hold_steps": hold}
    with vsafsm.open(lamp, backend="loihi2", **options) as session:
        assert isinstance(session, ClockedSession)
        assert isinstance(session._session, ClockedChipSession)
        for action in actions:
            mealy: tuple[str, ...] = ()
            if action == "reset":
                state, elapsed = "off", 0
                assert session.reset() == state
            elif isinstance(action, str):
                taken = machine.transition(state, action)
                state, mealy = taken.to, taken.outputs
                assert session.send(action) == state
            else:
                for at in range(elapsed + 1, elapsed + action + 1):
                    if at % 100 == 0:
                        taken = machine.transition(state, "tick")
                        state, mealy = taken.to, mealy + taken.outputs
                elapsed += action
                assert session.wait(Fraction(action, 1000)) == state
            session.rest(action if isinstance(action, int) else 3)
            assert session.state == state
            assert session.outputs == mealy + machine.outputs_of(state)


def test_a_period_takes_as_many_steps_as_it_is_said_to(lamp: Program) -> None:
    with vsafsm.open(lamp, backend="loihi2", tick_steps=1000) as session:
        session.wait(0.1)
        before = session.counts["steps"]
        session.wait(1)
        assert session.counts["steps"] - before == 10_000


@pytest.mark.parametrize("steps", [8, 60_000])
def test_a_period_that_the_neuron_cannot_count_is_refused(lamp: Program, steps: int) -> None:
    with pytest.raises(e.OptionError, match=rf"tick_steps is {steps}; expected 9 to 16242: a tick"):
        vsafsm.open(lamp, backend="loihi2", tick_steps=steps)


def test_a_machine_without_a_clock_takes_no_period(program_of: Callable[[str], Program]) -> None:
    with pytest.raises(e.OptionError, match='machine "turnstile" has no clock'):
        vsafsm.open(program_of("turnstile"), backend="loihi2", tick_steps=100)


def test_the_clock_is_counted_and_written(lamp: Program, tmp_path: Path) -> None:
    backend = find("loihi2")
    told = backend.describe(lamp, tick_steps=50)
    assert (told["clock_neurons"], told["steps_per_tick"], told["latch_neurons"]) == (1, 50, 9)
    assert (backend.lower(lamp).weights == lamp.network.weights).all()
    backend.emit(lamp, tmp_path, tick_steps=50)
    names = json.loads((tmp_path / "manifest.json").read_text())
    assert names["clock"] == {"input": "tick", "seconds": "1/10", "tick_steps": 50}
    with np.load(tmp_path / "network.npz", allow_pickle=False) as arrays:
        # A spike where the membrane is above: after so many steps of the bias, and a tick's own.
        bias = int(arrays["clock_bias"]) << int(arrays["clock_bias_exp"])
        chain = -int(arrays["clock_from_latch"].sum()) * 64 // bias
        assert int(arrays["clock_threshold"]) * 64 // bias + 1 + chain == 50
