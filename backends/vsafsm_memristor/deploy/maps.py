"""A program as targets for the tiles of a rig, and currents of a rig as the drive of a program."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.program import Program
from vsafsm_memristor.crossbar.array import check_folded
from vsafsm_memristor.crossbar.cells import Pair
from vsafsm_memristor.crossbar.mapping import Scale, TileLayout, scale_for
from vsafsm_memristor.crossbar.parameters import settings
from vsafsm_memristor.crossbar.placement import avoid_cells
from vsafsm_memristor.crossbar.protocol import Drive
from vsafsm_memristor.device.lognormal import LognormalDevice
from vsafsm_memristor.errors import MappingError
from vsafsm_memristor.rig.protocol import Floats, Identity

SIEMENS_PER_US = 1e-6
DEFAULT_READ_V = 0.1
"""Voltage of an active row, where the rig allows as much; less keeps cells from changing."""


@dataclass(frozen=True)
class RigMaps:
    """What a rig has to hold for a program.

    Attributes
    ----------
    siemens
        One array per tile of the rig, (rows, columns); 0 where a cell is not used.
    content_hash
        Of the program and all targets.
    v_read_v
        Voltage of an active row in a read.
    layout, scale
        Where weights lie, and what an LSB of a weight is.
    """

    siemens: tuple[Floats, ...]
    content_hash: str
    v_read_v: float
    layout: TileLayout
    scale: Scale

    def voltages(self, activity: NDArray[np.bool_]) -> list[tuple[int, Floats]]:
        """Voltages of the rows of each tile that has an active one: (tile, (rows,)) for an activity
        (N,).
        """
        found: list[tuple[int, Floats]] = []
        for number, tile in enumerate(self.layout.tiles()):
            active = activity[tile.inputs]
            if active.any():
                volts = np.zeros(self.layout.rows)
                volts[self.layout.order_of(number)[0]] = np.where(active, self.v_read_v, 0.0)
                found.append((number, volts))
        return found

    def drive(self, currents: Sequence[tuple[int, Floats]]) -> Drive:
        """Recurrent drive (N,) in LSBs from the currents (columns,) of tiles, in
        amperes.
        """
        total = np.zeros(self.layout.neurons)
        tiles = list(self.layout.tiles())
        for number, amperes in currents:
            up, down = self.layout.columns_of(number)
            total[tiles[number].outputs] += amperes[up] - amperes[down]
        return np.asarray(
            total / (self.v_read_v * self.scale.us_per_lsb * SIEMENS_PER_US), np.float32
        )


def maps_of(program: Program, identity: Identity, **options: object) -> RigMaps:
    """Targets for the tiles of a rig.

    Cells that cannot be used are left alone: neurons are brought into an order of rows and columns
    that loses least by them, and partners that work make up for them as far as they can.

    Parameters
    ----------
    **options
        Options of the backend. Of them only ``scheme`` matters: range and tiles are the rig's.

    Raises
    ------
    MappingError
        If the program does not fit on the rig's tiles, or has its inhibition apart.
    OptionError
        If an option is unknown, or wrong.
    """
    limits, network = identity.limits, program.network
    scheme = settings(options).layout(1).scheme
    layout = TileLayout(network.neurons, limits.rows, limits.columns, scheme)
    needed = layout.grid[0] * layout.grid[1]
    if needed > limits.tiles:
        raise MappingError(
            f"the program takes {needed} tiles of {limits.rows} x {limits.columns} cells, and the"
            f" rig has {limits.tiles}: {needed - limits.tiles} too few; expected a smaller program,"
            " or a larger rig"
        )
    check_folded(network)
    g_min, g_max = limits.g_min_s / SIEMENS_PER_US, limits.g_max_s / SIEMENS_PER_US
    scale = scale_for(
        LognormalDevice("rig", "the rig's own range", g_min, g_max), network.weights, scheme
    )
    target = Pair(*scale.pairs(network.weights, scheme))
    usable = identity.usable[:needed]
    if scheme == "differential" and not usable.all():
        layout, target = avoid_cells(layout, target, list(usable), g_min, g_max)
    siemens = [within(cells, limits.g_min_s, limits.g_max_s) for cells in layout.spread(*target)]
    siemens += [np.zeros((limits.rows, limits.columns)) for _ in range(limits.tiles - needed)]
    for cells, works in zip(siemens, identity.usable, strict=True):
        cells[~works] = 0.0
    digest = hashlib.sha256(program.content_hash.encode())
    for cells in siemens:
        digest.update(np.ascontiguousarray(cells, "<f8").tobytes())
    return RigMaps(
        tuple(siemens), digest.hexdigest(), min(DEFAULT_READ_V, limits.v_read_max_v), layout, scale
    )


def within(cells_us: Drive, g_min_s: float, g_max_s: float) -> Floats:
    """In siemens; what is used lies in the rig's range, whatever the rounding; cells of 0 uS are
    left alone.
    """
    siemens = cells_us.astype(np.float64) * SIEMENS_PER_US
    return np.where(cells_us > 0, np.clip(siemens, g_min_s, g_max_s), 0.0)
