"""The analog-to-digital converters of a tile's columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.vsa import Bits
from vsafsm_memristor.crossbar.protocol import Drive


@dataclass(frozen=True)
class Converter:
    """One analog-to-digital converter per column of each tile.

    Attributes
    ----------
    bits
        0 for an ideal one.
    full_scale
        Largest magnitude that it resolves, in LSBs.
    """

    bits: int
    full_scale: float

    def convert(self, values: Drive) -> Drive:
        """Rounded to the nearest level, and clipped."""
        if not self.bits:
            return values
        steps = 2 ** (self.bits - 1) - 1
        lsb = self.full_scale / steps
        return np.asarray(np.clip(np.rint(values / lsb), -steps, steps) * lsb, np.float32)


def full_scale_for(weights: NDArray[Any], codes: Bits, rows: int) -> float:
    """Largest magnitude of what a tile's column adds to the drive under a code, in LSBs."""
    largest = 1.0
    for i in range(0, weights.shape[1], rows):
        part = codes[:, i : i + rows].astype(np.float32) @ weights[:, i : i + rows].T.astype(
            np.float32
        )
        largest = max(largest, float(np.abs(part).max()))
    return largest
