"""Layers in training: real weights in torch that are rounded in the forward pass, with the gradient
as if they were not (straight-through).

Normal noise is added to the weights, as a share of full scale, drawn anew for each batch. Before
each layer every input may be multiplied by 0, 1/2 or 1. Ranges of activations are learned. A layer
that is on an array already takes part by the sums that were measured: only its bias and its range
are learned then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.sense.model import Layer, Rounding, Window

Progress = Callable[[str, float], None]
LEAST_RANGE = 1e-3


@dataclass(frozen=True)
class Steps:
    """How a net is fitted: passes over the frames, frames per step, and the first learning rate of
    Adam, which falls to 0 as a cosine.
    """

    epochs: int
    batch: int
    rate: float


@dataclass
class Part:
    """A layer in training. Its inputs and activations are shares, from 0 to 1.

    Attributes
    ----------
    weights, bias
        Tensors (I, O) and (O,).
    most
        The activations' upper end, a tensor; None for the last layer.
    weight_bits, input_bits, activation_bits
        Widths.
    window
        Of a convolution.
    noise
        Deviation of the weights, as a share of full scale.
    dropout
        Shares of inputs that are multiplied by 0 and by 1/2.
    clip
        Root mean squares of the weights at which full scale lies, at most at the largest weight.
    full
        Where full scale lies, in place of that.
    measured
        Whether sums without the bias come in, in place of inputs.
    """

    weights: Any
    bias: Any
    most: Any
    weight_bits: int
    input_bits: int
    activation_bits: int
    window: Window | None
    noise: float = 0.0
    dropout: tuple[float, float] | None = None
    clip: float = math.inf
    full: Any = None
    measured: bool = False

    def full_scale(self) -> Any:
        """The weight that takes the largest conductance."""
        if self.full is not None:
            return self.full
        weights = self.weights.detach()
        return weights.abs().max().minimum(self.clip * weights.square().mean().sqrt())

    def sum_lsb(self) -> float:
        """What a sum of 1 in whole numbers is here."""
        limit = int(2 ** (self.weight_bits - 1) - 1)
        return float(self.full_scale()) / (limit * int(2**self.input_bits - 1))

    def layer(self) -> Layer:
        """What was learned, in whole numbers."""
        full, limit, lsb = float(self.full_scale()), 2 ** (self.weight_bits - 1) - 1, self.sum_lsb()
        weights = self.weights.detach().numpy().astype(np.float64).clip(-full, full)
        rounding = None
        if self.most is not None:
            most = max(float(self.most.detach()), LEAST_RANGE)
            top = 2**self.activation_bits - 1
            rounding = Rounding.of(lsb * top / most, self.activation_bits)
        return Layer(
            np.rint(weights / (full / limit)).astype(np.int8),
            np.rint(self.bias.detach().numpy() / lsb).astype(np.int32),
            self.weight_bits,
            rounding,
            self.window,
        )


class Net:
    """Parts in a row, of which only the first may be measured.

    A fit is on one thread, and every draw comes from the generator.
    """

    def __init__(self, torch: Any, parts: Sequence[Part], rng: np.random.Generator) -> None:
        self.torch, self.parts, self.rng = torch, parts, rng

    def fit(
        self,
        values: NDArray[Any],
        truth: NDArray[np.integer[Any]],
        steps: Steps,
        progress: Progress | None = None,
    ) -> None:
        """Adam over batches in random order.

        Parameters
        ----------
        values : (F, ...)
            Inputs as shares, or measured sums in the units of the first part.
        truth : (F,)
            Numbers of classes.
        """
        torch = self.torch
        frames = torch.from_numpy(values.astype(np.float32))
        expected = torch.from_numpy(truth.astype(np.int64))
        adam = torch.optim.Adam(self._learned(), lr=steps.rate)
        for epoch in range(steps.epochs):
            falling = 0.5 * (1 + math.cos(math.pi * epoch / steps.epochs))
            adam.param_groups[0]["lr"] = steps.rate * falling
            order = self.rng.permutation(len(frames))
            for start in range(0, len(frames), steps.batch):
                rows = torch.from_numpy(order[start : start + steps.batch])
                scores = self.forward(frames[rows])
                loss = torch.nn.functional.cross_entropy(scores, expected[rows])
                adam.zero_grad()
                loss.backward()
                adam.step()
            if progress is not None:
                progress(f"epoch {epoch + 1} of {steps.epochs}", (epoch + 1) / steps.epochs)

    def _learned(self) -> list[Any]:
        tensors = [each for part in self.parts for each in (part.weights, part.bias, part.most)]
        return [each for each in tensors if each is not None and each.requires_grad]

    def calibrate(self, values: NDArray[Any], share: float) -> None:
        """Ranges that cover a share of the sums of these inputs."""
        frames = self.torch.from_numpy(values.astype(np.float32))
        with self.torch.no_grad():
            for number, part in enumerate(self.parts[:-1]):
                sums = self.forward(frames, number)
                part.most.fill_(max(float(np.quantile(sums.numpy(), share)), LEAST_RANGE))

    def forward(self, values: Any, stop: int = -1) -> Any:
        """Scores of what `fit` takes; or the sums of a part, without noise."""
        training = stop < 0
        for number, part in enumerate(self.parts):
            sums = (values if part.measured else self._product(values, part, training)) + part.bias
            if number in (stop, len(self.parts) - 1):
                return sums
            values = self._rounded(sums, part)
        raise AssertionError("a net has a last layer")

    def _product(self, values: Any, part: Part, training: bool) -> Any:
        rows = _rows(values, part.window)
        if training and part.dropout is not None:
            rows = self._dropped(rows, part.dropout)
        return rows @ self._noisy(part, training)

    def _dropped(self, rows: Any, shares: tuple[float, float]) -> Any:
        none, half = shares
        chance = self.rng.random(tuple(rows.shape), np.float32)
        factor = np.where(chance < none, 0, np.where(chance < none + half, 0.5, 1))
        kept = 1 - none - half / 2
        return rows * self.torch.from_numpy((factor / kept).astype(np.float32))

    def _noisy(self, part: Part, training: bool) -> Any:
        full = part.full_scale()
        step = full / (2 ** (part.weight_bits - 1) - 1)
        rounded = _through(part.weights.clamp(-full, full) / step) * step
        if not training or part.noise == 0:
            return rounded
        normal = self.rng.standard_normal(tuple(part.weights.shape), np.float32)
        return rounded + part.noise * full * self.torch.from_numpy(normal)

    def _rounded(self, sums: Any, part: Part) -> Any:
        """Activations from 0 to 1 in steps; the range has a gradient where sums are beyond it."""
        most, top = part.most.clamp(min=LEAST_RANGE), 2**part.activation_bits - 1
        cut = self.torch.relu(sums) - self.torch.relu(sums - most)
        return _through(cut / most * top) / top

    def layers(self) -> tuple[Layer, ...]:
        """What was learned, in whole numbers."""
        return tuple(part.layer() for part in self.parts)


def tensor(torch: Any, values: NDArray[Any], learned: bool = True) -> Any:
    """Numbers for a `Part`."""
    return torch.tensor(np.asarray(values, np.float32), requires_grad=learned)


def _through(values: Any) -> Any:
    """Rounded, with the gradient of the identity."""
    return values + (values.round() - values).detach()


def _rows(values: Any, window: Window | None) -> Any:
    if window is None:
        return values.reshape(len(values), -1)
    found = values.unfold(1, window.height, window.stride)
    found = found.unfold(2, window.width, window.stride).permute(0, 1, 2, 4, 5, 3)
    return found.reshape(*found.shape[:3], -1)
