"""Recurrent sums against a plain integer matrix product."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.recurrent import GATHER, gathered, listed, multiplied, sums


def activities(rng: np.random.Generator, rows: int, neurons: int, most: int) -> np.ndarray:
    found = np.zeros((rows, neurons), np.bool_)
    for row in found:
        row[rng.permutation(neurons)[: rng.integers(0, most + 1)]] = True
    return found


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 9),
    st.integers(1, 80),
    st.integers(1, 20),
    st.sampled_from([np.int8, np.int16]),
    st.booleans(),
)
@settings(deadline=None, max_examples=150)
def test_sums_are_the_plain_matrix_product(
    seed: int, rows: int, neurons: int, columns: int, kind: type, sparse: bool
) -> None:
    rng = np.random.default_rng(seed)
    limits = np.iinfo(kind)
    transposed = rng.integers(limits.min, limits.max, (neurons, columns), kind, endpoint=True)
    activity = activities(rng, rows, neurons, max(1, neurons // GATHER - 1) if sparse else neurons)
    found = sums(transposed, activity)
    assert found.dtype == np.int32
    assert (found == activity.astype(np.int64) @ transposed.astype(np.int64)).all()


@pytest.mark.parametrize("kind", [np.int8, np.int16])
@pytest.mark.parametrize("end", ["min", "max"])
@pytest.mark.parametrize("active", [0, 1, 2, 200, 257, 258, 259, 512, 1000])
def test_sums_of_extreme_weights_do_not_overflow(kind: type, end: str, active: int) -> None:
    transposed = np.full((GATHER * 260, 3), getattr(np.iinfo(kind), end), kind)
    activity = np.zeros((3, len(transposed)), np.bool_)
    activity[0, :active] = activity[2, -active // 2 :] = True
    assert (
        sums(transposed, activity) == activity.astype(np.int64) @ transposed.astype(np.int64)
    ).all()


@pytest.mark.parametrize("rows", [0, 1, 5])
@pytest.mark.parametrize("kind", [np.int8, np.int16, np.float64])
def test_silence_drives_nothing(rows: int, kind: type) -> None:
    found = sums(np.ones((40, 30), kind), np.zeros((rows, 40), np.bool_))
    assert found.shape == (rows, 30)
    assert not found.any()


def test_real_weights_give_real_sums() -> None:
    rng = np.random.default_rng(0)
    weights, activity = rng.normal(size=(50, 9)), rng.random((4, 50)) < 0.3
    np.testing.assert_allclose(sums(weights, activity), activity @ weights, rtol=1e-12)


@given(st.lists(st.lists(st.booleans(), min_size=9, max_size=9), max_size=6))
@settings(deadline=None, max_examples=60)
def test_listing_names_each_active_neuron_once_and_pads(rows: list[list[bool]]) -> None:
    activity = np.array(rows, np.bool_).reshape(-1, 9)
    indices, count = listed(activity)
    assert indices.shape == (len(rows), max(map(sum, rows), default=0))
    for row, found, n in zip(activity, indices, count, strict=True):
        assert found[:n].tolist() == np.flatnonzero(row).tolist()
        assert not found[n:].any()


def test_gathering_does_not_read_the_padding() -> None:
    transposed = np.arange(12, dtype=np.int8).reshape(6, 2)
    activity = np.array([[0, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 0], [0] * 6], np.bool_)
    found = gathered(transposed, *listed(activity), np.int16)
    assert found.tolist() == [[12, 15], [8, 9], [0, 0]]


@pytest.mark.parametrize("largest", [10, 2**24, 2**40])
def test_multiplying_in_chunks_is_exact_at_any_width(largest: int) -> None:
    rng = np.random.default_rng(1)
    transposed = rng.integers(-(2**15), 2**15, (90, 1100), np.int16)
    activity = rng.random((7, 90)) < 0.5
    found = multiplied(transposed, activity, max(largest, 2**15 * 90))
    assert (found == activity.astype(np.int64) @ transposed.astype(np.int64)).all()
