"""Images and what recovers them, shared by the tests of the room."""

from __future__ import annotations

import numpy as np
import pytest

from vsafsm.sense.data import Frames
from vsafsm.sense.recovery.attractors import ImageMemory, store
from vsafsm.sense.recovery.boltzmann import Boltzmann
from vsafsm.sense.recovery.training import BoltzmannRecipe, remember


def bars(count: int, seed: int = 0) -> Frames:
    """Images of 6 x 6 with one bright row or column, under noise that a threshold takes away."""
    rng = np.random.default_rng(seed)
    values = 0.3 * rng.random((count, 6, 6))
    labels = []
    for i in range(count):
        place = int(rng.integers(6))
        if i % 2:
            values[i, place] += 0.7
        else:
            values[i, :, place] += 0.7
        labels.append(("column", "row")[i % 2])
    return Frames(values, tuple(f"{i}" for i in range(count)), tuple(labels))


def every_bar() -> Frames:
    """The 12 of them."""
    values = np.zeros((12, 6, 6))
    for i in range(6):
        values[i, i] = values[6 + i, :, i] = 1
    return Frames(values, tuple(map(str, range(12))), ("row",) * 6 + ("column",) * 6)


@pytest.fixture(scope="session")
def learned() -> Boltzmann:
    """A machine that knows bars."""
    recipe = BoltzmannRecipe(bits=32, passes=60, batch=20)
    return remember(bars(400), recipe, np.random.default_rng(0))


@pytest.fixture(scope="session")
def memory() -> ImageMemory:
    """A network that has the 12 bars stored."""
    return store(every_bar(), np.random.default_rng(0), neurons=256, active=32)
