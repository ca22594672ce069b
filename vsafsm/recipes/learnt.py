"""What trials say of the settings: scikit-learn's Gaussian process, for pictures.

Numbers lie from 0 to 1 between their bounds, and a category has an input of its own. Each setting
has a length scale; scales and noise are those that make the trials likeliest.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.recipes.plan import Setting, Value
from vsafsm.sense.extra import imported

Floats = NDArray[np.float64]
SCALES, SCALES_OF_CATEGORIES = (0.05, 20.0), (0.05, 1.0)
"""Bounds of length scales. Categories stay apart: what one is worth says little of another."""
LEAST_NOISE, MOST_NOISE = 1e-3, 1.0
"""Variances, as shares of that of the trials."""


@dataclass(frozen=True)
class Learnt:
    """The process, given trials.

    Attributes
    ----------
    process
        A fitted ``sklearn.gaussian_process.GaussianProcessRegressor``.
    noise
        Standard deviation of a measurement, in the unit of the values.
    """

    settings: tuple[Setting, ...]
    process: Any
    noise: float

    def at(self, asked: Sequence[dict[str, Value]]) -> tuple[Floats, Floats]:
        """Mean (A,) and standard deviation (A,) of what settings are worth, without noise."""
        mean, apart = self.process.predict(places_of(self.settings, asked), return_std=True)
        return np.asarray(mean), np.sqrt(np.maximum(apart**2 - self.noise**2, 0))


def learn(
    settings: tuple[Setting, ...], tried: Sequence[dict[str, Value]], worth: Sequence[float]
) -> Learnt:
    """A process for trials, two or more.

    Raises
    ------
    SenseError
        If scikit-learn is not installed.
    """
    sklearn = imported("sklearn.gaussian_process", "a picture of what was learnt")
    kinds, places = sklearn.kernels, places_of(settings, tried)
    bounds = [
        bound
        for each in settings
        for bound in ([SCALES_OF_CATEGORIES] * len(each.values) if each.values else [SCALES])
    ]
    smooth = kinds.RBF(np.full(places.shape[1], 0.4), np.array(bounds))
    kernel = smooth + kinds.WhiteKernel(0.03, (LEAST_NOISE, MOST_NOISE))
    process = sklearn.GaussianProcessRegressor(kernel, normalize_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scales at their bounds
        process.fit(places, np.asarray(worth, np.float64))
    spread = float(np.std(worth)) or 1.0
    return Learnt(settings, process, spread * float(process.kernel_.k2.noise_level) ** 0.5)


def places_of(settings: tuple[Setting, ...], tried: Sequence[dict[str, Value]]) -> Floats:
    """Where trials lie: (T, D), a column per number and one per category."""
    rows = [
        [
            place
            for setting in settings
            for place in (
                [float(each[setting.name] == value) for value in setting.values]
                if setting.values
                else [setting.unit(each[setting.name])]
            )
        ]
        for each in tried
    ]
    return np.array(rows, np.float64)
