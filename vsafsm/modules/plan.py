"""What modules are to be like, and which states share one: a first plan, and lighter ones where
weights miss the margin.

For machines of many inputs, more active neurons have room for more kinds of input per module, and
cost more synapses each. The cheapest is found by placing the states for each number of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vsafsm.activities import Indices
from vsafsm.codebook import classes_needed
from vsafsm.lowering import Lowered
from vsafsm.modules.kinds import kinds_of, targets_of
from vsafsm.modules.placement import Links, links, place, place_by_kinds
from vsafsm.modules.sizes import MOST_KINDS, Sizes, usual_sizes
from vsafsm.options import Placement

LIGHTER = 0.85
"""Share of the states per neuron to try next, where weights miss the margin."""
MOST_NEURONS = 2048
"""Most neurons of a module to try, where the states that it holds are given."""
FURTHER = 1.75
"""Kinds of input that a module may have at most, as a multiple of those that codes are balanced
over.
"""


@dataclass(frozen=True, eq=False)
class Plan:
    """Sizes of modules, and the module of each state: (S,)."""

    sizes: Sizes
    homes: Indices

    @property
    def neurons(self) -> int:
        """Neurons of all modules."""
        return (int(self.homes.max()) + 1) * self.sizes.module_neurons


class Planner:
    """Plans for a machine and a margin.

    Parameters
    ----------
    lowered, margin
    placement, seed
        How states are placed.
    module_neurons, active, states
        Sizes that are given.
    homes : (S,)
        The module of each state, where that is given.
    """

    def __init__(
        self,
        lowered: Lowered,
        margin: float,
        placement: Placement = "partition",
        seed: int = 0,
        *,
        module_neurons: int | None = None,
        active: int | None = None,
        states: int | None = None,
        homes: Indices | None = None,
    ) -> None:
        self.lowered, self.margin, self.placement, self.seed = lowered, margin, placement, seed
        self.module_neurons, self.active, self.homes = module_neurons, active, homes
        self.states = states if homes is None else int(np.bincount(homes).max())

    def sizes(self, active: int | None = None) -> Sizes:
        """By the law, for so many active neurons."""
        return usual_sizes(
            self.lowered,
            self.margin,
            module_neurons=self.module_neurons,
            active=self.active or active,
            states=self.states,
        )

    def first(self) -> Plan:
        """The cheapest plan by the law."""
        if self.active is not None or self.lowered.inputs <= MOST_KINDS:
            return self.placed(self.sizes())
        best: Plan | None = None
        for active in self._active():
            plan = self.placed(self.sizes(active))
            if best is not None and _cost(plan) >= _cost(best):
                break
            if self._most_kinds(plan) <= FURTHER * plan.sizes.kinds:
                best = plan
        assert best is not None  # noqa: S101 - the last has room for all inputs
        return best

    def lighter(self, plan: Plan, states: int) -> Plan | None:
        """A plan to try after one in which a module of so many states misses the margin."""
        sizes = plan.sizes
        if self.states is None and states > 1 and (fewer := int(LIGHTER * sizes.states)):
            patterns = int(LIGHTER * sizes.patterns)
            return self.placed(replace(sizes, states=fewer, patterns=patterns))
        if self.states is not None and self.module_neurons is None:
            classes = classes_needed(sizes.kinds + 1)
            more = classes * -(-int(sizes.module_neurons / LIGHTER) // classes)
            if more <= MOST_NEURONS:
                return self.placed(replace(sizes, module_neurons=more))
        return None

    def placed(self, sizes: Sizes) -> Plan:
        """A plan of these sizes."""
        if self.homes is not None:
            return Plan(sizes, self.homes)
        rng = np.random.default_rng(self.seed)
        if sizes.kinds < self.lowered.inputs:
            return Plan(
                sizes, place_by_kinds(self._links, self._targets, sizes, self.placement, rng)
            )
        return Plan(sizes, place(self._links, sizes.states, self.placement, rng))

    def _active(self) -> Iterator[int]:
        """Numbers of active neurons that have room for more and more kinds."""
        needed = (classes_needed(k + 1) for k in range(MOST_KINDS, self.lowered.inputs + 1))
        yield from dict.fromkeys(needed)

    def _most_kinds(self, plan: Plan) -> int:
        order = np.argsort(plan.homes, kind="stable")
        ends = np.searchsorted(plan.homes[order], np.arange(1, int(plan.homes.max()) + 1))
        return int(kinds_of(self._targets, np.split(order, ends)).max()) + 1

    @cached_property
    def _targets(self) -> Indices:
        return targets_of(self.lowered)

    @cached_property
    def _links(self) -> Links:
        return links(self.lowered)


def _cost(plan: Plan) -> int:
    """Synapses inside modules."""
    return plan.neurons * plan.sizes.module_neurons
