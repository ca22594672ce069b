"""Ranges and lists, against what they spell out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.errors import NoiseError, SweepError
from vsafsm.sweeps.ranges import noises, values


def texts(text: str) -> tuple[str, ...]:
    return tuple(map(str, noises(text)))


def test_a_range_has_both_ends() -> None:
    assert texts("additive:0:1:0.25") == tuple(
        f"additive:{x}" for x in ("0", "0.25", "0.5", "0.75", "1")
    )
    assert texts("additive:0:1:0.4") == ("additive:0", "additive:0.4", "additive:0.8")
    assert texts("missing:0.3:0.3:1") == ("missing:0.3",)


def test_no_digit_is_lost_on_the_way() -> None:
    assert texts("additive:0:0.3:0.1") == (
        "additive:0",
        "additive:0.1",
        "additive:0.2",
        "additive:0.3",
    )


@given(start=st.integers(0, 50), count=st.integers(1, 30), step=st.integers(1, 40))
def test_a_range_is_counted_out(start: int, count: int, step: int) -> None:
    stop = start + (count - 1) * step
    found = texts(f"additive:{start / 100}:{stop / 100}:{step / 100}")
    assert [float(each.partition(":")[2]) for each in found] == [
        pytest.approx((start + i * step) / 100) for i in range(count)
    ]


def test_parameters_and_other_models_stay() -> None:
    assert texts("stuck:0.1:0.2:0.1,at=minimum+additive:1") == (
        "stuck:0.1,at=minimum+additive:1",
        "stuck:0.2,at=minimum+additive:1",
    )
    assert texts("missing:0:0.1:0.1+additive:1:2:1") == (
        "missing:0+additive:1",
        "missing:0+additive:2",
        "missing:0.1+additive:1",
        "missing:0.1+additive:2",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("additive:3:0:1", "empty or backwards"),
        ("additive:0:3:0", "empty or backwards"),
        ("additive:0:3:-1", "empty or backwards"),
        ("additive:0:3", "no range; expected NAME:START:STOP:STEP"),
        ("additive:0:3:1:2", "no range"),
        ("additive:0:x:1", "not of numbers"),
        ("additive:0:inf:1", "not of numbers"),
        ("additive:0:nan:1", "not of numbers"),
        ("additive:0:snan:1", "not of numbers"),
        ("additive:0:1e5000:1", "not of numbers"),
        ("additive:0:1:0.00001", "more than 10000 values; expected fewer"),
        ("additive:0:10000:1", "more than 10000 values"),
        ("additive:0:1e300:1e-300", "more than 10000 values"),
        ("additive:0:1e300:1e-999999999999", "more than 10000 values"),
    ],
)
def test_what_is_no_range_is_refused(text: str, told: str) -> None:
    with pytest.raises(SweepError, match=told):
        texts(text)


def test_noise_out_of_range_is_refused() -> None:
    with pytest.raises(NoiseError, match="from 0 to 1"):
        texts("missing:0:2:0.5")


def test_values_of_a_list() -> None:
    assert values("dimension", "256, 512,auto") == ("256", "512", "auto")


@pytest.mark.parametrize("text", ["", "1,", ",1", "1,,2", "1,1"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(SweepError, match="dimension"):
        values("dimension", text)


@pytest.mark.parametrize(
    "text", ["additive:1e16", "additive:1e-12", "lognormal:1e-7+additive:1e20"]
)
def test_amounts_of_any_size_are_read_and_written(text: str) -> None:
    (found,) = noises(text)
    assert noises(str(found)) == (found,)
    assert found.amount == float(text.partition(":")[2].partition("+lo")[0].split("+add")[0])
