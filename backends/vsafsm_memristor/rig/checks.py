"""What the guard holds arrays against, before anything is sent and after a reply has come. Pure
functions.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm_memristor.rig.errors import FaultError, RefusedError
from vsafsm_memristor.rig.protocol import UNTOUCHED, Bools, Floats, Identity, Limits, ProgramReply

PLAUSIBLE = 10.0
"""A conductance in a reply of more than so many times the rig's largest is no measurement."""


def check_tile(limits: Limits, tile: Any) -> int:
    """The number of a tile. Raises `RefusedError`."""
    if (
        not isinstance(tile, Integral)
        or isinstance(tile, bool)
        or not 0 <= int(tile) < limits.tiles
    ):
        raise RefusedError(f"tile {tile!r}; expected a whole number from 0 to {limits.tiles - 1}")
    return int(tile)


def check_conductances(identity: Identity, limits: Limits, tile: int, g_siemens: Any) -> Floats:
    """A copy of conductances that may be asked for of a tile; `UNTOUCHED` cells may be anywhere.

    Raises
    ------
    RefusedError
        If they may not; the message names the first such cell.
    RefusedError
        If the strongest programming pulse would drive more than a line tolerates through a cell.
    """
    usable = identity.usable[tile]
    g = _floats(g_siemens, usable.shape, f"conductances of tile {tile}", "siemens")
    touched = g != UNTOUCHED
    if (wrong := touched & ~usable).any():
        raise RefusedError(
            f"{_first_cell(tile, wrong)} of the rig cannot be used and {g[wrong][0]:g} S is asked"
            f" of it; expected {UNTOUCHED:g}, which leaves a cell alone"
        )
    if (wrong := touched & ~((g >= limits.g_min_s) & (g <= limits.g_max_s))).any():
        raise RefusedError(
            f"{g[wrong][0]:g} S is asked of {_first_cell(tile, wrong)}; expected {limits.g_min_s:g}"
            f" to {limits.g_max_s:g} S, or {UNTOUCHED:g} to leave it alone"
        )
    if (wrong := g * limits.v_program_max_v > limits.i_line_max_a).any():
        raise RefusedError(
            f"a pulse of {limits.v_program_max_v:g} V would drive"
            f" {g[wrong][0] * limits.v_program_max_v:.4g} A through {_first_cell(tile, wrong)};"
            f" expected at most {limits.i_line_max_a:g} A"
        )
    return g


def check_voltages(identity: Identity, limits: Limits, tile: int, v_volts: Any) -> Floats:
    """A copy of voltages that may be put on the rows of a tile.

    Raises
    ------
    RefusedError
        If they may not; the message names the first such row.
    """
    usable = identity.usable[tile]
    v = _floats(v_volts, usable.shape[:1], f"voltages of tile {tile}", "volts")
    if (wrong := np.abs(v) > limits.v_read_max_v).any():
        row = int(np.argmax(wrong))
        raise RefusedError(
            f"{v[row]:g} V is asked of row {row} of tile {tile}; expected a magnitude of at most "
            f"{limits.v_read_max_v:g} V"
        )
    if (wrong := (v != 0) & ~usable.any(axis=1)).any():
        row = int(np.argmax(wrong))
        raise RefusedError(
            f"no cell of row {row} of tile {tile} can be used and {v[row]:g} V is asked of it;"
            " expected 0 V"
        )
    return v


def check_programmed(identity: Identity, limits: Limits, reply: ProgramReply) -> ProgramReply:
    """Hold a reply against what can be. Raises `FaultError`s."""
    shape = identity.usable.shape[1:]
    _check_reply(reply.g_siemens, shape, "conductances")
    for name, array in (("mask of cells reached", reply.ok), ("pulses", reply.pulses)):
        if np.shape(array) != shape:
            raise FaultError(f"the rig's {name} have shape {np.shape(array)}; expected {shape}")
    if not (
        (reply.g_siemens >= 0) & (reply.g_siemens <= PLAUSIBLE * identity.limits.g_max_s)
    ).all():
        raise FaultError(
            f"the rig reports {reply.g_siemens.min():g} to {reply.g_siemens.max():g} S; expected 0"
            f" to {PLAUSIBLE * identity.limits.g_max_s:g} S"
        )
    if not ((reply.pulses >= 0) & (reply.pulses <= limits.pulses_per_cell)).all():
        raise FaultError(
            f"the rig gave {reply.pulses.max()} pulses; expected at most {limits.pulses_per_cell}"
        )
    return reply


def check_currents(identity: Identity, limits: Limits, amperes: Floats) -> Floats:
    """Hold a reply against what can be. Raises `FaultError`s."""
    _check_reply(amperes, identity.usable.shape[2:], "currents")
    largest = float(np.abs(amperes).max())
    if largest > limits.i_line_max_a:
        raise FaultError(
            f"the rig reports {largest:.4g} A; expected at most {limits.i_line_max_a:g} A"
        )
    return amperes


def _floats(values: Any, shape: tuple[int, ...], what: str, unit: str) -> Floats:
    try:
        array = np.array(values)
    except ValueError:
        raise RefusedError(f"{what} are no array; expected {unit} of shape {shape}") from None
    if array.shape != shape or array.dtype.kind not in "fiu":
        raise RefusedError(
            f"{what} are {array.dtype} of shape {array.shape}; expected {unit} of shape {shape}"
        )
    floats = array.astype(np.float64)
    if not np.isfinite(floats).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(floats))[0])
        raise RefusedError(f"{what}: {floats[place]} at {place}; expected finite numbers")
    return floats


def _check_reply(array: NDArray[Any], shape: tuple[int, ...], what: str) -> None:
    if np.shape(array) != shape:
        raise FaultError(f"the rig's {what} have shape {np.shape(array)}; expected {shape}")
    if not np.isfinite(array).all():
        raise FaultError(f"the rig's {what} are not finite; expected numbers")


def _first_cell(tile: int, wrong: Bools) -> str:
    row, column = np.argwhere(wrong)[0]
    return f"row {row}, column {column} of tile {tile}"
