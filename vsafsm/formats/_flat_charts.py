"""Flat statecharts, read as `vsafsm.formats._events` reads them: with states that are never reached
among their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from vsafsm.errors import Location
from vsafsm.formats import ACCEPT, Reading, name_from
from vsafsm.formats._events import Action, Arc, reading
from vsafsm.formats._events import State as FlatState
from vsafsm.statecharts import Output, Raise, Send, State, Statechart, Transition
from vsafsm.statecharts.parts import Actions


def chart_name(name: str, source: str) -> str:
    """`name` if it can name a machine, else the one of the file."""
    return name_from(name, PurePath(source).stem, "machine")


def flat_reading(chart: Statechart, source: str, warnings: Sequence[str] = ()) -> Reading | None:
    """The reading of a chart that is flat, states that are never reached among its own; None for
    all others.

    Raises
    ------
    SpecError
        As `vsafsm.formats._events.reading`.
    """
    if not chart.flat or chart.transitions:
        return None
    states = [each for each in chart.states if isinstance(each, State)]
    known = set(chart.named_events)
    if not all(_is_flat(state, known) for state in states):
        return None
    where = chart.initial_place or chart.place or Location(source)
    initial = (chart.initial[0], where) if chart.initial else None
    return reading(chart.name, source, [_flat(each, source) for each in states], initial, warnings)


def _is_flat(state: State, known: set[str]) -> bool:
    blocks = [state.entry, state.exit, *(each.actions for each in state.transitions)]
    plain = all(
        isinstance(action, Output)
        or (isinstance(action, Raise | Send) and action.event not in known)
        for block in blocks
        for action in block
    )
    simple = all(each.guard is None and len(each.targets) < 2 for each in state.transitions)
    return plain and simple and not state.outputs


def _flat(state: State, source: str) -> FlatState:
    place = state.place or Location(source)
    entry = _told(state.entry, place)
    if state.kind == "final":
        entry = (Action(ACCEPT, place), *entry)
    arcs = tuple(_arc(each, place) for each in state.transitions)
    return FlatState(state.id, place, arcs, entry, _told(state.exit, place))


def _arc(each: Transition, default: Location) -> Arc:
    place = each.place or default
    target = each.targets[0] if each.targets else None
    actions, to = _told(each.actions, place), each.target_place or place
    return Arc(each.events, target, actions, (), place, to, each.events.__contains__)


def _told(actions: Actions, default: Location) -> tuple[Action, ...]:
    found: list[Action] = []
    for each in actions:
        if isinstance(each, Output):
            found.append(Action(each.name, each.place or default))
        elif isinstance(each, Raise | Send):
            found.append(Action(each.event, each.place or default))
    return tuple(found)
