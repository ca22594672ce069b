"""Which states share a module: those that lead to each other, or any.

A transition inside a module needs no synapses of its own, so few should lead from one module to
another. `place` partitions the graph of the transitions by greedy graph growing. A multilevel
partitioner such as METIS cuts fewer transitions, and saves few synapses more
(``benchmarks/placement.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count, pairwise
from typing import get_args

import numpy as np

from vsafsm.activities import Indices
from vsafsm.lowering import Lowered
from vsafsm.options import Placement

PLACEMENTS: tuple[Placement, ...] = get_args(Placement)


@dataclass(frozen=True, eq=False)
class Links:
    """Transitions between different states, without regard to their direction.

    Attributes
    ----------
    states, others : (P,)
        Every pair of states that a transition joins, both ways round and sorted.
    numbers : (P,)
        The transitions that join each pair.
    codes : (S,)
        Codes that lie in the module of each state: its own, and the pending ones that lead to it.
    transitions
        All of the machine, those from a state to itself included.
    """

    states: Indices
    others: Indices
    numbers: Indices
    codes: Indices
    transitions: int


def links(lowered: Lowered) -> Links:
    """The links of a machine."""
    states, releases = len(lowered.targets), np.array(lowered.releases, np.intp)
    source = np.array([move.source for move in lowered.moves], np.intp)
    target = releases[np.array([move.target for move in lowered.moves], np.intp)]
    away = source != target
    source, target = source[away], target[away]
    pair = np.concatenate([source * states + target, target * states + source])
    pair, numbers = np.unique(pair, return_counts=True)
    codes = np.bincount(releases, minlength=states).astype(np.intp)
    return Links(pair // states, pair % states, numbers, codes, len(lowered.moves))


def place(links: Links, per_module: int, kind: Placement, rng: np.random.Generator) -> Indices:
    """The module of each state: (S,), from 0 on, each with a state.

    Parameters
    ----------
    links
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
    >>> from vsafsm.modules.placement import links, place
    >>> joined = links(lower(vsafsm.load("specs/tcp_connection.yaml")))
    >>> place(joined, 4, "partition", np.random.default_rng(0)).tolist()
    [0, 0, 0, 0, 1, 1, 2, 1, 2, 1, 2]
    """
    states = len(links.codes)
    modules = -(-states // per_module)
    if kind == "partition":
        return _grown(links, modules)
    homes = np.empty(states, np.intp)
    homes[rng.permutation(states)] = np.arange(states) % modules
    return homes


def leaving(links: Links, homes: Indices) -> float:
    """The share of all transitions that lead from one module to another."""
    away = homes[links.states] != homes[links.others]
    return float(links.numbers[away].sum() / (2 * links.transitions))


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


def _grown(links: Links, modules: int) -> Indices:
    """Modules that grow one after the other until each has its share of the codes.

    *Open* links lead to states without a module. A module grows by the state that opens the fewest
    for those that it closes. It starts next to the modules before it, at the state with the fewest
    open ones.
    """
    codes: list[int] = links.codes.tolist()
    others: list[int] = links.others.tolist()
    numbers: list[int] = links.numbers.tolist()
    starts: list[int] = np.searchsorted(links.states, np.arange(len(codes) + 1)).tolist()
    opens = [sum(numbers[first:end]) for first, end in pairwise(starts)]
    home = [-1] * len(codes)
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
            for link in range(starts[state], starts[state + 1]):
                other = others[link]
                if home[other] < 0:
                    opens[other] -= numbers[link]
                    closes[other] = closes.get(other, 0) + numbers[link]
                    inner.put(other, opens[other] - closes[other])
                    outer.put(other, opens[other])
        left -= held
        module += 1
    return np.array(home, np.intp)
