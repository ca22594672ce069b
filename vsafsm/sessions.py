"""What sessions of every kind share: a line about them, and a check of steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from vsafsm.errors import SessionError


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


def steps_of(name: str, value: int | None, least: int) -> int:
    """A number of steps that is asked for, or the least where it is None; raises `SessionError`."""
    if value is None:
        return least
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SessionError(
            f"{name} of {value!r} steps is not possible; expected a whole number of at least"
            f" {least}"
        )
    return value
