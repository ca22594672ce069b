"""Training of a Boltzmann machine by contrastive divergence, in NumPy, with noise on its weights.

Weights are cut off at full scale, and normal noise is added, as a share of it, drawn anew for each
batch (Wan et al., Nature 608, 2022). Chains start at the images of the batch, and take some steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import SenseError
from vsafsm.sense.data import Frames
from vsafsm.sense.model import ACTIVATION_BITS, Layer
from vsafsm.sense.recovery.boltzmann import Boltzmann
from vsafsm.sense.recovery.images import Binary

Progress = Callable[[str, float], None]
Reals = NDArray[np.float32]
MOST_EXAMPLES = 128
MOMENTUM = (0.5, 0.9)
"""In the first two passes, and then."""
LAST_RATE = 0.01
"""Of the first."""


@dataclass(frozen=True)
class BoltzmannRecipe:
    """How a machine is trained.

    Attributes
    ----------
    bits
        Units that explain the visible ones.
    weight_bits
        Width of a weight, 2 to 8.
    noise
        Standard deviation of what is added to the weights, as a share of full scale.
    clip
        Root mean squares of the weights at which full scale lies; at most at the largest.
    steps
        Gibbs steps of a chain.
    passes, batch, rate, decay
        Passes over the images, images per update, first rate, and the share that weights lose.

    Raises
    ------
    SenseError
        If a number is out of range.
    """

    bits: int = 240
    weight_bits: int = 4
    noise: float = 0.2
    clip: float = 3.0
    steps: int = 3
    passes: int = 10
    batch: int = 100
    rate: float = 0.05
    decay: float = 1e-4

    def __post_init__(self) -> None:
        if min(self.bits, self.steps, self.passes, self.batch) < 1:
            raise SenseError("bits, steps, passes and batch are to be 1 or more")
        if not 2 <= self.weight_bits <= ACTIVATION_BITS[1]:
            raise SenseError(f"weight_bits is {self.weight_bits}; expected 2 to 8")
        if not (0 <= self.noise <= 10 and 0.5 <= self.clip <= 1000):
            raise SenseError(
                f"noise is {self.noise} and clip {self.clip}; expected 0 to 10, and 0.5 to 1000"
            )
        if not (0 < self.rate <= 1 and 0 <= self.decay < 1):
            raise SenseError(f"rate is {self.rate} and decay {self.decay}; expected shares")


def remember(
    frames: Frames,
    recipe: BoltzmannRecipe,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Boltzmann:
    """Train a machine on frames, and on their labels where they have some.

    Raises
    ------
    SenseError
        If all frames are alike.
    """
    binary = Binary.of(frames)
    visible = _visible(frames, binary)
    chains = _Chains(visible, recipe, rng)
    for number in range(recipe.passes):
        rate = max(LAST_RATE, 1 - number / recipe.passes) * recipe.rate
        order = rng.permutation(len(visible))
        for start in range(0, len(visible), recipe.batch):
            batch = visible[order[start : start + recipe.batch]]
            chains.update(batch, np.float32(rate), MOMENTUM[number > 1])
        if progress is not None:
            done = number + 1
            progress(f"pass {done} of {recipe.passes}", done / recipe.passes)
    limit = 2 ** (recipe.weight_bits - 1) - 1
    full = chains.full
    lsb = full / limit
    weights = np.rint(np.clip(chains.weights / lsb, -limit, limit)).astype(np.int8)
    hidden, shown = (np.rint(b / lsb).astype(np.int32) for b in (chains.hidden, chains.visible))
    examples = visible[rng.permutation(len(visible))[:MOST_EXAMPLES]] > 0
    layer = Layer(weights, hidden, recipe.weight_bits)
    return Boltzmann(binary, frames.classes, layer, shown, lsb, examples)


def _visible(frames: Frames, binary: Binary) -> Reals:
    """Pixels, and a unit for each label that is 1 for the frame's own: (F, V)."""
    pixels = binary.pixels(frames)
    numbers = {name: i for i, name in enumerate(frames.classes)}
    labels = np.array([numbers[label] for label in frames.labels], np.intp)
    one_of = np.eye(len(numbers))[labels] if len(numbers) else np.zeros((len(pixels), 0))
    return np.hstack([pixels, one_of]).astype(np.float32)


class _Chains:
    """Weights and biases in training, with what each update leaves for the next."""

    def __init__(self, visible: Reals, recipe: BoltzmannRecipe, rng: np.random.Generator) -> None:
        self.recipe, self.rng = recipe, rng
        units, share = visible.shape[1], visible.mean(0)
        self.weights = (0.01 * rng.standard_normal((units, recipe.bits))).astype(np.float32)
        self.visible = np.log((share + 0.01) / (1.01 - share)).astype(np.float32)
        self.hidden = np.zeros(recipe.bits, np.float32)
        self._moved = [np.zeros_like(a) for a in (self.weights, self.visible, self.hidden)]

    @property
    def full(self) -> float:
        """Full scale: the largest weight, or so many root mean squares where that is less."""
        rms = float(np.sqrt(np.mean(np.square(self.weights))))
        return min(float(np.abs(self.weights).max()), self.recipe.clip * rms)

    def update(self, batch: Reals, rate: np.float32, momentum: float) -> None:
        """One step along the difference of what images and chains have in common."""
        full = np.float32(self.full)
        weights = np.clip(self.weights, -full, full)
        if self.recipe.noise:
            noise = self.rng.standard_normal(weights.shape, np.float32)
            weights = weights + np.float32(self.recipe.noise) * full * noise
        first = bits = _sigmoid(batch @ weights + self.hidden)
        for _ in range(self.recipe.steps):
            drawn = self._drawn(bits)
            chain = self._drawn(_sigmoid(drawn @ weights.T + self.visible))
            bits = _sigmoid(chain @ weights + self.hidden)
        common = (batch.T @ first - chain.T @ bits) / np.float32(len(batch))
        gradients = (
            common - np.float32(self.recipe.decay) * self.weights,
            batch.mean(0) - chain.mean(0),
            first.mean(0) - bits.mean(0),
        )
        values = (self.weights, self.visible, self.hidden)
        for value, moved, gradient in zip(values, self._moved, gradients, strict=True):
            moved *= np.float32(momentum)
            moved += rate * gradient
            value += moved

    def _drawn(self, chance: Reals) -> Reals:
        return (self.rng.random(chance.shape, np.float32) < chance).astype(np.float32)


def _sigmoid(odds: Reals) -> Reals:
    half = np.float32(0.5)
    return np.asarray(half + half * np.tanh(half * odds))
