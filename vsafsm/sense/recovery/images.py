"""Binary images and their damage: pixels that are flipped, or covered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import SenseError, did_you_mean
from vsafsm.sense.arrays import Matrix, TwoWay
from vsafsm.sense.data import Frames
from vsafsm.vsa import Bits

Cover = Literal["bottom", "scattered"]
COVERS: tuple[Cover, ...] = ("bottom", "scattered")
MOST_FLIPPED = 0.49


@dataclass(frozen=True)
class Binary:
    """How frames become rows of pixels.

    Attributes
    ----------
    shape
        Of a frame.
    threshold
        A pixel is lit from this value on.

    Examples
    --------
    >>> import numpy as np
    >>> frames = Frames(np.array([[0.0, 0.4, 0.6, 1.0]]), ("a",))
    >>> Binary.of(frames).pixels(frames).tolist()
    [[False, False, True, True]]
    """

    shape: tuple[int, ...]
    threshold: float

    def __post_init__(self) -> None:
        if not 1 <= len(self.shape) <= 3 or min(self.shape) < 1:
            raise SenseError(f"images have shape {self.shape}; expected 1 to 3 dimensions")
        if not math.isfinite(self.threshold):
            raise SenseError(f"threshold is {self.threshold}; expected a number")

    @classmethod
    def of(cls, frames: Frames) -> Binary:
        """Half way between the smallest value of frames and the largest.

        Raises
        ------
        SenseError
            If they are equal.
        """
        low, high = float(frames.values.min()), float(frames.values.max())
        if low == high:
            raise SenseError(f"every value of the frames is {low}; expected frames that differ")
        return cls(frames.shape, (low + high) / 2)

    @property
    def size(self) -> int:
        """Pixels of an image."""
        return math.prod(self.shape)

    def pixels(self, frames: Frames) -> Bits:
        """Lit pixels (F, P) of frames.

        Raises
        ------
        SenseError
            If the frames have another shape.
        """
        frames.check_shape(self.shape)
        return np.asarray(frames.values.reshape(len(frames.values), -1) >= self.threshold)


@dataclass(frozen=True)
class Damaged:
    """What is seen of images.

    Attributes
    ----------
    pixels : (F, P)
        Lit pixels; one that is covered is dark.
    known : (F, P)
        False where a pixel is covered.
    flipped
        Chance that a known pixel is the opposite of the image's: 0 to 0.49.
    """

    pixels: Bits
    known: Bits
    flipped: float = 0.0

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or self.pixels.shape != self.known.shape:
            raise SenseError(
                f"pixels {self.pixels.shape} and known {self.known.shape}; expected (F, P) twice"
            )
        if not 0 <= self.flipped <= MOST_FLIPPED:
            raise SenseError(f"flipped is {self.flipped}; expected 0 to {MOST_FLIPPED}")


class Restorer(Protocol):
    """What recovers images, by products of arrays that are read both ways."""

    @property
    def binary(self) -> Binary:
        """Of its images."""

    def matrices(self) -> tuple[Matrix, ...]:
        """What its arrays are to hold."""

    def exact(self) -> TwoWay:
        """Products in whole numbers."""

    def recovered(
        self, damaged: Damaged, rng: np.random.Generator, products: TwoWay | None = None
    ) -> Bits:
        """Lit pixels (F, P) of images; by exact products where none are given."""


def flip(pixels: Bits, share: float, rng: np.random.Generator) -> Damaged:
    """Every pixel the opposite with this chance.

    Raises
    ------
    SenseError
        If the share is not from 0 to 0.49.
    """
    return Damaged(pixels ^ (rng.random(pixels.shape) < share), np.ones_like(pixels), share)


def cover(pixels: Bits, where: str, rng: np.random.Generator) -> Damaged:
    """A third of the pixels covered, and known to be.

    Parameters
    ----------
    where
        ``"bottom"``: the last third of each image's pixels; ``"scattered"``: drawn for each.

    Raises
    ------
    SenseError
        If `where` is neither.
    """
    if where not in COVERS:
        raise SenseError(
            f'a cover is "{where}"; expected one of: {", ".join(COVERS)}'
            f"{did_you_mean(where, COVERS)}"
        )
    size = pixels.shape[1]
    order = np.broadcast_to(np.arange(size), pixels.shape)
    if where == "scattered":
        order = rng.permuted(order, axis=1)
    known = order < size - size // 3
    return Damaged(pixels & known, known)


def wrong(found: Bits, truth: Bits) -> NDArray[np.float64]:
    """Share of the pixels that differ (F,), of each image (F, P)."""
    return np.asarray((found != truth).mean(1))
