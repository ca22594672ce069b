"""A session in one line, whatever backend it is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


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
