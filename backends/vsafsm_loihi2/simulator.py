"""The chip's program, step by step, in plain integers: what every other form of it is held
against.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Neurons, ranges
from vsafsm.vsa import Bits
from vsafsm_loihi2.clock import ClockNeuron
from vsafsm_loihi2.integers import ChipNetwork
from vsafsm_loihi2.limits import DECAY
from vsafsm_loihi2.neuron import States, fire


class ChipSimulator:
    """Latch and network, all neurons in one step after the other. A synapse acts in the step after
    a spike.

    Where masks have the same pattern in every module, these have the same lines and biases. So
    neurons that no spike has reached, in all modules but that of the start code, share the current
    and the membrane of one module that stands for them: a step costs what the spikes reach,
    whatever the size.

    Attributes
    ----------
    chip
    latched : (L,)
        Which neurons of the latch fired in the last step.
    clock
        The clock, where the chip has one.
    """

    def __init__(self, chip: ChipNetwork) -> None:
        self.chip = chip
        self._n, self._modules = chip.network.module_neurons, chip.network.modules
        neurons, others = len(chip.bias), len(chip.latch.membrane)
        self._u: States = np.zeros(neurons, np.int32)
        self._v: States = np.zeros(neurons, np.int32)
        self._fired: Neurons = np.zeros(0, np.int32)
        self._arriving: States = np.zeros(neurons, np.int32)
        self._lines = chip.masks.astype(np.int32) << chip.mask_exp
        self._bias = chip.bias.astype(np.int32) << chip.bias_exp
        # Whether a neuron has a state of its own; that of the others is in `_quiet`.
        opens = chip.network.opens
        self._shared = self._modules > 1 and bool((opens == opens[:, :1]).all())
        self._own: Bits = np.full(neurons, not self._shared)
        start = int(chip.network.homes[chip.network.start])
        self._start = slice(start * self._n, (start + 1) * self._n)
        other = (start + 1) % self._modules
        self._other = slice(other * self._n, (other + 1) * self._n)
        self._quiet: tuple[States, States] = (self._u[self._other], self._v[self._other])
        self.latched: Bits = np.zeros(others, np.bool_)
        self._latch_u: States = np.zeros(others, np.int32)
        self._latch_v: States = chip.latch.membrane.copy()
        self._channels: Bits = np.zeros(chip.latch.channels, np.bool_)
        self._unbiased: States = np.zeros(others, np.int32)
        self.clock = None if chip.clock is None else ClockNeuron(chip.clock)

    def step(self, channels: Bits) -> Bits:
        """As `advance`: -> which neurons fire (N,)."""
        self.advance(channels)
        return self.spikes

    def advance(self, channels: Bits) -> Neurons:
        """One step in which these channels (A + 1,) spike: -> the neurons that fire (k,)."""
        latch = self.chip.latch
        lines = self.latched[latch.lines]
        to_latch = _sum(latch.arrivals, self._channels) + _sum(latch.recurrent, self.latched)
        if self.clock is not None:
            to_latch += latch.from_clock.astype(np.int32) * self.clock.fired
            self.clock.step(self._channels, self.latched)
        self._fired = self._neurons(lines)
        self._latch_u, self._latch_v, self.latched = fire(
            self._latch_u, self._latch_v, to_latch, self._unbiased, DECAY, DECAY
        )
        self._channels = np.asarray(channels, np.bool_).copy()
        return self._fired

    def _neurons(self, lines: Bits) -> Neurons:
        """One step of the network's neurons: -> those that fire."""
        chip, own = self.chip, self._own
        reached = own.copy()
        self._send(reached)
        if lines[0]:
            # The reset's line is not the same in the module of the start code.
            reached[self._start] = True
        which = np.flatnonzero(reached)
        quiet_u, quiet_v = self._quiet
        known, local = own[which], which % self._n
        u = np.where(known, self._u[which], quiet_u[local])
        v = np.where(known, self._v[which], quiet_v[local])
        on = np.flatnonzero(lines)
        arriving = self._arriving[which] + self._lines[np.ix_(which, on)].sum(1, dtype=np.int32)
        self._arriving[which] = 0
        u, v, spikes = fire(u, v, arriving, self._bias[which], chip.du, chip.dv)
        self._u[which], self._v[which] = u, v
        if self._shared:
            arriving = self._lines[self._other][:, on].sum(1, dtype=np.int32)
            # None of these fires: their bias is negative, and no line does more than open them.
            quiet_u, quiet_v, _ = fire(
                quiet_u, quiet_v, arriving, self._bias[self._other], chip.du, chip.dv
            )
            self._quiet = quiet_u, quiet_v
            own[which] = (u != quiet_u[local]) | (v != quiet_v[local]) | spikes
        return which[spikes].astype(np.int32)

    def _send(self, reached: Bits) -> None:
        """Add up what the last spikes send, and mark the neurons that it reaches."""
        blocks, between, n = self.chip.blocks, self.chip.between, self._n
        fired = self._fired.astype(np.intp)
        for module in np.unique(fired // n).tolist():
            here = slice(module * n, (module + 1) * n)
            local = fired[fired // n == module] % n
            self._arriving[here] += blocks[module][:, local].sum(1, dtype=np.int32)
            reached[here] = True
        counts = between.starts[fired + 1] - between.starts[fired]
        synapses = ranges(between.starts[fired], counts)
        targets = between.targets[synapses]
        np.add.at(self._arriving, targets, between.values[synapses].astype(np.int32))
        reached[targets] = True

    def state(self) -> tuple[NDArray[Any], ...]:
        """All that the next steps depend on, but for the channels: alike in two steps, it stays."""
        clock = () if self.clock is None else self.clock.state()
        latch = (self._latch_u, self._latch_v, self.latched, self._channels)
        return (self.u.copy(), self.v.copy(), self._fired, *latch, *clock)

    @property
    def u(self) -> States:
        """Currents of the network: (N,)."""
        if not self._shared:
            return self._u
        return np.where(self._own, self._u, np.tile(self._quiet[0], self._modules))

    @property
    def v(self) -> States:
        """Membranes of the network: (N,)."""
        if not self._shared:
            return self._v
        return np.where(self._own, self._v, np.tile(self._quiet[1], self._modules))

    @property
    def spikes(self) -> Bits:
        """Which neurons of the network fired in the last step: (N,)."""
        found = np.zeros(len(self._own), np.bool_)
        found[self._fired] = True
        return found

    @property
    def line(self) -> int:
        """The channel whose line fired in the last step, or -1."""
        found = np.flatnonzero(self.latched[self.chip.latch.lines])
        return int(found[0]) if len(found) else -1


def _sum(weights: NDArray[np.int16], spikes: Bits) -> States:
    return np.asarray(weights[:, spikes].sum(1, dtype=np.int32))
