"""Frames and classifiers that the tests of senses share."""

from __future__ import annotations

import numpy as np
import pytest

from vsafsm.sense.data import Frames
from vsafsm.sense.model import Layer, Model, Quantiser, Rounding, Window


def blobs(count: int, seed: int, size: int = 6) -> Frames:
    """Frames of three classes: a bright row, a bright column, or neither, under noise."""
    rng = np.random.default_rng(seed)
    labels = [("row", "column", "plain")[i % 3] for i in range(count)]
    values = rng.random((count, size, size)) * 0.6
    for i, label in enumerate(labels):
        if label == "row":
            values[i, 2] += 0.4
        elif label == "column":
            values[i, :, 3] += 0.4
    return Frames(values, tuple(f"frame {i}" for i in range(count)), tuple(labels))


def drawn_model(seed: int, convolution: bool = False, bits: int = 4) -> Model:
    """A classifier of 6 x 6 frames with weights drawn at random."""
    rng = np.random.default_rng(seed)
    limit = 2 ** (bits - 1) - 1

    def layer(
        inputs: int, outputs: int, rounding: Rounding | None, window: Window | None = None
    ) -> Layer:
        weights = rng.integers(-limit, limit + 1, (inputs, outputs)).astype(np.int8)
        bias = rng.integers(-20, 20, outputs).astype(np.int32)
        return Layer(weights, bias, bits, rounding, window)

    rounding = Rounding.of(0.12, 3)
    layers = (
        (
            layer(9, 4, rounding, Window(3, 3, 1)),
            layer(4 * 16, 12, rounding),
            layer(12, 3, None),
        )
        if convolution
        else (layer(36, 20, rounding), layer(20, 3, None))
    )
    return Model(("a", "b", "c"), (6, 6), Quantiser(0.0, 1.0, 3), layers)


@pytest.fixture(scope="session")
def frames() -> Frames:
    """Labelled frames, 90 of three classes."""
    return blobs(90, 0)
