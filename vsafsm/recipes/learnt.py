"""What trials say of the settings: a small Gaussian process, for pictures.

Numbers lie from 0 to 1 between their bounds, categories are as far apart as those bounds. The
kernel is a product of squared exponentials, one scale per setting; scales and noise are those of a
grid that make the trials likeliest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.recipes.plan import Setting, Value

Floats = NDArray[np.float64]
SCALES = (0.1, 0.2, 0.4, 0.8, 1.6, 6.4)
NOISES = (0.003, 0.01, 0.03, 0.1, 0.3)
"""Variances, as shares of that of the trials."""
SWEEPS = 3


@dataclass(frozen=True)
class Learnt:
    """The process, given trials.

    Attributes
    ----------
    places : (T, D)
        Of the trials.
    alpha : (T,)
        Kernel's inverse times the standardised values.
    inverse : (T, T)
    scales : (D,)
    mean, spread
        Of the values.
    """

    settings: tuple[Setting, ...]
    places: Floats
    alpha: Floats
    inverse: Floats
    scales: Floats
    mean: float
    spread: float

    def at(self, asked: Sequence[dict[str, Value]]) -> tuple[Floats, Floats]:
        """Mean (A,) and standard deviation (A,) of what settings are worth, without noise."""
        between = _kernel(places_of(self.settings, asked), self.places, self.settings, self.scales)
        mean = self.mean + self.spread * (between @ self.alpha)
        left = 1 - np.einsum("at,tu,au->a", between, self.inverse, between)
        return np.asarray(mean), np.asarray(self.spread * np.sqrt(np.maximum(left, 0)))


def learn(
    settings: tuple[Setting, ...], tried: Sequence[dict[str, Value]], worth: Sequence[float]
) -> Learnt:
    """A process for trials, two or more."""
    values = np.asarray(worth, np.float64)
    mean, spread = float(values.mean()), float(values.std()) or 1.0
    target = (values - mean) / spread
    places = places_of(settings, tried)
    scales, noise = np.full(len(settings), 0.4), 0.03
    for _ in range(SWEEPS):
        for number in range(len(settings)):
            others = [_replaced(scales, number, scale) for scale in SCALES]
            likely = [_likelihood(places, target, settings, each, noise) for each in others]
            scales = others[int(np.argmax(likely))]
        likely = [_likelihood(places, target, settings, scales, each) for each in NOISES]
        noise = NOISES[int(np.argmax(likely))]
    inverse = np.linalg.inv(_covariance(places, settings, scales, noise))
    return Learnt(settings, places, inverse @ target, inverse, scales, mean, spread)


def places_of(settings: tuple[Setting, ...], tried: Sequence[dict[str, Value]]) -> Floats:
    """Where trials lie (T, D): numbers between their bounds, categories by their number."""
    return np.array(
        [
            [
                setting.values.index(str(each[setting.name]))
                if setting.values
                else setting.unit(each[setting.name])
                for setting in settings
            ]
            for each in tried
        ],
        np.float64,
    ).reshape(len(tried), len(settings))


def _kernel(one: Floats, other: Floats, settings: tuple[Setting, ...], scales: Floats) -> Floats:
    apart = np.abs(one[:, None] - other)
    categories = np.array([bool(setting.values) for setting in settings])
    apart = np.where(categories, apart > 0, apart)
    return np.asarray(np.exp(-0.5 * np.square(apart / scales).sum(2)))


def _covariance(
    places: Floats, settings: tuple[Setting, ...], scales: Floats, noise: float
) -> Floats:
    return _kernel(places, places, settings, scales) + noise * np.eye(len(places))


def _likelihood(
    places: Floats, target: Floats, settings: tuple[Setting, ...], scales: Floats, noise: float
) -> float:
    """Logarithm of how likely the values are, but for a constant."""
    factor = np.linalg.cholesky(_covariance(places, settings, scales, noise))
    white = np.linalg.solve(factor, target)
    return float(-0.5 * white @ white - np.log(np.diag(factor)).sum())


def _replaced(values: Floats, place: int, value: float) -> Floats:
    found = values.copy()
    found[place] = value
    return found
