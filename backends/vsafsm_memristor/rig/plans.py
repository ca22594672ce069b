"""What writing maps to a rig would do, once they are held against everything in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vsafsm_memristor.rig.checks import check_conductances
from vsafsm_memristor.rig.consent import check_corrections
from vsafsm_memristor.rig.currents import WorstCase
from vsafsm_memristor.rig.errors import RefusedError
from vsafsm_memristor.rig.protocol import UNTOUCHED, Floats, Identity, Limits, TargetMaps
from vsafsm_memristor.rig.slices import cells_of_a_slice
from vsafsm_memristor.rig.token import token_of


@dataclass(frozen=True)
class WritePlan:
    """What programming would do, and the token that arms it.

    Attributes
    ----------
    token
        To be passed to `GuardedRig.arm`.
    tiles, cells
        Tiles that are written, and cells in them.
    g_least_s, g_most_s
        Range of conductances asked for, in siemens; 0 where no cell is written.
    corrections
        Cells that may be written again after that, to other conductances; one that is twice counts
        twice.
    pulses_at_most
        Pulses over all cells in the worst case, corrections included.
    v_program_max_v, v_read_v
        Largest programming voltage, and the voltage of an active row in a read, in volts.
    line_current_a
        Largest current of a line with every row active at once, in amperes, wherever the
        corrections are. A read that would exceed the limit is refused when it is asked for.
    """

    token: str
    tiles: int
    cells: int
    corrections: int
    g_least_s: float
    g_most_s: float
    pulses_at_most: int
    v_program_max_v: float
    v_read_v: float
    line_current_a: float


def plan_of(
    maps: TargetMaps,
    corrections: int,
    own: Identity,
    identity: Identity,
    limits: Limits,
    worst: WorstCase,
    left: int,
) -> WritePlan:
    """The plan for maps.

    Parameters
    ----------
    own, identity
        The rig as it says it is, and with the limits in force (and the shape of the rig).
    limits
        The limits in force.
    worst
        What is known of its cells.
    left
        Pulses that are left of the budget.

    Raises
    ------
    RefusedError
        If something is wrong with them.
    """
    corrections = check_corrections(corrections)
    arrays = _checked(maps, own, identity, limits, worst)
    cells_of_a_slice(own, limits)
    cells = sum(int((g != UNTOUCHED).sum()) for g in arrays)
    written = np.concatenate([g[g != UNTOUCHED] for g in arrays]) if cells else np.zeros(1)
    return WritePlan(
        token=str(token_of(maps, own, limits, corrections)),
        tiles=len(arrays),
        cells=cells,
        corrections=corrections,
        g_least_s=float(written.min()),
        g_most_s=float(written.max()),
        pulses_at_most=check_budget(limits, left, arrays, corrections),
        v_program_max_v=limits.v_program_max_v,
        v_read_v=float(maps.v_read_v),
        line_current_a=max(worst.all_rows_a(g, maps.v_read_v, corrections) for g in arrays),
    )


def check_budget(limits: Limits, left: int, arrays: Sequence[Floats], corrections: int = 0) -> int:
    """-> pulses that writing these conductances, in siemens, and correcting so many cells may take.
    Raises `RefusedError` where fewer are left.
    """
    cells = sum(int((g != UNTOUCHED).sum()) for g in arrays) + corrections
    worst = cells * limits.pulses_per_cell
    if worst > left:
        raise RefusedError(
            f"{cells} cells may take {worst} pulses ({limits.pulses_per_cell} each);"
            f" expected at most {left}, what is left of a write budget of"
            f" {limits.write_budget} pulses"
        )
    return worst


def _checked(
    maps: TargetMaps, own: Identity, identity: Identity, limits: Limits, worst: WorstCase
) -> list[Floats]:
    tiles = own.limits.tiles
    if not 1 <= len(maps.siemens) <= tiles:
        raise RefusedError(
            f"the maps have {len(maps.siemens)} tiles; expected 1 to {tiles}, those of the rig"
        )
    if not 0 < maps.v_read_v <= limits.v_read_max_v:
        raise RefusedError(
            f"the maps are read at {maps.v_read_v:g} V; expected above 0 and at most"
            f" {limits.v_read_max_v:g} V"
        )
    arrays = [check_conductances(identity, limits, tile, g) for tile, g in enumerate(maps.siemens)]
    for tile, g in enumerate(arrays):
        worst.check_maps(tile, g, maps.v_read_v)
    return arrays
