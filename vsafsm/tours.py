"""Words that take every transition: from the initial state, always to the nearest (state, input)
pair not yet taken.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TypeVar

from vsafsm.machine import Machine

Pair = tuple[str, str]
Node = TypeVar("Node")


def tours(machine: Machine) -> list[tuple[str, ...]]:
    """Words, each from the initial state, that together take every reachable (state, input)
    pair.
    """
    left = {(state, symbol) for state in machine.reachable for symbol in machine.inputs}
    found = []
    while left:
        word: list[str] = []
        state = machine.initial
        while (path := _to_nearest(machine, state, left)) is not None:
            for symbol in path:
                left.discard((state, symbol))
                word.append(symbol)
                state = machine.transition(state, symbol).to
        found.append(tuple(word))
    return found


def shortest_ways(machine: Machine) -> dict[str, tuple[str, ...]]:
    """For each reachable state a shortest word that leads there."""
    found: dict[str, tuple[str, ...]] = {machine.initial: ()}
    queue = deque(found)
    while queue:
        state = queue.popleft()
        for symbol in machine.inputs:
            to = machine.transition(state, symbol).to
            if to not in found:
                found[to] = (*found[state], symbol)
                queue.append(to)
    return found


def word_to(node: Node, before: Mapping[Node, tuple[Node, str] | None]) -> tuple[str, ...]:
    """The word that leads to a node of a search.

    Parameters
    ----------
    before
        For each node the one before it, and the input that leads on; None where the search began.
    """
    word = []
    while step := before[node]:
        node, symbol = step
        word.append(symbol)
    return tuple(reversed(word))


def _to_nearest(machine: Machine, state: str, left: set[Pair]) -> tuple[str, ...] | None:
    """The shortest word from `state` whose last transition is one of those left."""
    before: dict[str, Pair | None] = {state: None}
    queue = deque([state])
    while queue:
        here = queue.popleft()
        for symbol in machine.inputs:
            if (here, symbol) in left:
                return (*word_to(here, before), symbol)
        for symbol in machine.inputs:
            to = machine.transition(here, symbol).to
            if to not in before:
                before[to] = (here, symbol)
                queue.append(to)
    return None
