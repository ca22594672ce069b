"""Modules on cores: which neurons lie on which core, and what they take of it.

A synapse lies on the core of its target, in a list per axon that reaches the core. The weights
inside a module are dense lists. Those between modules are sparse ones, whose synapses carry the
index of their target on the core.

Cores are filled in the order of the neurons. A module that fits on one core lies on one, with as
many others as fit; a larger one goes on on the next core.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import RequirementError
from vsafsm.synapses import Synapses
from vsafsm_loihi2.limits import CORES_PER_CHIP, NEURONS_PER_CORE, WORDS_PER_CORE

BITS_PER_INDEX, BITS_PER_WORD = 10, 64
"""Of the target of a sparse synapse, and of a word. A weight takes the bits of the program's."""
OVERHEAD = Fraction(11, 10)
"""Words of synaptic memory for a word of weights."""
WORDS_PER_AXON, WORDS_PER_NEURON = Fraction(1, 2), 1
"""Of each neuron that reaches the core, and of each that lies on it."""
PARTS = 640
"""Parts of a word, in which all of these are whole numbers."""
BIT = int(OVERHEAD * PARTS / BITS_PER_WORD)
AXON, NEURON = int(WORDS_PER_AXON * PARTS), WORDS_PER_NEURON * PARTS
Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Placement:
    """N neurons on C cores.

    Attributes
    ----------
    first : (C + 1,)
        Core c holds the neurons from ``first[c]`` up to ``first[c + 1]``.
    words : (C,)
        64-bit words of synaptic memory that they take, rounded up.
    axons : (C,)
        Neurons and lines that reach the core.
    """

    first: Whole
    words: Whole
    axons: Whole

    @property
    def cores(self) -> int:
        """Cores."""
        return len(self.words)

    @property
    def chips(self) -> int:
        """Chips, the last one perhaps not full."""
        return ceil(self.cores / CORES_PER_CHIP)

    @property
    def neurons_per_core(self) -> int:
        """The most neurons on a core."""
        return int(np.diff(self.first).max())

    @property
    def binding_limit(self) -> str:
        """Which limit of a core asks for so many of them."""
        words = round(100 * float(self.words.mean()) / WORDS_PER_CORE)
        neurons = round(100 * float(np.diff(self.first).mean()) / NEURONS_PER_CORE)
        what = "synaptic memory" if words >= neurons else "neurons per core"
        return f"{what} (of a core, {words} % of the memory and {neurons} % of the neurons)"

    def __str__(self) -> str:
        """Which neurons lie on which chip."""
        ends = np.append(self.first[:-1:CORES_PER_CHIP], self.first[-1]).tolist()
        parts = [f"chip {i}: neurons {a} to {b - 1}" for i, (a, b) in enumerate(pairwise(ends))]
        return "; ".join(parts) if len(parts) <= 4 else f"{parts[0]}; {parts[1]}; ...; {parts[-1]}"


def synaptic_words(dense: int, sparse: int, bits: int) -> Fraction:
    """Words of so many dense and sparse synapses, whose weights have so many bits."""
    return Fraction(BIT * (dense * bits + sparse * (bits + BITS_PER_INDEX)), PARTS)


def place(
    modules: int, module_neurons: int, between: Synapses, channels: int, bits: int = 8
) -> Placement:
    """Fill cores with modules.

    Parameters
    ----------
    between
        Synapses between modules.
    channels
        Lines of the latch, which reach every core with a weight for every neuron.
    bits
        Width of a weight.

    Raises
    ------
    RequirementError
        If a neuron does not fit on a core.
    """
    filler = _Filler(modules, module_neurons, between, channels, bits)
    first, words, axons = [0], [], []
    while first[-1] < filler.neurons:
        start = first[-1]
        end = filler.end(start)
        if end == start:
            raise RequirementError(
                f"neuron {start} has more synapses than fit on a core; expected smaller modules"
            )
        module = end // module_neurons * module_neurons
        # A module that is begun here, and fits on a core of its own, begins there.
        if start < module < end and filler.end(module) >= module + module_neurons:
            end = module
        parts, reaching = filler.taken(start, end)
        first.append(end)
        words.append(-(-parts // PARTS))
        axons.append(reaching)
    return Placement(*(np.array(each, np.int64) for each in (first, words, axons)))


class _Filler:
    """Counts what a range of neurons takes of a core."""

    def __init__(
        self, modules: int, module_neurons: int, between: Synapses, channels: int, bits: int
    ) -> None:
        self.n, self.channels, self.bits = module_neurons, channels, bits
        self.neurons = modules * module_neurons
        targets = between.targets
        counts = np.bincount(targets, minlength=self.neurons)
        self.starts = np.concatenate([[0], np.cumsum(counts)])
        # Synapses in the order of their targets; for each the one before from the same sender. So
        # a range begins with an axon for each synapse whose predecessor lies before the range.
        place = np.empty(len(targets), np.int64)
        place[np.argsort(targets, kind="stable")] = np.arange(len(targets))
        before = np.full(len(targets), -1, np.int64)
        follows = np.ones(len(targets), np.bool_)
        heads = between.starts[:-1]
        follows[heads[heads < len(targets)]] = False
        later = np.flatnonzero(follows)
        before[place[later]] = place[later - 1]
        self.before = before

    def end(self, start: int) -> int:
        """How far neurons fit on a core, from a first one on."""
        last = min(self.neurons, start + min(NEURONS_PER_CORE, 2**BITS_PER_INDEX))
        costs, _ = self._costs(start, last)
        return start + int(np.searchsorted(costs, WORDS_PER_CORE * PARTS, "right"))

    def taken(self, start: int, end: int) -> tuple[int, int]:
        """What neurons take: parts of words, and axons."""
        costs, axons = self._costs(start, end)
        return int(costs[-1]), int(axons[-1])

    def _costs(self, start: int, last: int) -> tuple[Whole, Whole]:
        """Parts of words and axons of ``start`` up to each end in ``start + 1, ..., last``."""
        ends = np.arange(start + 1, last + 1)
        begin = self.starts[start]
        new = np.cumsum(self.before[begin : self.starts[last]] < begin)
        sparse = self.starts[ends] - begin
        others = np.where(sparse > 0, new[sparse - 1], 0) if len(new) else 0 * sparse
        own = self.n * ((ends - 1) // self.n - start // self.n + 1)
        axons = own + others + self.channels
        per_neuron = (self.n + self.channels) * self.bits * BIT + NEURON
        per_sparse = (self.bits + BITS_PER_INDEX) * BIT
        costs = (ends - start) * per_neuron + sparse * per_sparse + axons * AXON
        return costs, axons
