"""Attacks on certificates of frames: what `senses.py attacks` prints.

Every weight of every layer moves by at most a frame's certified radius. A third of the attempts
moves each weight to one of its ends at random, a third anywhere in between, and a third against the
gradient of the lead over another class, in steps that start from where the last one ended. The same
attacks beyond the radius say whether they are strong enough to tell anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from drawn_senses import digits
from numpy.typing import NDArray

from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.intervals import wilson
from vsafsm.sense.data import Frames
from vsafsm.sense.model import Floats, Model
from vsafsm.sense.radius import radii
from vsafsm.sense.train import Recipe, train

BEYOND = (2, 4, 8)
"""Multiples of the radius; a tenth of the attempts is for each."""
STEPS = 3
KINDS = ("random, at the ends", "random, in between", "against the gradient")


class Moved:
    """Products of weights that were moved."""

    def __init__(self, weights: Sequence[Floats]) -> None:
        self.weights = weights

    def product(self, layer: int, rows: Floats) -> Floats:
        """As `vsafsm.sense.model.Products` says."""
        return np.asarray(rows @ self.weights[layer])


def moved(model: Model, shifts: Sequence[Floats], share: float) -> list[Floats]:
    """Weights that move by shifts from -1 to 1, times a share of full scale."""
    return [
        layer.weights + share * layer.limit * shift
        for layer, shift in zip(model.layers, shifts, strict=True)
    ]


def gradients(
    model: Model, inputs: Floats, weights: Sequence[Floats], own: int, other: int
) -> list[Floats]:
    """Of ``score[own] - score[other]`` by the weights of dense layers; it passes a rounding where
    the sum is within its range.
    """
    values, seen, passed = inputs.reshape(-1), list[Floats](), list[NDArray[np.bool_]]()
    for layer, now in zip(model.layers, weights, strict=True):
        seen.append(values)
        sums = values @ now + layer.bias
        if layer.rounding is not None:
            values = layer.rounding.activations(sums)
            scaled = sums * layer.rounding.multiplier / 2**layer.rounding.shift
            passed.append((scaled > -0.5) & (scaled < 2**layer.rounding.bits - 0.5))
    back = np.zeros(len(model.classes))
    back[own], back[other] = 1, -1
    found: list[Floats] = []
    for number in reversed(range(len(weights))):
        found.insert(0, np.outer(seen[number], back))
        if number:
            back = (weights[number] @ back) * passed[number - 1]
    return found


def attack(
    model: Model, frame: Frames, share: float, attempt: int, rng: np.random.Generator
) -> bool:
    """Whether one attempt changes the class of a frame."""
    own = int(model.classify(frame)[0])
    sizes = [layer.weights.shape for layer in model.layers]
    kind = attempt % len(KINDS)
    if kind == 0:
        weights = moved(model, [rng.choice([-1.0, 1.0], size) for size in sizes], share)
    elif kind == 1:
        weights = moved(model, [rng.uniform(-1, 1, size) for size in sizes], share)
    else:
        others = [i for i in range(len(model.classes)) if i != own]
        other = others[attempt // len(KINDS) % len(others)]
        weights = [layer.weights.astype(np.float64) for layer in model.layers]
        for _ in range(STEPS):
            slopes = gradients(model, model.inputs(frame), weights, own, other)
            weights = moved(model, [-np.sign(each) for each in slopes], share)
    return bool(model.classify(frame, Moved(weights))[0] != own)


def attacks_table(attempts: int) -> None:
    """Attempts that changed the class of a frame, at its radius and beyond."""
    kept, test = digits()
    model = train(kept, Recipe(), np.random.default_rng(0))
    found = radii(model, test)
    certified = np.flatnonzero(found > 0)
    rng, rows = np.random.default_rng(1), []
    for times, tries in ((1, attempts), *((each, max(3, attempts // 10)) for each in BEYOND)):
        changed = np.zeros((len(KINDS), 2), int)
        for attempt in range(tries):
            number = certified[attempt // len(KINDS) % len(certified)]
            one = test.taken(np.array([number]))
            # Every frame meets every kind, and another class each time.
            nth = attempt % len(KINDS) + len(KINDS) * (attempt // (len(KINDS) * len(certified)))
            changed[attempt % len(KINDS)] += (
                int(attack(model, one, times * found[number], nth, rng)),
                1,
            )
        low, high = wilson(int(changed[:, 0].sum()), tries)
        rows.append(
            (
                f"{times} x the radius",
                *(f"{hits:,} of {count:,}" for hits, count in changed),
                f"{changed[:, 0].sum():,} of {tries:,} ({low:.4f} to {high:.4f})",
            )
        )
    median = np.median(found[certified])
    print_line(
        f"64-256-10 on digits: {len(certified)} of {len(test.values)} frames have a radius, median"
        f" {median:.4f}, largest {found.max():.4f} of full scale"
    )
    print_table(("weights move by", *KINDS, "all"), rows)
