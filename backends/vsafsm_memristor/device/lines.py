"""Lines with resistance: what a tile's cells conduct from its drivers to its outputs.

A word line is driven at its first column, and a bit line is held at 0 V, and read, after its last
row. A segment of line lies between neighbouring cells, before the first cell of a word line, and
after the last cell of a bit line. Everything is linear, so that the currents of the outputs are
``effective.T @ volts``, with rows that are not driven at 0 V.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CHUNK_BYTES = 1 << 24
"""Of the inverses that are held at a time."""


def effective(cells_us: NDArray[Any], segment_ohm: float) -> Floats:
    """Effective conductances of a tile, by Kirchhoff's laws, exact up to rounding.

    Columns are eliminated one after the other, from the far end of the word lines on: what lies
    beyond a column is an admittance between the word lines, a matrix of rows by rows. Time grows as
    the cube of the shorter side, times the longer one.

    Parameters
    ----------
    cells_us : (R, C)
        Conductances of the cells, microsiemens; 0 for no cell.
    segment_ohm
        Resistance of a line from cell to cell.

    Returns
    -------
    (R, C), microsiemens
        Current of each column's output for a volt on each row. A row and a column without a cell
        between them may have a little, by way of others.
    """
    cells = np.asarray(cells_us, np.float64)
    if segment_ohm == 0:
        return cells.copy()
    found = np.zeros_like(cells)
    rows, columns = (np.flatnonzero(cells.any(axis)) for axis in (1, 0))
    before = np.diff(columns, prepend=-1).astype(np.float64)
    after = np.diff(rows, append=len(cells)).astype(np.float64)
    share = cells[np.ix_(rows, columns)] * (segment_ohm * 1e-6)
    if len(rows) <= len(columns):
        left = _transfer(share, before, after)
    else:  # by reciprocity: the tile whose outputs are driven and whose drivers are read
        left = _transfer(share[::-1, ::-1].T, after[::-1], before[::-1])[::-1, ::-1].T
    found[np.ix_(rows, columns)] = left / (segment_ohm * 1e-6)
    return found


def _transfer(cells: Floats, before: Floats, after: Floats) -> Floats:
    """Transfer conductances (R, C) of cells (R, C), both in units of a segment's conductance.

    With D the cells of a column and T the conductances of its bit line, the column takes the
    currents ``(D - D T^-1 D) w`` of word line voltages w, and puts out ``w D T^-1``'s last row over
    the last segments. Where X is the admittance from a column on, n segments from the column
    before, the voltages there are ``(1 + n X) w``, and the admittance that they see is ``(1 + n
    X)^-1 X``.

    Parameters
    ----------
    before : (C,)
        Segments of a word line before each column.
    after : (R,)
        Segments of a bit line after each row.
    """
    size = len(cells)
    found = np.zeros_like(cells)
    admittance, one = np.zeros((size, size)), np.eye(size)
    for c, inverse in _bit_lines(cells, after):
        own = cells[:, c]
        here = admittance + np.diag(own) - own[:, None] * inverse * own
        found[:, c] = own * inverse[-1] / after[-1]
        admittance = np.linalg.solve(one + before[c] * here, here)
        found[:, c:] -= before[c] * (admittance @ found[:, c:])
    return found


def _bit_lines(cells: Floats, after: Floats) -> Iterator[tuple[int, Floats]]:
    """The inverse (R, R) of each bit line's conductances, word lines at 0 V; columns from the last
    on.
    """
    size, columns = cells.shape
    chunk = max(1, CHUNK_BYTES // (8 * max(1, size) ** 2))
    for stop in range(columns, 0, -chunk):
        start = max(0, stop - chunk)
        inverses = _inverses(cells[:, start:stop].T, 1 / after)
        yield from ((c, inverses[c - start]) for c in range(stop - 1, start - 1, -1))


def _inverses(cells: Floats, joined: Floats) -> Floats:
    """Inverses (K, R, R) of K tridiagonal matrices: bit lines with `cells` (K, R) and segments
    `joined` (R,).
    """
    columns, size = cells.shape
    pivot = cells + joined
    pivot[:, 1:] += joined[:-1]
    found = np.zeros((columns, size, size))
    found[:, range(size), range(size)] = 1
    for r in range(1, size):
        factor = joined[r - 1] / pivot[:, r - 1]
        pivot[:, r] -= factor * joined[r - 1]
        found[:, r] += factor[:, None] * found[:, r - 1]
    found[:, -1] /= pivot[:, -1, None]
    for r in range(size - 2, -1, -1):
        found[:, r] = (found[:, r] + joined[r] * found[:, r + 1]) / pivot[:, r, None]
    return found


def ir_drop(rows: int, columns: int, mean_g_us: float, segment_ohm: float) -> float:
    """Share of its conductance that a read sees of the cell in a tile's far corner: an estimate.

    The product of what two uniform loaded lines leave at their far ends, the cell's word line and
    its bit line. It is within 0.02 of `effective` on a uniform tile while
    0.7 and more are left, and too low beyond.
    """
    per_cell = math.sqrt(segment_ohm * mean_g_us * 1e-6)
    return _far_end(rows * per_cell) * _far_end(columns * per_cell)


def _far_end(length: float) -> float:
    """``1 / cosh(length)``, of any length."""
    return 2 * math.exp(-length) / (1 + math.exp(-2 * length))
