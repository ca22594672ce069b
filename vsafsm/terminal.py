"""What the command line prints: tables, one JSON object, progress, and errors."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

AFTER_SECONDS = 1.0
"""Progress is shown on what takes longer than this."""
WIDE = 2000


def print_json(content: Mapping[str, Any]) -> None:
    """One JSON object on standard output, and nothing else."""
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on standard output; names are printed as they are."""
    table = Table(box=SIMPLE, header_style="bold", pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDE
    with console.capture() as captured:
        console.print(table)
    sys.stdout.write("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")


def print_line(text: str = "") -> None:
    """A line on standard output."""
    sys.stdout.write(text + "\n")


def note(kind: str, text: str) -> None:
    """``vsafsm: kind: text`` on standard error."""
    sys.stderr.write(f"vsafsm: {kind}: {text}\n")


class ProgressBar:
    """Progress on standard error, only on a terminal, only on what takes over a second."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True
        )
        self._task = self._bar.add_task("", total=1.0)
        self._began = time.monotonic()
        self._shown = False
        self._wanted = console.is_terminal

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._bar.stop()

    def __call__(self, what: str, share: float) -> None:
        """Show that `share` of `what` is done."""
        if not self._wanted or time.monotonic() - self._began < AFTER_SECONDS:
            return
        if not self._shown:
            self._bar.start()
            self._shown = True
        self._bar.update(self._task, description=what, completed=share)
