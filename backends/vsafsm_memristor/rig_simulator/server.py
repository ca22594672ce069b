"""Connections to the simulated rig: messages in, replies out."""

from __future__ import annotations

import json
import socket
import threading
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import NoReturn

import numpy as np

from vsafsm_memristor.rig_simulator.array import Array
from vsafsm_memristor.rig_simulator.faults import FaultSchedule
from vsafsm_memristor.rig_simulator.lines import Lines


@dataclass(frozen=True)
class Capabilities:
    """What it says of itself."""

    model: str
    serial: str
    watchdog_s: float | None
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


@dataclass(frozen=True)
class Timing:
    """How long things take, in seconds, and whether lines are left up after a read."""

    latency_s: float
    pulse_s: float
    slow_s: float
    sticky: bool


class RefusalError(Exception):
    """It will not; the text is the reply."""


class Instrument:
    """Does what messages ask."""

    def __init__(
        self, own: Capabilities, array: Array, lines: Lines, timing: Timing, faults: FaultSchedule
    ) -> None:
        self._own, self._kept, self._array, self._lines = own, own, array, lines
        self._timing, self._faults, self._lock = timing, faults, threading.Lock()
        self._spent = 0

    def answer(self, name: str, tile: int, block: bytes, fault: str | None) -> bytes:
        """The block of the reply. Raises `RefusalError`."""
        if name == "RIG:SAFE":  # waits for nobody
            self._lines.ground("safe")
            self._lines.tripped = False
            return b"SAFE"
        with self._lock:
            return self._answer(name, tile, block, self._timing.slow_s if fault == "slow" else 0.0)

    def _answer(self, name: str, tile: int, block: bytes, slow_s: float) -> bytes:
        if not 0 <= tile < self._own.tiles:
            raise RefusalError(f"TILE there is no tile {tile}")
        if name in ("RIG:READ?", "RIG:PROG"):
            self._lines.begin()
            if self._lines.tripped:
                raise RefusalError("WATCHDOG the lines were grounded; RIG:SAFE first")
            return (
                self._read(tile, block, slow_s)
                if name == "RIG:READ?"
                else self._program(tile, block, slow_s)
            )
        threading.Event().wait(slow_s) if slow_s else None
        if name == "RIG:CAP?":
            return json.dumps(asdict(self._own)).encode()
        if name == "RIG:USAB?":
            return np.packbits(self._array.usable[tile]).tobytes()
        if name == "RIG:LIM":
            return self._limit(block)
        if name == "RIG:AGE":
            self._array.age(float(block))
            return b"AGED"
        raise RefusalError(f"COMMAND there is no {name}")

    def _read(self, tile: int, block: bytes, slow_s: float) -> bytes:
        if len(block) != 8 * self._own.rows:
            raise RefusalError(f"LENGTH {len(block)} bytes of volts")
        volts = np.frombuffer(block, "<f8")
        self._lines.apply(tile, "read", volts.tolist())
        if not (np.abs(volts) <= self._kept.v_read_max_v).all():
            self._lines.ground("refused")
            raise RefusalError("RANGE a voltage is above the limit")
        if not self._lines.hold(self._timing.latency_s + slow_s):
            self._raise_cut()
        currents = self._array.read(tile, volts)
        if not self._timing.sticky:
            self._lines.ground("done")
        return currents.astype("<f8").tobytes()

    def _program(self, tile: int, block: bytes, slow_s: float) -> bytes:
        shape = (self._own.rows, self._own.columns)
        if len(block) != 8 * shape[0] * shape[1]:
            raise RefusalError(f"LENGTH {len(block)} bytes of siemens")
        target = np.frombuffer(block, "<f8").reshape(shape)
        asked = target[target != 0]
        if not ((asked >= self._own.g_min_s) & (asked <= self._own.g_max_s)).all():
            raise RefusalError("RANGE a conductance is out of range")
        if self._spent >= self._own.write_budget:
            raise RefusalError("BUDGET no pulses are left")

        def pulse(levels: list[float]) -> bool:
            nonlocal slow_s
            self._lines.apply(tile, "pulse", levels)
            went = self._lines.hold(self._timing.pulse_s + slow_s)
            slow_s = 0.0
            self._lines.ground("done")
            return went

        kept = self._kept
        done = self._array.program(tile, target, kept.pulses_per_cell, kept.v_program_max_v, pulse)
        if done is None:
            self._raise_cut()
        g, ok, pulses = done
        self._spent += int(pulses.sum())
        return (
            g.astype("<f8").tobytes() + ok.astype("u1").tobytes() + pulses.astype("<u4").tobytes()
        )

    def _raise_cut(self) -> NoReturn:
        self._lines.ground("cut")
        raise RefusalError(
            "WATCHDOG the lines were grounded" if self._lines.tripped else "CUT by RIG:SAFE"
        )

    def _limit(self, block: bytes) -> bytes:
        asked = json.loads(block)
        if any(value > getattr(self._own, name) for name, value in asked.items()):
            raise RefusalError("RANGE wider than its own limits")
        self._kept = replace(self._own, **asked)
        self._lines.note("limits", **asked)
        return json.dumps(asked).encode()


def serve(
    listening: socket.socket, instrument: Instrument, lines: Lines, faults: FaultSchedule, name: str
) -> None:
    """Take connections, each in a thread of its own, without end."""
    while True:
        connection, _ = listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(
            target=_talk, args=(connection, instrument, lines, faults, name), daemon=True
        ).start()


def _talk(
    connection: socket.socket,
    instrument: Instrument,
    lines: Lines,
    faults: FaultSchedule,
    name: str,
) -> None:
    lines.note("connect")
    with connection, suppress(OSError, ValueError):  # whoever speaks nonsense is hung up on
        _loop(connection, instrument, lines, faults, name)
    lines.note("hangup")


def _loop(
    connection: socket.socket,
    instrument: Instrument,
    lines: Lines,
    faults: FaultSchedule,
    name: str,
) -> None:
    held = bytearray()
    while True:
        if held[:1] == b"*" and b"\n" in held:
            end = held.index(b"\n")
            connection.sendall(f"{name}\n".encode() if held[:end].strip() == b"*IDN?" else b"\n")
            del held[: end + 1]
            continue
        size = _whole(held)
        if size is None:
            more = connection.recv(1 << 18)
            if not more:
                return
            lines.hear()
            held += more
            continue
        message = bytes(held[:size])
        del held[:size]
        if not _serve_one(connection, message, instrument, lines, faults):
            return


def _whole(held: bytearray) -> int | None:
    """Bytes of the first message, or None where it has not come whole. Raises `ValueError` for what
    is none.
    """
    mark = held.find(b"#9", 0, 64)
    if mark < 0 or len(held) < mark + 11:
        if len(held) > 64 and mark < 0:
            raise ValueError("no message")
        return None
    size = mark + 11 + int(held[mark + 2 : mark + 11]) + 1
    return size if len(held) >= size else None


def _serve_one(
    connection: socket.socket,
    message: bytes,
    instrument: Instrument,
    lines: Lines,
    faults: FaultSchedule,
) -> bool:
    mark = message.index(b"#9")
    block = message[mark + 11 : -1]
    head, check = message[: mark - 9], message[mark - 9 : mark - 1]
    name, _, rest = head.decode("ascii").partition(" ")
    number, tile = int(rest.split(",")[0], 16), int(rest.split(",")[1])
    fault = faults.next()
    if fault:
        lines.note("fault", kind=fault, command=name)
    status = b"OK"
    try:
        if zlib.crc32(head + block) != int(check, 16) or message[-1:] != b"\n":
            raise RefusalError("CHECKSUM of the command is wrong")
        reply = faults.spoil_block(fault, name, instrument.answer(name, tile, block, fault))
    except RefusalError as refusal:
        status, reply = b"NO", str(refusal).encode()
    lines.hear()  # the client could not speak while it waited
    if fault in ("mute", "disconnect"):
        return fault == "mute"
    start = b"%08X,%s," % ((number - (fault == "stale")) & 0xFFFFFFFF, status)
    whole = start + b"%08X,#9%09d" % (zlib.crc32(start + reply), len(reply)) + reply + b"\n"
    connection.sendall(faults.spoil_message(whole) if fault == "garbage" else whole)
    return True
