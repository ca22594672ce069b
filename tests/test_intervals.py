"""Intervals of shares: their equation solved another way, and how often they hold what they
should.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.intervals import clustered, wilson


@given(total=st.integers(1, 2000), share=st.floats(0, 1))
def test_the_ends_of_wilsons_interval_solve_its_equation(total: int, share: float) -> None:
    right = round(share * total)
    for end in wilson(right, total):
        assert abs(right / total - end) == pytest.approx(
            1.96 * np.sqrt(end * (1 - end) / total), abs=1e-7
        )


def test_nothing_tried_says_nothing() -> None:
    assert wilson(0, 0) == clustered([], 4) == clustered([0, 0], 0) == (0.0, 1.0)


def test_independent_items_count_each() -> None:
    right = np.random.default_rng(0).binomial(20, 0.7, size=4000).tolist()
    low, high = clustered(right, 20)
    one, two = wilson(sum(right), 80000)
    assert high - low == pytest.approx(two - one, rel=0.05)


def test_items_that_are_right_together_count_once() -> None:
    right = (20 * np.random.default_rng(0).binomial(1, 0.7, size=400)).tolist()
    assert clustered(right, 20) == pytest.approx(wilson(sum(right) / 20, 400), rel=0.01)


def test_draws_that_are_all_alike_count_once_each() -> None:
    assert clustered([7] * 50, 7) == wilson(50, 50)
    assert clustered([0] * 50, 7) == wilson(0, 50)


def test_clustered_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(2000):
        shares = rng.beta(4, 1, size=100)
        low, high = clustered(rng.binomial(10, shares).tolist(), 10)
        held += low <= 0.8 <= high
    assert 0.93 < held / 2000 < 0.98


@given(total=st.integers(1, 300), share=st.floats(0, 1))
def test_an_interval_holds_its_share(total: int, share: float) -> None:
    right = round(share * total)
    low, high = wilson(right, total)
    assert 0 <= low <= right / total <= high <= 1
    assert (low == 0) == (right == 0)
    assert (high == 1) == (right == total)
