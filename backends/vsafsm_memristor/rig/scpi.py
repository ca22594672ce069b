"""A rig that speaks SCPI over TCP, USB or a serial line, through PyVISA.

``TCPIP0::192.168.0.7::5025::SOCKET``, ``USB0::...::RAW`` or ``ASRL/dev/ttyUSB0::INSTR``: any VISA
resource name. PyVISA and PyVISA-py are imported when a rig is opened (``pip install
'vsafsm[memristor]'``). TCP is what the tests use; the other two differ only in what VISA makes of
the name, and have not been tried on hardware.

Messages
--------
Each command is answered by one reply, and carries a number that the reply repeats. Numbers in
headers are hexadecimal
but for the tile and the length; blocks are IEEE 488.2 definite-length blocks with nine digits of
length::

    RIG:<NAME> <number, 8>,<tile>,<checksum, 8>,#9<length, 9><block>\\n
    <number, 8>,<OK or NO>,<checksum, 8>,#9<length, 9><block>\\n

The checksum is the CRC-32 of what stands before it, up to and with the comma, followed by the
block. A reply that says ``NO`` has ``CODE text`` in its block, ``WATCHDOG`` being the one code with
a meaning of its own. Arrays are little-endian, row by row.

=============  ================================  ==================================================
command        block                             block of the reply
=============  ================================  ==================================================
``RIG:CAP?``   empty                             JSON: model, serial, watchdog_s or null, limits
``RIG:USAB?``  empty                             usable cells, packed bits, highest first
``RIG:LIM``    JSON: limits to keep from now on  the limits that are in force
``RIG:PROG``   float64 siemens, 0: unchanged     float64 siemens, uint8 in tolerance, uint32 pulses
``RIG:READ?``  float64 volts, one per row        float64 amperes, one per column
``RIG:SAFE``   empty                             ``SAFE``
=============  ================================  ==================================================

``RIG:PROG`` and ``RIG:READ?`` return every line to 0 V before the reply. ``RIG:SAFE`` is heard on a
connection of its own too, and cuts short what is under way.
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from vsafsm_memristor.rig.checks import check_currents, check_programmed
from vsafsm_memristor.rig.errors import (
    DisconnectedError,
    DistrustedError,
    FaultError,
    LimitsError,
    NoAnswerError,
    NotSafeError,
    ReplyError,
    RigRefusedError,
    UnreachableError,
    WatchdogError,
)
from vsafsm_memristor.rig.protocol import Bools, Floats, Identity, Limits, ProgramReply

Answer = TypeVar("Answer")
HEADER_BYTES = 32
BODY_S = 2.0
"""Seconds in which a reply that has begun has to go on."""
MOST_BYTES = 1 << 28
MOST_CELLS = 1 << 24
INSTALL = "pip install 'vsafsm[memristor]'"
_HEADER = re.compile(rb"([0-9A-F]{8}),(OK|NO),([0-9A-F]{8}),#9([0-9]{9})")
_KEPT = ("v_read_max_v", "v_program_max_v", "i_line_max_a", "pulses_per_cell")


class ScpiRig:
    """A `Rig` at a VISA address. After a fault it is not trusted, and refuses commands, until
    `reopen`.

    Parameters
    ----------
    address
        A VISA resource name.
    timeout_s
        How long it may take to answer, programming apart.
    program_timeout_s
        How long it may take to program a tile.
    library
        The VISA library: ``@py`` for PyVISA-py, or what `pyvisa.ResourceManager` takes.

    Raises
    ------
    UnreachableError
        If PyVISA or PyVISA-py is not installed.
    UnreachableError
        If nothing can be opened at the address.
    FaultError
        If what is there does not answer as a rig does.
    LimitsError
        If its limits make no sense.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout_s: float = 2.0,
        program_timeout_s: float = 120.0,
        library: str = "@py",
    ) -> None:
        self.address = address
        self._timeout_s, self._program_timeout_s, self._library = (
            timeout_s,
            program_timeout_s,
            library,
        )
        self._number = int.from_bytes(
            os.urandom(3), "big"
        )  # replies to an earlier client are out of step too
        self._line: _Line | None = None
        self._why = ""
        self._in_flight = False
        self.reopen()

    def reopen(self) -> None:
        """Open the connection again, ask who is there, and trust it."""
        self.close()
        self._line, self._why = _Line(self.address, self._timeout_s, self._library), ""
        try:
            self._identity = self._ask_identity()
        except BaseException as error:
            self.close()
            if isinstance(error, DisconnectedError):
                raise UnreachableError(f'no rig at "{self.address}": {error}') from None
            raise

    def close(self) -> None:
        """Close the connection; closing twice does nothing."""
        line, self._line, self._why = self._line, None, "the connection is closed"
        if line is not None:
            line.close()

    # ---- the rig

    def identify(self) -> Identity:
        """Who it is: asked anew."""
        self._identity = self._ask_identity()
        return self._identity

    def restrict(self, limits: Limits) -> None:
        """Have it keep limits itself. Raises `RigRefusedError` if it then says that it keeps
        others.
        """
        asked = {name: getattr(limits, name) for name in _KEPT}
        kept = _json(self._ask("RIG:LIM", block=json.dumps(asked).encode()))
        if kept != asked:
            self._distrust("it does not keep limits")
            raise RigRefusedError(
                f"the rig keeps {kept} where {asked} was asked for; expected the same"
            )

    def program(self, tile: int, g_siemens: Floats) -> ProgramReply:
        """Write a tile."""
        asked = np.ascontiguousarray(g_siemens, dtype="<f8")
        cells = asked.size
        block = self._ask(
            "RIG:PROG", tile, asked.tobytes(), length=13 * cells, timeout_s=self._program_timeout_s
        )
        reply = ProgramReply(
            np.frombuffer(block, "<f8", cells).astype(np.float64).reshape(asked.shape),
            np.frombuffer(block, "u1", cells, 8 * cells).astype(np.bool_).reshape(asked.shape),
            np.frombuffer(block, "<u4", cells, 9 * cells).astype(np.int64).reshape(asked.shape),
        )
        return self._believed(
            lambda: check_programmed(self._identity, self._identity.limits, reply)
        )

    def read(self, tile: int, v_volts: Floats) -> Floats:
        """Read a tile."""
        columns = self._identity.limits.columns
        block = self._ask(
            "RIG:READ?",
            tile,
            np.ascontiguousarray(v_volts, dtype="<f8").tobytes(),
            length=8 * columns,
        )
        amperes = np.frombuffer(block, "<f8").astype(np.float64)
        return self._believed(
            lambda: check_currents(self._identity, self._identity.limits, amperes)
        )

    def safe(self) -> None:
        """Ground all lines; over a connection of its own where the present one cannot be trusted,
        or is in use.
        """
        if self._line is not None and not self._why and not self._in_flight:
            with suppress(FaultError):
                self._ask("RIG:SAFE", length=4)
                return
        self._distrust("it had to be grounded in haste")
        if self._line is not None:
            self._line.close()
        try:
            self._safe_anew()
        except (FaultError, UnreachableError) as error:
            raise NotSafeError(f'grounding of "{self.address}" is not confirmed: {error}') from None

    def _safe_anew(self) -> None:
        line = _Line(self.address, self._timeout_s, self._library)
        try:
            self._number += 1
            _exchange(line, "RIG:SAFE", self._number, 0, b"", 4, self._timeout_s)
        finally:
            line.close()

    # ---- asking

    def _ask_identity(self) -> Identity:
        said = _json(self._ask("RIG:CAP?"))
        missing = {
            "model",
            "serial",
            "watchdog_s",
            *(each.name for each in fields(Limits)),
        } - said.keys()
        if missing:
            raise ReplyError(
                f"the rig does not say its {', '.join(sorted(missing))}; expected all of its limits"
            )
        limits = Limits(**{each.name: said[each.name] for each in fields(Limits)})
        if limits.tiles * limits.rows * limits.columns > MOST_CELLS:
            raise LimitsError(
                f"the rig says that it has {limits.tiles * limits.rows * limits.columns} cells"
            )
        usable = np.stack([self._usable(tile, limits) for tile in range(limits.tiles)])
        watchdog = said["watchdog_s"]
        if watchdog is not None and (
            not isinstance(watchdog, (int, float)) or isinstance(watchdog, bool)
        ):
            raise ReplyError(f"the rig's watchdog_s is {watchdog!r}; expected seconds, or null")
        return Identity(str(said["model"]), str(said["serial"]), limits, usable, watchdog)

    def _usable(self, tile: int, limits: Limits) -> Bools:
        cells = limits.rows * limits.columns
        block = self._ask("RIG:USAB?", tile, length=(cells + 7) // 8)
        bits = np.unpackbits(np.frombuffer(block, np.uint8), count=cells)
        return bits.astype(np.bool_).reshape(limits.rows, limits.columns)

    def _ask(
        self,
        name: str,
        tile: int = 0,
        block: bytes = b"",
        length: int | None = None,
        timeout_s: float | None = None,
    ) -> bytes:
        if self._why or self._line is None:
            raise DistrustedError(
                f'the rig at "{self.address}" is not trusted: {self._why}; expected `reopen`'
            )
        self._number = (self._number + 1) & 0xFFFFFFFF
        self._in_flight = True
        try:
            return _exchange(
                self._line, name, self._number, tile, block, length, timeout_s or self._timeout_s
            )
        except BaseException as error:  # an interrupted exchange leaves half a message behind
            self._distrust(f"{name} failed: {error}")
            raise
        finally:
            self._in_flight = False

    def _believed(self, check: Callable[[], Answer]) -> Answer:
        try:
            return check()
        except FaultError as error:
            self._distrust(str(error))
            raise

    def _distrust(self, why: str) -> None:
        self._why = self._why or why


# ---- messages


def _exchange(
    line: _Line,
    name: str,
    number: int,
    tile: int,
    block: bytes,
    length: int | None,
    timeout_s: float,
) -> bytes:
    head = f"{name} {number:08X},{tile},".encode()
    line.send(
        head + b"%08X,#9%09d" % (zlib.crc32(head + block), len(block)) + block + b"\n", timeout_s
    )
    header = line.receive(HEADER_BYTES, timeout_s)
    form = _HEADER.fullmatch(header)
    if form is None:
        raise ReplyError(
            f"{name}: the reply begins with {header!r}; expected the header of a reply"
        )
    length_said = int(form[4])
    if length_said > MOST_BYTES:
        raise ReplyError(f"{name}: a reply of {length_said} bytes; expected at most {MOST_BYTES}")
    if form[2] == b"OK" and length is not None and length_said != length:
        raise ReplyError(f"{name}: a reply of {length_said} bytes; expected {length}")
    try:
        body = line.receive(length_said + 1, min(timeout_s, BODY_S))
    except NoAnswerError:
        raise ReplyError(
            f"{name}: the reply broke off; expected the {length_said} bytes that it promised"
        ) from None
    if body[-1:] != b"\n" or zlib.crc32(header[:12] + body[:-1]) != int(form[3], 16):
        raise ReplyError(f"{name}: the reply does not match its checksum; expected it unaltered")
    if int(form[1], 16) != number:
        raise ReplyError(
            f"{name}: the reply is to command {int(form[1], 16)}; expected {number}, the last one"
        )
    if form[2] == b"NO":
        code, _, text = body[:-1].decode("ascii", "backslashreplace").partition(" ")
        kind = WatchdogError if code == "WATCHDOG" else RigRefusedError
        raise kind(f"{name}: the rig refused: {code} {text}; expected it to do as asked")
    return body[:-1]


def _json(block: bytes) -> dict[str, Any]:
    try:
        said = json.loads(block.decode("utf-8"))
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise ReplyError(f"the rig says {block[:60]!r}; expected a JSON object")
    return said


class _Line:
    """A connection through VISA that sends and receives bytes, or raises a `FaultError`."""

    def __init__(self, address: str, timeout_s: float, library: str) -> None:
        self._visa = _visa()
        try:
            manager = self._visa.ResourceManager(library)
            self._resource: Any = manager.open_resource(
                address, open_timeout=max(1, int(1000 * timeout_s))
            )
            self._settle()
        except Exception as error:  # PyVISA-py raises plain exceptions here
            raise UnreachableError(
                f'cannot open "{address}": {error}; expected a VISA resource name of a rig that is'
                " switched on, such as TCPIP0::192.168.0.7::5025::SOCKET"
            ) from None
        self._timeout_s = 0.0

    def _settle(self) -> None:
        """Bytes as they are: no termination characters in the middle of a block."""
        resource, constants = self._resource, self._visa.constants
        resource.read_termination, resource.write_termination = None, ""
        if resource.interface_type == constants.InterfaceType.asrl:
            resource.end_input = constants.SerialTermination.none
        own = self._socket()
        if own is not None:
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, message: bytes, timeout_s: float) -> None:
        self._called(lambda: self._resource.write_raw(message), timeout_s)

    def receive(self, count: int, timeout_s: float) -> bytes:
        self._await(timeout_s)
        got: bytes = self._called(
            lambda: self._resource.read_bytes(count, break_on_termchar=False), timeout_s
        )
        return got

    def _await(self, timeout_s: float) -> None:
        """Wait on the socket itself: PyVISA-py does not notice that the other side has closed until
        its time is up.
        """
        own, held = self._socket(), getattr(self._session(), "_pending_buffer", b"")
        if own is None or held:
            return
        try:
            ready = select.select([own], [], [], timeout_s)[0]
        except (OSError, ValueError) as error:
            raise DisconnectedError(
                f"the connection was lost ({error!r}); expected it to stay up"
            ) from None
        if not ready:
            raise NoAnswerError(f"no answer within {timeout_s:g} s; expected a reply")
        if self._hung_up():
            raise DisconnectedError("the rig has hung up; expected a reply")

    def close(self) -> None:
        with suppress(Exception):
            self._resource.close()

    def _called(self, call: Callable[[], Any], timeout_s: float) -> Any:
        try:
            if timeout_s != self._timeout_s:
                self._resource.timeout, self._timeout_s = max(1, int(1000 * timeout_s)), timeout_s
            return call()
        except self._visa.errors.VisaIOError as error:
            if (
                error.error_code == self._visa.constants.StatusCode.error_timeout
                and not self._hung_up()
            ):
                raise NoAnswerError(f"no answer within {timeout_s:g} s; expected a reply") from None
            raise DisconnectedError(
                f"the connection was lost ({error}); expected it to stay up"
            ) from None
        except Exception as error:  # what sockets, USB and serial ports raise
            raise DisconnectedError(
                f"the connection was lost ({error!r}); expected it to stay up"
            ) from None

    def _hung_up(self) -> bool:
        """Whether the other side has closed."""
        own = self._socket()
        if own is None:
            return False
        try:
            return bool(own.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"")
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True

    def _socket(self) -> Any:
        """PyVISA-py's socket, or None where there is none."""
        own = getattr(self._session(), "interface", None)
        return own if isinstance(own, socket.socket) else None

    def _session(self) -> Any:
        """PyVISA-py's session; None where another library, or nobody, has the connection."""
        try:
            return getattr(self._resource.visalib, "sessions", {}).get(self._resource.session)
        except self._visa.errors.Error:
            return None


def _visa() -> Any:
    try:
        import pyvisa
        import pyvisa_py  # noqa: F401  # the library behind "@py"
    except ImportError as error:
        raise UnreachableError(
            f"a rig at a VISA address needs PyVISA and PyVISA-py, and {error.name} is missing;"
            f" expected: {INSTALL}"
        ) from None
    return pyvisa
