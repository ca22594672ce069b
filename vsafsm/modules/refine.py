"""The weights of one module: those inside, and those that it sends to other modules.

A neuron sees the activity of another module through the synapses from there alone. So what a module
sends is refined by the situations of its own codes, whatever other modules do, and every module is
a task of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Indices, ranges
from vsafsm.lowering import REST
from vsafsm.vsa import Bits, bind
from vsafsm.weights import BlockRefiner, Conditions, Grid, Whole

PASSES, PASSES_BETWEEN = 60, 120
"""Most passes over all situations, inside a module and between modules."""
RELAXATION = 2.0
"""How far past the missing drive a correction goes inside a module."""
RELAXATION_BETWEEN = 1.3
"""The same between modules, where several situations correct one synapse in a pass."""
FINE = 16
"""Corrections between modules add up in sixteenths of an LSB."""


@dataclass(frozen=True, eq=False)
class ModuleTask:
    """What one module is to do, in local terms.

    Attributes
    ----------
    codes : (c, n)
        Its codes.
    releases : (c,)
        For each code the local code that it leads to at rest.
    moves
        (source, mask, target) of local codes, for moves that stay inside; the target is the source
        where a state stays.
    leaves
        For (source, mask) of moves to other modules, the neurons that are to fire there, sorted.
    arrivals
        (code, mask) of codes that are reached while this input is held, from wherever.
    """

    codes: Bits
    releases: tuple[int, ...]
    moves: tuple[tuple[int, int, int], ...]
    leaves: Mapping[tuple[int, int], NDArray[np.int32]]
    arrivals: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class ModuleWeights:
    """Weights of one module.

    Attributes
    ----------
    inside : (n, n)
        Postsynaptic neuron first.
    counts : (n,)
        Synapses that each neuron sends to other modules.
    targets, values : (e,)
        Their targets, sorted for each neuron, and their weights.
    short_inside, short_between
        (Situation, neuron) pairs that still lack the margin.
    """

    inside: NDArray[Whole]
    counts: Indices
    targets: NDArray[np.int32]
    values: NDArray[Whole]
    short_inside: int
    short_between: int


def one_shot(task: ModuleTask, masks: Bits) -> NDArray[np.float64]:
    """The outer products of a module, in units (n, n): memories, moves inside, and the erasure of
    states that are left.
    """
    codes = task.codes.astype(np.float64)
    share = codes.mean()
    centred = codes - codes.mean(1, keepdims=True)
    signs = np.where(masks, 1.0, -1.0)
    total = centred.T @ centred
    for x, mask, y in _arcs(task):
        towards = -centred[x] if y is None else centred[y] - centred[x]
        total += np.outer(towards, bind(centred[x], signs[mask]))
    return np.asarray(total / (1 - share))


def _arcs(task: ModuleTask) -> list[tuple[int, int, int | None]]:
    arcs: list[tuple[int, int, int | None]] = [m for m in task.moves if m[0] != m[2]]
    arcs += [(x, mask, None) for x, mask in task.leaves]
    arcs += [(x, REST, y) for x, y in enumerate(task.releases) if x != y]
    return arcs


def refine_module(
    task: ModuleTask, masks: Bits, grid: Grid, margin: float, rng: np.random.Generator
) -> ModuleWeights:
    """Integer weights of a module that meet every situation by `margin`, as far as they can."""
    n = masks.shape[1]
    silence = len(task.codes)
    refiner = BlockRefiner(
        _situations(task, len(masks), silence),
        np.vstack([task.codes, np.zeros(n, np.bool_)]),
        masks,
        grid,
        margin,
        RELAXATION,
    )
    fine = refiner.start(one_shot(task, masks))
    _, short = refiner.refine(fine, slice(0, n), rng, PASSES)
    inside = refiner.deployed(fine).T.astype(grid.dtype)
    counts, targets, values, short_between = _between(task, masks, grid, margin, rng)
    return ModuleWeights(inside, counts, targets, values, short, short_between)


def _situations(task: ModuleTask, every: int, silence: int) -> Conditions:
    """Every situation that a code of the module passes through, hand-overs included; as
    `vsafsm.weights.conditions`, with silence for states that leave.
    """
    found: dict[tuple[int, ...], None] = {}
    for code, released in enumerate(task.releases):
        care = every if released == code else REST
        found[code, every, every, code, every, every] = None
        found[code, REST, every, released, care, care] = None
    departures = [(x, mask, silence) for x, mask in task.leaves]
    for x, mask, y in (*task.moves, *departures):
        if x == y:
            found[x, mask, every, x, every, every] = None
            found[x, mask, REST, x, mask, REST] = None
        else:
            found[x, mask, every, y, mask, mask] = None
            found[x, mask, REST, y, mask, mask] = None
    for y, mask in task.arrivals:
        found[y, mask, every, y, every, every] = None
        found[y, mask, REST, task.releases[y], REST, REST] = None
    return Conditions(*np.array(list(found), np.intp).T)


# ---- what a module sends


def _between(
    task: ModuleTask, masks: Bits, grid: Grid, margin: float, rng: np.random.Generator
) -> tuple[Indices, NDArray[np.int32], NDArray[Whole], int]:
    """Synapses to other modules: counts, targets, weights, and pairs that lack the margin."""
    n, signs = masks.shape[1], np.where(masks, 1, -1)
    pre, post, sign = [], [], []
    for (x, mask), wanted in task.leaves.items():
        neurons = np.flatnonzero(task.codes[x])
        pre.append(np.repeat(neurons, len(wanted)))
        post.append(np.tile(wanted, len(neurons)))
        sign.append(np.repeat(signs[mask, neurons], len(wanted)))
    if not pre:
        return np.zeros(n, np.intp), np.zeros(0, np.int32), np.zeros(0, grid.dtype), 0
    key = np.concatenate(pre).astype(np.int64) << 32 | np.concatenate(post)
    synapses, place = np.unique(key, return_inverse=True)
    summed = np.bincount(place, np.concatenate(sign), minlength=len(synapses))
    edge = grid.limit * FINE
    fine = np.clip(np.rint(summed * round(grid.scale) * FINE), -edge, edge).astype(np.int64)
    counts = np.bincount((synapses >> 32).astype(np.intp), minlength=n).astype(np.intp)
    targets = (synapses & 0xFFFFFFFF).astype(np.int32)
    batches = _batches(task, masks, grid, margin, counts, targets)
    short = 0
    for _ in range(PASSES_BETWEEN):
        short = sum(batches[b].correct(fine, grid) for b in rng.permutation(len(batches)).tolist())
        if not short:
            break
    return counts, targets, _rounded(fine).astype(grid.dtype), short


def _rounded(fine: NDArray[np.int64]) -> NDArray[np.int64]:
    return (fine + FINE // 2) // FINE


@dataclass(frozen=True, eq=False)
class _Batch:
    """Situations in which each code stands once: corrected together, those of one code overshoot.

    Attributes
    ----------
    synapse, pair : (X,)
        Every synapse from an active neuron, and its (situation, target) pair.
    count : (P,)
        Active neurons of each pair's situation.
    wanted, cared : (P,)
        Whether its target is to fire, and whether that matters.
    target : (P,)
        Least distance from threshold, in LSBs.
    """

    synapse: Indices
    pair: Indices
    count: Indices
    wanted: Bits
    cared: Bits
    target: NDArray[np.int64]

    def correct(self, fine: NDArray[np.int64], grid: Grid) -> int:
        """Correct weights in place: -> pairs that lacked the margin before."""
        weights = _rounded(fine)
        # Sums of whole numbers below 2**53, exact in float64.
        sums = np.bincount(self.pair, weights[self.synapse], minlength=len(self.count))
        drive = sums.astype(np.int64) - grid.gain * self.count
        up, down = np.maximum(self.target - drive, 0), np.minimum(-self.target - drive, 0)
        missing = np.where(self.wanted, up, down) * self.cared
        short = int(np.count_nonzero(missing))
        if short:
            step = np.ceil(np.abs(missing) * (FINE * RELAXATION_BETWEEN) / self.count)
            change = np.copysign(step, missing)
            total = np.bincount(self.synapse, change[self.pair], minlength=len(fine))
            edge = grid.limit * FINE
            np.clip(fine + total.astype(np.int64), -edge, edge, out=fine)
        return short


def _batches(
    task: ModuleTask,
    masks: Bits,
    grid: Grid,
    margin: float,
    counts: Indices,
    targets: NDArray[np.int32],
) -> list[_Batch]:
    every = len(masks)
    opened = np.vstack([masks, np.ones(masks.shape[1], np.bool_)])
    starts = np.cumsum(counts) - counts
    groups: dict[tuple[int, int], list[tuple[int, int | None]]] = {}
    for code in range(len(task.codes)):
        groups.setdefault((every, every), []).append((code, None))
        groups.setdefault((REST, every), []).append((code, None))
    for code, mask in {*task.arrivals, *((x, m) for x, m, _ in task.moves), *task.leaves}:
        groups.setdefault((mask, every), []).append((code, mask))
        groups.setdefault((mask, REST), []).append((code, mask))
    return [
        _batch(task, opened, one, other, sorted(members), grid, margin, (starts, counts, targets))
        for (one, other), members in sorted(groups.items())
    ]


def _batch(
    task: ModuleTask,
    opened: Bits,
    one: int,
    other: int,
    members: list[tuple[int, int | None]],
    grid: Grid,
    margin: float,
    sent: tuple[Indices, Indices, NDArray[np.int32]],
) -> _Batch:
    """Situations of some codes under two masks: nothing fires elsewhere but where a state goes."""
    starts, counts, targets = sent
    n = opened.shape[1]
    pattern = opened[one] & opened[other]
    activity = task.codes[[code for code, _ in members]] & pattern
    row, neuron = np.nonzero(activity)
    synapse = ranges(starts[neuron], counts[neuron])
    key = np.repeat(row, counts[neuron]).astype(np.int64) << 32 | targets[synapse]
    pairs, pair = np.unique(key, return_inverse=True)
    rows, posts = (pairs >> 32).astype(np.intp), (pairs & 0xFFFFFFFF).astype(np.intp)
    wanted = np.zeros(len(pairs), np.bool_)
    cared = np.ones(len(pairs), np.bool_)
    ends = np.searchsorted(rows, np.arange(len(members) + 1))
    for r, (code, mask) in enumerate(members):
        part = slice(ends[r], ends[r + 1])
        leaving = None if mask is None else task.leaves.get((code, mask))
        if leaving is not None:
            wanted[part] = np.isin(posts[part], leaving)
            cared[part] = opened[one][posts[part] % n]
    count = activity.sum(1)[rows]
    # Inside a module small activities are asked for more than their share. Between modules the few
    # synapses of a quarter of a code cannot give more.
    target = np.ceil(margin * grid.scale * count).astype(np.int64)
    return _Batch(synapse, np.asarray(pair, np.intp), count, wanted, cared, target)
