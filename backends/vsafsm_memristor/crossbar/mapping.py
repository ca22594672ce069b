"""Where each weight lies: tiles of an array, pairs of cells or a reference column, and the way
back.

A tile has rows, driven by presynaptic neurons, and columns, whose currents are read. In the
`differential` scheme a weight is two cells in one row, in columns 2 c and 2 c + 1: positive,
negative. In the `offset` scheme it is one cell, and the last column of each tile holds the
conductance of a weight of 0, to be subtracted from all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import OptionError
from vsafsm_memristor.device.model import Conductances, DeviceModel
from vsafsm_memristor.errors import MappingError

Scheme = Literal["differential", "offset"]
SCHEMES: tuple[Scheme, ...] = ("differential", "offset")
Weights = NDArray[Any]
Indices = NDArray[np.intp]


class Cell(NamedTuple):
    """A cell: its tile, its place there, and what it adds to the drive (+1, -1; 0 for a
    reference).
    """

    tile: int
    row: int
    column: int
    polarity: int


@dataclass(frozen=True)
class Tile:
    """A piece of the weight matrix: presynaptic neurons of its rows, postsynaptic neurons of its
    outputs.
    """

    inputs: slice
    outputs: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and outputs in use."""
        return self.inputs.stop - self.inputs.start, self.outputs.stop - self.outputs.start


class Order(NamedTuple):
    """Where the neurons of a tile lie in it: a row for each input, and a place among the outputs
    for each output.
    """

    rows: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class TileLayout:
    """How N x N weights are cut into tiles of some rows and columns.

    Attributes
    ----------
    neurons, rows, columns, scheme
        N, rows and columns of a tile, and what a weight is made of.
    orders
        Where the neurons of each tile lie in it; as they come, where there is none.

    Raises
    ------
    MappingError
        If a tile has no room for a weight.
    OptionError
        If the scheme is unknown.
    """

    neurons: int
    rows: int
    columns: int
    scheme: Scheme = "differential"
    orders: tuple[Order, ...] = ()

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise OptionError(f'scheme is "{self.scheme}"; expected one of: {", ".join(SCHEMES)}')
        if self.rows < 1 or self.columns < 2:
            raise MappingError(
                f"tiles of {self.rows} x {self.columns} cells; expected at least 1 row and 2"
                " columns"
            )
        if self.orders:
            self._check_orders()

    def _check_orders(self) -> None:
        tiles = list(self.tiles())
        if len(self.orders) != len(tiles):
            raise MappingError(
                f"{len(self.orders)} orders for {len(tiles)} tiles; expected one for each"
            )
        for number, (order, tile) in enumerate(zip(self.orders, tiles, strict=True)):
            for places, count, room in zip(
                order, tile.shape, (self.rows, self.outputs_per_tile), strict=True
            ):
                if (
                    len(places) != count
                    or len(set(places)) != count
                    or not set(places) <= set(range(room))
                ):
                    raise MappingError(
                        f"the order of tile {number} has not {count} places of its own below {room}"
                    )

    @property
    def outputs_per_tile(self) -> int:
        """Postsynaptic neurons that a tile has room for."""
        return self.columns // 2 if self.scheme == "differential" else self.columns - 1

    @property
    def grid(self) -> tuple[int, int]:
        """Tiles along the presynaptic and along the postsynaptic neurons."""
        return -(-self.neurons // self.rows), -(-self.neurons // self.outputs_per_tile)

    @property
    def cells(self) -> int:
        """Cells that hold weights or references."""
        across = 2 * self.neurons if self.scheme == "differential" else self.neurons + self.grid[1]
        return self.neurons * across

    def tiles(self) -> Iterator[Tile]:
        """All tiles: those of the first outputs first."""
        down, across = self.grid
        for b in range(across):
            for a in range(down):
                inputs = slice(a * self.rows, min((a + 1) * self.rows, self.neurons))
                width = self.outputs_per_tile
                yield Tile(inputs, slice(b * width, min((b + 1) * width, self.neurons)))

    @cached_property
    def _places(self) -> list[tuple[Indices, Indices]]:
        if self.orders:
            return [(np.array(order.rows), np.array(order.outputs)) for order in self.orders]
        shapes = (tile.shape for tile in self.tiles())
        return [(np.arange(height), np.arange(width)) for height, width in shapes]

    def order_of(self, tile: int) -> tuple[Indices, Indices]:
        """Where the neurons of a tile lie in it: rows of its inputs, places of its outputs."""
        return self._places[tile]

    def columns_of(self, tile: int) -> tuple[Indices, Indices]:
        """Columns of a tile's outputs: of the positive cells, and of the negative ones (or the
        reference, for all).
        """
        outputs = self.order_of(tile)[1]
        if self.scheme == "differential":
            return 2 * outputs, 2 * outputs + 1
        return outputs, np.array([self.columns - 1])

    def cells_of(self, post: int, pre: int) -> tuple[Cell, ...]:
        """The cells of the weight from `pre` to `post`: the positive one, then the negative one or
        the reference.
        """
        block, row = divmod(pre, self.rows)
        across, output = divmod(post, self.outputs_per_tile)
        tile = across * self.grid[0] + block
        rows, outputs = self.order_of(tile)
        row, output = int(rows[row]), int(outputs[output])
        if self.scheme == "differential":
            return Cell(tile, row, 2 * output, 1), Cell(tile, row, 2 * output + 1, -1)
        return Cell(tile, row, output, 1), Cell(tile, row, self.columns - 1, 0)

    def weight_at(self, tile: int, row: int, column: int) -> tuple[int, int, int] | None:
        """``(post, pre, polarity)`` of a cell; None for one that holds no weight. A reference has
        post = -1.
        """
        if not (
            0 <= tile < self.grid[0] * self.grid[1]
            and 0 <= row < self.rows
            and 0 <= column < self.columns
        ):
            raise MappingError(f"no cell {row}, {column} of tile {tile}")
        across, block = divmod(tile, self.grid[0])
        rows, outputs = self.order_of(tile)
        at = np.flatnonzero(rows == row)
        if not len(at):
            return None
        pre = block * self.rows + int(at[0])
        if self.scheme == "offset":
            if column == self.columns - 1:
                return -1, pre, 0
            output, polarity = column, 1
        else:
            output, polarity = column // 2, 1 - 2 * (column % 2)
        found = np.flatnonzero(outputs == output)
        return (
            (across * self.outputs_per_tile + int(found[0]), pre, polarity) if len(found) else None
        )

    def spread(self, positive: Conductances, negative: Conductances) -> tuple[Conductances, ...]:
        """Conductances (N, N) of both polarities as tiles (rows, columns); cells without a weight
        are 0.

        In the offset scheme the negative ones are those of the reference, equal along each row of
        the result.
        """
        found = []
        for number, tile in enumerate(self.tiles()):
            cells = np.zeros((self.rows, self.columns), np.float32)
            rows, (up, down) = self.order_of(number)[0][:, None], self.columns_of(number)
            cells[rows, up] = positive[tile.outputs, tile.inputs].T
            if self.scheme == "differential":
                cells[rows, down] = negative[tile.outputs, tile.inputs].T
            else:
                cells[rows, down] = negative[tile.outputs.start, tile.inputs, None]
            found.append(cells)
        return tuple(found)

    def gather(self, tiles: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
        """What `spread` was given, from its tiles: (N, N) of both polarities."""
        kind = tiles[0].dtype if len(tiles) else np.float32
        positive = np.zeros((self.neurons, self.neurons), kind)
        negative = np.zeros_like(positive)
        for number, (tile, cells) in enumerate(zip(self.tiles(), tiles, strict=True)):
            rows, (up, down) = self.order_of(number)[0], self.columns_of(number)
            used = cells[rows]
            positive[tile.outputs, tile.inputs] = used[:, up].T
            negative[tile.outputs, tile.inputs] = used[:, down].T
        return positive, negative


@dataclass(frozen=True)
class Scale:
    """How weights become conductances: ``us_per_lsb`` microsiemens per LSB, from `base_us` on."""

    base_us: float
    us_per_lsb: float

    def pairs(self, weights: Weights, scheme: Scheme) -> tuple[Conductances, Conductances]:
        """Targets (N, N) of the positive and the negative cell (of the reference, in the offset
        scheme).
        """
        lsb, whole = self.us_per_lsb, weights.astype(np.float32)
        if scheme == "offset":
            return self.base_us + lsb * whole, np.full_like(whole, self.base_us)
        return self.base_us + lsb * np.maximum(whole, 0), self.base_us + lsb * np.maximum(-whole, 0)


def scale_for(device: DeviceModel, weights: Weights, scheme: Scheme) -> Scale:
    """The largest weight takes the largest conductance; no weight, the smallest (offset: the
    middle).
    """
    largest = max(1, int(np.abs(weights).max(initial=0)))
    span = device.g_max_us - device.g_min_us
    if scheme == "offset":
        return Scale(device.g_min_us + span / 2, span / 2 / largest)
    return Scale(device.g_min_us, span / largest)
