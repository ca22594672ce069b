"""An array held by a rig: read tile by tile, and written again cell by cell, through the guard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from vsafsm.vsa import Bits
from vsafsm_memristor.crossbar.cells import Pair, Places
from vsafsm_memristor.crossbar.protocol import Drive
from vsafsm_memristor.deploy.maps import SIEMENS_PER_US, RigMaps, within
from vsafsm_memristor.device.model import Conductances
from vsafsm_memristor.rig.protocol import UNTOUCHED, Bools, Floats, Identity, ProgramReply


class Readable(Protocol):
    """What of a rig a read needs."""

    def read(self, tile: int, v_volts: Floats) -> Floats:
        """Currents of the columns of a tile, in amperes."""


class Writable(Readable, Protocol):
    """What of a rig a correction needs."""

    def program(self, tile: int, g_siemens: Floats) -> ProgramReply:
        """Bring the cells of a tile to these conductances, in siemens."""


@dataclass(frozen=True)
class RigCrossbar:
    """A `Crossbar` whose drive is read from a rig that holds maps: one read per tile that
    has an active row.
    """

    maps: RigMaps
    rig: Readable

    def drive(self, activity: Bits, rng: np.random.Generator) -> Drive:
        """As `Crossbar` says. The noise is the rig's, and nothing is
        drawn.
        """
        return np.stack([self._read(row) for row in activity])

    def _read(self, activity: Bits) -> Drive:
        return self.maps.drive(
            [(tile, self.rig.read(tile, volts)) for tile, volts in self.maps.voltages(activity)]
        )


@dataclass(frozen=True)
class RigArray:
    """A `Rewritable`: an array whose conductances are those that
    programming reported.

    Attributes
    ----------
    maps
        What was programmed.
    rig
        That holds it.
    siemens
        Conductances as they were last reported, an array (rows, columns) per tile of the layout.
    g_min_s, g_max_s
        Range of conductances that may be asked for, in siemens.
    off
        Cells that were not within tolerance when they were last programmed, an array (rows,
        columns) a tile.
    """

    maps: RigMaps
    rig: Writable
    siemens: tuple[Floats, ...]
    g_min_s: float
    g_max_s: float
    off: tuple[Bools, ...]

    def drive(self, activity: Bits, rng: np.random.Generator) -> Drive:
        """As `Crossbar` says."""
        return RigCrossbar(self.maps, self.rig).drive(activity, rng)

    @cached_property
    def cells(self) -> Pair:
        """Conductances as they were last reported, in microsiemens."""
        tiles = tuple((g / SIEMENS_PER_US).astype(np.float32) for g in self.siemens)
        return Pair(*self.maps.layout.gather(tiles))

    @cached_property
    def failed(self) -> Bits:
        """Cells (2, N, N) that programming could not bring to their targets."""
        return np.stack(self.maps.layout.gather(self.off))

    def rewrite(
        self, places: Places, target_us: Conductances, rng: np.random.Generator
    ) -> RigArray:
        """The array once cells are programmed to targets (M,), in microsiemens: one command
        per tile that has any.
        """
        targets = np.zeros((2, self.maps.layout.neurons, self.maps.layout.neurons), np.float32)
        targets[places] = target_us
        found, off = list(self.siemens), list(self.off)
        for tile, cells_us in enumerate(self.maps.layout.spread(*targets)):
            g = within(cells_us, self.g_min_s, self.g_max_s)
            touched = g != UNTOUCHED
            if touched.any():
                reply = self.rig.program(tile, g)
                found[tile] = np.where(touched, reply.g_siemens, found[tile])
                off[tile] = np.where(touched, ~reply.ok, off[tile])
        return replace(self, siemens=tuple(found), off=tuple(off))


def array_of(
    maps: RigMaps, rig: Writable, identity: Identity, replies: Mapping[int, ProgramReply]
) -> RigArray:
    """The array of a rig whose tiles were just programmed with maps, from its replies by tile."""
    shape = (maps.layout.rows, maps.layout.columns)
    tiles = range(len(tuple(maps.layout.tiles())))
    siemens = tuple(
        replies[tile].g_siemens if tile in replies else np.zeros(shape) for tile in tiles
    )
    off = tuple(
        ~replies[tile].ok if tile in replies else np.zeros(shape, np.bool_) for tile in tiles
    )
    return RigArray(maps, rig, siemens, identity.limits.g_min_s, identity.limits.g_max_s, off)


def bad_cells(maps: RigMaps, identity: Identity, replies: Mapping[int, ProgramReply]) -> Bools:
    """Cells (2, N, N) that cannot be used, or that programming could not bring to their targets."""
    tiles = range(len(tuple(maps.layout.tiles())))
    works = [
        identity.usable[tile] & (replies[tile].ok if tile in replies else True) for tile in tiles
    ]
    return np.asarray(~np.stack(maps.layout.gather(works)))
