"""Compile options: names, types, ranges, and what text is read as."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm import errors as e
from vsafsm.options import MOST_NEURONS, Options, parse_assignments

GOOD: list[tuple[str, Any]] = [
    *(("dimension", value) for value in ("auto", 8, 1000, MOST_NEURONS)),
    *(("active", value) for value in ("auto", 2, MOST_NEURONS // 2)),
    *(("bits", value) for value in range(2, 17)),
    *(("rule", value) for value in ("refined", "one-shot")),
    *(("trigger", value) for value in ("event", "level")),
    *(("code", value) for value in ("sparse", "dense")),
    *(("inhibition", value) for value in ("folded", "separate")),
    *(("margin", value) for value in ("auto", 0, 0.0, 0.3, 0.45)),
    *(("seed", value) for value in (0, 2**63 - 1)),
]
HUGE = 10**400
"""A whole number that no float can stand for."""
BAD: list[tuple[str, Any]] = [
    *(
        ("dimension", value)
        for value in (0, -8, 7, MOST_NEURONS + 1, 10**30, 64.0, True, None, "automatic", [64])
    ),
    *(("active", value) for value in (0, 1, -2, MOST_NEURONS, 2.5, None)),
    *(("bits", value) for value in (0, 1, 17, -8, 8.0, True, None)),
    *(("rule", value) for value in ("refine", "", None, 1, [])),
    *(("trigger", value) for value in ("edge", True)),
    *(("code", value) for value in ("spars", 0)),
    *(("inhibition", value) for value in ("fold", None)),
    *(("margin", value) for value in (-0.1, 0.46, float("nan"), float("inf"), True, None, "wide")),
    *((name, value) for name in ("margin", "confidence") for value in (HUGE, Fraction(HUGE))),
    *(("seed", value) for value in (-1, 2**63, 0.5, None, True)),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_what_can_be_asked_for(name: str, value: Any) -> None:
    assert getattr(Options(**{name: value}), name) == value
    assert getattr(Options().with_({name: value}), name) == value
    from_text = getattr(Options().with_({name: str(value)}), name)
    assert from_text == value
    assert type(from_text) is type(value) or (name, value) == ("margin", 0)


@pytest.mark.parametrize(("name", "value"), BAD)
def test_what_cannot_be_asked_for_is_refused_with_what_was_expected(name: str, value: Any) -> None:
    with pytest.raises(e.OptionError, match=f"option {name} is .*; expected "):
        Options().with_({name: value})
    with pytest.raises(e.OptionError, match=f"option {name} is "):
        Options(**{name: value})


@pytest.mark.parametrize("text", ["eight", "", "8.5", "0x10", "1e3", "-1"])
@pytest.mark.parametrize("name", ["dimension", "active", "bits", "seed"])
def test_text_that_is_no_whole_number_is_refused(name: str, text: str) -> None:
    with pytest.raises(e.OptionError, match=f"option {name} is .* expected a whole number from"):
        Options().with_({name: text})


def test_misspelt_names_and_values_are_refused_with_the_nearest() -> None:
    with pytest.raises(
        e.OptionError, match=r'unknown compile option "dimensions".*did you mean "dimension"'
    ):
        Options().with_({"dimensions": 64})
    with pytest.raises(e.OptionError, match=r'did you mean "one-shot"'):
        Options().with_({"rule": "one_shot"})


def test_changes_leave_the_rest_and_the_original_alone() -> None:
    before = Options(bits=4)
    after = before.with_({"seed": "3"})
    assert (after.bits, after.seed, before.seed) == (4, 3, 0)
    assert before.with_({}) == before
    assert dict(after.items()) == {
        field.name: getattr(after, field.name) for field in fields(Options)
    }


def test_assignments() -> None:
    assert parse_assignments(["bits=4", " margin = 0.2 ", "code=a=b"]) == {
        "bits": "4",
        "margin": "0.2",
        "code": "a=b",
    }
    assert parse_assignments([]) == {}
    with pytest.raises(e.OptionError, match=r'"bits" is no option; expected key=value'):
        parse_assignments(["bits"])


@given(
    st.dictionaries(
        st.sampled_from([f.name for f in fields(Options)]) | st.text(max_size=5),
        st.text(max_size=8),
    )
)
@settings(deadline=None, max_examples=150)
def test_any_text_is_taken_or_refused_by_name(changes: dict[str, str]) -> None:
    with suppress(e.OptionError):
        Options().with_(changes)


@given(
    st.dictionaries(
        st.sampled_from([f.name for f in fields(Options)]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.lists(st.integers(), max_size=2)
        | st.binary(max_size=3),
    )
)
@settings(deadline=None, max_examples=150)
def test_any_value_is_taken_or_refused_by_name(changes: dict[str, object]) -> None:
    with suppress(e.OptionError):
        Options().with_(changes)
