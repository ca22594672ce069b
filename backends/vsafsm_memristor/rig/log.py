"""The log of a rig: one JSON object per line, each written through to the file before anything else
happens, and to the disk where it is about a voltage.

Every line has ``time_s`` (seconds since 1970), ``run`` (which opening of the log wrote it), ``n``
(counted from 1 in each run) and ``event``: ``connect``, ``open``, ``plan``, ``arm``, ``command``,
``slice``, ``reply``, ``dry``, ``refused``, ``error``, ``unverified``, ``signal``, ``safe``,
``close``. `vsafsm_memristor.rig.history` reads it.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from vsafsm_memristor.rig.errors import LogError

SYNCED = frozenset({"arm", "command", "slice", "error", "unverified", "signal", "safe"})
"""Entries that stand for a change of a voltage: they are on the disk before it changes. A reply
that is lost with the computer leaves its cells unverified.
"""


class RigLog:
    """Appends to a file. Raises `LogError` where that fails; what is to be logged then must not be
    sent.
    """

    def __init__(self, path: str | Path) -> None:
        self._path, self._n, self._run = Path(path), 0, secrets.token_hex(4)
        try:
            self._file = self._path.open("ab")
            if self._is_cut_off():
                self._file.write(b"\n")  # what was half written stays a line of its own
        except OSError as error:
            raise LogError(
                f'cannot write the log "{path}": {error.strerror}; expected a file to append to'
            ) from None

    def __enter__(self) -> RigLog:
        return self

    def __exit__(self, *details: Any) -> None:
        self.close()

    def write(self, event: str, **fields: Any) -> None:
        """Write a line. Arrays become lists; a number that is not finite becomes its name, so that
        it stays JSON.
        """
        self._n += 1
        line = {
            "time_s": time.time(),
            "run": self._run,
            "n": self._n,
            "event": event,
            **fields,
        }
        try:
            self._file.write(_as_json(line).encode() + b"\n")
            self._file.flush()
            if event in SYNCED:
                self._sync()
        except (OSError, ValueError) as error:
            raise LogError(
                f'cannot write the log "{self._path}": {error}; nothing more is sent'
            ) from None

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        self._file.close()

    def _sync(self) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            if error.errno != errno.EINVAL:  # a pipe or a terminal has no disk
                raise

    def _is_cut_off(self) -> bool:
        """Whether the last line of the file has no end."""
        with suppress(OSError), self._path.open("rb") as file:
            if file.seekable() and file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                return file.read(1) != b"\n"
        return False


def _as_json(line: dict[str, Any]) -> str:
    plain = {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in line.items()
    }
    try:
        return json.dumps(plain, allow_nan=False)
    except ValueError:
        return json.dumps({name: _named(value) for name, value in plain.items()}, allow_nan=False)


def _named(value: Any) -> Any:
    if isinstance(value, list):
        return [_named(each) for each in value]
    return repr(value) if isinstance(value, float) and value - value != 0 else value
