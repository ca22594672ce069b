"""One writer of a file at a time, among the processes that ask for it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vsafsm.errors import FileError
from vsafsm.files import reason

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PATIENCE_S = 10.0
"""How long others are waited for."""
PAUSE_S = 0.02


@contextmanager
def alone(path: str | os.PathLike[str]) -> Iterator[None]:
    """Be the only one who reads and writes a file meanwhile: others who ask for it wait.

    The lock is of a file beside it, since writing replaces the file itself. That file goes away
    with the lock; where a process is killed it stays, and locks nothing. Where the system has no
    such locks (Windows), nobody is kept waiting.

    Raises
    ------
    FileError
        If the folder cannot be written to, or others take longer than `PATIENCE_S`.
    """
    if fcntl is None:
        yield
        return
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{target.name}.lock")
    descriptor = _taken(beside, os.fspath(path))
    try:
        yield
    finally:
        beside.unlink(missing_ok=True)
        os.close(descriptor)


def _taken(beside: Path, name: str) -> int:
    """A descriptor that holds the lock."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise FileError(f'cannot write "{name}": {reason(error)}') from None
        if _locked(descriptor, beside):
            return descriptor
        os.close(descriptor)
        if time.monotonic() >= until:
            raise FileError(
                f'cannot write "{name}": another process has held "{beside}" for'
                f" {PATIENCE_S:g} s; expected it to be free"
            )
        time.sleep(PAUSE_S)


def _locked(descriptor: int, beside: Path) -> bool:
    """Whether this is the lock: not one of a file that its holder has taken away since."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), beside.stat())
    except OSError:
        return False
