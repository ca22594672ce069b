"""Cells that cannot be programmed, and what their partners can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.vsa import Bits
from vsafsm_memristor.crossbar.cells import Pair


@dataclass(frozen=True)
class StuckCells:
    """Cells that cannot be programmed, (2, N, N) each: those without conductance, those at the
    largest.
    """

    off: Bits
    on: Bits

    def apply(self, pair: Pair, g_max_us: float) -> Pair:
        """What is there in spite of programming."""
        stuck = [
            np.where(on, g_max_us, np.where(off, 0, g))
            for g, off, on in zip(pair, self.off, self.on, strict=True)
        ]
        return Pair(*(g.astype(np.float32) for g in stuck))

    @property
    def any(self) -> Bits:
        """Cells of either kind, (2, N, N)."""
        return self.off | self.on


def draw_faults(
    neurons: int, stuck_off: float, stuck_on: float, rng: np.random.Generator
) -> StuckCells:
    """Independent faults in every cell."""
    return StuckCells(*split(rng.random((2, neurons, neurons), np.float32), stuck_off, stuck_on))


def split(chance: NDArray[Any], stuck_off: float, stuck_on: float) -> tuple[Bits, Bits]:
    """Cells that are stuck off and on, by a number from 0 to 1 for each."""
    return chance < stuck_off, (chance >= stuck_off) & (chance < stuck_off + stuck_on)


def compensate_stuck_cells(
    faults: StuckCells, target: Pair, g_min_us: float, g_max_us: float
) -> Pair:
    """Targets under which a cell that works makes up for its stuck partner, as far as its range
    goes.
    """
    wanted = target.positive - target.negative
    there = faults.apply(target, g_max_us)
    negative = np.where(faults.any[0], there.positive - wanted, target.negative)
    positive = np.where(faults.any[1], there.negative + wanted, target.positive)
    return Pair(*(np.clip(g, g_min_us, g_max_us).astype(np.float32) for g in (positive, negative)))
