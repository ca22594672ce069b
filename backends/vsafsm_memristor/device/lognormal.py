"""Devices with a lognormal factor per cell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vsafsm_memristor.device.model import BaseDevice, Conductances, draw_normal


@dataclass(frozen=True)
class LognormalDevice(BaseDevice):
    """Each cell has its target times a lognormal factor of mean 1: ``exp(sigma n - sigma^2 / 2)``.

    ``cycle_sigma`` is a second factor of that kind, from programming to programming.
    """

    sigma: float = 0.0
    cycle_sigma: float = 0.0

    def program(self, target_us: Conductances, rng: np.random.Generator) -> Conductances:
        """The factors of device and cycle, drawn together."""
        sigma = math.hypot(self.sigma, self.cycle_sigma)
        return np.asarray(
            target_us * np.exp(sigma * draw_normal(target_us, rng) - sigma**2 / 2), np.float32
        )
