"""What sessions of every kind share: a line about them, and a check of steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from vsafsm.errors import SessionError

MOST_STEPS = 10_000_000
"""Steps that a network is held or rests in one go, where each of them is run."""


class _Readable(Protocol):
    @property
    def state(self) -> str | None: ...

    @property
    def counts(self) -> Mapping[str, int]: ...


def session_repr(session: _Readable, is_open: bool) -> str:
    """A session of any backend in one line: where it is, and for how long it has run."""
    name = type(session).__name__
    if not is_open:
        return f"<{name}: closed>"
    where = "in no state" if session.state is None else f'in "{session.state}"'
    return f"<{name}: {where} after {session.counts['steps']} steps>"


def steps_of(name: str, value: int | None, least: int, most: int | None = None) -> int:
    """A number of steps that is asked for, or the least where it is None; raises `SessionError`."""
    return least if value is None else checked_steps(name, value, least, most)


def checked_steps(name: str, value: object, least: int, most: int | None) -> int:
    """A number of steps that is asked for; raises `SessionError`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SessionError(
            f"{name} of {value!r} steps is not possible; expected a whole number of at least"
            f" {least}"
        )
    if most is not None and value > most:
        raise SessionError(f"{name} of {value} steps is too long; expected at most {most}")
    return value
