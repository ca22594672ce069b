"""A search for an order of updates that ends wrong.

Many rows are run side by side. In each, of the neurons that would change, the one that the row's
scores prefer is updated; the scores say what the order is after: a code that should not come up,
some groups of neurons first, or anything at random. Whatever a row ends in, all neurons are updated
in turn afterwards, so that every order is fair: no neuron is left out for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.network import Network
from vsafsm.order_changes import Parts, parts
from vsafsm.situations import Arc
from vsafsm.vsa import Bits

UPDATES = 4
"""Updates that an order prefers, at most, per open neuron; all in turn afterwards."""
AIMS = 24
"""Wrong codes that orders are after, at most, per change of the mask."""
RANDOM = 4
"""Orders at random per change of the mask."""
SWEEPS = 64
"""Most rounds of all neurons in turn before a run that goes on is left alone."""
FIRST = 1e9
"""Above what any neuron sends: a score that comes before all sums of weights."""


@dataclass(frozen=True, eq=False)
class Course:
    """Single updates under one mask, and what they end in.

    Attributes
    ----------
    updated
        Neurons in the order in which they change; between two of them, others may be updated that
        do not change.
    activity : (N,)
        What fires in the end.
    ends
        Whether nothing changes any more.
    repeats
        Where it never ends: the last so many of `updated` bring the same activity back, with all
        neurons updated on the way, and may be repeated for ever. 0 where that is not known.
    """

    updated: tuple[int, ...]
    activity: Bits
    ends: bool
    repeats: int = 0


class Orders:
    """Runs of a network of one matrix, one neuron at a time."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.kind = np.int64 if network.whole else np.float64
        # What each neuron sends, the inhibition included: (N, N), contiguous rows.
        self.sent = np.ascontiguousarray(network.weights.T.astype(self.kind)) - self.kind(
            network.gain
        )

    def in_turn(self, activity: Bits, mask: int) -> Course:
        """All neurons in turn, from the first to the last, until nothing changes any more."""
        opened = self.network.masks[mask]
        return self._in_turn(activity & opened, opened, [])

    def tried(self, activity: Bits, arc: Arc, aims: Sequence[int]) -> list[Course]:
        """Orders that may end wrong, from an activity at a change of the mask.

        Parameters
        ----------
        aims
            Codes that an order may be after, the likeliest first.
        """
        of = parts(self.network, arc)
        opened = of.opened
        rising, falling = self._scores(of, arc, aims)
        rows = len(rising)
        active = np.repeat((activity & opened)[None], rows, axis=0)
        drive = active.astype(self.kind) @ self.sent
        updated: list[list[int]] = [[] for _ in range(rows)]
        going = np.arange(rows)
        for _ in range(UPDATES * int(opened.sum())):
            on = active[going]
            changing = ((drive[going] > 0) & opened) ^ on
            score = np.where(on, falling[going], rising[going])
            chosen = np.where(changing, score, -np.inf).argmax(1)
            some = changing.any(1)
            going, chosen = going[some], chosen[some]
            if not len(going):
                break
            active[going, chosen] ^= True
            sign = np.where(active[going, chosen], 1, -1)
            drive[going] += sign[:, None] * self.sent[chosen]
            for row, neuron in zip(going.tolist(), chosen.tolist(), strict=True):
                updated[row].append(neuron)
        return [self._in_turn(active[row], opened, updated[row]) for row in range(rows)]

    def _scores(
        self, of: Parts, arc: Arc, aims: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Which of the neurons that would go on, or off, each order prefers: (B, N), twice."""
        network = self.network
        rising, falling = [], []
        for aim in aims[:AIMS]:
            wanted = network.codes[aim] & of.opened & ~of.come
            # What a neuron sends to those that should not come up.
            helps = self.sent[:, wanted].sum(1).astype(np.float64)
            for bonus in (0.0, FIRST):
                rising.append(helps + FIRST * 2 * wanted)
                falling.append(-helps - FIRST * 2 * wanted + bonus * of.free)
        # Groups: those of the new code that some mask leaves open, before others of it.
        for group in (*network.masks, of.come):
            for leaving in (0.0, 3.0, -1.0):
                rising.append(4.0 * of.other + 1.0 * of.come + 1.0 * (of.come & group))
                falling.append(leaving * of.free - 2.0 * of.other)
        # Nothing comes up as long as something may go off.
        rising.append(np.zeros(network.neurons))
        falling.append(np.ones(network.neurons))
        # A proof has no seed: the same orders are tried each time.
        rng = np.random.default_rng(arc)
        for _ in range(RANDOM):
            scores = rng.random(network.neurons)
            rising.append(scores)
            falling.append(scores)
        return np.array(rising), np.array(falling)

    def _in_turn(self, active: Bits, opened: Bits, updated: list[int]) -> Course:
        active = active.copy()
        drive = active.astype(self.kind) @ self.sent
        every = list(updated)
        seen: dict[bytes, int] = {}
        for _ in range(SWEEPS):
            key = np.packbits(active).tobytes()
            if key in seen:
                return Course(tuple(every), active, False, len(every) - seen[key])
            seen[key] = len(every)
            last = -1
            while True:
                changing = np.flatnonzero(((drive > 0) & opened) ^ active)
                after = changing[np.searchsorted(changing, last + 1) :]
                if not len(after):
                    break
                last = int(after[0])
                active[last] ^= True
                drive = drive + (self.sent[last] if active[last] else -self.sent[last])
                every.append(last)
            if not len(changing):
                return Course(tuple(every), active, True)
        return Course(tuple(every), active, False)
