"""`Brian2FSM`: a compiled program as Brian2 groups and synapses, to run or to wire into a
network of one's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import brian2 as b2
import numpy as np
from brian2 import ms, pA
from numpy.typing import NDArray

from vsafsm.errors import BackendError, CompileCall, RequirementError, did_you_mean
from vsafsm.machine import listed
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.vsa import Numbers
from vsafsm_brian2 import equations as eq
from vsafsm_brian2.parameters import REQUIREMENTS, Parameters, Realism

RESET = "(reset)"
UNITS = {
    "V_th": "volt",
    "C_m": "farad",
    "tau_syn": "second",
    "t_ref": "second",
    "I_bias": "amp",
    "w_inh": "amp",
}
SPREAD = {
    "V_th": "threshold",
    "C_m": "tau_mem",
    "tau_syn": "tau_syn",
    "t_ref": "refractory",
    "I_bias": "bias",
}


class Brian2FSM:
    """The Brian2 objects of a program, with names that start with `name`.

    Parameters
    ----------
    program
        A program compiled for this backend (``vsafsm compile --for brian2``).
    parameters, realism
        Cells and synapses; what is drawn on top.
    rng
        Of the draws of realism; current noise follows ``brian2.seed``.
    name
        Prefix of the Brian2 objects' names.
    clock
        The clock of all objects; by default one of ``parameters.dt_ms``.

    Raises
    ------
    RequirementError
        If the program was compiled for something else.

    Attributes
    ----------
    cells : brian2.NeuronGroup
        N leaky integrate-and-fire cells.
    pool : brian2.NeuronGroup
        The global inhibition: one graded unit that sums all spikes of the cells, or of
        `inhibitory`. All weights to the cells are equal, so that it is computed once for all.
    inhibitory : brian2.NeuronGroup or None
        The cells of a spiking pool, between the cells and the sum of their synapses.
    partners : brian2.NeuronGroup or None
        The inhibitory partners of the cells, where no cell has weights of both signs.
    lines : brian2.NeuronGroup
        Line 0 is rest, then one for each input, then reset. Spikes with ``drive_post += 5`` every 2
        ms keep one on.
    recurrent, recurrent_inhibitory : brian2.Synapses
        Recurrent weights: all in the first, or the negative ones in the second, which is else None.
    to_pool, masks, reset, silence : brian2.Synapses
        Cells to pool, or to its cells; lines to the cells that they close; reset to the cells of
        the start code; input lines to the rest line.
    objects
        All of them, for ``brian2.Network(*fsm.objects)``.
    """

    copies = 1
    """How many sets of cells, each with a pool, there are for the same lines."""

    def __init__(
        self,
        program: Program,
        parameters: Parameters | None = None,
        realism: Realism | None = None,
        rng: np.random.Generator | None = None,
        name: str = "fsm",
        clock: Any = None,
    ) -> None:
        unmet = REQUIREMENTS.unmet(program.network, program.claim.margin)
        if unmet:
            problem = f"the program does not fit: {'; '.join(unmet)}"
            raise RequirementError(problem, CompileCall("brian2"))
        self.program, self.network = program, program.network
        self.parameters, self.realism = parameters or Parameters(), realism or Realism()
        self._rng = rng or np.random.default_rng(0)
        self._name, self._clock = name, clock or b2.Clock(dt=self.parameters.dt_ms * ms)
        self.namespace = namespace(program, self.parameters, self.realism)
        self.pool = self._pool()
        self.cells = self._cells()
        self.lines = self._lines()
        self.inhibitory: Any = None
        self.partners: Any = None
        self.objects: list[Any] = []
        self.recurrent, self.recurrent_inhibitory = self._recurrent()
        self.to_pool = self._to_pool()
        start = self.network.code_activity(self.network.start)
        closed = self._in_copies(*self._closed(start))
        self.masks = self._joined(self.lines, self.cells, eq.ON_MASK, "masks", *closed)
        opened = self._in_copies(np.full(len(start), self.line(RESET)), start)
        self.reset = self._joined(self.lines, self.cells, eq.ON_RESET, "reset", *opened)
        inputs = np.arange(1, len(self.network.inputs) + 1)
        self.silence = self._joined(
            self.lines, self.lines, eq.ON_SILENCE, "silence", inputs, 0 * inputs
        )
        self.objects += [
            *(self.pool, self.cells, self.lines, *self._all_recurrent),
            *(self.to_pool, self.masks, self.reset, self.silence),
        ]

    # ---- for users who wire it up

    def line(self, symbol: str) -> int:
        """Index of an input's line, or of ``"(reset)"``; raises `BackendError`."""
        names = [*self.network.inputs, RESET]
        if symbol not in names:
            raise BackendError(
                f'no line "{symbol}"; expected {listed(self.network.inputs)} or'
                f" {RESET}{did_you_mean(symbol, names)}"
            )
        return names.index(symbol) + 1

    def code(self, state: str) -> NDArray[np.intp]:
        """Indices of the cells that are active in a state; raises `UnknownStateError`."""
        return self.network.code_activity(self.program.machine.state_index(state)).astype(np.intp)

    @property
    def fan_out(self) -> NDArray[np.intp]:
        """Synapses of each cell (N,), to cells and to the pool; those of a partner count as its
        cell's.
        """
        found = np.zeros(len(self.cells), np.intp)
        for joined in (*self._all_recurrent, self.to_pool):
            found += np.bincount(np.asarray(joined.i), minlength=len(found))
        return found

    @property
    def _all_recurrent(self) -> tuple[Any, ...]:
        both = self.recurrent, self.recurrent_inhibitory
        return tuple(each for each in both if each is not None)

    # ---- the objects

    def _pool(self) -> Any:
        return self._group(1, eq.POOL, "pool", method="exact")

    def _cells(self) -> Any:
        realism, varied = self.realism, self._varied()
        conducting = self.parameters.synapses == "conductance"
        text = eq.CONDUCTANCE_CELLS if conducting else eq.CELLS
        text = text.format(noise=" + I_noise" if realism.noise_pa else "")
        text += constants_of(varied)
        size = self.copies * self.network.neurons
        cells = self._group(
            *(size, text + (eq.NOISE if realism.noise_pa else ""), "cells"),
            threshold="v > V_th",
            reset="v = E_L",
            refractory="t_ref",
            method="exponential_euler",
            without=varied,
        )
        cells.v = self.namespace["E_L"]
        pools = np.repeat(np.arange(self.copies), self.network.neurons)
        cells.P = b2.linked_var(self.pool, "P", index=pools)
        for name, values in varied.items():
            setattr(cells, name, values)
        if realism.noise_pa:
            cells.run_regularly(eq.NOISE_STEP, clock=self._clock)
        return cells

    def _varied(self) -> dict[str, Any]:
        """What cells have values of their own of: (N,) each."""
        return mismatched(self.network, self.namespace, self.realism, self._rng)

    def _lines(self) -> Any:
        lines = self._group(
            *(len(self.network.inputs) + 2, eq.LINES, "lines"),
            threshold="v > 1",
            reset="v = 0",
            refractory="t_line",
            method="exponential_euler",
        )
        lines.tonic = [5, *[0] * (len(lines) - 1)]
        return lines

    def _closed(self, start: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Lines, and the cells that each closes: reset closes all but those of the start code."""
        reset = np.ones(self.network.neurons, np.bool_)
        reset[start] = False
        masks = range(self.network.no_mask)
        closed = [np.flatnonzero(~self.network.opened(mask)) for mask in masks]
        closed.append(np.flatnonzero(reset))
        line = np.repeat(np.arange(len(closed)), [len(cells) for cells in closed])
        return line, np.concatenate(closed)

    def _recurrent(self) -> tuple[Any, Any]:
        """All weights and None, or the positive ones and the negative ones."""
        pre, post, weights = self._synapses()
        kind, dale = self.parameters.synapses, self.parameters.signs == "dale"
        if kind == "current" and not dale:
            every = np.ones(len(pre), np.bool_)
            return (
                self._weighted(self.cells, eq.ON_RECURRENT, "recurrent", every, pre, post, weights),
                None,
            )
        excitatory, inhibitory = eq.ON_EXCITATORY[kind], eq.ON_INHIBITORY[kind]
        sender = self._partners() if dale else self.cells
        return (
            self._weighted(self.cells, excitatory, "excitatory", weights > 0, pre, post, weights),
            self._weighted(sender, inhibitory, "inhibitory", weights < 0, pre, post, -weights),
        )

    def _partners(self) -> Any:
        """A cell beside each cell, which fires when it has."""
        self.partners = self._group(
            *(len(self.cells), eq.PARTNERS, "partners"), threshold="due > 0", reset="due = 0"
        )
        each = np.arange(len(self.cells))
        joined = self._joined(self.cells, self.partners, eq.ON_PARTNER, "to_partners", each, each)
        self.objects += [self.partners, joined]
        return self.partners

    def _weighted(
        self, sender: Any, on_pre: str, name: str, some: Any, pre: Any, post: Any, weights: Any
    ) -> Any:
        """Some of the synapses."""
        pre, post = pre[some], post[some]
        joined = self._joined(sender, self.cells, on_pre, name, pre, post, "w : amp")
        joined.w = weights[some]
        delay, jitter = self.realism.delay_ms, self.realism.delay_jitter_ms
        if jitter:
            joined.delay = (delay + jitter * self._rng.random(len(post))) * ms
        elif delay:
            joined.delay = delay * ms
        return joined

    def _synapses(self) -> tuple[NDArray[np.intp], NDArray[np.intp], Any]:
        """Sender, target and weight of every synapse that is there."""
        pre, post, weights = drawn_synapses(self.network, self.realism, self._rng)
        return pre, post, weights * self.namespace["w_step"]

    def _to_pool(self) -> Any:
        if self.parameters.inhibitory_cells:
            return self._to_spiking_pool(int(self.parameters.inhibitory_cells))
        return self._joined(self.cells, self.pool, eq.ON_POOL, "to_pool", *self._reaching_pool())

    def _reaching_pool(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Cells, and the pool that each of them reaches."""
        there = drawn_to_pool(self.network, self.realism, self._rng)
        return there, 0 * there

    def _to_spiking_pool(self, number: int) -> Any:
        """A spiking pool, each cell of which counts the spikes of half of the cells."""
        resting, threshold = self.namespace["E_L"], self.namespace["V_th_inh"]
        self.inhibitory = self._group(
            *(number, eq.INHIBITORY, "pool_cells"),
            threshold="v > V_th_inh",
            reset="v = E_L",
            refractory="t_inh",
            method="exact",
        )
        self.inhibitory.v = resting + (threshold - resting) * self._rng.random(number)
        every = np.arange(number)
        out = self._joined(
            self.inhibitory, self.pool, eq.ON_POOL_BY_CELLS, "from_pool_cells", every, 0 * every
        )
        self.objects += [self.inhibitory, out]
        share = eq.SHARE_TO_INHIBITORY * (1 - self.realism.missing)
        pre, post = np.nonzero(self._rng.random((len(self.cells), number)) < share)
        return self._joined(
            self.cells, self.inhibitory, eq.ON_CELLS_OF_POOL, "to_pool_cells", pre, post
        )

    def _in_copies(
        self, line: NDArray[np.intp], cell: NDArray[Any]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Lines and cells, in every copy."""
        first = self.network.neurons * np.arange(self.copies)
        return np.tile(line, self.copies), (first[:, None] + cell).ravel()

    def _group(self, size: int, text: str, name: str, without: Any = (), **more: Any) -> Any:
        known = {key: value for key, value in self.namespace.items() if key not in without}
        return b2.NeuronGroup(
            size, text, name=f"{self._name}_{name}", namespace=known, clock=self._clock, **more
        )

    def _joined(
        self, pre: Any, post: Any, on_pre: str, name: str, i: Any, j: Any, model: str = ""
    ) -> Any:
        joined = b2.Synapses(
            pre,
            post,
            model,
            on_pre=on_pre,
            namespace=self.namespace,
            clock=self._clock,
            name=f"{self._name}_{name}",
        )
        joined.connect(i=np.asarray(i), j=np.asarray(j))
        return joined


def constants_of(names: Iterable[str]) -> str:
    """Lines of a model for parameters that are not in the namespace."""
    return "".join(f"{name} : {UNITS[name]} (constant)\n" for name in names)


def mismatched(
    network: Network, constants: Mapping[str, Any], realism: Realism, rng: np.random.Generator
) -> dict[str, Any]:
    """Values (N,) of the cell parameters that have a mismatch: lognormal factors of mean 1; of a
    threshold, on its distance above rest.
    """
    found = {}
    for name, of in SPREAD.items():
        if (spread := realism.spread(of)) > 0:
            sigma = np.sqrt(np.log1p(spread**2))
            factors = rng.lognormal(-(sigma**2) / 2, sigma, network.neurons)
            zero = constants["E_L"] if name == "V_th" else 0
            found[name] = zero + (constants[name] - zero) * factors
    return found


def drawn_synapses(
    network: Network, realism: Realism, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Sender, target and weight in LSBs of every synapse that is there, by target, so that the
    order of sums does not depend on modules.
    """
    n = network.module_neurons
    blocks = _damaged(network.blocks, network, realism, rng)
    between = _damaged(network.between.values, network, realism, rng)
    module, post, pre = np.nonzero(blocks)
    there = np.flatnonzero(between)
    weights = np.concatenate([blocks[module, post, pre], between[there]])
    pre = np.concatenate([pre + n * module, network.between.senders[there]])
    post = np.concatenate([post + n * module, network.between.targets[there]])
    order = np.lexsort((pre, post))
    return pre[order], post[order], weights[order]


def _damaged(
    weights: Numbers, network: Network, realism: Realism, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Weights with the noise of the realism, and some of them missing, which are 0."""
    found = weights.astype(np.float64)
    if realism.weight_noise:
        spread = realism.weight_noise * network.weight_std
        found += spread * rng.standard_normal(found.shape)
    if realism.missing:
        found[rng.random(found.shape) < realism.missing] = 0
    return found


def drawn_to_pool(network: Network, realism: Realism, rng: np.random.Generator) -> NDArray[np.intp]:
    """Cells with a synapse to the pool."""
    return np.flatnonzero(rng.random(network.neurons) >= realism.missing)


def namespace(program: Program, parameters: Parameters, realism: Realism) -> dict[str, Any]:
    """The identifiers of the equations, as Brian2 quantities."""
    network, parameters = program.network, parameters.at_speed
    found: dict[str, Any] = {
        name: value * getattr(b2, unit) for name, value, unit, _ in (*eq.CONSTANTS, *eq.FURTHER)
    }
    step = 2 * parameters.strength_pa * pA / (network.active * network.scale)
    found |= {
        "tau_syn": parameters.tau_syn_ms * ms,
        "C_m": parameters.tau_mem_ms * ms * found["g_L"],
        "t_ref": parameters.refractory_ms * ms,
        "I_bias": parameters.bias_pa * pA,
        "w_step": step,
        "w_inh": parameters.inhibition_gain * network.gain * step,
        "C_inh": eq.INHIBITORY_TAU_MS * ms * found["g_L"],
        "share": 1 / (max(1, parameters.inhibitory_cells) * eq.SPIKES_PER_SPIKE),
        "tau_noise": eq.NOISE_TAU_MS * ms,
        "sigma_noise": realism.noise_pa * pA,
    }
    # A spike's charge lifts a cell of the spiking pool by this share of the way to its threshold.
    charge = found["C_inh"] * (found["V_th_inh"] - found["E_L"]) / found["tau_in"]
    found["w_in"] = charge * eq.SPIKES_PER_SPIKE / eq.SHARE_TO_INHIBITORY
    return found
