"""A lock among the processes of one computer: of one of them at a time, and gone with it."""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path

from vsafsm_memristor.rig.errors import BusyError, RefusedError
from vsafsm_memristor.rig.protocol import Status

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# All users of a computer share its ports, so they have to share the locks: no folder of one user
# would do, nor the one that TMPDIR names, which differs between users. In a folder where everybody
# may write, something else may stand in the lock's place: a link is not followed, and what is no
# plain file of a single name is left alone. Its text is not trusted.
FOLDER = Path("/tmp")  # noqa: S108
_FOR_ALL = 0o666
_TRIES, _PAUSE_S = 20, 0.01
_OWNER = re.compile(rb"process [0-9]{1,20}")


class PortLock:
    """A lock by name, held by a file in `FOLDER`.

    Parameters
    ----------
    name
        What is locked.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._path = FOLDER / f"vsafsm-{name}.lock"
        self._file: FileIO | None = None
        self._since_s = 0.0

    @property
    def mine(self) -> bool:
        """Whether this object holds it."""
        return self._file is not None

    def take(self) -> None:
        """Hold it; doing it twice does nothing. Raises `BusyError` where another process does, and
        `RefusedError` where there are no such locks, or something else is in the file's place.
        """
        if self._file is not None:
            return
        if fcntl is None:
            raise RefusedError(
                f"{self._name} cannot be locked on this system, so that other processes are not"
                " kept out; expected one with fcntl"
            )
        with ExitStack() as undone:
            file = undone.enter_context(self._opened(make=True))
            if not _is_taken(file):
                raise BusyError(
                    f"{self._name} is busy, owned by {_owner(file)}; expected it to be free"
                )
            with suppress(OSError):  # a full disk: the text is a hint, and not the lock
                file.truncate(0)
                os.pwrite(file.fileno(), f"process {os.getpid()}".encode(), 0)
            undone.pop_all()
        self._file, self._since_s = file, time.monotonic()

    def release(self) -> None:
        """Let go of it; doing it twice does nothing."""
        file, self._file = self._file, None
        if file is not None:
            with file, suppress(OSError):
                file.truncate(0)

    def status(self) -> Status:
        """Who holds it. Raises `RefusedError` where something else is in the file's place."""
        if self._file is not None:
            return Status(f"process {os.getpid()}", True, time.monotonic() - self._since_s)
        return Status(self._other_owner(), False, 0.0)

    def _other_owner(self) -> str | None:
        if fcntl is None or not os.path.lexists(self._path):
            return None
        with self._opened() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return _owner(file)
        return None

    def _opened(self, make: bool = False) -> FileIO:
        try:
            if make:
                _make(self._path)
            flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = FileIO(os.open(self._path, flags), "r+")
        except OSError as error:
            raise self._refused(str(error.strerror)) from None
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_nlink > 1:
            file.close()
            raise self._refused("is no plain file of a single name")
        return file

    def _refused(self, why: str) -> RefusedError:
        return RefusedError(
            f'{self._name} cannot be locked: "{self._path}": {why}; expected no file there, or one'
            " that all users can read and write"
        )


def _make(path: Path) -> None:
    """Make the file where there is none. Where one is, Linux lets O_CREAT open it without O_EXCL
    for its own user only.
    """
    with suppress(FileExistsError):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FOR_ALL)
        try:
            os.fchmod(file, _FOR_ALL)  # whatever the umask
        finally:
            os.close(file)


def _is_taken(file: FileIO) -> bool:
    """Whether the lock is had now. Who asks for the status has it for a moment: hence the tries."""
    for _ in range(_TRIES):
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(_PAUSE_S)
    return False


def _owner(file: FileIO) -> str:
    """Who holds the lock, as its file says."""
    with suppress(OSError):
        text = os.pread(file.fileno(), 80, 0)
        if _OWNER.fullmatch(text):
            return text.decode()
    return "another process"
