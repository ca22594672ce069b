"""Threads that share the work of a compilation.

NumPy lets other threads run during its loops, so that threads are enough, and nothing has to be
copied. What they work out does not depend on their number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from threading import Event, local
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")


class Map(Protocol):
    """As the built-in ``map``."""

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterable[Result]: ...


def cores() -> int:
    """Cores that this process may use: those of its affinity, and no more than the variable
    ``OMP_NUM_THREADS`` says, which others set where many processes share a machine.
    """
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(there or 1, int(asked) if asked.isdecimal() else there or 1))


@contextmanager
def shared_by(threads: int) -> Iterator[Map]:
    """A ``map`` whose calls are shared by some threads; the built-in one for a single thread.

    Meanwhile matrix products have one thread each: theirs would wait for each other.
    """
    if threads < 2:
        yield map
        return
    stop = Event()
    with (
        _libraries().limit(limits=1),
        ThreadPoolExecutor(threads, initializer=setattr, initargs=(_own, "stop", stop)) as pool,
    ):
        try:
            yield pool.map
        finally:
            # Where this thread was interrupted, the pool waits for the others.
            stop.set()


def go_on() -> None:
    """For long work to call now and then: ends the thread that it is in where nobody waits for the
    work any more.
    """
    stop: Event | None = getattr(_own, "stop", None)
    if stop is not None and stop.is_set():
        raise SystemExit


_own = local()


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
