"""Kinds of input of a module: inputs that lead each of its states to the same code are one kind.

They have the same mask there, so that a module has as many masks as kinds, however large the
alphabet. States tell few inputs apart in most machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Indices, distinct
from vsafsm.codebook import classes_needed, orthogonal_array
from vsafsm.lowering import Lowered
from vsafsm.vsa import Bits

CANDIDATES = 4096
"""Columns of signs that one is chosen from."""


def targets_of(lowered: Lowered) -> Indices:
    """The code that each input leads each state to: (S, A)."""
    targets = np.fromiter((move.target for move in lowered.moves), np.intp, len(lowered.moves))
    return targets.reshape(-1, lowered.inputs)


def members_of(homes: Indices) -> list[Indices]:
    """What lies in each module, by the module of each."""
    order = np.argsort(homes, kind="stable")
    ends = np.searchsorted(homes[order], np.arange(1, int(homes.max()) + 1))
    return [np.asarray(each, np.intp) for each in np.split(order, ends)]


def joined(kinds: Indices, targets: Indices) -> Indices:
    """Kinds of input (A,) of the states before, told apart by another state as well: (A,)."""
    pairs = kinds * (int(targets.max()) + 1) + targets
    return np.asarray(np.unique(pairs, return_inverse=True)[1], np.intp)


def kinds_of(targets: Indices, members: Sequence[Indices]) -> Indices:
    """The kind of each input in each module, numbered by the first input of each: (M, A)."""
    found = np.empty((len(members), targets.shape[1]), np.intp)
    for module, states in enumerate(members):
        found[module] = distinct(targets[states], axis=1)[1]
    return found


def most_kinds(active: int) -> int:
    """The most kinds that codes of so many active neurons are balanced over."""
    balanced = (k for k in range(1, active) if active % classes_needed(k + 1) == 0)
    return max(balanced, default=0)


@dataclass(frozen=True, eq=False)
class Masks:
    """The masks of modules of n neurons.

    Attributes
    ----------
    masks : (R, n)
        Patterns: those of modules of few kinds of input, then those of modules of more.
    few
        Kinds of which there are few.
    classes : (n,), (n,)
        The class of each neuron, in the ones and in the others.
    """

    masks: Bits
    few: int
    classes: tuple[Indices, Indices]

    def first(self, kinds: int) -> int:
        """The pattern at rest of a module of K kinds; those of the kinds follow."""
        return 0 if kinds <= self.few else self.few + 1

    def of(self, kinds: int) -> tuple[Indices, Bits]:
        """Classes (n,) and masks (K + 1, n) of a module of K kinds."""
        first = self.first(kinds)
        return self.classes[int(first > 0)], self.masks[first : first + kinds + 1]


def masks_for(
    kinds: Indices, few: int, active: int, neurons: int, rng: np.random.Generator
) -> Masks:
    """Masks for modules of so many kinds (M,).

    Where they are few, their array has strength 3: every two masks quarter a code, and no third
    leaks into what they leave open. Modules of more kinds have signs of which every two are as
    little correlated as so few neurons allow; the mask at rest and any other still quarter a code.
    """
    array = orthogonal_array(few + 1)
    classes = np.arange(neurons) % len(array)
    patterns, others = array[classes].T > 0, classes
    if (most := int(kinds.max())) > few:
        half = _nearly_orthogonal(most, active // 2, rng)
        array = np.vstack([half, -half])
        others = np.arange(neurons) % len(array)
        patterns = np.vstack([patterns, array[others].T > 0])
    return Masks(patterns, few, (classes, others))


def _nearly_orthogonal(kinds: int, rows: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """Signs (rows, K + 1) with a constant first column, to which all others are orthogonal."""
    signs = np.ones((rows, kinds + 1), np.int8)
    for kind in range(1, kinds + 1):
        drawn = rng.permuted(np.tile(np.arange(rows) % 2, (CANDIDATES, 1)), axis=1)
        candidates = (1 - 2 * drawn).astype(np.int8)
        shared = (candidates.astype(np.int64) @ signs[:, :kind]) ** 4
        signs[:, kind] = candidates[shared.sum(1).argmin()]
    return signs
