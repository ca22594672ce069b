"""Reading and building large machines without passes of the garbage collector that find nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """The collector of cycles is off inside.

    For code that makes millions of objects without cycles: while it runs, the collector would walk
    all of them again and again, which takes as long as making them. Objects without cycles are
    freed all the same.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
