"""A programmed array: what its cells became, and what a read of it gives.

Cells are programmed once, relax, and are read each step. Faults stay with the array. Every draw
comes from a generator that is passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from vsafsm.vsa import Bits
from vsafsm_memristor.crossbar.mapping import Scale, TileLayout
from vsafsm_memristor.device.devices import Conductances, DeviceModel
from vsafsm_memristor.device.lines import effective
from vsafsm_memristor.errors import MappingError

Drive = NDArray[np.float32]


class Pair(NamedTuple):
    """Conductances (N, N) of the positive and of the negative cells, in microsiemens, ``[post,
    pre]``.
    """

    positive: Conductances
    negative: Conductances

    def map(self, change: Callable[[Conductances], Conductances]) -> Pair:
        """The same change to both."""
        return Pair(change(self.positive), change(self.negative))


class Places(NamedTuple):
    """Cells by polarity (0 positive, 1 negative), postsynaptic and presynaptic neuron: (M,)
    each.
    """

    polarity: NDArray[np.intp]
    post: NDArray[np.intp]
    pre: NDArray[np.intp]


class Crossbar(Protocol):
    """What computes the recurrent product: simulated tiles, another simulator's, or hardware."""

    def drive(self, activity: Bits, rng: np.random.Generator) -> Drive:
        """Recurrent drive (B, N), in LSBs, of activities (B, N)."""


@dataclass(frozen=True)
class StuckCells:
    """Cells that cannot be programmed, (2, N, N) each: those without conductance, those at the
    largest.
    """

    off: Bits
    on: Bits

    def apply(self, pair: Pair, g_max_us: float) -> Pair:
        """What is there in spite of programming."""
        stuck = [
            np.where(on, g_max_us, np.where(off, 0, g))
            for g, off, on in zip(pair, self.off, self.on, strict=True)
        ]
        return Pair(*(g.astype(np.float32) for g in stuck))

    @property
    def any(self) -> Bits:
        """Cells of either kind, (2, N, N)."""
        return self.off | self.on


def draw_faults(
    neurons: int, stuck_off: float, stuck_on: float, rng: np.random.Generator
) -> StuckCells:
    """Independent faults in every cell."""
    return StuckCells(*split(rng.random((2, neurons, neurons), np.float32), stuck_off, stuck_on))


def split(chance: NDArray[Any], stuck_off: float, stuck_on: float) -> tuple[Bits, Bits]:
    """Cells that are stuck off and on, by a number from 0 to 1 for each."""
    return chance < stuck_off, (chance >= stuck_off) & (chance < stuck_off + stuck_on)


def compensate_stuck_cells(
    faults: StuckCells, target: Pair, g_min_us: float, g_max_us: float
) -> Pair:
    """Targets under which a cell that works makes up for its stuck partner, as far as its range
    goes.
    """
    wanted = target.positive - target.negative
    there = faults.apply(target, g_max_us)
    negative = np.where(faults.any[0], there.positive - wanted, target.negative)
    positive = np.where(faults.any[1], there.negative + wanted, target.positive)
    return Pair(*(np.clip(g, g_min_us, g_max_us).astype(np.float32) for g in (positive, negative)))


@dataclass(frozen=True)
class Converter:
    """An analog-to-digital converter a column of each tile.

    Attributes
    ----------
    bits
        0 for an ideal one.
    full_scale
        Largest magnitude that it resolves, in LSBs.
    """

    bits: int
    full_scale: float

    def convert(self, values: Drive) -> Drive:
        """Rounded to the nearest level, and clipped."""
        if not self.bits:
            return values
        steps = 2 ** (self.bits - 1) - 1
        lsb = self.full_scale / steps
        return np.asarray(np.clip(np.rint(values / lsb), -steps, steps) * lsb, np.float32)


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
        What they are of, where they lie, what a weight step is.
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
        """Not told: which cells are stuck is known to the simulation alone."""
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


def full_scale_for(weights: NDArray[Any], codes: Bits, rows: int) -> float:
    """Largest magnitude of what a tile's column adds to the drive under a code, in LSBs."""
    largest = 1.0
    for i in range(0, weights.shape[1], rows):
        part = codes[:, i : i + rows].astype(np.float32) @ weights[:, i : i + rows].T.astype(
            np.float32
        )
        largest = max(largest, float(np.abs(part).max()))
    return largest


def ir_drop(rows: int, columns: int, mean_g_us: float, segment_ohm: float) -> float:
    """Share of its conductance that a read sees of the cell in a tile's far corner: an estimate.

    The product of what two uniform loaded lines leave at their far ends, the cell's word line and
    its bit line. It is within 0.02 of `vsafsm_memristor.device.lines.effective` on a uniform tile while
    0.7 and more are left, and too low beyond.
    """
    per_cell = math.sqrt(segment_ohm * mean_g_us * 1e-6)
    return _far_end(rows * per_cell) * _far_end(columns * per_cell)


def _far_end(length: float) -> float:
    """``1 / cosh(length)``, of any length."""
    return 2 * math.exp(-length) / (1 + math.exp(-2 * length))
