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

from vsafsm.cli.terminal import note

AFTER_SECONDS = 1.0
"""Progress is shown on what takes longer than this."""
HINT_AFTER_SECONDS = 15.0
"""A hint is printed where something takes longer than this, on a terminal or not."""


class ProgressBar:
    """Progress on standard error, only on a terminal, only on what takes over a second.

    Parameters
    ----------
    what
        What is being done, until a call says so. Until then its end is not known, and the bar only
        moves to and fro.
    hint
        What would take less time; printed once if this takes long.
    """

    def __init__(self, what: str = "working", hint: str | None = None) -> None:
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
        self._shown = console.is_terminal
        self._timers = [Timer(AFTER_SECONDS, self._bar.start)] if self._shown else []
        if hint is not None:
            self._timers.append(Timer(HINT_AFTER_SECONDS, self._tell, [hint]))

    def __enter__(self) -> ProgressBar:
        for timer in self._timers:
            timer.daemon = True
            timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for timer in self._timers:
            timer.cancel()
            timer.join()
        if self._shown:
            self._bar.stop()

    def _tell(self, hint: str) -> None:
        if self._shown:  # above the bar
            self._bar.console.print(f"vsafsm: note: {hint}", markup=False, highlight=False)
        else:
            note("note", hint)

    def __call__(self, what: str, share: float) -> None:
        """Show that `share` of `what` is done, and how long the rest will take."""
        if what != self._what:
            # What comes next has a pace of its own.
            self._bar.reset(self._task, description=what, total=1.0)
            self._what = what
        self._bar.update(self._task, total=1.0, completed=share)
