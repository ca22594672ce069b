"""What the command line prints: tables, one JSON object, progress, and errors."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, TextIO

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
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=not _takes_all(sys.stdout)) + "\n")


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
    """``vsafsm: kind: text`` on standard error, or nowhere if that cannot be written."""
    with suppress(OSError):
        sys.stderr.write(f"vsafsm: {kind}: {text}\n")


def write_message(message: str, file: TextIO | None) -> None:
    """What argparse prints. It swallows errors of writing itself, since Python 3.11; here they are
    raised, so that help that nobody received is no success.
    """
    if message:
        (file or sys.stderr).write(message)


def prepare_streams() -> None:
    """Let every name be printed, escaped where an encoding lacks it, and let standard error be
    there.
    """
    if (
        sys.stderr is None
    ):  # closed by whoever started us; argparse and note write to it all the same
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in _failing(stream):
            stream.reconfigure(errors="backslashreplace")


def settle_streams() -> None:
    """Let go of what could not be written: Python tries again when it exits, and would change the
    exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _failing(stream: TextIO) -> tuple[str, ...]:
    """The ways to treat what cannot be encoded that end in an error."""
    return ("strict",) if _takes_all(stream) else ("strict", "surrogateescape", "surrogatepass")


def _takes_all(stream: TextIO) -> bool:
    """Whether every character can be written; what is only held in memory has no encoding."""
    return not stream.encoding or codecs.lookup(stream.encoding).name.startswith("utf")


class ProgressBar:
    """Progress on standard error, only on a terminal, only on what takes over a second."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=1.0)
        self._began = time.monotonic()
        self._shown = False
        self._wanted = console.is_terminal

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
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
