"""What an array can be told after it was programmed: a trim for each neuron, and corrections of
single cells.

Both read what the array computes in the situations that the machine passes through, which are known
beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from vsafsm.lowering import Lowered
from vsafsm.network import Network
from vsafsm.vsa import Bits
from vsafsm.weights import conditions
from vsafsm_memristor.crossbar.crossbar import Crossbar, Drive, Pair, Places
from vsafsm_memristor.device.devices import Conductances

CHUNK = 256
OFFSETS = np.linspace(-5, 5, 101)
"""Tried in a trim, as shares of the margin."""


Calibration = Literal["none", "trim", "loop"]
CALIBRATIONS: tuple[Calibration, ...] = ("none", "trim", "loop")


# ---- trim


@dataclass(frozen=True)
class TrimmedCrossbar:
    """A crossbar with an offset for each neuron, in proportion to the activity: ``drive - offset
    sum(z)``.

    Attributes
    ----------
    offset : (N,)
        Weight steps an active neuron.
    """

    crossbar: Crossbar
    offset: NDArray[np.float32]

    def drive(self, activity: Bits, rng: np.random.Generator) -> Drive:
        """As `vsafsm_memristor.crossbar.crossbar.Crossbar` says."""
        count = activity.sum(1, keepdims=True).astype(np.float32)
        return np.asarray(self.crossbar.drive(activity, rng) - self.offset * count, np.float32)


def trim(
    network: Network, lowered: Lowered, crossbar: Crossbar, rng: np.random.Generator, reads: int = 8
) -> TrimmedCrossbar:
    """Read what the array computes in every situation that the machine passes through, and move
    each threshold.

    For each neuron the offset is taken, of those tried, under which it is short of the margin in
    the fewest situations: a situation counts by how far it is short, and once at most twice the
    margin, so that a few that are lost do not take others with them. Of equally good ones the
    smallest is taken.
    """
    task = _Situations(network, lowered, Effort(reads=reads))
    offsets = OFFSETS[np.argsort(np.abs(OFFSETS), kind="stable")]
    losses = np.zeros((len(offsets), network.neurons))
    for rows, drive in task.drives(crossbar, rng):
        beyond = np.where(task.wanted[rows], drive, -drive) / task.target[rows]
        sign = np.where(task.wanted[rows], -1.0, 1.0)
        for i, offset in enumerate(offsets):
            losses[i] += (np.clip(1 - beyond - sign * offset, 0, 2) * task.cared[rows]).sum(0)
    best = offsets[losses.argmin(0)]
    return TrimmedCrossbar(
        crossbar, np.asarray(best * task.effort.margin * network.scale, np.float32)
    )


# ---- chip in the loop


class Rewritable(Crossbar, Protocol):
    """An array whose cells are known, and can be programmed again one by one."""

    @property
    def cells(self) -> Pair:
        """Conductances as they are now, in microsiemens."""

    @property
    def failed(self) -> Bits | None:
        """Cells (2, N, N) that programming could not bring to their targets; None where that is not
        told.
        """

    def rewrite(
        self, places: Places, target_us: Conductances, rng: np.random.Generator
    ) -> Rewritable:
        """The array once cells are programmed to targets (M,), in microsiemens; all others are left
        alone.
        """


@dataclass(frozen=True)
class Cells:
    """What a correction has to know of an array's cells.

    Attributes
    ----------
    bad : (2, N, N)
        Those that cannot be programmed, of either polarity.
    g_min_us, g_max_us
        Range of the others.
    """

    bad: Bits
    g_min_us: float
    g_max_us: float


@dataclass(frozen=True)
class Correction:
    """What came of correcting an array.

    Attributes
    ----------
    array
        The array as it is now.
    rewritten
        Cells that were programmed again, each counted once.
    writes
        How often a cell was programmed, in all.
    rounds
        Rounds of reading and programming.
    short_before, short_after
        (Situation, neuron) pairs short of the margin, of those that the machine passes through.
    """

    array: Rewritable
    rewritten: int
    writes: int
    rounds: int
    short_before: int
    short_after: int


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


def correct(
    network: Network,
    lowered: Lowered,
    array: Rewritable,
    cells: Cells,
    rng: np.random.Generator,
    effort: Effort = Effort(),
    progress: Callable[[str, float], None] = lambda what, share: None,
) -> Correction:
    """Read what the array really computes, and reprogram the cells that bring short neurons past
    the threshold.

    In each round every neuron that is short somewhere has a few pairs changed: those that take part
    in most of what it lacks, and that work. A pair is changed by half of the range, from what it is
    read to be. Cells that programming could not bring to their targets are left alone from then on.
    Weights are pairs of cells of their own: the differential scheme.

    Parameters
    ----------
    progress
        Called after each round with how many pairs are short, and the share of the rounds that are
        over.

    Raises
    ------
    MappingError
        If the array cannot program single cells.
    """
    task = _Situations(network, lowered, effort)
    written = np.zeros((2, network.neurons, network.neurons), np.bool_)
    allowed = effort.budget * written.size
    most = np.inf if effort.writes is None else effort.writes
    missing = task.missing(array, rng)
    before = after = fewest = int(np.count_nonzero(missing))
    rounds = writes = idle = 0
    while after and rounds < effort.rounds and idle < effort.patience:
        pairs = int(min(allowed - written.sum(), most - writes)) // 2
        if pairs < 1:
            break
        cells = cells if array.failed is None else replace(cells, bad=cells.bad | array.failed)
        places, targets = _wanted(array.cells, cells, *task.chosen(missing, cells.bad, pairs))
        if not len(targets):
            break
        array = array.rewrite(places, targets, rng)
        written[places] = True
        rounds, writes = rounds + 1, writes + len(targets)
        missing = task.missing(array, rng)
        after = int(np.count_nonzero(missing))
        idle = 0 if after < fewest else idle + 1
        fewest = min(fewest, after)
        progress(f"round {rounds}: {after} pairs short", rounds / effort.rounds)
    return Correction(array, int(written.sum()), writes, rounds, before, after)


def short_of(
    network: Network,
    lowered: Lowered,
    crossbar: Crossbar,
    rng: np.random.Generator,
    effort: Effort = Effort(),
) -> int:
    """How many (situation, neuron) pairs are short of a margin; with a margin of 0, on the wrong
    side of threshold.
    """
    return int(np.count_nonzero(_Situations(network, lowered, effort).missing(crossbar, rng)))


class _Situations:
    """What a network has to do in every situation that the machine passes through: P of them."""

    def __init__(self, network: Network, lowered: Lowered, effort: Effort) -> None:
        given = conditions(lowered)
        opened = np.vstack([network.masks, np.ones(network.neurons, np.bool_)])
        self.active = network.codes[given.source] & opened[given.open1] & opened[given.open2]
        self.wanted = network.codes[given.want]
        self.cared = opened[given.care1] | opened[given.care2]
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


def _wanted(
    now: Pair, cells: Cells, chosen: tuple[NDArray[np.intp], NDArray[np.intp]], up: Bits
) -> tuple[Places, Conductances]:
    """Targets that take the chosen pairs half of the range up or down from what they are; cells
    worth a pulse only.
    """
    half = (cells.g_max_us - cells.g_min_us) / 2
    pair = [g[chosen] for g in now]
    wanted = pair[0] - pair[1] + np.where(up, half, -half)
    places, targets = [], []
    for polarity, sign in enumerate((1, -1)):
        own, other = pair[polarity], pair[1 - polarity]
        stuck, partner_stuck = cells.bad[polarity][chosen], cells.bad[1 - polarity][chosen]
        alone = np.where(
            partner_stuck, other + sign * wanted, cells.g_min_us + np.maximum(sign * wanted, 0)
        )
        target = np.clip(alone, cells.g_min_us, cells.g_max_us).astype(np.float32)
        worth = ~stuck & (np.abs(target - own) > 0.05 * half)
        places.append(
            np.array([np.full(int(worth.sum()), polarity), chosen[0][worth], chosen[1][worth]])
        )
        targets.append(target[worth])
    return Places(*np.concatenate(places, axis=1)), np.concatenate(targets)
