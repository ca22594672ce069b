"""Words that take every transition: from the initial state, always to the nearest (state, input)
pair not yet taken.
"""

from __future__ import annotations

from collections import deque

from vsafsm.machine import Machine

Pair = tuple[str, str]


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


def _to_nearest(machine: Machine, state: str, left: set[Pair]) -> list[str] | None:
    """The shortest word from `state` whose last transition is one of those left."""
    queue: deque[tuple[str, list[str]]] = deque([(state, [])])
    seen = {state}
    while queue:
        here, path = queue.popleft()
        for symbol in machine.inputs:
            if (here, symbol) in left:
                return [*path, symbol]
        for symbol in machine.inputs:
            to = machine.transition(here, symbol).to
            if to not in seen:
                seen.add(to)
                queue.append((to, [*path, symbol]))
    return None
