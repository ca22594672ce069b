"""`Network`: the frozen, checked representation that every backend gets. It does not know where it
will run.

The network is synchronous and deterministic. A neuron fires in the next step where its mask is open
and its drive beats the inhibition, which is proportional to the total activity:

    z' = m AND ( W z > g sum(z) )

The weights W lie in modules: a dense block inside each, and sparse synapses between them. A network
of one module is one matrix. Steps of `Activities` touch only the modules in which neurons fire and
those that they reach; nothing there has N x N elements, or codes x N.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import (
    Activities,
    Indices,
    Neurons,
    activities_of,
    distinct,
    from_bits,
    ranges,
    starts_of,
)
from vsafsm.errors import NetworkError, UnknownInputError, did_you_mean
from vsafsm.lowering import REST, Code
from vsafsm.machine import Outputs, listed
from vsafsm.recurrent import sums
from vsafsm.synapses import Synapses, none_between
from vsafsm.vsa import Bits, Numbers, similarity

THRESHOLD = 0.5
"""Least similarity (hit rate minus false-alarm rate) at which an activity stands for a code."""
LEAD = 0.25
"""Least distance in similarity to the runner-up; below it the activity stands for nothing."""
MOST_STEPS = 32
"""Steps after which an activity that still changes counts as one that never settles; no contract
asks for more.
"""

_OF_WEIGHTS = ("rows", "fan_out", "weight_std")
"""What is worked out of the weights alone, once for each network."""
MOST_DENSE = 4096
"""Most neurons of a network of several modules that is written out as one matrix."""


@dataclass(frozen=True)
class Contract:
    """How long an input must be held, and how long the gap after it must last, in steps."""

    hold_steps: int
    gap_steps: int


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
    reached : Activities of D rows
        The neurons of other modules that synapses reach.
    reached_values : (E,)
        Their net drive.
    elsewhere : (D,)
        Net drive of every other neuron: the inhibition alone.
    """

    starts: Indices
    modules: Indices
    values: Numbers
    reached: Activities
    reached_values: Numbers
    elsewhere: Numbers

    @property
    def pair_rows(self) -> Indices:
        """The activity of each pair: (P,)."""
        return np.repeat(np.arange(len(self.elsewhere)), np.diff(self.starts))

    def dense(self, modules: int) -> Numbers:
        """The net drive of every neuron: (D, N)."""
        n, rows = self.values.shape[1], len(self.elsewhere)
        found = np.empty((rows, modules, n), self.values.dtype)
        found[:] = self.elsewhere[:, None, None]
        found[self.pair_rows, self.modules] = self.values
        flat = found.reshape(rows, modules * n)
        flat[self.reached.rows, self.reached.neurons] = self.reached_values
        return flat


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """An attractor network that runs a state machine. C codes, A inputs; N = M n neurons in M
    modules of n. A network of one matrix has one module.

    Neuron i of module m has the number ``m n + i``.

    Attributes
    ----------
    blocks : (M, n, n)
        Weights inside each module in LSBs, ``blocks[m, i, j]`` from neuron j to neuron i; int8 or
        int16. A perturbed network may hold real numbers.
    between
        Synapses between modules.
    gain
        g, in LSBs per active neuron; 0 where the inhibition is folded into the weights, which
        only one module can have.
    scale
        LSBs per unit; a unit is how much more one stored pattern drives its own neurons than
        the others.
    bits
        Width of a weight.
    masks : (R, n)
        Patterns of the neurons of a module that may fire. In a network of one module row 0 is that
        at rest, and row a + 1 that while input a is held.
    opens : (A + 1, M)
        The pattern that each mask has in each module: mask 0 is that at rest, and mask a + 1 that
        of input a. Inputs that lead each state of a module to the same have one pattern there.
    codes : (C, n)
        What activity is decoded with: the neurons of each code in its module.
    homes : (C,)
        The module of each code.
    labels
        What each code stands for; the states come first.
    start
        Code of the initial state. The reset line drives exactly its neurons for one step.
    states, inputs, moore
        Names, and the Moore outputs of each state.
    contract
        Steps to hold and to leave: what the proof found, or before it the most there can be.

    Examples
    --------
    >>> import vsafsm
    >>> network = vsafsm.compile(vsafsm.load("specs/turnstile.yaml")).network
    >>> activity = network.codes[[network.start]]
    >>> mask = network.mask_of("coin")
    >>> for _ in range(network.contract.hold_steps):
    ...     activity = network.advance(activity, network.opened(mask))
    >>> network.code_name(int(network.decode(activity, mask)[0]))
    '→ unlocked'
    """

    blocks: Numbers
    between: Synapses
    gain: int
    scale: float
    bits: int
    masks: Bits
    opens: Indices
    codes: Bits
    homes: Indices
    labels: tuple[Code, ...]
    start: int
    states: tuple[str, ...]
    inputs: tuple[str, ...]
    moore: tuple[Outputs, ...]
    contract: Contract = Contract(MOST_STEPS, MOST_STEPS)

    @classmethod
    def dense(
        cls,
        weights: Numbers,
        gain: int,
        scale: float,
        bits: int,
        masks: Bits,
        codes: Bits,
        labels: tuple[Code, ...],
        start: int,
        states: tuple[str, ...],
        inputs: tuple[str, ...],
        moore: tuple[Outputs, ...],
        contract: Contract = Contract(MOST_STEPS, MOST_STEPS),
    ) -> Network:
        """A network of one matrix: weights (N, N), masks (A + 1, N) and codes (C, N)."""
        return cls(
            weights[None],
            none_between(len(weights), weights.dtype),
            gain,
            scale,
            bits,
            masks,
            np.arange(len(masks))[:, None],
            codes,
            np.zeros(len(codes), np.intp),
            labels,
            start,
            states,
            inputs,
            moore,
            contract,
        )

    def __post_init__(self) -> None:
        modules, n = self.blocks.shape[:2]
        fits = {
            "weights": (self.blocks.shape, (modules, n, n)),
            "starts": (self.between.starts.shape, (modules * n + 1,)),
            "masks": (self.masks.shape, (self._patterns_needed, n)),
            "opens": (self.opens.shape, (len(self.inputs) + 1, modules)),
            "codes": (self.codes.shape, (len(self.labels), n)),
            "homes": (self.homes.shape, (len(self.labels),)),
            "moore": (len(self.moore), len(self.states)),
        }
        for name, (got, expected) in fits.items():
            if got != expected:
                raise NetworkError(f"{name} of the network have shape {got}; expected {expected}")
        if self.masks.dtype != np.bool_ or self.codes.dtype != np.bool_:
            raise NetworkError("masks and codes of the network must be boolean")
        every = (self.blocks, self.between.values)
        finite = self.whole or all(np.isfinite(weights).all() for weights in every)
        if not finite or not 0 < self.scale < np.inf:
            raise NetworkError("weights and scale of the network must be finite, the scale above 0")
        if not 2 <= self.bits <= 16 or not 0 <= self.gain < 2**15:
            raise NetworkError(
                f"bits are {self.bits} and the gain is {self.gain}; expected 2 to 16, and 0 to"
                f" {2**15 - 1}"
            )
        if modules > 1 and self.gain == 0:
            raise NetworkError("the gain of a network of several modules is 0; expected at least 1")
        if self.whole and self.largest_weight >= 2 ** (self.bits - 1):
            raise NetworkError(f"a weight of the network does not fit into {self.bits} bits")
        if len(self.homes) and not 0 <= self.homes.min() <= self.homes.max() < modules:
            raise NetworkError("a code lies in a module that is not there")
        if not 0 <= self.opens.min() <= self.opens.max() < len(self.masks):
            raise NetworkError("a mask has a pattern that is not there")
        if modules == 1 and (self.opens[:, 0] != np.arange(len(self.masks))).any():
            raise NetworkError("the masks of one module are not in the order of its inputs")
        self.between.check(n)
        self._check_names()
        between = (self.between.starts, self.between.targets, self.between.values)
        for array in (self.blocks, self.masks, self.opens, self.codes, self.homes, *between):
            array.setflags(write=False)

    @property
    def _patterns_needed(self) -> int:
        """Rows of the masks: one per mask in one module, any number of them in several."""
        return len(self.inputs) + 1 if len(self.blocks) == 1 else len(self.masks)

    def _check_names(self) -> None:
        if any(not 0 <= label.state < len(self.states) for label in self.labels):
            raise NetworkError("the network's labels name a state that it does not have")
        for kind, names in (("state", self.states), ("input", self.inputs)):
            if len(set(names)) != len(names):
                raise NetworkError(f"two {kind}s of the network have one name")
        first, others = self.labels[: len(self.states)], self.labels[len(self.states) :]
        if [(x.state, x.pending) for x in first] != [(i, False) for i in range(len(self.states))]:
            raise NetworkError("the network's first labels must be its states, in order")
        if not all(x.pending for x in others):
            raise NetworkError(
                "a label of the network after its states stands for no pending transition"
            )
        if not 0 <= self.start < len(self.states):
            raise NetworkError(
                f"the network starts in code {self.start}; expected one of its {len(self.states)}"
                " states"
            )
        if not (
            1 <= self.contract.hold_steps <= MOST_STEPS
            and 1 <= self.contract.gap_steps <= MOST_STEPS
        ):
            raise NetworkError(
                f"a contract of {self.contract}; expected at least one step, at most {MOST_STEPS}"
            )

    def __repr__(self) -> str:
        modules = f" in {self.modules} modules" if self.modules > 1 else ""
        return (
            f"<Network: {self.neurons} neurons{modules}, {self.active} active, {self.bits} bits,"
            f" {len(self.states)} states, {len(self.inputs)} inputs>"
        )

    # ---- sizes

    @property
    def modules(self) -> int:
        """M."""
        return int(self.blocks.shape[0])

    @property
    def module_neurons(self) -> int:
        """n."""
        return int(self.blocks.shape[1])

    @property
    def neurons(self) -> int:
        """N."""
        return self.modules * self.module_neurons

    @cached_property
    def active(self) -> int:
        """k: neurons in a code (the most, where a user's own codes differ)."""
        return int(self.codes.sum(1).max())

    @property
    def synapses(self) -> int:
        """Weights that are held: n x n per module, and those between modules."""
        return int(self.blocks.size + len(self.between))

    @property
    def whole(self) -> bool:
        """Whether the weights are whole numbers, so that every step is exact."""
        return self.blocks.dtype.kind == "i"

    # ---- weights

    @property
    def weights(self) -> Numbers:
        """The one matrix (N, N) of a network of one module. Raises `NetworkError` for others."""
        self.check_one_matrix()
        return np.asarray(self.blocks[0])

    def check_one_matrix(self) -> None:
        """Raise `NetworkError` where there are several modules."""
        if self.modules > 1:
            raise NetworkError(
                f"the network has {self.modules} modules and no single matrix of weights; expected"
                " a program compiled with layout dense"
            )

    def with_weights(self, weights: Numbers) -> Network:
        """The same network of one module with other weights (N, N)."""
        return replace(self, blocks=weights[None])

    def with_all_weights(self, blocks: Numbers, values: Numbers) -> Network:
        """The same network with other weights inside modules, and of the synapses between."""
        return replace(self, blocks=blocks, between=replace(self.between, values=values))

    def with_inputs(self, inputs: tuple[str, ...], masks: Bits) -> Network:
        """The same network of one module with other inputs, and masks (A + 1, N) of rest and of
        those.
        """
        other = replace(self, inputs=inputs, masks=masks, opens=np.arange(len(masks))[:, None])
        kept = {name: vars(self)[name] for name in _OF_WEIGHTS if name in vars(self)}
        vars(other).update(kept)
        return other

    @cached_property
    def weight_range(self) -> tuple[float, float]:
        """The smallest and the largest weight, in LSBs."""
        every = [weights for weights in (self.blocks, self.between.values) if weights.size]
        low, high = min(float(w.min()) for w in every), max(float(w.max()) for w in every)
        return low, high

    @property
    def largest_weight(self) -> float:
        """The largest magnitude of a weight, in LSBs."""
        low, high = self.weight_range
        return max(high, -low)

    @cached_property
    def weight_std(self) -> float:
        """Standard deviation of all weights that are held, in LSBs."""
        if not len(self.between):
            return float(self.blocks.std(dtype=np.float64))
        total = squares = 0.0
        for part in (*self.blocks, self.between.values):
            total += float(part.sum(dtype=np.float64))
            squares += float(np.square(part, dtype=np.float64).sum())
        mean = total / self.synapses
        return float(max(squares / self.synapses - mean**2, 0.0) ** 0.5)

    @cached_property
    def rows(self) -> Numbers:
        """What each neuron sends inside its module: (N, n), contiguous."""
        n = self.module_neurons
        return np.ascontiguousarray(self.blocks.transpose(0, 2, 1)).reshape(self.neurons, n)

    @cached_property
    def fan_out(self) -> Indices:
        """For each neuron (N,), how many neurons it reaches over a weight that is not 0."""
        found = np.count_nonzero(self.blocks, axis=1).reshape(-1)
        for part, senders in self.between.chunks():
            sent = senders[self.between.values[part] != 0]
            if len(sent):
                first = int(sent[0])
                counts = np.bincount(sent - first)
                found[first : first + len(counts)] += counts
        return np.asarray(found, np.intp)

    # ---- names

    def mask_of(self, symbol: str) -> int:
        """Index of an input's mask; raises `UnknownInputError`."""
        return mask_index(self.inputs, symbol)

    def state_of(self, code: int) -> str | None:
        """Name of the state that a code stands for; None for a pending code, and for -1."""
        return self.states[code] if 0 <= code < len(self.states) else None

    def code_name(self, code: int) -> str:
        """Name of a code: its state, with an arrow and the outputs before it arrives there.

        ``unlocked`` for the state, ``→ unlocked`` for a pending transition to it, and ``→ unlocked
        / beep`` for one with the output ``beep``.
        """
        label = self.labels[code]
        name = self.states[label.state]
        if not label.pending:
            return name
        return f"→ {name}" + (f" / {', '.join(label.outputs)}" if label.outputs else "")

    @property
    def code_names(self) -> tuple[str, ...]:
        """Names of all codes, in order."""
        return tuple(map(self.code_name, range(len(self.labels))))

    # ---- activities as lists of neurons

    def code_activity(self, code: int) -> Neurons:
        """The neurons of a code: (k,)."""
        first = int(self.homes[code]) * self.module_neurons
        return (first + np.flatnonzero(self.codes[code])).astype(np.int32)

    def code_activities(self, codes: Sequence[int]) -> Activities:
        """The neurons of some codes."""
        return activities_of([self.code_activity(code) for code in codes])

    def nearest_code(self, neurons: Neurons) -> int:
        """The code that has most of some neurons."""
        n, most, best = self.module_neurons, -1, 0
        for module in np.unique(neurons // n).tolist():
            codes = self._codes_in[module]
            shared = self.codes[codes][:, neurons[neurons // n == module] % n].sum(1)
            if len(codes) and shared.max() > most:
                most, best = int(shared.max()), int(codes[shared.argmax()])
        return best

    @property
    def no_mask(self) -> int:
        """A + 1, which stands for no mask."""
        return len(self.inputs) + 1

    def open_in(self, one: Indices | int, other: Indices | int, modules: Indices) -> Bits:
        """Which neurons two masks leave open in each of P modules: (P, n)."""
        opens = self._opens
        return np.asarray(
            self._patterns[opens[one, modules]] & self._patterns[opens[other, modules]]
        )

    def open_at(self, one: Indices | int, other: Indices | int, neurons: Neurons) -> Bits:
        """Whether two masks leave each of E neurons open: (E,)."""
        modules, local = np.divmod(neurons.astype(np.intp), self.module_neurons)
        opens = self._opens
        return np.asarray(
            self._patterns[opens[one, modules], local]
            & self._patterns[opens[other, modules], local]
        )

    def opened(self, mask: int | Indices) -> Bits:
        """Which neurons a mask leaves open: (N,), or (B, N) for B masks."""
        opened = self._patterns[self._opens[mask]]
        return np.asarray(opened.reshape(*np.shape(mask), self.neurons))

    @property
    def readout(self) -> Bits:
        """The neurons of each state's code that are open at rest, in its module: (S, n)."""
        states = len(self.states)
        return np.asarray(self.codes[:states] & self.masks[self.opens[REST, self.homes[:states]]])

    @cached_property
    def open_number(self) -> Indices:
        """How many neurons each mask leaves open: (A + 1,)."""
        return np.asarray(self.masks.sum(1)[self.opens].sum(1))

    def drives(self, activity: Activities) -> Drives:
        """Net drives of each activity, where they are more than the inhibition."""
        n, rows, modules = self.module_neurons, len(activity), self.modules
        neurons = activity.neurons.astype(np.intp)
        inhibition = self.gain * activity.counts
        values: Numbers
        if modules == 1:
            values = sums(self.rows, activity.bits(n))
            if self.gain:
                values = values - inhibition[:, None].astype(values.dtype)
            every = np.arange(rows + 1)
            nothing = Activities(np.zeros(rows + 1, np.intp), np.zeros(0, np.int32))
            return Drives(every, every[:-1] * 0, values, nothing, values[:0, 0], -inhibition)
        kind = np.dtype(np.int32) if self.whole else self.blocks.dtype
        row = activity.rows
        # A pair is an activity and a module in which it has neurons. Rows are sorted, so that the
        # neurons of a pair stand together.
        own = row * modules + neurons // n
        first = np.flatnonzero(np.diff(own, prepend=-1))
        pairs = own[first]
        values = np.zeros((len(pairs), n), kind)
        if len(pairs):
            values = np.add.reduceat(self.rows[neurons], first, axis=0, dtype=kind)
        values = values - inhibition[pairs // modules, None].astype(kind)
        # What arrives over synapses between modules, added up for each activity and neuron.
        starts = self.between.starts
        counts = starts[neurons + 1] - starts[neurons]
        synapse = ranges(starts[neurons], counts)
        key = np.repeat(row, counts) * self.neurons + self.between.targets[synapse]
        reached, place = np.unique(key, return_inverse=True)
        # Sums of whole numbers below 2**53 are exact in float64.
        arriving = np.bincount(place, self.between.values[synapse], minlength=len(reached))
        arriving = arriving.astype(kind)
        reached_row, neuron = reached // self.neurons, reached % self.neurons
        # Where the module has activity of its own, the two kinds of synapses add up.
        home = reached_row * modules + neuron // n
        pair_of, inside = np.searchsorted(pairs, home), np.isin(home, pairs)
        values[pair_of[inside], neuron[inside] % n] += arriving[inside]
        reached_row, neuron, arriving = reached_row[~inside], neuron[~inside], arriving[~inside]
        arriving -= inhibition[reached_row].astype(kind)
        return Drives(
            np.searchsorted(pairs // modules, np.arange(rows + 1)),
            pairs % modules,
            values,
            Activities(
                starts_of(np.bincount(reached_row, minlength=rows)), neuron.astype(np.int32)
            ),
            arriving,
            -inhibition,
        )

    def fire(self, drives: Drives, rows: Indices, one: Indices, other: Indices) -> Activities:
        """Which neurons fire next, for some rows of the drives under two masks each (R,)."""
        n, size = self.module_neurons, len(rows)
        if self.modules == 1:
            return from_bits(
                (drives.values[rows] > 0) & self._patterns[one] & self._patterns[other]
            )
        counts = np.diff(drives.starts)[rows]
        pair = ranges(drives.starts[rows], counts)
        row = np.repeat(np.arange(size), counts)
        opened = self.open_in(one[row], other[row], drives.modules[pair])
        at, local = np.nonzero((drives.values[pair] > 0) & opened)
        # Of the neurons that are reached, few are above threshold: look at those alone.
        above = drives.reached.kept(drives.reached_values > 0).take(rows)
        reached_row = above.rows
        open_ = self.open_at(one[reached_row], other[reached_row], above.neurons)
        all_rows = np.concatenate([row[at], reached_row[open_]])
        neurons = np.concatenate([drives.modules[pair[at]] * n + local, above.neurons[open_]])
        order = np.lexsort((neurons, all_rows))
        return Activities(
            starts_of(np.bincount(all_rows, minlength=size)), neurons[order].astype(np.int32)
        )

    def step(self, activity: Activities, masks: Indices) -> Activities:
        """One step of each activity under its mask (B,)."""
        none = np.full(len(activity), self.no_mask)
        return self.fire(self.drives(activity), np.arange(len(activity)), masks, none)

    def codes_of(self, activity: Activities, masks: Indices) -> Indices:
        """The code that each activity stands for under its mask (B,): (B,), -1 for none.

        An activity stands for a code that is similar enough and clearly ahead of every other;
        silence and ties stand for nothing. Only codes of modules with activity can be similar.
        """
        if self.modules == 1:
            return self.decode(activity.bits(self.neurons), masks)
        found = np.full(len(activity), -1, np.intp)
        n, open_neurons = self.module_neurons, self._open_neurons
        for b in range(len(activity)):
            mask, active = int(masks[b]), activity[b]
            neurons = active[self.open_at(mask, mask, active)]
            everywhere = int(self.open_number[mask])
            # The best code without a neuron of the activity: its false alarms alone.
            second = -len(neurons) / max(everywhere - int(self._fewest_open[mask]), 1)
            best, first = -1, -1.0
            for module in np.unique(neurons // n).tolist():
                codes = self._codes_in[module]
                local = neurons[neurons // n == module] % n
                hits = self.codes[codes][:, local].sum(1)
                wanted = open_neurons[mask, codes]
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

    @cached_property
    def _patterns(self) -> Bits:
        """Those of the masks, and that of no mask."""
        return np.vstack([self.masks, np.ones(self.module_neurons, np.bool_)])

    @cached_property
    def _opens(self) -> Indices:
        """The pattern of each mask, and of no mask, in each module: (A + 2, M)."""
        return np.vstack([self.opens, np.full(self.modules, len(self.masks))])

    @cached_property
    def _codes_in(self) -> list[Indices]:
        """The codes of each module."""
        order = np.argsort(self.homes, kind="stable")
        ends = np.searchsorted(self.homes[order], np.arange(1, self.modules))
        return [np.asarray(each, np.intp) for each in np.split(order, ends)]

    @cached_property
    def _open_neurons(self) -> Indices:
        """Neurons of each code that each mask leaves open: (A + 1, C)."""
        if self.modules == 1:
            return np.array([(self.codes & mask).sum(1) for mask in self.masks], np.intp)
        opens = self.opens[:, self.homes]
        return np.array([(self.codes & self.masks[rows]).sum(1) for rows in opens], np.intp)

    @cached_property
    def _fewest_open(self) -> Indices:
        """The fewest of them, over all codes: (A + 1,)."""
        return np.asarray(self._open_neurons.min(1))

    # ---- activities as bits

    def drive(self, activity: Bits) -> Numbers:
        """Net drive ``W z - g sum(z)`` of every neuron for each activity.

        Parameters
        ----------
        activity : (B, N)

        Returns
        -------
        (B, N)
            In LSBs; whole numbers (int32) for whole weights.
        """
        if self.modules > 1:
            return self.drives(from_bits(activity)).dense(self.modules)
        total: NDArray[Any] = sums(self.rows, activity)
        if self.gain:
            total -= np.asarray(self.gain * activity.sum(1, keepdims=True), total.dtype)
        return total

    def advance(self, activity: Bits, opened: Bits) -> Bits:
        """One step of each activity: -> which neurons fire next.

        Parameters
        ----------
        activity : (B, N)
        opened : (N,) or (B, N)
            Which neurons the masks leave open, as `opened` says.

        Returns
        -------
        (B, N)
        """
        return np.asarray((self.drive(activity) > 0) & opened)

    def similarity(self, activity: Bits, mask: int | Indices = REST) -> NDArray[np.float64]:
        """How well each code explains each activity (B, N) under a mask, one for all or B of them:
        (B, C), as `vsafsm.vsa.similarity`.
        """
        if self.modules == 1:
            return similarity(self.codes, activity, self.masks[mask])
        found = np.zeros((len(activity), len(self.codes)))
        masks = np.broadcast_to(np.asarray(mask, np.intp), len(activity))
        shape = (len(activity), self.modules, self.module_neurons)
        seen = (activity & self.opened(mask)).reshape(shape)
        wanted = self._open_neurons[masks]
        others = self.open_number[masks][:, None] - wanted
        for module, codes in enumerate(self._codes_in):
            found[:, codes] = seen[:, module].astype(np.float32) @ self.codes[codes].T
        alarms = seen.sum((1, 2))[:, None] - found
        return np.asarray(found / np.maximum(wanted, 1) - alarms / np.maximum(others, 1))

    def decode(self, activity: Bits, mask: int | Indices = REST) -> Indices:
        """The code that each activity (B, N) stands for under a mask, one for all or B of them:
        (B,), -1 for none; as `codes_of`.
        """
        if not len(activity):
            return np.zeros(0, np.intp)
        if self.modules > 1:
            masks = np.broadcast_to(np.asarray(mask, np.intp), len(activity))
            return self.codes_of(from_bits(activity), masks)
        found = similarity(self.codes, activity, self.masks[mask])
        best = found.argmax(1)
        first = found[np.arange(len(found)), best]
        found[np.arange(len(found)), best] = -np.inf
        second = found.max(1, initial=-1.0)
        return np.where((first > THRESHOLD) & (first - second > LEAD), best, -1)

    def to_dense(self) -> Network:
        """The same network as one matrix. Raises `NetworkError` above `MOST_DENSE` neurons."""
        n, size = self.module_neurons, self.neurons
        if size > MOST_DENSE:
            raise NetworkError(
                f"{size} neurons are too many for one matrix; expected at most {MOST_DENSE}"
            )
        weights = np.zeros((size, size), self.blocks.dtype)
        for m, block in enumerate(self.blocks):
            weights[m * n : (m + 1) * n, m * n : (m + 1) * n] = block
        weights[self.between.targets, self.between.senders] = self.between.values
        codes = np.zeros((len(self.codes), self.modules, n), np.bool_)
        codes[np.arange(len(codes)), self.homes] = self.codes
        return Network.dense(
            weights,
            self.gain,
            self.scale,
            self.bits,
            self.opened(np.arange(len(self.inputs) + 1)),
            codes.reshape(len(codes), size),
            self.labels,
            self.start,
            self.states,
            self.inputs,
            self.moore,
            self.contract,
        )


def patterns_of(opened: Bits) -> tuple[Bits, Indices]:
    """Masks (R, n), and the pattern of each mask in each module, from the open neurons (A + 1, M,
    n).
    """
    masks, modules, n = opened.shape
    if modules == 1:
        return opened[:, 0], np.arange(masks)[:, None]
    rows = opened.reshape(-1, n)
    first, which = distinct(np.packbits(rows, axis=1))
    return rows[first], which.reshape(masks, modules)


def mask_index(inputs: tuple[str, ...], symbol: str) -> int:
    """Index of the mask of an input; raises `UnknownInputError`."""
    if symbol not in inputs:
        hint = did_you_mean(symbol, inputs)
        raise UnknownInputError(f'unknown input "{symbol}"; expected {listed(inputs)}{hint}')
    return inputs.index(symbol) + 1
