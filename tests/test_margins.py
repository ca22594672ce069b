"""Margins of transitions, against the proof and against a step by step count in whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vsafsm.compiler import compile_machine
from vsafsm.errors import UnknownInputError
from vsafsm.formats import load
from vsafsm.margins import margin_table, narrowest, transition_margins
from vsafsm.network import Network
from vsafsm.program import Program

SPECS = ("turnstile", "door_lock", "vending_machine", "working_memory")


@pytest.fixture(scope="module", params=SPECS)
def program(request: pytest.FixtureRequest) -> Program:
    return compile_machine(load(f"specs/{request.param}.yaml"))


def test_the_least_margin_is_that_of_the_proof(program: Program) -> None:
    found = transition_margins(program.machine, program.network)
    assert min(each.narrow.margin for each in found) == pytest.approx(
        program.prove().margin, rel=1e-12
    )


def test_every_transition_is_there_in_order(program: Program) -> None:
    machine = program.machine
    found = [
        (each.state, each.input, each.to) for each in transition_margins(machine, program.network)
    ]
    assert found == [
        (s, a, machine.transition(s, a).to) for s in machine.reachable for a in machine.inputs
    ]


def test_a_narrow_place_is_what_it_says(program: Program) -> None:
    network = program.network
    for each in transition_margins(program.machine, network):
        narrow = each.narrow
        drive = (
            int(network.weights[narrow.neuron].astype(int) @ narrow.activity)
            - network.gain * narrow.activity.sum()
        )
        assert narrow.margin == pytest.approx(abs(drive) / narrow.activity.sum() / network.scale)
        assert narrow.fires == (drive > 0)


def test_a_table_has_a_row_a_state(program: Program) -> None:
    found = transition_margins(program.machine, program.network)
    table = margin_table(program.machine, found)
    assert table.shape == (len(program.machine.reachable), len(program.machine.inputs))
    assert table[1, 0] == found[len(program.machine.inputs)].narrow.margin


def test_a_weight_that_is_moved_by_the_margin_turns_the_narrowest_transition() -> None:
    program = compile_machine(load("specs/turnstile.yaml"))
    network = program.network
    narrow = min(
        transition_margins(program.machine, network), key=lambda each: each.narrow.margin
    ).narrow
    moved = network.weights.astype(float)
    moved[narrow.neuron] += (
        (-1 if narrow.fires else 1) * narrow.activity * (narrow.margin * network.scale * 1.01)
    )
    drive = moved[narrow.neuron] @ narrow.activity
    assert (drive > 0) != narrow.fires


def test_the_narrowest_place_of_one_transition_is_that_of_the_list(program: Program) -> None:
    for each in transition_margins(program.machine, program.network):
        narrow = narrowest(program.network, each.state, each.input)
        assert (narrow.margin, narrow.phase, narrow.neuron) == (
            each.narrow.margin,
            each.narrow.phase,
            each.narrow.neuron,
        )


def test_the_narrowest_place_of_a_state_at_rest(program: Program) -> None:
    network = program.network
    for state, code in zip(network.states, network.codes, strict=False):
        after = settled(network, code)
        drive = network.weights.astype(int) @ after - network.gain * after.sum()
        least = np.abs(drive)[network.masks[0]].min() / after.sum() / network.scale
        assert narrowest(network, state, None).margin == pytest.approx(least)


def settled(network: Network, activity: Any) -> Any:
    """At rest, step by step, in whole numbers."""
    for _ in range(32):
        activity = (
            network.weights.astype(int) @ activity > network.gain * activity.sum()
        ) & network.masks[0]
    return activity


def test_an_input_that_there_is_not_has_no_place(program: Program) -> None:
    with pytest.raises(UnknownInputError, match="expected one of"):
        narrowest(program.network, program.machine.initial, "no such input")
