"""Limits and identities: what makes no sense is refused, and the tighter of two is the tighter in
every respect.
"""

import math
from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.errors import BackendError
from vsafsm_memristor.rig import errors
from vsafsm_memristor.rig.errors import RefusedError
from vsafsm_memristor.rig.protocol import COUNTS, Identity, Limits, Rig

POSITIVE = st.floats(1e-9, 1e3)


def some_limits():
    ranges = st.tuples(st.floats(1e-7, 1e-6), st.floats(1e-6, 1e-4))
    counts = st.integers(1, 100)
    return st.builds(
        lambda g, tiles, rows, columns, read, write, i, pulses, budget: Limits(
            tiles, rows, columns, g[0], g[1], read, write, i, pulses, budget
        ),
        *(ranges, counts, counts, counts, POSITIVE, POSITIVE, POSITIVE, counts, counts),
    )


@given(some_limits(), some_limits())
def test_the_tighter_of_two_is_within_both(one, other):
    both = one.tighten(other)
    assert both == other.tighten(one)
    assert both.tighten(one) == both
    for limits in (one, other):
        assert both.g_min_s >= limits.g_min_s
        assert all(
            getattr(both, each.name) <= getattr(limits, each.name)
            for each in fields(Limits)
            if each.name != "g_min_s"
        )


@pytest.mark.parametrize("name", [each.name for each in fields(Limits)])
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, None, "1", True, Fraction(10**400)])
def test_limits_that_make_no_sense_are_refused(limits, changed, name, value):
    with pytest.raises(RefusedError, match=name):
        changed(limits, **{name: value})


@pytest.mark.parametrize("name", sorted(set(COUNTS) - {"write_budget"}))
def test_a_count_is_whole_and_at_least_one(limits, changed, name):
    for value in (0, 1.5):
        with pytest.raises(RefusedError, match=name):
            changed(limits, **{name: value})


def test_a_range_with_nothing_in_it_is_refused(limits, changed):
    with pytest.raises(RefusedError, match="at most g_max_s"):
        limits.tighten(changed(limits, g_min_s=50e-6, g_max_s=60e-6))


def test_a_budget_of_nothing_makes_sense(limits, changed):
    assert changed(limits, write_budget=0).write_budget == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"usable": np.ones((2, 4, 4), bool)},
        {"usable": np.ones((2, 4, 3))},
        {"watchdog_s": 0.0},
        {"watchdog_s": math.nan},
        {"serial": ""},
    ],
)
def test_an_identity_that_does_not_fit_itself_is_refused(limits, wrong):
    right = {
        "model": "m",
        "serial": "s",
        "limits": limits,
        "usable": np.ones((2, 4, 3), bool),
        "watchdog_s": None,
    }
    Identity(**right)
    with pytest.raises(RefusedError, match=r"expected"):
        Identity(**{**right, **wrong})


def test_every_error_is_a_backend_error_with_a_docstring():
    classes = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and each.__module__ == errors.__name__
    ]
    assert len(classes) == 10
    assert all(issubclass(each, BackendError) and each.__doc__ for each in classes)


def test_the_rig_in_memory_is_a_rig(memory_rig):
    assert isinstance(memory_rig(), Rig)
