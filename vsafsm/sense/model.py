"""A classifier of frames: frozen layers of integer weights, and its exact run.

A frame is rounded to whole inputs. Each layer multiplies its inputs with a matrix, adds a bias, and
rounds the sums to activations of a few bits; a convolution does so for every window of its inputs.
The last layer's sums are the scores of the classes. Only the products are done by crossbars,
through `Products`; all else is digital.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import SenseError
from vsafsm.sense.data import UNSURE, Frames
from vsafsm.vsa import Bits

Whole = NDArray[np.signedinteger[Any]]
Floats = NDArray[np.float64]
WEIGHT_BITS, ACTIVATION_BITS = (2, 8), (1, 8)
MOST_SHIFT, MOST_MULTIPLIER = 31, 2**15 - 1
MOST_BIAS = 2**30
MOST_INPUTS = 2**16
MOST_STEPS = 50
"""Steps of a cleanup until it is given up."""


class Products(Protocol):
    """What multiplies the inputs of layers with their weights: exact integers, or crossbars."""

    def product(self, layer: int, rows: Floats) -> Floats:
        """Sums (B, O) of a layer, by its number, for whole inputs (B, I), in its LSBs."""


@dataclass(frozen=True)
class Rounding:
    """Sums to activations: ``floor(sum * multiplier / 2 ** shift + 1/2)``, from 0 to
    ``2 ** bits - 1``.

    Examples
    --------
    >>> import numpy as np
    >>> Rounding(3, 2, 2).activations(np.array([-5.0, 1.0, 2.0, 90.0])).tolist()
    [0.0, 1.0, 2.0, 3.0]
    """

    multiplier: int
    shift: int
    bits: int

    def __post_init__(self) -> None:
        _check_range("multiplier", self.multiplier, 1, MOST_MULTIPLIER)
        _check_range("shift", self.shift, 0, MOST_SHIFT)
        _check_range("activation bits", self.bits, *ACTIVATION_BITS)

    @classmethod
    def of(cls, factor: float, bits: int) -> Rounding:
        """The nearest to a factor above 0.

        Raises
        ------
        SenseError
            If there is none.
        """
        if not 2.0**-17 <= factor < MOST_MULTIPLIER:
            raise SenseError(f"a layer is scaled by {factor:g}; expected {2.0**-17:g} to 32767")
        shift = min(MOST_SHIFT, max(0, 14 - math.floor(math.log2(factor))))
        return cls(min(MOST_MULTIPLIER, max(1, round(factor * 2**shift))), shift, bits)

    def activations(self, sums: Floats) -> Floats:
        """Of sums of any shape. Exact for whole sums below 2 ** 37; never falls as a sum rises."""
        scaled = np.floor(sums * (self.multiplier / 2**self.shift) + 0.5)
        return np.asarray(np.clip(scaled, 0, 2**self.bits - 1))


@dataclass(frozen=True)
class Window:
    """What a convolution looks at: windows of some height and width, every `stride` places, inside
    of the frame.
    """

    height: int
    width: int
    stride: int = 1

    def __post_init__(self) -> None:
        for name in ("height", "width", "stride"):
            _check_range(f"window {name}", getattr(self, name), 1, 1024)

    def places(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Windows down and across inputs (H, W, C)."""
        down, across = (
            (size - own) // self.stride + 1
            for size, own in zip(shape, (self.height, self.width), strict=False)
        )
        return down, across

    def unrolled(self, inputs: Floats) -> Floats:
        """Windows (B, down, across, height * width * C) of inputs (B, H, W, C)."""
        view: Any = np.lib.stride_tricks.sliding_window_view
        windows = view(inputs, (self.height, self.width), axis=(1, 2))
        windows = windows[:, :: self.stride, :: self.stride]
        ordered = windows.transpose(0, 1, 2, 4, 5, 3)
        return np.ascontiguousarray(ordered).reshape(*ordered.shape[:3], -1)


@dataclass(frozen=True)
class Layer:
    """One layer: dense, or a convolution where it has a window.

    Attributes
    ----------
    weights : (I, O)
        int8, of magnitude ``2 ** (bits - 1) - 1`` at most.
    bias : (O,)
        int32, in LSBs of the sums; added digitally.
    bits
        Width of a weight, 2 to 8.
    rounding
        To activations; None for the last layer, whose sums are scores.
    window
        Of a convolution, whose weights are (height * width * C, O).
    """

    weights: Whole
    bias: Whole
    bits: int
    rounding: Rounding | None = None
    window: Window | None = None

    def __post_init__(self) -> None:
        _check_range("weight bits", self.bits, *WEIGHT_BITS)
        if self.weights.ndim != 2 or self.weights.dtype != np.int8 or 0 in self.weights.shape:
            raise SenseError(
                f"weights are {self.weights.dtype} {self.weights.shape}; expected int8 (I, O)"
            )
        _check_range("inputs of a layer", len(self.weights), 1, MOST_INPUTS)
        if int(np.abs(self.weights.astype(np.int16)).max()) > self.limit:
            raise SenseError(f"weights go beyond {self.limit}; expected {self.bits} bits")
        if self.bias.shape != self.weights.shape[1:] or self.bias.dtype != np.int32:
            raise SenseError(
                f"bias is {self.bias.dtype} {self.bias.shape}; expected int32"
                f" {self.weights.shape[1:]}"
            )
        if int(np.abs(self.bias.astype(np.int64)).max()) > MOST_BIAS:
            raise SenseError(f"a bias goes beyond {MOST_BIAS}")
        for array in (self.weights, self.bias):
            array.setflags(write=False)

    @property
    def limit(self) -> int:
        """Largest magnitude of a weight: full scale."""
        return int(2 ** (self.bits - 1) - 1)

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Of what the layer gives for inputs (I,) or (H, W, C).

        Raises
        ------
        SenseError
            If they do not fit it.
        """
        inputs, outputs = self.weights.shape
        after: tuple[int, ...]
        if self.window is None:
            needed, after = math.prod(shape), (outputs,)
        elif len(shape) == 3 and min(self.window.places(shape)) >= 1:
            needed = self.window.height * self.window.width * shape[2]
            after = (*self.window.places(shape), outputs)
        else:
            raise SenseError(f"inputs {shape} are smaller than a window of {self.window}")
        if needed != inputs:
            raise SenseError(f"a layer has {inputs} inputs, and is given {needed} of {shape}")
        return after

    def after(self, sums: Floats) -> Floats:
        """What it hands on, of sums (..., O) without the bias: activations, or the scores of the
        last layer.
        """
        whole = sums + self.bias
        return whole if self.rounding is None else self.rounding.activations(whole)

    def rows(self, inputs: Floats) -> Floats:
        """What its matrix is multiplied with: (B, I), or (B, down, across, I)."""
        return (
            inputs.reshape(len(inputs), -1) if self.window is None else self.window.unrolled(inputs)
        )


@dataclass(frozen=True)
class Quantiser:
    """Values of a frame to whole inputs: `low` becomes 0, `high` becomes ``2 ** bits - 1``, and
    what is beyond is cut off.
    """

    low: float
    high: float
    bits: int

    def __post_init__(self) -> None:
        _check_range("input bits", self.bits, *ACTIVATION_BITS)
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise SenseError(f"inputs range from {self.low} to {self.high}; expected low < high")

    @classmethod
    def of(cls, frames: Frames, bits: int) -> Quantiser:
        """From the smallest value of frames to the largest.

        Raises
        ------
        SenseError
            If they are equal.
        """
        low, high = float(frames.values.min()), float(frames.values.max())
        if low == high:
            raise SenseError(f"every value of the frames is {low}; expected frames that differ")
        return cls(low, high, bits)

    def whole(self, values: Floats) -> Floats:
        """Of values of any shape."""
        top = 2**self.bits - 1
        share = np.clip((values - self.low) / (self.high - self.low), 0, 1)
        return np.asarray(np.floor(share * top + 0.5))


@dataclass(frozen=True)
class Cleanup:
    """An attractor network that holds a code per class: what scores superpose falls into one.

    ``z <- (W z > gain sum(z))`` until nothing changes.

    Attributes
    ----------
    codes : (C, N)
        One per class, of k active neurons each.
    weights : (N, N)
        int8; each code is a fixed point.
    gain
        Inhibition per active neuron, in LSBs.
    """

    codes: Bits
    weights: Whole
    gain: int

    def __post_init__(self) -> None:
        size = self.codes.shape[-1]
        if self.codes.ndim != 2 or self.weights.shape != (size, size) or size > MOST_INPUTS:
            raise SenseError(
                f"codes {self.codes.shape} and weights {self.weights.shape} of a cleanup; expected"
                f" (C, N) and (N, N), N of {MOST_INPUTS} at most"
            )
        if self.codes.dtype != np.bool_ or self.weights.dtype != np.int8:
            raise SenseError("codes and weights of a cleanup; expected booleans and int8")
        if (self._step(self.codes) != self.codes).any():
            raise SenseError("a code of a class is no fixed point; expected more neurons, or bits")
        for array in (self.codes, self.weights):
            array.setflags(write=False)

    def _step(self, activity: Bits) -> Bits:
        # Sums of int8 are whole and below 2 ** 24 for up to 2 ** 17 neurons: float32 is exact.
        z = activity.astype(np.float32)
        drive = z @ self.weights.T.astype(np.float32)
        return np.asarray(drive > self.gain * z.sum(1, keepdims=True))

    def classes_of(self, scores: Floats) -> NDArray[np.intp]:
        """The class (B,) into whose code scores (B, C) fall; -1 where it is none.

        Each code is weighted by how far its score stands above the mean; the k most driven neurons
        start.
        """
        size, active = self.codes.shape[1], int(self.codes[0].sum())
        above = np.maximum(scores - scores.mean(1, keepdims=True), 0)
        order = np.argsort(-(above @ self.codes), axis=1, kind="stable")
        activity = np.zeros((len(scores), size), np.bool_)
        np.put_along_axis(activity, order[:, :active], True, axis=1)
        for _ in range(MOST_STEPS):
            after = self._step(activity)
            if (after == activity).all():
                break
            activity = after
        same = (activity[:, None] == self.codes).all(2)
        return np.where(same.any(1), same.argmax(1), -1)


@dataclass(frozen=True)
class Model:
    """A classifier of frames, complete.

    Attributes
    ----------
    classes
        Their names, by the number of the score.
    shape
        Of a frame: (D,), (H, W) or (H, W, C).
    quantiser
        Of the values of frames.
    layers
        The last without rounding.
    margin
        A frame is unsure where the best score is not this far above the next, in LSBs of the last
        layer.
    cleanup
        What decides in place of the largest score; None where that does.
    examples : (E, ...)
        uint8, whole inputs of some frames of training: ranges of converters are chosen on them.

    Raises
    ------
    SenseError
        If the parts do not fit each other.
    """

    classes: tuple[str, ...]
    shape: tuple[int, ...]
    quantiser: Quantiser
    layers: tuple[Layer, ...]
    margin: int = 0
    cleanup: Cleanup | None = None
    examples: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise SenseError(f"classes are {self.classes}; expected two or more, each once")
        if UNSURE in self.classes:
            raise SenseError(f'a class has the name "{UNSURE}"; expected another name')
        if not 1 <= len(self.shape) <= 3 or min(self.shape) < 1:
            raise SenseError(f"frames have shape {self.shape}; expected 1 to 3 dimensions")
        roundings = [layer.rounding is None for layer in self.layers]
        if not roundings or roundings != [False] * (len(roundings) - 1) + [True]:
            raise SenseError("expected one or more layers, each with a rounding but the last")
        shape = spread(self.shape)
        for layer in self.layers:
            shape = layer.shape_after(shape)
        if shape != (len(self.classes),):
            raise SenseError(f"the layers give {shape} scores for {len(self.classes)} classes")
        _check_range("margin", self.margin, 0, 2**31)
        if self.cleanup is not None and len(self.cleanup.codes) != len(self.classes):
            raise SenseError("the cleanup has not one code for each class")
        if self.examples is not None:
            self._check_examples(self.examples)

    def _check_examples(self, examples: NDArray[np.uint8]) -> None:
        if examples.dtype != np.uint8 or examples.shape[1:] != self.shape:
            raise SenseError(
                f"examples are {examples.dtype} {examples.shape}; expected uint8 (E, ...) of frames"
                f" {self.shape}"
            )
        if int(examples.max(initial=0)) >= 2**self.quantiser.bits:
            raise SenseError(f"examples are beyond {self.quantiser.bits} bits")
        examples.setflags(write=False)

    @property
    def may_be_unsure(self) -> bool:
        """Whether there can be a frame of no class."""
        return self.margin > 0 or self.cleanup is not None

    @property
    def input_bits(self) -> tuple[int, ...]:
        """Of the inputs of each layer."""
        return (
            self.quantiser.bits,
            *(layer.rounding.bits for layer in self.layers if layer.rounding is not None),
        )

    def inputs(self, frames: Frames) -> Floats:
        """Whole inputs (F, ...) of the first layer.

        Raises
        ------
        SenseError
            If the frames have another shape.
        """
        frames.check_shape(self.shape)
        return self.quantiser.whole(frames.values).reshape(len(frames.values), *spread(self.shape))

    def example_rows(self) -> list[Floats]:
        """What each layer's matrix is multiplied with in the exact run of the examples: (R, I)
        each.

        Raises
        ------
        SenseError
            If there are no examples.
        """
        if self.examples is None or not len(self.examples):
            raise SenseError("the classifier has no examples to calibrate arrays with")
        inputs = self.examples.reshape(len(self.examples), *spread(self.shape)).astype(np.float64)
        return self._run(inputs, Exact(self.layers))[1]

    def scores(self, frames: Frames, products: Products | None = None) -> Floats:
        """Scores (F, C) of the classes, in LSBs; exact where no products are given."""
        return self._run(self.inputs(frames), products or Exact(self.layers))[0]

    def classify(self, frames: Frames, products: Products | None = None) -> NDArray[np.intp]:
        """The number of the class of each frame (F,); -1 where it is unsure."""
        return self.decide(self.scores(frames, products))

    def decide(self, scores: Floats) -> NDArray[np.intp]:
        """The same, of scores (F, C)."""
        return np.where(lead(scores) >= self.margin, self.best(scores), -1)

    def best(self, scores: Floats) -> NDArray[np.intp]:
        """The class (F,) that scores (F, C) stand for, however close; -1 where a cleanup falls into
        none.
        """
        return scores.argmax(1) if self.cleanup is None else self.cleanup.classes_of(scores)

    def labels(self, frames: Frames, products: Products | None = None) -> tuple[str, ...]:
        """The name of the class of each frame, or "unsure"."""
        return tuple((*self.classes, UNSURE)[i] for i in self.classify(frames, products).tolist())

    def truth(self, frames: Frames) -> NDArray[np.intp]:
        """The number of the class that each frame is labelled with.

        Raises
        ------
        SenseError
            If a label is no class of the model.
        """
        numbers = {name: i for i, name in enumerate(self.classes)}
        for name in frames.classes:
            if name not in numbers:
                raise SenseError(
                    f'frames have the label "{name}"; expected one of: {", ".join(self.classes)}'
                )
        return np.array([numbers[label] for label in frames.labels], np.intp)

    def _run(self, inputs: Floats, products: Products) -> tuple[Floats, list[Floats]]:
        seen = []
        for number, layer in enumerate(self.layers):
            rows = layer.rows(inputs)
            seen.append(rows.reshape(-1, rows.shape[-1]))
            sums = products.product(number, seen[-1])
            inputs = layer.after(sums.reshape(*rows.shape[:-1], -1))
        return inputs, seen


@dataclass(frozen=True)
class Exact:
    """Products in whole numbers: sums are below 2 ** 31, which float64 holds exactly."""

    layers: Sequence[Layer]

    def product(self, layer: int, rows: Floats) -> Floats:
        """As `Products` says."""
        return np.asarray(rows @ self.layers[layer].weights.astype(np.float64))


def spread(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Of a frame as a convolution sees it: (H, W) has one channel."""
    return (*shape, 1) if len(shape) == 2 else shape


def lead(scores: Floats) -> Floats:
    """How far the best score of each frame is above the next, (F,)."""
    two = np.partition(scores, -2, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0])


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise SenseError(f"{name} is {value}; expected {least} to {most}")
