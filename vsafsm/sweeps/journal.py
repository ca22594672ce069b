"""Every draw on disk as soon as it is measured, so that a sweep that was interrupted goes on where
it was.

One JSON object per line: first what is measured, then draws as they come in. A last line that was
cut off is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from vsafsm.errors import SweepError
from vsafsm.json_lines import JsonLines
from vsafsm.sweeps.plan import check_same
from vsafsm.sweeps.trial import Outcome

SUFFIX = ".partial"
Kept = dict[int, dict[int, Outcome]]
"""Outcomes by the number of the point and the number of the draw."""


def journal_path(table: Path) -> Path:
    """Where draws are kept until a table is done."""
    return table.with_name(table.name + SUFFIX)


class Memory:
    """Keeps draws for as long as it is there itself."""

    def __init__(self) -> None:
        self.kept: Kept = {}

    def add(self, point: int, numbers: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        """Keep draws of a point."""
        self.kept.setdefault(point, {}).update(zip(numbers, outcomes, strict=True))


class Journal(Memory):
    """The file beside a table that is not done yet.

    Raises
    ------
    SweepError
        If it belongs to another sweep, or is no such file.
    FileError
        If it cannot be read or written.
    """

    def __init__(self, table: Path, described: Mapping[str, Any]) -> None:
        self.path = journal_path(table)
        self._described = json.loads(json.dumps(described))
        self._lines = JsonLines(self.path, self._described)
        super().__init__()

    def __enter__(self) -> Journal:
        try:
            self._take_in(self._lines.read())
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SweepError(
                f'"{self.path}" is not what an interrupted sweep left; expected another file, or'
                " --restart"
            ) from None
        self._lines.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines.close()

    def add(self, point: int, numbers: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        """Keep draws of a point. Raises `FileError`."""
        super().add(point, numbers, outcomes)
        self._lines.add(
            {
                "point": point,
                "draws": list(numbers),
                "outcomes": [list(each) for each in outcomes],
            }
        )

    def forget(self) -> None:
        """The table is written: remove the file."""
        self.path.unlink(missing_ok=True)

    def _take_in(self, entries: list[Any]) -> None:
        if entries:
            check_same(f'"{self.path}"', entries[0], self._described)
        for each in entries[1:]:
            found = (Outcome(*outcome) for outcome in each["outcomes"])
            self.kept.setdefault(each["point"], {}).update(zip(each["draws"], found, strict=True))
