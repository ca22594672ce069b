"""The clock of a simulation: when it ticks, and what inputs do to it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from brian2 import ms

import vsafsm
from vsafsm.clocked import ClockedSession
from vsafsm.discovery import find
from vsafsm.errors import OptionError
from vsafsm.machine import Clock
from vsafsm.program import Program
from vsafsm_brian2.parameters import RunSettings, tick_period_ms
from vsafsm_brian2.session import Brian2Session

ITEMS = ["press", 500, "press", 250, "press", "press", "press", 250, 750, 10, "press"]
"""Inputs, and waits in ms."""


def simulated(session: Any) -> list[tuple[int, float]]:
    """Inputs and ticks with the times when they began, the reset aside."""
    return [(e.symbol, e.onset_ms) for e in session.recording.events[1:]]


def test_a_session_ticks_in_simulated_time(lamp: Program) -> None:
    machine, state, elapsed, free = lamp.machine, "off", 0, 180.0
    press, tick = (machine.inputs.index(name) for name in ("press", "tick"))
    onsets: list[tuple[int, float]] = []

    def begin(symbol: int, due: float) -> None:
        nonlocal free
        onsets.append((symbol, max(free, due)))
        free = onsets[-1][1] + 200

    with vsafsm.open(lamp, backend="brian2") as session:
        assert isinstance(session, ClockedSession)
        inside = session._session
        assert isinstance(inside, Brian2Session)
        for item in ITEMS:
            mealy: tuple[str, ...] = ()
            if isinstance(item, str):
                taken = machine.transition(state, item)
                state, mealy = taken.to, taken.outputs
                begin(press, 0)
                assert session.send(item) == state
            else:
                for at in range(elapsed + 1, elapsed + item + 1):
                    if at % 250 == 0:
                        taken = machine.transition(state, "tick")
                        state, mealy = taken.to, mealy + taken.outputs
                        begin(tick, 180 + at)
                elapsed += item
                free = max(free, 180 + elapsed)
                assert session.wait(Fraction(item, 1000)) == state
            assert session.outputs == mealy + machine.outputs_of(state)
            assert inside._simulation.now_ms == free
        assert simulated(inside) == onsets
        assert session.elapsed == Fraction(elapsed, 1000)


def test_a_clock_stands_still_at_rest_and_begins_anew_at_a_reset(lamp: Program) -> None:
    with vsafsm.open(lamp, backend="brian2", tick_ms=400.0) as session:
        session.send("press")
        session.wait(0.2)
        session.rest(1000 * ms)
        assert session.wait(0.05) == "on 1"
        session.reset()
        session.send("press")
        assert session.wait(0.2) == "on"
        assert session.wait(0.05) == "on 1"
        inside: Any = session
        times = [(e.symbol, e.onset_ms) for e in inside._session.recording.events]
    # 60 ms of reset and 120 of gap; the clock's period of 250 ms takes 400 ms, and the rest 1000.
    tick = lamp.machine.inputs.index("tick")
    assert [t for symbol, t in times if symbol == tick] == [1580, 1960 + 400]
    assert [t for symbol, t in times if symbol == -1] == [0, 1780]


def test_ticks_of_a_word_come_at_whole_periods_as_in_a_session(lamp: Program) -> None:
    word = ["press", "tick", "press", "press", "tick", "tick"]
    waits = ["press", 250, "press", "press", 500]
    backend: Any = find("brian2")
    recording, readings = backend.record(lamp, word, tick_ms=350.0)
    with vsafsm.open(lamp, backend="brian2", tick_ms=350.0) as session:
        inside: Any = session
        for item in waits:
            if isinstance(item, str):
                session.send(item)
            else:
                inside.wait(Fraction(item, 1000))
        expected = simulated(inside)
    assert [(e.symbol, e.onset_ms) for e in recording.events[1:]] == expected
    assert [onset for _, onset in expected] == [180, 530, 730, 930, 1130, 1330]
    assert tuple(reading.state for reading in readings) == lamp.machine.run(word).states
    at_once = backend.record(lamp, word)[0]
    assert [e.onset_ms for e in at_once.events[1:]] == [180 + 200 * n for n in range(6)]


def test_a_period_is_refused_where_there_is_no_clock(program: Program, tmp_path: Path) -> None:
    backend: Any = find("brian2")
    for call in (
        lambda: backend.open(program, tick_ms=400.0),
        lambda: backend.run(program, ["coin"], tick_ms=400.0),
        lambda: backend.describe(program, tick_ms=400.0),
        lambda: backend.emit(program, tmp_path, tick_ms=400.0),
    ):
        with pytest.raises(OptionError, match='tick_ms is 400, and machine "turnstile" has no'):
            call()
    assert not list(tmp_path.iterdir())


def test_what_a_period_lasts_is_described(lamp: Program) -> None:
    backend = find("brian2")
    assert backend.describe(lamp)["tick_ms"] == 250
    assert backend.describe(lamp, tick_ms=400.0)["tick_ms"] == 400


def test_a_period_that_is_shorter_than_a_tick_is_refused(lamp: Program, tmp_path: Path) -> None:
    told = "period of the clock is 250 ms, and a tick takes 270 ms .*hold of 150 ms.*gap of 120 ms"
    with (
        vsafsm.open(lamp, backend="brian2", hold_ms=150.0) as session,
        pytest.raises(OptionError, match=told),
    ):
        session.wait(1)
    with pytest.raises(OptionError, match=r"period of tick_ms is 199 ms.*at least 200"):
        find("brian2").emit(lamp, tmp_path, tick_ms=199.0)
    assert not list(tmp_path.iterdir())


def test_a_period_is_the_clock_s_or_as_long_as_it_is_said_to_be() -> None:
    clock = Clock("tick", Fraction(1, 3))
    assert tick_period_ms(clock, RunSettings()) == Fraction(1000, 3)
    assert tick_period_ms(clock, RunSettings(tick_ms=250.5)) == Fraction(501, 2)
