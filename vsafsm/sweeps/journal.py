"""Every draw on disk as soon as it is measured, so that a sweep that was interrupted goes on where
it was.

One JSON object per line: first what is measured, then draws as they come in. A last line that was
cut off is left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from vsafsm.errors import FileError, SweepError
from vsafsm.files import reason
from vsafsm.json_text import parse_json
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
        self._file: TextIO | None = None
        super().__init__()

    def __enter__(self) -> Journal:
        try:
            whole = self._read() if self.path.exists() else 0
            self._file = self.path.open("a", encoding="utf-8")
            self._file.truncate(whole)
            if not whole:
                self._write(self._described)
        except OSError as error:
            raise FileError(f'cannot write "{self.path}": {reason(error)}') from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, point: int, numbers: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        """Keep draws of a point. Raises `FileError`."""
        super().add(point, numbers, outcomes)
        try:
            self._write(
                {
                    "point": point,
                    "draws": list(numbers),
                    "outcomes": [list(each) for each in outcomes],
                }
            )
        except OSError as error:
            raise FileError(f'cannot write "{self.path}": {reason(error)}') from None

    def forget(self) -> None:
        """The table is written: remove the file."""
        self.path.unlink(missing_ok=True)

    def _write(self, content: Mapping[str, Any]) -> None:
        assert self._file is not None  # noqa: S101 - within the context
        self._file.write(json.dumps(content) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self) -> int:
        """Take in what is there: -> bytes up to the last whole line."""
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        lines = data[:whole].splitlines()
        try:
            entries = [parse_json(line) for line in lines]
            if entries:
                check_same(f'"{self.path}"', entries[0], self._described)
            for each in entries[1:]:
                found = (Outcome(*outcome) for outcome in each["outcomes"])
                self.kept.setdefault(each["point"], {}).update(
                    zip(each["draws"], found, strict=True)
                )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SweepError(
                f'"{self.path}" is not what an interrupted sweep left; expected another file, or'
                " --restart"
            ) from None
        return whole
