"""Which cells of an array work, from files of a lab: one per tile, 1 for a cell that works, 0 for
one that does not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm import npy
from vsafsm.errors import FileError
from vsafsm.files import reason
from vsafsm_memristor.crossbar.mapping import TileLayout
from vsafsm_memristor.errors import DeviceError

SUFFIXES = (".csv", ".npy")


def read_usable(folder: Path, layout: TileLayout) -> tuple[NDArray[np.bool_], ...]:
    """``usable_000.csv`` or ``usable_000.npy`` and so on, one for each tile: (rows, columns) each.

    Raises
    ------
    FileError
        If one is not there or cannot be read.
    DeviceError
        If one has another shape than a tile, or holds anything but 0 and 1.
    """
    down, across = layout.grid
    return tuple(_checked(*_found(folder, number), layout) for number in range(down * across))


def _found(folder: Path, number: int) -> tuple[Path, Any]:
    paths = [folder / f"usable_{number:03}{suffix}" for suffix in SUFFIXES]
    there = [path for path in paths if path.is_file()]
    if not there:
        raise FileError(
            f'cannot read "{paths[0]}": it is not there; expected one file for each tile, .csv or'
            " .npy"
        )
    try:
        if there[0].suffix == ".npy":
            return there[0], npy.load(there[0])
        return there[0], np.loadtxt(there[0], delimiter=",", ndmin=2)
    except OSError as error:
        raise FileError(f'cannot read "{there[0]}": {reason(error)}') from None
    except ValueError as error:
        raise DeviceError(
            f"{there[0]}: {str(error).splitlines()[0]}; expected rows of 0 and 1"
        ) from None


def _checked(path: Path, cells: Any, layout: TileLayout) -> NDArray[np.bool_]:
    shape = (layout.rows, layout.columns)
    if cells.shape != shape:
        raise DeviceError(
            f"{path}: {cells.shape} cells; expected {shape}, rows and columns of a tile"
        )
    if cells.dtype.kind not in "biuf" or not np.isin(cells, (0, 1)).all():
        raise DeviceError(
            f"{path}: values other than 0 and 1; expected 1 for a cell that works, 0 for one that"
            " does not"
        )
    return np.asarray(cells, np.bool_)
