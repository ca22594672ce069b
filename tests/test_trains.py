"""Which inputs of a train are taken: the rules, their laws, and the texts of times."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vsafsm
from vsafsm.errors import OptionError, SessionError, SpecError
from vsafsm.machine import Machine
from vsafsm.trains import Pace, arrivals, time_of, timed

TIMES = st.lists(st.integers(0, 60), max_size=12).map(sorted)


def begins(times: list[Any], hold: Any, gap: Any, overlap: str = "drop") -> list[Any]:
    train = [(time, f"i{n}") for n, time in enumerate(times)]
    found = arrivals(train, hold, gap, overlap)
    assert [(each.time, each.symbol) for each in found] == train
    assert [each.dropped for each in found] == [each.begins is None for each in found]
    return [each.begins for each in found]


@given(TIMES, st.integers(1, 9), st.integers(0, 9))
def test_what_is_dropped_overlaps_one_that_is_taken_and_no_other_is(
    times: list[int], hold: int, gap: int
) -> None:
    found = begins(times, hold, gap)
    taken = [time for time in found if time is not None]
    assert all(begin in (None, time) for time, begin in zip(times, found, strict=True))
    assert all(later - one >= hold + gap for one, later in pairwise(taken))
    for n, (time, begin) in enumerate(zip(times, found, strict=True)):
        earlier = [each for each in found[:n] if each is not None]
        busy = any(each <= time < each + hold + gap for each in earlier)
        assert (begin is None) == busy


@given(TIMES, st.integers(1, 9), st.integers(0, 9))
def test_what_waits_is_taken_in_order_and_as_early_as_it_can(
    times: list[int], hold: int, gap: int
) -> None:
    found = begins(times, hold, gap, "queue")
    for n, (time, begin) in enumerate(zip(times, found, strict=True)):
        assert begin == max([time, *(each + hold + gap for each in found[n - 1 : n])])


@given(TIMES, st.integers(1, 9), st.integers(0, 9), st.integers(1, 10**6))
def test_the_unit_does_not_matter(times: list[int], hold: int, gap: int, parts: int) -> None:
    for overlap in ("drop", "queue"):
        whole = begins(times, hold, gap, overlap)
        parted = arrivals(
            [(Fraction(time, parts), "i") for time in times],
            Fraction(hold, parts),  # type: ignore[arg-type]
            Fraction(gap, parts),  # type: ignore[arg-type]
            overlap,
        )
        assert [each.begins for each in parted] == [
            None if time is None else float(Fraction(time, parts)) for time in whole
        ]


def test_the_end_of_a_gap_is_free_in_decimals_too() -> None:
    assert 0.1 + 0.2 > 0.3
    assert begins([0, 0.3], 0.1, 0.2) == [0, 0.3]
    assert begins([0, 0.2999], 0.1, 0.2) == [0, None]


def test_of_inputs_at_once_the_first_in_order_comes_first() -> None:
    found = arrivals([(5, "b"), (5, "a")], 2, 2)
    assert [(each.symbol, each.begins) for each in found] == [("b", 5), ("a", None)]
    assert begins([5, 5, 5], 2, 2, "queue") == [5, 9, 13]


def test_numbers_of_numpy_are_numbers() -> None:
    times = np.array([0, 2, 4], np.int16)
    assert begins(list(times), np.int64(2), np.float32(2)) == [0, None, 4]


@pytest.mark.parametrize(
    "time",
    [-1, -0.5, 10**400, Fraction(10**400, 3), float("nan"), float("inf"), "3", None, True, 1j, [1]],
    ids=repr,
)
def test_what_is_no_time_is_refused(time: Any) -> None:
    told = r"is .*; expected a finite number of at least 0"
    with pytest.raises(SessionError, match=rf'the time of event 2 \("b"\) {told}'):
        arrivals([(0, "a"), (time, "b")], 1, 1)
    with pytest.raises(SessionError, match=f"the hold {told}"):
        arrivals([], time, 1)
    with pytest.raises(SessionError, match=f"the gap {told}"):
        arrivals([], 1, time)


def test_events_out_of_order_and_unknown_rules_are_refused() -> None:
    with pytest.raises(SessionError, match=r'event 2 \("b"\) comes at 2, before the one at 3'):
        arrivals([(3, "a"), (2, "b")], 1, 1)
    with pytest.raises(OptionError, match='expected drop or queue; did you mean "queue"'):
        arrivals([], 1, 1, "quee")


# ---- sessions


def test_a_machine_with_a_clock_takes_no_times(ticking_lamp: Any) -> None:
    with (
        vsafsm.open(vsafsm.compile(ticking_lamp("100 ms"))) as session,
        pytest.raises(SessionError, match="has a clock"),
    ):
        session.play([(0, "press")])


def test_steps_are_whole(turnstile: Machine) -> None:
    with (
        vsafsm.open(vsafsm.compile(turnstile)) as session,
        pytest.raises(SessionError, match=r"is 1\.5; expected a whole number of steps"),
    ):
        session.play([(1.5, "coin")])


def test_a_train_begins_where_the_session_is(turnstile: Machine) -> None:
    with vsafsm.open(vsafsm.compile(turnstile)) as session:
        session.send("coin")
        for overlap, states in (
            ("drop", ("unlocked", "locked")),
            ("queue", ("locked", "locked", "unlocked")),
        ):
            found = session.play([(0, "push"), (1, "coin")], overlap)
            assert found.states == states
        assert session.play([]).states == ("unlocked",)
    with pytest.raises(SessionError, match="closed"):
        session.play([(0, "coin")])


# ---- as text


def test_words_without_times_have_none() -> None:
    assert timed(["a", "b"], ["a", "b"]) == []
    assert timed([], ["a"]) == []
    assert timed(["a@3"], ["a@3"]) == []
    assert timed(["a@3@4", "b@5"], ["a@3", "b"]) == [("a@3", "4"), ("b", "5")]
    with pytest.raises(SpecError, match='"b" has no time'):
        timed(["a@3", "b"], ["a", "b"])


@pytest.mark.parametrize(
    ("text", "unit", "time"),
    [
        *(("0", "steps", 0), ("40", "steps", 40), ("3.0", "steps", 3)),
        *(("0", "ms", 0), ("0ms", "ms", 0), ("2.5", "ms", 2.5), ("1.5 s", "ms", 1500)),
        *(("2min", "s", 120), ("4", "us", 4)),
    ],
)
def test_times_as_text(text: str, unit: str, time: float) -> None:
    assert time_of("press", text, Pace(3, 3, unit)) == time


@pytest.mark.parametrize(
    ("text", "unit", "told"),
    [
        ("4ms", "steps", 'is "4ms"; expected a number of steps, such as "press@30"'),
        ("1.5", "steps", "expected a whole number of steps"),
        ("nan", "steps", "expected a number of steps"),
        ("nan", "ms", 'expected a number and a unit, such as "500 ms"'),
        ("-4ms", "ms", "expected at least 0 ms"),
        ("4msec", "ms", 'did you mean "ms"'),
        ("9" * 13, "ms", "more than 12 digits"),
        ("", "ms", "expected a number"),
    ],
)
def test_texts_that_are_no_times_are_refused(text: str, unit: str, told: str) -> None:
    with pytest.raises(SpecError) as caught:
        time_of("press", text, Pace(3, 3, unit))
    assert told in str(caught.value)
    assert "press" in str(caught.value)
