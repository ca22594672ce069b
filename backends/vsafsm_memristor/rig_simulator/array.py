"""The devices of the simulated rig: hidden conductances that pulses move and that relax, read with
noise.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
THRESHOLD_V = 0.9
FIRST_V, STEP_V = 1.2, 0.1
RATE_S = 5e-6
"""Change in siemens of a cell far from its ends, a pulse, a volt above threshold."""


@dataclass(frozen=True)
class Physics:
    """What the devices and the converters are like. Conductances in siemens, currents in
    amperes.
    """

    g_min_s: float
    g_max_s: float
    tolerance_s: float
    stuck: float
    unusable: float
    read_noise: float
    relax: float
    adc_range_a: float
    adc_bits: int
    accelerate: float


class Array:
    """Tiles of cells. All that is random comes from its own generator."""

    def __init__(
        self, shape: tuple[int, int, int], physics: Physics, rng: np.random.Generator
    ) -> None:
        self.physics, self._rng = physics, rng
        self._began, self._aged = time.monotonic(), 0.0
        top = physics.g_max_s
        self.usable = rng.random(shape) >= physics.unusable
        self._stuck = (rng.random(shape) < physics.stuck) | ~self.usable
        self._eager = rng.lognormal(0.0, 0.3, shape)
        self._g = rng.uniform(0.0, top / 4, shape)
        self._g[self._stuck] = rng.choice([0.0, 1.1 * top], int(self._stuck.sum()))
        self._drift = rng.standard_normal(shape)
        self._written_s = np.zeros(shape)
        self._seen: dict[int, tuple[float, Floats, Floats]] = {}

    def age(self, seconds: float) -> None:
        """Let simulated time pass."""
        self._aged += seconds

    def program(
        self,
        tile: int,
        target: Floats,
        most: int,
        v_most: float,
        pulse: Callable[[list[float], int], bool],
    ) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]] | None:
        """Write and verify: pulses in rounds, stronger each time, weak again once a cell has
        overshot.

        `pulse` gets the levels of each round and the number of cells, and says whether to go on;
        -> None where it does not.
        """
        g = self._now(tile)[0].copy()
        wanted, count = target != 0.0, np.zeros(target.shape, np.int64)
        level, before = np.full(target.shape, FIRST_V), np.zeros(target.shape)
        wrong = wanted.copy()
        for _ in range(most):
            wrong &= np.abs(self._measured(g) - target) > self.physics.tolerance_s / 2
            if not wrong.any():
                break
            sign = np.sign(target - g)
            level = np.where(sign == before, level + STEP_V, FIRST_V)
            volts = np.minimum(level, v_most) * sign
            if not pulse(sorted({round(float(v), 6) for v in volts[wrong]}), int(wrong.sum())):
                self._keep(tile, g, wanted)
                return None
            g = np.where(wrong & ~self._stuck[tile], self._pulsed(tile, g, volts), g)
            count += wrong
            before = np.where(wrong, sign, before)
        self._keep(tile, g, wanted)
        measured = self._measured(g)
        return measured, ~wanted | (np.abs(measured - target) <= self.physics.tolerance_s), count

    def read(self, tile: int, volts: Floats) -> Floats:
        """Currents of the columns, with each cell's noise, as the converter sees them."""
        g, noisy = self._now(tile)
        exact = volts @ g
        spread = np.sqrt((volts * volts) @ noisy)
        step = 2 * self.physics.adc_range_a / 2**self.physics.adc_bits
        codes = np.rint((exact + spread * self._rng.standard_normal(exact.shape)) / step)
        most = 2 ** (self.physics.adc_bits - 1)
        return np.asarray(np.clip(codes, -most, most - 1) * step)

    def _pulsed(self, tile: int, g: Floats, volts: Floats) -> Floats:
        end = 1.25 * self.physics.g_max_s
        room = np.where(volts > 0, 1 - g / end, 0.2 + g / end)
        over = np.maximum(np.abs(volts) - THRESHOLD_V, 0.0)
        cycle = self._rng.lognormal(0.0, 0.3, g.shape)
        moved = g + np.sign(volts) * RATE_S * over * room * cycle * self._eager[tile]
        return np.asarray(np.clip(moved, 0.2 * self.physics.g_min_s, end))

    def _measured(self, g: Floats) -> Floats:
        return np.asarray(
            np.maximum(
                g * (1 + self.physics.read_noise * self._rng.standard_normal(g.shape) / 4), 0.0
            )
        )

    def _keep(self, tile: int, g: Floats, wanted: NDArray[np.bool_]) -> None:
        self._g[tile][wanted] = g[wanted]
        self._written_s[tile][wanted] = self._clock_s()
        self._drift[tile][wanted] = self._rng.standard_normal(int(wanted.sum()))
        self._seen.pop(tile, None)

    def _clock_s(self) -> float:
        return (time.monotonic() - self._began) * self.physics.accelerate + self._aged

    def _now(self, tile: int) -> tuple[Floats, Floats]:
        """Conductances now and the variances of their noise; worked out again once time has gone on
        by a hundredth.
        """
        clock = self._clock_s()
        seen = self._seen.get(tile)
        if seen is not None and clock <= seen[0]:
            return seen[1], seen[2]
        gone = np.log10(1 + clock - self._written_s[tile])
        share = self._g[tile] / self.physics.g_max_s
        sigma = self.physics.relax * 0.5e-6 * np.sqrt(share * (1.2 - np.minimum(share, 1.2)))
        g = np.where(
            self._stuck[tile],
            self._g[tile],
            np.maximum(self._g[tile] + sigma * gone * self._drift[tile], 0.0),
        )
        noisy = (self.physics.read_noise * g) ** 2
        youngest = float(clock - self._written_s[tile].max())
        self._seen[tile] = (clock + 0.01 * (1 + youngest), g, noisy)
        return g, noisy
