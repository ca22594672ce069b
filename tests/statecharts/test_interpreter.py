"""Charts that are run: time that goes by."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from vsafsm.errors import SessionError, SpecError
from vsafsm.statecharts import Interpreter, State, Statechart, Transition

PLAIN = Statechart("plain", (State("on"),))
LAMP = Statechart(
    "lamp", (State("on", transitions=(Transition((), ("off",), after=Fraction(2)),)), State("off"))
)


@pytest.mark.parametrize("chart", [PLAIN, LAMP], ids=["without a clock", "with a clock"])
@pytest.mark.parametrize("seconds", [-5, float("nan"), float("inf"), 10**400, "1", None, True])
def test_a_wait_that_makes_no_sense_is_refused(chart: Statechart, seconds: Any) -> None:
    with pytest.raises(SessionError, match=r"the wait is .*; expected a finite number of at least"):
        Interpreter(chart).wait(seconds)


def test_a_wait_is_of_whole_periods_where_there_is_a_clock() -> None:
    assert Interpreter(PLAIN).wait(0.3) == ()
    lamp = Interpreter(LAMP)
    with pytest.raises(SpecError, match="a wait is 1 s; expected a multiple of the clock, 2 s"):
        lamp.wait(1)
    with pytest.raises(SessionError, match="takes 500000000000 ticks; expected at most 1000000"):
        lamp.wait(1e12)
    lamp.wait(2)
    assert lamp.configuration == ("off",)
