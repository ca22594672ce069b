"""The lines of the simulated rig: what is on them, the log of it, and the watchdog."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any


class Lines:
    """Voltages on the lines. `cut` is set whenever they were grounded by anything but the command
    that raised them.
    """

    def __init__(self, log: Path | None, watchdog_s: float | None) -> None:
        self._file = log.open("w", encoding="utf-8") if log else None
        self._watchdog_s = watchdog_s
        self._lock = threading.RLock()
        self._heard = time.monotonic()
        self.up = False
        self.tripped = False
        self.cut = threading.Event()
        if watchdog_s is not None:
            threading.Thread(target=self._watch, daemon=True).start()

    def note(self, event: str, **fields: Any) -> None:
        """Write a line of the log."""
        if self._file is None:
            return
        text = json.dumps({"t_ns": time.monotonic_ns(), "event": event, **fields})
        with self._lock:
            self._file.write(text + "\n")
            self._file.flush()

    def hear(self) -> None:
        """The client has said something."""
        self._heard = time.monotonic()

    def begin(self) -> None:
        """A command begins: it has not been cut short yet."""
        with self._lock:
            self.cut.clear()

    def apply(self, tile: int, kind: str, volts: list[float]) -> None:
        """Put voltages on lines; logged as they were commanded."""
        with self._lock:
            self.note("lines", tile=tile, kind=kind, v=volts)
            self.up = any(volts)

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

    def _watch(self) -> None:
        limit = self._watchdog_s or 0.0
        while True:
            time.sleep(min(limit / 5, 0.005))
            with self._lock:
                if self.up and time.monotonic() - self._heard > limit:
                    self.tripped = True
                    self.ground("watchdog")
