"""Progress on the terminal."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

AFTER_SECONDS = 1.0
"""Progress is shown on what takes longer than this."""


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
