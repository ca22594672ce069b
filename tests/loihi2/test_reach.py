"""The walk over all activities against one in Python's integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.errors import RequirementError
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm_loihi2.reach import PAIRS, reach

NAMES = [
    "turnstile",
    "vending_machine",
    "door_lock",
    "traffic_light",
    "dense turnstile",
    "random 0",
    "random 1",
    "level",
    "apart turnstile",
    "modules 0",
    "modules 1",
    "modules elevator",
    "modules words",
]
HandMade = Callable[..., Network]


@pytest.mark.parametrize("name", NAMES)
def test_a_program_reaches_what_the_plain_walk_does(
    name: str, program_of: Callable[[str], Program], plain_walk: Any
) -> None:
    network = program_of(name).network
    assert asdict(reach(network)) == plain_walk(network).extremes


@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_small_machines_reach_what_the_plain_walk_does(
    data: st.DataObject,
    compiled: Callable[..., Program],
    small_machine_strategy: Any,
    plain_walk: Any,
) -> None:
    network = compiled(data.draw(small_machine_strategy(3, 3)), target="loihi2").network
    assert asdict(reach(network)) == plain_walk(network).extremes


@given(data=st.data())
@settings(deadline=None, max_examples=300)
def test_any_network_reaches_what_the_plain_walk_does_or_both_refuse(
    data: st.DataObject, hand_made: HandMade, plain_walk: Any
) -> None:
    neurons, inputs = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    weights = rng.integers(-3, 6, (neurons, neurons)) + 8 * np.eye(neurons, dtype=int) * data.draw(
        st.booleans()
    )
    masks = rng.random((inputs + 1, neurons)) < 0.7
    network = hand_made(weights, rng.permutation(neurons)[: rng.integers(1, neurons + 1)], masks)
    try:
        expected = plain_walk(network).extremes
    except OverflowError:
        with pytest.raises(RequirementError):
            reach(network)
    else:
        assert asdict(reach(network)) == expected


def test_two_neurons_that_wake_each_other_do_not_settle(hand_made: HandMade) -> None:
    with pytest.raises(
        RequirementError, match="still changes after 32 steps; expected a proven program"
    ):
        reach(hand_made([[0, 1], [1, 0]], [0]))


def test_what_settles_late_is_walked_and_what_settles_too_late_is_refused(
    hand_made: HandMade,
) -> None:
    for steps in (32, 33):
        weights = np.eye(steps + 1, dtype=int) + np.eye(
            steps + 1, k=-1, dtype=int
        )  # a step lights one more
        network = hand_made(weights, [0])
        if steps == 32:
            found = reach(network)
            assert (found.active, found.up, found.least) == (33, 2, 1)
        else:
            with pytest.raises(RequirementError):
                reach(network)


def test_a_network_that_settles_only_while_an_input_is_held_is_refused(hand_made: HandMade) -> None:
    masks = [[1, 1, 1], [1, 0, 1], [0, 1, 1]]
    weights = [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    with pytest.raises(RequirementError):
        reach(hand_made(weights, [0], masks))


def every_subset(neurons: int) -> tuple[Any, Any]:
    """Neurons that keep themselves awake, each put out by an input of its own: all subsets are
    fixed points.
    """
    return np.eye(neurons, dtype=int), np.vstack([np.ones(neurons), 1 - np.eye(neurons)])


def test_a_network_of_too_many_fixed_points_is_refused(hand_made: HandMade) -> None:
    weights, masks = every_subset(6)
    assert reach(hand_made(weights, range(6), masks)).fixed_points == 64
    weights, masks = every_subset(7)
    with pytest.raises(RequirementError, match="over 80 fixed points; expected about one per"):
        reach(hand_made(weights, range(7), masks))


def test_more_pairs_than_are_walked_together_are_walked_all(
    hand_made: HandMade, plain_walk: Any
) -> None:
    weights, masks = every_subset(6)
    weights[0, 5], masks = -40, np.vstack([masks] * 8)
    assert PAIRS < 64 * 48
    network = hand_made(weights, range(1, 6), masks)
    assert asdict(reach(network)) == plain_walk(network).extremes


def test_extremes_by_hand(hand_made: HandMade) -> None:
    # 0 and 1 keep each other awake; 2 is inhibited while closed, 3 is woken by the input that opens
    # it and goes out
    weights = [[1, 2, 0, 0], [3, 1, 0, 0], [-50, 9, 0, 0], [4, 1, 0, -100]]
    masks = [[1, 1, 1, 0], [1, 1, 1, 1]]
    with pytest.raises(RequirementError):
        reach(hand_made(weights, [0, 1], masks))  # it blinks
    weights[3][3] = -4
    found = asdict(reach(hand_made(weights, [0, 1], masks)))
    assert found == {
        "active": 3,
        "up": 5,
        "down": -41,
        "rise": 9,
        "fall": -50,
        "least": 1,
        "fixed_points": 1,
    } | {
        "hold_steps": 1,
        "gap_steps": 1,
    }


def test_the_walk_does_not_ask_the_machine(
    program_of: Callable[[str], Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = program_of("elevator").network
    expected = reach(network)

    def refuse(*arguments: object) -> None:
        raise AssertionError("the machine was asked")

    for name in ("run", "transition", "outputs_of"):
        monkeypatch.setattr(Machine, name, refuse)
    assert reach(network) == expected


def test_drives_are_of_closed_neurons_too(hand_made: HandMade) -> None:
    for weight, masks in product((7, -7), ([[1, 0], [1, 0]], [[1, 0], [1, 1]])):
        if weight < 0 or masks[1] == [1, 0]:
            found = reach(hand_made([[1, 0], [weight, 0]], [0], masks))
            assert (found.up, found.down) == ((7, 0) if weight > 0 else (1, -7))


# ---- an inhibition apart, which is a constant on the chip


def chips_steps(network: Network, plain_walk: Any) -> list[frozenset[int]]:
    """Activities that a constant inhibition leads to."""
    return sorted(plain_walk(network).drives, key=sorted)


def networks_steps(network: Network, start: frozenset[int]) -> list[frozenset[int]]:
    """Activities that the network itself passes through, at once from mask to mask."""
    rows = network.weights.tolist()
    masks = [frozenset(np.flatnonzero(mask).tolist()) for mask in network.masks]
    seen: set[frozenset[int]] = set()

    def settle(z: frozenset[int], opened: frozenset[int]) -> frozenset[int]:
        for _ in range(33):
            seen.add(z)
            after = frozenset(
                i for i in opened if sum(rows[i][j] for j in z) > network.gain * len(z)
            )
            if after == z:
                return z
            z = after
        raise OverflowError

    points = [settle(start, masks[0])]
    for point in points:
        for opened in masks[1:]:
            after = settle(settle(point, opened), masks[0])
            if after not in points:
                points.append(after)
    return sorted(seen, key=sorted)


@given(data=st.data())
@settings(deadline=None, max_examples=300)
def test_a_constant_inhibition_is_taken_only_where_every_step_is_the_networks(
    data: st.DataObject, hand_made: HandMade, plain_walk: Any
) -> None:
    neurons, inputs = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    weights = rng.integers(-3, 6, (neurons, neurons)) + 4 * np.eye(neurons, dtype=int)
    masks = rng.random((inputs + 1, neurons)) < 0.7
    start = rng.permutation(neurons)[: rng.integers(1, neurons + 1)]
    network = hand_made(weights, start, masks, gain=int(rng.integers(1, 3)))
    try:
        found = asdict(reach(network))
    except RequirementError:
        return
    assert found == plain_walk(network).extremes
    half = frozenset(start.tolist()) & frozenset(np.flatnonzero(masks[0]).tolist())
    assert chips_steps(network, plain_walk) == networks_steps(network, half)


def test_a_step_that_a_constant_inhibition_changes_is_told_with_its_word(
    hand_made: HandMade,
) -> None:
    # One neuron holds itself; under the second input two others hold each other, and each is driven
    # by less than the inhibition of two, though by more than that of one.
    weights = [[3, 0, 0], [3, 3, -1], [3, -1, 3]]
    masks = [[1, 0, 0], [1, 0, 0], [0, 1, 1]]
    with pytest.raises(RequirementError) as told:
        reach(hand_made(weights, [0], masks, gain=1))
    assert str(told.value) == (
        "in a step of i1, 2 neurons are active, and the chip's constant inhibition is that of 1: it"
        " would take another step (inhibition=folded)"
    )


def test_a_start_whose_half_settles_elsewhere_is_refused(hand_made: HandMade) -> None:
    # Only the neuron that rest closes wakes the third one.
    weights = [[5, 0, 0], [0, 0, 0], [0, 9, 5]]
    network = hand_made(weights, [0, 1], [[1, 0, 1], [1, 1, 1]], gain=1)
    with pytest.raises(RequirementError, match="settle in two activities"):
        reach(network)
