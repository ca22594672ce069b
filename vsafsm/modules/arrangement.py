"""Where codes lie and which masks modules have, and from it the task of each module."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Indices
from vsafsm.lowering import REST, Lowered
from vsafsm.modules.hubs import with_hubs_shared
from vsafsm.modules.kinds import Masks, kinds_of, masks_for, members_of, targets_of
from vsafsm.modules.plan import Plan
from vsafsm.modules.task import InsideTask, SendTask
from vsafsm.vsa import Bits


@dataclass(frozen=True, eq=False)
class Arrangement:
    """A machine laid out on M modules.

    Attributes
    ----------
    lowered
        With equal pending codes, where many transitions lead to a state.
    homes : (C,)
        The module of each code.
    members
        The codes of each module, those of states first.
    kinds : (M, A)
        The kind of each input in each module.
    masks, opens : (A + 1, M)
        Patterns, and which of them each mask has in each module.
    """

    lowered: Lowered
    homes: Indices
    members: list[Indices]
    kinds: Indices
    masks: Masks
    opens: Indices

    @cached_property
    def numbers(self) -> list[int]:
        """Kinds of input of each module."""
        found: list[int] = (self.kinds.max(1) + 1).tolist()
        return found

    def states(self, module: int) -> int:
        """How many states a module has."""
        return int((self.members[module] < len(self.lowered.targets)).sum())

    @cached_property
    def local(self) -> list[int]:
        """The number of each code in its module."""
        local = np.empty(len(self.homes), np.intp)
        for each in self.members:
            local[each] = np.arange(len(each))
        found: list[int] = local.tolist()
        return found

    def inside_tasks(self) -> list[InsideTask]:
        """What each module is to do with its own activity."""
        home, kind_of = self.homes.tolist(), self.kinds.tolist()
        moves: list[dict[tuple[int, int, int], None]] = [{} for _ in self.members]
        departures: list[dict[tuple[int, int], None]] = [{} for _ in self.members]
        arrivals: list[dict[tuple[int, int], None]] = [{} for _ in self.members]
        local, releases = self.local, self.lowered.releases
        for x, mask, y in self.lowered.moves:
            kind = kind_of[home[x]][mask - 1] + 1
            if home[x] == home[y]:
                moves[home[x]][local[x], kind, local[y]] = None
            else:
                departures[home[x]][local[x], kind] = None
            if x != y:
                arrivals[home[y]][local[y], kind_of[home[y]][mask - 1] + 1] = None
        return [
            InsideTask(
                tuple(local[releases[c]] for c in each.tolist()),
                tuple(moves[m]),
                tuple(departures[m]),
                tuple(arrivals[m]),
            )
            for m, each in enumerate(self.members)
        ]

    def send_tasks(self, codes: Bits, insides: list[InsideTask]) -> list[SendTask]:
        """What each module is to do with others, for codes (C, n)."""
        masks, n = self.masks.masks, codes.shape[1]
        home, kind_of, local = self.homes.tolist(), self.kinds.tolist(), self.local
        # Inputs of one kind in the module of x may be of several where they lead: what any of them
        # leaves open there is to fire.
        fires: list[dict[tuple[int, int], Bits]] = [{} for _ in self.members]
        first: list[dict[tuple[int, int], int]] = [{} for _ in self.members]
        for x, mask, y in self.lowered.moves:
            if home[x] != home[y]:
                key = local[x], kind_of[home[x]][mask - 1] + 1
                opened = codes[y] & masks[self.opens[mask, home[y]]]
                fires[home[x]][key] = opened | fires[home[x]].get(key, np.False_)
                first[home[x]][key] = home[y] * n
        tasks = []
        for m, (each, inside) in enumerate(zip(self.members, insides, strict=True)):
            leaves = {
                key: (np.flatnonzero(bits) + first[m][key]).astype(np.int32)
                for key, bits in fires[m].items()
            }
            targets = np.unique(np.concatenate([np.zeros(0, np.int32), *leaves.values()]))
            opened = self._opened(m, targets)
            tasks.append(SendTask(codes[each], targets, opened, leaves, inside.held))
        return tasks

    def _opened(self, module: int, targets: NDArray[np.int32]) -> Bits:
        """Whether rest, and any input of each kind of a module, leaves neurons open: (K + 1, t)."""
        masks = self.masks.masks
        there, neuron = np.divmod(targets, masks.shape[1])
        opened = np.zeros((self.numbers[module] + 1, len(targets)), np.bool_)
        opened[REST] = masks[self.opens[REST, there], neuron]
        for a, kind in enumerate(self.kinds[module].tolist()):
            opened[kind + 1] |= masks[self.opens[a + 1, there], neuron]
        return opened


def arranged(lowered: Lowered, plan: Plan, rng: np.random.Generator) -> Arrangement:
    """A lowered machine, arranged by a plan."""
    sizes, states = plan.sizes, len(lowered.targets)
    lowered = with_hubs_shared(lowered, plan.homes)
    homes = plan.homes[np.array([code.state for code in lowered.codes])]
    members = members_of(homes)
    kinds = kinds_of(targets_of(lowered), [each[each < states] for each in members])
    numbers = kinds.max(1) + 1
    masks = masks_for(numbers, sizes.kinds, sizes.active, sizes.module_neurons, rng)
    first = np.array([masks.first(k) for k in numbers.tolist()])
    return Arrangement(
        lowered, homes, members, kinds, masks, np.vstack([first, first + 1 + kinds.T])
    )
