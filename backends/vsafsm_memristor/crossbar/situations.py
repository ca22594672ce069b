"""The situations that a machine passes through, which are known beforehand, and what an array lacks
in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.conditions import conditions
from vsafsm.lowering import Lowered
from vsafsm.network import Network
from vsafsm.vsa import Bits
from vsafsm_memristor.crossbar.protocol import Crossbar, Drive

CHUNK = 256
"""Situations that are read at a time."""


@dataclass(frozen=True)
class Effort:
    """How far a correction may go.

    Attributes
    ----------
    margin
        Distance from threshold to reach, in units.
    rounds
        At most.
    patience
        Rounds in a row that may bring nothing: no fewer short than before all of them.
    pairs_per_round
        Pairs of cells that a neuron may have changed in a round.
    budget
        Share of all cells that may be rewritten.
    reads
        Reads that are averaged.
    writes
        Cells that may be programmed, at most; one that is in two rounds counts twice. None: as many
        as it takes.
    """

    margin: float = 0.3
    rounds: int = 100
    patience: int = 10
    pairs_per_round: int = 4
    budget: float = 0.1
    reads: int = 4
    writes: int | None = None


USUAL_EFFORT = Effort()


def short_of(
    network: Network,
    lowered: Lowered,
    crossbar: Crossbar,
    rng: np.random.Generator,
    effort: Effort = USUAL_EFFORT,
) -> int:
    """How many (situation, neuron) pairs are short of a margin; with a margin of 0, on the wrong
    side of threshold.
    """
    return int(np.count_nonzero(Situations(network, lowered, effort).missing(crossbar, rng)))


class Situations:
    """What a network has to do in every situation that the machine passes through: P of them."""

    def __init__(self, network: Network, lowered: Lowered, effort: Effort) -> None:
        needs = conditions(lowered)
        opened = np.vstack([network.masks, np.ones(network.neurons, np.bool_)])
        self.active = network.codes[needs.source] & opened[needs.open1] & opened[needs.open2]
        self.wanted = network.codes[needs.want]
        self.cared = opened[needs.care1] | opened[needs.care2]
        self.count = np.maximum(self.active.sum(1, keepdims=True), 1).astype(np.float32)
        self.target = np.asarray(effort.margin * network.scale * self.count, np.float32)
        self.effort = effort

    def drives(self, crossbar: Crossbar, rng: np.random.Generator) -> Iterator[tuple[slice, Drive]]:
        """What the array computes in some situations at a time, averaged over a few reads."""
        for i in range(0, len(self.active), CHUNK):
            rows = slice(i, i + CHUNK)
            yield (
                rows,
                np.mean(
                    [crossbar.drive(self.active[rows], rng) for _ in range(self.effort.reads)],
                    axis=0,
                ),
            )

    def missing(self, crossbar: Crossbar, rng: np.random.Generator) -> Drive:
        """Drive that each neuron lacks in each situation (P, N): positive to come up, negative to
        go down, or 0.
        """
        parts = []
        for rows, drive in self.drives(crossbar, rng):
            target = self.target[rows]
            lacking = np.where(
                self.wanted[rows], np.maximum(target - drive, 0), np.minimum(-target - drive, 0)
            )
            parts.append(lacking * self.cared[rows])
        return np.asarray(np.concatenate(parts), np.float32)

    def chosen(
        self, missing: Drive, bad: Bits, pairs: int
    ) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], Bits]:
        """Pairs to change, as (post, pre), and whether upwards: for each short neuron those that
        lack most.

        No more than so many pairs in all, again those that lack most.
        """
        push = missing.T @ (self.active / self.count)
        push[bad[0] & bad[1]] = 0
        most = min(self.effort.pairs_per_round, push.shape[1] - 1)
        pre = np.argpartition(-np.abs(push), most, axis=1)[:, :most]
        post = np.repeat(np.arange(len(push)), most)
        kept = push[post, pre.ravel()] != 0
        post, pre = post[kept], pre.ravel()[kept]
        if len(post) > pairs:
            most_lacking = np.argsort(-np.abs(push[post, pre]), kind="stable")[:pairs]
            post, pre = post[most_lacking], pre[most_lacking]
        return (post, pre), push[post, pre] > 0
