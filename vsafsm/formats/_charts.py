"""From a statechart to what a reader gives back: its flat machine, and what is doubtful in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsafsm.errors import Location
from vsafsm.formats import Reading, summarised
from vsafsm.machine import Machine
from vsafsm.statecharts import (
    Assign,
    Block,
    Choice,
    Exploration,
    Output,
    Raise,
    Send,
    State,
    Statechart,
    explore,
    parse_expression,
)
from vsafsm.statecharts.expressions import Expression, Name, Sum
from vsafsm.statecharts.parts import Actions, walk

_ASSIGNMENT = re.compile(r"([^\W\d]\w*)\s*([+-]?=)(?!=)\s*(.*)", re.DOTALL)


def assignment(code: str, place: Location) -> Assign | None:
    """``name = value``, ``name += value`` or ``name -= value``; None for all else.

    Raises
    ------
    SpecError
        If the value is no expression.
    """
    assigned = _ASSIGNMENT.fullmatch(code)
    if assigned is None:
        return None
    value: Expression = parse_expression(assigned[3], place)
    if assigned[2] != "=":
        value = Sum(((1, Name(assigned[1])), (1 if assigned[2] == "+=" else -1, value)))
    return Assign(assigned[1], value, place)


def chart_reading(chart: Statechart, warnings: tuple[str, ...] = ()) -> Reading:
    """The machine of a chart, with warnings: `warnings`, what is put out before the first
    configuration, transitions that are never taken, states that are never entered.

    Raises
    ------
    SpecError
        As `vsafsm.statecharts.flatten`; with the place.
    """
    explored = explore(chart)
    return Reading(explored.machine, (*warnings, *_doubts(explored, explored.machine)))


def _doubts(explored: Exploration, machine: Machine) -> Iterator[str]:
    chart = explored.chart
    yield from _unheard(explored, machine)
    yield from _shadowed(chart)

    def place(name: str) -> Location:
        return chart.nodes[name].place or chart.place or Location(chart.name)

    flaw = f'never reached from "{machine.initial}"'
    yield from summarised(explored.never_entered, place, "state", flaw)


def _unheard(explored: Exploration, machine: Machine) -> Iterator[str]:
    """What the machine does not put out at the start."""
    if not explored.initial_outputs:
        return
    for name in explored.active(machine.initial):
        node = explored.chart.nodes[name]
        actions = node.entry if isinstance(node, State) else ()
        for place in _told(actions):
            yield (
                f'{place}: what state "{name}" puts out when it is entered counts where a'
                " transition enters it, and not at the start"
            )
            return


def _told(actions: Actions) -> Iterator[Location | None]:
    for each in actions:
        if isinstance(each, Output | Raise | Send):
            yield each.place
        elif isinstance(each, Block):
            yield from _told(each.actions)
        elif isinstance(each, Choice):
            for _, inner in each.branches:
                yield from _told(inner)


def _shadowed(chart: Statechart) -> Iterator[str]:
    for node, _ in walk(chart.root):
        if not isinstance(node, State):
            continue
        taken: set[str] = set()
        for each in node.transitions:
            if each.events and taken.issuperset(each.events):
                yield (
                    f'{each.place}: this transition of state "{node.id}" is never taken: one'
                    " before it is"
                )
            if each.guard is None and each.after is None and each.idle is None:
                taken.update(each.events)
