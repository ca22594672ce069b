"""Training of a classifier for arrays whose weights are not exact: torch, on the CPU.

Weights and activations are rounded, and noise is added to the weights, drawn anew for each batch
(Wan et al., Nature 608, 2022). Before each layer every input may be multiplied by 0, 1/2 or 1 (the
dropout of BayesMulti, Ye et al.). How that is done is in `vsafsm.sense.net`.

A training is on one thread, and every draw comes from the generator that is passed: the same seed
gives the same classifier on the same machine and library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsafsm.errors import SenseError
from vsafsm.sense.data import Frames
from vsafsm.sense.extra import imported, one_thread
from vsafsm.sense.margins import examples_of, split, with_margin
from vsafsm.sense.model import Model, Quantiser, Window, spread
from vsafsm.sense.net import Net, Part, Progress, Steps, tensor

FIRST_FRAMES = 256
FIRST_RANGE = 0.999
"""Share of the first frames' sums that an activation's range covers when training starts."""


@dataclass(frozen=True)
class Convolution:
    """A layer of `channels` square windows of some size and stride."""

    channels: int
    size: int
    stride: int = 1


@dataclass(frozen=True)
class Recipe:
    """How a classifier is built and trained.

    Attributes
    ----------
    convolutions, hidden
        Layers: convolutions, then dense ones of so many neurons, then one for the classes.
    weight_bits, activation_bits, input_bits
        Widths: 2 to 8, 1 to 8, 1 to 8.
    noise
        Standard deviation of what is added to the weights, as a share of the layer's largest: one
        for all layers, or one for each.
    dropout
        Shares of inputs that are multiplied by 0 and by 1/2, one pair for all layers, or one for
        each; none where it is empty.
    clip
        Root mean squares of a layer's weights at which its full scale lies; what is beyond is cut
        off, so that the same noise is less beside the weights. At most at the largest weight.
    epochs, batch, rate
        Passes over the frames, frames per step, and the first learning rate of Adam, which falls to
        0 as a cosine.
    validation
        Share of each class that the margin is chosen on.
    most_wrong
        Share of the frames there that may be wrong where the classifier is sure.

    Raises
    ------
    SenseError
        If a number is out of range.
    """

    hidden: tuple[int, ...] = (256,)
    convolutions: tuple[Convolution, ...] = ()
    weight_bits: int = 4
    activation_bits: int = 4
    input_bits: int = 4
    noise: tuple[float, ...] = (0.2,)
    dropout: tuple[tuple[float, float], ...] = ()
    clip: float = 2.0
    epochs: int = 60
    batch: int = 64
    rate: float = 0.01
    validation: float = 0.15
    most_wrong: float = 0.01

    def __post_init__(self) -> None:
        for name, count in (("noise", len(self.noise)), ("dropout", len(self.dropout))):
            if count not in ((1, self.depth) if name == "noise" else (0, 1, self.depth)):
                raise SenseError(f"{name} has {count} entries; expected 1, or {self.depth}")
        if not all(0 <= each <= 10 for each in self.noise):
            raise SenseError(f"noise is {self.noise}; expected shares from 0 to 10")
        for none, half in self.dropout:
            if min(none, half) < 0 or none + half / 2 >= 1 or none + half > 1:
                raise SenseError(
                    f"dropout is {none} and {half}; expected shares of 0 and of 1/2 that leave some"
                )
        if not 0.5 <= self.clip <= 1000:
            raise SenseError(f"clip is {self.clip}; expected 0.5 to 1000")
        sizes = (*self.hidden, *(n for c in self.convolutions for n in (c.channels, c.size)))
        if min((*sizes, self.epochs, self.batch)) < 1 or not 0 < self.rate <= 1:
            raise SenseError("sizes, epochs and batch are to be 1 or more, and 0 < rate <= 1")

    @property
    def depth(self) -> int:
        """Layers."""
        return len(self.convolutions) + len(self.hidden) + 1


def train(
    frames: Frames,
    recipe: Recipe,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Model:
    """Train a classifier of labelled frames.

    Raises
    ------
    SenseError
        If torch is not installed, or the frames do not fit the recipe.
    """
    kept, held = split(frames, recipe.validation, rng)
    quantiser = Quantiser.of(kept, recipe.input_bits)
    torch = imported("torch", "training a classifier")
    inputs = quantiser.whole(kept.values)
    with one_thread(torch):
        net = Net(torch, _parts(torch, kept, recipe, rng), rng)
        shares = inputs.reshape(-1, *spread(frames.shape)) / (2**recipe.input_bits - 1)
        net.calibrate(shares[:FIRST_FRAMES], FIRST_RANGE)
        numbers = {name: i for i, name in enumerate(kept.classes)}
        truth = np.array([numbers[label] for label in kept.labels])
        net.fit(shares, truth, Steps(recipe.epochs, recipe.batch, recipe.rate), progress)
        layers = net.layers()
    model = Model(
        frames.classes, frames.shape, quantiser, layers, examples=examples_of(inputs, rng)
    )
    return with_margin(model, held, recipe.most_wrong)


def _parts(torch: Any, frames: Frames, recipe: Recipe, rng: np.random.Generator) -> list[Part]:
    """The layers before training, with weights that are drawn."""
    windows = [Window(c.size, c.size, c.stride) for c in recipe.convolutions]
    sizes = _sizes(frames.shape, recipe, len(frames.classes))
    found = []
    for number, size in enumerate(sizes):
        last = number == len(sizes) - 1
        found.append(
            Part(
                tensor(torch, rng.normal(0, math.sqrt(2 / size[0]), size)),
                tensor(torch, np.zeros(size[1])),
                None if last else tensor(torch, np.zeros(())),
                recipe.weight_bits,
                recipe.activation_bits if number else recipe.input_bits,
                recipe.activation_bits,
                windows[number] if number < len(windows) else None,
                _each(recipe.noise, number),
                _each(recipe.dropout, number) if recipe.dropout else None,
                recipe.clip,
            )
        )
    return found


def _each(values: Sequence[Any], number: int) -> Any:
    return values[0] if len(values) == 1 else values[number]


def _sizes(shape: tuple[int, ...], recipe: Recipe, classes: int) -> list[tuple[int, int]]:
    """Inputs and outputs of each layer's matrix."""
    found = []
    now = spread(shape)
    for each in recipe.convolutions:
        window = Window(each.size, each.size, each.stride)
        if len(now) != 3 or min(window.places(now)) < 1:
            raise SenseError(f"a convolution of {each.size} x {each.size} has no place in {now}")
        found.append((each.size**2 * now[2], each.channels))
        now = (*window.places(now), each.channels)
    inputs = math.prod(now)
    for outputs in (*recipe.hidden, classes):
        found.append((inputs, outputs))
        inputs = outputs
    return found
