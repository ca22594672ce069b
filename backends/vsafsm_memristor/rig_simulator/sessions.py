"""Who owns the simulated rig, within which limits, and for how long."""

from __future__ import annotations

import hmac
import json
import math
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from vsafsm_memristor.rig_simulator.lines import Lines
from vsafsm_memristor.rig_simulator.refusals import RefusalError

_KEY = re.compile(r"[\x21-\x7e]{16,128}")
_OWNER = re.compile(r"[\x20-\x7e]{1,80}")


@dataclass(frozen=True)
class Bounds:
    """Limits: the rig's own, or those of a session."""

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


NAMES = tuple(each.name for each in fields(Bounds))
COUNTS = ("tiles", "rows", "columns", "pulses_per_cell", "write_budget")


@dataclass
class Session:
    """A session: who has it, and what it has used up. `connection` is None once it has hung up."""

    key: str
    owner: str
    bounds: Bounds
    connection: int | None
    began_s: float
    heard_s: float
    spent: int = 0


class Sessions:
    """At most one session at a time.

    Parameters
    ----------
    own
        The rig's own limits.
    lines
        Grounded whenever the owner changes.
    session_s
        Another client may take the rig once its owner has been silent for so long.
    clock
        Seconds on a monotonic clock.
    """

    def __init__(
        self, own: Bounds, lines: Lines, session_s: float, clock: Callable[[], float]
    ) -> None:
        self._own, self._lines, self._session_s, self._clock = own, lines, session_s, clock
        self._lock = threading.RLock()
        self._session: Session | None = None
        self._working = 0

    def open(self, connection: int, block: bytes) -> dict[str, Any]:
        """Take the rig, or, with the same key, take it anew: -> the limits in force."""
        asked = as_object(block)
        _check_keys(asked, {"key", "owner", "limits"})
        key, owner, limits = asked["key"], asked["owner"], asked["limits"]
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise RefusalError("KEY", "key is not 16 to 128 visible ASCII characters")
        if not isinstance(owner, str) or not _OWNER.fullmatch(owner):
            raise RefusalError("KEY", "owner is not 1 to 80 printable ASCII characters")
        bounds = tightened(self._own, limits)
        with self._lock:
            session = self._session
            if session is not None and not _same(session.key, key) and not self._free(session):
                raise self._busy(session)
            if session is not None:
                self._lines.ground("taken")
            now = self._clock()
            spent = session.spent if session is not None and _same(session.key, key) else 0
            self._session = Session(key, owner, bounds, connection, now, now, spent)
            self._lines.hear()
            kept = {name: getattr(bounds, name) for name in NAMES}
            self._lines.note("open", connection=connection, owner=owner, limits=kept)
            return {"owner": owner, "session_s": self._session_s, "limits": kept}

    def require(self, connection: int) -> Session:
        """The session, if this connection owns it."""
        with self._lock:
            if self._session is None:
                raise RefusalError("SESSION", "the rig has no owner; RIG:OPEN first")
            if self._session.connection != connection:
                raise self._busy(self._session)
            return self._session

    def require_key(self, connection: int, key: bytes) -> None:
        """Raise unless there is no session, this connection owns it, or the key is its own."""
        with self._lock:
            session = self._session
            if session is None or session.connection == connection:
                return
            if not _same(session.key, key.decode("latin-1")):
                raise self._busy(session)

    def hear(self, connection: int) -> None:
        """A connection has said something: it counts if it owns the rig."""
        with self._lock:
            if self._session is not None and self._session.connection == connection:
                self._session.heard_s = self._clock()
                self._lines.hear()

    def working(self, more: int) -> None:
        """A command that takes its time begins (1) or ends (-1)."""
        with self._lock:
            self._working += more

    def close(self, connection: int) -> None:
        """The owner lets go."""
        with self._lock:
            self.require(connection)
            self._lines.ground("close")
            self._lines.tripped = False
            self._session = None
            self._lines.note("close", connection=connection)

    def hang_up(self, connection: int) -> None:
        """A connection is gone. Its session ends at once if nothing is on the lines; otherwise the
        watchdog has to ground them first.
        """
        with self._lock:
            session = self._session
            if session is None or session.connection != connection:
                return
            session.connection = None
            self._lines.note("orphan", connection=connection)

    def status(self, connection: int) -> dict[str, Any]:
        """What anybody may know."""
        with self._lock:
            session = self._session
            if session is not None and session.connection is None and self._free(session):
                session = None
            told: dict[str, Any] = {
                "owner": session.owner if session else None,
                "yours": session is not None and session.connection == connection,
                "silent_s": self._clock() - session.heard_s if session else None,
                "limits": {name: getattr(session.bounds, name) for name in NAMES}
                if session
                else None,
            }
        return {**told, "up": self._lines.up, "tripped": self._lines.tripped}

    def _free(self, session: Session) -> bool:
        """Whether another may take it."""
        if session.connection is None and not self._lines.up and not self._working:
            return True
        return self._clock() - session.heard_s > self._session_s

    def _busy(self, session: Session) -> RefusalError:
        return RefusalError("BUSY", f"owned by {session.owner}")


def as_object(block: bytes) -> dict[str, Any]:
    """A JSON object. NaN and infinity are no JSON."""
    try:
        said = json.loads(block.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise RefusalError("JSON", "the block is no JSON object")
    return said


def tightened(own: Bounds, asked: Any) -> Bounds:
    """The rig's limits with some of them tighter."""
    if not isinstance(asked, dict):
        raise RefusalError("JSON", "limits are no JSON object")
    if unknown := sorted(asked.keys() - set(NAMES)):
        raise RefusalError("KEY", f"unknown limit {unknown[0][:40]!a}; known: {', '.join(NAMES)}")
    for name, value in asked.items():
        _check_limit(name, value, getattr(own, name))
    bounds = replace(own, **asked)
    if bounds.g_min_s > bounds.g_max_s:
        raise RefusalError("LIMITS", "g_min_s is above g_max_s")
    return bounds


def _check_limit(name: str, value: Any, own: float) -> None:
    kind = int if name in COUNTS else (int, float)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise RefusalError("LIMITS", f"{name} is {str(value)[:40]!a}, no number of its kind")
    if isinstance(value, float) and not math.isfinite(value):
        raise RefusalError("LIMITS", f"{name} is not finite")
    if value < 0 or (value == 0 and name != "write_budget"):
        raise RefusalError("LIMITS", f"{name} is not above 0")
    if (value < own) if name == "g_min_s" else (value > own):
        raise RefusalError("LIMITS", f"{name} is wider than the rig's own, {own:g}")


def _check_keys(asked: dict[str, Any], known: set[str]) -> None:
    if unknown := sorted(asked.keys() - known):
        raise RefusalError("KEY", f"unknown key {unknown[0][:40]!a}; known: {sorted(known)}")
    if missing := sorted(known - asked.keys()):
        raise RefusalError("KEY", f"missing key {missing[0]!a}")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _no_constant(name: str) -> float:
    raise ValueError(name)
