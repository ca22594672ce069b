"""Chip in the loop: a classifier is put on arrays layer by layer, and what is not on them yet
learns from what was measured (Wan et al., Nature 608, 2022).

A layer is programmed, and computes the frames of training. Its bias and its range, which are
digital, and all layers after it are trained further on the sums that were measured. Then the next
layer is programmed. Converters of each layer are calibrated on what the layers before it gave.

An array takes part as a function: weights in, a function that multiplies out. So a rig can be one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import SenseError
from vsafsm.sense.arrays import ArrayBackend, Matrix, Outcome, outcome
from vsafsm.sense.data import Frames
from vsafsm.sense.extra import imported, one_thread
from vsafsm.sense.margins import MOST_EXAMPLES, split, with_margin
from vsafsm.sense.model import Floats, Layer, Model
from vsafsm.sense.net import Net, Part, Progress, Steps, tensor

Multiply = Callable[[Floats], Floats]
"""Sums (B, O) that a programmed layer gives for whole inputs (B, I), in its LSBs."""
Program = Callable[[Matrix], Multiply]
"""Puts a layer on an array."""


@dataclass(frozen=True)
class Tuning:
    """How layers learn from what was measured.

    Attributes
    ----------
    noise
        Standard deviation of what is added to weights that are not programmed yet, as a share of
        full scale.
    epochs, batch, rate
        After each layer, as in `vsafsm.sense.train.Recipe`.
    validation, most_wrong
        Of the margin, which is chosen anew, as there.

    Raises
    ------
    SenseError
        If a number is out of range.
    """

    noise: float = 0.2
    epochs: int = 10
    batch: int = 64
    rate: float = 0.01
    validation: float = 0.15
    most_wrong: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.noise <= 10 or min(self.epochs, self.batch) < 1 or not 0 < self.rate <= 1:
            raise SenseError(
                f"{self}; expected noise from 0 to 10, epochs and batch of 1 or more, and a rate"
                " above 0, 1 at most"
            )


@dataclass(frozen=True)
class Tuned:
    """A classifier on the arrays that it was tuned for: `vsafsm.sense.model.Products`.

    Attributes
    ----------
    model
        What its layers are now. They are for these arrays only.
    arrays
        One per layer.
    """

    model: Model
    arrays: tuple[Multiply, ...]

    def product(self, layer: int, rows: Floats) -> Floats:
        """Sums (B, O) of a layer for whole inputs (B, I)."""
        return self.arrays[layer](rows)


def tune(
    model: Model,
    frames: Frames,
    program: Program,
    rng: np.random.Generator,
    tuning: Tuning | None = None,
    progress: Progress | None = None,
) -> Tuned:
    """Put a classifier on arrays layer by layer, and train the rest on what is measured.

    Parameters
    ----------
    frames
        Those of training, with labels. The margin is chosen on a share that is held back.
    program
        Called once per layer, in order.
    rng
        Of the frames that are held back or calibrated on, of batches, and of noise in training.

    Raises
    ------
    SenseError
        If torch is not installed, the frames do not fit the model or have no labels, or the model
        has a cleanup.
    """
    check_tuning(model, frames)
    tuning = tuning or Tuning()
    torch = imported("torch", "tuning a classifier")
    kept, held = split(frames, tuning.validation, rng)
    truth, inputs = model.truth(kept), model.inputs(kept)
    examples = rng.permutation(len(inputs))[:MOST_EXAMPLES]
    layers, arrays = list(model.layers), list[Multiply]()
    for number, bits in enumerate(model.input_bits):
        layer = layers[number]
        seen = layer.rows(inputs[examples])
        matrix = Matrix(layer.weights, layer.limit, bits, seen.reshape(-1, seen.shape[-1]))
        arrays.append(program(matrix))
        rows = layer.rows(inputs)
        sums = arrays[-1](rows.reshape(-1, rows.shape[-1])).reshape(*rows.shape[:-1], -1)
        with one_thread(torch):
            layers[number:] = _fitted(torch, layers[number:], bits, sums, truth, tuning, rng)
        inputs = layers[number].after(sums)
        if progress is not None:
            progress(f"layer {number + 1} of {len(layers)}", (number + 1) / len(layers))
    found = Tuned(replace(model, layers=tuple(layers)), tuple(arrays))
    return replace(found, model=with_margin(found.model, held, tuning.most_wrong, found))


def check_tuning(model: Model, frames: Frames) -> None:
    """Raise `SenseError` where a classifier cannot be tuned on frames."""
    if model.cleanup is not None:
        raise SenseError("a classifier of prototypes is not tuned; expected trained layers")
    if not frames.labels:
        raise SenseError("frames to tune on have no labels; expected those of training")
    model.truth(frames)
    model.inputs(frames)


def _fitted(
    torch: Any,
    layers: Sequence[Layer],
    bits: int,
    sums: Floats,
    truth: NDArray[np.intp],
    tuning: Tuning,
    rng: np.random.Generator,
) -> tuple[Layer, ...]:
    """Layers of which the first is on an array and gave these sums: it keeps its weights."""
    parts = []
    for number, layer in enumerate(layers):
        parts.append(_part(torch, layer, bits, number == 0, tuning.noise))
        bits = parts[-1].activation_bits
    net = Net(torch, parts, rng)
    steps = Steps(tuning.epochs, tuning.batch, tuning.rate)
    net.fit(sums * parts[0].sum_lsb(), truth, steps)
    return net.layers()


def _part(torch: Any, layer: Layer, bits: int, measured: bool, noise: float) -> Part:
    """A layer of whole numbers, with weights of the size that training draws: full scale lies at
    two root mean squares.
    """
    full = 2 * math.sqrt(2 / len(layer.weights))
    part = Part(
        tensor(torch, layer.weights * (full / layer.limit), learned=not measured),
        None,
        None,
        layer.bits,
        bits,
        0 if layer.rounding is None else layer.rounding.bits,
        layer.window,
        noise,
        full=full,
        measured=measured,
    )
    lsb = part.sum_lsb()
    part.bias = tensor(torch, layer.bias * lsb)
    if layer.rounding is not None:
        factor = layer.rounding.multiplier / 2**layer.rounding.shift
        part.most = tensor(torch, np.array(lsb * (2**part.activation_bits - 1) / factor))
    return part


def programmer(
    backend: ArrayBackend, options: Mapping[str, Any], rng: np.random.Generator
) -> Program:
    """Puts layers on arrays of a backend, all drawn from one generator."""

    def program(matrix: Matrix) -> Multiply:
        array = backend.draw_layers((matrix,), rng, **options)
        return lambda rows: array.product(0, rows)

    return program


def tuned_outcomes(
    model: Model,
    frames: Frames,
    backend: ArrayBackend,
    options: Mapping[str, Any],
    seeds: Sequence[int],
    training: Frames,
    tuning: Tuning | None = None,
) -> Iterator[Outcome]:
    """What the arrays of some seeds give of labelled frames, each tuned on frames of training."""
    for seed in seeds:
        program = programmer(backend, options, np.random.default_rng([seed, 1]))
        found = tune(model, training, program, np.random.default_rng([seed, 2]), tuning)
        yield outcome(found.model, frames, found)
