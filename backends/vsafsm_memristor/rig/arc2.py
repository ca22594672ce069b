"""ArC TWO through pyarc2: one tile of up to 32 x 32 cells. Written against pyarc2 0.6.0, never run
on a board.

What stands here follows the docstrings of pyarc2 0.6.0 (``Instrument(port, firmware)``,
``config_channels``, ``read_slice_open``, ``pulse_one``, ``read_one``, ``ground_all_fast``,
``finalise_operation``, ``find_ids``); the tests run it against a stand-in for that module. What
they cannot say is left open: signs and noise of currents, settling, whether `read_one`'s sign
convention is that of `read_slice_open`, how a board behaves when it is unplugged. Try it with the
conformance suite on devices that may be lost.

The board has no watchdog that pyarc2 tells of, and no serial number: the serial is the number of
the port that `find_ids` gives. Lines are biased row by row within the board's standard range of 10
V.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vsafsm_memristor.rig.errors import (
    DisconnectedError,
    FaultError,
    NotSafeError,
    RefusedError,
    UnreachableError,
)
from vsafsm_memristor.rig.lock import PortLock
from vsafsm_memristor.rig.protocol import (
    UNTOUCHED,
    Bools,
    Floats,
    Identity,
    Limits,
    ProgramReply,
    Status,
)

Answer = TypeVar("Answer")
CHANNELS = 64
ROWS = (*range(16), *range(32, 48))
COLUMNS = (*range(16, 32), *range(48, 64))
"""Channels of rows and of columns in a standard 32 x 32 array, as pyarc2's ``read_slice`` describes
them.
"""
INSTALL = "pip install pyarc2"


@dataclass(frozen=True)
class Wiring:
    """How cells hang on the board, and how they are written.

    Attributes
    ----------
    rows, columns
        Channel of each row and of each column.
    limits
        What the devices tolerate: pyarc2 does not know.
    v_verify_v
        Voltage of the reads between pulses, in volts.
    v_first_v, v_step_v
        First pulse, and what each further one adds, in volts.
    pulse_ns
        Width of a pulse, in nanoseconds.
    tolerance_s
        Distance from the target at which a cell is done, in siemens.

    Raises
    ------
    RefusedError
        If channels, limits and voltages do not fit each other.
    """

    limits: Limits
    rows: Sequence[int] = ROWS
    columns: Sequence[int] = COLUMNS
    v_verify_v: float = 0.2
    v_first_v: float = 0.8
    v_step_v: float = 0.1
    pulse_ns: int = 1000
    tolerance_s: float = 1e-6
    usable: Bools | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        lines = [*self.rows, *self.columns]
        if len(set(lines)) != len(lines) or not all(0 <= line < CHANNELS for line in lines):
            raise RefusedError(
                f"channels {lines}; expected different ones from 0 to {CHANNELS - 1}"
            )
        shape = (self.limits.tiles, self.limits.rows, self.limits.columns)
        if shape != (1, len(self.rows), len(self.columns)):
            raise RefusedError(
                f"limits for {shape}; expected (1, {len(self.rows)}, {len(self.columns)}), as it is"
                " wired"
            )
        if not 0 < self.v_verify_v <= self.limits.v_read_max_v:
            raise RefusedError(
                f"v_verify_v is {self.v_verify_v:g}; expected up to {self.limits.v_read_max_v:g} V"
            )
        if not (
            0 < self.v_first_v <= self.limits.v_program_max_v
            and self.v_step_v > 0
            and self.pulse_ns > 0
        ):
            raise RefusedError(
                f"pulses of {self.pulse_ns} ns from {self.v_first_v:g} V in steps of"
                f" {self.v_step_v:g} V; expected above 0, and up to"
                f" {self.limits.v_program_max_v:g} V"
            )


class Arc2Rig:
    """A `Rig` on an ArC TWO. After a fault it refuses commands; there is no reopening but a new
    object.

    Parameters
    ----------
    firmware
        Path of the firmware that came with the board.
    wiring
        How the cells hang on it.
    port
        One of those that ``pyarc2.find_ids()`` gives; None for the only one.

    Raises
    ------
    UnreachableError
        If pyarc2 is not installed.
    UnreachableError
        If there is no such board, or it cannot be opened.
    """

    def __init__(self, firmware: str, wiring: Wiring, port: int | None = None) -> None:
        self._pyarc2 = _pyarc2()
        self._wiring, self._limits, self._why = wiring, wiring.limits, ""
        self._port = self._found(port)
        self._lock = PortLock(f"arc2-{self._port}")
        try:
            self._board: Any = self._pyarc2.Instrument(self._port, firmware)
        except Exception as error:  # ArC2Error, or what loading the firmware raises
            raise UnreachableError(
                f"cannot open the ArC TWO at port {self._port}: {error}; expected a board"
            ) from None
        if self._lock.status().owner is None:  # else its lines are another's
            self.safe()

    def identify(self) -> Identity:
        """What the wiring says of it."""
        limits = self._wiring.limits
        usable = self._wiring.usable
        if usable is None:
            usable = np.ones((1, limits.rows, limits.columns), np.bool_)
        return Identity("ArC TWO", f"port {self._port}", limits, usable, watchdog_s=None)

    def take(self, limits: Limits) -> None:
        """Keep within these, as the pulses are made here, and lock the port for this process. What
        does not ask for the lock, as pyarc2 itself, is not kept out.
        """
        if self._wiring.limits.tighten(limits) != limits:
            raise RefusedError(f"limits {limits}; expected none wider than {self._wiring.limits}")
        self._lock.take()
        self._limits = self._wiring.limits.tighten(limits)

    def release(self) -> None:
        """Ground all lines, and let go of the lock."""
        if self._lock.mine:
            try:
                self.safe()
            finally:
                self._lock.release()

    def status(self) -> Status:
        """Who has the lock."""
        return self._lock.status()

    def beat(self) -> None:
        """Nothing: the board has no watchdog."""

    def close(self) -> None:
        """Let go of the lock."""
        self._lock.release()

    def program(self, tile: int, g_siemens: Floats) -> ProgramReply:
        """Write and verify cell by cell: pulses of rising voltage until the cell is within the
        tolerance.
        """
        g = np.zeros(g_siemens.shape)
        ok, pulses = np.ones(g.shape, np.bool_), np.zeros(g.shape, np.int64)
        for row, column in np.argwhere(g_siemens != UNTOUCHED).tolist():
            done = self._trusted(lambda r=row, c=column: self._write(r, c, float(g_siemens[r, c])))  # type: ignore[misc]
            g[row, column], ok[row, column], pulses[row, column] = done
        return ProgramReply(g, ok, pulses)

    def read(self, tile: int, v_volts: Floats) -> Floats:
        """All rows at once; the board grounds its channels after it."""
        return self._trusted(lambda: self._read(v_volts))

    def safe(self) -> None:
        """Connect every channel to hard ground."""
        try:
            self._board.finalise_operation(self._pyarc2.IdleMode.HardGnd)
            self._board.wait()
        except Exception as error:
            raise NotSafeError(
                f"grounding of the ArC TWO at port {self._port} is not confirmed: {error}"
            ) from None

    # ---- on the board

    def _read(self, v_volts: Floats) -> Floats:
        rows, columns = self._wiring.rows, self._wiring.columns
        board = self._board
        board.connect_to_gnd([])
        board.config_channels(
            [(row, float(v)) for row, v in zip(rows, v_volts, strict=True)], 0.0
        ).execute()
        currents: NDArray[np.float32] = board.read_slice_open(list(columns), True)
        board.execute()
        board.wait()
        return np.asarray(currents, dtype=np.float64)[list(columns)]

    def _write(self, row: int, column: int, target_s: float) -> tuple[float, bool, int]:
        low, high = self._wiring.columns[column], self._wiring.rows[row]
        level, before = self._wiring.v_first_v, 0.0
        for count in range(self._limits.pulses_per_cell + 1):
            g = (
                abs(self._board.read_one(low, high, self._wiring.v_verify_v))
                / self._wiring.v_verify_v
            )
            if not math.isfinite(g):
                raise ValueError(f"a read of row {row}, column {column} gave {g}")
            if abs(g - target_s) <= self._wiring.tolerance_s:
                return g, True, count
            if count == self._limits.pulses_per_cell:
                break
            sign = math.copysign(1.0, target_s - g)
            level = level + self._wiring.v_step_v if sign == before else self._wiring.v_first_v
            volts = sign * min(level, self._limits.v_program_max_v)
            self._board.pulse_one(low, high, volts, self._wiring.pulse_ns).execute()
            self._ground()
            before = sign
        return g, False, self._limits.pulses_per_cell

    def _ground(self) -> None:
        self._board.ground_all_fast().execute()
        self._board.wait()

    def _trusted(self, call: Callable[[], Answer]) -> Answer:
        if self._why:
            raise FaultError(
                f"the ArC TWO is not trusted: {self._why}; expected it to be opened again"
            )
        try:
            return call()
        except BaseException as error:
            self._why = f"{type(error).__name__}: {error}"
            with suppress(NotSafeError):
                self.safe()
            if isinstance(error, Exception):
                raise DisconnectedError(
                    f"the ArC TWO failed: {self._why}; expected it to go on"
                ) from None
            raise

    def _found(self, port: int | None) -> int:
        ports = [int(each) for each in self._pyarc2.find_ids()]
        if port in ports or (port is None and len(ports) == 1):
            return ports[0] if port is None else port
        known = ", ".join(map(str, ports)) or "none"
        raise UnreachableError(
            f"no ArC TWO at port {port if port is not None else '(any)'}; expected one of: {known}"
        )


def _pyarc2() -> Any:
    try:
        import pyarc2
    except ImportError as error:
        raise UnreachableError(
            f"an ArC TWO needs pyarc2, which cannot be imported ({error}); expected: {INSTALL}"
        ) from None
    return pyarc2


def open_rig(text: str, timeout_s: float) -> Arc2Rig:
    """The rig of an address ``ARC2::FILE``: a JSON file with ``firmware``, ``limits``, and what
    else `Wiring` takes.

    ``port`` may be in it too. pyarc2 has no time limit that could be set.

    Raises
    ------
    UnreachableError
        If the file cannot be read as that.
    """
    try:
        said = json.loads(Path(text).read_text(encoding="utf-8"))
        firmware, port = str(said.pop("firmware")), said.pop("port", None)
        wiring = Wiring(limits=Limits(**said.pop("limits")), **said)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreachableError(
            f'"{text}" does not describe an ArC TWO ({type(error).__name__}: {error}); expected a'
            " JSON file with firmware, limits, and what else `Wiring` takes"
        ) from None
    return Arc2Rig(firmware, wiring, port)
