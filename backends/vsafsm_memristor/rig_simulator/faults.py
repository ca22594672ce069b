"""Faults that the simulated rig makes on purpose."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

import numpy as np

KINDS = ("disconnect", "garbage", "wrong-length", "slow", "over-range", "nan", "stale", "mute")
_FORM = re.compile(rf"({'|'.join(KINDS)})(?:@(\d+)|:([0-9.eE+-]+))")


@dataclass(frozen=True)
class Fault:
    """A kind of fault, at the n-th command (counted from 1) or at each command with a
    probability.
    """

    kind: str
    nth: int | None
    probability: float


def parse(text: str) -> Fault:
    """``KIND@N`` or ``KIND:PROBABILITY``. Raises `ValueError`."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(
            f"{text}: expected KIND@N or KIND:PROBABILITY with KIND one of {', '.join(KINDS)}"
        )
    return Fault(form[1], int(form[2]) if form[2] else None, float(form[3] or 0))


class FaultSchedule:
    """Says of each command which fault it meets."""

    def __init__(self, faults: list[Fault], rng: np.random.Generator) -> None:
        self._faults, self._rng, self._count = faults, rng, 0

    def next(self) -> str | None:
        """The fault of the next command, or None."""
        self._count += 1
        for fault in self._faults:
            if fault.nth == self._count or (
                fault.probability and self._rng.random() < fault.probability
            ):
                return fault.kind
        return None

    def spoil_block(self, kind: str | None, name: str, block: bytes) -> bytes:
        """A reply's block, changed before its checksum is made."""
        if kind == "wrong-length":
            return block[:-8] if len(block) > 8 else block + bytes(8)
        if name not in ("RIG:PROG", "RIG:READ?") or kind not in ("over-range", "nan"):
            return block
        (first,) = struct.unpack_from("<d", block)
        worse = float("nan") if kind == "nan" else 1e6 * (abs(first) + 1.0)
        return struct.pack("<d", worse) + block[8:]

    def spoil_message(self, message: bytes) -> bytes:
        """A reply with some of its bytes changed."""
        altered = bytearray(message)
        for place in self._rng.integers(0, len(message), int(self._rng.integers(1, 9))):
            altered[place] ^= int(self._rng.integers(1, 256))
        return bytes(altered) if bytes(altered) != message else b"?" * len(message)
