"""Two models of `AttractorFSM` that compute the same spikes, step by step.

`FusedModel` is one process, for the simulator. `StockModel` is made of Lava's own LIF and Dense, for the simulator and
for the chip. A synapse acts in the step after the spike, in both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.model.sub.model import AbstractSubProcessModel
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.dense.process import Dense
from lava.proc.lif.process import LIF
from lava.utils.weightutils import SignMode
from numpy.typing import NDArray

from vsafsm_lava.attractor.process import AttractorFSM

SHIFT, DECAY_SHIFT, DECAY = 6, 12, 4095
"""Synaptic input is shifted left by 6; decays have 12 bits, and the largest leaves 1/4096 of a membrane."""
STATE = 2**23 - 1
NONE = -1


@implements(proc=AttractorFSM, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class FusedModel(PyLoihiProcessModel):  # type: ignore[misc]
    """The whole network in one process.

    The drive of a set of spikes is kept until the spikes change: in an attractor they rarely do.
    """

    input_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)
    state_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)
    weights: NDArray[Any] = LavaPyType(np.ndarray, np.int32)
    masks: NDArray[Any] = LavaPyType(np.ndarray, np.int32)
    readout: NDArray[Any] = LavaPyType(np.ndarray, np.int32)
    u: NDArray[Any] = LavaPyType(np.ndarray, np.int32)
    v: NDArray[Any] = LavaPyType(np.ndarray, np.int32)
    vth: NDArray[Any] = LavaPyType(np.ndarray, np.int32)
    du: NDArray[Any] = LavaPyType(np.ndarray, np.int32)
    dv: NDArray[Any] = LavaPyType(np.ndarray, np.int32)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._bias = proc_params["bias"] << proc_params["bias_exp"]
        self._channels, self._mask_exp = proc_params["arrivals"].shape[1], proc_params["mask_exp"]
        self._latch = _Latch(proc_params["hold_steps"], proc_params["gap_steps"])
        self._spikes: NDArray[np.bool_] = np.zeros(len(self._bias), np.bool_)
        self._rows: NDArray[np.int16] | None = None
        self._lines: NDArray[np.int32] | None = None
        self._drive: NDArray[np.int32] | None = None

    def run_spk(self) -> None:
        """One step: the latch, the neurons, and what goes out."""
        before, line = self._spikes, self._latch.line
        self._latch.step(self.input_in.recv())
        self._spikes = self._fire(self._arriving(line))
        if self._spikes.tobytes() != before.tobytes():
            self._drive = None
        if self.s_out.csp_ports:
            self.s_out.send(self._spikes.astype(np.int32))
        if self.state_out.csp_ports:
            self.state_out.send(self.readout[:, before].sum(1, dtype=np.int32))

    def on_var_update(self) -> None:
        """Forget what was made of Vars that may have been set."""
        self._rows = self._lines = self._drive = None

    def _arriving(self, line: int) -> NDArray[np.int32]:
        """Synaptic input (N,) of the spikes and of the line of the step before."""
        if self._rows is None or self._lines is None:
            self._rows = np.ascontiguousarray(self.weights.T, np.int16)
            lines = self.masks[:, self._channels : 2 * self._channels]
            self._lines = np.ascontiguousarray(lines.T << self._mask_exp, np.int32)
        if self._drive is None:
            self._drive = self._rows[np.flatnonzero(self._spikes)].sum(0, dtype=np.int32)
        return self._drive if line == NONE else self._drive + self._lines[line]

    def _fire(self, arriving: NDArray[np.int32]) -> NDArray[np.bool_]:
        """One step of the neurons (LIF): -> which of them spike (N,)."""
        u = arriving << SHIFT
        if self.du[0] != DECAY:
            u += _decayed(self.u, int(self.du[0]) + 1)
        u = _wrapped(u)
        v = np.clip(_decayed(self.v, int(self.dv[0])) + u + self._bias, -STATE, STATE)
        spikes = v > self.vth[0] << SHIFT
        v[spikes] = 0
        self.u, self.v = u, v
        return np.asarray(spikes)


class _Latch:
    """What the latch's neurons compute: the line that is on after each step, or `NONE`."""

    def __init__(self, hold: int, gap: int) -> None:
        self._hold, self._gap = hold, gap
        self._now = 0
        self._spiking = self._passing = NONE
        self.line, self._until, self._free = NONE, 0, 0
        self._started = False

    def step(self, channels: NDArray[np.int32]) -> None:
        """One step in which these channels (A + 1,) spike."""
        self._now += 1
        if self._now == 1 or self._passing == 0:
            self._begin(0, 1)
        elif self._passing > 0 and self._now >= self._free:
            self._begin(self._passing, self._hold)
        elif self._now > self._until:
            self.line = NONE
        spiking = np.flatnonzero(channels)
        self._passing, self._spiking = self._spiking, int(spiking[0]) if len(spiking) else NONE

    def _begin(self, line: int, hold: int) -> None:
        self.line = line
        self._until = self._now + hold - 1
        self._free = self._now + hold + self._gap


def _decayed(state: NDArray[np.int32], decay: int) -> NDArray[np.int32]:
    """``state (4096 - decay) / 4096``, rounded towards 0."""
    if decay == DECAY:
        return (state + ((state >> 31) & DECAY)) >> DECAY_SHIFT
    left = state.astype(np.int64) * (2**DECAY_SHIFT - decay)
    return np.asarray(np.sign(left) * (np.abs(left) >> DECAY_SHIFT), np.int32)


def _wrapped(current: NDArray[np.int32]) -> NDArray[np.int32]:
    """A current in 24 bits."""
    edge = STATE + 1
    if current.max(initial=0) <= edge and current.min(initial=0) > -edge:
        return current
    current = np.where(current > edge, current - 2 * edge, current)
    return np.where(current <= -edge, current + 2 * edge, current)


@implements(proc=AttractorFSM, protocol=LoihiProtocol)
@tag("fixed_pt", "stock")
class StockModel(AbstractSubProcessModel):  # type: ignore[misc]
    """Lava's own LIF and Dense: latch, network and readout."""

    def __init__(self, proc: AttractorFSM) -> None:
        given, own = proc.proc_params, proc.vars

        self.arrivals = _dense(given["arrivals"])
        self.latch = LIF(shape=np.shape(given["membrane"]), du=DECAY, dv=DECAY, vth=0, v=given["membrane"])
        self.timer = _dense(given["recurrent"])
        self.masks = _dense(own.masks.init, given["mask_exp"])
        self.neurons = LIF(
            shape=np.shape(given["bias"]),
            du=int(own.du.init[0]),
            dv=int(own.dv.init[0]),
            vth=int(own.vth.init[0]),
            bias_mant=given["bias"],
            bias_exp=given["bias_exp"],
        )
        self.recurrent = _dense(own.weights.init)
        self.readout = Dense(weights=own.readout.init, sign_mode=SignMode.EXCITATORY)

        proc.in_ports.input_in.connect(self.arrivals.in_ports.s_in)
        self.arrivals.a_out.connect(self.latch.a_in)
        self.latch.s_out.connect(self.timer.s_in)
        self.timer.a_out.connect(self.latch.a_in)
        self.latch.s_out.connect(self.masks.s_in)
        self.masks.a_out.connect(self.neurons.a_in)
        self.neurons.s_out.connect(self.recurrent.s_in)
        self.recurrent.a_out.connect(self.neurons.a_in)
        self.neurons.s_out.connect(self.readout.s_in)
        self.neurons.out_ports.s_out.connect(proc.out_ports.s_out)
        self.readout.out_ports.a_out.connect(proc.out_ports.state_out)

        own.weights.alias(self.recurrent.vars.weights)
        own.masks.alias(self.masks.vars.weights)
        own.readout.alias(self.readout.vars.weights)
        for name in ("u", "v", "vth", "du", "dv"):
            getattr(own, name).alias(getattr(self.neurons.vars, name))


def _dense(weights: NDArray[np.int32], exponent: int = 0) -> Dense:
    return Dense(weights=weights, weight_exp=exponent, num_weight_bits=8, sign_mode=SignMode.MIXED)
