"""What modules are to be like, and which states share one: a first plan, and lighter ones where
weights miss the margin.

For machines of many inputs, more active neurons have room for more kinds of input per module, and
cost more synapses each. The cheapest is found by placing some states for each number of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vsafsm.activities import Indices
from vsafsm.codebook import classes_needed
from vsafsm.lowering import Lowered
from vsafsm.modules.kinds import kinds_of, members_of, targets_of
from vsafsm.modules.placement import Links, links, place, place_by_kinds
from vsafsm.modules.sizes import MOST_KINDS, Sizes, usual_sizes
from vsafsm.options import Placement, Rule

LIGHTER = 0.85
"""Share of the states per neuron to try next, where weights miss the margin."""
MOST_NEURONS = 2048
"""Most neurons of a module to try, where the states that it holds are given."""
LEAST_RANGE, WIDE_RANGE = 8.0, 20.0
"""Units that are not clipped, however few the weights. The second is for codes that have to tell
many inputs apart by few weights.
"""
FURTHER = 3.75
"""Kinds of input that a state may have at most, as a multiple of those that codes are balanced
over.
"""
SAMPLE = 4096
"""States that are placed to find how many a module has room for."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What modules are to be.

    Attributes
    ----------
    sizes
    homes : (S,)
        The module of each state.
    least_range
        Units that are not clipped, however few the weights.
    """

    sizes: Sizes
    homes: Indices
    least_range: float


class Planner:
    """Plans for a machine and a margin.

    Parameters
    ----------
    lowered, margin
    placement, seed
        How states are placed.
    rule, load
        Of `usual_sizes`.
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
        rule: Rule = "refined",
        load: float = 1.0,
        module_neurons: int | None = None,
        active: int | None = None,
        states: int | None = None,
        homes: Indices | None = None,
    ) -> None:
        self.lowered, self.margin, self.placement, self.seed = lowered, margin, placement, seed
        self.rule, self.load = rule, load
        self.module_neurons, self.active, self.homes = module_neurons, active, homes
        self.states = states if homes is None else int(np.bincount(homes).max())

    def sizes(self, active: int | None = None) -> Sizes:
        """By the law, for so many active neurons."""
        return usual_sizes(
            self.lowered,
            self.margin,
            rule=self.rule,
            load=self.load,
            module_neurons=self.module_neurons,
            active=self.active or active,
            states=self.states,
        )

    def first(self) -> Plan:
        """The cheapest plan by the law."""
        return self.placed(self.cheapest())

    def cheapest(self) -> Sizes:
        """The sizes that cost the fewest synapses inside modules."""
        if self.active is not None or self.lowered.inputs <= MOST_KINDS:
            return self.sizes()
        best, least = self.sizes(), np.inf
        for active in self._numbers:
            sizes, most = self.sizes(active), int(self._own_kinds.max())
            each = sizes.module_neurons**2
            if most > FURTHER * sizes.kinds or self._fewest_modules(sizes) * each >= least:
                continue
            if (cost := self.modules(sizes) * each) < least:
                best, least = sizes, cost
            if most <= sizes.kinds:
                break
        return best

    def _fewest_modules(self, sizes: Sizes) -> float:
        """If states of the same kinds could always share a module."""
        codes, states = len(self.lowered.codes), len(self.lowered.targets)
        return (2 * codes - states + int(self._own_kinds.sum())) / sizes.patterns

    def modules(self, sizes: Sizes) -> int:
        """How many modules there will be, by a sample of the states where it takes longer."""
        states = len(self.lowered.targets)
        if self.homes is not None:
            return int(self.homes.max()) + 1
        if sizes.kinds >= self.lowered.inputs:
            return -(-states // sizes.states)
        rng = np.random.default_rng(self.seed)
        homes = place_by_kinds(self._links, self._targets, sizes, self.placement, rng, most=SAMPLE)
        # States of more kinds than modules are balanced over are alone.
        alone = self._own_kinds > sizes.kinds
        placed = homes[(homes >= 0) & ~alone]
        shared = states - int(alone.sum())
        per_module = len(placed) / max(len(np.unique(placed)), 1)
        return int(alone.sum()) + int(np.ceil(shared / max(per_module, 1)))

    def lighter(self, plan: Plan, states: int) -> Plan | None:
        """A plan to try after one in which a module of so many states misses the margin."""
        sizes = plan.sizes
        # With a light load it is most often that few weights are clipped.
        if self.load < 1 and plan.least_range < WIDE_RANGE:
            return replace(plan, least_range=WIDE_RANGE)
        if self.active is None and states == 1 and plan.least_range == WIDE_RANGE:
            # More active neurons tell the inputs of that state apart.
            for active in self._numbers:
                if active > sizes.active:
                    return self.placed(self.sizes(active))
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
        homes = self.homes
        if homes is None:
            rng = np.random.default_rng(self.seed)
            if sizes.kinds < self.lowered.inputs:
                given = (self._links, self._targets, sizes, self.placement, rng)
                homes = place_by_kinds(*given)
            else:
                homes = place(self._links, sizes.states, self.placement, rng)
        # Where there is room for all inputs, no module has too many kinds.
        few = sizes.kinds >= self.lowered.inputs
        few = few or int(kinds_of(self._targets, members_of(homes)).max()) < sizes.kinds
        return Plan(sizes, homes, LEAST_RANGE if few else WIDE_RANGE)

    @cached_property
    def _numbers(self) -> list[int]:
        """Numbers of active neurons that are balanced over more and more kinds of input."""
        kinds = range(MOST_KINDS, self.lowered.inputs + 1)
        return list(dict.fromkeys(classes_needed(k + 1) for k in kinds))

    @cached_property
    def _own_kinds(self) -> Indices:
        """Kinds of input of each state: (S,)."""
        ordered = np.sort(self._targets, axis=1)
        return np.asarray(1 + (np.diff(ordered, axis=1) != 0).sum(1), np.intp)

    @cached_property
    def _targets(self) -> Indices:
        return targets_of(self.lowered)

    @cached_property
    def _links(self) -> Links:
        return links(self.lowered)
