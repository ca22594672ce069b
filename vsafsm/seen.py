"""Which neurons were open under an activity so far, so that each (activity, neuron) pair counts
once.

What was open is told by the pairs of masks that were on: the neurons that any of them leaves open.
Sets of pairs are few, and how many neurons each leaves open is found once.
"""

from __future__ import annotations

import numpy as np

from vsafsm.activities import Indices, Neurons
from vsafsm.network import Network
from vsafsm.vsa import Bits

Pairs = frozenset[tuple[int, int]]
"""Pairs of masks, by index."""
NOTHING: Pairs = frozenset()


class Seen:
    """The neurons of a network that pairs of masks leave open."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._everything: Pairs = frozenset({(network.no_mask, network.no_mask)})
        self._numbers: dict[Pairs, int] = {NOTHING: 0, self._everything: network.neurons}
        self._sets: dict[Pairs, Pairs] = {}

    def joined(self, before: Pairs, more: Pairs) -> Pairs:
        """What either leaves open. Equal sets are one object."""
        pairs = before | more
        if self._everything <= pairs:
            return self._everything
        return self._sets.setdefault(pairs, pairs)

    def open_in(self, pairs: Pairs, modules: Indices) -> Bits:
        """Which neurons of each of P modules are open: (P, n)."""
        found = np.zeros((len(modules), self.network.module_neurons), np.bool_)
        for one, other in pairs:
            found |= self.network.open_in(one, other, modules)
        return found

    def open_at(self, pairs: Pairs, neurons: Neurons) -> Bits:
        """Whether each of E neurons is open: (E,)."""
        found = np.zeros(len(neurons), np.bool_)
        for one, other in pairs:
            found |= self.network.open_at(one, other, neurons)
        return found

    def number(self, pairs: Pairs) -> int:
        """How many neurons are open in all."""
        if pairs not in self._numbers:
            network = self.network
            # Modules in which these masks have the same patterns have as many.
            masks = sorted({mask for pair in pairs for mask in pair} - {network.no_mask})
            _, first, times = np.unique(
                network.opens[masks], axis=1, return_index=True, return_counts=True
            )
            self._numbers[pairs] = int(self.open_in(pairs, first).sum(1) @ times)
        return self._numbers[pairs]
