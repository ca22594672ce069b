"""Errors of recovered images: in software, and on drawn arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsafsm.sense.arrays import ArrayBackend
from vsafsm.sense.model import Floats
from vsafsm.sense.recovery.images import Damaged, Restorer, wrong
from vsafsm.vsa import Bits


@dataclass(frozen=True)
class Errors:
    """Shares of wrong pixels.

    Attributes
    ----------
    damaged : (F,)
        Of each image as it is seen, a covered pixel being dark.
    guessed : (F,)
        The same, where a coin is thrown for each covered pixel.
    exact : (F,)
        Recovered by products in whole numbers.
    arrays : (A, F)
        Recovered on each array.
    """

    damaged: Floats
    guessed: Floats
    exact: Floats
    arrays: Floats


def errors(
    restorer: Restorer,
    damaged: Damaged,
    truth: Bits,
    backend: ArrayBackend,
    options: Mapping[str, Any],
    seeds: Sequence[int],
) -> Errors:
    """What is wrong before and after.

    Parameters
    ----------
    truth : (F, P)
        The images.
    seeds
        Of the arrays, one or more; the first one is that of the recovery in software as well.
    """
    found = [wrong(each, truth) for each in drawn(restorer, damaged, backend, options, seeds)]
    seen = (damaged.pixels != truth) & damaged.known
    guessed = (seen + 0.5 * ~damaged.known).mean(1)
    return Errors(
        wrong(damaged.pixels, truth),
        np.asarray(guessed),
        wrong(in_software(restorer, damaged, seeds[0]), truth),
        np.stack(found),
    )


def in_software(restorer: Restorer, damaged: Damaged, seed: int) -> Bits:
    """Images that products in whole numbers recover."""
    return restorer.recovered(damaged, np.random.default_rng([seed, 2]))


def drawn(
    restorer: Restorer,
    damaged: Damaged,
    backend: ArrayBackend,
    options: Mapping[str, Any],
    seeds: Sequence[int],
) -> Iterator[Bits]:
    """Images that the arrays of some seeds recover, one array after the other."""
    matrices = restorer.matrices()
    for seed in seeds:
        rng = np.random.default_rng([seed, 1])
        products = backend.draw_layers(matrices, rng, **options)
        yield restorer.recovered(damaged, rng, products)
