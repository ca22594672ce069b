"""Plans of modules: which sizes are tried, and what they have room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm.lowering import lower
from vsafsm.machine import Machine
from vsafsm.modules import build
from vsafsm.modules.kinds import kinds_of, targets_of
from vsafsm.modules.placement import PLACEMENTS, Placement
from vsafsm.modules.plan import FURTHER, Plan, Planner


def kinds_in(machine: Machine, plan: Plan) -> np.ndarray:
    """Kinds of input of each module."""
    members = [np.flatnonzero(plan.homes == m) for m in range(int(plan.homes.max()) + 1)]
    return kinds_of(targets_of(lower(machine)), members).max(1) + 1


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_modules_have_room_for_what_they_hold(
    words_machine: Callable[..., Machine], placement: Placement
) -> None:
    machine = words_machine(40, 14)
    lowered = lower(machine)
    plan = Planner(lowered, 0.1, placement).first()
    kinds, sizes = kinds_in(machine, plan), plan.sizes
    assert kinds.max() <= FURTHER * sizes.kinds
    own = [len(set(row)) for row in lowered.targets]
    assert all(
        kinds[home] <= sizes.kinds or own[x] > sizes.kinds for x, home in enumerate(plan.homes)
    )
    states = np.bincount(plan.homes)
    assert (states[kinds > sizes.kinds] == 1).all()
    codes = np.bincount(plan.homes[[code.state for code in lowered.codes]])
    patterns = 2 * codes - states + kinds * states
    assert (patterns[states > 1] <= sizes.patterns).all()


def test_states_that_tell_few_inputs_apart_need_few_active_neurons(
    words_machine: Callable[..., Machine], random_machines_of_modules: Any
) -> None:
    few = Planner(lower(words_machine(40, 14)), 0.1).first()
    every = Planner(lower(random_machines_of_modules(60, 14, 0)), 0.1).first()
    assert (few.sizes.active, every.sizes.active) == (16, 32)


@pytest.mark.parametrize(("given_sizes", "active"), [({"active": 32}, 32), ({"states": 5}, 16)])
def test_sizes_that_are_given_stay(
    words_machine: Callable[..., Machine], given_sizes: dict[str, int], active: int
) -> None:
    plan = Planner(lower(words_machine(20, 10)), 0.1, **given_sizes).first()
    assert plan.sizes.active == active
    assert np.bincount(plan.homes).max() <= given_sizes.get("states", 1000)


def test_lighter_plans_come_to_an_end(words_machine: Callable[..., Machine]) -> None:
    planner = Planner(lower(words_machine(20, 10)), 0.1)
    plan: Plan | None = planner.first()
    tried = 0
    while plan is not None:
        before, plan = plan, planner.lighter(plan, int(np.bincount(plan.homes).max()))
        if plan is not None:
            one, other = before.sizes, plan.sizes
            assert (one.active, -one.patterns) < (other.active, -other.patterns)
        tried += 1
    assert tried > 2
    # What was tried last has room for all inputs.
    assert before.sizes.kinds == 10


def test_a_machine_of_many_inputs_is_proven(words_machine: Callable[..., Machine]) -> None:
    machine = words_machine(25, 20)
    network = build(machine, margin=0.2)
    assert vsafsm.prove(machine, network).margin >= 0.2
    assert network.synapses < 200 * len(machine.states) * 20
