"""Stored images: each is found again, whatever is damaged of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vsafsm.discovery import find
from vsafsm.errors import SenseError
from vsafsm.sense.arrays import array_backend
from vsafsm.sense.data import Frames
from vsafsm.sense.recovery.arrays import errors
from vsafsm.sense.recovery.attractors import ImageMemory, store
from vsafsm.sense.recovery.images import Damaged, cover, flip, wrong

RNG = np.random.default_rng


def test_stored_images_are_attractors(memory: ImageMemory) -> None:
    truth = memory.images
    assert (memory.recovered(Damaged(truth, np.ones_like(truth)), RNG(0)) == truth).all()


def test_what_is_recovered_is_the_nearest_of_those_stored(memory: ImageMemory) -> None:
    truth = np.repeat(memory.images, 20, 0)
    seen = flip(truth, 0.05, RNG(3))
    apart = (seen.pixels[:, None] != memory.images).sum(2)
    two = np.sort(apart, 1)[:, :2]
    clear = two[:, 1] - two[:, 0] >= 3
    assert clear.mean() > 0.8
    found = memory.recovered(seen, RNG(0))
    assert (found == memory.images[apart.argmin(1)]).all(1)[clear].mean() > 0.97


def test_errors_on_arrays(memory: ImageMemory) -> None:
    truth = np.repeat(memory.images, 5, 0)
    seen = cover(truth, "scattered", RNG(1))
    backend = array_backend(find("memristor"))
    found = errors(memory, seen, truth, backend, {"device": "neurram"}, range(3))
    assert found.arrays.shape == (3, 60)
    assert found.arrays.mean() < 0.3 * found.damaged.mean()
    assert found.exact.mean() < 0.3 * found.damaged.mean()
    # A coin is wrong in half of the covered pixels, whatever they are.
    assert found.guessed == pytest.approx(np.full(60, 12 / 36 / 2))
    again = errors(memory, seen, truth, backend, {"device": "neurram"}, range(2, 3))
    assert (again.arrays[0] == found.arrays[2]).all()


def test_images_that_are_alike_are_refused() -> None:
    frames = Frames(np.stack([np.eye(4), np.eye(4)]), ("a", "b"))
    with pytest.raises(SenseError, match="alike"):
        store(frames, RNG(0))


@pytest.mark.parametrize("active", [3, 200])
def test_codes_too_sparse_or_dense_are_refused(active: int) -> None:
    frames = Frames(np.stack([np.eye(4), 1 - np.eye(4)]), ("a", "b"))
    with pytest.raises(SenseError, match="active of 256"):
        store(frames, RNG(0), neurons=256, active=active)


def test_parts_that_do_not_fit_are_refused(memory: ImageMemory) -> None:
    with pytest.raises(SenseError, match="one for each code"):
        replace(memory, images=memory.images[1:])
    with pytest.raises(SenseError, match="bias is"):
        replace(memory, bias=memory.bias[1:])
    seen = Damaged(np.ones((1, 4), bool), np.ones((1, 4), bool))
    with pytest.raises(SenseError, match="images of 4 pixels"):
        memory.recovered(seen, RNG(0))
    assert wrong(memory.images, memory.images).sum() == 0
