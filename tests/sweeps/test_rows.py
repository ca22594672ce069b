"""Rows, against sums by hand; intervals against an independent implementation; when a point is
done.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.intervals import over_draws, wilson
from vsafsm.noise import Additive
from vsafsm.proof import prove
from vsafsm.sweeps.plan import Plan, Trials
from vsafsm.sweeps.rows import COLUMNS, Count, Row, failure_bound
from vsafsm.sweeps.trial import Outcome, outcomes


def test_a_row_sums_up_its_draws(plan: Plan, rows: list[Row]) -> None:
    point = rows[1]
    found = outcomes(plan.subjects[0], Additive(1), plan.trials, range(45))
    assert (point.noise, point.amount, point.neurons, point.trials) == ("additive:1", 1.0, 64, 45)
    assert point.correct == sum(each.pairs == 4 for each in found)
    assert point.correct_share == point.correct / 45
    assert (point.correct_low, point.correct_high) == wilson(point.correct, 45)
    assert point.always == sum(bool(each.always) for each in found)
    assert point.transitions == 4 * 45
    assert point.transitions_share == sum(each.pairs for each in found) / (4 * 45)
    assert point.words == 3 * 45
    assert point.words_share == sum(each.words for each in found) / (3 * 45)
    shares = [each.pairs / 4 for each in found]
    assert (point.transitions_low, point.transitions_high) == over_draws(shares)
    assert point.transitions_low < point.transitions_share < point.transitions_high


def test_rows_are_in_the_order_of_the_plan(rows: list[Row]) -> None:
    assert [(row.neurons, row.noise) for row in rows] == [
        (n, noise) for n in (64, 96) for noise in ("additive:0", "additive:1", "lognormal:1.2")
    ]
    assert {row.machine for row in rows} == {"turnstile"}
    assert set(COLUMNS) >= {"correct", "always", "failure_bound"}


def test_every_bound_is_the_proofs(plan: Plan, rows: list[Row]) -> None:
    network = plan.subjects[0].program.network
    proof = prove(plan.subjects[0].program.machine, network)
    assert rows[0].failure_bound == 0
    assert rows[1].failure_bound == min(1.0, proof.tally.failure_bound(network.weights.std()))
    assert rows[2].failure_bound is None
    steps = failure_bound(plan.subjects[0], proof, Additive(2, "lsb"))
    assert steps == pytest.approx(min(1.0, proof.tally.failure_bound(2.0)))


# ---- when a point is done


def counted(correct: Sequence[bool], trials: Trials, order: Sequence[int] | None = None) -> Count:
    """What is counted of draws that come in some order."""
    count, kept = Count(4, trials), dict[int, Outcome]()
    for n in range(len(correct)) if order is None else order:
        kept[n] = Outcome(4 if correct[n] else 3, 0, correct[n])
        count.go_on(kept)
    return count


@given(
    correct=st.lists(st.booleans(), min_size=1, max_size=150),
    width=st.sampled_from([0.05, 0.1, 0.2, 0.5]),
    order=st.randoms(use_true_random=False),
)
def test_a_point_is_done_at_the_first_draw_that_makes_it_narrow(
    correct: list[bool], width: float, order: Random
) -> None:
    trials = Trials(most=1000, width=width)
    widths = [
        high - low
        for low, high in (wilson(sum(correct[: n + 1]), n + 1) for n in range(len(correct)))
    ]
    narrow = [n + 1 for n, each in enumerate(widths) if each <= width]
    shuffled = order.sample(range(len(correct)), len(correct))
    for count in (counted(correct, trials), counted(correct, trials, shuffled)):
        assert count.done == bool(narrow)
        assert count.draws == (narrow[0] if narrow else len(correct))


def test_a_point_is_done_at_the_most_draws() -> None:
    some = [True, False] * 20
    assert counted(some, Trials(most=40)).done
    assert counted(some, Trials(most=39)).draws == 39
    assert not counted(some, Trials(most=41)).done
    assert not counted([True] * 30, Trials(most=31, width=0)).done


def test_draws_after_a_gap_wait_for_it() -> None:
    count = counted([True] * 4, Trials(most=4), [0, 2, 3])
    assert (count.draws, count.done) == (1, False)


def test_each_draw_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    intervals = Mock(side_effect=wilson)
    monkeypatch.setattr("vsafsm.sweeps.rows.wilson", intervals)
    assert counted([True, False] * 50, Trials(most=100)).done
    assert intervals.call_count == 100
