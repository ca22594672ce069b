"""What synchronous steps ask of the weights: every situation that an event passes through."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from vsafsm.lowering import REST, Lowered


@dataclass(frozen=True)
class Conditions:
    """Situations that the weights must meet, P of them, as indices.

    The activity of situation p is ``codes[source] & masks[open1] & masks[open2]``; in the next step
    the neurons of ``codes[want]`` shall fire among those that ``masks[care1] | masks[care2]``
    leaves open. Mask number A + 1 stands for "all open".

    Of the margin `share` is asked for (all of it where it is None). Situations of one `group` have
    most of their neurons in common; by default that is the source.
    """

    source: NDArray[np.intp]
    open1: NDArray[np.intp]
    open2: NDArray[np.intp]
    want: NDArray[np.intp]
    care1: NDArray[np.intp]
    care2: NDArray[np.intp]
    share: NDArray[np.float64] | None = None
    group: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.source)

    def take(self, rows: NDArray[np.intp]) -> Conditions:
        """Some of them."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(
            self, **{name: each[rows] for name, each in found.items() if each is not None}
        )


def conditions(lowered: Lowered) -> Conditions:
    """Every situation that an event passes through, hand-overs between masks included.

    With the masks of input and rest both on for a step, only neurons that both leave open fire;
    with neither, all may: the network holds its code until one mask is back.
    """
    every = lowered.masks
    found: dict[tuple[int, int, int, int, int, int], None] = {}
    for code, released in enumerate(lowered.releases):
        found[code, every, every, code, every, every] = None
        care = every if released == code else REST
        found[code, REST, every, released, care, care] = None
    for move in lowered.moves:
        x, mask, y = move.source, move.mask, move.target
        if y == x:
            found[x, mask, every, x, every, every] = None
            found[x, mask, REST, x, mask, REST] = None
            continue
        found[x, mask, every, y, mask, mask] = None
        found[x, mask, REST, y, mask, mask] = None
        found[y, mask, every, y, every, every] = None
        found[y, mask, REST, lowered.releases[y], REST, REST] = None
    return Conditions(*np.array(list(found), np.intp).T)


def loads(lowered: Lowered) -> NDArray[np.float64]:
    """For each code (C,), in how many situations its neurons are to fire, one that half of them see
    counting half.
    """
    situations = conditions(lowered)
    shares = cared_shares(situations, lowered.masks)
    return np.bincount(situations.want, shares, len(lowered.codes)).astype(np.float64)


def cared_shares(situations: Conditions, every: int) -> NDArray[np.float64]:
    """For each situation (P,), the share of the neurons that it asks something of: all with the
    mask `every`, half with one mask, and three quarters with two.
    """
    masked = np.where(situations.care1 == situations.care2, 0.5, 0.75)
    return np.where(situations.care1 == every, 1.0, masked)
