"""Arrays of other programs: ``.npy`` as NumPy reads it, with the size checked against the file's
before memory is taken.
"""

from __future__ import annotations

import math
import os
import tokenize
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 2**31
"""Most memory of one array, with 8 bytes or more for each element."""
_NPY: Any = np.lib.format
_OF_PARSING = (
    EOFError,
    KeyError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    tokenize.TokenError,
)
"""What NumPy raises for a damaged header besides `ValueError`: it is parsed as Python's."""
_HEADERS = {(1, 0): _NPY.read_array_header_1_0, (2, 0): _NPY.read_array_header_2_0}


def load(path: Path) -> NDArray[Any]:
    """The array of a file. Raises `OSError`, and `ValueError` as `read` does."""
    with path.open("rb") as file:
        return read(file, os.fstat(file.fileno()).st_size)


def read(file: IO[bytes], size: int) -> NDArray[Any]:
    """The array of an open file.

    Parameters
    ----------
    size
        Bytes of the file.

    Raises
    ------
    ValueError
        If it is no array, is empty, holds objects, has more elements than the file has bytes for,
        or takes more than `MOST_BYTES`.
    """
    shape, kind = _header(file)
    count = math.prod(shape)
    if not count:
        raise ValueError(f"shape {shape} has no elements")
    if count * max(kind.itemsize, 1) > size - file.tell():
        raise ValueError(f"{size} bytes for shape {shape} of {kind}")
    if count * max(kind.itemsize, 8) > MOST_BYTES:
        raise ValueError(f"shape {shape} of {kind} is more than {MOST_BYTES >> 20} MiB")
    file.seek(0)
    try:
        array: NDArray[Any] = _NPY.read_array(file, allow_pickle=False)
    except EOFError:
        raise ValueError("it is cut off") from None
    return array


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    try:
        version = _NPY.read_magic(file)
        shape, _, kind = _HEADERS[version](file)
    except _OF_PARSING:
        raise ValueError("the header is none of an array") from None
    if any(type(length) is not int or length < 0 for length in shape):
        raise ValueError(f"the shape is {shape}")
    return shape, kind
