"""Prototypes: what they learn, their attractor network, and their file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.errors import SenseError
from vsafsm.sense.artefact import load_model, save_model
from vsafsm.sense.data import Frames
from vsafsm.sense.model import Cleanup, Model
from vsafsm.sense.prototypes import PrototypeRecipe, build_prototypes, class_memory

from .conftest import blobs

RECIPE = PrototypeRecipe(neurons=256, active=32, passes=20)


@pytest.fixture(scope="module")
def model(frames: Frames) -> Model:
    return build_prototypes(frames, RECIPE, np.random.default_rng(0))


def test_prototypes_generalise(model: Model) -> None:
    unseen = blobs(300, 99)
    truth = model.truth(unseen)
    assert (model.best(model.scores(unseen)) == truth).mean() >= 0.85
    decided = model.classify(unseen)
    assert ((decided >= 0) & (decided != truth)).mean() <= 0.05


def test_refinement_gets_more_frames_than_sums_do(frames: Frames) -> None:
    unseen = blobs(300, 99)

    def correct(passes: int) -> float:
        recipe = PrototypeRecipe(256, 32, passes=passes, margin=0.3)
        found = [build_prototypes(frames, recipe, np.random.default_rng(seed)) for seed in range(3)]
        return float(
            np.mean([(m.scores(unseen).argmax(1) == m.truth(unseen)).mean() for m in found])
        )

    assert correct(30) > correct(1) + 0.005


def test_projections_are_as_active_as_codes(frames: Frames, model: Model) -> None:
    first = model.layers[0]
    assert first.rounding is not None
    rows = first.rows(model.inputs(frames))
    active = first.rounding.activations(rows @ first.weights + first.bias)
    assert set(np.unique(active)) == {0.0, 1.0}
    assert active.sum(1).mean() == pytest.approx(32, rel=0.2)


def test_it_comes_back_from_its_file(model: Model, tmp_path: Path) -> None:
    path, again, unseen = tmp_path / "p.npz", tmp_path / "q.npz", blobs(50, 3)
    save_model(model, path)
    found = load_model(path)
    save_model(found, again)
    assert path.read_bytes() == again.read_bytes()
    assert (found.classify(unseen) == model.classify(unseen)).all()
    assert found.cleanup is not None


def test_a_seed_gives_the_same_bytes(frames: Frames, tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        made = build_prototypes(frames, RECIPE, np.random.default_rng(seed))
        save_model(made, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 12), st.integers(0, 10**6))
def test_the_memory_corrects_codes_with_wrong_neurons(classes: int, seed: int) -> None:
    """A quarter of a code's neurons moved elsewhere; scores alone fall into the largest."""
    rng = np.random.default_rng(seed)
    memory = class_memory(classes, 256, 32, rng)
    assert (memory._step(memory.codes) == memory.codes).all()
    disturbed = memory.codes.copy()
    for row in disturbed:
        on, off = np.flatnonzero(row), np.flatnonzero(~row)
        row[rng.permutation(on)[:8]] = False
        row[rng.permutation(off)[:8]] = True
    now = disturbed
    for _ in range(10):
        now = memory._step(now)
    assert (now == memory.codes).all()
    scores = rng.normal(size=(20, classes))
    scores[np.arange(20), np.arange(20) % classes] += 50
    assert (memory.classes_of(scores) == np.arange(20) % classes).all()


def test_scores_that_are_alike_fall_into_no_class_or_one_of_the_best() -> None:
    memory = class_memory(4, 256, 32, np.random.default_rng(0))
    found = memory.classes_of(np.array([[5.0, 5, 5, 5], [9, 9, 0, 0], [9, 0, 0, 0]]))
    assert found[1] in (-1, 0, 1)
    assert found[2] == 0


def test_a_code_that_is_no_fixed_point_is_refused() -> None:
    codes = np.eye(3, 9, dtype=np.bool_)
    with pytest.raises(SenseError, match="no fixed point"):
        Cleanup(codes, np.zeros((9, 9), np.int8), 0)


@pytest.mark.parametrize(("neurons", "active"), [(256, 200), (256, 2)])
def test_sizes_that_cannot_be_are_refused(neurons: int, active: int) -> None:
    with pytest.raises(SenseError, match="expected 4 to half"):
        PrototypeRecipe(neurons, active)
