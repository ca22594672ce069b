"""What the rule ``robust`` asks of the weights: the situations of runs that are not synchronous.

Synchronous steps pass through a few activities per transition, all known in advance
(`vsafsm.conditions`). Where neurons are updated in another order, or weights are disturbed,
a run passes through others: parts of the code that is left together with parts of the one that
comes up, and neurons of neither. They are too many to list, so they are sampled anew in each round
of refinement.

What is asked of them makes every order end in the same code. The code that is left stays on until
the new one is up, and the new one silences it: no order leaves the network without activity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsafsm.codebook import Codebook
from vsafsm.conditions import Conditions
from vsafsm.lowering import REST, Lowered
from vsafsm.vsa import Bits

DRAWS = 4
"""Samples per round, of each kind, for each transition."""
MOST_SAMPLED = 1500
"""Most transitions that a round samples."""
SAMPLED_SHARE = 0.8
"""Share of the margin that is asked for in sampled situations."""
STAYS, LEAVES = 0.3, 0.9
"""Up to the first share of the new code the old one stays on; from the second on it is off. In
between nothing is asked of it.
"""
TOGETHER = 32
"""Situations that are corrected together."""
WHOLE = 0.6
"""Least share of a code from which it is to be completed."""
SPURIOUS = 0.3
"""Most neurons of neither code in a sample, as a share of a code; every second sample has some."""


class Arc(NamedTuple):
    """Under `mask`, which follows `before`, the code `source` leads to `target`, or stays."""

    source: int
    target: int
    before: int
    mask: int


def arcs(lowered: Lowered) -> list[Arc]:
    """What happens to each code at each change of the mask."""
    found: dict[Arc, None] = {}
    for move in lowered.moves:
        found[Arc(move.source, move.target, REST, move.mask)] = None
        found[Arc(move.target, lowered.releases[move.target], move.mask, REST)] = None
    return list(found)


@dataclass(frozen=True, eq=False)
class Asked:
    """Situations one by one: P activities, and what the neurons that are cared for shall do next.

    Attributes
    ----------
    activity, want, care : (P, N)
    share : (P,)
        Of the margin.
    place : (P, 3)
        The code that is there, or left; the one that is to be there; and the mask.
    """

    activity: Bits
    want: Bits
    care: Bits
    share: NDArray[np.float64]
    place: NDArray[np.intp]

    @classmethod
    def joined(cls, several: Sequence[Asked]) -> Asked:
        """All of several, one after another."""
        return cls(*(np.concatenate(parts) for parts in zip(*map(_parts, several), strict=True)))

    def take(self, rows: NDArray[np.intp]) -> Asked:
        """Some of them."""
        return Asked(*(part[rows] for part in _parts(self)))

    def conditions(self) -> tuple[Conditions, Bits, Bits]:
        """The same as conditions, and the codes and the masks that they index."""
        number, neurons = self.activity.shape
        here, every = np.arange(number), np.full(number, 0)
        masks = np.vstack([np.ones((1, neurons), np.bool_), self.care])
        # Samples of one code are seldom alike, so that batches of a few may be corrected together.
        group = here % TOGETHER
        table = Conditions(here, every, every, here + number, here + 1, here + 1, self.share, group)
        return table, np.vstack([self.activity, self.want]), masks


def _parts(asked: Asked) -> tuple[NDArray[Any], ...]:
    return asked.activity, asked.want, asked.care, asked.share, asked.place


def sampled(
    lowered: Lowered, book: Codebook, rng: np.random.Generator, draws: int = DRAWS
) -> Asked:
    """Situations of one round: those of synchronous steps, and samples of all others.

    Parameters
    ----------
    draws
        Samples of each kind per transition.
    """
    return _Round(book, rng, draws).asked(arcs(lowered))


def synchronous(lowered: Lowered, book: Codebook) -> Asked:
    """The situations of synchronous steps alone, none of them sampled."""
    return sampled(lowered, book, np.random.default_rng(0), draws=0)


class Sampler:
    """Random parts of codes."""

    def __init__(self, book: Codebook, rng: np.random.Generator) -> None:
        self.codes, self.rng = book.codes, rng

    def chosen(self, table: NDArray[np.intp]) -> NDArray[np.intp]:
        """The rows of a table that a round samples."""
        if len(table) <= MOST_SAMPLED:
            return table
        return table[np.sort(self.rng.choice(len(table), MOST_SAMPLED, replace=False))]

    def part(self, neurons: Bits, least: float, most: float) -> Bits:
        """A random share of the neurons of each row, between the two."""
        share = self.rng.uniform(least, most, (len(neurons), 1)).astype(np.float32)
        return np.asarray(neurons & (self.rng.random(neurons.shape, np.float32) < share))

    def disturbed(self, activity: Bits, care: Bits) -> Bits:
        """The same with some neurons of neither code, of those cared for, in every second row."""
        most = SPURIOUS * self.codes.sum(1).max() / activity.shape[1]
        share = self.rng.uniform(0, most, (len(activity), 1)).astype(np.float32)
        share[self.rng.random(len(activity)) < 0.5] = 0
        return activity | (care & (self.rng.random(activity.shape, np.float32) < share))


Some = tuple[Bits, Bits, Bits, float, NDArray[np.intp]]


class _Round:
    """The situations of one round, kind by kind: rows of one kind are made together."""

    def __init__(self, book: Codebook, rng: np.random.Generator, draws: int) -> None:
        self.codes, self.masks, self.draws = book.codes, book.masks, draws
        self.some = Sampler(book, rng)

    def asked(self, every: list[Arc]) -> Asked:
        table = np.array(every, np.intp)
        moving = table[table[:, 0] != table[:, 1]]
        staying = table[table[:, 0] == table[:, 1]]
        # A code that stays, or has come up, under a mask.
        held = np.unique(
            np.vstack([staying[:, [0, 3]], moving[:, [0, 2]], moving[:, [1, 3]]]), axis=0
        )
        rows = [*self._held(held), *self._staying(staying), *self._moving(moving)]
        some = [self.some.chosen(each) for each in (held, staying, moving)]
        for _ in range(self.draws):
            rows += [*self._held_in_part(some[0]), *self._staying_in_part(some[1])]
            rows += self._moving_in_part(some[2])
        activity, want, care, place = (
            np.concatenate([row[i] for row in rows]) for i in (0, 1, 2, 4)
        )
        share = np.concatenate([np.full(len(row[0]), row[3]) for row in rows])
        kept = activity.any(1)
        return Asked(activity[kept], want[kept], care[kept], share[kept], place[kept])

    # ---- synchronous steps

    def _held(self, table: NDArray[np.intp]) -> Iterator[Some]:
        code, mask = table.T
        whole, open_ = self.codes[code], self.masks[mask]
        everywhere, place = np.ones_like(open_), table[:, [0, 0, 1]]
        yield whole & open_, whole, open_, 1.0, place
        # No mask is on for a step: the code comes up whole, and stays.
        yield whole & open_, whole, everywhere, 1.0, place
        yield whole, whole, everywhere, 1.0, place

    def _staying(self, table: NDArray[np.intp]) -> Iterator[Some]:
        code, _, before, mask = table.T
        whole, old, new = self.codes[code], self.masks[before], self.masks[mask]
        yield whole & old & new, whole, new, 1.0, table[:, [0, 0, 3]]

    def _moving(self, table: NDArray[np.intp]) -> Iterator[Some]:
        source, target, before, mask = table.T
        left, come = self.codes[source], self.codes[target]
        old, new = self.masks[before], self.masks[mask]
        both, free = left | come, left & ~come
        core, place = left & old & new, table[:, [0, 1, 3]]
        yield core, both, new, 1.0, place
        yield left & new, both, new, 1.0, place
        yield (left & new) | (come & new), come, new, 1.0, place
        yield core | (come & new), come, new, 1.0, place
        # Both masks are on for a step: only what both leave open fires.
        yield (core | come) & old & new, come, new & ~free, 1.0, place

    # ---- samples

    def _held_in_part(self, table: NDArray[np.intp]) -> Iterator[Some]:
        code, mask = table.T
        whole, open_ = self.codes[code], self.masks[mask]
        part = self.some.part(whole & open_, WHOLE, 1)
        yield self._sample(part, whole, open_, table[:, [0, 0, 1]])

    def _staying_in_part(self, table: NDArray[np.intp]) -> Iterator[Some]:
        code, _, before, mask = table.T
        whole, old, new = self.codes[code], self.masks[before], self.masks[mask]
        begun = (whole & old & new) | self.some.part(whole & new, 0, 1)
        yield self._sample(begun, whole, new, table[:, [0, 0, 3]])

    def _moving_in_part(self, table: NDArray[np.intp]) -> Iterator[Some]:
        source, target, before, mask = table.T
        left, come = self.codes[source], self.codes[target]
        old, new = self.masks[before], self.masks[mask]
        both, free = left | come, left & ~come
        core, place = left & old & new, table[:, [0, 1, 3]]
        left, come_open = left & new, come & new
        begun = core | self.some.part(left, 0, 1)
        yield self._sample(begun | self.some.part(come_open, 0, STAYS), both, new, place)
        begun = core | self.some.part(left, 0, 1)
        yield self._sample(begun | self.some.part(come_open, STAYS, 1), come, new & ~free, place)
        yield self._sample(self.some.part(left, 0, 1) | come_open, come, new, place)
        rest = self.some.part(left, 0, 1)
        yield self._sample(rest | self.some.part(come_open, LEAVES, 1), come, new, place)

    def _sample(self, activity: Bits, want: Bits, care: Bits, place: NDArray[np.intp]) -> Some:
        return self.some.disturbed(activity, care), want, care, SAMPLED_SHARE, place
