"""Writing a file so that it is there whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from vsafsm.errors import FileError


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Put `data` at `path`: a reader sees the old file or the new one, never a part.

    The bytes go to a temporary file in the same folder, which then takes the name of `path`. A link
    is followed; a device or a pipe is written to directly.

    Raises
    ------
    FileError
        The folder is missing, the disk is full, or writing is not allowed. The old file is as it
        was.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file() and not target.is_dir():
            _write_through(target, data)
        else:
            _replace(target, data)
    except (OSError, ValueError) as error:
        raise FileError(f'cannot write "{os.fspath(path)}": {reason(error)}') from error


def reason(error: OSError | ValueError) -> str:
    """What went wrong, in the system's words and without the path."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _replace(target: Path, data: bytes) -> None:
    temporary = target.parent / f".vsafsm-{secrets.token_hex(8)}.tmp"
    descriptor = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
    )
    try:
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(target)
    except BaseException:  # an interrupt too must leave nothing behind; it goes on its way
        temporary.unlink(missing_ok=True)
        raise


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _write_through(device: Path, data: bytes) -> None:
    descriptor = os.open(device, os.O_WRONLY)
    try:
        _write_all(descriptor, data)
    finally:
        os.close(descriptor)
