"""What the rule ``robust`` asks of the weights while a mask arrives, a neuron at a time.

As long as few neurons have seen the new mask, the code that is there stays. Once nearly all have,
the new code comes up. In between a network may do either; but no neuron of a third code fires, and
a code that has come up stays up: it does not run on through the machine. Such situations are
sampled, or seen in runs of the network itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsafsm.codebook import Codebook
from vsafsm.lowering import Lowered
from vsafsm.situations import LEAVES, SAMPLED_SHARE, STAYS, WHOLE, Asked, Sampler, arcs
from vsafsm.vsa import Bits, Real

EARLY, LATE, BACK = 0.65, 0.95, 0.4
"""Up to the first share of the neurons that have seen the new mask the old code stays; from the
second on the new one comes up; and from the third on a new code that is up stays so. Where the
third is below the first, a network that has made a transition is far from the next one.
"""
DRAWS = 4
"""Samples per round, of each kind, for each change of the mask."""
Range = tuple[float, float]
NONE, ALL = (0.0, 0.0), (1.0, 1.0)
STAYING: tuple[tuple[Range, Range], ...] = (((0, 1), ALL), ((0, 1), (WHOLE, 1)))
"""Of a code that stays: shares of the neurons that have seen the new mask, and of the code that is
on.
"""
MOVING: tuple[tuple[Range, Range, Range], ...] = (
    ((0, EARLY), ALL, NONE),
    ((0, EARLY), (WHOLE, 1), NONE),
    ((EARLY, LATE), (WHOLE, 1), NONE),
    ((EARLY, LATE), (WHOLE, 1), (0, STAYS)),
    ((EARLY, LATE), (0, 1), (STAYS, LEAVES)),
    ((LATE, 1), (WHOLE, 1), NONE),
    ((LATE, 1), (WHOLE, 1), (0, STAYS)),
    ((LATE, 1), (0, 1), (STAYS, 1)),
    ((BACK, 1), NONE, ALL),
    ((BACK, 1), NONE, (WHOLE, 1)),
    ((BACK, 1), (0, 1), (LEAVES, 1)),
)
"""Of a transition: shares of the neurons that have seen the new mask, of the old code that is on,
and of the new one.
"""


def arriving(
    lowered: Lowered, book: Codebook, rng: np.random.Generator, draws: int = DRAWS
) -> Asked:
    """Samples of one round.

    Parameters
    ----------
    draws
        Samples of each kind per change of the mask.
    """
    some = Sampler(book, rng)
    table = np.array(arcs(lowered), np.intp)
    moves = table[:, 0] != table[:, 1]
    found: list[Asked] = []
    staying, moving = some.chosen(table[~moves]), some.chosen(table[moves])
    for _ in range(draws):
        for share, on in STAYING:
            found.append(_sample(some, book, staying, share, on, NONE))
        for share, on, new in MOVING:
            found.append(_sample(some, book, moving, share, on, new))
    return Asked.joined(found)


def _sample(
    some: Sampler, book: Codebook, table: NDArray[np.intp], share: Range, left: Range, come: Range
) -> Asked:
    source, target, before, mask = table.T
    arrived = some.rng.uniform(*share, (len(table), 1))
    seen = some.rng.random((len(table), book.codes.shape[1])) < arrived
    opened = np.where(seen, book.masks[mask], book.masks[before])
    active = some.part(book.codes[source] & opened, *left)
    active |= some.part(book.codes[target] & opened, *come)
    return asked_in(book, table, some.disturbed(active, opened), opened, arrived[:, 0])


def asked_in(
    book: Codebook, table: NDArray[np.intp], active: Bits, opened: Bits, arrived: Real
) -> Asked:
    """What is asked in some situations. Those in which neither code is there any more are left out.

    Parameters
    ----------
    table : (P, 4)
        The change of the mask, as `Arc` has it.
    active, opened : (P, N)
        What fires, and what the mask leaves open as far as it has arrived.
    arrived : (P,)
        Share of the neurons that have seen the new mask.
    """
    source, target = table[:, 0], table[:, 1]
    left, come = book.codes[source], book.codes[target]
    stays = source == target
    on_left, on_come = _share_on(left, opened, active), _share_on(come, opened, active)
    early, late, back = arrived <= EARLY, arrived >= LATE, arrived < BACK
    below, above = on_come < STAYS, on_come >= LEAVES
    risen = on_come >= WHOLE
    # The old code holds the field, and nothing or little of the new one is on.
    old_holds = ~stays & below & (on_left >= WHOLE)
    new_comes = ~stays & ((~below & late) | (risen & ~back))
    undecided = ~stays & ~below & ~new_comes & (~back | ~above)
    keep = (stays & (on_left >= WHOLE)) | old_holds | new_comes | undecided

    want = (left & (stays | old_holds)[:, None]) | (come & ~(old_holds & early)[:, None])
    care = opened.copy()
    # While either may happen, nobody is asked whether the new code rises.
    care &= ~(come & (old_holds & ~early & ~late)[:, None])
    care &= ~((left | come) & undecided[:, None])
    # What is left of the old code may be on or off until the new one is up.
    care &= ~(left & ~come & (new_comes & ~above)[:, None])
    share = np.full(len(table), SAMPLED_SHARE)
    asked = Asked(active, want, care, share, table[:, [0, 1, 3]])
    return asked.take(np.flatnonzero(keep & active.any(1)))


def _share_on(codes: Bits, opened: Bits, active: Bits) -> NDArray[np.float64]:
    """The share of the open neurons of each code that fire: (P,)."""
    there = codes & opened
    return np.asarray((there & active).sum(1) / np.maximum(there.sum(1), 1))
