"""Activities followed through changes of masks, a step at a time, with every step observed.

Masks seldom change at one instant. From one mask to the next an activity is therefore followed in
three ways: at once, after one step with both masks on, and after one step with neither. The proof,
and the margins of single transitions, are taken from the steps that this room walks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Activities, Indices, activities_of, join
from vsafsm.lowering import REST
from vsafsm.network import MOST_STEPS, Drives, Network

HandOver = Literal["at once", "both", "neither"]
"""From one mask to the next: at once, after a step with both masks on, or after one with neither.
"""
HAND_OVERS: tuple[HandOver, ...] = ("at once", "both", "neither")
Phase = Literal["held", "gap"]
"""While an input is held, or in the gap after it; a reset counts as a gap."""


@dataclass(frozen=True, eq=False)
class StepBatch:
    """One step of R activities, of which D are distinct: each of those is driven once.

    Attributes
    ----------
    activity, drives
        The D distinct activities, and the net drives under each.
    keys
        Equal for equal activities: (D,).
    row : (R,)
        Which of the distinct activities each is.
    masks, also : (R,)
        The two masks that are on, by index; A + 1 stands for none.
    owners : (R,)
        What each activity belongs to: an index of whoever walks.
    """

    activity: Activities
    drives: Drives
    keys: Sequence[bytes]
    row: Indices
    masks: Indices
    also: Indices
    owners: Indices
    phase: Phase


class Observer(Protocol):
    """Who is told of every step."""

    def observe(self, batch: StepBatch) -> None:
        """Take note of a step."""


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Where R distinct hand-overs end.

    Attributes
    ----------
    activity
        R activities.
    rows : (R,)
        The start that each began with.
    manner
        How the masks changed.
    moving : (R,)
        Whether it still changes after the most steps there may be.
    steps, slowest
        The most steps that any took, and the start that it began with.
    """

    activity: Activities
    rows: Indices
    manner: list[HandOver]
    moving: NDArray[np.bool_]
    steps: int
    slowest: int

    @property
    def settled(self) -> Arrivals:
        """Those that came to rest."""
        at_rest = np.flatnonzero(~self.moving)
        return replace(
            self,
            activity=self.activity.take(at_rest),
            rows=self.rows[at_rest],
            manner=[self.manner[i] for i in at_rest.tolist()],
            moving=self.moving[at_rest],
        )


class Walker:
    """Takes the steps of a network under masks, and tells observers of each.

    Parameters
    ----------
    network
    observers
        Called in order, once per step.

    Attributes
    ----------
    no_mask
        Index that stands for no mask.
    """

    def __init__(self, network: Network, observers: Sequence[Observer]) -> None:
        self.network, self.observers = network, observers
        self.no_mask = network.no_mask

    def hand_over(
        self, start: Activities, masks: Indices, following: Indices, owners: Indices, phase: Phase
    ) -> Arrivals:
        """Settle under the following masks, from each start in all three ways.

        Parameters
        ----------
        start
            B activities.
        masks : (B,)
            The mask of the input of each, which is on together with that of rest for the step with
            both masks.
        following, owners : (B,)
        """
        rest, none = np.full(len(start), REST), np.full(len(start), self.no_mask)
        both = self._advance(start, masks, rest, owners, phase)
        neither = self._advance(start, none, none, owners, phase)
        begun = join([start, both, neither])
        end, steps, moving = self.settle(begun, np.tile(following, 3), np.tile(owners, 3), phase)
        rows = np.tile(np.arange(len(start)), 3)
        # The three ways end in the same activity most often: keep the first of equal ends.
        first: dict[tuple[int, bytes], int] = {}
        for i, (row, key) in enumerate(zip(rows.tolist(), end.keys, strict=True)):
            first.setdefault((row, key), i)
        distinct = np.array(sorted(first.values(), key=lambda i: (rows[i], i)), np.intp)
        # Where one of a start's three ways does not settle, none of them counts as settled.
        restless = np.isin(rows[distinct], rows[moving])
        manner = [HAND_OVERS[i // len(start)] for i in distinct.tolist()]
        slowest = int(rows[steps.argmax()])
        return Arrivals(
            end.take(distinct), rows[distinct], manner, restless, int(steps.max()), slowest
        )

    def settle(
        self, start: Activities, masks: Indices, owners: Indices, phase: Phase
    ) -> tuple[Activities, Indices, NDArray[np.bool_]]:
        """Run each activity under its mask until it no longer changes.

        Returns
        -------
        activity
            B activities.
        steps : (B,)
            How many steps it took.
        moving : (B,)
            Whether it would still change after the most steps there may be.
        """
        ends = [start[i] for i in range(len(start))]
        current, keys, moving = start, start.keys, np.arange(len(start))
        steps = np.zeros(len(start), np.intp)
        for n in range(MOST_STEPS + 1):
            none = np.full(len(moving), self.no_mask)
            after = self._advance(current, masks[moving], none, owners[moving], phase)
            new = after.keys
            changed = np.flatnonzero([a != b for a, b in zip(new, keys, strict=True)])
            moving, current = moving[changed], after.take(changed)
            # One more step than allowed is taken, only to see whether it would change anything.
            if not len(moving) or n == MOST_STEPS:
                break
            keys = [new[i] for i in changed.tolist()]
            for i, row in enumerate(moving.tolist()):
                ends[row] = current[i]
            steps[moving] = n + 1
        return activities_of(ends), steps, np.isin(np.arange(len(start)), moving)

    def _advance(
        self, activity: Activities, masks: Indices, also: Indices, owners: Indices, phase: Phase
    ) -> Activities:
        """One step of each activity under two masks; each distinct activity is driven once."""
        place: dict[bytes, int] = {}
        row = np.array([place.setdefault(key, len(place)) for key in activity.keys], np.intp)
        # The first row with each of the distinct activities.
        first = np.unique(row, return_index=True)[1]
        distinct = activity.take(first)
        drives = self.network.drives(distinct)
        batch = StepBatch(distinct, drives, list(place), row, masks, also, owners, phase)
        for observer in self.observers:
            observer.observe(batch)
        return self.network.fire(drives, row, masks, also)
