"""How much memory there is, so that what does not fit is told before it is begun."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from vsafsm.errors import CompileError

_GROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
GIB = 2**30


def most_memory() -> int | None:
    """Bytes that this process may take: those of the machine, or of its control group or resource
    limit where that is less; None where nothing says so.
    """
    found = []
    # Not every system tells each of them.
    with suppress(AttributeError, OSError, ValueError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError):
        limit = _GROUP_LIMIT.read_text().strip()
        found += [int(limit)] if limit.isdigit() else []
    with suppress(ImportError, OSError):
        import resource

        soft = resource.getrlimit(resource.RLIMIT_AS)[0]
        found += [soft] if soft != resource.RLIM_INFINITY else []
    return min(found, default=None)


def check_memory(needed: int, what: str, remedy: str) -> None:
    """Refuse what needs more memory than there is.

    Parameters
    ----------
    needed
        Bytes.
    what, remedy
        What needs them, and what would need less, for the message.

    Raises
    ------
    CompileError
        With both figures.
    """
    most = most_memory()
    if most is not None and needed > most:
        raise CompileError(
            f"{what} needs about {needed / GIB:.3g} GiB of memory, and there are"
            f" {most / GIB:.3g} GiB; expected {remedy}"
        )
