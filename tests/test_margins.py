"""Margins of transitions, against the proof and against a step by step count in whole numbers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

import vsafsm.testing as robust
from vsafsm.compiler import compile_machine
from vsafsm.errors import NotProvenError
from vsafsm.formats import load
from vsafsm.machine import Machine
from vsafsm.margins import Margins, margins
from vsafsm.network import Network
from vsafsm.program import Program

SPECS = sorted(path.stem for path in Path("specs").glob("*.yaml"))
ONE_SHOT = {"turnstile": 192, "modulo_counter": 512, "sequence_detector": 512}


@pytest.fixture(scope="module", params=("turnstile", "door_lock", "vending_machine"))
def program(request: pytest.FixtureRequest) -> Program:
    return compile_machine(load(f"specs/{request.param}.yaml"))


@pytest.fixture(scope="module")
def found(program: Program) -> Margins:
    return margins(program.machine, program.network, 0.3 * program.network.weight_std)


@pytest.mark.parametrize("rule", ["refined", "small", "robust"])
@pytest.mark.parametrize("spec", SPECS)
def test_the_least_margin_is_the_proofs(spec: str, rule: str) -> None:
    program = compile_machine(load(f"specs/{spec}.yaml"), rule=rule)
    assert margins(program.machine, program.network).minimum.margin == program.prove().margin


@pytest.mark.parametrize("spec", ONE_SHOT)
def test_the_least_margin_is_the_proofs_where_fixed_points_differ_from_codes(spec: str) -> None:
    """One-shot weights are proven though some steps from the codes miss their target."""
    program = compile_machine(load(f"specs/{spec}.yaml"), rule="one-shot", dimension=ONE_SHOT[spec])
    assert margins(program.machine, program.network).minimum.margin == program.prove().margin


@settings(max_examples=25, deadline=None)
@given(robust.machines())
def test_the_least_margin_is_the_proofs_of_any_machine(machine: Machine) -> None:
    program = compile_machine(machine)
    found = margins(machine, program.network)
    assert found.minimum.margin == program.prove().margin
    assert found.table().min() >= found.minimum.margin


def test_every_transition_is_there_in_order(program: Program, found: Margins) -> None:
    machine = program.machine
    assert [(each.state, each.input, each.to) for each in found.transitions] == [
        (s, a, machine.transition(s, a).to) for s in machine.reachable for a in machine.inputs
    ]


def test_margins_are_those_of_a_walk_by_hand(program: Program, found: Margins) -> None:
    """Each transition again, from the settled code of its state, in matrix products of whole
    numbers.
    """
    network = program.network
    for each in found.transitions:
        steps = steps_of(network, each.state, each.input)
        least = min(distance(network, z, opened).min() for z, opened in steps)
        assert each.minimum.margin == pytest.approx(least)


def test_a_minimum_is_what_it_says(program: Program, found: Margins) -> None:
    network = program.network
    for minimum in (found.reset, *(each.minimum for each in found.transitions)):
        z = np.isin(np.arange(network.neurons), minimum.activity)
        drive = int(network.weights[minimum.neuron].astype(int) @ z) - network.gain * int(z.sum())
        assert minimum.margin == pytest.approx(abs(drive) / z.sum() / network.scale)
        assert minimum.fires == (drive > 0)
        assert all(network.masks[mask, minimum.neuron] for mask in minimum.masks)


def test_bounds_of_transitions_are_sums_over_distinct_pairs(
    program: Program, found: Margins
) -> None:
    network, sigma = program.network, 0.3 * program.network.weight_std
    for each in found.transitions:
        opened: dict[bytes, np.ndarray] = {}
        for z, open_ in steps_of(network, each.state, each.input):
            before = opened.get(z.tobytes(), np.zeros(network.neurons, bool))
            opened[z.tobytes()] = before | open_
        total = 0.0
        for key, open_ in opened.items():
            z = np.frombuffer(key, bool)
            for d in distance(network, z, open_) * network.scale * z.sum():
                total += 0.5 * math.erfc(d / (sigma * math.sqrt(2 * z.sum())))
        assert each.failure_bound == pytest.approx(min(1.0, total))


def test_bounds_of_transitions_enclose_the_proofs(program: Program, found: Margins) -> None:
    whole = program.prove().tally.failure_bound(0.3 * program.network.weight_std)
    bounds = [each.failure_bound for each in found.transitions]
    assert 0 < max(bounds) <= whole
    assert whole <= sum(bounds) * 1.01


def test_without_noise_nothing_fails(program: Program) -> None:
    found = margins(program.machine, program.network)
    assert {each.failure_bound for each in found.transitions} == {0.0}


def test_a_table_has_one_row_per_state(program: Program, found: Margins) -> None:
    machine, table = program.machine, found.table()
    assert table.shape == (len(machine.reachable), len(machine.inputs))
    assert table[1, 0] == found.of(machine.reachable[1], machine.inputs[0]).margin
    assert found.of(machine.initial, None) is found.reset
    with pytest.raises(KeyError):
        found.of("no such state", machine.inputs[0])


def test_a_weight_that_moves_by_the_margin_changes_the_step() -> None:
    program = compile_machine(load("specs/turnstile.yaml"))
    network = program.network
    minimum = margins(program.machine, network).minimum
    moved = network.weights.astype(float)
    step = minimum.margin * network.scale * 1.01
    moved[minimum.neuron, minimum.activity] += -step if minimum.fires else step
    drive = moved[minimum.neuron, minimum.activity].sum()
    assert (drive > 0) != minimum.fires


def test_a_network_that_is_not_proven_has_no_margins() -> None:
    program = compile_machine(load("specs/traffic_light.yaml"), dimension=40, allow_unproven=True)
    with pytest.raises(NotProvenError, match="refuted"):
        margins(program.machine, program.network)


# ---- the oracle


def steps_of(network: Network, state: str, symbol: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """(activity, open neurons) of each step of a transition, with all hand-overs."""
    rest, mask = network.masks[0], network.masks[network.mask_of(symbol)]
    every = np.ones(network.neurons, bool)
    steps: list[tuple[np.ndarray, np.ndarray]] = []

    def step(z: np.ndarray, opened: np.ndarray) -> np.ndarray:
        steps.append((z, opened))
        drive = network.weights.astype(int) @ z - network.gain * int(z.sum())
        return (drive > 0) & opened

    def settle(z: np.ndarray, opened: np.ndarray) -> np.ndarray:
        while ((after := step(z, opened)) != z).any():
            z = after
        return z

    start = settle(network.codes[network.states.index(state)], rest)
    steps.clear()
    for first in (start, step(start, mask & rest), step(start, every)):
        held = settle(first, mask)
        for second in (held, step(held, mask & rest), step(held, every)):
            settle(second, rest)
    return steps


def distance(network: Network, z: np.ndarray, opened: np.ndarray) -> np.ndarray:
    """Of each open neuron from threshold, in units."""
    drive = network.weights.astype(int) @ z - network.gain * int(z.sum())
    return np.abs(drive)[opened] / max(int(z.sum()), 1) / network.scale
