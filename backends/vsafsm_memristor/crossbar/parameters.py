"""What can be set: the device and its array, time, noise, and how the array is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from vsafsm.backend import Option
from vsafsm.errors import OptionError, did_you_mean
from vsafsm.finite import shown
from vsafsm.requirements import Requirements
from vsafsm_memristor.crossbar.mapping import SCHEMES, TileLayout
from vsafsm_memristor.device.lognormal import LognormalDevice
from vsafsm_memristor.device.measured import fit_device
from vsafsm_memristor.device.model import DeviceModel
from vsafsm_memristor.device.presets import device_named

Calibration = Literal["none", "trim", "loop"]
CALIBRATIONS: tuple[Calibration, ...] = ("none", "trim", "loop")
StuckCellPolicy = Literal["ignored", "compensated", "avoided"]
TileFormat = Literal["csv", "npy"]
TILE_FORMATS: tuple[TileFormat, ...] = ("csv", "npy")
STUCK_CELLS: tuple[StuckCellPolicy, ...] = ("ignored", "compensated", "avoided")
OPTIONS = (
    Option(
        "device",
        str,
        "neurram",
        "",
        "a preset, or a .csv with target_us and measured_us of your own devices",
    ),
    Option(
        "sigma",
        float,
        None,
        "",
        "lognormal spread, in place of the preset's (lognormal devices only)",
    ),
    Option(
        "scheme",
        str,
        "differential",
        "",
        f"{' or '.join(SCHEMES)}: a pair of cells per weight, or a reference column",
    ),
    Option(
        "rows", int, None, "", "rows of a tile (default: 128, or the device's where it has fewer)"
    ),
    Option("columns", int, None, "", "columns of a tile (default: the device's)"),
    Option(
        "levels",
        int,
        None,
        "",
        "conductance levels per device that the network may need (default 4)",
    ),
    Option("seconds_after_programming", float, 86_400.0, "s", "age of the array when it runs"),
    Option(
        "stuck_off",
        float,
        None,
        "share",
        "cells that stay at no conductance (default: the device's)",
    ),
    Option(
        "stuck_on", float, None, "share", "cells that stay at the largest (default: the device's)"
    ),
    Option("read_noise", bool, True, "", "whether reads have the device's noise"),
    Option(
        "adc_bits", int, 8, "bits", "of the converter of each tile's columns; 0 for an ideal one"
    ),
    Option(
        "stuck_cells",
        str,
        "ignored",
        "",
        "ignored; compensated (by their partners); or avoided (by order as well)",
    ),
    Option(
        "calibration",
        str,
        "none",
        "",
        "none, trim (an offset per neuron) or loop (cells rewritten: chip in the loop)",
    ),
    Option(
        "ir_drop",
        bool,
        False,
        "",
        "whether the voltage falls along the lines of a tile in the simulation",
    ),
    Option(
        "segment_ohm",
        float,
        1.0,
        "ohm",
        "of a line from cell to cell, for the IR drop and its estimate",
    ),
    Option(
        "yield_",
        float,
        None,
        "share",
        "for compile: the fewest cells with this share of correct arrays, drawn",
    ),
    Option("tiles", int, None, "", "tiles that there are at most"),
    Option("cores", int, None, "", "cores that there are at most (default: the device's)"),
    Option("tile_format", str, "csv", "", "what maps are written as: csv or npy"),
    Option(
        "usable",
        str,
        None,
        "",
        "for maps: a folder with usable_000.csv (or .npy) per tile, 1 where a cell works",
    ),
    Option(
        "device_seed", int, 0, "", "which array: seed of faults, programming, relaxation and reads"
    ),
)
DEFAULT_ROWS = 128
"""Rows of a tile at most, unless asked for: beyond, the voltage falls along the lines."""
LEAST_YIELD = 0.01
MOST_LINES = 1024
"""Rows and columns of a tile whose lines are simulated."""


@dataclass(frozen=True)
class ArraySettings:
    """The options, read: see `OPTIONS`."""

    model: DeviceModel
    layout_of: tuple[int, int, str]
    levels: int
    seconds: float
    read_noise: bool
    adc_bits: int
    stuck_cells: StuckCellPolicy
    calibration: Calibration
    ir_drop: bool
    segment_ohm: float
    share: float | None
    most_tiles: int | None
    most_cores: int | None
    tile_format: TileFormat
    usable: Path | None
    device_seed: int

    def layout(self, neurons: int) -> TileLayout:
        """Tiles for N neurons."""
        rows, columns, scheme = self.layout_of
        return TileLayout(neurons, rows, columns, scheme)  # type: ignore[arg-type]

    def tiles_per_core(self) -> int:
        """Tiles that an array of the device has room for, 1 at least."""
        rows, columns, _ = self.layout_of
        return max(1, self.model.rows // rows) * max(1, self.model.columns // columns)

    @property
    def tiles_there(self) -> int | None:
        """Tiles that there are, by number or as part of cores; None where that is open."""
        of_cores = self.most_cores and self.most_cores * self.tiles_per_core()
        return min((each for each in (self.most_tiles, of_cores) if each), default=None)

    @property
    def most_neurons(self) -> int | None:
        """Most neurons that the tiles have room for; None where that is open."""
        tiles = self.tiles_there
        if tiles is None:
            return None
        tile = self.layout(1)
        return max(
            min(down * tile.rows, tiles // down * tile.outputs_per_tile)
            for down in range(1, tiles + 1)
        )

    def room(self, neurons: int) -> str:
        """What so many neurons take, in words: ``"9 tiles of 32 x 32 cells"``, or cores where those
        are limited.
        """
        layout = self.layout(neurons)
        tiles = layout.grid[0] * layout.grid[1]
        text = f"{tiles} tile{'s' * (tiles > 1)} of {layout.rows} x {layout.columns} cells"
        if self.most_cores is None or self.most_tiles is not None:
            return text
        cores = -(-tiles // self.tiles_per_core())
        return f"{text}, {cores} core{'s' * (cores > 1)}"

    @property
    def bits(self) -> int:
        """Of a weight: with L levels per device it takes L - 1 LSBs up and as many down."""
        return (self.levels - 1).bit_length() + 1


def settings(options: Mapping[str, Any]) -> ArraySettings:
    """Read the options. Raises `OptionError` and `DeviceError`."""
    values: dict[str, Any] = {option.name: option.default for option in OPTIONS}
    for name in options:
        if name not in values:
            raise OptionError(
                f'unknown option "{name}"; expected one of:'
                f" {', '.join(values)}{did_you_mean(name, values)}"
            )
    values.update(options)
    model = _with_faults(_device(values), values)
    rows, columns = (_size(values, name) for name in ("rows", "columns"))
    levels = 4 if values["levels"] is None else int(values["levels"])
    if levels < 2 or levels & (levels - 1) or levels > 128:
        raise OptionError(f"levels is {levels}; expected 2, 4, 8, ..., 128")
    _check(values)
    share = values["yield_"]
    layout_of = (
        rows or min(DEFAULT_ROWS, model.rows),
        columns or model.columns,
        str(values["scheme"]),
    )
    if values["ir_drop"] and max(layout_of[:2]) > MOST_LINES:
        raise OptionError(
            f"ir_drop is True, and tiles have {layout_of[0]} x {layout_of[1]} cells; expected"
            f" {MOST_LINES} rows and columns at most"
        )
    TileLayout(1, *layout_of)  # type: ignore[arg-type]
    return ArraySettings(
        model,
        layout_of,
        levels,
        float(values["seconds_after_programming"]),
        bool(values["read_noise"]),
        int(values["adc_bits"]),
        values["stuck_cells"],
        values["calibration"],
        bool(values["ir_drop"]),
        float(values["segment_ohm"]),
        None if share is None else float(share),
        None if values["tiles"] is None else int(values["tiles"]),
        getattr(model, "cores", None) if values["cores"] is None else int(values["cores"]),
        values["tile_format"],
        None if values["usable"] is None else Path(values["usable"]),
        int(values["device_seed"]),
    )


def _check(values: Mapping[str, Any]) -> None:
    """Raise `OptionError` where a value is out of range, or two do not go together."""
    _in_range(values, "adc_bits", 0, 16)
    _in_range(values, "seconds_after_programming", 0, 1e12)
    _in_range(values, "segment_ohm", 0, 1e6)
    _in_range(values, "device_seed", 0, 2**63)
    for name, known, first in (
        ("stuck_cells", STUCK_CELLS, "ignored"),
        ("calibration", CALIBRATIONS, "none"),
    ):
        _one_of(values, name, known)
        if values["scheme"] == "offset" and values[name] not in (first, "trim"):
            raise OptionError(
                f'{name} is "{values[name]}", and scheme is "offset"; expected "differential", a'
                " pair of cells per weight"
            )
    _one_of(values, "tile_format", TILE_FORMATS)
    for name in ("tiles", "cores"):
        if values[name] is not None:
            _in_range(values, name, 1, 1 << 20)
    share = values["yield_"]
    if share is not None and not LEAST_YIELD <= share < 1:
        raise OptionError(f"yield is {share:g}; expected a share from {LEAST_YIELD:g}, and below 1")
    if values["usable"] is not None and values["scheme"] == "offset":
        raise OptionError(
            'usable is set, and scheme is "offset"; expected "differential", a pair of cells per'
            " weight"
        )


def requirements(chosen: ArraySettings) -> Requirements:
    """What a network has to be, measured in ``benchmarks/memristor_figures.py``.

    Weights of few levels and a wide margin, twice as dense as usual, and four times the smallest N;
    the inhibition is folded in, so that a drift that all cells share changes no decision. Where a
    yield is asked for, weights are refined on disturbed activity, and draws of arrays decide on
    the size and not a margin; where tiles are counted, the widest margin that fits is taken.
    """
    usual = Requirements(
        bits=chosen.bits,
        folded=True,
        one_matrix=True,
        least_margin=0.2 if chosen.most_tiles is None else None,
        most_neurons=chosen.most_neurons,
        rule="small",
        headroom=4.0,
        density=2 / 11,
        tolerance_lsb=1.8,
        margin=0.6,
    )
    if chosen.share is None:
        return usual
    return replace(usual, least_margin=None, rule="robust", margin=0.4)


def _device(values: Mapping[str, Any]) -> DeviceModel:
    name = str(values["device"])
    model: DeviceModel = fit_device(Path(name)) if name.endswith(".csv") else device_named(name)
    if values["sigma"] is None:
        return model
    if not isinstance(model, LognormalDevice):
        raise OptionError(
            f'sigma is set, and device "{model.name}" is not lognormal; expected none, or another'
            " device"
        )
    _in_range(values, "sigma", 0, 10)
    return replace(model, sigma=float(values["sigma"]))


def _with_faults(model: DeviceModel, values: Mapping[str, Any]) -> DeviceModel:
    changed = {
        name: float(values[name]) for name in ("stuck_off", "stuck_on") if values[name] is not None
    }
    for name in changed:
        _in_range(values, name, 0, 1)
    names = {each.name for each in fields(model)}  # type: ignore[arg-type]
    return replace(model, **changed) if changed and changed.keys() <= names else model  # type: ignore[type-var]


def _size(values: Mapping[str, Any], name: str) -> int:
    if values[name] is None:
        return 0
    _in_range(values, name, 1, 1 << 16)
    return int(values[name])


def _in_range(values: Mapping[str, Any], name: str, least: float, most: float) -> None:
    value = values[name]
    if not least <= value <= most:
        raise OptionError(f"{name} is {value}; expected {shown(least)} to {shown(most)}")


def _one_of(values: Mapping[str, Any], name: str, known: tuple[str, ...]) -> None:
    if values[name] not in known:
        hint = did_you_mean(str(values[name]), known)
        raise OptionError(f'{name} is "{values[name]}"; expected one of: {", ".join(known)}{hint}')
