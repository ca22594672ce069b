"""Signals while a rig is armed: something is done first, then comes what would have come anyway."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

STOPPING = tuple(
    getattr(signal, name)
    for name in ("SIGTERM", "SIGINT", "SIGHUP")
    if hasattr(signal, name)  # SIGHUP: not on Windows
)


def in_main_thread() -> bool:
    """Whether this thread is the one in which Python handles signals."""
    return threading.current_thread() is threading.main_thread()


class Handlers:
    """Calls `first` with the name of a signal that would stop the process, then the handler that
    was there before.

    A forked child does not call `first`: the rig is its parent's.
    """

    def __init__(self, first: Callable[[str], None]) -> None:
        self._first, self._process = first, os.getpid()
        self._before: dict[int, Any] = {}

    def install(self) -> None:
        """Put the handlers in place, in the main thread. A signal that is ignored stays ignored."""
        for number in STOPPING:
            before = signal.getsignal(number)
            if number not in self._before and before not in (signal.SIG_IGN, None):
                self._before[number] = before
                signal.signal(number, self._handle)

    def restore(self) -> None:
        """Put those back that were there before, unless someone has put others in place since."""
        while self._before and in_main_thread():
            number, before = self._before.popitem()
            if signal.getsignal(number) == self._handle:
                signal.signal(number, before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        before = self._before.get(number, signal.SIG_DFL)
        try:
            if os.getpid() == self._process:
                self._first(signal.Signals(number).name)
        finally:
            self._chain(before, number, frame)

    def _chain(self, before: Any, number: int, frame: FrameType | None) -> None:
        if callable(before):
            before(number, frame)
        elif before == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
