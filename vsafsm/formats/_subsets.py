"""From a nondeterministic recogniser of words to the smallest machine that puts out ``accept``
where the word so far is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import replace
from typing import TypeVar

from vsafsm.equivalence import minimized
from vsafsm.errors import Location, TooLargeError
from vsafsm.formats import ACCEPT
from vsafsm.machine import Machine, Transition

MAX_SUBSETS = 20_000
"""Most states before equal ones are merged."""

_Place = TypeVar("_Place", bound=Hashable)


def determinised(
    name: str,
    symbols: tuple[str, ...],
    start: Iterable[_Place],
    following: Callable[[_Place, str], Iterable[_Place]],
    accepting: Collection[_Place],
    location: Location,
) -> Machine:
    """The smallest machine for the recogniser; its states are ``s0``, ``s1``, ... in the order of
    discovery.

    Parameters
    ----------
    name, symbols
        Name and inputs of the machine.
    start
        States that the recogniser starts in, with those that it reaches without input.
    following
        States after one state and one symbol, with those that it reaches without input.
    accepting
        States that accept.
    location
        What an error names.

    Raises
    ------
    TooLargeError
        If there are more than `MAX_SUBSETS` sets of states.
    """
    first = frozenset(start)
    number = {first: 0}
    table = []
    for subset in (queue := [first]):
        row = []
        for symbol in symbols:
            reached = frozenset(to for each in subset for to in following(each, symbol))
            if reached not in number:
                number[reached] = len(queue)
                queue.append(reached)
            row.append(Transition(f"s{number[reached]}"))
        table.append(tuple(row))
        if len(queue) > MAX_SUBSETS:
            raise TooLargeError(f"the recogniser needs more than {MAX_SUBSETS} states", location)
    moore = tuple((ACCEPT,) if not subset.isdisjoint(accepting) else () for subset in queue)
    states = tuple(f"s{i}" for i in range(len(queue)))
    return _numbered(minimized(Machine(name, states, symbols, "s0", tuple(table), moore)))


def _numbered(machine: Machine) -> Machine:
    """With states ``s0``, ``s1``, ... in their order."""
    names = {state: f"s{i}" for i, state in enumerate(machine.states)}
    table = tuple(tuple(Transition(names[taken.to]) for taken in row) for row in machine.table)
    return replace(
        machine, states=tuple(names.values()), initial=names[machine.initial], table=table
    )
