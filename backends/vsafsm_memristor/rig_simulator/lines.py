"""The lines of the simulated rig: what is on them, the log of it, and the watchdog."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

KEPT = 256
"""Entries of the log that it tells."""
LONGEST = 16
"""Voltages of an entry that it tells one by one; of more it tells the largest magnitude."""


class Lines:
    """Voltages on the lines. `cut` is set whenever they were grounded by anything but the command
    that raised them; that command then puts nothing on them any more.

    Parameters
    ----------
    log
        A file for every entry.
    watchdog_s
        Seconds of silence of the owner after which lines that are up are grounded.
    clock
        Seconds on a monotonic clock.
    heed
        Called with every entry.
    """

    def __init__(
        self,
        log: Path | None,
        watchdog_s: float | None,
        clock: Callable[[], float] = time.monotonic,
        heed: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self._file = log.open("w", encoding="utf-8") if log else None
        self._watchdog_s, self._clock, self._heed = watchdog_s, clock, heed
        self._lock = threading.RLock()
        self._told: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._heard = clock()
        self.up = False
        self.tripped = False
        self.cut = threading.Event()

    def begin_watch(self) -> None:
        """Have a thread look after the watchdog."""
        if self._watchdog_s is not None:
            threading.Thread(target=self._watch, daemon=True).start()

    def note(self, event: str, **fields: Any) -> None:
        """Write a line of the log."""
        with self._lock:
            entry = {"t_ns": int(self._clock() * 1e9), "event": event, **fields}
            if self._heed is not None:
                self._heed(entry)
            if self._file is not None:
                self._file.write(json.dumps(entry) + "\n")
                self._file.flush()
            volts = entry.get("v", ())
            if len(volts) > LONGEST:
                entry = {**entry, "v": None, "v_most": max(max(volts), -min(volts))}
            self._told.append(entry)

    def told(self) -> list[str]:
        """The last entries of the log."""
        with self._lock:
            return [json.dumps(entry) for entry in self._told]

    def hear(self) -> None:
        """The owner has said something."""
        self._heard = self._clock()

    def begin(self) -> None:
        """A command begins: it has not been cut short yet."""
        with self._lock:
            self.cut.clear()

    def apply(self, tile: int, kind: str, volts: list[float], owner: str) -> bool:
        """Put voltages on lines; logged as they were commanded: -> whether they are on, and were
        not cut short before.
        """
        with self._lock:
            if self.cut.is_set() or self.tripped:
                return False
            self.note("lines", tile=tile, kind=kind, v=volts, owner=owner)
            self.up = any(volts)
            return True

    def hold(self, seconds: float) -> bool:
        """Leave them for so long: -> whether nothing has cut it short."""
        return not self.cut.is_set() if seconds <= 0 else not self.cut.wait(seconds)

    def ground(self, why: str) -> None:
        """All lines to 0 V."""
        with self._lock:
            if why not in ("done", "refused"):
                self.cut.set()
            if self.up:
                self.up = False
                self.note("ground", why=why)

    def watch(self) -> float:
        """Ground lines whose owner has been silent for too long: -> seconds until that may be so
        again.
        """
        limit = self._watchdog_s or 0.0
        with self._lock:
            left = limit - (self._clock() - self._heard)
            if self.up and left < 0:
                self.tripped = True
                self.ground("watchdog")
        return left if left > 0 else limit / 20

    def _watch(self) -> None:
        limit = self._watchdog_s or 0.0
        while True:
            time.sleep(min(self.watch() + 1e-4, limit / 20, 0.005))
