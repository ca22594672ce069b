"""Bounds on drives that hold whatever the order in which neurons are updated.

A code y comes up under a mask while a code x is left. What fires on the way is taken apart: some of
x (what x and both masks share fires at first), and some of y. Drives are linear in what fires, so
their extremes over all sets of so many neurons of y are sums of sorted weights. The invariant, for
each number c of neurons of y that are up, is the set of neurons of x that are sure to be on still.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.network import Network
from vsafsm.order_changes import Parts, parts
from vsafsm.situations import Arc

Sums = NDArray[Any]


@dataclass(frozen=True)
class Shortfall:
    """A bound that does not hold.

    Attributes
    ----------
    kind
        ``"comes"``: a neuron of the new code may not come up, or go off again; ``"stays"``: nothing
        makes a neuron of the old code go off once the new one is up; ``"other"``: a neuron of
        neither code may come up.
    neuron
        One for which the bound is worst.
    up, of
        How many neurons of the new code are up then, and how many it has under the mask.
    drive
        The extreme drive, in LSBs: the smallest where it should be positive, the largest where not.
    """

    kind: str
    neuron: int
    up: int
    of: int
    drive: float

    def __str__(self) -> str:
        told = {
            "comes": f"neuron {self.neuron} of the new code may see a drive of {self.drive:g}",
            "stays": f"neuron {self.neuron} of the old code may see a drive of {self.drive:g}",
            "other": f"neuron {self.neuron} of neither code may see a drive of {self.drive:g}",
        }
        return f"with {self.up} of {self.of} neurons of the new code up, {told[self.kind]} LSBs"


class Bounds:
    """What each neuron sends and receives in a network of one matrix.

    Real weights are rounded when they are added up: sums count as positive or not only from a
    tolerance on, which is above the error of any sum.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        kind = np.int64 if network.whole else np.float64
        self.received = network.weights.astype(kind) - kind(network.gain)
        self.tolerance = 0.0
        if not network.whole:
            eps = 2.0 ** (-23 if network.weights.dtype.itemsize == 4 else -52)
            largest = float(np.abs(self.received).sum(1).max(initial=0))
            self.tolerance = network.neurons * eps * largest

    def shortfall(self, arc: Arc) -> Shortfall | None:
        """None where every order of updates after a change of the mask ends in its target, as far
        as the mask leaves that open.
        """
        return _Extremes(self, parts(self.network, arc)).shortfall()


class _Extremes:
    """Extreme drives of the open neurons after one change of the mask."""

    def __init__(self, bounds: Bounds, of: Parts) -> None:
        self.tolerance = bounds.tolerance
        self.rows = np.flatnonzero(of.opened)
        received = bounds.received[self.rows]
        self.is_come, self.is_free = of.come[of.opened], of.free[of.opened]
        self.is_other = of.other[of.opened]
        self.first, self.most = int(of.up.sum()), int(of.come.sum())
        # Extreme sums over all sets of n further neurons of the new code: (open, n + 1).
        further = np.sort(received[:, of.come & ~of.up], axis=1)
        begun = received[:, of.up].sum(1, keepdims=True)
        self.least = begun + _sums(further)
        self.largest = begun + _sums(further[:, ::-1])
        self.of_free = received[:, of.free]
        self.sure = of.core[of.free]

    def shortfall(self) -> Shortfall | None:
        sure, of_free = self.sure.copy(), self.of_free
        low = of_free[:, sure].sum(1) + np.minimum(of_free[:, ~sure], 0).sum(1)
        high = of_free[:, sure].sum(1) + np.maximum(of_free[:, ~sure], 0).sum(1)
        own = np.flatnonzero(self.is_free)
        least_so_far = self.least[:, 0]
        for n in range(self.least.shape[1]):
            # Neurons of the new code, once up, stay up: a neuron that is sure to be on with c of
            # them up has been so with fewer.
            least_so_far = np.minimum(least_so_far, self.least[:, n])
            while True:
                drive = low[own] + least_so_far[own]
                gone = sure & (drive <= self.tolerance)
                if not gone.any():
                    break
                sure &= ~gone
                low -= np.maximum(of_free[:, gone], 0).sum(1)
                high -= np.minimum(of_free[:, gone], 0).sum(1)
            if found := self._wrong(n, low + self.least[:, n], high + self.largest[:, n]):
                return found
        return self._staying()

    def _wrong(self, n: int, low: Sums, high: Sums) -> Shortfall | None:
        """The worst neuron that may be on or off where it should not."""
        up = self.first + n
        if self.is_come.any():
            worst = int(np.where(self.is_come, low, np.inf).argmin())
            if low[worst] <= self.tolerance:
                return self._found("comes", worst, up, low)
        if self.is_other.any():
            worst = int(np.where(self.is_other, high, -np.inf).argmax())
            if high[worst] > -self.tolerance:
                return self._found("other", worst, up, high)
        return None

    def _staying(self) -> Shortfall | None:
        """The new code is up: do the neurons of the old one go off, one after the other? One that
        is off for certain stays off, and can no longer keep others on.
        """
        own = np.flatnonzero(self.is_free)
        on = np.ones(len(own), np.bool_)
        while on.any():
            high = self.largest[own, -1] + np.maximum(self.of_free[np.ix_(own, on)], 0).sum(1)
            leaving = on & (high <= -self.tolerance)
            if not leaving.any():
                drives = np.zeros(len(self.rows), high.dtype)
                drives[own] = high
                worst = int(own[np.where(on, high, -np.inf).argmax()])
                return self._found("stays", worst, self.most, drives)
            on &= ~leaving
        return None

    def _found(self, kind: str, row: int, up: int, drives: Sums) -> Shortfall:
        return Shortfall(kind, int(self.rows[row]), up, self.most, float(drives[row]))


def _sums(columns: Sums) -> Sums:
    """Sums of the first n columns, n = 0, 1, ...: (rows, n + 1)."""
    return np.concatenate(
        [np.zeros((len(columns), 1), columns.dtype), np.cumsum(columns, axis=1)], axis=1
    )
