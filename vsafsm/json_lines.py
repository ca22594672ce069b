"""Files of JSON texts, one per line, each on disk as soon as it is known: work that was interrupted
goes on from them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from vsafsm.errors import FileError
from vsafsm.files import reason
from vsafsm.json_text import parse_json


class JsonLines:
    """A file that is read first, and then goes on line by line. A last line that was cut off is
    left out, and overwritten.

    Parameters
    ----------
    path
        The file, which need not be there.
    first
        What its first line holds: what the others are about.
    """

    def __init__(self, path: Path, first: Mapping[str, Any]) -> None:
        self.path, self.first = path, first
        self._whole = 0  # bytes up to the end of the last whole line
        self._file: IO[bytes] | None = None

    def read(self) -> list[Any]:
        """What the whole lines hold; nothing where there is no file.

        Raises
        ------
        FileError
            If the file cannot be read.
        ValueError
            If a line is no JSON, or the only one is not whole and no part of the first.
        """
        try:
            data = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise FileError(f'cannot read "{self.path}": {reason(error)}') from None
        self._whole = data.rfind(b"\n") + 1
        if not self._whole and not _line(self.first).startswith(data):
            raise ValueError("no whole line")
        return [parse_json(line) for line in data[: self._whole].splitlines()]

    def open(self) -> None:
        """Begin to write, after what was read. Raises `FileError`."""
        self._begun()

    def add(self, content: Mapping[str, Any]) -> None:
        """Write a line. Raises `FileError`."""
        self._write(self._begun(), content)

    def _begun(self) -> IO[bytes]:
        if self._file is None:
            try:
                self._file = self.path.open("ab")
                self._file.truncate(self._whole)
            except OSError as error:
                raise self._unwritten(error) from None
            if not self._whole:
                self._write(self._file, self.first)
        return self._file

    def _write(self, file: IO[bytes], content: Mapping[str, Any]) -> None:
        try:
            file.write(_line(content))
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise self._unwritten(error) from None

    def close(self) -> None:
        """Write no more."""
        if self._file is not None:
            self._file.close()

    def _unwritten(self, error: OSError) -> FileError:
        return FileError(f'cannot write "{self.path}": {reason(error)}')


def _line(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content) + "\n").encode()
