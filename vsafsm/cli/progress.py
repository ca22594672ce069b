"""Progress on the terminal."""

from __future__ import annotations

from threading import Timer
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

AFTER_SECONDS = 1.0
"""Progress is shown on what takes longer than this."""


class ProgressBar:
    """Progress on standard error, only on a terminal, only on what takes over a second.

    Parameters
    ----------
    what
        What is being done, until a call says so. Until then its end is not known, and the bar only
        moves to and fro.
    """

    def __init__(self, what: str = "working") -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task(what, total=None)
        self._what = what
        # A thread starts the bar, since what is waited for may not return for minutes.
        self._timer = Timer(AFTER_SECONDS, self._bar.start) if console.is_terminal else None

    def __enter__(self) -> ProgressBar:
        if self._timer:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer.join()
            self._bar.stop()

    def __call__(self, what: str, share: float) -> None:
        """Show that `share` of `what` is done, and how long the rest will take."""
        if what != self._what:
            # What comes next has a pace of its own.
            self._bar.reset(self._task, description=what, total=1.0)
            self._what = what
        self._bar.update(self._task, total=1.0, completed=share)
