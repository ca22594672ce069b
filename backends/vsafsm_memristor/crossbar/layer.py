"""Layers of (inputs x outputs) weights on simulated tiles, read forward and transposed.

A weight is a differential pair in one row. A layer with more inputs than a tile has rows is cut
into blocks, whose sums are converted apart and added digitally; so is, in a transposed read, one
with more outputs than a tile has pairs of columns. There the two columns of a pair are driven with
opposite voltages, and rows are read (the transposable array of Wan et al., Nature 608, 2022).

Whole inputs come bit by bit: a read per bit of their magnitudes, with the sign as the sign of the
voltage. The charges of the bits are added with their weights before they are converted once, as
NeuRRAM does. Every read has noise of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsafsm.sense.arrays import Matrix
from vsafsm_memristor.crossbar.cells import Pair
from vsafsm_memristor.crossbar.converter import Converter
from vsafsm_memristor.crossbar.mapping import Scale, scale_for
from vsafsm_memristor.crossbar.parameters import ArraySettings
from vsafsm_memristor.crossbar.stuck_cells import StuckCells, compensate_stuck_cells, split
from vsafsm_memristor.device.model import DeviceModel
from vsafsm_memristor.errors import MappingError

Floats = NDArray[np.float64]
MOST_BITS = 8
RANGES = tuple(2.0 ** (-step / 4) for step in range(-1, 13))
"""Full scales of a converter that are tried, as multiples of the largest sum that it is calibrated
on: from a fifth more down to an eighth.
"""


class Converters(NamedTuple):
    """Of a layer: those that read columns, and those that read rows in a transposed read."""

    forward: Converter
    transposed: Converter


IDEAL = Converters(Converter(0, 1.0), Converter(0, 1.0))
"""Without rounding or clipping."""


@dataclass(frozen=True)
class LayerArray:
    """A layer on tiles, as its cells are now.

    Attributes
    ----------
    cells
        Conductances (O, I) of the positive and negative cells, microsiemens.
    device, scale
        What they are of, and what an LSB of a weight is.
    tile
        Rows of a tile, and pairs of columns.
    seconds
        Since programming: what read noise depends on.
    converters
        Of all tiles of the layer.
    noisy
        Whether reads have noise.
    """

    cells: Pair
    device: DeviceModel
    scale: Scale
    tile: tuple[int, int]
    seconds: float = 0.0
    converters: Converters = IDEAL
    noisy: bool = True

    @property
    def shape(self) -> tuple[int, int]:
        """Inputs and outputs."""
        outputs, inputs = self.cells.positive.shape
        return inputs, outputs

    @property
    def tiles(self) -> tuple[int, int]:
        """Tiles along the inputs, and along the outputs."""
        inputs, outputs = self.shape
        return -(-inputs // self.tile[0]), -(-outputs // self.tile[1])

    @cached_property
    def weights(self) -> Floats:
        """What a read without noise multiplies with, (I, O), in LSBs."""
        apart = self.cells.positive.astype(np.float64) - self.cells.negative
        return np.ascontiguousarray(apart.T / self.scale.us_per_lsb)

    @cached_property
    def variance(self) -> Floats:
        """Of a read of each weight at full voltage, (I, O), in squares of LSBs."""
        both: Any = sum(
            np.asarray(self.device.read_sigma_us(g, self.seconds), np.float64) ** 2
            for g in self.cells
        )
        return np.ascontiguousarray(both.T / self.scale.us_per_lsb**2)

    def read(self, volts: Floats, rng: np.random.Generator, transposed: bool = False) -> Floats:
        """One read with analog inputs (B, I), as shares of the full voltage: sums (B, O) in LSBs.

        The noise of a cell grows with its current, so that the variance of a sum is the one of its
        weights times the squares of the inputs.

        Parameters
        ----------
        transposed
            From outputs (B, O) to inputs (B, I), with the same cells.

        Raises
        ------
        MappingError
            If the inputs do not fit the layer.
        """
        values = np.asarray(volts, np.float64)
        return self._converted(values, values**2, rng, transposed)

    def product(
        self, rows: Floats, bits: int, rng: np.random.Generator, transposed: bool = False
    ) -> Floats:
        """Sums of whole inputs (B, I) of some bits and a sign, given bit by bit.

        Parameters
        ----------
        rows
            Whole numbers of magnitude ``2 ** bits - 1`` at most.
        bits
            1 to 8.
        transposed
            As in `read`.

        Raises
        ------
        MappingError
            If the inputs do not fit the layer or the bits.
        """
        values = np.asarray(rows, np.float64)
        return self._converted(values, squares(values, bits), rng, transposed)

    def _converted(
        self, values: Floats, squared: Floats, rng: np.random.Generator, transposed: bool
    ) -> Floats:
        """Of inputs (B, I), and the sums of the squares of what they are given as."""
        weights, variance, size = self._towards(transposed)
        if values.ndim != 2 or values.shape[1] != len(weights):
            raise MappingError(
                f"inputs {values.shape} for a layer of {len(weights)}; expected (B, {len(weights)})"
            )
        converter = self.converters.transposed if transposed else self.converters.forward
        total = np.zeros((len(values), weights.shape[1]))
        for block in blocks(len(weights), size):
            sums = values[:, block] @ weights[block]
            if self.noisy:
                spread = squared[:, block] @ variance[block]
                sums += np.sqrt(spread) * rng.standard_normal(sums.shape)
            total += converter.convert(sums)
        return total

    def _towards(self, transposed: bool) -> tuple[Floats, Floats, int]:
        if transposed:
            return self.weights.T, self.variance.T, self.tile[1]
        return self.weights, self.variance, self.tile[0]

    def calibrated(self, rows: Floats, adc_bits: int, back: Floats | None = None) -> LayerArray:
        """With converters whose errors, of clipping and of rounding, are least for the sums that
        these inputs (B, I) give on the cells as they are.

        Parameters
        ----------
        adc_bits
            Of the converters; 0 for ideal ones.
        back : (B, O), optional
            What is given in transposed reads; without it their converters are ideal.
        """
        forward = self._fitted(rows, adc_bits, False)
        transposed = IDEAL.transposed if back is None else self._fitted(back, adc_bits, True)
        return replace(self, converters=Converters(forward, transposed))

    def _fitted(self, rows: Floats, bits: int, transposed: bool) -> Converter:
        weights, _, size = self._towards(transposed)
        sums = [rows[:, block] @ weights[block] for block in blocks(len(weights), size)]
        largest = max(1.0, *(float(np.abs(each).max(initial=0)) for each in sums))
        tried = [Converter(bits, largest * each) for each in RANGES]
        return min(tried, key=lambda one: sum(_missed(one, each) for each in sums))


@dataclass(frozen=True)
class LayerArrays:
    """Layers, each on its array: `vsafsm.sense.arrays.TwoWay`.

    Attributes
    ----------
    arrays, input_bits
        Per layer.
    rng
        Of the noise of reads.
    """

    arrays: tuple[LayerArray, ...]
    input_bits: tuple[int, ...]
    rng: np.random.Generator

    def product(self, layer: int, rows: Floats) -> Floats:
        """Sums (B, O) of a layer for whole inputs (B, I)."""
        return self.arrays[layer].product(rows, self.input_bits[layer], self.rng)

    def transposed(self, layer: int, rows: Floats) -> Floats:
        """Sums (B, I) of a layer for bits (B, O), from the same cells."""
        return self.arrays[layer].product(rows, 1, self.rng, transposed=True)


def draw_layers(
    matrices: Sequence[Matrix], settings: ArraySettings, rng: np.random.Generator
) -> LayerArrays:
    """Every layer on a drawn array, with converters for the sums that its example inputs give.

    Raises
    ------
    MappingError
        As `draw_layer`.
    """
    arrays = []
    for each in matrices:
        drawn = draw_layer(each.weights, each.limit, settings, rng)
        arrays.append(drawn.calibrated(each.rows, settings.adc_bits, each.back))
    return LayerArrays(tuple(arrays), tuple(each.input_bits for each in matrices), rng)


def draw_layer(
    weights: NDArray[Any], limit: int, settings: ArraySettings, rng: np.random.Generator
) -> LayerArray:
    """Program a layer on an array of its own: faults drawn, cells programmed, and relaxed to the
    age of the settings. Its converters are ideal.

    Parameters
    ----------
    weights : (I, O)
        Whole numbers.
    limit
        The magnitude that takes the largest conductance.
    settings
        Device, tiles, age, stuck cells, and whether reads have noise.

    Raises
    ------
    MappingError
        If a weight is beyond the limit, or the settings ask for what layers do not have: the offset
        scheme, an IR drop, an order that avoids stuck cells, or a calibration.
    """
    model, plan = settings.model, plan_layer(weights, limit, settings)
    target = plan.target
    chance = rng.random((2, *target.positive.shape), np.float32)
    faults = StuckCells(*split(chance, model.stuck_off, model.stuck_on))
    if settings.stuck_cells == "compensated":
        target = compensate_stuck_cells(faults, target, model.g_min_us, model.g_max_us)
    cells = target.map(lambda g: model.program(g, rng))
    cells = faults.apply(cells, model.g_max_us)
    cells = cells.map(lambda g: model.relax(g, settings.seconds, rng))
    cells = faults.apply(cells, model.g_max_us)
    return LayerArray(
        cells, model, plan.scale, plan.tile, settings.seconds, IDEAL, settings.read_noise
    )


class LayerPlan(NamedTuple):
    """What the cells of a layer are to be: conductances (O, I) of both polarities, what an LSB of a
    weight is, and rows and pairs of columns of a tile.
    """

    target: Pair
    scale: Scale
    tile: tuple[int, int]


def plan_layer(weights: NDArray[Any], limit: int, settings: ArraySettings) -> LayerPlan:
    """Targets for the cells of a layer, before anything is drawn: as `draw_layer`."""
    _check(settings)
    largest = int(np.abs(weights).max(initial=0))
    if largest > limit or limit < 1:
        raise MappingError(f"a layer has weights up to {largest}; expected {limit} at most")
    scale = scale_for(settings.model, np.array([[limit]]), "differential")
    rows, columns, _ = settings.layout_of
    target = Pair(*scale.pairs(weights.T, "differential"))
    return LayerPlan(target, scale, (rows, columns // 2))


def squares(rows: Floats, bits: int) -> Floats:
    """Of whole inputs (B, I) given bit by bit: the squares of the significances of their bits,
    added. Noise of every bit's read is weighted with its significance.

    Raises
    ------
    MappingError
        If an input is no whole number of so many bits, or there are none or more than 8 bits.

    Examples
    --------
    >>> squares(np.array([[3.0, 2.0, -2.0]]), 2).tolist()
    [[5.0, 4.0, 4.0]]
    """
    if not 1 <= bits <= MOST_BITS:
        raise MappingError(f"inputs have {bits} bits; expected 1 to {MOST_BITS}")
    magnitude = np.abs(np.asarray(rows, np.float64))
    if (magnitude != np.floor(magnitude)).any() or magnitude.max(initial=0) >= 2**bits:
        raise MappingError(f"inputs are not whole numbers of {bits} bits and a sign")
    known = np.arange(2**bits)
    of_each = sum(((known >> bit) & 1) * 4.0**bit for bit in range(bits))
    return np.asarray(np.asarray(of_each)[magnitude.astype(np.uint8)])


def _missed(converter: Converter, sums: Any) -> float:
    """Squares of what a converter makes of sums wrongly, added."""
    return float(np.square(converter.convert(sums) - sums).sum())


def blocks(size: int, most: int) -> Iterator[slice]:
    """Parts of so many lines at most."""
    return (slice(i, min(i + most, size)) for i in range(0, size, most))


def _check(settings: ArraySettings) -> None:
    if settings.layout_of[2] != "differential":
        raise MappingError(
            f'scheme is "{settings.layout_of[2]}"; expected "differential" for layers'
        )
    if settings.ir_drop:
        raise MappingError("ir_drop is True; expected False: layers have lines without resistance")
    if settings.stuck_cells == "avoided":
        raise MappingError(
            'stuck_cells is "avoided"; expected "ignored" or "compensated" for layers'
        )
    if settings.usable is not None:
        raise MappingError("usable is set; expected none: an array of a layer draws its own cells")
    if settings.calibration != "none":
        raise MappingError(f'calibration is "{settings.calibration}"; expected "none" for layers')
