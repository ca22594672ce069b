"""The proof: a walk over every fixed point that some word reaches, holding each against the machine.

The network is synchronous and deterministic, so correctness for all words can be decided, not sampled. From the start
code, settled at rest, and from each fixed point reached, every input is applied; the held point must decode to the
transition's target and Mealy outputs, the point after the gap to the target and its Moore outputs. If the walk closes,
fixed points and machine are bisimilar and every word of any length is run right. The hand-over between masks is walked
as well: with the masks of input and rest both on for a step, and with neither, at the onset and at the end of an input.
A reset drives the same code from everywhere, so it is covered by the start.

Not covered: a hold or gap below the contract, and inputs that overlap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import NetworkError
from vsafsm.lowering import REST
from vsafsm.machine import Machine
from vsafsm.network import MOST_STEPS, Contract, Network
from vsafsm.synchronous import drives
from vsafsm.vsa import Bits

Verdict = Literal["holds", "refuted", "undecided"]
PAIRS = 128
"""(Fixed point, input) pairs walked together."""


@dataclass(frozen=True)
class Counterexample:
    """The shortest word that goes wrong (empty for a wrong start), with what was expected and what was found."""

    word: tuple[str, ...]
    expected: str
    found: str

    def __str__(self) -> str:
        word = " ".join(self.word) if self.word else "(the start)"
        return f"{word}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True)
class Tally:
    """How far every (activity, neuron) pair of the walk is from threshold.

    Attributes
    ----------
    active : (n,)
        Neurons active in the activity.
    distance : (n,)
        |drive| in whole weight steps (rounded down in a real-valued network).
    pairs : (n,)
        Number of distinct pairs with these two.
    """

    active: NDArray[np.int64]
    distance: NDArray[np.int64]
    pairs: NDArray[np.int64]

    def failure_bound(self, sigma: float) -> float:
        """Union bound on the probability that independent Gaussian noise changes any step.

        Noise of standard deviation `sigma` (weight steps) on every weight gives a sum of n of them the deviation
        ``sigma sqrt(n)``; the bound adds up the tails of all pairs, and may exceed 1.
        """
        if sigma <= 0:
            return 0.0
        scaled = self.distance / (sigma * np.sqrt(np.maximum(self.active, 1) * 2.0))
        return float(sum(n * 0.5 * math.erfc(x) for n, x in zip(self.pairs.tolist(), scaled.tolist(), strict=True)))


@dataclass(frozen=True)
class Proof:
    """What the walk found.

    Attributes
    ----------
    verdict
        ``"holds"``; ``"refuted"``, with the shortest word that goes wrong; or ``"undecided"``, where an activity would
        not settle or the walk would not close.
    fixed_points
        Distinct fixed points at rest that words reach.
    contract
        The longest settling under an input, and at rest, in steps.
    radius
        Weight steps: no change of the weights in which each moves by less than this can change any step walked.
    margin
        The same in units (radius / scale): the smallest \\|drive\\| an active neuron of any open neuron in any step.
    tally
        Distances of all (activity, neuron) pairs, for the failure bound.
    counterexample
        Where the verdict is not ``"holds"``.
    """

    verdict: Verdict
    fixed_points: int
    contract: Contract
    radius: float
    margin: float
    tally: Tally
    counterexample: Counterexample | None = None

    @property
    def holds(self) -> bool:
        """Whether every word is run right."""
        return self.verdict == "holds"


def prove(machine: Machine, network: Network, progress: Callable[[int], None] = lambda points: None) -> Proof:
    """Decide whether `network` runs `machine` right on every input word.

    Parameters
    ----------
    progress
        Called with the number of fixed points walked so far.

    Raises
    ------
    NetworkError
        If the network has other states or inputs than the machine.
    """
    if network.inputs != machine.inputs or set(network.states) != set(machine.states):
        raise NetworkError("the network's states and inputs are not the machine's")
    return _Walk(machine, network).run(progress)


class _Stop(Exception):  # noqa: N818 - it ends the walk, it is not an error
    def __init__(self, verdict: Verdict, counterexample: Counterexample) -> None:
        self.verdict: Verdict = verdict
        self.counterexample = counterexample


class _Walk:
    def __init__(self, machine: Machine, network: Network) -> None:
        self.machine, self.network = machine, network
        self.opened = np.vstack([network.masks, np.ones(network.neurons, np.bool_)])
        self.every = len(network.masks)
        self.points: list[Bits] = []
        self.states: list[str] = []
        self.paths: list[tuple[int, str]] = []
        self.index: dict[bytes, int] = {}
        self.most_points = 64 + 16 * len(machine.states)
        self.hold = self.gap = 1
        self.distances = _Distances(self.opened)

    def run(self, progress: Callable[[int], None]) -> Proof:
        verdict: Verdict = "holds"
        counterexample = None
        try:
            self._start()
            done = 0
            while done < len(self.points):
                wave = range(done, len(self.points))
                self._wave(wave)
                done = wave.stop
                progress(done)
        except _Stop as stop:
            verdict, counterexample = stop.verdict, stop.counterexample
        radius = self.distances.radius if verdict == "holds" else 0.0
        contract = Contract(self.hold, self.gap)
        margin = radius / self.network.scale
        return Proof(verdict, len(self.points), contract, radius, margin, self.distances.tally(), counterexample)

    # ---- the walk

    def _start(self) -> None:
        code = self.network.codes[self.network.start][None]
        rest = np.array([REST])
        settled, steps, moving = self._settle(code, rest)
        self.gap = max(self.gap, int(steps.max()))
        if moving.any():
            raise _Stop("undecided", Counterexample((), "the start code to settle", "an activity that does not"))
        self._check_rest(settled[0], self.machine.initial, -1, "")

    def _wave(self, wave: range) -> None:
        """Apply every input to every point of the wave, in the order of words."""
        pairs = [(point, a) for point in wave for a in range(len(self.machine.inputs))]
        undecided: _Stop | None = None
        for i in range(0, len(pairs), PAIRS):
            try:
                self._apply(pairs[i : i + PAIRS])
            except _Stop as stop:
                if stop.verdict == "refuted":
                    raise
                undecided = undecided or stop
        if undecided:
            raise undecided

    def _apply(self, pairs: list[tuple[int, int]]) -> None:
        points = np.stack([self.points[point] for point, _ in pairs])
        masks = np.array([a + 1 for _, a in pairs])
        held, rows, steps, moving = self._hand_over(points, masks, masks)
        self.hold = max(self.hold, int(steps.max()))
        undecided = self._unsettled(pairs, rows, moving, "the input held")
        codes = self.network.decode(held, masks[rows])
        for row, code in zip(rows[~moving].tolist(), codes[~moving].tolist(), strict=True):
            self._check_held(code, *pairs[row])
        held, rows = held[~moving], rows[~moving]
        if not len(rows):
            assert undecided  # noqa: S101 - every row is moving
            raise undecided
        left, again, steps, moving = self._hand_over(held, masks[rows], np.full(len(rows), REST))
        self.gap = max(self.gap, int(steps.max(initial=1)))
        undecided = undecided or self._unsettled(pairs, rows[again], moving, "the gap")
        for row, point in zip(rows[again][~moving].tolist(), left[~moving], strict=True):
            parent, a = pairs[row]
            self._check_rest(point, self._taken(parent, a).to, parent, self.machine.inputs[a])
        if undecided:
            raise undecided

    def _hand_over(
        self, start: Bits, masks: NDArray[np.intp], following: NDArray[np.intp]
    ) -> tuple[Bits, NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
        """Settle under the following masks: at once, after a step with both masks on, and after one with neither.

        -> the distinct outcomes (R, N), the row of `start` that each comes from, the steps, whether still moving.
        """
        every = np.full(len(start), self.every)
        both = self._advance(start, masks, np.full(len(start), REST))
        neither = self._advance(start, every, every)
        begun = np.concatenate([start, both, neither])
        end, steps, moving = self._settle(begun, np.tile(following, 3))
        rows = np.tile(np.arange(len(start)), 3)
        keys: dict[tuple[int, bytes], int] = {}
        for i, (row, packed) in enumerate(zip(rows.tolist(), np.packbits(end, axis=1), strict=True)):
            keys.setdefault((row, packed.tobytes()), i)
        kept = np.array(sorted(keys.values(), key=lambda i: (rows[i], i)), np.intp)
        still = np.array([bool(moving[rows == rows[i]].any()) for i in kept]) if moving.any() else moving[kept]
        return end[kept], rows[kept], steps, still

    def _settle(self, start: Bits, masks: NDArray[np.intp]) -> tuple[Bits, NDArray[np.intp], NDArray[np.bool_]]:
        current, moving = start.copy(), np.arange(len(start))
        steps = np.zeros(len(start), np.intp)
        for n in range(MOST_STEPS):
            following = self._advance(current[moving], masks[moving], np.full(len(moving), self.every))
            changed = (following != current[moving]).any(1)
            current[moving] = following
            moving = moving[changed]
            if not len(moving):
                break
            steps[moving] = n + 1
        return current, steps, np.isin(np.arange(len(start)), moving)

    def _advance(self, activity: Bits, masks: NDArray[np.intp], also: NDArray[np.intp]) -> Bits:
        """One step of each activity under the intersection of two masks; each distinct activity is driven once."""
        packed = np.packbits(activity, axis=1)
        names = [row.tobytes() for row in packed]
        first: dict[bytes, int] = {}
        for i, name in enumerate(names):
            first.setdefault(name, i)
        place = {name: i for i, name in enumerate(first)}
        distinct = activity[list(first.values())]
        drive = drives(self.network, distinct)
        row = np.array([place[name] for name in names])
        self.distances.add(list(first), distinct.sum(1), drive, row, masks, also)
        return np.asarray((drive[row] > 0) & self.opened[masks] & self.opened[also])

    # ---- the checks

    def _taken(self, point: int, a: int) -> Any:
        return self.machine.transition(self.states[point], self.machine.inputs[a])

    def _check_held(self, code: int, point: int, a: int) -> None:
        taken = self._taken(point, a)
        label = self.network.labels[code] if code >= 0 else None
        if label and (self.network.states[label.state], label.outputs) == (taken.to, taken.outputs):
            return
        found = "no code" if label is None else _told(self.network.states[label.state], label.outputs)
        word = (*self._word(point), self.machine.inputs[a])
        expected = f"{_told(taken.to, taken.outputs)} while the input is held"
        raise _Stop("refuted", Counterexample(word, expected, found))

    def _check_rest(self, point: Bits, state: str, parent: int, symbol: str) -> None:
        """Hold a fixed point at rest against the state it should stand for, and remember it if it is new."""
        name = np.packbits(point).tobytes()
        known = self.index.get(name)
        if known is not None and self.states[known] == state:
            return
        word = (*self._word(parent), symbol) if parent >= 0 else ()
        code = int(self.network.decode(point[None])[0])
        label = self.network.labels[code] if code >= 0 else None
        expected = _told(state, self.machine.outputs_of(state))
        if label is None or label.pending:
            found = "no state" if label is None else "a transition still under way"
            raise _Stop("refuted", Counterexample(word, expected, found))
        got, moore = self.network.states[label.state], self.network.moore[label.state]
        if (got, moore) != (state, self.machine.outputs_of(state)):
            raise _Stop("refuted", Counterexample(word, expected, _told(got, moore)))
        if len(self.points) >= self.most_points:
            raise _Stop("undecided", Counterexample(word, "the walk to close", f"over {len(self.points)} fixed points"))
        self.index[name] = len(self.points)
        self.points.append(point.copy())
        self.states.append(state)
        self.paths.append((parent, symbol))

    def _unsettled(
        self, pairs: list[tuple[int, int]], rows: NDArray[np.intp], moving: NDArray[np.bool_], phase: str
    ) -> _Stop | None:
        for row in rows[moving].tolist():
            point, a = pairs[row]
            word = (*self._word(point), self.machine.inputs[a])
            found = f"an activity that still changes after {MOST_STEPS} steps"
            return _Stop("undecided", Counterexample(word, f"{phase} to settle", found))
        return None

    def _word(self, point: int) -> tuple[str, ...]:
        return tuple(reversed(list(self._backwards(point))))

    def _backwards(self, point: int) -> Iterator[str]:
        while point > 0:
            point, symbol = self.paths[point]
            yield symbol


def _told(state: str, outputs: tuple[str, ...]) -> str:
    return f'"{state}"' + (f" with outputs {', '.join(outputs)}" if outputs else "")


class _Distances:
    """Smallest distance from threshold, and the tally of all, each (activity, neuron) pair counted once."""

    def __init__(self, opened: Bits) -> None:
        self.opened = opened
        self.radius = math.inf
        self.seen: dict[bytes, NDArray[np.uint8]] = {}
        self.done: set[tuple[bytes, int, int]] = set()
        self.counts: dict[int, NDArray[np.int64]] = {}

    def add(
        self,
        names: list[bytes],
        active: NDArray[np.intp],
        drive: NDArray[Any],
        rows: NDArray[np.intp],
        masks: NDArray[np.intp],
        also: NDArray[np.intp],
    ) -> None:
        """Count the open neurons of each (activity, pair of masks) that has not been counted yet."""
        fresh = np.zeros(drive.shape, np.bool_)
        for row, one, two in dict.fromkeys(zip(rows.tolist(), masks.tolist(), also.tolist(), strict=True)):
            key = (names[row], one, two)
            if key not in self.done:
                self.done.add(key)
                fresh[row] |= self.opened[one] & self.opened[two]
        for row in np.flatnonzero(fresh.any(1)).tolist():
            name, packed = names[row], np.packbits(fresh[row])
            before = self.seen.get(name)
            self.seen[name] = packed if before is None else packed | before
            if before is not None:
                fresh[row] &= ~np.unpackbits(before, count=fresh.shape[1]).astype(np.bool_)
        distance = np.abs(drive)
        for n in np.unique(active).tolist():
            found = distance[active == n][fresh[active == n]]
            if len(found):
                self.radius = min(self.radius, float(found.min()) / max(n, 1))
                self._count(n, np.bincount(found.astype(np.int64)))

    def _count(self, n: int, counted: NDArray[np.int64]) -> None:
        before = self.counts.get(n, np.zeros(0, np.int64))
        total = np.zeros(max(len(before), len(counted)), np.int64)
        total[: len(before)] += before
        total[: len(counted)] += counted
        self.counts[n] = total

    def tally(self) -> Tally:
        columns = [(n, d, int(c[d])) for n, c in sorted(self.counts.items()) for d in np.flatnonzero(c).tolist()]
        table = np.array(columns, np.int64).reshape(-1, 3)
        return Tally(table[:, 0], table[:, 1], table[:, 2])
