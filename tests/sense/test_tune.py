"""Chip in the loop: what is programmed stays, and what is not learns from what was measured."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from vsafsm.discovery import find
from vsafsm.errors import SenseError
from vsafsm.sense.arrays import Matrix, array_backend, outcome, outcomes
from vsafsm.sense.data import Frames
from vsafsm.sense.margins import split
from vsafsm.sense.model import Layer, Model
from vsafsm.sense.prototypes import PrototypeRecipe, build_prototypes
from vsafsm.sense.train import Convolution, Recipe, train
from vsafsm.sense.tune import Multiply, Tuning, programmer, tune, tuned_outcomes

from .conftest import blobs, drawn_model

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
STILL = Tuning(epochs=1, rate=1e-12)
RECIPES = {
    "dense": Recipe(hidden=(16, 12), epochs=20, batch=16),
    "convolution": Recipe(
        hidden=(8,), convolutions=(Convolution(6, 3),), epochs=20, batch=16, input_bits=3
    ),
}


class Chip:
    """Arrays whose columns have gains and offsets of their own; and what they were given."""

    def __init__(self, amount: float) -> None:
        self.amount, self.rng = amount, np.random.default_rng(7)
        self.given: list[Matrix] = []

    def __call__(self, matrix: Matrix) -> Multiply:
        self.given.append(matrix)
        outputs = matrix.weights.shape[1]
        gain = np.exp(self.amount * self.rng.standard_normal(outputs))
        exact = matrix.rows @ matrix.weights
        offset = self.amount * exact.std() * self.rng.standard_normal(outputs)
        return lambda rows: np.asarray(rows @ matrix.weights * gain + offset)


@pytest.fixture(scope="module")
def models(frames: Frames) -> dict[str, Model]:
    return {name: train(frames, each, np.random.default_rng(0)) for name, each in RECIPES.items()}


def same(one: Layer, other: Layer) -> bool:
    """In all but the last digit of a multiplier, which goes through float32."""
    if one.rounding is not None and other.rounding is not None:
        factors = [r.multiplier / 2**r.shift for r in (one.rounding, other.rounding)]
        assert factors[0] == pytest.approx(factors[1], rel=2e-4)
        assert one.rounding.bits == other.rounding.bits
    assert one.window == other.window
    return bool((one.weights == other.weights).all() and (one.bias == other.bias).all())


@pytest.mark.parametrize("kind", RECIPES)
def test_what_does_not_learn_stays_the_same(
    kind: str, models: dict[str, Model], frames: Frames
) -> None:
    model, chip = models[kind], Chip(0.0)
    found = tune(model, frames, chip, np.random.default_rng(0), STILL)
    assert all(same(*pair) for pair in zip(model.layers, found.model.layers, strict=True))
    given = [matrix.input_bits for matrix in chip.given]
    assert tuple(given) == model.input_bits
    # The same up to a multiplier's last digit, which moves a sum that is halfway between two.
    agree = found.model.scores(frames, found).argmax(1) == model.scores(frames).argmax(1)
    assert agree.mean() >= 0.97


@pytest.mark.parametrize("kind", RECIPES)
def test_what_is_programmed_is_what_the_classifier_has(
    kind: str, models: dict[str, Model], frames: Frames
) -> None:
    """Weights do not change once they are on an array; those after it do."""
    model, chip = models[kind], Chip(0.3)
    found = tune(model, frames, chip, np.random.default_rng(0))
    for layer, matrix in zip(found.model.layers, chip.given, strict=True):
        assert (layer.weights == matrix.weights).all()
        assert layer.limit == matrix.limit
    assert (found.model.layers[0].weights == model.layers[0].weights).all()
    assert (found.model.layers[-1].weights != model.layers[-1].weights).any()


@pytest.mark.parametrize("most", [0.0, 0.1])
def test_the_margin_is_chosen_on_what_was_measured(
    models: dict[str, Model], frames: Frames, most: float
) -> None:
    """On frames that are held back: none of them is wrong where the classifier is sure."""
    tuning = Tuning(epochs=1, most_wrong=most)
    found = tune(models["dense"], frames, Chip(0.6), np.random.default_rng(3), tuning)
    _, held = split(frames, tuning.validation, np.random.default_rng(3))
    measured = outcome(found.model, held, found)
    assert measured.wrong <= most * (1 - measured.unsure)
    assert found.model.margin != models["dense"].margin


def test_a_layer_is_calibrated_on_what_the_one_before_gave(
    models: dict[str, Model], frames: Frames
) -> None:
    model, chip = models["dense"], Chip(0.5)
    found = tune(model, frames, chip, np.random.default_rng(0), STILL)
    measured = found.arrays[0](model.layers[0].rows(model.inputs(frames)))
    given = {tuple(row) for row in found.model.layers[0].after(measured).tolist()}
    assert {tuple(row) for row in chip.given[1].rows.tolist()} <= given
    exact = {tuple(row) for row in model.example_rows()[1].tolist()}
    assert not given <= exact


@pytest.mark.parametrize("kind", RECIPES)
def test_tuning_makes_up_for_errors(kind: str, models: dict[str, Model], frames: Frames) -> None:
    """Four arrays: at least a third fewer errors. Without learning there is nothing to gain."""
    unseen, model = blobs(300, 99), models[kind]

    def wrong(tuning: Tuning) -> float:
        chip, found = Chip(0.6), []
        for seed in range(4):
            tuned = tune(model, frames, chip, np.random.default_rng(seed), tuning)
            found.append(1 - outcome(tuned.model, unseen, tuned).correct)
        return float(np.mean(found))

    assert wrong(Tuning()) < 2 / 3 * wrong(STILL)


def test_it_makes_up_for_errors_of_devices(models: dict[str, Model], frames: Frames) -> None:
    unseen, backend = blobs(300, 99), array_backend(find("memristor"))
    options = {"device": "perovskite-mean", "sigma": 1.0, "rows": 128, "columns": 128}
    without = list(outcomes(models["dense"], unseen, backend, options, range(5)))
    tuned = list(tuned_outcomes(models["dense"], unseen, backend, options, range(5), frames))
    assert np.mean([f.correct for f in tuned]) > np.mean([f.correct for f in without]) + 0.05
    again = tuned_outcomes(models["dense"], unseen, backend, options, (3,), frames)
    assert list(again) == tuned[3:4]


def test_prototypes_are_refused(frames: Frames) -> None:
    recipe = PrototypeRecipe(neurons=256, active=32)
    model = build_prototypes(frames, recipe, np.random.default_rng(0))
    with pytest.raises(SenseError, match="prototypes is not tuned; expected trained layers"):
        tune(model, frames, Chip(0.0), np.random.default_rng(0))


def test_frames_of_other_classes_are_refused_before_anything_is_programmed(frames: Frames) -> None:
    chip = Chip(0.0)
    with pytest.raises(SenseError, match="frames have the label"):
        tune(drawn_model(0), frames, chip, np.random.default_rng(0))
    assert not chip.given


def test_frames_without_labels_are_refused_before_anything_is_programmed(
    models: dict[str, Model], frames: Frames
) -> None:
    chip, bare = Chip(0.0), Frames(frames.values, frames.names)
    with pytest.raises(SenseError, match="no labels"):
        tune(models["dense"], bare, chip, np.random.default_rng(0))
    assert not chip.given


@pytest.mark.parametrize(
    "wrong", [{"noise": -1.0}, {"epochs": 0}, {"batch": 0}, {"rate": 0.0}, {"rate": float("nan")}]
)
def test_a_tuning_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SenseError, match="expected noise from 0 to 10"):
        Tuning(**wrong)  # type: ignore[arg-type]


def test_without_torch_the_extra_is_named(
    models: dict[str, Model], frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    program = programmer(array_backend(find("memristor")), {}, np.random.default_rng(0))
    with pytest.raises(SenseError, match=r"tuning a classifier needs torch.*vsafsm\[sense\]"):
        tune(models["dense"], frames, program, np.random.default_rng(0))
