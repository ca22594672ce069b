"""Messages between a client and a rig that speaks SCPI: a command, its block, and the reply.

Each command is answered by one reply, and carries a number that the reply repeats. Numbers in
headers are hexadecimal but for the tile and the length; blocks are IEEE 488.2 definite-length
blocks with nine digits of length::

    RIG:<NAME> <number, 8>,<tile>,<checksum, 8>,#9<length, 9><block>\\n
    <number, 8>,<OK or NO>,<checksum, 8>,#9<length, 9><block>\\n

The checksum is the CRC-32 of what stands before it, up to and with the comma, followed by the
block. Arrays are little-endian, row by row.

=============  ================================  ==================================================
command        block                             block of the reply
=============  ================================  ==================================================
``RIG:CAP?``   empty                             JSON: model, serial, limits, watchdog_s or null,
                                                 session_s, pulse_s
``RIG:USAB?``  empty                             usable cells, packed bits, highest first
``RIG:STAT?``  empty                             JSON: owner or null, yours, silent_s, limits of the
                                                 session, up, tripped
``RIG:LOG?``   empty                             the last entries of the rig's log, one per line
``RIG:AUTH``   access token                      ``AUTH``
``RIG:OPEN``   JSON: key, owner, limits          JSON: owner, session_s, limits in force
``RIG:BEAT``   empty                             ``BEAT``
``RIG:PROG``   float64 siemens, 0: unchanged     float64 siemens, uint8 in tolerance, uint32 pulses
``RIG:READ?``  float64 volts, one per row        float64 amperes, one per column
``RIG:SAFE``   empty, or the key                 ``SAFE``
``RIG:CLOSE``  empty                             ``CLOSED``
=============  ================================  ==================================================

A session begins with ``RIG:OPEN`` and belongs to the connection that sent it. Its limits are the
rig's own where they are not given, and none may be wider. ``RIG:CAP?``, ``RIG:USAB?``,
``RIG:STAT?`` and ``RIG:LOG?`` answer anybody; all else answers ``BUSY`` to whoever is not the
owner, and so does ``RIG:OPEN``. The key, 16 to 128 visible characters that nobody else knows, is
for a second connection of the same owner: ``RIG:OPEN`` with it moves the session, ``RIG:SAFE``
with it grounds the lines. The session ends with ``RIG:CLOSE``, once the owner has hung up and the
lines are at 0 V, and where another opens the rig after the owner has been silent for session_s.
Lines are grounded whenever the owner changes, and what was under way is cut short.

The watchdog grounds lines that are up once the owner has said nothing for watchdog_s; what others
say does not count, nor does work that is under way. A write has to be sent in parts that take less:
at most cells times pulses_per_cell times pulse_s.

``RIG:PROG`` and ``RIG:READ?`` return every line to 0 V before the reply. ``RIG:SAFE`` is heard on a
connection of its own too, and cuts short what is under way.

A reply that says ``NO`` has ``CODE text`` in its block:

=============  ====================================================================================
code           meaning
=============  ====================================================================================
``FORMAT``     not a message; the number of the reply is 0, and the line is skipped
``TIMEOUT``    a message that was begun and did not go on for 2 s; it is dropped
``CHECKSUM``   the checksum is another
``LENGTH``     a block that is longer than this command takes, or of another length; it is skipped
``COMMAND``    no such command
``TILE``       no such tile
``JSON``       the block is no JSON object of the documented form (NaN is none)
``KEY``        a key that is not known, or one that is missing
``LIMITS``     limits that make no sense, or are wider than the rig's own
``RANGE``      a voltage, a conductance or a time out of range
``CURRENT``    a line would carry more than the limit of the session
``BUDGET``     more pulses could be needed than are left
``AUTH``       ``RIG:AUTH`` first, with the access token
``BUSY``       owned by another client, who is named
``SESSION``    ``RIG:OPEN`` first
``WATCHDOG``   the watchdog has grounded the lines; ``RIG:SAFE`` first
``CUT``        cut short: the lines were grounded meanwhile
``INTERNAL``   a mistake of the rig itself; the lines are grounded
=============  ====================================================================================

A rig holds at most 16 MiB of messages, over all its connections: only one block of more than 64 KiB
is on its way at a time, and only to the owner. The simulated rig takes 32 connections; a further
one gets ``BUSY`` with the number 0, and is closed. Nothing is encrypted.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import Any, Protocol

from vsafsm_memristor.rig.errors import (
    BusyError,
    FaultError,
    NoAnswerError,
    RigRefusedError,
)

HEADER_BYTES = 32
BODY_S = 2.0
"""Seconds in which a reply that has begun has to go on."""
MOST_BYTES = 1 << 28
_HEADER = re.compile(rb"([0-9A-F]{8}),(OK|NO),([0-9A-F]{8}),#9([0-9]{9})")


class Line(Protocol):
    """A connection that sends and receives bytes, or raises a `FaultError`."""

    def send(self, message: bytes, timeout_s: float) -> None:
        """Send bytes."""

    def wait(self, timeout_s: float) -> None:
        """Wait until a reply begins, where that can be told."""

    def receive(self, count: int, timeout_s: float) -> bytes:
        """So many bytes."""


def exchange(
    line: Line,
    name: str,
    number: int,
    timeout_s: float,
    *,
    tile: int = 0,
    block: bytes = b"",
    length: int | None = None,
) -> bytes:
    """Send a command and take its reply: -> the block of the reply.

    Parameters
    ----------
    timeout_s
        Seconds until the reply has to begin.
    length
        Bytes that the block of the reply has to have.

    Raises
    ------
    BusyError
        If the rig is owned by another; the line can be used as before.
    FaultError
        If the line fails, or the reply cannot be used, or the rig refuses.
    """
    head = f"{name} {number:08X},{tile},".encode()
    line.send(
        head + b"%08X,#9%09d" % (zlib.crc32(head + block), len(block)) + block + b"\n", timeout_s
    )
    line.wait(timeout_s)
    header = line.receive(HEADER_BYTES, timeout_s)
    form = _HEADER.fullmatch(header)
    if form is None:
        raise FaultError(
            f"{name}: the reply begins with {header!r}; expected the header of a reply"
        )
    good, said = form[2] == b"OK", int(form[4])
    if said > MOST_BYTES:
        raise FaultError(f"{name}: a reply of {said} bytes; expected at most {MOST_BYTES}")
    if good and length is not None and said != length:
        raise FaultError(f"{name}: a reply of {said} bytes; expected {length}")
    body = _body(line, name, said, min(timeout_s, BODY_S))
    if zlib.crc32(header[:12] + body) != int(form[3], 16):
        raise FaultError(f"{name}: the reply does not match its checksum; expected it unaltered")
    if int(form[1], 16) != number:
        raise FaultError(
            f"{name}: the reply is to command {int(form[1], 16)}; expected {number}, the last one"
        )
    if not good:
        raise _refusal(name, body)
    return body


def _body(line: Line, name: str, length: int, timeout_s: float) -> bytes:
    """The block of a reply, without the end of the line behind it."""
    try:
        body = line.receive(length + 1, timeout_s)
    except NoAnswerError:
        raise FaultError(
            f"{name}: the reply broke off; expected the {length} bytes that it promised"
        ) from None
    if body[-1:] != b"\n":
        raise FaultError(f"{name}: the reply does not match its checksum; expected it unaltered")
    return body[:-1]


def _refusal(name: str, block: bytes) -> BusyError | RigRefusedError:
    """What a rig says that does not do as asked."""
    code, _, text = block.decode("ascii", "backslashreplace").partition(" ")
    if code == "BUSY":
        return BusyError(f"{name}: the rig is busy, {text}; expected it to be free")
    return RigRefusedError(
        f"{name}: the rig refused: {code} {text}; expected it to do as asked", code
    )


def as_object(block: bytes) -> dict[str, Any]:
    """The JSON object in a block. Raises `FaultError` where it has none."""
    try:
        said = json.loads(block.decode("utf-8"))
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise FaultError(f"the rig says {block[:60]!r}; expected a JSON object")
    return said
