"""The proof: a walk over every fixed point that some word reaches, holding each against the
machine.

The network is synchronous and deterministic, so correctness for all words can be decided, not
sampled. From the start code, settled at rest, and from each fixed point reached, every input is
applied; the held point must decode to the transition's target and Mealy outputs, the point after
the gap to the target and its Moore outputs. If the walk closes, fixed points and machine are
bisimilar and every word of any length is run right. The hand-over between masks is walked as well:
with the masks of input and rest both on for a step, and with neither, at the onset and at the end
of an input. A reset drives the same code from everywhere, so it is covered by the start.

Not covered: a hold or gap below the contract, and inputs that overlap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import NetworkError
from vsafsm.lowering import REST
from vsafsm.machine import Machine
from vsafsm.network import MOST_STEPS, Contract, Network
from vsafsm.vsa import Bits

Verdict = Literal["holds", "refuted", "undecided"]
PAIRS = 128
"""(Fixed point, input) pairs walked together."""


HandOver = Literal["at once", "both", "neither"]
"""From one mask to the next: at once, after a step with both masks on, or after a step with
neither.
"""
HAND_OVERS: tuple[HandOver, ...] = ("at once", "both", "neither")
Timing = tuple[HandOver, HandOver]
"""The hand-overs at the onset and at the end of an input."""
AT_ONCE: Timing = ("at once", "at once")


@dataclass(frozen=True)
class Counterexample:
    """The shortest word that goes wrong (empty for a wrong start), with what was expected and what
    was found.

    ``timings`` has the hand-overs of each input with which it does; an input still held has ``"at
    once"`` for its end.
    """

    word: tuple[str, ...]
    expected: str
    found: str
    timings: tuple[Timing, ...] = ()

    def __str__(self) -> str:
        word = " ".join(self.word) if self.word else "(the start)"
        unusual = [
            f"{masks} masks on for a step at the {end} of input {i}"
            for i, timing in enumerate(self.timings, 1)
            for end, masks in zip(("onset", "end"), timing, strict=True)
            if masks != "at once"
        ]
        when = (
            f" (with {' and '.join(unusual)})".replace("neither masks", "neither mask")
            if unusual
            else ""
        )
        return f"{word}{when}: expected {self.expected}, found {self.found}"


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

        Noise of standard deviation `sigma` (weight steps) on every weight gives a sum of n of them
        the deviation ``sigma sqrt(n)``; the bound adds up the tails of all pairs, and may exceed 1.
        """
        if sigma <= 0:
            return 0.0
        scaled = self.distance / (sigma * np.sqrt(np.maximum(self.active, 1) * 2.0))
        return float(
            sum(
                n * 0.5 * math.erfc(x)
                for n, x in zip(self.pairs.tolist(), scaled.tolist(), strict=True)
            )
        )


@dataclass(frozen=True)
class Proof:
    """What the walk found.

    Attributes
    ----------
    verdict
        ``"holds"``; ``"refuted"``, with the shortest word that goes wrong; or ``"undecided"``,
        where an activity would not settle within the network's contract or the walk would not
        close.
    fixed_points
        Distinct fixed points at rest that words reach.
    contract
        The longest settling under an input, and at rest, in steps.
    radius
        Weight steps: no change of the weights in which each moves by less than this can change any
        step walked.
    margin
        The same in units (radius / scale): the smallest \\|drive\\| an active neuron of any open
        neuron in any step.
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


def prove(
    machine: Machine, network: Network, progress: Callable[[int], None] = lambda points: None
) -> Proof:
    """Decide whether `network` runs `machine` right on every input word, at the timing of its
    contract or slower.

    Parameters
    ----------
    progress
        Called with the number of fixed points walked so far.

    Raises
    ------
    NetworkError
        If the network has other states or inputs than the machine.
    """
    if network.inputs != machine.inputs or sorted(network.states) != sorted(machine.states):
        raise NetworkError("the network's states and inputs are not the machine's")
    return _Walk(machine, network).run(progress)


class _Stop(Exception):  # noqa: N818 - it ends the walk, it is not an error
    def __init__(self, verdict: Verdict, counterexample: Counterexample) -> None:
        self.verdict: Verdict = verdict
        self.counterexample = counterexample


@dataclass(frozen=True)
class _HandedOver:
    """Where R distinct hand-overs end: the row that each began with, how it went, and whether it
    still moves.

    ``steps`` is the most that any took, and ``slowest`` the row it began with.
    """

    activity: Bits
    rows: NDArray[np.intp]
    manner: list[HandOver]
    moving: NDArray[np.bool_]
    steps: int
    slowest: int

    @property
    def settled(self) -> _HandedOver:
        """Those that came to rest."""
        kept = np.flatnonzero(~self.moving)
        manner = [self.manner[i] for i in kept.tolist()]
        return replace(
            self,
            activity=self.activity[kept],
            rows=self.rows[kept],
            manner=manner,
            moving=self.moving[kept],
        )


class _Walk:
    def __init__(self, machine: Machine, network: Network) -> None:
        self.machine, self.network = machine, network
        self.opened = np.vstack([network.masks, np.ones(network.neurons, np.bool_)])
        self.every = len(network.masks)
        self.points: list[Bits] = []
        self.states: list[str] = []
        self.paths: list[tuple[int, str, Timing]] = []
        self.index: dict[bytes, int] = {}
        self.most_points = 64 + 16 * len(machine.states)
        self.hold = self.gap = 1
        self.late: _Stop | None = None
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
            if self.late:
                raise self.late
        except _Stop as stop:
            verdict, counterexample = stop.verdict, stop.counterexample
        radius = self.distances.radius if verdict == "holds" else 0.0
        contract = Contract(self.hold, self.gap)
        margin = radius / self.network.scale
        return Proof(
            verdict,
            len(self.points),
            contract,
            radius,
            margin,
            self.distances.tally(),
            counterexample,
        )

    # ---- the walk

    def _start(self) -> None:
        code = self.network.codes[self.network.start][None]
        rest = np.array([REST])
        settled, steps, moving = self._settle(code, rest)
        self.gap = max(self.gap, int(steps.max()))
        self._note_late((), "the start code", self.gap, self.network.contract.gap_steps)
        if moving.any():
            raise _Stop(
                "undecided",
                Counterexample((), "the start code to settle", "an activity that does not"),
            )
        self._check_rest(settled[0], self.machine.initial, -1, "", AT_ONCE)

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
        contract = self.network.contract
        held = self._hand_over(points, masks, masks)
        self.hold = max(self.hold, held.steps)
        self._note_late(
            self._word_of(pairs[held.slowest]), "the input held", held.steps, contract.hold_steps
        )
        undecided = self._unsettled(pairs, held, "the input held")
        codes = self.network.decode(held.activity, masks[held.rows])
        for i in np.flatnonzero(~held.moving).tolist():
            self._check_held(int(codes[i]), pairs[held.rows[i]], (held.manner[i], "at once"))
        held = held.settled
        if not len(held.rows):
            assert undecided  # noqa: S101 - every row is moving
            raise undecided
        rest = np.full(len(held.rows), REST)
        left = self._hand_over(held.activity, masks[held.rows], rest)
        self.gap = max(self.gap, left.steps)
        slowest = pairs[held.rows[left.slowest]]
        self._note_late(self._word_of(slowest), "the gap", left.steps, contract.gap_steps)
        onsets = [held.manner[row] for row in left.rows.tolist()]
        left = replace(left, rows=held.rows[left.rows])
        undecided = undecided or self._unsettled(pairs, left, "the gap")
        for i in np.flatnonzero(~left.moving).tolist():
            parent, a = pairs[left.rows[i]]
            timing = (onsets[i], left.manner[i])
            self._check_rest(
                left.activity[i], self._taken(parent, a).to, parent, self.machine.inputs[a], timing
            )
        if undecided:
            raise undecided

    def _hand_over(
        self, start: Bits, masks: NDArray[np.intp], following: NDArray[np.intp]
    ) -> _HandedOver:
        """Settle under the following masks: at once, after a step with both masks on, and after one
        with neither.
        """
        every = np.full(len(start), self.every)
        both = self._advance(start, masks, np.full(len(start), REST))
        neither = self._advance(start, every, every)
        begun = np.concatenate([start, both, neither])
        end, steps, moving = self._settle(begun, np.tile(following, 3))
        rows = np.tile(np.arange(len(start)), 3)
        keys: dict[tuple[int, bytes], int] = {}
        for i, (row, packed) in enumerate(
            zip(rows.tolist(), np.packbits(end, axis=1), strict=True)
        ):
            keys.setdefault((row, packed.tobytes()), i)
        kept = np.array(sorted(keys.values(), key=lambda i: (rows[i], i)), np.intp)
        still = (
            np.array([bool(moving[rows == rows[i]].any()) for i in kept])
            if moving.any()
            else moving[kept]
        )
        manner = [HAND_OVERS[i // len(start)] for i in kept.tolist()]
        return _HandedOver(
            end[kept], rows[kept], manner, still, int(steps.max()), int(rows[steps.argmax()])
        )

    def _settle(
        self, start: Bits, masks: NDArray[np.intp]
    ) -> tuple[Bits, NDArray[np.intp], NDArray[np.bool_]]:
        """-> where each activity comes to rest, the steps it took, whether it would still change
        after the most.
        """
        current, moving = start.copy(), np.arange(len(start))
        steps = np.zeros(len(start), np.intp)
        for n in range(MOST_STEPS + 1):
            following = self._advance(
                current[moving], masks[moving], np.full(len(moving), self.every)
            )
            changed = (following != current[moving]).any(1)
            moving, following = moving[changed], following[changed]
            if not len(moving) or n == MOST_STEPS:
                break
            current[moving] = following
            steps[moving] = n + 1
        return current, steps, np.isin(np.arange(len(start)), moving)

    def _advance(self, activity: Bits, masks: NDArray[np.intp], also: NDArray[np.intp]) -> Bits:
        """One step of each activity under the intersection of two masks; each distinct activity is
        driven once.
        """
        packed = np.packbits(activity, axis=1)
        names = [row.tobytes() for row in packed]
        first: dict[bytes, int] = {}
        for i, name in enumerate(names):
            first.setdefault(name, i)
        place = {name: i for i, name in enumerate(first)}
        distinct = activity[list(first.values())]
        drive = self.network.drive(distinct)
        row = np.array([place[name] for name in names])
        self.distances.add(list(first), distinct.sum(1), drive, row, masks, also)
        return np.asarray((drive[row] > 0) & self.opened[masks] & self.opened[also])

    # ---- the checks

    def _note_late(self, word: tuple[str, ...], phase: str, steps: int, allowed: int) -> None:
        """Remember the first word that needs more than the contract's steps: no proof, unless worse
        comes.
        """
        if steps > allowed and not self.late:
            expected = f"{phase} to settle within the {allowed} of the contract"
            self.late = _Stop("undecided", Counterexample(word, expected, f"{steps} steps"))

    def _taken(self, point: int, a: int) -> Any:
        return self.machine.transition(self.states[point], self.machine.inputs[a])

    def _check_held(self, code: int, pair: tuple[int, int], timing: Timing) -> None:
        point, a = pair
        taken = self._taken(point, a)
        label = self.network.labels[code] if code >= 0 else None
        if label and (self.network.states[label.state], label.outputs) == (taken.to, taken.outputs):
            return
        found = (
            "no code" if label is None else _told(self.network.states[label.state], label.outputs)
        )
        word = self._word_of(pair)
        expected = f"{_told(taken.to, taken.outputs)} while the input is held"
        raise _Stop(
            "refuted", Counterexample(word, expected, found, (*self._timings(point), timing))
        )

    def _check_rest(
        self, point: Bits, state: str, parent: int, symbol: str, timing: Timing
    ) -> None:
        """Hold a fixed point at rest against the state it should stand for, and remember it if it
        is new.
        """
        name = np.packbits(point).tobytes()
        known = self.index.get(name)
        if known is not None and self.states[known] == state:
            return
        word = (*self._word(parent), symbol) if parent >= 0 else ()
        timings = (*self._timings(parent), timing) if parent >= 0 else ()
        code = int(self.network.decode(point[None])[0])
        label = self.network.labels[code] if code >= 0 else None
        expected = _told(state, self.machine.outputs_of(state))
        if label is None or label.pending:
            found = "no state" if label is None else "a transition still under way"
            raise _Stop("refuted", Counterexample(word, expected, found, timings))
        got, moore = self.network.states[label.state], self.network.moore[label.state]
        if (got, moore) != (state, self.machine.outputs_of(state)):
            raise _Stop("refuted", Counterexample(word, expected, _told(got, moore), timings))
        if len(self.points) >= self.most_points:
            found = f"over {len(self.points)} fixed points"
            raise _Stop("undecided", Counterexample(word, "the walk to close", found, timings))
        self.index[name] = len(self.points)
        self.points.append(point.copy())
        self.states.append(state)
        self.paths.append((parent, symbol, timing))

    def _unsettled(
        self, pairs: list[tuple[int, int]], reached: _HandedOver, phase: str
    ) -> _Stop | None:
        for row in reached.rows[reached.moving].tolist():
            word = self._word_of(pairs[row])
            found = f"an activity that still changes after {MOST_STEPS} steps"
            return _Stop("undecided", Counterexample(word, f"{phase} to settle", found))
        return None

    def _word_of(self, pair: tuple[int, int]) -> tuple[str, ...]:
        return (*self._word(pair[0]), self.machine.inputs[pair[1]])

    def _word(self, point: int) -> tuple[str, ...]:
        return tuple(reversed([symbol for symbol, _ in self._backwards(point)]))

    def _timings(self, point: int) -> tuple[Timing, ...]:
        return tuple(reversed([timing for _, timing in self._backwards(point)]))

    def _backwards(self, point: int) -> Iterator[tuple[str, Timing]]:
        while point > 0:
            point, symbol, timing = self.paths[point]
            yield symbol, timing


def _told(state: str, outputs: tuple[str, ...]) -> str:
    return f'"{state}"' + (f" with outputs {', '.join(outputs)}" if outputs else "")


class _Distances:
    """Smallest distance from threshold, and the tally of all, each (activity, neuron) pair counted
    once.
    """

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
        """Count the open neurons of each (activity, pair of masks) that has not been counted
        yet.
        """
        fresh = np.zeros(drive.shape, np.bool_)
        for row, one, two in dict.fromkeys(
            zip(rows.tolist(), masks.tolist(), also.tolist(), strict=True)
        ):
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
        columns = [
            (n, d, int(c[d]))
            for n, c in sorted(self.counts.items())
            for d in np.flatnonzero(c).tolist()
        ]
        table = np.array(columns, np.int64).reshape(-1, 3)
        return Tally(table[:, 0], table[:, 1], table[:, 2])
