"""Damage: as much as asked for, where it is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.errors import SenseError
from vsafsm.sense.data import Frames
from vsafsm.sense.recovery.images import Binary, Damaged, cover, flip, wrong

RNG = np.random.default_rng


def pixels(count: int = 7, size: int = 50) -> np.ndarray:
    return RNG(0).random((count, size)) < 0.4


def test_flips_are_as_many_as_asked_for() -> None:
    truth = pixels(400)
    seen = flip(truth, 0.2, RNG(1))
    # 20,000 draws: four standard deviations.
    assert abs(wrong(seen.pixels, truth).mean() - 0.2) < 4 * np.sqrt(0.16 / truth.size)
    assert seen.known.all()
    assert seen.flipped == 0.2


@given(st.integers(3, 80))
def test_a_third_is_covered(size: int) -> None:
    truth = pixels(5, size)
    below, scattered = cover(truth, "bottom", RNG(0)), cover(truth, "scattered", RNG(0))
    for seen in (below, scattered):
        assert ((~seen.known).sum(1) == size // 3).all()
        assert not seen.pixels[~seen.known].any()
        assert (seen.pixels == truth)[seen.known].all()
    assert below.known[:, : size - size // 3].all()


def test_scattered_covers_differ_from_image_to_image() -> None:
    assert len(np.unique(cover(pixels(), "scattered", RNG(0)).known, axis=0)) > 1


def test_a_cover_of_another_name_is_refused() -> None:
    with pytest.raises(SenseError, match=r'a cover is "botom".*did you mean "bottom"'):
        cover(pixels(), "botom", RNG(0))


@pytest.mark.parametrize("share", [-0.1, 0.5, float("nan")])
def test_more_flips_than_a_coin_throws_are_refused(share: float) -> None:
    with pytest.raises(SenseError, match="flipped is"):
        flip(pixels(), share, RNG(0))


def test_parts_of_other_shapes_are_refused() -> None:
    with pytest.raises(SenseError, match=r"known \(1, 3\)"):
        Damaged(np.zeros((2, 3), bool), np.ones((1, 3), bool))


def test_frames_of_another_shape_are_refused() -> None:
    frames = Frames(np.eye(4)[None], ("a",))
    assert Binary.of(frames).pixels(frames).sum() == 4
    with pytest.raises(SenseError, match="frames such as a have shape"):
        Binary((2, 8), 0.5).pixels(frames)


def test_frames_that_are_all_alike_are_refused() -> None:
    with pytest.raises(SenseError, match="every value"):
        Binary.of(Frames(np.ones((3, 2, 2)), ("a", "b", "c")))
