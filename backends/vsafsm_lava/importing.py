"""Importing Lava, which sets how processes are started, and fails where that is set already, if
only to the same.
"""

from __future__ import annotations

import importlib
import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SETS_IT = "lava.magma.runtime.message_infrastructure.multiprocessing"


def import_lava() -> None:
    """Import what sets it, so that everything else of Lava can be imported."""
    if _SETS_IT not in sys.modules:
        with _forgiving():
            importlib.import_module(_SETS_IT)


@contextmanager
def _forgiving() -> Iterator[None]:
    if multiprocessing.get_start_method(allow_none=True) != "fork":
        yield
        return
    before = multiprocessing.set_start_method
    multiprocessing.set_start_method = lambda method, force=False: None
    try:
        yield
    finally:
        multiprocessing.set_start_method = before
