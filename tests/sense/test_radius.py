"""Radii: no attack within one succeeds, attacks beyond do, and sums lie within their bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.errors import SenseError
from vsafsm.sense.data import Frames
from vsafsm.sense.model import Cleanup, Layer, Model
from vsafsm.sense.radius import certified, keeps, radii

from .conftest import blobs, drawn_model


class Moved:
    """Products of weights that were moved."""

    def __init__(self, weights: list[np.ndarray]) -> None:
        self.weights = weights

    def product(self, layer: int, rows: np.ndarray) -> np.ndarray:
        return np.asarray(rows @ self.weights[layer])


def one(frames: Frames, number: int) -> Frames:
    return frames.taken(np.array([number]))


def random_attacks(model: Model, share: float, rng: np.random.Generator) -> Iterator[Moved]:
    """Every weight at an end of what it may be, and anywhere in between."""
    for draw in range(20):
        moved = []
        for layer in model.layers:
            size = layer.weights.shape
            shift = rng.choice([-1.0, 1.0], size) if draw % 2 else rng.uniform(-1, 1, size)
            moved.append(layer.weights + share * layer.limit * shift)
        yield Moved(moved)


def gradient_attacks(model: Model, frame: Frames, share: float) -> Iterator[Moved]:
    """For each other class: all weights by their share against the gradient of the lead, which
    passes rounding where a sum is within its range. Three steps, each from where the last ended.
    """
    own = int(model.scores(frame).argmax())
    for other in range(len(model.classes)):
        if other == own:
            continue
        weights = [layer.weights.astype(float) for layer in model.layers]
        for _ in range(3):
            gradients = gradient(model, frame, weights, own, other)
            weights = [
                layer.weights - share * layer.limit * np.sign(each)
                for layer, each in zip(model.layers, gradients, strict=True)
            ]
            yield Moved(weights)


def gradient(
    model: Model, frame: Frames, weights: list[np.ndarray], own: int, other: int
) -> list[np.ndarray]:
    """Of ``score[own] - score[other]`` by the weights of dense layers."""
    values, seen, passed = model.inputs(frame).reshape(-1), [], []
    for layer, now in zip(model.layers, weights, strict=True):
        seen.append(values)
        sums = values @ now + layer.bias
        if layer.rounding is not None:
            values = layer.rounding.activations(sums)
            scaled = sums * layer.rounding.multiplier / 2**layer.rounding.shift
            passed.append((scaled > -0.5) & (scaled < 2**layer.rounding.bits - 0.5))
    back = np.zeros(len(model.classes))
    back[own], back[other] = 1, -1
    found: list[np.ndarray] = []
    for i in range(len(weights) - 1, -1, -1):
        found.insert(0, np.outer(seen[i], back))
        if i:
            back = (weights[i] @ back) * passed[i - 1]
    return found


def succeeds(model: Model, frame: Frames, moved: Moved) -> bool:
    return bool(model.classify(frame, moved)[0] != model.classify(frame)[0])


def deep(seed: int) -> Model:
    """Three dense layers."""
    shallow = drawn_model(seed)
    rng = np.random.default_rng(seed)
    first = shallow.layers[0]
    second = Layer(
        rng.integers(-7, 8, (20, 16)).astype(np.int8), np.zeros(16, np.int32), 4, first.rounding
    )
    last = Layer(rng.integers(-7, 8, (16, 3)).astype(np.int8), np.zeros(3, np.int32), 4)
    return replace(shallow, layers=(first, second, last))


MODELS = {
    "two layers": drawn_model(4),
    "three layers": deep(1),
    "with a margin": replace(drawn_model(4), margin=30),
    "8 bits": drawn_model(5, bits=8),
}


@pytest.mark.parametrize("kind", MODELS)
def test_no_attack_within_the_radius_succeeds(kind: str) -> None:
    model, frames = MODELS[kind], blobs(20, 8)
    found, rng = radii(model, frames), np.random.default_rng(0)
    assert (found > 0).sum() >= 10
    fell = 0
    for number, radius in enumerate(found):
        frame = one(frames, number)
        if radius == 0:
            continue
        attacks = [
            *random_attacks(model, radius, rng),
            *gradient_attacks(model, frame, radius),
        ]
        assert not any(succeeds(model, frame, moved) for moved in attacks)
        fell += any(succeeds(model, frame, m) for m in gradient_attacks(model, frame, 8 * radius))
    assert fell >= (found > 0).sum() / 2, "the attack is too weak to say anything"


def test_no_random_attack_within_the_radius_of_a_convolution_succeeds() -> None:
    model, frames, rng = drawn_model(2, convolution=True), blobs(20, 8), np.random.default_rng(0)
    found = radii(model, frames)
    assert (found > 0).sum() >= 10
    for number, radius in enumerate(found):
        frame = one(frames, number)
        for moved in random_attacks(model, radius, rng):
            assert radius == 0 or not succeeds(model, frame, moved)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 0.3))
def test_what_is_kept_is_kept_for_smaller_changes(seed: int, share: float) -> None:
    model, frames = drawn_model(seed % 7), blobs(6, seed)
    kept = keeps(model, frames, np.full(6, share))
    assert (keeps(model, frames, np.full(6, share / 2)) >= kept).all()
    reached = radii(model, frames)
    assert (keeps(model, frames, reached) | (reached == 0)).all()
    assert not keeps(model, frames, reached + 2 / 4096)[reached < 0.9].any()


def test_without_change_every_sure_frame_keeps_its_class() -> None:
    for model in (drawn_model(4), replace(drawn_model(4), margin=60)):
        frames = blobs(30, 9)
        decided = model.classify(frames)
        assert (keeps(model, frames, np.zeros(30)) == (decided >= 0)).all()
        assert (radii(model, frames)[decided < 0] == 0).all()


def test_the_certified_share_counts_correct_frames() -> None:
    model, plain = drawn_model(4), blobs(30, 9)
    decided = model.labels(plain)
    wrong = {"a": "b", "b": "c", "c": "a"}
    labels = tuple(wrong[each] if i < 10 else each for i, each in enumerate(decided))
    frames = Frames(plain.values, plain.names, labels)
    kept = keeps(model, frames, np.full(30, 0.004))
    assert certified(model, frames, 0.004) == kept[10:].sum() / 30 > 0
    assert certified(model, frames, 1.0) == 0


def test_a_cleanup_has_no_radius() -> None:
    codes = np.zeros((3, 9), np.bool_)
    codes[[0, 0, 0, 1, 1, 1, 2, 2, 2], np.arange(9)] = True
    weights = (codes.T @ codes.astype(np.int8)).astype(np.int8)
    model = replace(drawn_model(4), cleanup=Cleanup(codes, weights, 0))
    with pytest.raises(SenseError, match="cleanup, which has no radius"):
        radii(model, blobs(3, 0))
