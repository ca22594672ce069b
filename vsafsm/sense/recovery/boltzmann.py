"""A restricted Boltzmann machine: pixels and labels as visible units, and bits that explain them.

Whole weights of a few bits. Bits are drawn given what is visible, by a forward read, and what is
visible given the bits, by a transposed read of the same array. Biases, the sigmoid and the draw are
outside of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import SenseError
from vsafsm.sense.arrays import Matrix, TwoWay
from vsafsm.sense.model import Floats, Layer, Whole
from vsafsm.sense.recovery.images import Binary, Damaged
from vsafsm.vsa import Bits

CYCLES = 50
"""Of a recovery; the first half is left out of the mean."""


@dataclass(frozen=True)
class Boltzmann:
    """A trained machine of V = P + C visible units and H bits.

    Attributes
    ----------
    binary
        How frames become its P pixels.
    classes
        C labels, whose units come after the pixels.
    layer
        Weights (V, H), and the biases of the bits.
    visible : (V,)
        int32 biases of the visible units, in LSBs.
    lsb
        Log odds per LSB.
    examples : (E, V)
        Visible units of some images of training: ranges of converters are chosen on them.

    Raises
    ------
    SenseError
        If the parts do not fit each other.
    """

    binary: Binary
    classes: tuple[str, ...]
    layer: Layer
    visible: Whole
    lsb: float
    examples: Bits

    def __post_init__(self) -> None:
        units = len(self.layer.weights)
        if self.layer.rounding is not None or self.layer.window is not None:
            raise SenseError("a Boltzmann machine has a layer with a rounding or a window")
        if self.binary.size + len(self.classes) != units:
            raise SenseError(
                f"{self.binary.size} pixels and {len(self.classes)} labels for {units} visible"
                " units; expected one unit for each"
            )
        if len(set(self.classes)) != len(self.classes):
            raise SenseError(f"classes are {self.classes}; expected each once")
        if self.visible.shape != (units,) or self.visible.dtype != np.int32:
            raise SenseError(
                f"biases are {self.visible.dtype} {self.visible.shape}; expected int32 ({units},)"
            )
        if self.examples.dtype != np.bool_ or self.examples.shape[1:] != (units,):
            raise SenseError(f"examples are {self.examples.shape}; expected booleans (E, {units})")
        if not len(self.examples):
            raise SenseError("there are no examples; expected one or more")
        if not (math.isfinite(self.lsb) and self.lsb > 0):
            raise SenseError(f"an LSB has {self.lsb} log odds; expected more than 0")
        for array in (self.visible, self.examples):
            array.setflags(write=False)

    def matrices(self) -> tuple[Matrix, ...]:
        """One, with examples of visible units and of the bits that are most likely with them."""
        rows = self.examples.astype(np.float64)
        bits = self.layer.after(self.exact().product(0, rows)) > 0
        return (Matrix(self.layer.weights, self.layer.limit, 1, rows, bits.astype(np.float64)),)

    def exact(self) -> ExactTwoWay:
        """Products in whole numbers."""
        return ExactTwoWay((self.layer.weights,))

    def recovered(
        self,
        damaged: Damaged,
        rng: np.random.Generator,
        products: TwoWay | None = None,
        cycles: int = CYCLES,
    ) -> Bits:
        """Lit pixels (F, P): those that are likely to be, given what is seen.

        Pixels that are known for sure are held; of others that are seen, what is seen counts as
        evidence. Labels are not known.

        Parameters
        ----------
        cycles
            Of Gibbs sampling, two or more.

        Raises
        ------
        SenseError
            If the images do not fit, or there are fewer than two cycles.
        """
        count, size = damaged.pixels.shape
        if size != self.binary.size or cycles < 2:
            raise SenseError(
                f"images of {size} pixels and {cycles} cycles; expected {self.binary.size} pixels,"
                " and two cycles or more"
            )
        by = self.exact() if products is None else products
        evidence, held = self._evidence(damaged)
        visible = np.zeros((count, len(self.visible)))
        visible[:, :size] = damaged.pixels
        total, skipped = np.zeros((count, size)), cycles // 2
        for cycle in range(cycles):
            bits = _drawn(_sigmoid(self.lsb * self.layer.after(by.product(0, visible))), rng)
            chance = _sigmoid(self.lsb * (by.transposed(0, bits) + self.visible) + evidence)
            drawn = _drawn(chance, rng)
            visible[:, size:] = drawn[:, size:]
            visible[:, :size] = np.where(held, damaged.pixels, drawn[:, :size])
            if cycle >= skipped:
                total += chance[:, :size]
        likely = total >= 0.5 * (cycles - skipped)
        return np.where(held, damaged.pixels, likely)

    def _evidence(self, damaged: Damaged) -> tuple[Floats, Bits]:
        """Log odds (F, V) of what is seen, and which pixels (F, P) are held."""
        evidence = np.zeros((len(damaged.pixels), len(self.visible)))
        if damaged.flipped == 0:
            return evidence, damaged.known
        odds = math.log((1 - damaged.flipped) / damaged.flipped)
        seen = np.where(damaged.pixels, odds, -odds) * damaged.known
        evidence[:, : self.binary.size] = seen
        return evidence, np.zeros_like(damaged.known)


@dataclass(frozen=True)
class ExactTwoWay:
    """Products in whole numbers, with weights (I, O) per array."""

    weights: tuple[Whole, ...]

    def product(self, layer: int, rows: Floats) -> Floats:
        """Sums (B, O) for inputs (B, I)."""
        return np.asarray(rows @ self.weights[layer].astype(np.float64))

    def transposed(self, layer: int, rows: Floats) -> Floats:
        """Sums (B, I) for inputs (B, O)."""
        return np.asarray(rows @ self.weights[layer].T.astype(np.float64))


def _sigmoid(odds: Floats) -> Floats:
    # As a hyperbolic tangent, which does not overflow.
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * odds))


def _drawn(chance: Floats, rng: np.random.Generator) -> NDArray[np.float64]:
    return (rng.random(chance.shape) < chance).astype(np.float64)
