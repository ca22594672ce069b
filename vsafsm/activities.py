"""`Activities`: which neurons fire, as lists and not as bits, so that their size is that of the
activity and not that of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.vsa import Bits

Indices = NDArray[np.intp]
Neurons = NDArray[np.int32]
"""Neurons that fire, sorted: (k,)."""


@dataclass(frozen=True, eq=False)
class Activities:
    """B activities: row b has the neurons ``neurons[starts[b]:starts[b + 1]]``.

    Attributes
    ----------
    starts : (B + 1,)
    neurons : (starts[B],)
        Sorted within each row.

    Examples
    --------
    >>> some = activities_of([[1, 4], [], [0]])
    >>> len(some), some.counts.tolist(), some[0].tolist()
    (3, [2, 0, 1], [1, 4])
    """

    starts: Indices
    neurons: Neurons

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> Neurons:
        return self.neurons[self.starts[row] : self.starts[row + 1]]

    @property
    def counts(self) -> Indices:
        """Neurons of each row: (B,)."""
        return np.diff(self.starts)

    @property
    def rows(self) -> Indices:
        """The row of each entry of `neurons`."""
        return np.repeat(np.arange(len(self)), self.counts)

    @property
    def keys(self) -> list[bytes]:
        """Equal for equal rows."""
        data, ends = self.neurons.tobytes(), (4 * self.starts).tolist()
        return [data[a:b] for a, b in pairwise(ends)]

    def take(self, rows: Indices) -> Activities:
        """Some rows, in the order asked for."""
        counts = self.counts[rows]
        return Activities(starts_of(counts), self.neurons[ranges(self.starts[rows], counts)])

    def kept(self, which: Bits) -> Activities:
        """The entries of `neurons` that are marked."""
        counts = np.bincount(self.rows[which], minlength=len(self))
        return Activities(starts_of(counts), self.neurons[which])

    def bits(self, neurons: int) -> Bits:
        """The same as bits: (B, neurons)."""
        found = np.zeros((len(self), neurons), np.bool_)
        found[self.rows, self.neurons] = True
        return found


def activities_of(rows: Sequence[Neurons] | Sequence[Sequence[int]]) -> Activities:
    """Activities from the sorted neurons of each."""
    counts = np.array([len(row) for row in rows], np.intp)
    neurons = np.concatenate(rows) if len(rows) else np.zeros(0)
    return Activities(starts_of(counts), neurons.astype(np.int32))


def from_bits(bits: Bits) -> Activities:
    """Activities from bits (B, N)."""
    rows, neurons = np.nonzero(bits)
    return Activities(starts_of(np.bincount(rows, minlength=len(bits))), neurons.astype(np.int32))


def join(parts: Sequence[Activities]) -> Activities:
    """The rows of several, one after the other."""
    counts = np.concatenate([each.counts for each in parts])
    return Activities(starts_of(counts), np.concatenate([each.neurons for each in parts]))


def distinct(table: NDArray[Any], axis: int = 0) -> tuple[Indices, Indices]:
    """The first of each distinct row (or column), and the number of each row among those: in the
    order in which they appear.

    Examples
    --------
    >>> [each.tolist() for each in distinct(np.array([[2, 2], [1, 1], [2, 2], [0, 1]]))]
    [[0, 1, 3], [0, 1, 0, 2]]
    """
    _, first, which = np.unique(table, axis=axis, return_index=True, return_inverse=True)
    return np.sort(first), np.argsort(np.argsort(first))[which.reshape(-1)]


def starts_of(counts: Indices) -> Indices:
    """Where rows of so many entries start, and the end of the last."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)


def ranges(starts: Indices, counts: Indices) -> Indices:
    """``starts[i], ..., starts[i] + counts[i] - 1`` for every i, one after the other."""
    before = np.cumsum(counts) - counts
    return np.asarray(np.repeat(starts - before, counts) + np.arange(int(counts.sum())))
