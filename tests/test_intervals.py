"""Intervals of shares: their equation solved another way, and how often they hold what they
should.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.intervals import over_draws, wilson


@given(total=st.integers(1, 2000), share=st.floats(0, 1))
def test_the_ends_of_wilsons_interval_solve_its_equation(total: int, share: float) -> None:
    right = round(share * total)
    for end in wilson(right, total):
        assert abs(right / total - end) == pytest.approx(
            1.96 * np.sqrt(end * (1 - end) / total), abs=1e-7
        )


def test_nothing_tried_says_nothing() -> None:
    assert wilson(0, 0) == over_draws([]) == (0.0, 1.0)


def test_draws_that_are_all_or_nothing_are_counted() -> None:
    assert over_draws([1.0] * 50) == wilson(50, 50)
    assert over_draws([1.0] * 30 + [0.0] * 20) == wilson(30, 50)


@given(draws=st.integers(1, 200), items=st.integers(2, 200), wrong=st.integers(1, 20))
def test_all_correct_is_the_narrowest(draws: int, items: int, wrong: int) -> None:
    """2,400 of 2,400 says at least as much as 2,399 of 2,400."""
    low, high = over_draws([1.0] * draws)
    lower, higher = over_draws([1 - min(wrong, items) / items] + [1.0] * (draws - 1))
    assert high - low <= higher - lower + 1e-12
    assert lower < low


@pytest.mark.parametrize("items", [1, 10, 1000])
def test_intervals_over_draws_hold_the_truth_at_least_as_often_as_they_say(items: int) -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(2000):
        shares = rng.beta(4, 1, size=100)
        low, high = over_draws((rng.binomial(items, shares) / items).tolist())
        held += low <= 0.8 <= high
    assert held / 2000 > 0.93


@given(total=st.integers(1, 300), share=st.floats(0, 1))
def test_an_interval_holds_its_share(total: int, share: float) -> None:
    right = round(share * total)
    low, high = wilson(right, total)
    assert 0 <= low <= right / total <= high <= 1
    assert (low == 0) == (right == 0)
    assert (high == 1) == (right == total)
