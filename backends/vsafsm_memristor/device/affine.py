"""Devices whose errors are straight lines over the target."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vsafsm_memristor.device.model import BaseDevice, Conductances, draw_normal


@dataclass(frozen=True)
class AffineDevice(BaseDevice):
    """Programming error with a deviation ``sigma_us + sigma_share g``; a mean and a deviation that
    move with log time.

    `offset_us` and `gain` are what a target becomes on average.
    """

    sigma_us: float = 0.0
    sigma_share: float = 0.0
    offset_us: float = 0.0
    gain: float = 1.0
    drift_us: float = 0.0
    drift_sigma_us: tuple[float, float] = (0.0, 0.0)

    def program(self, target_us: Conductances, rng: np.random.Generator) -> Conductances:
        """Normal about what the target becomes on average."""
        mean = self.offset_us + self.gain * target_us
        g = mean + (self.sigma_us + self.sigma_share * np.abs(target_us)) * draw_normal(
            target_us, rng
        )
        return np.asarray(np.maximum(g, 0), np.float32)

    def relax(self, g_us: Conductances, seconds: float, rng: np.random.Generator) -> Conductances:
        """``drift_us ln t`` on average, with a deviation of ``a ln t + b``; nothing before the
        first second.
        """
        if seconds < 1 or (self.drift_us == 0 and self.drift_sigma_us == (0.0, 0.0)):
            return g_us
        log, (slope, start) = math.log(seconds), self.drift_sigma_us
        moved = g_us + self.drift_us * log + (slope * log + start) * draw_normal(g_us, rng)
        return np.asarray(np.maximum(moved, 0), np.float32)
