"""The largest currents that lines could carry, with what is known of the cells: before anything is
sent.
"""

from __future__ import annotations

import numpy as np

from vsafsm_memristor.rig.errors import RefusedError
from vsafsm_memristor.rig.protocol import UNTOUCHED, Floats, Limits, ProgramReply, TargetMaps


class WorstCase:
    """The largest conductance that each cell may have.

    Parameters
    ----------
    shape
        Tiles, rows and columns.
    g_max_s
        The rig's largest conductance, in siemens: any cell may have it until it is written.
    limits
        The limits in force.
    """

    def __init__(self, shape: tuple[int, ...], g_max_s: float, limits: Limits) -> None:
        self._g_max_s, self._limits = g_max_s, limits
        self._g = np.full(shape, g_max_s)
        self._rows = self._g.sum(axis=2)

    def check_read(self, tile: int, v: Floats) -> None:
        """Raise `RefusedError` where a read with these volts, one per row, could be too much."""
        check_line_currents(self._limits, tile, v, self._g[tile], self._rows[tile])

    def check_maps(self, tile: int, g: Floats, v_read_v: float) -> None:
        """Raise `RefusedError` where one active row is too much, once these are written."""
        self._check_rows(tile, self._fresh(g), v_read_v)

    def check_corrected(self, tile: int, g: Floats, v_read_v: float) -> None:
        """Raise `RefusedError` where one active row is too much, once these are corrected."""
        self._check_rows(tile, self._corrected(tile, g), v_read_v)

    def all_rows_a(self, g: Floats, v_read_v: float, corrections: int) -> float:
        """Amperes of a line with every row active, with the corrections where they add most."""
        worst = self._fresh(g)
        more = np.where(g == UNTOUCHED, 0.0, self._limits.g_max_s - g)
        lines = [worst.sum(axis=a) + most_of(more, a, corrections) for a in (0, 1)]
        return float(v_read_v * max(line.max() for line in lines))

    def learn_maps(self, maps: TargetMaps, corrections: int) -> None:
        """The tiles hold these maps, any cell of which may have been corrected."""
        for tile, g in enumerate(maps.siemens):
            self._set(tile, self._fresh(np.zeros_like(g) if corrections else np.asarray(g)))

    def learn_reached(self, tile: int, g: Floats, reply: ProgramReply, corrected: bool) -> None:
        """These were asked for, and that came of it."""
        worst = self._corrected(tile, g) if corrected else self._fresh(g)
        self._set(tile, np.maximum(worst, np.where(g == UNTOUCHED, 0.0, reply.g_siemens)))

    def forget(self, tile: int, g: Floats) -> None:
        """A write of these was cut off: each of their cells may be anything."""
        self._set(tile, np.where(g == UNTOUCHED, self._g[tile], self._g_max_s))

    def _fresh(self, g: Floats) -> Floats:
        """Once these are written; an untouched cell has any conductance."""
        return np.where(g == UNTOUCHED, self._g_max_s, g)

    def _corrected(self, tile: int, g: Floats) -> Floats:
        """Once these are; an untouched cell has what it had."""
        return np.where(g == UNTOUCHED, self._g[tile], g)

    def _check_rows(self, tile: int, worst: Floats, v_read_v: float) -> None:
        """One active row: if that is too much, so is every read."""
        of_rows = worst.sum(axis=1)
        one = np.where(np.arange(len(worst)) == np.argmax(of_rows), v_read_v, 0.0)
        check_line_currents(self._limits, tile, one, worst, of_rows)

    def _set(self, tile: int, worst: Floats) -> None:
        self._g[tile], self._rows[tile] = worst, worst.sum(axis=1)


def check_line_currents(
    limits: Limits, tile: int, v: Floats, g_worst: Floats, g_rows: Floats
) -> None:
    """Hold |v| G of every column and row against the limit.

    Parameters
    ----------
    v
        Volts, one per row.
    g_worst, g_rows
        The largest conductance that each cell may have, in siemens, and its sum over each row.

    Raises
    ------
    RefusedError
        If a line could carry more; the message names it. Currents of opposite signs are not taken
        off each other.
    """
    size = np.abs(v)
    for kind, amperes in (("column", size @ g_worst), ("row", size * g_rows)):
        line = int(np.argmax(amperes))
        if amperes[line] > limits.i_line_max_a:
            raise RefusedError(
                f"{kind} {line} of tile {tile} could carry {amperes[line]:.4g} A; expected at most"
                f" {limits.i_line_max_a:g} A: fewer rows at once, a lower voltage, or lower"
                " conductances"
            )


def most_of(array: Floats, axis: int, count: int) -> Floats:
    """The sum of so many of the largest numbers along an axis, where an array (R, C) has none below
    0.
    """
    ascending = np.sort(array, axis=axis)
    largest = np.flip(ascending, axis).take(range(min(count, array.shape[axis])), axis)
    return np.asarray(largest.sum(axis=axis))
