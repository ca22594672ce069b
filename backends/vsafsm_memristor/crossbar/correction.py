"""Chip in the loop: single cells written again, until the array computes what it has to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vsafsm.lowering import Lowered
from vsafsm.network import Network
from vsafsm.vsa import Bits
from vsafsm_memristor.crossbar.cells import Pair, Places
from vsafsm_memristor.crossbar.protocol import Crossbar
from vsafsm_memristor.crossbar.situations import USUAL_EFFORT, Effort, Situations
from vsafsm_memristor.device.model import Conductances


class Rewritable(Crossbar, Protocol):
    """An array whose cells are known, and can be programmed again one by one."""

    @property
    def cells(self) -> Pair:
        """Conductances as they are now, in microsiemens."""

    @property
    def failed(self) -> Bits | None:
        """Cells (2, N, N) that programming could not bring to their targets; None where that is not
        known.
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


def correct(
    network: Network,
    lowered: Lowered,
    array: Rewritable,
    cells: Cells,
    rng: np.random.Generator,
    effort: Effort = USUAL_EFFORT,
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
    task = Situations(network, lowered, effort)
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
