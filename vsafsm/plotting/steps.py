"""A word run step by step on the built-in simulator, with everything kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import PlotError
from vsafsm.lowering import REST
from vsafsm.machine import Clock
from vsafsm.network import Network
from vsafsm.vsa import Bits

MOST_STEPS = 100_000
"""Of a run that is kept and drawn."""


@dataclass(frozen=True, eq=False)
class Steps:
    """T steps of a network of N neurons.

    Attributes
    ----------
    activity : (T, N)
        The start code first, then what fires after each step.
    mask : (T,)
        The mask of the step that led there, 0 at rest.
    clock
        That of the machine, if it has one.
    """

    network: Network
    activity: Bits
    mask: NDArray[np.intp]
    clock: Clock | None = None

    @property
    def overlaps(self) -> NDArray[np.float64]:
        """How well each code explains each activity, under its mask: (T, C)."""
        return self.network.similarity(self.activity, self.mask)

    @property
    def decoded(self) -> NDArray[np.intp]:
        """The code that each activity stands for: (T,), -1 for none."""
        return self.network.decode(self.activity, self.mask)


def run_steps(network: Network, word: Sequence[str], clock: Clock | None = None) -> Steps:
    """Run a word from the reset, at the contract's timing. Raises `UnknownInputError`, and
    `PlotError` where it takes too many steps.
    """
    held, gap = network.contract.hold_steps, network.contract.gap_steps
    steps = gap + len(word) * (held + gap)
    if steps > MOST_STEPS:
        raise PlotError(
            f"a word of {len(word)} inputs takes {steps} steps; expected at most {MOST_STEPS} in a"
            " picture"
        )
    masks = [REST] * (gap + 1)
    for symbol in word:
        masks += [network.mask_of(symbol)] * held + [REST] * gap
    start = network.code_activities([network.start]).bits(network.neurons)[0]
    return replace(follow(network, start, masks), clock=clock)


def follow(network: Network, start: Bits, masks: Sequence[int]) -> Steps:
    """Steps under given masks; the first mask is that under which `start` (N,) is looked at."""
    activity = [start]
    for mask in masks[1:]:
        activity.append(network.advance(activity[-1][None], network.opened(mask))[0])
    return Steps(network, np.array(activity), np.array(masks))
