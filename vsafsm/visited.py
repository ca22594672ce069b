"""Situations that a network's own runs pass through, those that fail among them.

Samples of situations (`vsafsm.situations`, `vsafsm.arrivals`) are drawn without the network in
mind. Where it goes wrong, its runs show what they lack. What is asked there follows from the
machine, so that a failed run teaches up to where it leaves both codes of a transition; the next run
starts from a code again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsafsm.arrivals import asked_in
from vsafsm.asynchronous import Run, Runs, Timing
from vsafsm.codebook import Codebook
from vsafsm.lowering import REST, Lowered
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.situations import Asked
from vsafsm.vsa import Bits

RUNS = 300
"""Most changes of the mask that are run in a round."""
KEPT = 3
"""Activities that are kept per run."""


def visited(
    machine: Machine,
    lowered: Lowered,
    book: Codebook,
    network: Network,
    timing: Timing,
    rng: np.random.Generator,
) -> Asked:
    """Activities at random steps of runs, each of one input from a state at rest, and what is asked
    there.
    """
    moves = np.array([(m.source, m.mask, m.target) for m in lowered.moves], np.intp)
    if len(moves) > RUNS:
        moves = moves[rng.choice(len(moves), RUNS, replace=False)]
    source, mask, target = moves.T
    rest = np.full(len(moves), REST)
    released = np.array(lowered.releases, np.intp)[target]
    run = Run(Runs(machine, network, timing, rng), book.codes[source])
    found = []
    for table, after in (
        (np.stack([source, target, rest, mask], axis=1), mask),
        (np.stack([target, released, mask, rest], axis=1), rest),
    ):
        seen = _Seen(table.shape[0], network.neurons, rng)
        run.phase(after, seen)
        found.append(seen.asked(book, table))
    return Asked.joined(found)


class _Seen:
    """A few activities of each run, all steps equally likely."""

    def __init__(self, runs: int, neurons: int, rng: np.random.Generator) -> None:
        self.active = np.zeros((KEPT, runs, neurons), np.bool_)
        self.opened, self.rng = self.active.copy(), rng
        self.arrived = np.zeros((KEPT, runs))

    def __call__(
        self,
        step: int,
        rows: NDArray[np.intp],
        active: Bits,
        opened: Bits,
        arrived: NDArray[np.float64],
    ) -> None:
        for kept in range(KEPT):
            new = self.rng.random(len(rows)) * (step + 1) < 1
            self.active[kept, rows[new]] = active[new]
            self.opened[kept, rows[new]] = opened[new]
            self.arrived[kept, rows[new]] = arrived[new]

    def asked(self, book: Codebook, table: NDArray[np.intp]) -> Asked:
        return Asked.joined(
            [
                asked_in(book, table, active, opened, arrived)
                for active, opened, arrived in zip(
                    self.active, self.opened, self.arrived, strict=True
                )
            ]
        )
