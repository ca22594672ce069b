"""A sweep from its first draw to its rows: the same whatever measures the draws, and in whatever
order they come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from vsafsm.proof import Proof, prove
from vsafsm.sweeps.executors import Chunk, Executor, serial
from vsafsm.sweeps.journal import Memory
from vsafsm.sweeps.plan import Plan, Point
from vsafsm.sweeps.rows import Count, Row, row
from vsafsm.sweeps.trial import Outcome

CHUNK = 10
"""Draws measured together on an exact backend; elsewhere, where a draw takes seconds, each by
itself.
"""
Progress = Callable[[str, float], None]


def measure(
    plan: Plan,
    journal: Memory,
    execute: Executor = serial,
    progress: Progress = lambda what, share: None,
) -> list[Row]:
    """Measure what the journal does not have yet: -> one row per point, in the plan's order.

    Points are measured side by side, a chunk of draws each in turn. How many draws a point gets
    depends on their outcomes in the order of their numbers alone; what was measured beyond that is
    left out.

    Raises
    ------
    SweepError, BackendError
        If it cannot go on; the journal has what was measured.
    """
    measurement = _Measurement(plan, journal, progress)
    for chunk, found in execute(plan.subjects, plan.trials, measurement.chunks()):
        measurement.take(chunk, found)
    proofs = [prove(s.program.machine, s.deployed or s.program.network) for s in plan.subjects]
    return [measurement.row(i, proofs[point.subject]) for i, point in enumerate(plan.points)]


class _Measurement:
    def __init__(self, plan: Plan, journal: Memory, progress: Progress) -> None:
        self.plan, self.journal, self.progress = plan, journal, progress
        self.points = plan.points
        self.counts = [self._count(point) for point in self.points]
        self.begun = time.monotonic()
        for i in range(len(self.points)):
            self._go_on(i)
        self.before = self._share()

    def chunks(self) -> Iterator[Chunk]:
        """What is still to be measured, as far as is known when each is asked for."""
        for first in range(0, self.plan.trials.most, CHUNK):
            every = range(first, min(first + CHUNK, self.plan.trials.most))
            for i, point in enumerate(self.points):
                kept = self.journal.kept.get(i, {})
                numbers = tuple(n for n in every if n not in kept)
                for part in self._parts(point.subject, numbers):
                    if not self.counts[i].done:
                        yield Chunk(i, point.subject, point.noise, part)

    def take(self, chunk: Chunk, found: list[Outcome]) -> None:
        self.journal.add(chunk.point, chunk.numbers, found)
        self._go_on(chunk.point)
        share = self._share()
        self.progress(self._status(share), share)

    def row(self, i: int, proof: Proof) -> Row:
        point, kept = self.points[i], self.journal.kept[i]
        subject = self.plan.subjects[point.subject]
        found = [kept[n] for n in range(self.counts[i].draws)]
        return row(self.plan.trials, subject, proof, point.noise, found)

    def _parts(self, subject: int, numbers: tuple[int, ...]) -> list[tuple[int, ...]]:
        if self.plan.subjects[subject].exact:
            return [numbers] if numbers else []
        return [(n,) for n in numbers]

    def _count(self, point: Point) -> Count:
        machine = self.plan.subjects[point.subject].program.machine
        return Count(machine.reachable_transitions, self.plan.trials)

    def _go_on(self, i: int) -> None:
        self.counts[i].go_on(self.journal.kept.get(i, {}))

    def _share(self) -> float:
        most = self.plan.trials.most
        tried = sum(
            most if count.done else len(self.journal.kept.get(i, {}))
            for i, count in enumerate(self.counts)
        )
        return tried / (most * len(self.points))

    def _status(self, share: float) -> str:
        spent = time.monotonic() - self.begun
        draws = sum(map(len, self.journal.kept.values()))
        done = sum(count.done for count in self.counts)
        status = f"{done} of {len(self.points)} points, {draws} draws"
        if self.before + 0.01 < share < 1:
            status += f", about {_duration(spent * (1 - share) / (share - self.before))} left"
        return status


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
