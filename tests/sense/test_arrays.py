"""Classifiers on drawn arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vsafsm.discovery import find
from vsafsm.errors import SenseError
from vsafsm.sense.arrays import array_backend, matrices_of, outcome, outcomes
from vsafsm.sense.data import Frames
from vsafsm.sense.model import Model

from .conftest import blobs, drawn_model

IDEAL = {
    "device": "lognormal",
    "sigma": 0.0,
    "read_noise": False,
    "adc_bits": 0,
    "rows": 20,
}


def with_examples(convolution: bool) -> tuple[Model, Frames]:
    model, frames = drawn_model(1, convolution), blobs(40, 3)
    inputs = model.inputs(frames)[..., 0].astype(np.uint8)
    labelled = Frames(frames.values, frames.names, tuple("abc"[i % 3] for i in range(40)))
    return replace(model, examples=inputs), labelled


@pytest.mark.parametrize("convolution", [False, True])
def test_an_ideal_array_scores_exactly(convolution: bool) -> None:
    model, frames = with_examples(convolution)
    backend = array_backend(find("memristor"))
    products = backend.draw_layers(matrices_of(model), np.random.default_rng(0), **IDEAL)
    found = model.scores(frames, products)
    # Sums of float32 conductances: a sum that is halfway between activations may fall to either
    # side, as none of these does.
    assert (np.rint(found) == model.scores(frames)).all()


def test_outcomes_count_what_is_correct_unsure_and_wrong() -> None:
    model, frames = with_examples(False)
    scores, truth = model.scores(frames), model.truth(frames)
    margin = int(np.median(np.sort(scores, 1)[:, -1] - np.sort(scores, 1)[:, -2]))
    found = outcome(replace(model, margin=margin), frames)
    decided = replace(model, margin=margin).classify(frames)
    assert found.correct == (scores.argmax(1) == truth).mean()
    assert found.unsure == (decided == -1).mean() > 0
    assert found.wrong == ((decided != truth) & (decided != -1)).mean() > 0


def test_arrays_are_those_of_their_seeds() -> None:
    model, frames = with_examples(False)
    backend = array_backend(find("memristor"))
    options = {"device": "perovskite-mean"}
    found = list(outcomes(model, frames, backend, options, range(4)))
    assert found[1:3] == list(outcomes(model, frames, backend, options, (1, 2)))
    assert len(set(found)) > 1


def test_a_backend_without_arrays_is_refused() -> None:
    with pytest.raises(SenseError, match='"reference" has no arrays'):
        array_backend(find("reference"))


def test_a_classifier_without_examples_is_refused() -> None:
    with pytest.raises(SenseError, match="no examples"):
        matrices_of(drawn_model(0))
