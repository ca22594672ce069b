"""What a lab fills in to put its rig behind the backend: `Rig`, and the plain things that go in and
out of it.

A command of a rig is complete in itself: it applies a voltage, does its work, returns every line to
0 V, and then replies. No voltage outlives the reply to its command; `safe` is for commands that
were cut short.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vsafsm_memristor.rig.errors import RefusedError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

UNTOUCHED = 0.0
"""In an array of conductances (siemens): leave this cell as it is. The one value an unusable cell
may have.
"""
COUNTS = ("tiles", "rows", "columns", "pulses_per_cell", "write_budget")


@dataclass(frozen=True)
class Limits:
    """What must not be exceeded, whoever says so.

    Attributes
    ----------
    tiles, rows, columns
        Crossbar tiles, and lines of each.
    g_min_s, g_max_s
        Range of conductances that may be asked for, in siemens.
    v_read_max_v
        Largest magnitude of a voltage on a row in a read, in volts.
    v_program_max_v
        Largest magnitude of a programming pulse, in volts.
    i_line_max_a
        Largest magnitude of the current in a row or a column, in amperes.
    pulses_per_cell
        Most programming pulses that a cell may take in one command.
    write_budget
        Most programming pulses, over all cells, between opening the rig and closing it. A command
        is sent only if its worst case (cells to be written times `pulses_per_cell`) fits what is
        left; what it really took is then counted.

    Raises
    ------
    RefusedError
        If they make no sense: a count below one, a number that is not finite or not above zero, an
        empty range.
    """

    tiles: int
    rows: int
    columns: int
    g_min_s: float
    g_max_s: float
    v_read_max_v: float
    v_program_max_v: float
    i_line_max_a: float
    pulses_per_cell: int
    write_budget: int

    def __post_init__(self) -> None:
        for each in fields(self):
            _check_limit(
                each.name, getattr(self, each.name), least=0 if each.name == "write_budget" else 1
            )
        if self.g_min_s > self.g_max_s:
            raise RefusedError(
                f"g_min_s is {self.g_min_s:g} and g_max_s is {self.g_max_s:g}; expected g_min_s to"
                " be at most g_max_s"
            )

    def tighten(self, other: Limits) -> Limits:
        """The tighter of the two in every respect. Raises `RefusedError` where no conductance is
        within both.
        """
        least = {name: min(value, asdict(other)[name]) for name, value in asdict(self).items()}
        return Limits(**{**least, "g_min_s": max(self.g_min_s, other.g_min_s)})


@dataclass(frozen=True)
class Identity:
    """What a rig says of itself.

    Attributes
    ----------
    model, serial
        Names of the rig and of this one of its kind.
    limits
        The rig's own limits.
    usable
        Which cells can be used: truth values of shape (tiles, rows, columns).
    watchdog_s
        Seconds of silence of the owner after which the rig grounds its lines; None where it has no
        watchdog.
    pulse_s
        Seconds that a pulse takes at most, with the read that verifies it; None where the rig does
        not say. From it follows how many cells may be written before the watchdog wants a sign of
        life.

    Raises
    ------
    RefusedError
        If a part does not fit the others.
    """

    model: str
    serial: str
    limits: Limits
    usable: Bools
    watchdog_s: float | None
    pulse_s: float | None = None

    def __post_init__(self) -> None:
        shape = (self.limits.tiles, self.limits.rows, self.limits.columns)
        if self.usable.shape != shape or self.usable.dtype != np.bool_:
            raise RefusedError(
                f"the mask of usable cells is {self.usable.dtype} of shape {self.usable.shape}; "
                f"expected truth values of shape {shape}"
            )
        if self.watchdog_s is not None and not (
            math.isfinite(self.watchdog_s) and self.watchdog_s > 0
        ):
            raise RefusedError(
                f"watchdog_s is {self.watchdog_s!r}; expected seconds above 0, or None"
            )
        if self.pulse_s is not None and not (math.isfinite(self.pulse_s) and self.pulse_s >= 0):
            raise RefusedError(f"pulse_s is {self.pulse_s!r}; expected seconds, 0 or more, or None")
        if not (self.model and self.serial):
            raise RefusedError("the rig has no model or no serial; expected a name for each")


@dataclass(frozen=True)
class ProgramReply:
    """What came of programming a tile.

    Attributes
    ----------
    g_siemens
        Conductances reached, in siemens, shape (rows, columns); `UNTOUCHED` cells as the rig last
        knew them.
    ok
        Which cells are within the rig's tolerance of what was asked for; cells that were left alone
        count as such.
    pulses
        Pulses that each cell took.
    sent
        False in a dry run: nothing was sent, and `g_siemens` is what was asked for.
    """

    g_siemens: Floats
    ok: Bools
    pulses: NDArray[np.int64]
    sent: bool = True


@runtime_checkable
class Rig(Protocol):
    """Crossbar tiles with whatever drives them. Lines are at 0 V before and after each command.

    Methods raise a subclass of `vsafsm_memristor.rig.errors.FaultError` where the rig fails.
    """

    def identify(self) -> Identity:
        """Who it is and what it tolerates; applies no voltage."""

    def program(self, tile: int, g_siemens: Floats) -> ProgramReply:
        """Bring the cells of a tile, shape (rows, columns), to these conductances, in siemens."""

    def read(self, tile: int, v_volts: Floats) -> Floats:
        """Apply a voltage to each row (volts), columns at 0 V: -> the current out of each column,
        in amperes.
        """

    def safe(self) -> None:
        """Ground all lines; doing it twice does no harm. Raises `NotSafeError` where that cannot be
        confirmed.
        """


@dataclass(frozen=True)
class Status:
    """Who owns a rig.

    Attributes
    ----------
    owner
        Name of the owner; None where nobody has taken it.
    mine
        Whether it is the one who asks.
    silent_s
        Seconds since the owner has last said something; 0 where there is none.
    """

    owner: str | None
    mine: bool
    silent_s: float


@runtime_checkable
class Ownable(Protocol):
    """A rig that one client takes for itself, and that keeps the limits of its owner's session.

    While it is taken, `program`, `read` and `safe` of anybody else raise `BusyError`, and so does
    `take`; anybody may `identify` and ask for the `status`. Only its owner keeps its watchdog
    quiet.
    """

    def take(self, limits: Limits) -> None:
        """Own it from now on, within these limits, none of which is wider than the rig's own. Who
        owns it already takes it anew. Raises `BusyError` where another owns it, and `RefusedError`
        where it turns out that the rig does not keep others out.
        """

    def release(self) -> None:
        """Own it no more, with all lines grounded; doing it twice does nothing."""

    def status(self) -> Status:
        """Who owns it; applies no voltage, and feeds no watchdog but the owner's."""

    def beat(self) -> None:
        """A sign of life of the owner."""


@runtime_checkable
class Closable(Protocol):
    """A rig that holds a connection."""

    def close(self) -> None:
        """Let go of it; closing twice does nothing."""


class TargetMaps(Protocol):
    """The conductances that stand for a program on a rig.

    Attributes
    ----------
    siemens
        One array per tile, shape (rows, columns), in siemens; `UNTOUCHED` where a cell is not used.
    content_hash
        Hash of all that they were made from.
    v_read_v
        Voltage of an active row in a read.
    """

    @property
    def siemens(self) -> Sequence[Floats]: ...
    @property
    def content_hash(self) -> str: ...
    @property
    def v_read_v(self) -> float: ...


def _check_limit(name: str, value: object, least: int) -> None:
    if name in COUNTS:
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise RefusedError(f"{name} is {value!r}; expected a whole number of at least {least}")
    elif (
        not isinstance(value, Real)
        or isinstance(value, bool)
        or value <= 0
        or not value <= sys.float_info.max
    ):
        raise RefusedError(f"{name} is {value!r}; expected a finite number above 0")
