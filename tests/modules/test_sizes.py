"""The law of sizes: what it gives reaches the margin at the first try, and what is given stays."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vsafsm
from vsafsm.codebook import classes_needed
from vsafsm.lowering import Lowered, lower
from vsafsm.modules import build
from vsafsm.modules.sizes import usual_sizes
from vsafsm.options import Rule

MARGINS = (0.1, 0.15, 0.2, 0.3)
RULES: tuple[Rule, ...] = ("refined", "small")


@pytest.fixture(scope="module")
def lowered(random_machines_of_modules: Any) -> Lowered:
    return lower(random_machines_of_modules(60, 2, 0))


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("inputs", [2, 3, 5])
def test_the_margin_is_reached_at_the_first_try(
    random_machines_of_modules: Any, inputs: int, margin: float
) -> None:
    machine = random_machines_of_modules(60, inputs, inputs)
    sizes = usual_sizes(lower(machine), margin)
    network = build(machine, margin=margin)
    assert network.module_neurons == sizes.module_neurons
    assert network.modules == -(-60 // sizes.states)
    assert vsafsm.prove(machine, network).margin >= margin


@pytest.mark.parametrize("rule", RULES)
def test_a_margin_of_four_tenths_is_reached_at_the_first_try(
    random_machines_of_modules: Any, rule: Rule
) -> None:
    machine = random_machines_of_modules(60, 2, 2)
    sizes = usual_sizes(lower(machine), 0.4, rule=rule)
    network = build(machine, margin=0.4, rule=rule)
    assert network.modules == -(-60 // sizes.states)
    assert vsafsm.prove(machine, network).margin >= 0.4


def test_weights_of_the_robust_rule_are_smaller_for_the_same_margin(
    random_machines_of_modules: Any,
) -> None:
    machine = random_machines_of_modules(40, 2, 0)
    tolerances = []
    for rule in RULES:
        network = build(machine, margin=0.3, rule=rule, states=10)
        margin = vsafsm.prove(machine, network).margin
        tolerances.append(margin * network.scale / network.weight_std)
    assert tolerances[1] > 1.2 * tolerances[0]


@pytest.mark.slow
def test_light_modules_tell_many_inputs_apart(random_machines_of_modules: Any) -> None:
    """Their weights must not be clipped where there are few of them."""
    machine = random_machines_of_modules(6, 16, 0)
    network = build(machine, margin=0.4, rule="small", load=0.5)
    assert vsafsm.prove(machine, network).margin >= 0.4


def test_a_larger_margin_takes_fewer_states(lowered: Lowered) -> None:
    states = [usual_sizes(lowered, margin).states for margin in MARGINS]
    assert states == sorted(states, reverse=True)
    assert states[0] > states[-1]


@given(
    margin=st.floats(0.01, 0.45),
    rule=st.sampled_from(RULES),
    load=st.floats(0.2, 1.0),
    given_sizes=st.fixed_dictionaries(
        {},
        optional={
            "module_neurons": st.integers(16, 2048),
            "active": st.sampled_from([16, 24, 32, 64]),
            "states": st.integers(1, 200),
        },
    ),
)
def test_what_is_given_stays(
    lowered: Lowered, margin: float, rule: Rule, load: float, given_sizes: dict[str, int]
) -> None:
    sizes = usual_sizes(lowered, margin, rule=rule, load=load, **given_sizes)
    assert sizes.states <= usual_sizes(lowered, margin, **given_sizes).states
    for name, value in given_sizes.items():
        assert getattr(sizes, name) == value
    assert sizes.states >= 1
    if "module_neurons" not in given_sizes:
        assert sizes.module_neurons % classes_needed(lowered.masks) == 0


@given(margin=st.floats(0.01, 0.45), load=st.floats(0.2, 1.0), states=st.integers(1, 300))
def test_neurons_for_states_hold_those_states(
    lowered: Lowered, margin: float, load: float, states: int
) -> None:
    """Asked the other way round, the law agrees with itself."""
    neurons = usual_sizes(lowered, margin, load=load, states=states).module_neurons
    assert usual_sizes(lowered, margin, load=load, module_neurons=neurons).states >= states
