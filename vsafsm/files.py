"""Writing a file so that it is there whole or not at all."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO

from vsafsm.errors import ArgumentError, FileError

Content = bytes | Callable[[IO[bytes]], None]
"""What a file is to hold, or what writes it into an open file."""


def check_path(value: object, call: str, name: str = "path") -> None:
    """Raise `ArgumentError` unless `value` is a path."""
    if not isinstance(value, str | os.PathLike):
        raise ArgumentError(f"{call}: {name} is {value!r}; expected a path")


def write_atomically(path: str | os.PathLike[str], data: Content) -> None:
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


def _replace(target: Path, data: Content) -> None:
    temporary = target.parent / f".vsafsm-{secrets.token_hex(8)}.tmp"
    descriptor = os.open(
        temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
    )
    try:
        with os.fdopen(descriptor, "w+b") as file:
            _write(file, data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:  # an interrupt too must leave nothing behind; it goes on its way
        temporary.unlink(missing_ok=True)
        raise


def _write(file: IO[bytes], data: Content) -> None:
    if isinstance(data, bytes):
        file.write(data)
    else:
        data(file)


def _write_through(device: Path, data: Content) -> None:
    whole = io.BytesIO()
    _write(whole, data)
    with device.open("wb") as file:
        file.write(whole.getbuffer())
