"""The sparse walk against that of the same network as one matrix, and the interpreter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm.activities import activities_of
from vsafsm.errors import CompileError, NetworkError
from vsafsm.machine import Machine
from vsafsm.modules import build
from vsafsm.network import Contract, Network
from vsafsm.proof import Proof
from vsafsm.testing import machines

Built = tuple[Machine, Network]
EXAMPLES = [
    ("turnstile", 1),
    ("traffic_light", 1),
    ("traffic_light", 2),
    ("vending_machine", 1),
    ("working_memory", 2),
    ("tcp_connection", 4),
]
"""Specs, and states per module."""


def assert_same(found: Proof, expected: Proof) -> None:
    assert found.holds == expected.holds
    if not found.holds:
        assert found.counterexample is not None
        if found.verdict == expected.verdict == "refuted":
            assert expected.counterexample is not None
            assert len(found.counterexample.word) == len(expected.counterexample.word)
        return
    for name in ("verdict", "fixed_points", "contract", "radius", "margin"):
        assert getattr(found, name) == getattr(expected, name)
    for name in ("active", "distance", "pairs"):
        assert (getattr(found.tally, name) == getattr(expected.tally, name)).all()


def test_a_proof_is_that_of_the_matrix(random_network: Built, tcp: Built, words: Built) -> None:
    for machine, network in (random_network, tcp, words):
        found = vsafsm.prove(machine, network)
        assert found.holds
        assert_same(found, vsafsm.prove(machine, network.to_dense()))


@pytest.mark.parametrize(("spec", "states"), EXAMPLES)
def test_examples_hold_in_modules_of_any_size(spec: str, states: int) -> None:
    machine = vsafsm.load(f"specs/{spec}.yaml")
    network = build(machine, states=states)
    assert_same(vsafsm.prove(machine, network), vsafsm.prove(machine, network.to_dense()))


@settings(max_examples=15, deadline=None)
@given(machine=machines(states=(2, 6)), data=st.data())
def test_any_machine_and_any_damage_is_judged_alike(machine: Machine, data: st.DataObject) -> None:
    try:
        network = build(machine, states=data.draw(st.integers(1, 3)))
    except CompileError:
        return
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    inside, values = network.blocks.copy(), network.between.values.copy()
    share = data.draw(st.sampled_from([0.0, 0.001, 0.02, 0.3]))
    hit = rng.random(inside.shape) < share
    inside[hit] = rng.integers(-127, 128, int(hit.sum()))
    hit = rng.random(values.shape) < share
    values[hit] = -values[hit]
    network = network.with_all_weights(inside, values)
    assert_same(vsafsm.prove(machine, network), vsafsm.prove(machine, network.to_dense()))


@pytest.mark.parametrize("seed", range(3))
def test_words_are_run_as_the_interpreter_runs_them(tcp: Built, seed: int) -> None:
    """Step by step, at the contract's timing."""
    machine, network = tcp
    contract = vsafsm.prove(machine, network).contract
    rng = np.random.default_rng(seed)
    word = [machine.inputs[a] for a in rng.integers(0, len(machine.inputs), 30)]
    activity, states, outputs = activities_of([network.code_activity(network.start)]), [], []

    def follow(mask: int, steps: int) -> int:
        nonlocal activity
        masks = np.array([mask])
        for _ in range(steps):
            activity = network.step(activity, masks)
        return int(network.codes_of(activity, masks)[0])

    states.append(follow(0, contract.gap_steps))
    for symbol in word:
        held = follow(network.mask_of(symbol), contract.hold_steps)
        outputs.append(network.labels[held].outputs)
        states.append(follow(0, contract.gap_steps))
    trace = machine.run(word)
    assert [network.states[code] for code in states] == list(trace.states)
    expected = [machine.transition(s, a).outputs for s, a in zip(trace.states, word, strict=False)]
    assert outputs == expected


def test_a_wrong_machine_is_refuted_with_a_shortest_word(random_network: Built) -> None:
    machine, network = random_network
    following = {state: machine.states[(x + 1) % 40] for x, state in enumerate(machine.states)}
    other = tuple(replace(taken, to=following[taken.to]) for taken in machine.table[0])
    wrong = replace(machine, table=(other, *machine.table[1:]))
    proof = vsafsm.prove(wrong, network)
    assert proof.verdict == "refuted"
    assert proof.counterexample is not None
    assert len(proof.counterexample.word) == 1
    assert proof.radius == proof.margin == 0


def test_a_contract_that_is_too_short_is_no_proof(tcp: Built) -> None:
    machine, network = tcp
    proof = vsafsm.prove(machine, replace(network, contract=Contract(1, 1)))
    assert proof.verdict == "undecided"
    assert "to settle within the 1 of the contract" in str(proof.counterexample)


def test_a_network_of_another_machine_is_refused(tcp: Built, random_network: Built) -> None:
    with pytest.raises(NetworkError, match="not the machine's"):
        vsafsm.prove(tcp[0], random_network[1])


def test_progress_goes_up(random_network: Built) -> None:
    machine, network = random_network
    seen: list[int] = []
    vsafsm.prove(machine, network, seen.append)
    assert seen == sorted(seen)
