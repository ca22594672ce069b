"""What a token consents to: maps, and a number of cells that may be written again once their tile
has been.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from vsafsm_memristor.rig.errors import RefusedError
from vsafsm_memristor.rig.protocol import UNTOUCHED, Floats, TargetMaps


def check_corrections(corrections: Any) -> int:
    """A number of cells that may be written again. Raises `RefusedError`."""
    if not isinstance(corrections, Integral) or isinstance(corrections, bool) or corrections < 0:
        raise RefusedError(
            f"corrections is {corrections!r}; expected a whole number of cells, 0 or more"
        )
    return int(corrections)


class Consent:
    """Maps that may be written, and how many cells of them may still be written again to other
    conductances.

    Parameters
    ----------
    maps
        The maps; they are copied, so that what happens to them later consents to nothing.
    corrections
        Cells that may be written again. A cell that is written again twice counts twice.
    """

    def __init__(self, maps: TargetMaps, corrections: int) -> None:
        self._maps = tuple(np.array(g, np.float64) for g in maps.siemens)
        self._held: set[int] = set()
        self._left = corrections
        self.corrections, self.v_read_v = corrections, float(maps.v_read_v)

    @property
    def left(self) -> int:
        """Cells that may still be written again."""
        return self._left

    def check(self, tile: int, g: Floats) -> int:
        """Hold conductances for a tile against it: -> how many cells they write again; 0 for the
        maps themselves.

        Raises
        ------
        RefusedError
            If they are not the maps', and no correction of them.
        RefusedError
            If they write more cells again than may be.
        """
        if tile < len(self._maps) and np.array_equal(self._maps[tile], g):
            return 0
        if not self.corrections:
            raise RefusedError(
                f"the conductances for tile {tile} are not those that the rig was armed for;"
                " expected those of the maps in the dry run, or another `plan` and `arm`"
            )
        return self._check_correction(tile, g)

    def spend(self, cells: int) -> None:
        """So many cells are about to be written again."""
        self._left -= cells

    def hold(self, *tiles: int) -> None:
        """These tiles hold the maps now."""
        self._held.update(tiles)

    def _check_correction(self, tile: int, g: Floats) -> int:
        if tile not in self._held:
            raise RefusedError(
                f"tile {tile} is to be corrected, and its maps were not written; expected the"
                " conductances that the rig was armed for first"
            )
        touched = g != UNTOUCHED
        if (wrong := touched & (self._maps[tile] == UNTOUCHED)).any():
            row, column = np.argwhere(wrong)[0]
            raise RefusedError(
                f"row {row}, column {column} of tile {tile} is to be corrected and is no cell of"
                " the maps that the rig was armed for; expected cells of the maps"
            )
        cells = int(touched.sum())
        if cells > self._left:
            raise RefusedError(
                f"{cells} cells of tile {tile} are to be written again; expected at most"
                f" {self._left}, what is left of {self.corrections} that the rig was armed for"
            )
        return cells
