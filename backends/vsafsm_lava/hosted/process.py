"""`HostedFSM`: an `AttractorFSM` that works for a session instead of with other Processes."""

from __future__ import annotations

from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from vsafsm_lava.attractor.process import AttractorFSM

CHUNK = 64
"""Most steps in a chunk."""


class HostedFSM(AttractorFSM):
    """An `AttractorFSM` that shares memory with whoever runs it, in place of an Injector and an
    Extractor.

    One message per step would cost more than the step. Orders are written before a run and read by
    its first step; the report is written by its last step and read after it.

    Attributes
    ----------
    orders : (2,)
        The channel that spikes in the first step of a chunk (-1 for none), and how many steps it
        has.
    report : (CHUNK, N / 8 rounded up)
        Which neurons fired in each step, as bits.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.orders = _shared((2,), np.int32)
        self.report = _shared((CHUNK, (len(options["bias"]) + 7) // 8), np.uint8)
        self.proc_params["orders"], self.proc_params["report"] = self.orders, self.report


def _shared(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array that processes started by fork share."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap(-1, size), dtype).reshape(shape)
