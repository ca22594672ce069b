"""From a nondeterministic recogniser of words to the smallest machine that puts out ``accept``
where the word so far is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from vsafsm.equivalence import minimized
from vsafsm.errors import Location, TooLargeError
from vsafsm.formats import ACCEPT
from vsafsm.machine import Machine, Transition

MAX_SUBSETS = 20_000
"""Most states before equal ones are merged."""

_Place = TypeVar("_Place", bound=Hashable)


def recogniser(
    name: str,
    edges: Mapping[tuple[_Place, str], Collection[_Place]],
    starts: Iterable[_Place],
    accepting: Collection[_Place],
    location: Location,
) -> Machine:
    """As `determinised`, for edges by state and symbol; those on the symbol ``""`` take no input.

    The inputs are the symbols, in the order of the edges.
    """

    def closed(states: Iterable[_Place]) -> frozenset[_Place]:
        queue = list(dict.fromkeys(states))
        found = set(queue)
        for state in queue:
            further = [to for to in edges.get((state, ""), ()) if to not in found]
            found.update(further)
            queue += further
        return frozenset(found)

    return determinised(
        name,
        tuple(dict.fromkeys(symbol for _, symbol in edges if symbol)),
        starts,
        lambda state, symbol: edges.get((state, symbol), ()),
        accepting,
        location,
        closed,
    )


def determinised(
    name: str,
    symbols: tuple[str, ...],
    start: Iterable[_Place],
    following: Callable[[_Place, str], Iterable[_Place]],
    accepting: Collection[_Place],
    location: Location,
    closed: Callable[[Iterable[_Place]], frozenset[_Place]] = frozenset,
) -> Machine:
    """The smallest machine for the recogniser; its states are ``s0``, ``s1``, ... in the order of
    discovery.

    Parameters
    ----------
    name, symbols
        Name and inputs of the machine.
    start
        States that the recogniser starts in.
    following
        States after one state and one symbol.
    accepting
        States that accept.
    location
        What an error names.
    closed
        From states to these and those that they reach without input.

    Raises
    ------
    TooLargeError
        If there are more than `MAX_SUBSETS` sets of states.
    """
    first = closed(start)
    number = {first: 0}
    table = []
    for subset in (queue := [first]):
        row = []
        for symbol in symbols:
            reached = closed(to for each in subset for to in following(each, symbol))
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
