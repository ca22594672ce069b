"""Durations as text."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.durations import UNITS, duration_text, parse_duration
from vsafsm.errors import SpecError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500 ms", Fraction(1, 2)),
        ("3s", Fraction(3)),
        ("1.5 min", Fraction(90)),
        ("0.25 ms", Fraction(1, 4000)),
    ],
)
def test_a_number_and_a_unit(text: str, seconds: Fraction) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("500", 'the wait is "500" without a unit; expected one of: ms, s, min, such as "500 ms"'),
        ("5 msec", 'unknown unit "msec" of the wait; expected one of: ms, s, min; did you mean'),
        ("0 s", "the wait is 0 s; expected more than 0 s"),
        ("-1 s", "the wait is -1 s; expected more than 0 s"),
        ("1e3 s", 'the wait is the text "1e3 s"; expected a number and a unit, such as "500 ms"'),
        ("", 'the wait is the text ""'),
        ("9" * 100_000 + " s", "more than 12 digits"),
    ],
)
def test_what_is_none_is_told(text: str, told: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_duration(text, "the wait")
    assert told in str(caught.value)


@given(st.integers(1, 10**9), st.sampled_from([*UNITS.values(), Fraction(1, 10**6)]))
def test_text_of_a_duration_is_read_back(number: int, unit: Fraction) -> None:
    seconds = number * unit
    assert parse_duration(duration_text(seconds)) == seconds
