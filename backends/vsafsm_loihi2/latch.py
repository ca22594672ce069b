"""The latch: neurons that make one held input of one spike.

Three groups of nearly memoryless neurons, all of threshold 0:

- arbiters, one a channel: of the channels that spike in a step the lowest passes, and channel 0,
  the reset, before all;
- lines, one a channel: the line of the channel that passed fires for the hold, a reset's for one
  step;
- a timer: a chain of neurons that fire one after the other, end the hold, and keep the next event
  out until the gap is over.

A spike in step t makes an arbiter fire in step t + 1, a line in the steps from t + 2 on, and the
line's synapses act in the step after each. Where there is a clock (`vsafsm_loihi2.clock`), a
pending neuron does what a spike on its channel does, in each step until the line fires, and this
channel passes where no other one spikes. Events in the ``hold_steps + gap_steps - 1`` steps after
one that passed are dropped; a reset always passes, and ends what is under way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int16]
PASS, SUSTAIN, STOP = 2, 6, 8
"""Weights of the latch: an event on its own; a line that holds itself, against a blocked event and
the timer; a stop, against both."""
STARTED = 4096
"""Membrane of the reset's line at the start: what the decay leaves of it, 1, makes it fire in the
first step.
"""


@dataclass(frozen=True)
class Latch:
    """Neurons of the latch: A + 1 arbiters, A + 1 lines, the timer, and with a clock the pending
    one; L in all.

    Attributes
    ----------
    arrivals : (L, A + 1)
        Weights from the channels.
    recurrent : (L, L)
        Weights among the neurons, ``recurrent[i, j]`` from j to i.
    membrane : (L,)
        At the start: the line of the reset fires in the first step.
    from_clock : (L,)
        Weights from the clock.
    """

    arrivals: Whole
    recurrent: Whole
    membrane: NDArray[np.int32]
    from_clock: Whole

    @property
    def channels(self) -> int:
        """A + 1."""
        return int(self.arrivals.shape[1])

    @property
    def lines(self) -> slice:
        """Where the lines are among the neurons."""
        return slice(self.channels, 2 * self.channels)

    @property
    def timer(self) -> slice:
        """Where the timer is among the neurons."""
        return slice(2 * self.channels, len(self.membrane) - int(self.from_clock.any()))

    def widened(self, from_lines: Whole) -> Whole:
        """Weights (n, A + 1) from the lines as weights (n, L) from all neurons of the latch."""
        wide = np.zeros((len(from_lines), len(self.membrane)), np.int16)
        wide[:, self.lines] = from_lines
        return wide


def latch(inputs: int, hold_steps: int, gap_steps: int, ticking: int | None = None) -> Latch:
    """The latch of `inputs` channels and the reset's, which holds for `hold_steps` and keeps a gap
    of `gap_steps`; with a pending neuron for the channel `ticking`, if that is given, and then with
    a hold or a gap above 1.
    """
    channels, chain = inputs + 1, hold_steps + gap_steps - 2
    neurons = 2 * channels + chain + (ticking is not None)
    arbiters, lines, timer, pending = np.split(
        np.arange(neurons), [channels, 2 * channels, 2 * channels + chain]
    )
    events, ending = (
        lines[1:],
        timer[hold_steps - 2 : hold_steps - 1] if hold_steps > 1 else timer[:0],
    )

    arrivals = np.zeros((neurons, channels), np.int16)
    arrivals[arbiters] = PASS * (np.eye(channels) - np.tri(channels, k=-1))

    recurrent = np.zeros((neurons, neurons), np.int16)
    recurrent[lines, arbiters] = PASS
    recurrent[np.ix_(events, lines)] = -PASS
    recurrent[np.ix_(events, timer)] = -PASS
    recurrent[events, events] = SUSTAIN if hold_steps > 1 else -PASS
    recurrent[np.ix_(events, ending)] = -STOP

    recurrent[timer[1:], timer[:-1]] = PASS
    recurrent[np.ix_(timer[:1], events)] = PASS
    recurrent[np.ix_(timer[:1], timer)] -= PASS
    recurrent[timer[hold_steps - 1 : hold_steps], lines[0]] = PASS

    recurrent[np.ix_([*events, *timer, *pending], arbiters[:1])] = -STOP
    from_clock = np.zeros(neurons, np.int16)
    if ticking is not None:
        from_clock[pending] = recurrent[pending, pending] = PASS
        recurrent[pending, lines[ticking]] = -STOP
        recurrent[arbiters[ticking], pending] = PASS
        others = arbiters[arbiters != ticking]
        arrivals[arbiters[ticking], others], arrivals[others, ticking] = -STOP, 0
    membrane = np.zeros(neurons, np.int32)
    membrane[lines[0]] = STARTED
    return Latch(arrivals, recurrent, membrane, from_clock)
