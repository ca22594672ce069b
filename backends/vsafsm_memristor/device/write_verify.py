"""Devices that are programmed by pulses until a read is within a tolerance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm_memristor.device.model import BaseDevice, Conductances, draw_normal


@dataclass(frozen=True)
class WriteVerifyDevice(BaseDevice):
    """Programmed by pulses until a read is within a tolerance; then the conductance relaxes.

    Attributes
    ----------
    tolerance_us
        A cell is done when a read is this near to its target.
    most_pulses
        A cell that is not done after so many is left as it is: it failed.
    pulse_share, pulse_spread
        Share of the distance that a pulse covers on average, and its lognormal spread from pulse to
        pulse.
    relaxation
        Seconds, and coefficients in ascending powers of g / g_max of the standard deviation (uS)
        there. In between the deviation is interpolated over the logarithm of time; before and
        behind it stays.
    """

    tolerance_us: float = 1.0
    most_pulses: int = 60
    pulse_share: float = 0.5
    pulse_spread: float = 0.6
    relaxation: tuple[tuple[float, tuple[float, ...]], ...] = ()

    def program(self, target_us: Conductances, rng: np.random.Generator) -> Conductances:
        """By write-verify, from the smallest conductance."""
        return write_verify(self, target_us, np.full_like(target_us, self.g_min_us), rng).g_us

    def relax(self, g_us: Conductances, seconds: float, rng: np.random.Generator) -> Conductances:
        """A normal step of the deviation at that time."""
        if not self.relaxation:
            return g_us
        moved = g_us + self.relaxation_sigma_us(g_us, seconds) * draw_normal(g_us, rng)
        return np.asarray(np.maximum(moved, 0), np.float32)

    def relaxation_sigma_us(self, g_us: Conductances, seconds: float) -> Conductances:
        """Standard deviation of the relaxation after some seconds."""
        share = np.clip(g_us / self.g_max_us, 0, 1)
        times = [math.log(at) for at, _ in self.relaxation]
        sigmas = [
            np.maximum(sum(c * share**i for i, c in enumerate(cs)), 0) for _, cs in self.relaxation
        ]
        now = min(max(math.log(max(seconds, 1e-9)), times[0]), times[-1])
        later = min(range(len(times)), key=lambda i: (times[i] < now, times[i]))
        if later == 0:
            return np.asarray(sigmas[0], np.float32)
        part = (now - times[later - 1]) / (times[later] - times[later - 1])
        return np.asarray((1 - part) * sigmas[later - 1] + part * sigmas[later], np.float32)


@dataclass(frozen=True)
class WriteResult:
    """What came of a write-verify: conductances, which cells got within the tolerance, pulses each
    took.
    """

    g_us: Conductances
    ok: NDArray[np.bool_]
    pulses: NDArray[np.int32]


def write_verify(
    device: WriteVerifyDevice,
    target_us: Conductances,
    from_us: Conductances,
    rng: np.random.Generator,
) -> WriteResult:
    """Pulse each cell towards its target until a noisy read is within the tolerance, or the pulses
    are used up.
    """
    g = from_us.astype(np.float32)
    pulses = np.zeros(g.shape, np.int32)
    open_ = np.ones(g.shape, np.bool_)
    for _ in range(device.most_pulses + 1):
        at = np.flatnonzero(open_)
        here, wanted = g.flat[at], target_us.flat[at]
        seen = here + device.read_sigma_us(here, 1.0) * draw_normal(here, rng)
        done = np.abs(seen - wanted) <= device.tolerance_us
        open_.flat[at[done]] = False
        at, left = at[~done], (wanted - seen)[~done]
        if not len(at) or pulses.max() == device.most_pulses:
            break
        step = device.pulse_share * np.exp(
            device.pulse_spread * draw_normal(left, rng) - device.pulse_spread**2 / 2
        )
        g.flat[at] = np.clip(g.flat[at] + step * left, 0, device.g_max_us * 1.05)
        pulses.flat[at] += 1
    return WriteResult(g, ~open_, pulses)
