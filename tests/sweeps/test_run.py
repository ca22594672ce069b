"""A sweep is the same however it is measured, cut off and gone on with, and stops where it is sure
enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsafsm.errors import SweepError
from vsafsm.intervals import wilson
from vsafsm.noise import Additive
from vsafsm.sweeps.executors import Chunk, Found, processes, serial
from vsafsm.sweeps.journal import Journal
from vsafsm.sweeps.plan import Plan, Subject, Trials
from vsafsm.sweeps.rows import Row
from vsafsm.sweeps.run import measure

Measured = Callable[..., list[Row]]


def test_it_does_not_matter_how_many_processes_measure(
    plan: Plan, rows: list[Row], measured: Measured, tmp_path: Path
) -> None:
    assert measured(plan, tmp_path / "t.csv", processes(2)) == rows


def test_it_does_not_matter_in_which_order_draws_come(
    plan: Plan, rows: list[Row], measured: Measured, tmp_path: Path
) -> None:
    def shuffled(subjects: Sequence[Subject], trials: Trials, chunks: Iterator[Chunk]) -> Found:
        found = list(serial(subjects, trials, chunks))
        return iter([found[i] for i in np.random.default_rng(0).permutation(len(found))])

    assert measured(plan, tmp_path / "t.csv", shuffled) == rows


@pytest.mark.parametrize("chunks_before", [1, 3, 11, 22])
def test_a_sweep_that_is_cut_off_goes_on_without_measuring_again(
    plan: Plan, rows: list[Row], tmp_path: Path, chunks_before: int
) -> None:
    table = tmp_path / "t.csv"
    first, second = Counted(chunks_before), Counted(None)
    with pytest.raises(KeyboardInterrupt), Journal(table, plan.described()) as journal:
        measure(plan, journal, first)
    with Journal(table, plan.described()) as journal:
        assert measure(plan, journal, second) == rows
    assert first.draws.isdisjoint(second.draws)
    assert len(first.draws) + len(second.draws) == len(plan.points) * 45


def test_a_line_that_was_cut_off_is_measured_again(
    plan: Plan, rows: list[Row], tmp_path: Path
) -> None:
    table = tmp_path / "t.csv"
    with pytest.raises(KeyboardInterrupt), Journal(table, plan.described()) as journal:
        measure(plan, journal, Counted(7))
    data = journal.path.read_bytes()
    last = len(data.splitlines(keepends=True)[-1])
    for cut in (1, last // 2, last - 1):
        journal.path.write_bytes(data[:-cut])
        with Journal(table, plan.described()) as again:
            assert sum(map(len, again.kept.values())) == 60
    with Journal(table, plan.described()) as again:
        assert measure(plan, again) == rows


class Counted:
    """Serial, remembers which draws it measured, and is interrupted after some chunks."""

    def __init__(self, most: int | None) -> None:
        self.most, self.draws = most, set[tuple[int, int]]()

    def __call__(
        self, subjects: Sequence[Subject], trials: Trials, chunks: Iterator[Chunk]
    ) -> Found:
        for n, (chunk, found) in enumerate(serial(subjects, trials, chunks)):
            if n == self.most:
                raise KeyboardInterrupt
            self.draws |= {(chunk.point, number) for number in chunk.numbers}
            yield chunk, found


# ---- stopping early


def test_points_stop_where_their_interval_is_narrow(
    plan: Plan, measured: Measured, tmp_path: Path
) -> None:
    narrow = replace(plan, trials=Trials(most=400, width=0.12, words=2, length=4))
    rows = measured(narrow, tmp_path / "t.csv")
    assert {row.trials for row in rows if row.correct_share in (0, 1)} == {29}
    for row in rows:
        assert row.correct_high - row.correct_low <= 0.12
        n = row.trials - 1
        before = [wilson(right, n) for right in (row.correct, row.correct - 1) if 0 <= right <= n]
        assert any(high - low > 0.12 for low, high in before)
    counted = Counted(None)
    with Journal(tmp_path / "u.csv", narrow.described()) as journal:
        assert measure(narrow, journal, counted) == rows
    assert len(counted.draws) < sum(row.trials for row in rows) + 10 * len(rows)


def test_progress_goes_up_to_the_end(plan: Plan, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    with Journal(tmp_path / "t.csv", plan.described()) as journal:
        measure(plan, journal, progress=lambda what, share: told.append((what, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert told[-1][0] == "6 of 6 points, 270 draws"
    assert "left" in told[len(told) // 2][0]


# ---- what is refused


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"noises": (Additive(0), Additive(1))}, "noise differs"),
        ({"trials": Trials(most=46)}, "trials differs"),
        ({"subjects": None}, "programs differs"),
    ],
)
def test_another_sweep_does_not_go_on_with_it(
    plan: Plan, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    table = tmp_path / "t.csv"
    with Journal(table, plan.described()):
        pass
    other = replace(
        plan,
        **(change if change.get("subjects", 0) is not None else {"subjects": plan.subjects[:1]}),
    )
    with pytest.raises(SweepError, match=told), Journal(table, other.described()):
        pass


@pytest.mark.parametrize(
    "content", ["[1, 2]\n", "no JSON\n", '{"machine": "turnstile"}\n', "\x00\n"]
)
def test_a_file_that_is_no_journal_is_left_alone(plan: Plan, tmp_path: Path, content: str) -> None:
    journal = Journal(tmp_path / "t.csv", plan.described())
    journal.path.write_text(content)
    with pytest.raises(SweepError), journal:
        pass
    assert journal.path.read_text() == content


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"most": 0}, "trials is 0; expected a whole number of at least 1"),
        ({"words": -1}, "words is -1"),
        ({"length": 0}, "length is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"width": 1.0}, "width is 1.0"),
        ({"width": float("nan")}, "width is nan"),
    ],
)
def test_trials_that_cannot_be_are_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(SweepError, match=told):
        Trials(**given)


def test_a_sweep_of_nothing_is_refused(plan: Plan) -> None:
    with pytest.raises(SweepError, match="nothing"):
        replace(plan, noises=())
