"""Files of the room: arrays (`vsafsm.npz`) with one JSON text, versioned and strict. What differs
between kinds of files is a `Kind`.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm import npz
from vsafsm.errors import FileError, ProgramError, SenseError
from vsafsm.files import reason, write_atomically
from vsafsm.json_text import parse_json

FORMAT_VERSION = 1
_ALWAYS: npz.Kinds = {"metadata": ("|u1",), npz.HASH: ("|u1",)}


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    name
        What the file says that it is.
    layouts
        Arrays that it may have besides its text and its hash, with their types, and the entries of
        its text with them.
    lacks, expected
        Of a file that is not of this kind, and what would be: for errors.
    """

    name: str
    layouts: tuple[tuple[npz.Kinds, frozenset[str]], ...]
    lacks: str
    expected: str

    @property
    def _arrays(self) -> tuple[npz.Kinds, ...]:
        return tuple({**each, **_ALWAYS} for each, _ in self.layouts)

    def write(self, about: Mapping[str, Any], members: npz.Members, path: str | Path) -> None:
        """Write a file, whole or not at all. Raises `FileError`."""
        text = {"kind": self.name, "version": FORMAT_VERSION, **about}
        data = np.frombuffer(json.dumps(text, sort_keys=True).encode(), np.uint8)
        every = {"metadata": data, **members}
        write_atomically(path, lambda file: npz.write(every, file))

    def is_in(self, path: str | Path) -> bool:
        """Whether a file that is there is of this kind, whole or damaged inside."""
        try:
            with zipfile.ZipFile(path) as archive:
                names = {name.removesuffix(".npy") for name in archive.namelist()}
        except (OSError, zipfile.BadZipFile):
            return False
        return any(names == set(each) for each in self._arrays)

    def read(self, path: str | Path, made: Callable[[dict[str, Any], npz.Members], Any]) -> Any:
        """What a function makes of a file's text and arrays.

        Raises
        ------
        FileError
            If the file cannot be read.
        SenseError
            If it is of another kind, is damaged, or was written by a later version.
        """
        name = f'"{path}"'
        try:
            with Path(path).open("rb") as file:
                members = npz.read(file, name, self._arrays)
            npz.check_hash(members, name)
        except OSError as error:
            raise FileError(f"cannot read {name}: {reason(error)}") from None
        except ProgramError:
            raise SenseError(f"{name} {self.lacks}, or is damaged; {self.expected}") from None
        about = self._about(members, name)
        try:
            return made(about, members)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise SenseError(f"{name} is damaged ({error}); {self.expected}") from None
        except SenseError as error:
            raise SenseError(f"{name}: {error.message}") from None

    def _about(self, members: npz.Members, name: str) -> dict[str, Any]:
        try:
            found = parse_json(members["metadata"].tobytes())
        except ValueError:
            found = None
        if not isinstance(found, dict) or found.get("kind") != self.name:
            raise SenseError(f"{name} {self.lacks}; {self.expected}")
        if found.get("version") != FORMAT_VERSION:
            raise SenseError(
                f"{name} has version {found.get('version')}; expected {FORMAT_VERSION}, or a later"
                " vsafsm"
            )
        there = members.keys() - _ALWAYS.keys()
        keys = next(keys for layout, keys in self.layouts if layout.keys() == there)
        if found.keys() != {"kind", "version", *keys}:
            raise SenseError(f"{name} has other entries; {self.expected}")
        return found


def typed(value: Any, kind: type) -> Any:
    """A value of exactly this type. Raises `TypeError`."""
    if type(value) is not kind:
        raise TypeError(f"{value!r} in place of {kind.__name__}")
    return value


def bits(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Zeros and ones as booleans. Raises `SenseError` for other numbers."""
    if array.max(initial=0) > 1:
        raise SenseError("bits hold more than 0 and 1")
    return array.astype(np.bool_)
