"""A network as three layers of whole numbers: input lines, recurrent weights, readout. Knows
nothing of NIR.

A mask is a line that holds its closed neurons down, by more than all recurrent weights together can
drive a neuron up. So two lines at once are both masks at once, and no line is none. The line of the
reset drives the neurons of the start code past all that may hold them down, the line of a mask
included, and holds all others down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import CompileCall, RequirementError
from vsafsm.network import Network

EXACT = 2**23
"""Sums below this, and differences of two of them, are whole in single precision, in whatever order
they are taken.
"""
FIRES_ABOVE = 0.5
"""Threshold of a neuron: between 0 and 1, so that it does not matter whether a simulator takes > or
>=.
"""

Single = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Layers:
    """Weights of a graph of N neurons, A inputs and C codes, from column to row.

    Attributes
    ----------
    lines : (N, A + 2)
        From the line of the rest phase, those of the inputs, and that of the reset.
    recurrent : (N, N)
        The network's own.
    readout : (C + 1, N)
        Row c adds up how many neurons of code c fire; the last row, how many fire at all.
    closing, opening
        Drive that holds a closed neuron down, and that by which the reset opens one.
    largest
        Largest magnitude of a sum of one step, for any activity, with up to two lines on.
    """

    lines: Single
    recurrent: Single
    readout: Single
    closing: int
    opening: int
    largest: int

    @property
    def reset(self) -> int:
        """Number of the reset's line; the rest phase has line 0, input a line a + 1."""
        return self.lines.shape[1] - 1

    def held(self, network: Network) -> Network:
        """The `Network` that these weights make, read back from them; names and labels are those of
        `network`.
        """
        return replace(
            network.with_weights(self.recurrent.astype(network.weights.dtype)),
            masks=np.ascontiguousarray(self.lines[:, : self.reset].T == 0),
            codes=self.readout[:-1] > 0,
        )


def layers(network: Network) -> Layers:
    """The weights of a network's graph.

    Raises
    ------
    RequirementError
        If the network's weights are not whole, or single precision does not hold every sum exactly.
    """
    if not network.whole or network.gain:
        raise RequirementError(
            "the network has weights that are not whole, or an inhibition that is kept apart",
            CompileCall("nir"),
            ", without noise on it",
        )
    up, down = (
        int(np.maximum(sign * network.weights.astype(np.int64), 0).sum(1).max()) for sign in (1, -1)
    )
    closing = up + 1
    opening = closing + down + 1
    if opening + up >= EXACT:
        raise RequirementError(
            f"sums of up to {opening + up} can come about, and single precision holds those below"
            f" {EXACT} exactly",
            CompileCall("nir", options={"bits": 8}),
        )
    start = network.codes[network.start]
    masks = np.where(network.masks, 0, -closing)
    reset = np.where(start, opening, -closing)
    counted = np.concatenate([network.codes, np.ones((1, network.neurons), np.bool_)])
    return Layers(
        lines=np.concatenate([masks, reset[None]]).T.astype(np.float32),
        recurrent=network.weights.astype(np.float32),
        readout=counted.astype(np.float32),
        closing=closing,
        opening=opening,
        largest=opening + up,
    )
