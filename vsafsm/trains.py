"""Trains of inputs with times: which are taken and when, where they overlap or come in a gap.

An input is held, and a gap follows. What comes meanwhile is dropped, or waits for its turn. One
that comes exactly at the end of the gap is taken. Of those at the same time the first in order
comes first. The same rules hold on every backend.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral
from typing import Any

from vsafsm.durations import MOST_TICKS, UNITS, parse_duration
from vsafsm.errors import OptionError, SessionError, SpecError, SyntaxSpecError, did_you_mean
from vsafsm.finite import finite

DROP, QUEUE = "drop", "queue"
OVERLAPS = (DROP, QUEUE)
"""What becomes of an input that comes before the gap of another is over."""
STEPS = "steps"
AT = "@"

Number = int | float
Timed = tuple[Any, str]
"""A time and an input."""


@dataclass(frozen=True)
class Pace:
    """How long a session holds an input, and rests after it.

    Attributes
    ----------
    hold, gap
        In units.
    unit
        Their unit: ``"steps"``, which are whole, or a unit of time such as ``"ms"``.
    one
        One unit, as `send` and `rest` of the session take it.
    most
        The longest rest; None where there is no such limit.
    """

    hold: Number
    gap: Number
    unit: str = STEPS
    one: Any = 1
    most: Number | None = None


@dataclass(frozen=True)
class Arrival:
    """What becomes of an input that comes at some time.

    Attributes
    ----------
    time
        When it comes.
    symbol
        The input.
    begins
        When it begins to be held, or None where it is dropped. In the unit of `time`.
    """

    time: Number
    symbol: str
    begins: Number | None

    @property
    def dropped(self) -> bool:
        """Whether it is never held."""
        return self.begins is None


def arrivals(
    events: Iterable[Timed], hold: Number, gap: Number, overlap: str = DROP
) -> tuple[Arrival, ...]:
    """What becomes of each event of a train.

    Parameters
    ----------
    events
        Times and inputs, in the order of their times. Time 0 is when the train begins.
    hold, gap
        How long an input is held, and how long the gap after it is. In the unit of the times.
    overlap
        ``"drop"``: an event before the gap of another is over is dropped. ``"queue"``: it waits,
        and those that wait are taken in order.

    Raises
    ------
    SessionError
        If a time is no finite number of at least 0, or earlier than the one before it; or if hold
        or gap is no such number.
    OptionError
        If there is no such `overlap`.

    Examples
    --------
    >>> train = [(0, "press"), (4, "press"), (5, "off")]
    >>> [each.begins for each in arrivals(train, hold=3, gap=2)]
    [0, None, 5]
    >>> [each.begins for each in arrivals(train, hold=3, gap=2, overlap="queue")]
    [0, 5, 10]
    """
    check_overlap(overlap)
    lasting = exact("the hold", hold) + exact("the gap", gap)
    free = before = Fraction(0)
    found = []
    for n, (given, symbol) in enumerate(events, 1):
        time = exact(f'the time of event {n} ("{symbol}")', given)
        if time < before:
            raise SessionError(
                f'event {n} ("{symbol}") comes at {plain(time)}, before the one at'
                f" {plain(before)}; expected events in the order of their times"
            )
        before = time
        if overlap == DROP and time < free:
            found.append(Arrival(plain(time), symbol, None))
            continue
        begins = max(time, free)
        free = begins + lasting
        found.append(Arrival(plain(time), symbol, plain(begins)))
    return tuple(found)


def check_overlap(overlap: str) -> None:
    """Raise `OptionError` where there is no such rule."""
    if overlap not in OVERLAPS:
        raise OptionError(
            f'overlap is "{overlap}"; expected {" or ".join(OVERLAPS)}'
            f"{did_you_mean(overlap, OVERLAPS)}"
        )


def exact(what: str, value: Any) -> Fraction:
    """A time as a fraction: what is written 0.1 is a tenth, and not the binary number next to it.
    Raises `SessionError`, with what it is the time of.
    """
    number = finite(value)
    if number is None or number < 0:
        raise SessionError(f"{what} is {value!r}; expected a finite number of at least 0")
    if isinstance(value, Integral):
        return Fraction(int(value))
    return Fraction(value if isinstance(value, Fraction) else number).limit_denominator(10**9)


def check_ticks(seconds: object, ticks: int) -> None:
    """Raise `SessionError` where a wait is of too many ticks."""
    if ticks > MOST_TICKS:
        raise SessionError(
            f"the wait is {seconds!r}, and takes {ticks} ticks; expected at most {MOST_TICKS}"
        )


def plain(time: Fraction) -> Number:
    """A time as a number: whole where it is."""
    return int(time) if time.denominator == 1 else float(time)


# ---- as text


def timed(word: Sequence[str], inputs: Collection[str]) -> list[tuple[str, str]]:
    """The inputs of a word such as ``press@0 off@30`` and their times, as texts; none where no item
    has a time. An item that is itself an input has none.

    Raises
    ------
    SpecError
        If only some have one.

    Examples
    --------
    >>> timed(["press@0", "off@30ms"], ["press", "off"])
    [('press', '0'), ('off', '30ms')]
    """
    plain = [item for item in word if AT not in item or item in inputs]
    if len(plain) == len(word):
        return []
    if plain:
        raise SpecError(
            f'"{plain[0]}" has no time, and other inputs have one; expected a time for each input,'
            f' such as "press{AT}30", or for none'
        )
    return [(symbol, text) for symbol, _, text in (item.rpartition(AT) for item in word)]


def time_of(symbol: str, text: str, pace: Pace) -> Number:
    """The time of an input, in the unit of a pace, from text such as ``30`` or ``4ms``.

    Raises
    ------
    SpecError
        If the text is no time, or one in another unit than those that the session knows.

    Examples
    --------
    >>> time_of("press", "1.5s", Pace(80, 120, "ms"))
    1500
    """
    what, item = f'the time of "{symbol}"', f"{symbol}{AT}"
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", text) is None:
        if pace.unit in UNITS:
            return plain(parse_duration(text, what, zero=True) / UNITS[pace.unit])
        raise SyntaxSpecError(
            f'{what} is "{text[:40]}"; expected a number of {pace.unit}, such as "{item}30"'
        )
    time = Fraction(text)
    if pace.unit == STEPS and time.denominator != 1:
        raise SpecError(f"{what} is {text}; expected a whole number of steps")
    return plain(time)
