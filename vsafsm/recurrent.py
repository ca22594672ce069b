"""Exact recurrent sums: what a batch of activities drives, computed from the weights.

Sparse activities add up rows of the transposed weights; dense ones take a matrix product in a
floating-point type that holds every partial sum of whole numbers exactly. Either way the result is
the same at any number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.vsa import Bits, Numbers

GATHER = 16
"""Rows are added up where the largest activity is below 1 / GATHER of the neurons."""
CHUNK = 512


def listed(activity: Bits) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of the active neurons of each row (B, most), padded with 0 to the longest, and their
    number (B,).
    """
    rows, columns = np.nonzero(activity)
    count = np.bincount(rows, minlength=len(activity))
    indices = np.zeros((len(activity), int(count.max(initial=0))), np.intp)
    indices[rows, np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)] = columns
    return indices, count


def gathered(
    transposed: Numbers,
    indices: NDArray[np.intp],
    count: NDArray[np.intp],
    kind: type[np.number[Any]],
) -> Numbers:
    """Sum of the listed rows of `transposed` (N, M) for each activity -> (B, M). The largest
    activities come first.

    The order of the additions is fixed, so that the sums of real weights do not depend on threads
    or on the batch.
    """
    total = np.zeros((len(indices), transposed.shape[1]), kind)
    if len(count):
        longer = np.searchsorted(-count, -np.arange(int(count[0])), side="left")
        for column, n in zip(np.ascontiguousarray(indices.T), longer.tolist(), strict=False):
            total[:n] += transposed[column[:n]]
    return total


def multiplied(transposed: Numbers, activity: Bits, largest: int) -> Numbers:
    """The same by a matrix product; `largest` bounds the magnitude of any sum."""
    real = np.float32 if largest < 2**24 else np.float64
    seen, columns = activity.astype(real), transposed.shape[1]
    total = np.empty((len(activity), columns), np.int32)
    for i in range(0, columns, CHUNK):
        total[:, i : i + CHUNK] = seen @ transposed[:, i : i + CHUNK].astype(real)
    return total


def sums(transposed: Numbers, activity: Bits) -> Numbers:
    """``W z`` of each activity (B, N) from the transposed weights (N, M): (B, M), whole where the
    weights are.
    """
    most = int(activity.sum(1).max(initial=0))
    dense = GATHER * most >= len(transposed)
    if transposed.dtype.kind != "i":
        if dense:
            return np.asarray(activity.astype(np.float64) @ transposed)
        return _added(transposed, activity, transposed.dtype.type)
    limit = -int(np.iinfo(transposed.dtype.str).min)
    if dense:
        return multiplied(transposed, activity, limit * most)
    return _added(transposed, activity, np.int16 if limit * most < 2**15 else np.int32).astype(
        np.int32, copy=False
    )


def _added(transposed: Numbers, activity: Bits, kind: type[np.number[Any]]) -> Numbers:
    indices, count = listed(activity)
    order = np.argsort(-count, kind="stable")
    total = np.empty((len(activity), transposed.shape[1]), kind)
    total[order] = gathered(transposed, indices[order], count[order], kind)
    return total
