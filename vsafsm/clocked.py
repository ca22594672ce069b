"""Sessions of machines with a clock: time goes on where it is said to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any, Protocol, runtime_checkable

from vsafsm.backend import BackendSession
from vsafsm.durations import MOST_TICKS, WAIT, duration_text, parse_duration
from vsafsm.errors import SessionError, SpecError
from vsafsm.machine import Clock, Machine, Outputs
from vsafsm.playing import Played
from vsafsm.trains import DROP, Pace, Timed, check_ticks, exact


class Timer:
    """Counts the ticks that are due. What is left of a wait counts for the next."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.reset()

    def reset(self) -> None:
        """Back to time 0."""
        self.elapsed = self._left = Fraction(0)

    def ticks(self, seconds: float | Fraction) -> int:
        """The ticks that are due while so much time goes by; raises `SessionError`, also for more
        than `MOST_TICKS`. No time has gone by then.
        """
        time = exact("the wait", seconds)
        ticks, left = divmod(self._left + time, self.clock.seconds)
        check_ticks(seconds, int(ticks))
        self.elapsed += time
        self._left = left
        return int(ticks)


@runtime_checkable
class Ticking(Protocol):
    """What the session of a backend has where the clock is part of the network.

    Its ticks come in the order in which `ClockedSession` would give them: `send` and `rest` let
    none come, and a reset puts the clock back to time 0.
    """

    def advance_clock(self, until: Fraction) -> Sequence[tuple[str | None, Outputs]]:
        """Run until the clock stands at `until` seconds: -> for each tick on the way, the state
        that the activity then stands for, and the outputs.
        """


class ClockedSession:
    """A session that ticks by itself while it waits. All else is that of the backend.

    Inputs take no time. A wait that is no whole number of ticks leaves the rest for the next.
    Where the network has a clock (`Ticking`), the ticks are its own. Elsewhere they are given.

    Parameters
    ----------
    session
        A backend's.
    machine
        One with a clock.

    Examples
    --------
    >>> from fractions import Fraction
    >>> import vsafsm
    >>> lamp = vsafsm.Machine.from_dict(
    ...     {"transitions": {"off": {"press": "on"}, "on": {"tick": "off"}}, "clock": "2 s"}
    ... )
    >>> with vsafsm.open(vsafsm.compile(lamp)) as session:
    ...     print(session.send("press"), session.wait(1), session.wait(1))
    on on off
    """

    def __init__(self, session: BackendSession, machine: Machine) -> None:
        if machine.clock is None:
            raise SessionError(f'machine "{machine.name}" has no clock; expected one')
        self._session, self._machine, self._timer = session, machine, Timer(machine.clock)
        self._mealy: Outputs | None = None

    def wait(self, seconds: float | Fraction) -> str | None:
        """Let time go by: -> the state that the activity then stands for, or None.

        Raises
        ------
        SessionError
            If the time is no finite number of at least 0, or one of more than a million ticks.
        """
        mealy: list[str] = []
        for state, outputs in self._ticks(self._timer.ticks(seconds)):
            mealy += self._machine.mealy(state, outputs)
        self._mealy = tuple(mealy)
        return self.state

    def _ticks(self, due: int) -> Iterable[tuple[str | None, Outputs]]:
        if isinstance(self._session, Ticking):
            return self._session.advance_clock(self._timer.elapsed)
        return (
            (self._session.send(self._timer.clock.symbol), self._session.outputs)
            for _ in range(due)
        )

    def __getattr__(self, name: str) -> Any:
        # What only some backends have: `recording`, say.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._session, name)

    @property
    def pace(self) -> Pace:
        """How long an input is held, and the gap after it; and their unit."""
        return self._session.pace

    @property
    def elapsed(self) -> Fraction:
        """Seconds since the last reset."""
        return self._timer.elapsed

    def send(self, symbol: str, hold: Any = None) -> str | None:
        """Apply one input: -> the state that the activity then stands for, or None."""
        self._mealy = None
        return self._session.send(symbol, hold)

    def rest(self, steps: Any) -> None:
        """Let the network run without input and without ticks."""
        self._session.rest(steps)

    def play(self, events: Iterable[Timed], overlap: str = DROP) -> Played:
        """Refused: ticks would have to come between the inputs.

        Raises
        ------
        SessionError
            Always.
        """
        raise SessionError(
            f'machine "{self._machine.name}" has a clock, and ticks would have to come between'
            " inputs with times of their own; expected inputs and waits, such as wait:3s"
        )

    def reset(self) -> str | None:
        """Back to the initial state, and to time 0."""
        self._timer.reset()
        self._mealy = None
        return self._session.reset()

    @property
    def outputs(self) -> Outputs:
        """Mealy outputs of the last input, or of all ticks of the last wait, then Moore outputs of
        the state.
        """
        if self._mealy is None:
            return self._session.outputs
        state = self.state
        return self._mealy + (() if state is None else self._machine.outputs_of(state))

    @property
    def state(self) -> str | None:
        """The state that the activity stands for, or None."""
        return self._session.state

    @property
    def activity(self) -> Any:
        """What each neuron does now."""
        return self._session.activity

    @property
    def counts(self) -> Mapping[str, int]:
        """``steps``, ``spikes``, ``synaptic_operations`` so far."""
        return self._session.counts

    def close(self) -> None:
        """Free what it holds; closing twice does nothing."""
        self._session.close()

    def __enter__(self) -> ClockedSession:
        self._session.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        self._session.__exit__(*details)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} after {float(self.elapsed):g} s: {self._session!r}>"


class _Clocked(Protocol):
    """A machine, or a system of some."""

    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def clock(self) -> Clock | None: ...


def expanded(word: Sequence[str], machine: _Clocked) -> list[tuple[str, ...]]:
    """Each item of a word as the inputs that it stands for: itself, or the ticks of ``wait:3s``.

    Raises
    ------
    SpecError
        If a wait is no duration, or no whole number of ticks; or if the machine has no clock.

    Examples
    --------
    >>> import vsafsm
    >>> blinker = vsafsm.Machine.from_dict(
    ...     {"transitions": {"off": {"tick": "on"}, "on": {"tick": "off"}}, "clock": "500 ms"}
    ... )
    >>> expanded(["tick", "wait:1s"], blinker)
    [('tick',), ('tick', 'tick')]
    """
    return [
        _ticks_of(item, machine)
        if item.startswith(WAIT) and item not in machine.inputs
        else (item,)
        for item in word
    ]


def _ticks_of(item: str, machine: _Clocked) -> tuple[str, ...]:
    if machine.clock is None:
        raise SpecError(
            f'"{item}": machine "{machine.name}" has no clock; expected its inputs only'
        )
    seconds, period = parse_duration(item.removeprefix(WAIT), "the wait"), machine.clock.seconds
    if (seconds / period).denominator != 1:
        raise SpecError(
            f'"{item}" is no multiple of the clock; expected one of {duration_text(period)}'
        )
    ticks = int(seconds / period)
    if ticks > MOST_TICKS:
        raise SpecError(f'"{item}" takes {ticks} ticks; expected at most {MOST_TICKS}')
    return (machine.clock.symbol,) * ticks


def waiting(word: Sequence[str], clock: Clock | None) -> list[str]:
    """A word with waits in place of its ticks, where their time is a decimal number.

    Examples
    --------
    >>> from fractions import Fraction
    >>> waiting(["press", "tick", "tick", "press"], Clock("tick", Fraction(3, 2)))
    ['press', 'wait:3s', 'press']
    """
    found: list[str] = []
    for symbol, same in groupby(word):
        symbols = list(same)
        if clock is not None and symbol == clock.symbol:
            text = duration_text(len(symbols) * clock.seconds)
            symbols = symbols if "/" in text else [f"{WAIT}{text}"]
        found += symbols
    return found
