"""The weights of one module: those inside, and those that it sends to other modules.

A neuron sees the activity of another module through the synapses from there alone. So what a module
sends is refined by the situations of its own codes, whatever other modules do, and every module is
a task of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.lowering import REST
from vsafsm.modules.sending import Sent, send
from vsafsm.modules.task import ModuleTask
from vsafsm.vsa import Bits, bind
from vsafsm.weights import BlockRefiner, Conditions, Grid, Whole

PASSES = 60
"""Most passes over all situations."""
RELAXATION = 2.0
"""How far past the missing drive a correction goes."""


@dataclass(frozen=True, eq=False)
class ModuleWeights:
    """Weights of one module.

    Attributes
    ----------
    inside : (n, n)
        Postsynaptic neuron first.
    short
        (Situation, neuron) pairs inside that still lack the margin.
    sent
        Synapses to other modules.
    """

    inside: NDArray[Whole]
    short: int
    sent: Sent


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
    return ModuleWeights(inside, short, send(task, masks, grid, margin, rng))


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
