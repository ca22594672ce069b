"""What computes the recurrent product of a network."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vsafsm.vsa import Bits

Drive = NDArray[np.float32]


class Crossbar(Protocol):
    """What computes the recurrent product: simulated tiles, another simulator's, or hardware."""

    def drive(self, activity: Bits, rng: np.random.Generator) -> Drive:
        """Recurrent drive (B, N), in LSBs, of activities (B, N)."""
