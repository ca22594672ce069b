"""What a module sends to other modules: which synapses there are, and their weights.

A transition to another module starts as a bound outer product: synapses from the k neurons of the
state to the neurons that are to fire there. Passes of a relaxation perceptron, as in
`vsafsm.weights`, then correct those weights.

With the masks of an input and of rest both on, k/4 neurons of a code are left. Where another code
shares one or two of them, the few weights that there are cannot drive a target by a large margin
and leave it as silent by the same margin. So a target that misses the margin gets synapses from
neurons that fire in the situations where its drive is too high, as few as reach all of these. They
learn to inhibit it there. Weights that end as 0 are no synapses.

A target neuron sees a module through its own synapses alone, so that each is a task of its own. One
that needs no correction in a whole pass is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Indices, distinct
from vsafsm.lowering import REST
from vsafsm.modules.task import SendTask
from vsafsm.vsa import Bits
from vsafsm.weights import Grid, Whole

ROUNDS, SEVERAL = (4, 4), 12
"""Passes of the first rounds, and of each later one. After each, targets that are done are put
aside; from the second on, those that are not get more synapses.
"""
MOST_ROUNDS = 24
RECENT = 2
"""Last passes of a round in which drives that are too high count. In the very last, those of the
situations in which a target is to fire may be all that is missing, and hide what keeps them low.
"""
RELAXATION = 1.3
"""How far past the missing drive a correction goes; several situations correct a synapse in one
pass.
"""
FINE = 16
"""Corrections add up in sixteenths of an LSB."""
BLOCK = 512
"""Targets that are refined together."""
Real = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Sent:
    """Synapses to other modules.

    Attributes
    ----------
    counts : (n,)
        How many each neuron of the module has.
    targets, values : (e,)
        Their targets, sorted for each neuron, and their weights.
    short
        (Situation, kind of target) pairs that still lack the margin.
    """

    counts: Indices
    targets: NDArray[np.int32]
    values: NDArray[Whole]
    short: int


def send(task: SendTask, masks: Bits, grid: Grid, margin: float, rng: np.random.Generator) -> Sent:
    """Synapses and integer weights that drive what the module's transitions lead to."""
    n = masks.shape[1]
    if not task.leaves:
        return Sent(np.zeros(n, np.intp), np.zeros(0, np.int32), np.zeros(0, grid.dtype), 0)
    every = task.targets
    kinds, kind_of = _kinds(task)
    situations = _situations(task, masks)
    values, short = [], 0
    for first in range(0, len(kinds), BLOCK):
        block = _Targets(task, masks, grid, margin, situations, kinds[first : first + BLOCK])
        short += block.refine(rng)
        values.append(block.values.astype(grid.dtype))
    weights = np.concatenate(values, axis=1)[:, kind_of]
    pre, post = np.nonzero(weights)
    counts = np.bincount(pre, minlength=n).astype(np.intp)
    return Sent(counts, every[post], weights[pre, post], short)


def _kinds(task: SendTask) -> tuple[Indices, Indices]:
    """Targets that the same transitions are to drive, and that the same inputs leave open, have the
    same task: -> the first target of each kind, and the kind of each.
    """
    driven = np.stack([np.isin(task.targets, wanted) for wanted in task.leaves.values()])
    keys = np.packbits(np.concatenate([driven, task.opened[REST + 1 :]]), axis=0).T
    return distinct(keys)


@dataclass(frozen=True, eq=False)
class _Situations:
    """Situations under one pair of masks, in which each code stands once: corrected together, those
    of one code would overshoot.

    Attributes
    ----------
    activity : (r, n)
    leaving : (l,)
        Rows in which a state leaves the module. What a first mask closes does not matter there.
    opened : (t,)
        What that mask leaves open of the targets.
    rows, wanted : (w,)
        Rows, and the neurons of other modules that are to fire in them. No other is to.
    """

    activity: Bits
    leaving: Indices
    opened: Bits
    rows: Indices
    wanted: NDArray[np.int32]


def _situations(task: SendTask, masks: Bits) -> list[_Situations]:
    every = len(masks)
    opened = np.vstack([masks, np.ones(masks.shape[1], np.bool_)])
    groups: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for code in range(len(task.codes)):
        groups.setdefault((every, every), []).append((code, every))
        groups.setdefault((REST, every), []).append((code, every))
    for code, mask in {*task.held, *task.leaves}:
        groups.setdefault((mask, every), []).append((code, mask))
        groups.setdefault((mask, REST), []).append((code, mask))
    found = []
    for (one, other), unsorted in sorted(groups.items()):
        members = sorted(unsorted)
        leaving = [row for row, member in enumerate(members) if member in task.leaves]
        wanted = [task.leaves[members[row]] for row in leaving]
        found.append(
            _Situations(
                task.codes[[code for code, _ in members]] & opened[one] & opened[other],
                np.array(leaving, np.intp),
                task.opened[one] if one < every else np.ones(len(task.targets), np.bool_),
                np.repeat(leaving, [len(each) for each in wanted]).astype(np.intp),
                np.concatenate([np.zeros(0, np.int32), *wanted]),
            )
        )
    return found


@dataclass(frozen=True, eq=False)
class _Goal:
    """Some situations, and what some targets are to do in them.

    Attributes
    ----------
    activity : (r, n)
    count, least : (r, 1)
        Active neurons, and the least distance from threshold in LSBs.
    at : rows and columns of targets that are to fire
    ignored : rows and columns of targets that do not matter, as `numpy.ix_`
    """

    activity: Real
    count: Real
    least: Real
    at: tuple[Indices, Indices]
    ignored: tuple[Indices, ...]

    def missing(self, drives: Real) -> Real:
        """Drive that each target lacks (r, U), from that of each neuron that fires (n, U), the
        inhibition included: positive to come up, negative to go down, or 0.
        """
        drive = self.activity @ drives
        fire = np.maximum(self.least[self.at[0], 0] - drive[self.at], 0)
        drive += self.least
        np.maximum(drive, 0, out=drive)
        drive[self.ignored] = 0
        np.negative(drive, out=drive)
        drive[self.at] = fire
        return drive

    def change(self, missing: Real) -> Real:
        """Corrections of the weights (n, U), in sixteenths of an LSB."""
        step = np.abs(missing)
        step *= np.asarray(FINE * RELAXATION / self.count, step.dtype)
        np.copysign(np.ceil(step, out=step), missing, out=step)
        return np.asarray(self.activity.T @ step)


class _Targets:
    """Some neurons of other modules, U of them: synapses from the module, and their weights."""

    def __init__(
        self,
        task: SendTask,
        masks: Bits,
        grid: Grid,
        margin: float,
        situations: list[_Situations],
        which: Indices,
    ) -> None:
        self.grid, self.margin = grid, margin
        self.situations, self.which, self.targets = situations, which, task.targets
        n, neurons = masks.shape[1], task.targets[which]
        signs = np.where(masks, 1.0, -1.0)
        fine, present = np.zeros((n, len(neurons))), np.zeros((n, len(neurons)), np.bool_)
        for (x, mask), wanted in task.leaves.items():
            active, columns = np.flatnonzero(task.codes[x]), _columns(neurons, wanted)[0]
            fine[np.ix_(active, columns)] += signs[mask, active, None]
            present[np.ix_(active, columns)] = True
        # The least that drives a target by the margin, once its mask has unbound it.
        fine *= FINE * grid.scale * (grid.inhibition + margin)
        # Sums of whole numbers below 2**24 are exact in float32, in any order.
        rows = max(len(each.activity) for each in situations)
        most = rows * (FINE * RELAXATION * (2 * grid.limit + 2 * grid.gain) + 1)
        self.real: type[np.floating[Any]] = np.float32 if most < 2**24 else np.float64
        self.edge = grid.limit * FINE
        self.fine: Real = np.clip(np.rint(fine), -self.edge, self.edge).astype(self.real)
        self.present = present

    @property
    def values(self) -> Real:
        """Weights in LSBs (n, U); 0 where no synapse is."""
        return _rounded(self.fine)

    def refine(self, rng: np.random.Generator) -> int:
        """Correct the weights in place, and add synapses: -> pairs that still lack the margin."""
        left = np.arange(len(self.which))
        short = 0
        for n in range(MOST_ROUNDS):
            fine, present = self.fine[:, left], self.present[:, left]
            goals = [self._goal(each, self.which[left]) for each in self.situations]
            most = ROUNDS[n] if n < len(ROUNDS) else SEVERAL
            missing, above = self._passes(fine, present, goals, most, rng)
            if n >= len(ROUNDS) - 1:
                _add_synapses(present, goals, above)
            self.fine[:, left], self.present[:, left] = fine, present
            short = sum(int(each.sum()) for each in missing.values())
            if not short:
                break
            left = left[np.logical_or.reduce([each.any(0) for each in missing.values()])]
        return short

    def _goal(self, each: _Situations, which: Indices) -> _Goal:
        count = each.activity.sum(1, keepdims=True)
        columns, known = _columns(self.targets[which], each.wanted)
        closed = np.flatnonzero(~each.opened[which])
        return _Goal(
            each.activity.astype(self.real),
            count.astype(self.real),
            np.ceil(self.margin * self.grid.scale * count).astype(self.real),
            (each.rows[known], columns),
            np.ix_(each.leaving, closed),
        )

    def _passes(
        self, fine: Real, present: Bits, goals: list[_Goal], most: int, rng: np.random.Generator
    ) -> tuple[dict[int, Bits], dict[int, Bits]]:
        """Correct in place until nothing is missing: -> for each goal the pairs (r, U) that lacked
        drive in the last pass, and those that had too much of it in that or a recent one.
        """
        drives = _rounded(fine) - self.real(self.grid.gain)
        missing: dict[int, Bits] = {}
        above: dict[int, Bits] = {}
        for n in range(most):
            missing = {}
            for g in rng.permutation(len(goals)).tolist():
                lacks = goals[g].missing(drives)
                columns = np.flatnonzero(lacks.any(0))
                if not len(columns):
                    continue
                missing[g] = lacks != 0
                if n >= most - RECENT:
                    above[g] = (lacks < 0) | above.get(g, np.False_)
                lacks = lacks[:, columns]
                changed = fine[:, columns] + goals[g].change(lacks) * present[:, columns]
                np.clip(changed, -self.edge, self.edge, out=changed)
                fine[:, columns] = changed
                drives[:, columns] = _rounded(changed) - self.real(self.grid.gain)
            if not missing:
                break
        return missing, above


def _add_synapses(present: Bits, goals: list[_Goal], above: dict[int, Bits]) -> None:
    """For each situation in which a target has too much drive, a synapse from a neuron that fires
    in it, in place: for each target the neuron of most such situations first.
    """
    situations, targets = [np.zeros((0, len(present)), np.bool_)], [np.zeros(0, np.intp)]
    for g, each in above.items():
        row, column = np.nonzero(each)
        situations.append(goals[g].activity[row] > 0)
        targets.append(column)
    active, target = np.concatenate(situations), np.concatenate(targets)
    order = np.argsort(target, kind="stable")
    active, target = active[order], target[order]
    while len(target):
        each, first, which = np.unique(target, return_index=True, return_inverse=True)
        reached = np.add.reduceat(active, first, axis=0, dtype=np.int32)
        reached[present[:, each].T] = 0
        neuron = reached.argmax(1)
        some = reached[np.arange(len(each)), neuron] > 0
        present[neuron[some], each[some]] = True
        left = some[which] & ~active[np.arange(len(target)), neuron[which]]
        active, target = active[left], target[left]


def _columns(
    neurons: NDArray[np.int32], wanted: NDArray[np.int32]
) -> tuple[Indices, NDArray[np.bool_]]:
    """Where the neurons that are wanted stand, and which of them are there."""
    place = np.minimum(np.searchsorted(neurons, wanted), len(neurons) - 1)
    known = neurons[place] == wanted
    return np.asarray(place[known], np.intp), known


def _rounded(fine: Real) -> Real:
    """Half up to whole LSBs."""
    return np.asarray(np.floor((fine + FINE / 2) / FINE))
