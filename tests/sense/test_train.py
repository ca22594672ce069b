"""Training: what it learns, and that a seed gives one classifier."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from vsafsm.errors import SenseError
from vsafsm.sense.artefact import save_model
from vsafsm.sense.data import Frames
from vsafsm.sense.margins import split, with_margin
from vsafsm.sense.model import lead
from vsafsm.sense.train import Convolution, Recipe, train

from .conftest import blobs, drawn_model

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
SMALL = Recipe(hidden=(16,), epochs=25, batch=16)


@pytest.fixture(scope="module")
def unseen() -> Frames:
    return blobs(300, 99)


RECIPES = {
    "dense": SMALL,
    "one layer": Recipe(hidden=(), epochs=2),
    "convolution": Recipe(
        hidden=(8,), convolutions=(Convolution(6, 3),), epochs=25, batch=16, noise=(0.1, 0.2, 0.1)
    ),
    "dropout": Recipe(
        hidden=(24,), epochs=40, batch=16, dropout=((0.0, 0.1), (0.1, 0.2)), noise=(0.05,)
    ),
    "wide": Recipe(
        hidden=(16,), epochs=25, batch=16, weight_bits=8, activation_bits=8, input_bits=8
    ),
}
LEAST = {"one layer": 0.34, "convolution": 0.85, "dense": 0.85, "dropout": 0.85, "wide": 0.85}


@needs_torch
@pytest.mark.parametrize("kind", RECIPES)
def test_a_trained_classifier_generalises(kind: str, frames: Frames, unseen: Frames) -> None:
    recipe = RECIPES[kind]
    model = train(frames, recipe, np.random.default_rng(0))
    correct = (model.scores(unseen).argmax(1) == model.truth(unseen)).mean()
    assert correct >= LEAST[kind]
    assert len(model.layers) == recipe.depth
    assert all(np.abs(each.weights).max() == each.limit for each in model.layers)
    assert model.input_bits == (
        recipe.input_bits,
        *[recipe.activation_bits] * (recipe.depth - 1),
    )


@needs_torch
def test_a_seed_gives_the_same_bytes(frames: Frames, tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.npz" for i in range(3)]
    for path, seed in zip(paths, (4, 4, 5), strict=True):
        save_model(train(frames, SMALL, np.random.default_rng(seed)), path)
    one, same, other = (path.read_bytes() for path in paths)
    assert one == same
    assert one != other


@needs_torch
def test_noise_in_training_helps_against_noise(unseen: Frames) -> None:
    """Mean over 40 draws of weights with a deviation of 0.2 of the largest, and three seeds."""
    frames = blobs(240, 0)

    def under_noise(trained_at: float, seed: int) -> float:
        recipe = Recipe(hidden=(16,), epochs=30, batch=16, noise=(trained_at,))
        model = train(frames, recipe, np.random.default_rng(seed))
        rng = np.random.default_rng(2)

        class Noisy:
            def __init__(self) -> None:
                self.weights = [
                    each.weights + 0.2 * each.limit * rng.standard_normal(each.weights.shape)
                    for each in model.layers
                ]

            def product(self, layer: int, rows: np.ndarray) -> np.ndarray:
                return np.asarray(rows @ self.weights[layer])

        found = [
            (model.scores(unseen, Noisy()).argmax(1) == model.truth(unseen)).mean()
            for _ in range(40)
        ]
        return float(np.mean(found))

    without, with_noise = (
        np.mean([under_noise(amount, seed) for seed in (1, 2, 3)]) for amount in (0.0, 0.3)
    )
    assert with_noise > without + 0.005


@needs_torch
def test_full_scale_lies_at_a_multiple_of_the_root_mean_square(frames: Frames) -> None:
    """Of weights in LSBs: the more that is cut off, the larger they are beside full scale."""

    def sizes(clip: float) -> list[float]:
        recipe = Recipe(hidden=(16,), epochs=5, batch=16, weight_bits=8, clip=clip)
        model = train(frames, recipe, np.random.default_rng(0))
        return [float(np.sqrt(((each.weights / each.limit) ** 2).mean())) for each in model.layers]

    assert all(small > large for small, large in zip(sizes(1.0), sizes(2.0), strict=True))
    assert all(small > large for small, large in zip(sizes(2.0), sizes(1000.0), strict=True))


def test_a_split_takes_of_every_class(frames: Frames) -> None:
    kept, held = split(frames, 0.2, np.random.default_rng(0))
    assert set(kept.names) | set(held.names) == set(frames.names)
    assert not set(kept.names) & set(held.names)
    assert [held.labels.count(name) for name in frames.classes] == [6, 6, 6]


def test_the_margin_is_the_smallest_that_keeps_wrong_frames_few() -> None:
    model = drawn_model(3)
    held = blobs(60, 4)
    held = Frames(held.values, held.names, tuple("abc"[i % 3] for i in range(60)))
    scores = model.scores(held)
    wrong = scores.argmax(1) != model.truth(held)
    assert wrong.sum() > 10
    for most in (0.0, 0.3, 0.5):
        margin = with_margin(model, held, most).margin

        def share(at: int) -> tuple[int, int]:
            sure = lead(scores) >= at
            return int(wrong[sure].sum()), int(sure.sum())

        good = [at for at in range(margin + 1) if share(at)[0] <= most * share(at)[1]]
        assert good[:1] == [margin]


REFUSED = {
    "noise": ({"noise": (0.1, 0.2, 0.3)}, "noise has 3 entries; expected 1, or 2"),
    "negative": ({"noise": (-0.1,)}, "noise is"),
    "dropout": ({"dropout": ((0.9, 0.2),)}, "dropout is"),
    "clip": ({"clip": 0.0}, "clip is 0.0; expected 0.5"),
    "sizes": ({"hidden": (0,)}, "1 or more"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_recipe_that_cannot_be_is_refused(kind: str) -> None:
    options, words = REFUSED[kind]
    with pytest.raises(SenseError, match=words):
        Recipe(**options)  # type: ignore[arg-type]


@needs_torch
def test_a_convolution_needs_room(frames: Frames) -> None:
    recipe = Recipe(convolutions=(Convolution(2, 9),), epochs=1)
    with pytest.raises(SenseError, match="9 x 9 has no place"):
        train(frames, recipe, np.random.default_rng(0))


def test_without_torch_the_extra_is_named(frames: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(SenseError, match=r"needs torch.*vsafsm\[sense\]"):
        train(frames, SMALL, np.random.default_rng(0))
