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
from typing import Protocol, get_args

import numpy as np

from vsafsm.activities import Indices
from vsafsm.lowering import Lowered
from vsafsm.modules.kinds import joined
from vsafsm.modules.sizes import Sizes
from vsafsm.options import Placement

UNMET = 2**62
"""Cost of a state that no module is next to."""
TRIED = 16
"""States that are tried before a module counts as full."""
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
        return _grown(links, _Shares(links, modules))
    homes = np.empty(states, np.intp)
    homes[rng.permutation(states)] = np.arange(states) % modules
    return homes


def place_by_kinds(
    links: Links,
    targets: Indices,
    sizes: Sizes,
    kind: Placement,
    rng: np.random.Generator,
    most: int | None = None,
) -> Indices:
    """As `place`, for machines of many inputs: states that tell the same inputs apart share a
    module, so that it has few kinds of input.

    Parameters
    ----------
    links
    targets : (S, A)
        Where each input leads each state.
    sizes
        What a module holds. A state of more kinds than it has is alone.
    kind
        ``"partition"``, or ``"balanced"``: without regard to the links.
    rng
        Used where states are placed at random.
    most
        How many states to place; others get the module -1.
    """
    if kind == "partition":
        return _grown(links, _Kinds(links, targets, sizes), most)
    order = rng.permutation(len(links.codes))
    none = np.zeros(0, np.intp)
    apart = Links(none, none, none, links.codes[order], links.transitions)
    homes = np.empty(len(order), np.intp)
    homes[order] = _grown(apart, _Kinds(apart, targets[order], sizes), most)
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

    def first(self, filling: _Filling, keep: bool) -> int | None:
        """The state with the lowest cost that fits, of a few. What does not fit stays in the queue,
        or is dropped.
        """
        passed: list[tuple[int, int, int]] = []
        found = None
        while self._heap and found is None and len(passed) < TRIED:
            cost, turn, state = heappop(self._heap)
            # Entries of states that were dropped or put again are removed when they come up.
            if self._turn.get(state) != turn:
                continue
            if filling.admits(state):
                found = state
            elif keep:
                passed.append((cost, turn, state))
            else:
                self.drop(state)
        for entry in passed:
            heappush(self._heap, entry)
        return found


class _Filling(Protocol):
    """What a module has room for."""

    full: bool

    def begin(self) -> None:
        """Start an empty module."""

    def admits(self, state: int) -> bool:
        """Whether a state fits into the module, or is its first."""

    def add(self, state: int) -> None:
        """Put a state into the module."""


class _Shares:
    """Each module has its share of the codes."""

    def __init__(self, links: Links, modules: int) -> None:
        self.codes: list[int] = links.codes.tolist()
        self.modules, self.left = modules, sum(self.codes)
        self.held, self.share, self.full = 0, 0.0, True

    def begin(self) -> None:
        self.left -= self.held
        self.share, self.held, self.full = self.left / max(self.modules, 1), 0, False
        self.modules -= 1

    def admits(self, state: int) -> bool:
        return True

    def add(self, state: int) -> None:
        self.held += self.codes[state]
        self.full = self.held >= self.share


class _Kinds:
    """Each module has at most so many kinds of input, and so many patterns to store."""

    def __init__(self, links: Links, targets: Indices, sizes: Sizes) -> None:
        self.targets, self.sizes, self.full = targets, sizes, True
        # A code of its own, and for each pending one its memory and its release.
        self.patterns: list[int] = (2 * links.codes - 1).tolist()
        self.begin()

    def begin(self) -> None:
        self.states, self.stored, self.full = 0, 0, False
        self.kinds: Indices = np.zeros(self.targets.shape[1], np.intp)
        self.tried: tuple[int, Indices] = -1, self.kinds

    def admits(self, state: int) -> bool:
        kinds = joined(self.kinds, self.targets[state])
        self.tried, number, sizes = (state, kinds), int(kinds.max()) + 1, self.sizes
        patterns = self.stored + self.patterns[state] + (self.states + 1) * number
        fits = number <= sizes.kinds and patterns <= sizes.patterns
        return not self.states or (fits and self.states < sizes.states)

    def add(self, state: int) -> None:
        assert self.tried[0] == state  # noqa: S101 - it was asked for
        self.kinds = self.tried[1]
        self.states += 1
        self.stored += self.patterns[state]


def _grown(links: Links, filling: _Filling, most: int | None = None) -> Indices:
    """Modules that grow one after the other until each is full.

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
    for state in range(len(codes)):
        outer.put(state, UNMET)
    module, left = 0, len(codes)
    enough = 0 if most is None else max(left - most, 0)
    while left > enough:
        filling.begin()
        closes: dict[int, int] = {}
        inner = _Queue()
        while left and not filling.full:
            # What does not fit now does not fit into this module later on.
            found = inner.first(filling, keep=False)
            if found is None:
                found = outer.first(filling, keep=True)
            if found is None:
                break
            state = found
            home[state] = module
            left -= 1
            filling.add(state)
            inner.drop(state)
            outer.drop(state)
            for link in range(starts[state], starts[state + 1]):
                other = others[link]
                if home[other] < 0:
                    opens[other] -= numbers[link]
                    closes[other] = closes.get(other, 0) + numbers[link]
                    inner.put(other, opens[other] - closes[other])
                    outer.put(other, opens[other])
        module += 1
    return np.array(home, np.intp)
