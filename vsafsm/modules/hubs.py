"""States that many transitions lead to get several pending codes, equal in what they stand for.

A neuron of a pending code fires for every transition to it, and the weights from one module have to
tell those from all others. Of a few in a hundred they can tell more than of one in two. So a module
shares its transitions to a state such as an error or a reset out among several codes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

from vsafsm.activities import Indices
from vsafsm.lowering import Lowered

MOST, SHARE = 16, 1 / 12
"""Transitions from one module to one pending code, in number and as a share of its transitions,
whichever is more. A code that all but such a share lead to has few exceptions, and is left alone.
"""


def with_hubs_shared(lowered: Lowered, homes: Indices) -> Lowered:
    """The same machine, with as many equal pending codes as the module that needs most of them.

    All transitions of a state to another stay with one code: what they have in common is no load.

    Parameters
    ----------
    lowered
    homes : (S,)
        The module of each state.
    """
    modules: list[int] = homes.tolist()
    held = Counter(modules)
    senders: dict[tuple[int, int], Counter[int]] = defaultdict(Counter)
    for move in lowered.moves:
        if move.source != move.target:
            senders[modules[move.source], move.target][move.source] += 1
    part: dict[tuple[int, int], int] = {}
    parts: Counter[int] = Counter()
    for (module, target), sources in senders.items():
        number = sources.total()
        transitions = held[module] * lowered.inputs
        most = max(MOST, int(SHARE * transitions))
        shares = 1 if transitions - number <= most else -(-number // most)
        before = 0
        for source, arcs in sources.items():
            part[source, target] = before * shares // number
            before += arcs
        parts[target] = max(parts[target], shares)
    codes, releases = list(lowered.codes), list(lowered.releases)
    equal: dict[int, list[int]] = {}
    for target, shares in parts.items():
        further = range(len(codes), len(codes) + max(shares - 1, 0))
        equal[target] = [target, *further]
        codes += [lowered.codes[target]] * len(further)
        releases += [lowered.releases[target]] * len(further)
    moves = tuple(
        move
        if move.source == move.target
        else move._replace(target=equal[move.target][part[move.source, move.target]])
        for move in lowered.moves
    )
    return replace(lowered, codes=tuple(codes), releases=tuple(releases), moves=moves)
