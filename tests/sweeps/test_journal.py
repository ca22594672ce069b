"""Draws of an interrupted sweep: what is no file of them is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsafsm.errors import SweepError
from vsafsm.sweeps.journal import Journal, journal_path


@pytest.mark.parametrize(
    "text", ["hello", "[]", "1", '{"spec": 1}\n[]', '{"spec": 1}\n{"point": 1}', "[" * 10**5]
)
def test_what_is_no_journal_is_refused(tmp_path: Path, text: str) -> None:
    table = tmp_path / "t.csv"
    journal_path(table).write_text(text + "\n")
    with pytest.raises(SweepError, match=r"t\.csv\.partial.*expected"), Journal(table, {"spec": 1}):
        pass
