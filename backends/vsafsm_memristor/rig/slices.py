"""A write in parts, so that the owner of a rig gives a sign of life in between; and which cells of
it were verified.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from vsafsm_memristor.rig.errors import RefusedError
from vsafsm_memristor.rig.protocol import UNTOUCHED, Bools, Floats, Identity, Limits, ProgramReply

SHARE = 1 / 3
"""A part takes at most this share of the watchdog's time, in the worst case."""


def cells_of_a_slice(identity: Identity, limits: Limits) -> int | None:
    """Most cells that may be written at once; None where nothing bounds them.

    Raises
    ------
    RefusedError
        If even one cell may take longer.
    """
    if identity.watchdog_s is None or not identity.pulse_s:
        return None
    cell_s, most_s = identity.pulse_s * limits.pulses_per_cell, SHARE * identity.watchdog_s
    cells = math.floor(most_s / cell_s)
    if cells < 1:
        raise RefusedError(
            f"a cell may take {cell_s:.3g} s ({limits.pulses_per_cell} pulses of"
            f" {identity.pulse_s:.3g} s); expected at most {most_s:.3g} s, a third of the"
            " watchdog's time: fewer pulses_per_cell"
        )
    return cells


def slices(g_siemens: Floats, cells: int | None) -> Iterator[Floats]:
    """A tile as conductances with no more than so many touched cells each, row by row."""
    touched = np.flatnonzero(g_siemens != UNTOUCHED)
    size = max(touched.size, 1) if cells is None else cells
    for start in range(0, max(touched.size, 1), size):
        part = np.full(g_siemens.size, UNTOUCHED)
        these = touched[start : start + size]
        part[these] = g_siemens.flat[these]
        yield part.reshape(g_siemens.shape)


def joined(parts: list[tuple[Floats, ProgramReply]]) -> ProgramReply:
    """One reply of those to slices: of each cell what its own slice said."""
    _, last = parts[-1]
    g, ok, pulses = last.g_siemens.copy(), last.ok.copy(), last.pulses.copy()
    for asked, reply in parts[:-1]:
        touched = asked != UNTOUCHED
        g[touched], ok[touched] = reply.g_siemens[touched], reply.ok[touched]
        pulses += reply.pulses
    return ProgramReply(g, ok, pulses, last.sent)


def runs_of(cells: Bools) -> list[list[int]]:
    """Cells as runs ``[row, first column, last column]``."""
    runs = []
    for row in np.flatnonzero(cells.any(axis=1)):
        columns = np.flatnonzero(cells[row])
        for run in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
            runs.append([int(row), int(run[0]), int(run[-1])])
    return runs


def described(cells: Bools) -> str:
    """Cells of a tile for a reader; the first few of many."""
    runs = runs_of(cells)
    few = [f"row {r} columns {a} to {b}" if b > a else f"row {r} column {a}" for r, a, b in runs]
    more = f", and {len(few) - 8} runs more" if len(few) > 8 else ""
    return ", ".join(few[:8]) + more
