"""`ModularNetwork`: dense weights inside modules, a sparse matrix between them.

An activity is a sorted array of the neurons that fire. Nothing here has N x N elements, or codes
x N: a step touches the modules in which neurons fire, and those that they reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import NetworkError
from vsafsm.lowering import Code
from vsafsm.machine import Outputs
from vsafsm.network import LEAD, MOST_STEPS, THRESHOLD, Contract, Network, mask_index
from vsafsm.vsa import Bits
from vsafsm.weights import Whole

Indices = NDArray[np.intp]
Activity = NDArray[np.int32]
"""Neurons that fire, sorted: (k,)."""
MOST_DENSE = 4096
"""Most neurons of a network that is written out as one matrix."""
PATIENT = Contract(MOST_STEPS, MOST_STEPS)
"""Before a proof: the most steps there can be."""


@dataclass(frozen=True, eq=False)
class Batch:
    """B activities: row b has the neurons ``neurons[starts[b]:starts[b + 1]]``."""

    starts: Indices
    neurons: Activity

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> Activity:
        return self.neurons[self.starts[row] : self.starts[row + 1]]

    @property
    def counts(self) -> Indices:
        """Neurons of each row: (B,)."""
        return np.diff(self.starts)

    @property
    def keys(self) -> list[bytes]:
        """Equal for equal rows."""
        data, ends = self.neurons.tobytes(), (4 * self.starts).tolist()
        return [data[a:b] for a, b in pairwise(ends)]

    def take(self, rows: Indices) -> Batch:
        """Some rows, in the order asked for."""
        places = ranges(self.starts[rows], self.counts[rows])
        return Batch(_starts(self.counts[rows]), self.neurons[places])

    def masked(self, opened: Bits) -> Batch:
        """The neurons of each row that its module pattern (B, n) leaves open."""
        rows = np.repeat(np.arange(len(self)), self.counts)
        kept = opened[rows, self.neurons % opened.shape[1]]
        return Batch(_starts(np.bincount(rows[kept], minlength=len(self))), self.neurons[kept])


def batch(rows: Sequence[Activity]) -> Batch:
    """Activities as a batch."""
    counts = np.array([len(row) for row in rows], np.intp)
    neurons = np.concatenate(rows) if len(rows) else np.zeros(0, np.int32)
    return Batch(_starts(counts), neurons.astype(np.int32))


def _starts(counts: Indices) -> Indices:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)


def ranges(starts: Indices, counts: Indices) -> Indices:
    """``starts[i], ..., starts[i] + counts[i] - 1`` for every i, one after the other."""
    before = np.cumsum(counts) - counts
    return np.asarray(np.repeat(starts - before, counts) + np.arange(int(counts.sum())))


@dataclass(frozen=True, eq=False)
class Drives:
    """Net drives of D activities: dense in the modules where they fire, sparse elsewhere.

    Attributes
    ----------
    starts : (D + 1,)
        Pair p belongs to the activity d with ``starts[d] <= p < starts[d + 1]``.
    modules : (P,)
        For each pair a module in which its activity has neurons, sorted.
    values : (P, n)
        Net drive of the module's neurons, in LSBs.
    sparse_starts : (D + 1,)
        The same as `starts` for the neurons of other modules that synapses reach.
    sparse_neurons, sparse_values : (E,)
        Those neurons, sorted, and their net drive.
    elsewhere : (D,)
        Net drive of every other neuron: the inhibition alone.
    """

    starts: Indices
    modules: Indices
    values: NDArray[np.int32]
    sparse_starts: Indices
    sparse_neurons: Indices
    sparse_values: NDArray[np.int64]
    elsewhere: NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class ModularNetwork:
    """An attractor network in M modules of n neurons; N = M n. C codes, A inputs.

    Neuron i of module m has the number ``m n + i``.

    Attributes
    ----------
    inside : (M, n, n)
        Weights inside each module, in LSBs: ``inside[m, i, j]`` from neuron j to neuron i.
    starts : (N + 1,)
    targets, values : (E,)
        Synapses between modules: neuron j sends ``values[e]`` to ``targets[e]``, for e from
        ``starts[j]`` up to ``starts[j + 1]``. Targets of a neuron are sorted.
    gain, scale, bits
        As in `vsafsm.network.Network`; the inhibition is apart, and at least 1 LSB per active
        neuron.
    masks : (A + 1, n)
        Which neurons may fire, the same in every module: row 0 at rest.
    codes : (C, n)
        The neurons of each code in its module.
    homes : (C,)
        The module of each code.
    labels, start, states, inputs, moore, contract
        As in `vsafsm.network.Network`.
    """

    inside: NDArray[Whole]
    starts: Indices
    targets: NDArray[np.int32]
    values: NDArray[Whole]
    gain: int
    scale: float
    bits: int
    masks: Bits
    codes: Bits
    homes: Indices
    labels: tuple[Code, ...]
    start: int
    states: tuple[str, ...]
    inputs: tuple[str, ...]
    moore: tuple[Outputs, ...]
    contract: Contract = PATIENT

    def __post_init__(self) -> None:
        modules, n = self.inside.shape[:2]
        fits = {
            "inside": (self.inside.shape, (modules, n, n)),
            "starts": (self.starts.shape, (modules * n + 1,)),
            "values": (self.values.shape, self.targets.shape),
            "masks": (self.masks.shape, (len(self.inputs) + 1, n)),
            "codes": (self.codes.shape, (len(self.labels), n)),
            "homes": (self.homes.shape, (len(self.labels),)),
        }
        for name, (got, expected) in fits.items():
            if got != expected:
                raise NetworkError(f"{name} of the network have shape {got}; expected {expected}")
        counts = np.diff(self.starts)
        if self.starts[0] != 0 or (counts < 0).any() or self.starts[-1] != len(self.targets):
            raise NetworkError("starts of the synapses between modules are not in order")
        if len(self.targets):
            rows = np.repeat(np.arange(self.neurons), counts)
            rising = (np.diff(self.targets) > 0) | (np.diff(rows) > 0)
            if not rising.all() or self.targets.min() < 0 or self.targets.max() >= self.neurons:
                raise NetworkError("targets of a neuron are not sorted, or are out of range")
            if (rows // n == self.targets // n).any():
                raise NetworkError("a synapse between modules stays inside one")
        if self.gain < 1:
            raise NetworkError(f"the gain is {self.gain}; expected at least 1")
        if len(self.homes) and not 0 <= self.homes.min() <= self.homes.max() < modules:
            raise NetworkError("a code lies in a module that is not there")

    def __repr__(self) -> str:
        return (
            f"<ModularNetwork: {self.neurons} neurons in {self.modules} modules, {self.active}"
            f" active, {self.bits} bits, {len(self.states)} states, {len(self.inputs)} inputs>"
        )

    @property
    def modules(self) -> int:
        """M."""
        return int(self.inside.shape[0])

    @property
    def module_neurons(self) -> int:
        """n."""
        return int(self.inside.shape[1])

    @property
    def neurons(self) -> int:
        """N."""
        return self.modules * self.module_neurons

    @property
    def active(self) -> int:
        """k: neurons per code, the most."""
        return int(self.codes.sum(1).max())

    @property
    def synapses(self) -> int:
        """Weights that are held: n x n per module, and those between modules."""
        return int(self.inside.size + len(self.targets))

    @cached_property
    def _sent(self) -> NDArray[Whole]:
        """Row j is what neuron j sends inside its module: (N, n)."""
        n = self.module_neurons
        return np.ascontiguousarray(self.inside.transpose(0, 2, 1)).reshape(self.neurons, n)

    @cached_property
    def _codes_of(self) -> list[Indices]:
        """The codes of each module."""
        order = np.argsort(self.homes, kind="stable")
        ends = np.searchsorted(self.homes[order], np.arange(1, self.modules))
        return [np.asarray(each, np.intp) for each in np.split(order, ends)]

    @cached_property
    def _open_neurons(self) -> Indices:
        """Neurons of each code that each mask leaves open: (A + 1, C)."""
        return np.array([(self.codes & mask).sum(1) for mask in self.masks], np.intp)

    @cached_property
    def _fewest_open(self) -> Indices:
        """The fewest of them, over all codes: (A + 1,)."""
        return np.asarray(self._open_neurons.min(1))

    def mask_of(self, symbol: str) -> int:
        """Index of an input's mask; raises `UnknownInputError`."""
        return mask_index(self.inputs, symbol)

    def code_activity(self, code: int) -> Activity:
        """The neurons of a code."""
        first = int(self.homes[code]) * self.module_neurons
        return (first + np.flatnonzero(self.codes[code])).astype(np.int32)

    def fan_out(self, activity: Activity) -> int:
        """Weights that are not 0 over which some neurons send."""
        inside = int(np.count_nonzero(self._sent[activity]))
        neurons = activity.astype(np.intp)
        first, last = self.starts[neurons], self.starts[neurons + 1]
        return inside + int(np.count_nonzero(self.values[ranges(first, last - first)]))

    def drive(self, activity: Batch) -> Drives:
        """Net drive of each activity, where it is more than the inhibition."""
        n, rows, modules = self.module_neurons, len(activity), self.modules
        row = np.repeat(np.arange(rows), activity.counts)
        neurons = activity.neurons.astype(np.intp)
        # A pair is an activity and a module in which it has neurons. Rows are sorted, so that the
        # neurons of a pair stand together.
        own = row * modules + neurons // n
        first = np.flatnonzero(np.diff(own, prepend=-1))
        pairs = own[first]
        values = np.zeros((len(pairs), n), np.int32)
        if len(pairs):
            values = np.add.reduceat(self._sent[neurons], first, axis=0, dtype=np.int32)
        inhibition = self.gain * activity.counts
        values -= inhibition[pairs // modules, None].astype(np.int32)
        # What arrives over synapses between modules, added up for each activity and neuron.
        fan_out = self.starts[neurons + 1] - self.starts[neurons]
        synapse = ranges(self.starts[neurons], fan_out)
        key = np.repeat(row, fan_out) * self.neurons + self.targets[synapse]
        reached, place = np.unique(key, return_inverse=True)
        # Whole numbers below 2**53: exact in any order.
        sums = np.bincount(place, self.values[synapse], minlength=len(reached)).astype(np.int64)
        reached_row, reached_neuron = reached // self.neurons, reached % self.neurons
        # Where the module has activity of its own, the two kinds of synapses add up.
        home = reached_row * modules + reached_neuron // n
        pair_of, inside = np.searchsorted(pairs, home), np.isin(home, pairs)
        values[pair_of[inside], reached_neuron[inside] % n] += sums[inside].astype(np.int32)
        sums, reached_row = sums[~inside], reached_row[~inside]
        every = np.arange(rows + 1)
        return Drives(
            np.searchsorted(pairs // modules, every),
            pairs % modules,
            values,
            np.searchsorted(reached_row, every),
            reached_neuron[~inside],
            sums - inhibition[reached_row],
            -inhibition.astype(np.int64),
        )

    def fire(self, drives: Drives, rows: Indices, opened: Bits) -> Batch:
        """Which neurons fire next, for some rows of the drives under patterns of masks (R, n)."""
        n, size = self.module_neurons, len(rows)
        counts = np.diff(drives.starts)[rows]
        pair = ranges(drives.starts[rows], counts)
        row = np.repeat(np.arange(size), counts)
        at, local = np.nonzero((drives.values[pair] > 0) & opened[row])
        # Of the neurons that are reached, few are above threshold: look at those alone.
        above = drives.sparse_values > 0
        kept = np.flatnonzero(above)
        starts = np.concatenate([[0], np.cumsum(above)])[drives.sparse_starts]
        sparse_counts = np.diff(starts)[rows]
        neuron = drives.sparse_neurons[kept[ranges(starts[rows], sparse_counts)]]
        sparse_row = np.repeat(np.arange(size), sparse_counts)
        open_ = opened[sparse_row, neuron % n]
        all_rows = np.concatenate([row[at], sparse_row[open_]])
        neurons = np.concatenate([drives.modules[pair[at]] * n + local, neuron[open_]])
        order = np.lexsort((neurons, all_rows))
        return Batch(
            _starts(np.bincount(all_rows, minlength=size)), neurons[order].astype(np.int32)
        )

    def advance(self, activity: Batch, opened: Bits) -> Batch:
        """One step of each activity, under patterns of masks (B, n)."""
        return self.fire(self.drive(activity), np.arange(len(activity)), opened)

    def decode(self, activity: Batch, masks: Indices) -> Indices:
        """The code that each activity stands for under its mask: (B,), -1 for none.

        As `Network.decode`: only codes of modules with activity can be similar to it.
        """
        found = np.full(len(activity), -1, np.intp)
        n, open_neurons = self.module_neurons, self._open_neurons
        for b in range(len(activity)):
            opened = self.masks[masks[b]]
            neurons = activity[b][opened[activity[b] % n]]
            everywhere = self.modules * int(opened.sum())
            # The best code without a neuron of the activity: its false alarms alone.
            second = -len(neurons) / max(everywhere - int(self._fewest_open[masks[b]]), 1)
            best, first = -1, -1.0
            for module in np.unique(neurons // n).tolist():
                codes = self._codes_of[module]
                local = neurons[neurons // n == module] % n
                hits = self.codes[codes][:, local].sum(1)
                wanted = open_neurons[masks[b], codes]
                rate = hits / np.maximum(wanted, 1)
                rate -= (len(neurons) - hits) / np.maximum(everywhere - wanted, 1)
                for code, value in zip(codes.tolist(), rate.tolist(), strict=True):
                    if value > first:
                        best, first, second = code, value, max(first, second)
                    else:
                        second = max(second, value)
            if first > THRESHOLD and first - second > LEAD:
                found[b] = best
        return found

    def to_dense(self) -> Network:
        """The same network as one matrix. Raises `NetworkError` above `MOST_DENSE` neurons."""
        n, size = self.module_neurons, self.neurons
        if size > MOST_DENSE:
            raise NetworkError(
                f"{size} neurons are too many for one matrix; expected at most {MOST_DENSE}"
            )
        weights = np.zeros((size, size), self.inside.dtype)
        for m in range(self.modules):
            weights[m * n : (m + 1) * n, m * n : (m + 1) * n] = self.inside[m]
        weights[self.targets, np.repeat(np.arange(size), np.diff(self.starts))] = self.values
        codes = np.zeros((len(self.codes), size), np.bool_)
        for c in range(len(codes)):
            codes[c, self.code_activity(c)] = True
        return Network(
            weights,
            self.gain,
            self.scale,
            self.bits,
            np.tile(self.masks, (1, self.modules)),
            codes,
            self.labels,
            self.start,
            self.states,
            self.inputs,
            self.moore,
            self.contract,
        )


def patterns(masks: Bits, one: Indices, other: Indices) -> Bits:
    """Module patterns of pairs of masks (R, n); index A + 1 stands for no mask."""
    every = np.vstack([masks, np.ones(masks.shape[1], np.bool_)])
    return np.asarray(every[one] & every[other])
