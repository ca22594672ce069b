"""Cells of weights: their conductances, and which of them are meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsafsm_memristor.device.model import Conductances


class Pair(NamedTuple):
    """Conductances (N, N) of the positive and of the negative cells, in microsiemens, ``[post,
    pre]``.
    """

    positive: Conductances
    negative: Conductances

    def map(self, change: Callable[[Conductances], Conductances]) -> Pair:
        """The same change to both."""
        return Pair(change(self.positive), change(self.negative))


class Places(NamedTuple):
    """Cells by polarity (0 positive, 1 negative), postsynaptic and presynaptic neuron: (M,)
    each.
    """

    polarity: NDArray[np.intp]
    post: NDArray[np.intp]
    pre: NDArray[np.intp]
