"""Tiles as files: one per tile, of one format, in a folder without those of another map."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import FileError
from vsafsm.files import write_atomically

_OF_A_MAP = re.compile(r"(?:layer_[0-9]{3,}_)?(?:tile|usable)_[0-9]{3,}\.(?:csv|npy)")


def made(folder: Path) -> Path:
    """The folder, made where it is not there. Raises `FileError` where that cannot be."""
    if not folder.parent.is_dir():
        raise FileError(f'cannot write into "{folder}": the folder {folder.parent} is not there')
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise FileError(f'cannot write into "{folder}": {error.strerror}') from None
    return folder


def check_folder(folder: Path, written: Collection[str]) -> None:
    """Raise `FileError` for a folder in which tiles or masks of another map would lie beside
    these.
    """
    for path in sorted(folder.glob("*")):
        if _OF_A_MAP.fullmatch(path.name) and path.name not in written:
            raise FileError(
                f'"{path}" is of another map and would stay; expected an empty folder, or one of'
                " this map"
            )


def write_tile(path: Path, cells: NDArray[Any], form: str = "%.4f") -> None:
    """Write a tile (rows, columns) as what its suffix says: .csv, or .npy.

    Parameters
    ----------
    form
        Of a number in a .csv.
    """
    write_atomically(path, _AS[path.suffix](cells, form))


def _as_csv(cells: NDArray[Any], form: str) -> bytes:
    buffer = io.StringIO()
    np.savetxt(buffer, cells, fmt=form, delimiter=",")
    return buffer.getvalue().encode()


def _as_npy(cells: NDArray[Any], form: str) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, cells, allow_pickle=False)
    return buffer.getvalue()


_AS: dict[str, Callable[[NDArray[Any], str], bytes]] = {".csv": _as_csv, ".npy": _as_npy}
