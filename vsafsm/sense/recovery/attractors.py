"""Images stored in an attractor network: each has a code that is a fixed point, and a damaged image
falls into the code of one that is stored.

A first array joins pixels and codes. A forward read of what is seen (+1 lit, -1 dark, 0 covered)
drives the neurons; the k most driven ones start; the recurrent array settles; and a transposed read
of the first array gives the pixels of the code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsafsm.errors import SenseError
from vsafsm.sense.arrays import Matrix, TwoWay
from vsafsm.sense.data import Frames
from vsafsm.sense.model import MOST_STEPS, Cleanup, Floats, Layer, Whole
from vsafsm.sense.prototypes import check_neurons, class_memory
from vsafsm.sense.recovery.boltzmann import ExactTwoWay
from vsafsm.sense.recovery.images import Binary, Damaged
from vsafsm.vsa import Bits

CLIP = 3.0
"""Standard deviations of the weights at which full scale lies at most."""


@dataclass(frozen=True)
class ImageMemory:
    """Stored images, and the network that holds their codes.

    Attributes
    ----------
    binary
        How frames become P pixels.
    layer
        Weights (P, N) between pixels and neurons; no bias.
    cleanup
        The recurrent network, with a code per image.
    images : (M, P)
        What is stored.
    bias : (P,)
        int32, added to a transposed read: a pixel above 0 is lit.

    Raises
    ------
    SenseError
        If the parts do not fit each other.
    """

    binary: Binary
    layer: Layer
    cleanup: Cleanup
    images: Bits
    bias: Whole

    def __post_init__(self) -> None:
        count, neurons = self.cleanup.codes.shape
        if self.layer.weights.shape != (self.binary.size, neurons):
            raise SenseError(
                f"weights are {self.layer.weights.shape}; expected ({self.binary.size}, {neurons})"
            )
        if self.images.dtype != np.bool_ or self.images.shape != (count, self.binary.size):
            raise SenseError(f"images are {self.images.shape}; expected one for each code")
        if self.bias.shape != (self.binary.size,) or self.bias.dtype != np.int32:
            raise SenseError(f"bias is {self.bias.dtype} {self.bias.shape}; expected int32 (P,)")
        for array in (self.images, self.bias):
            array.setflags(write=False)

    def matrices(self) -> tuple[Matrix, ...]:
        """Pixels to neurons, and neurons to neurons."""
        codes = self.cleanup.codes.astype(np.float64)
        recurrent = self.cleanup.weights.T
        limit = int(np.abs(recurrent.astype(np.int16)).max())
        signs = np.where(self.images, 1.0, -1.0)
        return (
            Matrix(self.layer.weights, self.layer.limit, 1, signs, codes),
            Matrix(recurrent, limit, 1, codes),
        )

    def exact(self) -> ExactTwoWay:
        """Products in whole numbers."""
        return ExactTwoWay((self.layer.weights, self.cleanup.weights.T))

    def recovered(
        self, damaged: Damaged, rng: np.random.Generator, products: TwoWay | None = None
    ) -> Bits:
        """Lit pixels (F, P) of what damaged images fall into. Nothing is drawn but by arrays.

        Raises
        ------
        SenseError
            If the images do not fit.
        """
        if damaged.pixels.shape[1] != self.binary.size:
            raise SenseError(
                f"images of {damaged.pixels.shape[1]} pixels; expected {self.binary.size}"
            )
        by = self.exact() if products is None else products
        seen = np.asarray(np.where(damaged.pixels, 1.0, -1.0) * damaged.known, np.float64)
        settled = self._settled(by.product(0, seen), by)
        return np.asarray(by.transposed(0, settled.astype(np.float64)) + self.bias > 0)

    def _settled(self, drive: Floats, by: TwoWay) -> Bits:
        """Where the k most driven neurons lead (F, N)."""
        active = int(self.cleanup.codes[0].sum())
        order = np.argsort(-drive, axis=1, kind="stable")[:, :active]
        activity = np.zeros(drive.shape, np.bool_)
        np.put_along_axis(activity, order, True, axis=1)
        for _ in range(MOST_STEPS):
            sums = by.product(1, activity.astype(np.float64))
            after = sums > self.cleanup.gain * activity.sum(1, keepdims=True)
            if (after == activity).all():
                break
            activity = after
        return activity


def store(
    frames: Frames, rng: np.random.Generator, neurons: int = 512, active: int = 64, bits: int = 4
) -> ImageMemory:
    """Store every frame as a binary image.

    Parameters
    ----------
    neurons, active
        N, and how many of them a code has.
    bits
        Width of a weight between pixels and neurons, 2 to 8.

    Raises
    ------
    SenseError
        If two images are alike, or the codes are no fixed points.
    CodebookError
        If there are no such codes.
    """
    binary = Binary.of(frames)
    images = binary.pixels(frames)
    if len(images) < 2 or len(np.unique(images, axis=0)) != len(images):
        raise SenseError(f"{len(images)} images, some of them alike; expected two that differ")
    check_neurons(neurons, active)
    cleanup = class_memory(len(images), neurons, active, rng)
    mean, share = images.mean(0), active / neurons
    joined = (images - mean).T @ (cleanup.codes - share)
    full = min(float(np.abs(joined).max()), CLIP * float(joined.std()))
    limit = 2 ** (bits - 1) - 1
    weights = np.rint(np.clip(joined / full, -1, 1) * limit).astype(np.int8)
    # A code reads k (1 - f) times how far its image is from the mean: lit is above a half.
    bias = np.rint((mean - 0.5) * active * (1 - share) * limit / full).astype(np.int32)
    layer = Layer(weights, np.zeros(neurons, np.int32), bits)
    return ImageMemory(binary, layer, cleanup, images, bias)
