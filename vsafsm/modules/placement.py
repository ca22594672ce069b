"""Which states share a module: those that lead to each other, or any.

A transition inside a module needs no synapses of its own, so few should lead from one module to
another. `place` partitions the graph of the transitions by greedy graph growing. A multilevel
partitioner such as METIS cuts fewer transitions, and saves hardly a synapse more
(``benchmarks/placement.py``).
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import Literal, get_args

import numpy as np

from vsafsm.lowering import Lowered
from vsafsm.modules.network import Indices

Placement = Literal["partition", "balanced"]
PLACEMENTS: tuple[Placement, ...] = get_args(Placement)


def place(lowered: Lowered, per_module: int, kind: Placement, rng: np.random.Generator) -> Indices:
    """The module of each state: (S,), from 0 on, each with a state.

    Parameters
    ----------
    lowered
    per_module
        States per module.
    kind
        ``"partition"``: states that lead to each other share a module, and each module has its
        share of the codes, pending ones included, exceeded by less than those of a single state.
        ``"balanced"``: at random, and equally many states in each module.
    rng
        Used where states are placed at random.

    Examples
    --------
    >>> import numpy as np
    >>> import vsafsm
    >>> from vsafsm.lowering import lower
    >>> from vsafsm.modules.placement import place
    >>> lowered = lower(vsafsm.load("specs/tcp_connection.yaml"))
    >>> place(lowered, 4, "partition", np.random.default_rng(0)).tolist()
    [0, 0, 0, 0, 1, 1, 2, 1, 2, 1, 2]
    """
    if kind == "balanced":
        return _dealt(len(lowered.targets), per_module, rng)
    codes = codes_per_state(lowered).tolist()
    return _grown(_Links(lowered), codes, -(-len(codes) // per_module))


def codes_per_state(lowered: Lowered) -> Indices:
    """Codes that lie in the module of each state: its own, and the pending ones that lead to it."""
    releases = np.array(lowered.releases, np.intp)
    return np.bincount(releases, minlength=len(lowered.targets)).astype(np.intp)


def leaving(lowered: Lowered, homes: Indices) -> float:
    """The share of the transitions that lead from one module to another."""
    source, target = _ends(lowered)
    return float((homes[source] != homes[target]).mean())


def _ends(lowered: Lowered) -> tuple[Indices, Indices]:
    """The states that each transition comes from and leads to: (S x A,) each."""
    to = np.array(lowered.releases, np.intp)[np.array(lowered.targets, np.intp)]
    return np.repeat(np.arange(len(to)), to.shape[1]), to.ravel()


def _dealt(states: int, per_module: int, rng: np.random.Generator) -> Indices:
    modules = -(-states // per_module)
    homes = np.empty(states, np.intp)
    homes[rng.permutation(states)] = np.arange(states) % modules
    return homes


class _Links:
    """The transitions between each state and others, either way; those to itself do not count."""

    def __init__(self, lowered: Lowered) -> None:
        states = len(lowered.targets)
        source, target = _ends(lowered)
        away = source != target
        source, target = source[away], target[away]
        pairs = np.concatenate([source * states + target, target * states + source])
        pair, number = np.unique(pairs, return_counts=True)
        self._starts: list[int] = np.searchsorted(pair, np.arange(states + 1) * states).tolist()
        self._others: list[int] = (pair % states).tolist()
        self._numbers: list[int] = number.tolist()
        self.total = np.bincount(pair // states, number, minlength=states).astype(int).tolist()

    def of(self, state: int) -> zip[tuple[int, int]]:
        """The other states, and the transitions from or to each."""
        part = slice(self._starts[state], self._starts[state + 1])
        return zip(self._others[part], self._numbers[part], strict=True)


class _Queue:
    """States by cost; of equal costs, the one that was put first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int]] = []
        self._turn: dict[int, int] = {}
        self._turns = count()

    def put(self, state: int, cost: int) -> None:
        """Add a state, or give it another cost."""
        self._turn[state] = turn = next(self._turns)
        heappush(self._heap, (cost, turn, state))

    def drop(self, state: int) -> None:
        """Remove a state, if it is there."""
        self._turn.pop(state, None)

    def first(self) -> int | None:
        """The state with the lowest cost."""
        # Entries of states that were dropped or put again are removed when they come up.
        while self._heap and self._turn.get(self._heap[0][2]) != self._heap[0][1]:
            heappop(self._heap)
        return self._heap[0][2] if self._heap else None


def _grown(links: _Links, codes: list[int], modules: int) -> Indices:
    """Modules that grow one after the other until each has its share of the codes.

    *Open* links lead to states without a module. A module grows by the state that opens the fewest
    for those that it closes. It starts next to the modules before it, at the state with the fewest
    open ones.
    """
    home = [-1] * len(codes)
    opens = list(links.total)
    outer = _Queue()
    unmet = iter(range(len(codes)))
    module, left = 0, sum(codes)
    while left:
        share, held = left / max(modules - module, 1), 0
        closes: dict[int, int] = {}
        inner = _Queue()
        while held < share:
            state = inner.first()
            if state is None:
                state = outer.first()
            if state is None:
                state = next(x for x in unmet if home[x] < 0)
            home[state] = module
            held += codes[state]
            inner.drop(state)
            outer.drop(state)
            for other, number in links.of(state):
                if home[other] < 0:
                    opens[other] -= number
                    closes[other] = closes.get(other, 0) + number
                    inner.put(other, opens[other] - closes[other])
                    outer.put(other, opens[other])
        left -= held
        module += 1
    return np.array(home, np.intp)
