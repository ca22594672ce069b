"""An array in simulation: what its cells became, and what a read of it gives.

Cells are programmed once, relax, and are read each step. Stuck cells stay with the array. Every
draw comes from a generator that is passed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from vsafsm.vsa import Bits
from vsafsm_memristor.crossbar.cells import Pair, Places
from vsafsm_memristor.crossbar.converter import Converter
from vsafsm_memristor.crossbar.mapping import Scale, TileLayout
from vsafsm_memristor.crossbar.protocol import Drive
from vsafsm_memristor.crossbar.stuck_cells import (
    StuckCells,
)
from vsafsm_memristor.device.lines import effective
from vsafsm_memristor.device.model import Conductances, DeviceModel
from vsafsm_memristor.errors import MappingError


@dataclass(frozen=True)
class SimulatedCrossbar:
    """Tiles of simulated cells.

    The read noise of the cells of a column is drawn as one normal number, of the variance that they
    have together. The difference of a pair is formed before the converter. On lines with resistance
    a cell's noise falls as its conductance does: an approximation, since its noise reaches other
    columns too.

    Attributes
    ----------
    cells
        Conductances as they are now.
    device, layout, scale
        What they are of, where they lie, what an LSB of a weight is.
    seconds
        Since programming: what read noise depends on.
    converter
        Of each tile's columns.
    noisy
        Whether reads have noise.
    segment_ohm
        Resistance of the lines from cell to cell, for reads; 0 for lines on which no voltage falls.
    """

    cells: Pair
    device: DeviceModel
    layout: TileLayout
    scale: Scale
    seconds: float
    converter: Converter
    noisy: bool = True
    segment_ohm: float = 0.0

    @property
    def failed(self) -> None:
        """Unknown: which cells are stuck is known to the simulation alone."""
        return None

    @cached_property
    def _blocks(self) -> list[slice]:
        rows, neurons = self.layout.rows, self.layout.neurons
        if not self.converter.bits:
            rows = neurons
        return [slice(i, min(i + rows, neurons)) for i in range(0, neurons, rows)]

    @cached_property
    def seen(self) -> Pair:
        """Conductances that reads see: those of the cells, less what the lines of their tiles
        take.
        """
        if self.segment_ohm == 0:
            return self.cells
        tiles = (effective(tile, self.segment_ohm) for tile in self.layout.spread(*self.cells))
        return Pair(*self.layout.gather(tuple(tile.astype(np.float32) for tile in tiles)))

    @cached_property
    def _weights(self) -> Drive:
        """(pre, post), in LSBs."""
        return np.ascontiguousarray(
            (self.seen.positive - self.seen.negative).T / self.scale.us_per_lsb
        )

    @cached_property
    def _variance(self) -> Pair:
        """Of a read of each cell, (pre, post), in squares of LSBs: of what each output has
        of its own, and (in the offset scheme) of the references, (pre, tiles across).
        """
        own, other = (
            np.asarray(
                (
                    _left(g, seen)
                    * self.device.read_sigma_us(g, self.seconds)
                    / self.scale.us_per_lsb
                )
                ** 2
            )
            for g, seen in zip(self.cells, self.seen, strict=True)
        )
        if self.layout.scheme == "differential":
            return Pair(np.ascontiguousarray((own + other).T), other[:0].T)
        return Pair(
            np.ascontiguousarray(own.T),
            np.ascontiguousarray(other[:: self.layout.outputs_per_tile].T),
        )

    def _noise(self, rows: Drive, block: slice, rng: np.random.Generator) -> Drive:
        """Of a read (B, N); outputs of a tile that share a reference share its noise."""
        own, shared = (np.sqrt(rows[:, block] @ variance[block]) for variance in self._variance)
        noise = own * rng.standard_normal(own.shape, np.float32)
        if shared.shape[1]:
            of_tile = np.arange(noise.shape[1]) // self.layout.outputs_per_tile
            noise -= (shared * rng.standard_normal(shared.shape, np.float32))[:, of_tile]
        return np.asarray(noise)

    def drive(self, activity: Bits, rng: np.random.Generator) -> Drive:
        """As `Crossbar` says."""
        rows = np.asarray(activity, np.float32)
        total: Any = np.zeros(rows.shape, np.float32)
        for block in self._blocks:
            part = rows[:, block] @ self._weights[block]
            if self.noisy:
                part += self._noise(rows, block, rng)
            total += self.converter.convert(part)
        return np.asarray(total)

    def after(
        self, seconds: float, faults: StuckCells, rng: np.random.Generator
    ) -> SimulatedCrossbar:
        """The same array some seconds after it was programmed."""
        moved = self.cells.map(lambda g: self.device.relax(g, seconds, rng))
        cells = faults.apply(moved, self.device.g_max_us)
        return replace(self, cells=on_tiles(self.layout, cells), seconds=seconds)

    def rewrite(
        self, places: Places, target_us: Conductances, rng: np.random.Generator
    ) -> SimulatedCrossbar:
        """The array with some cells programmed again, (M,) targets, and as old as the others.

        Raises
        ------
        MappingError
            In the offset scheme, where weights share a reference.
        """
        if self.layout.scheme != "differential":
            raise MappingError(
                f'scheme is "{self.layout.scheme}", whose cells share references; expected'
                ' "differential"'
            )
        new = self.device.relax(self.device.program(target_us, rng), self.seconds, rng)
        cells = np.stack(self.cells)
        cells[places] = new
        return replace(self, cells=Pair(*cells))


def _left(cells: Conductances, seen: Conductances) -> Conductances:
    """Share of each conductance that reads see, 1 at most: what they see of a cell without any came
    by other ways.
    """
    return np.asarray(
        np.divide(np.minimum(seen, cells), cells, out=np.ones_like(cells), where=cells > 0)
    )


def on_tiles(layout: TileLayout, pair: Pair) -> Pair:
    """What cells of their own would be, on tiles: in the offset scheme a row of a tile has one
    reference for all.
    """
    return pair if layout.scheme == "differential" else Pair(*layout.gather(layout.spread(*pair)))
