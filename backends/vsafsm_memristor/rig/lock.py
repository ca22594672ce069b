"""A lock among the processes of one computer: of one of them at a time, and gone with it."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from vsafsm_memristor.rig.errors import BusyError, RefusedError
from vsafsm_memristor.rig.protocol import Status

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class PortLock:
    """A lock by name, held by a file in the folder for temporary files.

    Parameters
    ----------
    name
        What is locked.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._path = Path(tempfile.gettempdir()) / f"vsafsm-{name}.lock"
        self._file: IO[str] | None = None
        self._since_s = 0.0

    @property
    def mine(self) -> bool:
        """Whether this object holds it."""
        return self._file is not None

    def take(self) -> None:
        """Hold it; doing it twice does nothing. Raises `BusyError` where another process does, and
        `RefusedError` where there are no such locks.
        """
        if self._file is not None:
            return
        if fcntl is None:
            raise RefusedError(
                f"{self._name} cannot be locked on this system, so that other processes are not"
                " kept out; expected one with fcntl"
            )
        try:
            file = self._path.open("a+", encoding="utf-8")
        except OSError as error:
            raise RefusedError(
                f'{self._name} cannot be locked: "{self._path}": {error.strerror}; expected a file'
                " that can be written"
            ) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise BusyError(
                f"{self._name} is busy, owned by {self._owner()}; expected it to be free"
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        self._file, self._since_s = file, time.monotonic()

    def release(self) -> None:
        """Let go of it; doing it twice does nothing."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def status(self) -> Status:
        """Who holds it."""
        if self._file is not None:
            return Status(f"process {os.getpid()}", True, time.monotonic() - self._since_s)
        return Status(self._owner() if self._is_held() else None, False, 0.0)

    def _is_held(self) -> bool:
        if fcntl is None:
            return False
        with suppress(FileNotFoundError), self._path.open("r", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def _owner(self) -> str:
        with suppress(OSError, UnicodeDecodeError):
            return self._path.read_text(encoding="utf-8")[:80] or "another process"
        return "another process"
