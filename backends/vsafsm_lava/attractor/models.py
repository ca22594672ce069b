"""Two models of `AttractorFSM` that compute the same spikes, step by step.

`FusedModel` is one process, for the simulator. `StockModel` is made of Lava's own LIF and Dense,
for the simulator and for the chip. A synapse acts in the step after the spike, in both.
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
from lava.proc.sparse.process import Sparse
from lava.utils.weightutils import SignMode
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from vsafsm_lava.attractor.process import AttractorFSM, Between

# The chip's constants stand here once more: this file is emitted, and has to do without the
# package.
SHIFT, DECAY_SHIFT, DECAY = 6, 12, 4095
"""Synaptic input is shifted left by 6; decays have 12 bits, and the largest leaves 1/4096 of a
membrane.
"""
STATE = 2**23 - 1
NONE = -1
_Fired = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]


class AbstractFused(PyLoihiProcessModel):  # type: ignore[misc]
    """The whole network in one process: what its models share."""

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
        self.cells = _Cells(proc_params)
        self._has_input = False

    def step(self, channels: NDArray[np.int32]) -> NDArray[np.bool_]:
        """One step in which these channels (A + 1,) spike: -> which neurons fire (N,)."""
        if not self._has_input:
            self.cells.take(self)
            self._has_input = True
        return self.cells.step(channels)

    def show(self) -> None:
        """Let the Vars be what the cells hold."""
        self.u, self.v = self.cells.u, self.cells.v

    def on_var_update(self) -> None:
        """Vars may have been set: take them before the next step."""
        self._has_input = False


@implements(proc=AttractorFSM, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class FusedModel(AbstractFused):
    """The whole network in one process, connected to others by its ports."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._scores: NDArray[np.int32] | None = None

    def run_spk(self) -> None:
        """One step: the latch, the neurons, and what goes out."""
        spikes = self.step(self.input_in.recv())
        self.show()
        if self.s_out.csp_ports:
            self.s_out.send(spikes.astype(np.int32))
        if self.state_out.csp_ports:
            self.state_out.send(
                np.zeros(len(self.readout), np.int32) if self._scores is None else self._scores
            )
            self._scores = self._score(spikes)

    def _score(self, spikes: NDArray[np.bool_]) -> NDArray[np.int32]:
        """How many neurons of each row of the readout fire: (S,)."""
        between: Between | None = self.proc_params["between"]
        if between is None:
            return np.asarray(self.readout[:, spikes].sum(1, dtype=np.int32))
        inside = spikes.reshape(-1, self.readout.shape[1])[between.homes]
        return np.asarray((self.readout * inside).sum(1, dtype=np.int32))


class _Cells:
    """Latch and neurons.

    The drive of a set of spikes is kept until the spikes change, and a network at rest is not
    computed anew: in an attractor both are the rule.
    """

    def __init__(self, values: Any) -> None:
        self.bias = values["bias"] << values["bias_exp"]
        self._lines = slice(values["arrivals"].shape[1], 2 * values["arrivals"].shape[1])
        self._mask_exp = values["mask_exp"]
        self._between: Between | None = values["between"]
        self._latch = _Latch(values["hold_steps"], values["gap_steps"])
        self.spikes: NDArray[np.bool_] = np.zeros(len(self.bias), np.bool_)
        self._line = NONE
        self._synapses: _Synapses | None = None
        self._drive: NDArray[np.int32] | None = None
        self._on_its_way: NDArray[np.int32] | None = None

    def take(self, source: Any) -> None:
        """Take weights, currents, membranes and parameters from Vars.

        What the last spikes sent over the synapses is on its way, and arrives as it was sent.
        """
        self._on_its_way = self._arriving(self._latch.line) if self._synapses is not None else None
        lines = source.masks[:, self._lines] << self._mask_exp
        bias = int(np.abs(self.bias).max(initial=0))
        self._synapses = _Synapses(source.weights, self._between, lines, bias)
        self.u, self.v, self._threshold = source.u, source.v, int(source.vth[0]) << SHIFT
        self._du, self._dv = int(source.du[0]), int(source.dv[0])
        self._unremembering = self._du == self._dv == DECAY and self._threshold == 0
        self._above = bool((self.v > 0).any())
        self._drive = None
        self._resting = False

    def _arriving(self, line: int) -> NDArray[np.int32]:
        """Synaptic input (N,), shifted, of the spikes and the line of the step before."""
        if self._on_its_way is not None:
            return self._on_its_way
        assert self._synapses is not None  # noqa: S101 - taken before the first step
        if self._drive is None:
            self._drive = self._synapses.drive(self.spikes)
        return self._drive if line == NONE else self._drive + self._synapses.lines[line]

    def step(self, channels: NDArray[np.int32]) -> NDArray[np.bool_]:
        """One step in which these channels (A + 1,) spike: -> which neurons fire (N,)."""
        line = self._latch.line
        self._latch.step(channels)
        if self._resting and line == self._line:
            return self.spikes
        arriving, usual = self._arriving(line), self._on_its_way is None and not self._above
        self._on_its_way, self._above = None, False
        if usual and self._unremembering and self._synapses is not None and self._synapses.bounded:
            u, v, spikes = self._fire_unremembering(arriving)
        else:
            u, v, spikes = self._fire(arriving)
        if spikes.tobytes() != self.spikes.tobytes():
            self._drive, self._resting = None, False
        else:
            # The same spikes, line, currents and membranes as a step before: the next step can be
            # no other either.
            self._resting = (
                usual
                and line == self._line
                and np.array_equal(v, self.v)
                and np.array_equal(u, self.u)
            )
        self.u, self.v, self.spikes, self._line = u, v, spikes, line
        return spikes

    def _fire(self, arriving: NDArray[np.int32]) -> _Fired:
        """The neurons (LIF): -> currents, membranes, and which of them spike, (N,) each."""
        u = _wrapped(_decayed(self.u, self._du + 1) + arriving)
        v = np.clip(_decayed(self.v, self._dv) + u + self.bias, -STATE, STATE)
        spikes = v > self._threshold
        v[spikes] = 0
        return u, v, spikes

    def _fire_unremembering(self, u: NDArray[np.int32]) -> _Fired:
        """The same, where nothing wraps, nothing clips, and no membrane is above 0 after a step."""
        v = self.v + DECAY
        v >>= DECAY_SHIFT
        v += u
        v += self.bias
        spikes = v > 0
        return u, np.minimum(v, 0, out=v), spikes


class _Synapses:
    """Weights laid out for summing, all shifted: the rows of `lines` are what each line adds, (A +
    1, N).

    `bounded` says, of the last drive, that neither it nor a line and a bias on top reach the ends
    of 24 bits.
    """

    def __init__(
        self,
        weights: NDArray[np.int32],
        between: Between | None,
        lines: NDArray[np.int32],
        bias: int,
    ) -> None:
        blocks = weights.reshape(-1, *weights.shape[-2:])
        self._n = blocks.shape[1]
        # What each neuron sends inside its module: (N, n).
        rows = np.ascontiguousarray(blocks.transpose(0, 2, 1), np.int16)
        self._rows, self._between = rows.reshape(-1, self._n), between
        self._largest = max(1, int(np.abs(weights).max(initial=0)))
        if between is not None:
            self._largest = max(self._largest, int(np.abs(between.values).max(initial=0)))
        self.lines = np.ascontiguousarray(lines.T << SHIFT, np.int32)
        self._most = STATE - int(np.abs(self.lines).max(initial=0)) - bias - 2**12
        self.bounded = False

    def drive(self, spikes: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Synaptic input (N,) of a set of spikes."""
        active = np.flatnonzero(spikes)
        largest = len(active) * self._largest
        self.bounded = largest << SHIFT < self._most
        kind, n = np.int16 if largest < 2**15 else np.int32, self._n
        if self._between is None:
            total = self._rows[active].sum(0, dtype=kind)
            return np.asarray(total.astype(np.int32) << SHIFT)
        found = np.zeros(len(self._rows), np.int32)
        for module in np.unique(active // n).tolist():
            inside = active[active // n == module]
            found[module * n : (module + 1) * n] = self._rows[inside].sum(0, dtype=kind)
        for first, last in zip(
            *(self._between.starts[active + end].tolist() for end in (0, 1)), strict=True
        ):
            # A neuron has one synapse to another at most.
            found[self._between.targets[first:last]] += self._between.values[first:last]
        return found << SHIFT


class _Latch:
    """What the latch's neurons compute: the line that is on after each step, or `NONE`."""

    def __init__(self, hold: int, gap: int) -> None:
        self._hold, self._gap = hold, gap
        self._now = 0
        self._spiking = self._passing = NONE
        self.line, self._until, self._free = NONE, 0, 0

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
    """Lava's own LIF and Dense: latch, network and readout.

    All synapses of modules are one Sparse. Lava's ports have no slices, so that a Dense for each
    module would need a LIF for each, and every further process costs each step as much again.
    """

    def __init__(self, proc: AttractorFSM) -> None:
        params, own = proc.proc_params, proc.vars

        self.arrivals = _dense(params["arrivals"])
        self.latch = LIF(
            shape=np.shape(params["membrane"]), du=DECAY, dv=DECAY, vth=0, v=params["membrane"]
        )
        self.timer = _dense(params["recurrent"])
        self.masks = _dense(own.masks.init, params["mask_exp"])
        self.neurons = LIF(
            shape=np.shape(params["bias"]),
            du=int(own.du.init[0]),
            dv=int(own.dv.init[0]),
            vth=int(own.vth.init[0]),
            bias_mant=params["bias"],
            bias_exp=params["bias_exp"],
        )
        between: Between | None = params["between"]
        if between is None:
            self.recurrent = _dense(own.weights.init)
            self.readout = Dense(weights=own.readout.init, sign_mode=SignMode.EXCITATORY)
        else:
            self.recurrent = Sparse(
                weights=_one_matrix(own.weights.init, between),
                num_weight_bits=8,
                sign_mode=SignMode.MIXED,
            )
            self.readout = Sparse(
                weights=_of_modules(own.readout.init, between.homes, len(params["bias"])),
                sign_mode=SignMode.EXCITATORY,
            )

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

        if between is None:
            own.weights.alias(self.recurrent.vars.weights)
            own.readout.alias(self.readout.vars.weights)
        own.masks.alias(self.masks.vars.weights)
        for name in ("u", "v", "vth", "du", "dv"):
            getattr(own, name).alias(getattr(self.neurons.vars, name))


def _dense(weights: NDArray[np.int32], exponent: int = 0) -> Dense:
    return Dense(weights=weights, weight_exp=exponent, num_weight_bits=8, sign_mode=SignMode.MIXED)


def _one_matrix(blocks: NDArray[np.int32], between: Between) -> csr_matrix:
    """All synapses of modules, (N, N), without those of weight 0."""
    n = blocks.shape[1]
    module, post, pre = np.nonzero(blocks)
    senders = np.repeat(np.arange(len(between.starts) - 1), np.diff(between.starts))
    there = between.values != 0
    weights = np.concatenate([blocks[module, post, pre], between.values[there]])
    row = np.concatenate([module * n + post, between.targets[there]])
    column = np.concatenate([module * n + pre, senders[there]])
    shape = (len(between.starts) - 1,) * 2
    return csr_matrix((weights.astype(np.int32), (row, column)), shape=shape)


def _of_modules(rows: NDArray[np.int32], homes: NDArray[np.int64], neurons: int) -> csr_matrix:
    """Rows that lie in a module each: (S, N)."""
    row, local = np.nonzero(rows)
    column = homes[row] * rows.shape[1] + local
    return csr_matrix((rows[row, local], (row, column)), shape=(len(rows), neurons))
