"""Trains of inputs on a session: one way for all backends, made of `send` and `rest`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral
from typing import Any, Protocol

from vsafsm.errors import SessionError
from vsafsm.machine import Outputs
from vsafsm.trains import DROP, STEPS, Arrival, Pace, Timed, arrivals, exact, plain


@dataclass(frozen=True)
class Played:
    """What came of a train.

    Attributes
    ----------
    arrivals
        What became of each event, in order.
    states, outputs
        As those of `vsafsm.backend.Run`, for the n inputs that were taken: n + 1 each.
    unit
        Of the times: ``"steps"``, or a unit of time such as ``"ms"``.
    """

    arrivals: tuple[Arrival, ...]
    states: tuple[str | None, ...]
    outputs: tuple[Outputs, ...]
    unit: str

    @property
    def word(self) -> tuple[str, ...]:
        """The inputs that were taken."""
        return tuple(each.symbol for each in self.arrivals if not each.dropped)

    @property
    def dropped(self) -> tuple[Arrival, ...]:
        """The events that were dropped."""
        return tuple(each for each in self.arrivals if each.dropped)


class Playable(Protocol):
    """What a session has to have for `play`."""

    @property
    def pace(self) -> Pace:
        """How long `send` holds an input and rests after it."""

    @property
    def state(self) -> str | None: ...
    @property
    def outputs(self) -> Outputs: ...
    def check_input(self, symbol: str) -> None:
        """Raise `UnknownInputError` where there is no such input."""

    def send(self, symbol: str) -> str | None: ...
    def rest(self, steps: Any) -> None: ...


def play(session: Playable, events: Iterable[Timed], overlap: str = DROP) -> Played:
    """Give a session inputs at their times; time 0 is now.

    It ends when the gap of the last input that is taken is over.

    Parameters
    ----------
    events
        Times in the unit of the session's pace, as plain numbers, and inputs.
    overlap
        As `vsafsm.trains.arrivals` takes it.

    Raises
    ------
    UnknownInputError
        If there is no such input, also where it would be dropped.
    SessionError, OptionError
        As `vsafsm.trains.arrivals` does, if steps are no whole number, or if there is a longer rest
        than the session's pace allows. Nothing has run then.
    """
    pace, train = session.pace, train_of(events)
    for time, symbol in train:
        session.check_input(symbol)
        if pace.unit == STEPS and not isinstance(time, Integral):
            raise SessionError(
                f'the time of "{symbol}" is {time!r}; expected a whole number of steps'
            )
    found = arrivals(train, pace.hold, pace.gap, overlap)
    lasting = exact("the hold", pace.hold) + exact("the gap", pace.gap)
    now = Fraction(0)
    taken: list[tuple[Fraction, str]] = []
    for each in found:
        if each.begins is None:
            continue
        begins = exact("a time", each.begins)
        rest = begins - now
        if pace.most is not None and rest > pace.most:
            raise SessionError(
                f'"{each.symbol}" comes after a rest of {plain(rest)} {pace.unit}; expected at most'
                f" {pace.most}"
            )
        taken.append((rest, each.symbol))
        now = begins + lasting
    states, outputs = [session.state], [session.outputs]
    for rest, symbol in taken:
        if rest > 0:
            session.rest(plain(rest) * pace.one)
        states.append(session.send(symbol))
        outputs.append(session.outputs)
    return Played(found, tuple(states), tuple(outputs), pace.unit)


def train_of(events: Iterable[Timed]) -> tuple[Timed, ...]:
    """Times and inputs that are given, as pairs; raises `SessionError`."""
    train = tuple(events) if isinstance(events, Iterable) else None
    if train is None:
        raise SessionError(f'a train is {events!r}; expected pairs such as (30, "press")')
    for each in train:
        if not isinstance(each, tuple | list) or len(each) != 2 or not isinstance(each[1], str):
            raise SessionError(f'an event is {each!r}; expected a pair such as (30, "press")')
    return train


class Playing:
    """For sessions to inherit: `play`, for one that has a `pace`."""

    def play(self: Playable, events: Iterable[Timed], overlap: str = DROP) -> Played:
        """Give inputs at their times; time 0 is now. Inputs that come before the gap of another is
        over are dropped, or wait (``overlap="queue"``).

        Parameters
        ----------
        events
            Times in the session's own unit, and inputs.

        Raises
        ------
        UnknownInputError, SessionError, OptionError
            As `vsafsm.playing.play` does. Nothing has run then.

        Examples
        --------
        >>> import vsafsm
        >>> program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"))
        >>> with vsafsm.open(program) as session:
        ...     found = session.play([(0, "coin"), (2, "coin"), (30, "push")])
        >>> found.states, [each.time for each in found.dropped]
        (('locked', 'unlocked', 'locked'), [2])
        """
        return play(self, events, overlap)
