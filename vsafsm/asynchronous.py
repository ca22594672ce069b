"""Runs that are not synchronous: neurons that are updated one by one or a share at a time, masks
that reach them over a while, and axons with delays.

A draw fixes what is random in a device (its weights, its delays); which neurons are updated when is
random in each run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import NoiseError
from vsafsm.lowering import REST
from vsafsm.machine import Machine
from vsafsm.network import MOST_DENSE, Network
from vsafsm.noise import Asynchronous, Delays, Noise, SpreadMasks, parts
from vsafsm.threads import go_on
from vsafsm.tours import shortest_ways
from vsafsm.vsa import Bits
from vsafsm.walk import WrongWord

MISSED = 0.01
"""Neurons of a whole network that miss their update, on average, in the time that is given for a
step.
"""
MOST_ELEMENTS = 2**19
"""Neurons of all runs that are advanced together, at most."""


KEPT = 0.75
"""Runs that have settled are put aside where fewer than this share still change."""


Watch = Callable[[int, NDArray[np.intp], Bits, Bits, NDArray[np.float64]], None]
"""Sees each step: its number, which runs go on, what fires in them, what masks leave open, and the
share of the neurons that have seen the new mask.
"""


@dataclass(frozen=True)
class Timing:
    """When neurons see what.

    Attributes
    ----------
    share
        Of the neurons that are updated in a step, at random; 0 stands for one neuron per step.
    spread
        Steps over which a mask reaches the neurons, each at a step of its own.
    delay
        Longest delay of an axon, in steps; each neuron has one of its own, of at least 1.
    """

    share: float = 1.0
    spread: int = 0
    delay: int = 1

    def steps(self, synchronous: int, neurons: int) -> int:
        """Steps to hold an input, or to leave after it, that takes so many steps where they are
        synchronous.
        """
        each = 1.0
        if self.share < 1:
            each = math.log(neurons / MISSED) / max(self.share, 1 / neurons)
        return math.ceil(synchronous * each * self.delay) + self.spread


def timing_of(noise: Noise) -> Timing | None:
    """What a noise says of timing; None where all is synchronous."""
    share, spread, delay, found = 1.0, 0, 1, False
    for part in parts(noise):
        if isinstance(part, Asynchronous):
            share, found = part.share, True
        elif isinstance(part, SpreadMasks):
            spread, found = part.steps, True
        elif isinstance(part, Delays):
            delay, found = part.steps, True
    return Timing(share, spread, delay) if found else None


class Runs:
    """Runs of a network of one matrix under a timing.

    Parameters
    ----------
    machine, network
        What is correct, and what is tried.
    timing
        When neurons see what.
    rng
        Of every draw: delays first, then those of each run.

    Raises
    ------
    NoiseError
        If the network has several modules and too many neurons for one matrix.
    """

    def __init__(
        self, machine: Machine, network: Network, timing: Timing, rng: np.random.Generator
    ) -> None:
        if network.modules > 1 and network.neurons > MOST_DENSE:
            raise NoiseError(
                f"timing is tried on one matrix of at most {MOST_DENSE} neurons, not on"
                f" {network.neurons} in modules; expected noise on weights, or layout dense"
            )
        self.machine, self.timing, self.rng = machine, timing, rng
        self.network = network.to_dense() if network.modules > 1 else network
        # What each neuron sends when it comes up, the inhibition included, and below what it sends
        # when it goes off. Sums of whole numbers up to 2**24 are exact in float32.
        largest = (self.network.largest_weight + self.network.gain) * self.network.neurons
        exact = self.network.whole and largest < 2**24
        sent: NDArray[Any] = self.network.rows.astype(np.float32 if exact else np.float64)
        sent = sent - self.network.gain
        self._sent = np.concatenate([sent, -sent])
        self._delays = rng.integers(1, timing.delay + 1, self.network.neurons)
        self._state = {name: x for x, name in enumerate(machine.states)}

    def correct_pairs(self, times: int = 1) -> NDArray[np.bool_]:
        """Which inputs are taken correctly in each reachable state, tried so many times: (times, S,
        A).
        """
        states, inputs = self.machine.reachable, range(len(self.machine.inputs))
        pairs = [(state, a) for state in states for a in inputs] * times
        most = max(1, MOST_ELEMENTS // self.network.neurons)
        found = [self._taken_correctly(pairs[i : i + most]) for i in range(0, len(pairs), most)]
        return np.concatenate(found).reshape(times, len(states), len(inputs))

    def _taken_correctly(self, pairs: Sequence[tuple[str, int]]) -> NDArray[np.bool_]:
        sources = [state for state, _ in pairs]
        run = Run(self, self.network.codes[[self._state[state] for state in sources]])
        return run.is_in(sources) & run.take(sources, np.array([a for _, a in pairs]))

    def shortest_wrong(self, words: Sequence[Sequence[str]] | None) -> WrongWord | None:
        """A shortest of some words that goes wrong, up to the input where it does; or, without
        words, of one word for every input in every state. None where all are correct.
        """
        machine = self.machine
        if words is None:
            ways = shortest_ways(machine)
            words = [
                (*ways[state], symbol) for state in machine.reachable for symbol in machine.inputs
            ]
        index = {symbol: a for a, symbol in enumerate(machine.inputs)}
        wrong = self._first_wrong([[index[symbol] for symbol in word] for word in words])
        failed = [(n, word) for n, word in zip(wrong.tolist(), words, strict=True) if n >= 0]
        if not failed:
            return None
        length, word = min(failed, key=lambda each: each[0])
        trace = machine.run(word[:length])
        before = trace.states[-2] if length else trace.states[0]
        return WrongWord(tuple(word[:length]), before, trace.states[-1], None)

    def correct_words(self, words: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
        """Which of some words (lists of input indices) are run correctly from the reset to their
        end: (B,).
        """
        return np.asarray(self._first_wrong(words) < 0)

    def _first_wrong(self, words: Sequence[Sequence[int]]) -> NDArray[np.intp]:
        """After how many inputs each word goes wrong, or -1: (B,)."""
        run = Run(self, np.repeat(self.network.codes[[self.network.start]], len(words), axis=0))
        machine, states = self.machine, [self.machine.initial] * len(words)
        wrong = np.where(run.is_in(states), -1, 0)
        for n in range(max(map(len, words), default=0)):
            going = np.array([len(word) > n for word in words])
            # Words that have ended take an input more, which does not count.
            symbols = np.array([word[n] if len(word) > n else 0 for word in words])
            correct = run.take(states, symbols)
            wrong = np.where((wrong < 0) & going & ~correct, n + 1, wrong)
            states = [
                machine.transition(state, machine.inputs[a]).to
                for state, a in zip(states, symbols.tolist(), strict=True)
            ]
        return wrong


@dataclass(eq=False)
class _Side:
    """Some runs side by side: which neurons fire, what has arrived of it, and the drives.

    Attributes
    ----------
    active, arrived, drive : (B, N)
    past : (delay, B, N)
        What fired in the last steps, the newest first; of one step where there are no delays.
    """

    active: Bits
    past: Bits
    arrived: Bits
    drive: NDArray[Any]

    def take(self, rows: NDArray[np.intp]) -> _Side:
        """Some of the runs."""
        return _Side(self.active[rows], self.past[:, rows], self.arrived[rows], self.drive[rows])

    def put(self, rows: NDArray[np.intp], other: _Side) -> None:
        """Put other runs in the place of some."""
        self.active[rows], self.past[:, rows] = other.active, other.past
        self.arrived[rows], self.drive[rows] = other.arrived, other.drive


class Run:
    """Some runs from their codes on."""

    def __init__(self, runs: Runs, codes: Bits) -> None:
        self.runs, self.network, self.rng = runs, runs.network, runs.rng
        neurons = codes.shape[1]
        self.side = _Side(
            codes.copy(),
            np.repeat(codes[None], runs.timing.delay, axis=0),
            codes.copy(),
            codes.astype(runs._sent.dtype) @ runs._sent[:neurons],
        )
        self.mask = np.full(len(codes), REST)
        self.phase(self.mask)

    def take(self, states: Sequence[str], symbols: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether each run takes its input as the machine does in its state: outputs while it is
        held, and the state after the gap.
        """
        machine, network = self.runs.machine, self.network
        expected = [
            machine.transition(state, machine.inputs[a])
            for state, a in zip(states, symbols.tolist(), strict=True)
        ]
        self.phase(symbols + 1)
        held = network.decode(self.side.active, symbols + 1)
        right = [
            code >= 0
            and (network.states[network.labels[code].state], network.labels[code].outputs)
            == (taken.to, taken.outputs)
            for code, taken in zip(held.tolist(), expected, strict=True)
        ]
        self.phase(np.full(len(symbols), REST))
        return np.array(right) & self.is_in([taken.to for taken in expected])

    def is_in(self, states: Sequence[str]) -> NDArray[np.bool_]:
        """Whether each run stands for its state at rest."""
        wanted = np.array([self.runs._state[state] for state in states])
        return np.asarray(self.network.decode(self.side.active) == wanted)

    def phase(self, mask: NDArray[np.intp], watch: Watch | None = None) -> None:
        """Go on under other masks until nothing changes any more, or the time is up."""
        timing, network = self.runs.timing, self.network
        contract = network.contract
        at_rest = bool((mask == REST).all())
        steps = timing.steps(
            contract.gap_steps if at_rest else contract.hold_steps, network.neurons
        )
        old, new = network.masks[self.mask], network.masks[mask]
        arrival = self.rng.integers(0, timing.spread + 1, old.shape) if timing.spread else None
        # Only runs that still change are advanced: `side` has those in `rows`.
        rows, side = np.arange(len(mask)), self.side.take(np.arange(len(mask)))
        left, quiet, t = np.full(len(mask), float(steps)), np.zeros(len(mask), np.intp), 0
        while len(rows):
            go_on()
            opened, seen = new[rows], np.ones(len(rows))
            if arrival is not None:
                here = t >= arrival[rows]
                opened, seen = np.where(here, opened, old[rows]), here.mean(1)
            if watch is not None:
                watch(t, rows, side.active & opened, opened, seen)
            changed = self._step(side, opened, left)
            quiet = np.where(changed | (t < timing.spread), 0, quiet + 1)
            t += 1
            going = (left > 0) & (quiet <= timing.delay)
            if going.sum() < KEPT * len(rows):
                self.side.put(rows[~going], side.take(np.flatnonzero(~going)))
                kept = np.flatnonzero(going)
                rows, side, left, quiet = rows[kept], side.take(kept), left[kept], quiet[kept]
        self.mask = mask

    def _step(self, side: _Side, opened: Bits, left: NDArray[np.float64]) -> NDArray[np.bool_]:
        """One step: -> whether anything changes in each run, now or later. What masks close falls
        silent at once.
        """
        share = self.runs.timing.share
        active = side.active & opened
        changed: NDArray[np.bool_] = (active != side.active).any(1)
        differ = (side.drive > 0) & opened
        differ ^= active
        differ &= (left > 0)[:, None]
        rows, neurons = _places(differ)
        changed[rows] = True
        if share == 0:
            rows, neurons = self._one_each(rows, neurons, left)
        else:
            left -= 1
            if share < 1:
                picked = self.rng.random(len(rows)) < share
                rows, neurons = rows[picked], neurons[picked]
        active[rows, neurons] ^= True
        side.active = active
        self._arrive(side)
        return changed

    def _one_each(
        self, rows: NDArray[np.intp], neurons: NDArray[np.intp], left: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """One of the neurons of each row that would change. Steps in which another neuron is
        updated, which changes nothing, are passed over: their number is drawn.
        """
        some, first, count = np.unique(rows, return_index=True, return_counts=True)
        still = np.ones(len(left), np.bool_)
        still[some] = False
        left[still] -= 1
        picked = first + (self.rng.random(len(some)) * count).astype(np.intp)
        if len(some):
            left[some] -= self.rng.geometric(count / self.network.neurons)
        return rows[picked], neurons[picked]

    def _arrive(self, side: _Side) -> None:
        """What fired arrives after the delay of its axon, and changes the drives."""
        if self.runs.timing.delay == 1:
            arrived = side.active
        else:
            side.past = np.concatenate([side.active[None], side.past[:-1]])
            late = (self.runs._delays - 1)[None, None, :]
            arrived = np.take_along_axis(side.past, late, axis=0)[0]
        rows, neurons = _places(arrived != side.arrived)
        sent = neurons + self.network.neurons * ~arrived[rows, neurons]
        # Rows are sorted: what changed in one run stands together. The n-th changes of all runs are
        # added at once, since no run is twice among them.
        turn = np.arange(len(rows)) - np.searchsorted(rows, rows)
        for n in range(int(turn.max(initial=-1)) + 1):
            now = turn == n
            side.drive[rows[now]] += self.runs._sent[sent[now]]
        side.arrived = arrived.copy()


def _places(there: Bits) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of what is true; NumPy is fast at it in one dimension only."""
    rows, columns = np.divmod(np.flatnonzero(there), there.shape[1])
    return rows, columns
