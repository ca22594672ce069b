"""Training of a classifier for arrays whose weights are not exact: torch, on the CPU.

Weights and activations are rounded in the forward pass, and the gradient passes as if they were not
(straight-through). Normal noise is added to the weights, as a share of the layer's largest one, and
drawn anew for each batch (Wan et al., Nature 608, 2022). Before each layer every input may be
multiplied by 0, 1/2 or 1 (the dropout of BayesMulti, Ye et al.). Ranges of activations are learned.

A training is on one thread, and every draw comes from the generator that is passed: the same seed
gives the same classifier on the same machine and library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import SenseError
from vsafsm.sense.data import Frames
from vsafsm.sense.extra import imported
from vsafsm.sense.margins import examples_of, split, with_margin
from vsafsm.sense.model import Layer, Model, Quantiser, Rounding, Window

Progress = Callable[[str, float], None]
FIRST_RANGE = 0.999
"""Share of the first sums that an activation's range covers when training starts."""


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
    with _one_thread(torch):
        net = _Net(torch, kept, recipe, rng)
        inputs = quantiser.whole(kept.values)
        net.fit(inputs, progress)
        layers = net.layers()
    model = Model(
        frames.classes, frames.shape, quantiser, layers, examples=examples_of(inputs, rng)
    )
    return with_margin(model, held, recipe.most_wrong)


@contextmanager
def _one_thread(torch: Any) -> Iterator[None]:
    """Sums in one order, whatever the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Net:
    """The layers in training: real weights, and ranges of activations."""

    def __init__(
        self, torch: Any, frames: Frames, recipe: Recipe, rng: np.random.Generator
    ) -> None:
        self.torch, self.recipe, self.rng = torch, recipe, rng
        numbers = {name: i for i, name in enumerate(frames.classes)}
        self.truth = np.array([numbers[label] for label in frames.labels], np.int64)
        self.windows = _windows(recipe)
        sizes = _sizes(frames.shape, recipe, len(frames.classes))
        self.weights = [self._drawn(size) for size in sizes]
        self.biases = [self._parameter(np.zeros(size[1])) for size in sizes]
        self.ranges = [self._parameter(np.zeros(())) for _ in sizes[:-1]]
        self.shape = (*frames.shape, 1) if len(frames.shape) == 2 else frames.shape

    def _parameter(self, values: NDArray[Any]) -> Any:
        return self.torch.tensor(np.asarray(values, np.float32), requires_grad=True)

    def _drawn(self, size: tuple[int, int]) -> Any:
        return self._parameter(self.rng.normal(0, math.sqrt(2 / size[0]), size))

    def _normal(self, like: Any) -> Any:
        return self.torch.from_numpy(self.rng.standard_normal(tuple(like.shape), np.float32))

    def fit(self, inputs: NDArray[np.float64], progress: Progress | None) -> None:
        """Adam over batches in random order."""
        torch, recipe = self.torch, self.recipe
        share = inputs.reshape(-1, *self.shape) / (2**recipe.input_bits - 1)
        frames = torch.from_numpy(share.astype(np.float32))
        truth = torch.from_numpy(self.truth)
        self._calibrate(frames)
        parameters = [*self.weights, *self.biases, *self.ranges]
        adam = torch.optim.Adam(parameters, lr=recipe.rate)
        for epoch in range(recipe.epochs):
            falling = 0.5 * (1 + math.cos(math.pi * epoch / recipe.epochs))
            adam.param_groups[0]["lr"] = recipe.rate * falling
            order = self.rng.permutation(len(frames))
            for start in range(0, len(frames), recipe.batch):
                rows = torch.from_numpy(order[start : start + recipe.batch])
                scores = self._forward(frames[rows])
                loss = torch.nn.functional.cross_entropy(scores, truth[rows])
                adam.zero_grad()
                loss.backward()
                adam.step()
            if progress is not None:
                progress(f"epoch {epoch + 1} of {recipe.epochs}", (epoch + 1) / recipe.epochs)

    def _calibrate(self, frames: Any) -> None:
        """Ranges that cover the first sums."""
        with self.torch.no_grad():
            for number, known in enumerate(self.ranges):
                sums = self._forward(frames[:256], number)
                most = float(np.quantile(sums.numpy(), FIRST_RANGE))
                known.fill_(max(most, 1e-3))

    def _forward(self, values: Any, stop: int = -1) -> Any:
        """Scores of inputs from 0 to 1; or the sums of a layer, without noise."""
        for number, weights in enumerate(self.weights):
            training = stop < 0
            rows = self._rows(values, self.windows[number])
            if training and self.recipe.dropout:
                rows = self._dropped(rows, _each(self.recipe.dropout, number))
            sums = rows @ self._noisy(weights, number, training) + self.biases[number]
            if number in (stop, len(self.weights) - 1):
                return sums
            values = self._rounded(sums, self.ranges[number])
        raise AssertionError("a net has a last layer")

    def _rows(self, values: Any, window: Window | None) -> Any:
        if window is None:
            return values.reshape(len(values), -1)
        found = values.unfold(1, window.height, window.stride)
        found = found.unfold(2, window.width, window.stride).permute(0, 1, 2, 4, 5, 3)
        return found.reshape(*found.shape[:3], -1)

    def _dropped(self, rows: Any, shares: tuple[float, float]) -> Any:
        none, half = shares
        chance = self.rng.random(tuple(rows.shape), np.float32)
        factor = np.where(chance < none, 0, np.where(chance < none + half, 0.5, 1))
        kept = 1 - none - half / 2
        return rows * self.torch.from_numpy((factor / kept).astype(np.float32))

    def _noisy(self, weights: Any, number: int, training: bool) -> Any:
        largest = _full_scale(weights.detach(), self.recipe.clip)
        step = largest / (2 ** (self.recipe.weight_bits - 1) - 1)
        rounded = self._through(weights.clamp(-largest, largest) / step) * step
        amount = _each(self.recipe.noise, number)
        if not training or amount == 0:
            return rounded
        return rounded + amount * largest * self._normal(weights)

    def _through(self, values: Any) -> Any:
        """Rounded, with the gradient of the identity."""
        return values + (values.round() - values).detach()

    def _rounded(self, sums: Any, known: Any) -> Any:
        """Activations from 0 to 1 in steps; the range has a gradient where sums are beyond it."""
        most, top = known.clamp(min=1e-3), 2**self.recipe.activation_bits - 1
        cut = self.torch.relu(sums) - self.torch.relu(sums - most)
        return self._through(cut / most * top) / top

    def layers(self) -> tuple[Layer, ...]:
        """What was learned, in whole numbers."""
        recipe, found = self.recipe, []
        tops = [2**recipe.input_bits - 1, *[2**recipe.activation_bits - 1] * len(self.ranges)]
        for number, (real, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            largest = float(_full_scale(real.detach(), recipe.clip))
            weights = real.detach().numpy().astype(np.float64).clip(-largest, largest)
            step = largest / (2 ** (recipe.weight_bits - 1) - 1)
            lsb = step / tops[number]
            rounding = None
            if number < len(self.ranges):
                most = max(float(self.ranges[number].detach()), 1e-3)
                rounding = Rounding.of(lsb * tops[number + 1] / most, recipe.activation_bits)
            found.append(
                Layer(
                    np.rint(weights / step).astype(np.int8),
                    np.rint(bias.detach().numpy() / lsb).astype(np.int32),
                    recipe.weight_bits,
                    rounding,
                    self.windows[number],
                )
            )
        return tuple(found)


def _full_scale(weights: Any, clip: float) -> Any:
    """The weight that takes the largest conductance: the largest, or so many root mean squares
    where that is less.
    """
    return weights.abs().max().minimum(clip * weights.square().mean().sqrt())


def _each(values: Sequence[Any], number: int) -> Any:
    return values[0] if len(values) == 1 else values[number]


def _windows(recipe: Recipe) -> list[Window | None]:
    dense: list[Window | None] = [None] * (len(recipe.hidden) + 1)
    return [*(Window(c.size, c.size, c.stride) for c in recipe.convolutions), *dense]


def _sizes(shape: tuple[int, ...], recipe: Recipe, classes: int) -> list[tuple[int, int]]:
    """Inputs and outputs of each layer's matrix."""
    found = []
    now = (*shape, 1) if len(shape) == 2 else shape
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
