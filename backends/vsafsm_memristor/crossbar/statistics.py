"""What cells become on average, and how far apart: the drive of an array in place of its cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.vsa import Bits
from vsafsm_memristor.crossbar.array import ArrayPlan, converter_of
from vsafsm_memristor.crossbar.protocol import Drive
from vsafsm_memristor.crossbar.stuck_cells import split

SAMPLES = 20_000
"""Cells that are drawn per level."""


@dataclass(frozen=True)
class ExpectedCrossbar:
    """A crossbar that draws what a neuron's cells add up to, and not the cells.

    The sum over the active rows is normal, with the mean and the variance that the device's levels
    have: by its spread at their age, its stuck cells and its read noise. Converters add the
    variance of their rounding. Each read is drawn anew, though cells stay as they are; the voltage
    does not fall along lines; and cells stay stuck unless partners make up for them, which are
    taken to do so in full.

    Attributes
    ----------
    mean, variance
        Of each weight, (pre, post), in LSBs and their squares.
    rounding
        Variance of what converters add to a drive.
    """

    mean: NDArray[np.float32]
    variance: NDArray[np.float32]
    rounding: float

    def drive(self, activity: Bits, rng: np.random.Generator) -> Drive:
        """As `vsafsm_memristor.crossbar.protocol.Crossbar` says."""
        rows = np.asarray(activity, np.float32)
        spread = np.sqrt(rows @ self.variance + self.rounding)
        return np.asarray(
            rows @ self.mean + spread * rng.standard_normal(spread.shape, np.float32), np.float32
        )


def expected_crossbar(plan: ArrayPlan, rng: np.random.Generator) -> ExpectedCrossbar:
    """What arrays of a plan are on average; statistics of each level are drawn."""
    lsb, settings = plan.scale.us_per_lsb, plan.settings
    (up, of_up), (down, of_down) = (_of_targets(plan, cells, rng) for cells in plan.target)
    converter = converter_of(plan)
    rounding = 0.0
    if converter.bits:
        step = converter.full_scale / (2 ** (converter.bits - 1) - 1)
        rounding = plan.layout.grid[0] * step**2 / 12
    noise = np.zeros_like(up) if not settings.read_noise else of_up[1] + of_down[1]
    return ExpectedCrossbar(
        np.ascontiguousarray((up - down).T / lsb, np.float32),
        np.ascontiguousarray((of_up[0] + of_down[0] + noise).T / lsb**2, np.float32),
        rounding,
    )


def _of_targets(
    plan: ArrayPlan, cells: NDArray[Any], rng: np.random.Generator
) -> tuple[NDArray[Any], tuple[NDArray[Any], NDArray[Any]]]:
    """(N, N) each: what cells become on average; their variance, and that of a read of them."""
    model, seconds = plan.settings.model, plan.settings.seconds
    ignored = plan.settings.stuck_cells == "ignored"
    targets, level = np.unique(cells, return_inverse=True)
    found = []
    for target in targets.tolist():
        g = model.program(np.full(SAMPLES, target, np.float32), rng)
        g = np.asarray(model.relax(g, seconds, rng))
        if ignored:
            chance = rng.random(SAMPLES)
            off, on = split(chance, model.stuck_off, model.stuck_on)
            g = np.where(on, model.g_max_us, np.where(off, 0.0, g))
        read = model.read_sigma_us(g, seconds)
        found.append((g.mean(), g.var(), np.mean(np.square(read))))
    mean, variance, noise = (
        np.array(each)[level].reshape(cells.shape) for each in zip(*found, strict=True)
    )
    return mean, (variance, noise)
