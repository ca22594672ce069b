"""Bytes of a connection in, messages out: whatever comes, no more than one message is held.

What is no message is answered once, and then skipped: up to the end of the line, or, where a block
was promised that is too long, as many bytes as were promised. A message that was begun and does not
go on for `PAUSE_S` is given up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from vsafsm_memristor.rig_simulator.refusals import RefusalError

PAUSE_S = 2.0
MOST_HEAD = 64
_HEAD = re.compile(rb"(([A-Z?:]{1,16}) ([0-9A-F]{8}),([0-9]{1,6}),)([0-9A-F]{8}),#9([0-9]{9})")


@dataclass(frozen=True)
class Head:
    """What stands before a block."""

    name: str
    number: int
    tile: int
    text: bytes
    checksum: int
    length: int


@dataclass(frozen=True)
class Message:
    """A message that has come whole; `end` is the byte after its block."""

    head: Head
    block: bytes
    end: bytes


@dataclass(frozen=True)
class Line:
    """A line of plain SCPI that begins with ``*``."""

    text: bytes


@dataclass(frozen=True)
class Refused:
    """What was no message, or too long, and the reply to it."""

    number: int
    reply: str


class _State(Enum):
    HEAD = auto()
    BLOCK = auto()
    SKIP_LINE = auto()
    SKIP_BYTES = auto()


class Incoming:
    """The bytes of one connection.

    Parameters
    ----------
    admit
        Raises `RefusalError` for a message whose block must not come, by its head.
    """

    def __init__(self, admit: Callable[[Head], None]) -> None:
        self._admit = admit
        self._held = bytearray()
        self._state, self._left = _State.HEAD, 0
        self._head: Head | None = None

    @property
    def held(self) -> int:
        """Bytes that are held."""
        return len(self._held)

    @property
    def awaited(self) -> int:
        """Bytes of the block that is on its way; 0 where none is."""
        return self._left if self._state is _State.BLOCK else 0

    @property
    def idle(self) -> bool:
        """Whether nothing was begun."""
        return self._state is _State.HEAD and not self._held

    def feed(self, data: bytes) -> Iterator[Message | Line | Refused]:
        """What has come whole with these bytes."""
        place = 0
        while place < len(data):
            if self._state is _State.SKIP_BYTES:
                size = min(self._left, len(data) - place)
                place, self._left = place + size, self._left - size
                self._state = _State.SKIP_BYTES if self._left else _State.HEAD
            elif self._state is _State.SKIP_LINE:
                end = data.find(b"\n", place)
                place = len(data) if end < 0 else end + 1
                self._state = _State.SKIP_LINE if end < 0 else _State.HEAD
            else:
                wanted = self._left if self._state is _State.BLOCK else MOST_HEAD
                size = min(wanted - len(self._held), len(data) - place)
                self._held += data[place : place + size]
                place += size
                yield from self._block() if self._state is _State.BLOCK else self._heads()

    def give_up(self) -> Iterator[Refused]:
        """Nothing has come for a while: what was begun is dropped."""
        number = self._head.number if self._head is not None else 0
        said = self._state is not _State.SKIP_LINE and not self.idle
        self._reset()
        if said:
            yield Refused(number, f"TIMEOUT the message did not go on within {PAUSE_S:g} s")

    def _reset(self) -> None:
        self._held.clear()
        self._state, self._head, self._left = _State.HEAD, None, 0

    def _heads(self) -> Iterator[Message | Line | Refused]:
        while self._state is _State.HEAD and self._held:
            form = _HEAD.match(self._held)
            if form is not None:
                yield from self._begin(form)
                continue
            end = self._held.find(b"\n")
            if end < 0 and len(self._held) < MOST_HEAD:
                return
            line = bytes(self._held[: end if end >= 0 else MOST_HEAD])
            if end < 0:
                self._reset()
                self._state = _State.SKIP_LINE
            else:
                del self._held[: end + 1]
            if line[:1] == b"*" and end >= 0:
                yield Line(line.strip())
            elif line.strip():
                yield Refused(0, f"FORMAT {_shown(line)} is no message")
        if self._state is _State.BLOCK:
            yield from self._block()

    def _begin(self, form: re.Match[bytes]) -> Iterator[Refused]:
        text, name, number, tile, checksum, length = form.groups()
        head = Head(
            name.decode(), int(number, 16), int(tile), bytes(text), int(checksum, 16), int(length)
        )
        del self._held[: form.end()]
        try:
            self._admit(head)
        except RefusalError as refusal:
            yield Refused(head.number, str(refusal))
            self._left = max(0, head.length + 1 - len(self._held))
            del self._held[: head.length + 1]
            self._state = _State.SKIP_BYTES if self._left else _State.HEAD
            self._head = None
            return
        self._state, self._head, self._left = _State.BLOCK, head, head.length + 1

    def _block(self) -> Iterator[Message | Line | Refused]:
        if len(self._held) < self._left or self._head is None:
            return
        head, size = self._head, self._left
        with memoryview(self._held) as view:
            message = Message(head, bytes(view[: size - 1]), bytes(view[size - 1 : size]))
        del self._held[:size]
        self._state, self._head, self._left = _State.HEAD, None, 0
        yield message
        yield from self._heads()


def _shown(line: bytes) -> str:
    return repr(line[:24])[1:]
