"""Connections to the simulated rig: bytes in, replies out, without or with a network."""

from __future__ import annotations

import itertools
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress

from vsafsm_memristor.rig_simulator.faults import FaultSchedule
from vsafsm_memristor.rig_simulator.instrument import CONNECTIONS, SMALL, Instrument
from vsafsm_memristor.rig_simulator.lines import Lines
from vsafsm_memristor.rig_simulator.messages import (
    PAUSE_S,
    Head,
    Incoming,
    Line,
    Message,
    Refused,
)
from vsafsm_memristor.rig_simulator.refusals import RefusalError
from vsafsm_memristor.rig_simulator.sessions import Sessions

PIECE = 1 << 16


class HungUpError(Exception):
    """The fault `disconnect`: the connection is to be closed."""


class Server:
    """What all connections share."""

    def __init__(
        self, instrument: Instrument, sessions: Sessions, lines: Lines, faults: FaultSchedule
    ) -> None:
        self.instrument, self.sessions, self.lines, self.faults = (
            instrument,
            sessions,
            lines,
            faults,
        )
        self._numbers, self._lock = itertools.count(1), threading.Lock()
        self._long: int | None = None

    def connect(self) -> Connection:
        """A new connection."""
        return Connection(self, next(self._numbers))

    def begin_long(self, connection: int) -> None:
        """A block longer than `SMALL` is on its way: one at a time, so that memory is bounded."""
        with self._lock:
            if self._long not in (None, connection):
                raise RefusalError("LENGTH", "another long block is on its way")
            self._long = connection

    def end_long(self, connection: int) -> None:
        """It has come, or was given up."""
        with self._lock:
            self._long = None if self._long == connection else self._long


class Connection:
    """One connection: `feed` it bytes, and send what it yields."""

    def __init__(self, server: Server, number: int) -> None:
        self._server, self.number = server, number
        self._trusted = not server.instrument.needs_token
        self._incoming = Incoming(self._admit)
        server.lines.note("connect", connection=number)

    @property
    def held(self) -> int:
        """Bytes that it holds."""
        return self._incoming.held

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The replies to what has come whole with these bytes. Raises `HungUpError`."""
        self._server.sessions.hear(self.number)
        for each in self._incoming.feed(data):
            yield from self._replies(each)
            self._release()

    def give_up(self) -> Iterator[bytes]:
        """Nothing has come for `PAUSE_S`."""
        for each in self._incoming.give_up():
            self._release()
            yield from self._replies(each)

    def hang_up(self) -> None:
        """The connection is gone."""
        self._server.end_long(self.number)
        self._server.sessions.hang_up(self.number)
        self._server.lines.note("hangup", connection=self.number)

    def _admit(self, head: Head) -> None:
        self._server.instrument.admit(self.number, self._trusted, head)
        if head.length > SMALL:
            self._server.begin_long(self.number)

    def _release(self) -> None:
        if self._incoming.awaited <= SMALL + 1:
            self._server.end_long(self.number)

    def _replies(self, each: Message | Line | Refused) -> Iterator[bytes]:
        if isinstance(each, Refused):
            yield _reply(each.number, False, each.reply.encode())
        elif isinstance(each, Line):
            known = each.text == b"*IDN?"
            yield (
                f"{self._server.instrument.name}\n".encode()
                if known
                else _reply(0, False, b"COMMAND of plain SCPI there is *IDN? only")
            )
        else:
            yield from self._answered(each)

    def _answered(self, message: Message) -> Iterator[bytes]:
        head, faults, lines = message.head, self._server.faults, self._server.lines
        fault = faults.next()
        if fault:
            lines.note("fault", kind=fault, command=head.name)
        good = True
        try:
            reply = faults.spoil_block(fault, head.name, self._answer(message, fault))
        except RefusalError as refusal:
            good, reply = False, str(refusal).encode()
        except Exception as error:  # a mistake here must not leave lines up
            lines.ground("internal")
            lines.note("internal", error=f"{type(error).__name__}: {error}"[:200])
            good, reply = False, b"INTERNAL the rig made a mistake; the lines are grounded"
        self._server.sessions.hear(self.number)  # the client could not speak while it waited
        if fault == "disconnect":
            raise HungUpError
        if fault == "mute":
            return
        whole = _reply((head.number - (fault == "stale")) & 0xFFFFFFFF, good, reply)
        yield faults.spoil_message(whole) if fault == "garbage" else whole

    def _answer(self, message: Message, fault: str | None) -> bytes:
        head = message.head
        if zlib.crc32(head.text + message.block) != head.checksum or message.end != b"\n":
            raise RefusalError("CHECKSUM", "of the command is wrong")
        if head.name == "RIG:AUTH":
            if not self._server.instrument.is_token(message.block):
                raise RefusalError("AUTH", "that is not the access token")
            self._trusted = True
            return b"AUTH"
        return self._server.instrument.answer(self.number, head, message.block, fault)


def serve(listening: socket.socket, server: Server) -> None:
    """Take connections, each in a thread of its own, without end."""
    places = threading.Semaphore(CONNECTIONS)
    while True:
        connection, _ = listening.accept()
        if not places.acquire(blocking=False):
            with connection, suppress(OSError):
                connection.sendall(_reply(0, False, b"BUSY too many connections"))
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_talk, args=(connection, server, places), daemon=True).start()


def _talk(connection: socket.socket, server: Server, places: threading.Semaphore) -> None:
    here = server.connect()
    try:
        with connection, suppress(OSError, HungUpError):
            _loop(connection, here)
    finally:
        here.hang_up()
        places.release()


def _loop(connection: socket.socket, here: Connection) -> None:
    connection.settimeout(PAUSE_S)  # to take a reply, too
    while True:
        try:
            data = connection.recv(PIECE)
        except TimeoutError:
            _send(connection, here.give_up())
            continue
        if not data:
            return
        _send(connection, here.feed(data))


def _send(connection: socket.socket, replies: Iterator[bytes]) -> None:
    for reply in replies:
        connection.sendall(reply)


def _reply(number: int, good: bool, block: bytes) -> bytes:
    start = b"%08X,%s," % (number, b"OK" if good else b"NO")
    return start + b"%08X,#9%09d" % (zlib.crc32(start + block), len(block)) + block + b"\n"
