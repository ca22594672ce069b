"""The clock: one neuron that counts steps, and ticks.

It has no leak, a constant bias, and a threshold, and starts again at 0. Its spike sets a *pending*
neuron of the latch, which asks for the input of the clock until its line is on: a tick that comes
while another input is held, or in the gap after it, comes when that gap is over.

Events set the clock back by the steps that they take, so that it counts the others: each spike on a
channel by `ENTERING` steps, and each neuron of the latch's timer by one. A tick takes those of the
timer too, which the threshold allows for. The reset's channel makes the clock fire, and so start
again at 0. The latch drops that spike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import OptionError
from vsafsm_loihi2.latch import Latch
from vsafsm_loihi2.limits import DECAY, MANTISSA, MOST_EXPONENT, SHIFT
from vsafsm_loihi2.neuron import States, fire

STEP = 2
"""A step in the mantissa of the bias, and in weights: what counts one, or sets back by one."""
ENTERING = 5
"""Steps of an event beyond those of the latch's timer: from its spike to the first neuron of the
timer, and from the last one until the state is settled."""
RESTART = 2 * MANTISSA << MOST_EXPONENT
"""The largest synaptic input that a spike can make: the reset's."""


@dataclass(frozen=True)
class Clock:
    """The clock's neuron, beside a latch of L neurons and A + 1 channels.

    Attributes
    ----------
    channel
        Channel of the input that it gives.
    period_steps
        Steps from tick to tick, those of other events aside.
    threshold
        In units of 64 of the membrane, as the chip has it.
    from_channels : (A + 1,)
        Synaptic input of a spike on each channel.
    from_latch : (L,)
        Weights from the neurons of the latch.
    """

    channel: int
    period_steps: int
    threshold: int
    from_channels: NDArray[np.int32]
    from_latch: NDArray[np.int16]


def clock(latch: Latch, channel: int, hold_steps: int, gap_steps: int, period_steps: int) -> Clock:
    """The clock of a latch with a pending neuron for `channel`.

    Raises
    ------
    OptionError
        If the period is shorter than a tick, or longer than the neuron can count.
    """
    event = hold_steps + gap_steps + 3
    least, most = event + 2, (RESTART << SHIFT) // (STEP << SHIFT) - 2 * event
    if not least <= period_steps <= most:
        raise OptionError(
            f"tick_steps is {period_steps}; expected {least} to {most}: a tick takes {event} steps"
            f" (hold_steps {hold_steps}, gap_steps {gap_steps}), and the neuron counts no further"
        )
    chain = np.zeros(len(latch.membrane), np.int16)
    chain[latch.timer] = -STEP
    channels = np.full(latch.channels, -STEP * ENTERING, np.int32)
    channels[0] = RESTART
    counted = period_steps - (hold_steps + gap_steps - 2)
    return Clock(channel, period_steps, STEP * (counted - 1), channels, chain)


class ClockNeuron:
    """A clock that runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._u: States = np.zeros(1, np.int32)
        self._v: States = np.zeros(1, np.int32)
        self.fired = False
        self.running = True

    def state(self) -> tuple[NDArray[Any], ...]:
        """What its next steps depend on, but for spikes."""
        return self._u, self._v, np.array([self.fired, self.running])

    def step(self, channels: NDArray[np.bool_], latched: NDArray[np.bool_]) -> None:
        """One step, after one in which these channels (A + 1,) and neurons of the latch (L,)
        spiked. While `running` is false, the bias is 0.
        """
        clock = self._clock
        arriving = clock.from_channels[channels].sum() + clock.from_latch[latched].sum()
        bias = np.array([self.running * STEP << SHIFT], np.int32)
        self._u, self._v, spikes = fire(
            self._u,
            self._v,
            np.array([arriving], np.int32),
            bias,
            DECAY,
            0,
            clock.threshold,
        )
        self.fired = bool(spikes[0])
