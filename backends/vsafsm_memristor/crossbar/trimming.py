"""An offset per neuron, measured after an array was programmed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.lowering import Lowered
from vsafsm.network import Network
from vsafsm.vsa import Bits
from vsafsm_memristor.crossbar.protocol import Crossbar, Drive
from vsafsm_memristor.crossbar.situations import Effort, Situations

OFFSETS = np.linspace(-5, 5, 101)
"""Tried in a trim, as shares of the margin."""


@dataclass(frozen=True)
class TrimmedCrossbar:
    """A crossbar with an offset for each neuron, in proportion to the activity: ``drive - offset
    sum(z)``.

    Attributes
    ----------
    offset : (N,)
        LSBs per active neuron.
    """

    crossbar: Crossbar
    offset: NDArray[np.float32]

    def drive(self, activity: Bits, rng: np.random.Generator) -> Drive:
        """As `Crossbar` says."""
        count = activity.sum(1, keepdims=True).astype(np.float32)
        return np.asarray(self.crossbar.drive(activity, rng) - self.offset * count, np.float32)


def trim(
    network: Network, lowered: Lowered, crossbar: Crossbar, rng: np.random.Generator, reads: int = 8
) -> TrimmedCrossbar:
    """Read what the array computes in every situation that the machine passes through, and move
    each threshold.

    For each neuron the offset is taken, of those tried, under which it is short of the margin in
    the fewest situations: a situation counts by how far it is short, and once at most twice the
    margin, so that a few that are lost do not take others with them. Of equally good ones the
    smallest is taken.
    """
    task = Situations(network, lowered, Effort(reads=reads))
    offsets = OFFSETS[np.argsort(np.abs(OFFSETS), kind="stable")]
    losses = np.zeros((len(offsets), network.neurons))
    for rows, drive in task.drives(crossbar, rng):
        beyond = np.where(task.wanted[rows], drive, -drive) / task.target[rows]
        sign = np.where(task.wanted[rows], -1.0, 1.0)
        for i, offset in enumerate(offsets):
            losses[i] += (np.clip(1 - beyond - sign * offset, 0, 2) * task.cared[rows]).sum(0)
    best = offsets[losses.argmin(0)]
    return TrimmedCrossbar(
        crossbar, np.asarray(best * task.effort.margin * network.scale, np.float32)
    )
