"""The chip's program, step by step, in plain integers: what every other form of it is held
against.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsafsm.vsa import Bits
from vsafsm_loihi2.integers import ChipNetwork
from vsafsm_loihi2.limits import DECAY
from vsafsm_loihi2.neuron import States, fire


class ChipSimulator:
    """Latch and network, all neurons in one step after the other. A synapse acts in the step after
    a spike.

    Attributes
    ----------
    u, v : (N,)
        Currents and membranes of the network.
    spikes : (N,)
        Which of its neurons fired in the last step.
    latched : (L,)
        Which neurons of the latch fired in the last step.
    """

    def __init__(self, chip: ChipNetwork) -> None:
        self.chip = chip
        neurons, others = len(chip.bias), len(chip.latch.membrane)
        self.u: States = np.zeros(neurons, np.int32)
        self.v: States = np.zeros(neurons, np.int32)
        self.spikes: Bits = np.zeros(neurons, np.bool_)
        self.latched: Bits = np.zeros(others, np.bool_)
        self._latch_u: States = np.zeros(others, np.int32)
        self._latch_v: States = chip.latch.membrane.copy()
        self._channels: Bits = np.zeros(chip.latch.channels, np.bool_)
        self._bias = chip.bias.astype(np.int32) << chip.bias_exp
        self._unbiased: States = np.zeros(others, np.int32)

    def step(self, channels: Bits) -> Bits:
        """One step in which these channels (A + 1,) spike: -> which neurons of the network fire
        (N,).
        """
        chip, latch = self.chip, self.chip.latch
        lines = self.latched[latch.lines]
        arriving = _sum(chip.weights, self.spikes)
        arriving += _sum(chip.masks, lines) << chip.mask_exp
        to_latch = _sum(latch.arrivals, self._channels) + _sum(latch.recurrent, self.latched)
        self.u, self.v, self.spikes = fire(self.u, self.v, arriving, self._bias, chip.du, chip.dv)
        self._latch_u, self._latch_v, self.latched = fire(
            self._latch_u, self._latch_v, to_latch, self._unbiased, DECAY, DECAY
        )
        self._channels = np.asarray(channels, np.bool_).copy()
        return self.spikes

    @property
    def line(self) -> int:
        """The channel whose line fired in the last step, or -1."""
        found = np.flatnonzero(self.latched[self.chip.latch.lines])
        return int(found[0]) if len(found) else -1


def _sum(weights: NDArray[np.int16], spikes: Bits) -> States:
    return np.asarray(weights[:, spikes].sum(1, dtype=np.int32))
