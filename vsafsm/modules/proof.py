"""The proof of a modular network: the walk of `vsafsm.proof`, on sparse activities.

What is decided is the same: every fixed point that some word reaches, under every input, with masks
that change at once, after a step with both on, and after a step with neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import NetworkError
from vsafsm.hand_overs import HAND_OVERS
from vsafsm.lowering import REST
from vsafsm.machine import Machine
from vsafsm.modules.network import Activity, Batch, Drives, Indices, ModularNetwork, batch, patterns
from vsafsm.network import MOST_STEPS, Contract
from vsafsm.proof import AT_ONCE, Counterexample, Proof, Tally, Timing, Verdict
from vsafsm.vsa import Bits

PAIRS = 128
"""(Fixed point, input) pairs walked together."""


def prove(
    machine: Machine,
    network: ModularNetwork,
    progress: Callable[[int], None] = lambda points: None,
) -> Proof:
    """Decide whether `network` runs `machine` correctly on every input word.

    Parameters
    ----------
    machine, network
    progress
        Called with the number of fixed points walked so far.

    Raises
    ------
    NetworkError
        If the network has other states or inputs than the machine.

    Examples
    --------
    >>> import vsafsm
    >>> from vsafsm.modules import build, prove
    >>> machine = vsafsm.load("specs/tcp_connection.yaml")
    >>> prove(machine, build(machine, states=4)).verdict
    'holds'
    """
    if network.inputs != machine.inputs or network.states != machine.states:
        raise NetworkError("the network's states and inputs are not the machine's")
    return _ModularWalk(machine, network).run(progress)


class _End(Exception):  # noqa: N818 - it ends the walk, it is not an error
    def __init__(self, verdict: Verdict, counterexample: Counterexample) -> None:
        self.verdict: Verdict = verdict
        self.counterexample = counterexample


@dataclass(frozen=True, eq=False)
class _Ends:
    """Where hand-overs end: activities, the start and the manner of each, and the most steps."""

    activity: Batch
    rows: Indices
    manner: Indices
    steps: int


class _ModularWalk:
    """Breadth first over fixed points, so that the first wrong word is a shortest one."""

    def __init__(self, machine: Machine, network: ModularNetwork) -> None:
        self.machine, self.network = machine, network
        self.points: list[Activity] = []
        self.states: list[int] = []
        self.paths: list[tuple[int, int, Timing]] = []
        self.index: dict[bytes, int] = {}
        self.most_points = 64 + 16 * len(machine.states)
        self.hold = self.gap = 1
        self.none = len(network.masks)
        self.distances = _ModularDistances(network)
        self.moore = [machine.outputs_of(state) for state in machine.states]

    def run(self, progress: Callable[[int], None]) -> Proof:
        verdict: Verdict = "holds"
        counterexample = None
        try:
            self._start()
            done = 0
            while done < len(self.points):
                wave = [
                    (point, a)
                    for point in range(done, len(self.points))
                    for a in range(len(self.machine.inputs))
                ]
                done = len(self.points)
                for i in range(0, len(wave), PAIRS):
                    self._apply(wave[i : i + PAIRS])
                    progress(wave[i][0])
            contract = self.network.contract
            if self.hold > contract.hold_steps or self.gap > contract.gap_steps:
                expected = f"to settle within {contract.hold_steps} and {contract.gap_steps} steps"
                found = f"{self.hold} and {self.gap} steps"
                raise _End("undecided", Counterexample((), expected, found))
        except _End as end:
            verdict, counterexample = end.verdict, end.counterexample
        radius = self.distances.radius if verdict == "holds" else 0.0
        return Proof(
            verdict,
            len(self.points),
            Contract(self.hold, self.gap),
            radius,
            radius / self.network.scale,
            self.distances.tally(),
            counterexample,
        )

    def _start(self) -> None:
        code = batch([self.network.code_activity(self.network.start)])
        rest, none = np.array([REST]), np.array([self.none])
        settled, steps, moving = self._settle(code, rest, none)
        if moving.any():
            raise _End("undecided", Counterexample((), "the start code to settle", "it does not"))
        self.gap = max(self.gap, steps)
        self._check_rest(settled, [self.network.states.index(self.machine.initial)], [(-1, -1)], [])

    def _apply(self, pairs: list[tuple[int, int]]) -> None:
        """Hold an input at each point until the activity settles, check it, then do the same for
        the gap.
        """
        points = batch([self.points[point] for point, _ in pairs])
        masks = np.array([a + 1 for _, a in pairs])
        held = self._hand_over(points, masks, masks, pairs)
        self.hold = max(self.hold, held.steps)
        codes = self.network.decode(held.activity, masks[held.rows])
        for i, code in enumerate(codes.tolist()):
            self._check_held(code, pairs[held.rows[i]], held.manner[i])
        owners = [pairs[row] for row in held.rows.tolist()]
        rest = np.full(len(owners), REST)
        after = self._hand_over(held.activity, masks[held.rows], rest, owners)
        self.gap = max(self.gap, after.steps)
        targets, manners = [], []
        for row, manner in zip(after.rows.tolist(), after.manner.tolist(), strict=True):
            point, a = owners[row]
            to = self.machine.table[self.states[point]][a].to
            targets.append(self.machine.state_index(to))
            manners.append((HAND_OVERS[held.manner[row]], HAND_OVERS[manner]))
        found = [owners[row] for row in after.rows.tolist()]
        self._check_rest(after.activity, targets, found, manners)

    # ---- steps

    def _hand_over(
        self, start: Batch, masks: Indices, following: Indices, pairs: list[tuple[int, int]]
    ) -> _Ends:
        """Settle under the following masks, from each start in all three ways; of equal ends of one
        start the first is kept.
        """
        size = len(start)
        rest, none = np.full(size, REST), np.full(size, self.none)
        both, neither = self._advance(start, masks, rest), self._advance(start, none, none)
        begun = _join([start, both, neither])
        rows = np.tile(np.arange(size), 3)
        every = np.full(3 * size, self.none)
        end, steps, moving = self._settle(begun, np.tile(following, 3), every)
        if moving.any():
            word = self._word_of(pairs[int(rows[moving][0])])
            found = f"an activity that still changes after {MOST_STEPS} steps"
            raise _End("undecided", Counterexample(word, "the activity to settle", found))
        first: dict[tuple[int, bytes], int] = {}
        for i, (row, key) in enumerate(zip(rows.tolist(), end.keys, strict=True)):
            first.setdefault((row, key), i)
        kept = np.array(sorted(first.values(), key=lambda i: (rows[i], i)), np.intp)
        return _Ends(end.take(kept), rows[kept], kept // size, steps)

    def _settle(
        self, start: Batch, masks: Indices, also: Indices
    ) -> tuple[Batch, int, NDArray[np.bool_]]:
        """Run each activity until it no longer changes: -> ends, the most steps, and which still
        move.
        """
        rows: list[Activity] = [start[i] for i in range(len(start))]
        moving, current, most = np.arange(len(start)), start, 0
        for n in range(MOST_STEPS + 1):
            after = self._advance(current, masks[moving], also[moving])
            pairs = zip(after.keys, current.keys, strict=True)
            changed = np.flatnonzero([new != old for new, old in pairs])
            moving, current = moving[changed], after.take(changed)
            if not len(moving) or n == MOST_STEPS:
                break
            for i, row in enumerate(moving.tolist()):
                rows[row] = current[i]
            most = n + 1
        return batch(rows), most, np.isin(np.arange(len(start)), moving)

    def _advance(self, activity: Batch, masks: Indices, also: Indices) -> Batch:
        """One step of each activity; each distinct activity is driven once."""
        keys = activity.keys
        place: dict[bytes, int] = {}
        first: list[int] = []
        for i, key in enumerate(keys):
            if key not in place:
                place[key] = len(first)
                first.append(i)
        distinct = activity.take(np.array(first, np.intp))
        drives = self.network.drive(distinct)
        rows = np.array([place[key] for key in keys], np.intp)
        opened = patterns(self.network.masks, masks, also)
        self.distances.observe(distinct, list(place), drives, rows, opened)
        return self.network.fire(drives, rows, opened)

    # ---- checks

    def _check_held(self, code: int, pair: tuple[int, int], manner: int) -> None:
        point, a = pair
        transition = self.machine.table[self.states[point]][a]
        label = self.network.labels[code] if code >= 0 else None
        state = self.network.states[label.state] if label else ""
        if label and (state, label.outputs) == (transition.to, transition.outputs):
            return
        outcome = _describe(state, label.outputs) if label else "no code"
        expected = f"{_describe(transition.to, transition.outputs)} while the input is held"
        timings = (*self._timings(point), (HAND_OVERS[manner], "at once"))
        raise _End("refuted", Counterexample(self._word_of(pair), expected, outcome, timings))

    def _check_rest(
        self,
        activity: Batch,
        targets: list[int],
        owners: list[tuple[int, int]],
        manners: list[Timing],
    ) -> None:
        """Compare fixed points at rest with the states that they should stand for; remember those
        that are new.
        """
        keys = activity.keys
        new = [i for i, key in enumerate(keys) if not self._is_known(key, targets[i])]
        codes = self.network.decode(activity.take(np.array(new, np.intp)), np.zeros(len(new), int))
        for i, code in zip(new, codes.tolist(), strict=True):
            if self._is_known(keys[i], targets[i]):
                continue
            parent, a = owners[i]
            timing = manners[i] if parent >= 0 else AT_ONCE
            word = self._word_of((parent, a)) if parent >= 0 else ()
            timings = (*self._timings(parent), timing) if parent >= 0 else ()
            name, outputs = self.machine.states[targets[i]], self.moore[targets[i]]
            label = self.network.labels[code] if code >= 0 else None
            if label is None or label.pending or label.state != targets[i]:
                outcome = "no state" if label is None else "a transition still under way"
                if label is not None and not label.pending:
                    outcome = _describe(
                        self.network.states[label.state], self.network.moore[label.state]
                    )
                expected = _describe(name, outputs)
                raise _End("refuted", Counterexample(word, expected, outcome, timings))
            if len(self.points) >= self.most_points:
                outcome = f"over {len(self.points)} fixed points"
                raise _End("undecided", Counterexample(word, "the walk to close", outcome, timings))
            self.index[keys[i]] = len(self.points)
            self.points.append(activity[i].copy())
            self.states.append(targets[i])
            self.paths.append((parent, a, timing))

    def _is_known(self, key: bytes, state: int) -> bool:
        point = self.index.get(key)
        return point is not None and self.states[point] == state

    # ---- from a point back to the word that reaches it

    def _word_of(self, pair: tuple[int, int]) -> tuple[str, ...]:
        point, a = pair
        word = [self.machine.inputs[a]]
        while point > 0:
            point, a, _ = self.paths[point]
            word.append(self.machine.inputs[a])
        return tuple(reversed(word))

    def _timings(self, point: int) -> tuple[Timing, ...]:
        timings = []
        while point > 0:
            point, _, timing = self.paths[point]
            timings.append(timing)
        return tuple(reversed(timings))


def _join(batches: list[Batch]) -> Batch:
    counts = np.concatenate([each.counts for each in batches])
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    return Batch(starts, np.concatenate([each.neurons for each in batches]))


def _describe(state: str, outputs: tuple[str, ...]) -> str:
    return f'"{state}"' + (f" with outputs {', '.join(outputs)}" if outputs else "")


class _ModularDistances:
    """Smallest distance from threshold, and the tally of all, each (activity, neuron) pair counted
    once. Masks are the same in every module, so a pattern of one module says which neurons count.
    """

    def __init__(self, network: ModularNetwork) -> None:
        self.network = network
        self.radius = math.inf
        self.counted: dict[bytes, NDArray[np.uint8]] = {}
        self.counts: dict[tuple[int, int], int] = {}

    def observe(
        self, distinct: Batch, keys: list[bytes], drives: Drives, rows: Indices, opened: Bits
    ) -> None:
        """Count the open neurons of each activity that were not counted yet."""
        fresh = np.zeros((len(distinct), opened.shape[1]), np.bool_)
        np.logical_or.at(fresh, rows, opened)
        for d, key in enumerate(keys):
            packed, before = np.packbits(fresh[d]), self.counted.get(key)
            if before is None:
                self.counted[key] = packed
                continue
            self.counted[key] = packed | before
            new = packed & ~before
            fresh[d] = np.unpackbits(new, count=fresh.shape[1]).astype(np.bool_)
        active, distance = distinct.counts, np.abs(drives.values)
        pair_row = np.repeat(np.arange(len(distinct)), np.diff(drives.starts))
        reached = np.repeat(np.arange(len(distinct)), np.diff(drives.sparse_starts))
        n = self.network.module_neurons
        counted = fresh[reached, drives.sparse_neurons % n]
        for k in np.unique(active[fresh.any(1)]).tolist():
            chosen = (active == k)[pair_row]
            self._count(k, distance[chosen][fresh[pair_row[chosen]]])
            chosen = (active == k)[reached] & counted
            self._count(k, np.abs(drives.sparse_values[chosen]))
        # All other neurons have the inhibition alone.
        open_ = fresh.sum(1) * (self.network.modules - np.diff(drives.starts))
        open_ -= np.bincount(reached[counted], minlength=len(distinct))
        for d in np.flatnonzero(open_).tolist():
            self._add(int(active[d]), int(-drives.elsewhere[d]), int(open_[d]))

    def _count(self, n: int, values: NDArray[np.signedinteger[Any]]) -> None:
        counts = np.bincount(values)
        for d in np.flatnonzero(counts).tolist():
            self._add(n, d, int(counts[d]))

    def _add(self, n: int, distance: int, neurons: int) -> None:
        self.radius = min(self.radius, distance / max(n, 1))
        self.counts[n, distance] = self.counts.get((n, distance), 0) + neurons

    def tally(self) -> Tally:
        table = np.array(
            [(n, d, count) for (n, d), count in sorted(self.counts.items())], np.int64
        ).reshape(-1, 3)
        return Tally(table[:, 0], table[:, 1], table[:, 2])
