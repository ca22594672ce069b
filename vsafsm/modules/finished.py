"""Modules that are done, kept in a folder, so that a compilation goes on where it ended.

Each compilation has a folder of its own inside, named after all that its modules depend on. So what
is there is never of another machine, of other options, or of another version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vsafsm import npz
from vsafsm.errors import FileError, ProgramError
from vsafsm.files import reason, write_atomically
from vsafsm.modules.executors import Call, Execute
from vsafsm.modules.refine import Inside
from vsafsm.modules.sending import Sent
from vsafsm.version import __version__

_WEIGHTS = ("|i1", "<i2")
_INSIDE = {"codes": ("|b1",), "weights": _WEIGHTS, "short": ("<i8",), npz.HASH: ("|u1",)}
_SENT = {
    "counts": ("<i8",),
    "targets": ("<i4",),
    "values": _WEIGHTS,
    "short": ("<i8",),
    npz.HASH: ("|u1",),
}


class Finished:
    """What is done of one compilation.

    Parameters
    ----------
    folder
        Where it is kept; it is made if it is not there.
    depends
        All that the modules depend on, as JSON can hold it.

    Raises
    ------
    FileError
        If the folder cannot be made.
    """

    def __init__(self, folder: Path, depends: Any) -> None:
        text = json.dumps([__version__, depends], sort_keys=True)
        self._folder = folder / hashlib.sha256(text.encode()).hexdigest()[:16]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f'cannot make the folder "{folder}": {reason(error)}') from None

    def inside(self, execute: Execute, calls: Iterable[Call]) -> Iterator[Inside]:
        """What the calls return, in order; those that are done are not made again."""
        for members in self._each("inside", execute, calls, _INSIDE):
            yield Inside(members["codes"], members["weights"], int(members["short"][0]))

    def sent(self, execute: Execute, calls: Iterable[Call]) -> Iterator[Sent]:
        """The same for what modules send."""
        for members in self._each("sent", execute, calls, _SENT):
            counts = members["counts"].astype(np.intp)
            yield Sent(counts, members["targets"], members["values"], int(members["short"][0]))

    def _each(
        self, kind: str, execute: Execute, calls: Iterable[Call], kinds: npz.Kinds
    ) -> Iterator[npz.Members]:
        every = list(calls)
        there = [self._read(self._path(kind, i), kinds) for i in range(len(every))]
        made = execute(call for call, members in zip(every, there, strict=True) if members is None)
        for i, members in enumerate(there):
            if members is None:
                members = _members(next(made))
                self._write(self._path(kind, i), members)
            yield members

    def _path(self, kind: str, number: int) -> Path:
        return self._folder / f"{kind}-{number:06}.npz"

    def _read(self, path: Path, kinds: npz.Kinds) -> npz.Members | None:
        """What a file holds; None where it is not there or damaged, so that it is made again."""
        try:
            with path.open("rb") as file:
                members = npz.read(file, str(path), (kinds,))
            npz.check_hash(members, str(path))
        except (OSError, ProgramError):
            return None
        return members

    def _write(self, path: Path, members: npz.Members) -> None:
        write_atomically(path, lambda file: npz.write(members, file))


def _members(found: Inside | Sent) -> npz.Members:
    short = np.array([found.short], np.int64)
    if isinstance(found, Inside):
        return {"codes": found.codes, "weights": found.weights, "short": short}
    counts = found.counts.astype(np.int64)
    return {"counts": counts, "targets": found.targets, "values": found.values, "short": short}
