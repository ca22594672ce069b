"""The codes of one module, and the weights inside it.

A neuron sees the activity of another module through the synapses from there alone. So the inside of
a module is a task of its own, whatever other modules do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Indices
from vsafsm.conditions import Conditions
from vsafsm.errors import CodebookError
from vsafsm.lowering import REST
from vsafsm.modules.codebook import draw_codes
from vsafsm.modules.task import InsideTask
from vsafsm.options import Rule
from vsafsm.vsa import Bits, bind
from vsafsm.weights import RELAXATION, START, BlockRefiner, Grid, Whole

PASSES = 60
"""Most passes over all situations."""
ERASE = 1.0
"""How much of the old code a transition takes away."""


@dataclass(frozen=True, eq=False)
class Inside:
    """Codes of a module, and its own weights.

    Attributes
    ----------
    codes : (c, n)
    weights : (n, n)
        In LSBs, postsynaptic neuron first.
    short
        (Situation, neuron) pairs that still lack the margin.
    """

    codes: Bits
    weights: NDArray[Whole]
    short: int


def refine_inside(
    task: InsideTask,
    classes: Indices,
    masks: Bits,
    active: int,
    grid: Grid,
    margin: float,
    rule: Rule,
    generators: Sequence[np.random.Generator],
) -> Inside:
    """Codes and integer weights that meet every situation by `margin`.

    Where some situations stay short, which is most often the fault of a few pairs of codes, codes
    are drawn again, once from each generator. Of several draws that are short the least is kept.

    Raises
    ------
    CodebookError
        If no codes could be drawn.
    """
    best: Inside | None = None
    for n, rng in enumerate(generators):
        try:
            codes = draw_codes(len(task.releases), classes, masks, active, rng)
        except CodebookError:
            if best is None and n == len(generators) - 1:
                raise
            continue
        found = _refined(task, codes, masks, grid, margin, rule, rng)
        if best is None or found.short < best.short:
            best = found
        if not best.short:
            break
    assert best is not None  # noqa: S101 - the last draw raises
    return best


def _refined(
    task: InsideTask,
    codes: Bits,
    masks: Bits,
    grid: Grid,
    margin: float,
    rule: Rule,
    rng: np.random.Generator,
) -> Inside:
    n = masks.shape[1]
    refiner = BlockRefiner(
        _situations(task, len(masks), len(codes)),
        np.vstack([codes, np.zeros(n, np.bool_)]),
        masks,
        grid,
        margin,
        RELAXATION[rule],
    )
    fine = refiner.start(START[rule] * one_shot(task, codes, masks))
    _, short = refiner.refine(fine, slice(0, n), rng, PASSES)
    return Inside(codes, grid.deployed(fine).T.astype(grid.dtype), short)


def one_shot(task: InsideTask, codes: Bits, masks: Bits) -> NDArray[np.float64]:
    """The outer products of a module, in units (n, n): memories, moves inside, and the erasure of
    states that are left.
    """
    real = codes.astype(np.float64)
    centred = real - real.mean(1, keepdims=True)
    signs = np.where(masks, 1.0, -1.0)
    total = centred.T @ centred
    arcs: list[tuple[int, int, int | None]] = [m for m in task.moves if m[0] != m[2]]
    arcs += [(x, mask, None) for x, mask in task.departures]
    arcs += [(x, REST, y) for x, y in enumerate(task.releases) if x != y]
    for x, mask, y in arcs:
        towards = -ERASE * centred[x] + (0.0 if y is None else centred[y])
        total += np.outer(towards, bind(centred[x], signs[mask]))
    return np.asarray(total / (1 - real.mean()))


def _situations(task: InsideTask, every: int, silence: int) -> Conditions:
    """Every situation that a code of the module passes through, hand-overs included; as
    `vsafsm.conditions.conditions`, with silence for states that leave.
    """
    found: dict[tuple[int, ...], None] = {}
    for code, released in enumerate(task.releases):
        care = every if released == code else REST
        found[code, every, every, code, every, every] = None
        found[code, REST, every, released, care, care] = None
    departures = [(x, mask, silence) for x, mask in task.departures]
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
