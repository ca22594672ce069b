"""What the simulated rig does at a message: who may, and what comes of it."""

from __future__ import annotations

import hmac
import json
import threading
from dataclasses import asdict, dataclass
from typing import NoReturn

import numpy as np

from vsafsm_memristor.rig_simulator.array import Array
from vsafsm_memristor.rig_simulator.lines import Lines
from vsafsm_memristor.rig_simulator.messages import Head
from vsafsm_memristor.rig_simulator.refusals import RefusalError
from vsafsm_memristor.rig_simulator.sessions import Bounds, Session, Sessions

MEMORY = 16 << 20
"""Bytes of messages that all connections together may hold."""
CONNECTIONS = 32
SMALL = 1 << 16
"""Bytes of a block of whoever does not own the rig."""
LARGE = MEMORY - CONNECTIONS * (SMALL + 64)
LOOKS = ("RIG:CAP?", "RIG:USAB?", "RIG:STAT?", "RIG:LOG?")
"""What anybody may ask."""
WORK = ("RIG:PROG", "RIG:READ?", "RIG:AGE")
"""What takes its time, and is done one after the other."""
OWNERS = (*WORK, "RIG:BEAT", "RIG:CLOSE")
COMMANDS = (*LOOKS, *OWNERS, "RIG:AUTH", "RIG:OPEN", "RIG:SAFE")


@dataclass(frozen=True)
class About:
    """What it says of itself beside its limits. `pulse_s` is what a pulse takes at most."""

    model: str
    serial: str
    watchdog_s: float | None
    session_s: float
    pulse_s: float


@dataclass(frozen=True)
class Timing:
    """How long things take, in seconds, and whether lines are left up after a read."""

    latency_s: float
    pulse_s: float
    slow_s: float
    sticky: bool


class Instrument:
    """Does what messages ask."""

    def __init__(
        self,
        about: About,
        own: Bounds,
        array: Array,
        lines: Lines,
        sessions: Sessions,
        timing: Timing,
        token: str | None = None,
    ) -> None:
        self._about, self._own, self._array, self._lines = about, own, array, lines
        self._sessions, self._timing, self._token = sessions, timing, token
        self._work = threading.Lock()
        self._spent = 0

    @property
    def name(self) -> str:
        """The reply to ``*IDN?``."""
        return f"vsafsm,{self._about.model},{self._about.serial},1"

    @property
    def needs_token(self) -> bool:
        """Whether a connection has to show an access token first."""
        return self._token is not None

    def admit(self, connection: int, trusted: bool, head: Head) -> None:
        """Raise `RefusalError` for a block that must not come."""
        if head.name not in COMMANDS:
            raise RefusalError("COMMAND", f"there is no {head.name}")
        if not trusted and head.name != "RIG:AUTH":
            raise RefusalError("AUTH", "RIG:AUTH first, with the access token")
        if head.name in OWNERS:
            self._sessions.require(connection)
        most = LARGE if head.name == "RIG:PROG" else SMALL
        if head.length > most:
            raise RefusalError("LENGTH", f"a block of {head.length} bytes; at most {most}")

    def is_token(self, block: bytes) -> bool:
        """Whether these bytes are the access token; compared in constant time."""
        return self._token is None or hmac.compare_digest(block, self._token.encode())

    def answer(self, connection: int, head: Head, block: bytes, fault: str | None) -> bytes:
        """The block of the reply. Raises `RefusalError`."""
        name, slow_s = head.name, self._timing.slow_s if fault == "slow" else 0.0
        if not 0 <= head.tile < self._own.tiles:
            raise RefusalError("TILE", f"there is no tile {head.tile}")
        if name == "RIG:SAFE":  # waits for nobody
            self._sessions.require_key(connection, block)
            self._lines.ground("safe")
            self._lines.tripped = False
            return b"SAFE"
        if name in WORK:
            self._sessions.working(1)
            try:
                with self._work:
                    return self._done(connection, name, head.tile, block, slow_s)
            finally:
                self._sessions.working(-1)
        if slow_s:
            threading.Event().wait(slow_s)
        return self._told(connection, name, head.tile, block)

    def _told(self, connection: int, name: str, tile: int, block: bytes) -> bytes:
        if name == "RIG:CAP?":
            return json.dumps({**asdict(self._about), **asdict(self._own)}).encode()
        if name == "RIG:USAB?":
            return np.packbits(self._array.usable[tile]).tobytes()
        if name == "RIG:STAT?":
            return json.dumps(self._sessions.status(connection)).encode()
        if name == "RIG:LOG?":
            return "\n".join(self._lines.told()).encode()
        if name == "RIG:OPEN":
            return json.dumps(self._sessions.open(connection, block)).encode()
        if name == "RIG:CLOSE":
            self._sessions.close(connection)
            return b"CLOSED"
        if name == "RIG:BEAT":
            self._sessions.require(connection)
            return b"BEAT"
        raise RefusalError("COMMAND", f"there is no {name}")

    def _done(self, connection: int, name: str, tile: int, block: bytes, slow_s: float) -> bytes:
        self._lines.begin()  # before the owner is looked at: who takes the rig cuts this short
        session = self._sessions.require(connection)
        if name == "RIG:AGE":
            return self._age(block)
        if self._lines.tripped:
            raise RefusalError("WATCHDOG", "the lines were grounded; RIG:SAFE first")
        if tile >= session.bounds.tiles:
            raise RefusalError("TILE", f"tile {tile} is beyond the limits of the session")
        do = self._read if name == "RIG:READ?" else self._program
        return do(session, tile, block, slow_s)

    def _age(self, block: bytes) -> bytes:
        try:
            seconds = float(block)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= 1e12:
            raise RefusalError("RANGE", "seconds are no number from 0 to 1e12")
        self._array.age(seconds)
        return b"AGED"

    def _read(self, session: Session, tile: int, block: bytes, slow_s: float) -> bytes:
        if len(block) != 8 * self._own.rows:
            raise RefusalError("LENGTH", f"{len(block)} bytes of volts")
        volts, bounds = np.frombuffer(block, "<f8"), session.bounds
        if not np.isfinite(volts).all():
            raise RefusalError("RANGE", "a voltage is not finite")
        if not self._lines.apply(tile, "read", volts.tolist(), session.owner):
            self._raise_cut()
        beyond = bool(volts[bounds.rows :].any())
        if beyond or not (np.abs(volts) <= bounds.v_read_max_v).all():
            self._lines.ground("refused")
            raise RefusalError("RANGE", "a voltage is above the limit")
        if not self._lines.hold(self._timing.latency_s + slow_s):
            self._raise_cut()
        currents = self._array.read(tile, volts)
        if not (np.abs(currents) <= bounds.i_line_max_a).all():
            self._lines.ground("refused")
            raise RefusalError("CURRENT", "a column would carry more than the limit")
        if not self._timing.sticky:
            self._lines.ground("done")
        return currents.astype("<f8").tobytes()

    def _program(self, session: Session, tile: int, block: bytes, slow_s: float) -> bytes:
        shape, bounds = (self._own.rows, self._own.columns), session.bounds
        if len(block) != 8 * shape[0] * shape[1]:
            raise RefusalError("LENGTH", f"{len(block)} bytes of siemens")
        target = np.frombuffer(block, "<f8").reshape(shape)
        asked = target[target != 0]
        if not ((asked >= bounds.g_min_s) & (asked <= bounds.g_max_s)).all():
            raise RefusalError("RANGE", "a conductance is out of range")
        if target[bounds.rows :].any() or target[:, bounds.columns :].any():
            raise RefusalError("RANGE", "a cell is beyond the limits of the session")
        most = asked.size * bounds.pulses_per_cell
        if (
            session.spent + most > bounds.write_budget
            or self._spent + most > self._own.write_budget
        ):
            raise RefusalError("BUDGET", "more pulses could be needed than are left")

        def pulse(levels: list[float], cells: int) -> bool:
            nonlocal slow_s
            if not self._lines.apply(tile, "pulse", levels, session.owner):
                return False
            went = self._lines.hold(self._timing.pulse_s * cells + slow_s)
            session.spent += cells
            self._spent += cells
            slow_s = 0.0
            self._lines.ground("done")
            return went

        done = self._array.program(
            tile, target, bounds.pulses_per_cell, bounds.v_program_max_v, pulse
        )
        if done is None:
            self._raise_cut()
        g, ok, pulses = done
        return (
            g.astype("<f8").tobytes() + ok.astype("u1").tobytes() + pulses.astype("<u4").tobytes()
        )

    def _raise_cut(self) -> NoReturn:
        self._lines.ground("cut")
        if self._lines.tripped:
            raise RefusalError("WATCHDOG", "the lines were grounded")
        raise RefusalError("CUT", "the lines were grounded meanwhile")
