"""Classifiers on drawn arrays of a backend: what a backend is asked for, and what is measured.

A backend takes part with two more methods, `draw_layers` and `emit_layers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vsafsm.errors import SenseError
from vsafsm.sense.data import Frames
from vsafsm.sense.model import Floats, Model, Products, Whole


@dataclass(frozen=True)
class Matrix:
    """What a layer asks of an array.

    Attributes
    ----------
    weights : (I, O)
        Whole numbers.
    limit
        Their full scale.
    input_bits
        Width of the inputs, which are 0 and more.
    rows : (R, I)
        Examples of its inputs, for the ranges of converters.
    back : (R, O), optional
        Examples of what transposed reads are given; None where there are none.
    """

    weights: Whole
    limit: int
    input_bits: int
    rows: Floats
    back: Floats | None = None


class TwoWay(Products, Protocol):
    """Products of arrays that are read transposed as well."""

    def transposed(self, layer: int, rows: Floats) -> Floats:
        """Sums (B, I) of a layer, by its number, for bits (B, O), in its LSBs."""


class ArrayBackend(Protocol):
    """A backend that has arrays for layers."""

    name: str

    def draw_layers(
        self, matrices: Sequence[Matrix], rng: np.random.Generator, **options: Any
    ) -> TwoWay:
        """The layers on arrays of their own, with all that is drawn from the generator."""

    def emit_layers(self, matrices: Sequence[Matrix], folder: Path, **options: Any) -> list[Path]:
        """Write what programs real arrays into a folder: the files that were written."""


@dataclass(frozen=True)
class Outcome:
    """What one array gives of labelled frames.

    Attributes
    ----------
    correct
        Share of the frames whose best score is that of their label (of the class that the cleanup
        falls into, where there is one), sure or not.
    unsure
        Share of the frames that the classifier is unsure of.
    wrong
        Share of the frames that it is sure of, and wrong.
    """

    correct: float
    unsure: float
    wrong: float


def array_backend(backend: Any) -> ArrayBackend:
    """The backend, if it has arrays for layers.

    Raises
    ------
    SenseError
        If it has none.
    """
    if not all(callable(getattr(backend, name, None)) for name in ("draw_layers", "emit_layers")):
        raise SenseError(
            f'backend "{backend.name}" has no arrays for classifiers; expected one with'
            ' "draw_layers" and "emit_layers", such as memristor'
        )
    found: ArrayBackend = backend
    return found


def matrices_of(model: Model) -> tuple[Matrix, ...]:
    """What the layers of a classifier ask for. Raises `SenseError` where it has no examples."""
    return tuple(
        Matrix(layer.weights, layer.limit, bits, rows)
        for layer, bits, rows in zip(
            model.layers, model.input_bits, model.example_rows(), strict=True
        )
    )


def outcome(model: Model, frames: Frames, products: Products | None = None) -> Outcome:
    """What labelled frames give with some products, exact ones where there are none."""
    truth, scores = model.truth(frames), model.scores(frames, products)
    best, found = model.best(scores), model.decide(scores)
    return Outcome(
        float((best == truth).mean()),
        float((found < 0).mean()),
        float(((found >= 0) & (found != truth)).mean()),
    )


def outcomes(
    model: Model,
    frames: Frames,
    backend: ArrayBackend,
    options: Mapping[str, Any],
    seeds: Sequence[int],
) -> Iterator[Outcome]:
    """What the arrays of some seeds give of labelled frames, one after the other."""
    matrices = matrices_of(model)
    for seed in seeds:
        rng = np.random.default_rng([seed, 1])
        yield outcome(model, frames, backend.draw_layers(matrices, rng, **options))
