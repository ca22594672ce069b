"""Situations that a network's own runs pass through, those that fail among them.

Samples of situations (`vsafsm.situations`, `vsafsm.arrivals`) are drawn without the network in
mind. Where it goes wrong, its runs show what they lack. What is asked there follows from the
machine, so that a failed run teaches up to where it leaves both codes of a transition; the next run
starts from a code again.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vsafsm.arrivals import asked_in
from vsafsm.asynchronous import MOST_ELEMENTS, Run, Runs
from vsafsm.codebook import Codebook
from vsafsm.lowering import REST, Lowered
from vsafsm.situations import Asked
from vsafsm.vsa import Bits

RUNS = 300
"""Most changes of the mask that are run in a round."""
KEPT, KEPT_OF_FAILED = 3, 8
"""Activities that are kept per run, and per run that fails."""
ENOUGH = 30
"""Runs that fail, after which no more are made."""


def visited(runs: Runs, lowered: Lowered, book: Codebook) -> Asked:
    """Activities at random steps of runs, each of one input from a state at rest, and what is asked
    there.
    """
    moves = _moves(lowered)
    if len(moves) > RUNS:
        moves = moves[runs.rng.choice(len(moves), RUNS, replace=False)]
    phases = _phases(runs, lowered, book, moves, KEPT)
    return Asked.joined([seen.asked(book, table) for table, seen, _ in phases])


def failed(runs: Runs, lowered: Lowered, book: Codebook, most: int) -> Asked | None:
    """Activities at random steps of runs that end elsewhere than they should, and what is asked
    there; None if all of `most` runs end where they should.
    """
    moves, found, failures, done = _moves(lowered), list[Asked](), 0, 0
    together = max(1, MOST_ELEMENTS // runs.network.neurons)
    while done < most and failures < ENOUGH:
        some = moves[runs.rng.integers(len(moves), size=min(together, most - done))]
        done += len(some)
        for table, seen, ends in _phases(runs, lowered, book, some, KEPT_OF_FAILED):
            expected = book.codes[table[:, 1]] & book.masks[table[:, 3]]
            wrong = np.flatnonzero((ends != expected).any(1))
            failures += len(wrong)
            found.append(seen.asked(book, table, wrong))
    return Asked.joined(found) if failures else None


def _moves(lowered: Lowered) -> NDArray[np.intp]:
    """Source, mask and target of every input in every state: (T, 3)."""
    return np.array([(m.source, m.mask, m.target) for m in lowered.moves], np.intp)


def _phases(
    runs: Runs, lowered: Lowered, book: Codebook, moves: NDArray[np.intp], kept: int
) -> Iterator[tuple[NDArray[np.intp], _Seen, Bits]]:
    """The two phases of some inputs: each with the changes of the mask, as `Arc` has them, what is
    seen on the way, and what fires at its end.
    """
    source, mask, target = moves.T
    rest = np.full(len(moves), REST)
    released = np.array(lowered.releases, np.intp)[target]
    run = Run(runs, book.codes[source])
    for table in (
        np.stack([source, target, rest, mask], axis=1),
        np.stack([target, released, mask, rest], axis=1),
    ):
        seen = _Seen(kept, len(table), runs.network.neurons, runs.rng)
        run.phase(table[:, 3], seen)
        yield table, seen, run.side.active


class _Seen:
    """A few activities of each run, all steps equally likely."""

    def __init__(self, kept: int, runs: int, neurons: int, rng: np.random.Generator) -> None:
        self.active = np.zeros((kept, runs, neurons), np.bool_)
        self.opened, self.rng = self.active.copy(), rng
        self.arrived = np.zeros((kept, runs))

    def __call__(
        self,
        step: int,
        rows: NDArray[np.intp],
        active: Bits,
        opened: Bits,
        arrived: NDArray[np.float64],
    ) -> None:
        for kept in range(len(self.active)):
            new = self.rng.random(len(rows)) * (step + 1) < 1
            self.active[kept, rows[new]] = active[new]
            self.opened[kept, rows[new]] = opened[new]
            self.arrived[kept, rows[new]] = arrived[new]

    def asked(
        self,
        book: Codebook,
        table: NDArray[np.intp],
        runs: slice | NDArray[np.intp] = slice(None),
    ) -> Asked:
        """What is asked in the activities of all runs, or of some."""
        return Asked.joined(
            [
                asked_in(book, table[runs], active[runs], opened[runs], arrived[runs])
                for active, opened, arrived in zip(
                    self.active, self.opened, self.arrived, strict=True
                )
            ]
        )
