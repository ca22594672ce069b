"""Phase-change memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm_memristor.device.model import BaseDevice, Conductances, draw_normal


@dataclass(frozen=True)
class PhaseChangeDevice(BaseDevice):
    """Phase-change memory: programming noise, drift with an exponent that depends on the state, 1/f
    read noise.
    """

    drift_from_s: float = 20.0
    read_time_s: float = 250e-9

    def program(self, target_us: Conductances, rng: np.random.Generator) -> Conductances:
        """With a standard deviation that is largest for middling conductances."""
        x = target_us / self.g_max_us
        sigma = np.maximum(0.26348 + 1.9650 * x - 1.1731 * x * x, 0)
        return np.asarray(
            np.maximum(target_us + sigma * draw_normal(target_us, rng), 0), np.float32
        )

    def relax(self, g_us: Conductances, seconds: float, rng: np.random.Generator) -> Conductances:
        """``g (t / 20 s) ** -nu``, with an exponent for each cell."""
        log = np.log(np.clip(g_us / self.g_max_us, 1e-4, 1))
        spread = np.clip(-0.0125 * log - 0.0059, 0.008, 0.045)
        exponent = np.abs(_mean_exponent(log) + spread * draw_normal(g_us, rng))
        return np.asarray(
            g_us * (max(seconds, self.drift_from_s) / self.drift_from_s) ** -exponent, np.float32
        )

    def read_sigma_us(self, g_us: Conductances, seconds: float) -> Conductances:
        """Grows with the square root of the logarithm of time.

        Its share of the conductance is that of the one which was programmed: what there was before
        an average drift.
        """
        seconds = max(seconds, self.drift_from_s)
        drifted, log = np.clip(g_us / self.g_max_us, 1e-4, 1), math.log(seconds / self.drift_from_s)
        share = drifted
        for _ in range(
            3
        ):  # the exponent is itself that of the programmed conductance, and nearly the same for all
            share = np.clip(drifted * np.exp(_mean_exponent(np.log(share)) * log), 1e-4, 1)
        time = math.sqrt(math.log((seconds + self.read_time_s) / (2 * self.read_time_s)))
        return np.asarray(g_us * np.minimum(0.2, 0.0088 / share**0.65) * time, np.float32)


def _mean_exponent(log_share: NDArray[Any]) -> NDArray[Any]:
    """Of phase-change drift, for the logarithm of g / g_max."""
    return np.asarray(np.clip(-0.0155 * log_share + 0.0244, 0.049, 0.1))
