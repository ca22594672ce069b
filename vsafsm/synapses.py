"""`Synapses`: the weights between modules, as a compressed sparse matrix sorted by sender."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Indices
from vsafsm.errors import NetworkError
from vsafsm.vsa import Numbers

CHUNK = 2**22
"""Synapses that are looked at together."""


@dataclass(frozen=True, eq=False)
class Synapses:
    """E synapses of N neurons: neuron j sends ``values[e]`` to ``targets[e]``, for e from
    ``starts[j]`` up to ``starts[j + 1]``.

    Attributes
    ----------
    starts : (N + 1,)
    targets : (E,)
        Rising for each sender, int32.
    values : (E,)
        In LSBs.
    """

    starts: Indices
    targets: NDArray[np.int32]
    values: Numbers

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def senders(self) -> Indices:
        """The sender of each synapse: (E,)."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def chunks(self) -> Iterator[tuple[slice, Indices]]:
        """Slices of whole senders, each of about `CHUNK` synapses, with the senders of each."""
        first, neurons = 0, len(self.starts) - 1
        while first < neurons:
            upto = int(np.searchsorted(self.starts, self.starts[first] + CHUNK, "right")) - 1
            last = min(max(upto, first + 1), neurons)
            counts = np.diff(self.starts[first : last + 1])
            part = slice(int(self.starts[first]), int(self.starts[last]))
            yield part, np.repeat(np.arange(first, last), counts)
            first = last

    def check(self, module_neurons: int) -> None:
        """Raise `NetworkError` where they are no matrix between modules of so many neurons."""
        neurons = len(self.starts) - 1
        if self.values.shape != self.targets.shape:
            raise NetworkError(
                f"values of the synapses have shape {self.values.shape}; expected"
                f" {self.targets.shape}"
            )
        rising = self.starts[0] == 0 and self.starts[-1] == len(self.targets)
        if not rising or (np.diff(self.starts) < 0).any():
            raise NetworkError("starts of the synapses between modules are not in order")
        for part, senders in self.chunks():
            targets = self.targets[part]
            if not len(targets):
                continue
            sorted_ = (np.diff(targets) > 0) | (np.diff(senders) > 0)
            if not sorted_.all() or targets.min() < 0 or targets.max() >= neurons:
                raise NetworkError("targets of a neuron are not sorted, or are out of range")
            if (senders // module_neurons == targets // module_neurons).any():
                raise NetworkError("a synapse between modules stays inside one")


def none_between(neurons: int, dtype: np.dtype[np.number]) -> Synapses:  # type: ignore[type-arg]
    """No synapses at all."""
    return Synapses(np.zeros(neurons + 1, np.intp), np.zeros(0, np.int32), np.zeros(0, dtype))
