"""`Network`: what is checked when it is built, and how activity is decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm import errors as e
from vsafsm.lowering import Code
from vsafsm.machine import Machine
from vsafsm.network import LEAD, THRESHOLD, Contract, Network
from vsafsm.program import Program

Compiled = Callable[..., Program]


@pytest.fixture
def network(compiled: Compiled, turnstile: Machine) -> Network:
    return compiled(turnstile).network


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blocks": np.zeros((1, 4, 5), np.int8)}, "weights"),
        ({"blocks": np.zeros((1, 8, 8), np.int8)}, "starts"),
        ({"masks": np.ones((3, 7), np.bool_)}, "masks"),
        ({"inputs": ("coin",)}, "masks"),
        ({"labels": (Code(0), Code(1))}, "codes"),
        ({"moore": ()}, "moore"),
        ({"states": ("locked",)}, "moore"),
        ({"start": 2}, "starts in code 2"),
        ({"start": -1}, "starts in code -1"),
        ({"gain": -1}, "gain"),
        ({"gain": 2**20}, "gain"),
        ({"scale": 0.0}, "scale"),
        ({"scale": float("nan")}, "scale"),
        ({"scale": float("inf")}, "scale"),
        ({"contract": Contract(0, 1)}, "at least one step"),
        ({"contract": Contract(1, 0)}, "at least one step"),
        ({"contract": Contract(1, 10**9)}, "at most 32"),
        ({"labels": (Code(1), Code(0), Code(0, True), Code(1, True))}, "first labels"),
        ({"labels": (Code(0), Code(1, True), Code(0, True), Code(1, True))}, "first labels"),
        ({"labels": (Code(0), Code(1), Code(2, True), Code(1, True))}, "does not have"),
        ({"bits": 4}, "4 bits"),
    ],
    ids=lambda x: "" if isinstance(x, str) else "-".join(x),
)
def test_parts_that_do_not_fit_are_refused(
    network: Network, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(e.NetworkError, match=message):
        replace(network, **change)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused(network: Network, value: float) -> None:
    weights = network.weights.astype(float)
    weights[3, 4] = value
    with pytest.raises(e.NetworkError, match="finite"):
        network.with_weights(weights)


@pytest.mark.parametrize("name", ["masks", "codes"])
def test_masks_and_codes_must_be_boolean(network: Network, name: str) -> None:
    with pytest.raises(e.NetworkError, match="boolean"):
        replace(network, **{name: getattr(network, name).astype(np.int8)})


def test_a_network_is_frozen(network: Network) -> None:
    with pytest.raises(FrozenInstanceError):
        network.gain = 3  # type: ignore[misc]
    for array in (network.weights, network.masks, network.codes):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_what_is_derived_from_the_weights(network: Network) -> None:
    n = network.neurons
    assert network.weights.shape == (n, n)
    assert network.active == network.codes[0].sum()
    assert (network.rows == network.weights.T).all()
    assert network.fan_out.tolist() == [
        sum(w != 0 for w in network.weights[:, j]) for j in range(n)
    ]
    assert network.whole
    assert not network.with_weights(network.weights.astype(float)).whole


def test_an_unknown_input_is_refused_with_the_nearest(network: Network) -> None:
    assert [network.mask_of(symbol) for symbol in ("coin", "push")] == [1, 2]
    with pytest.raises(e.UnknownInputError, match=r'unknown input "coim".*did you mean "coin"'):
        network.mask_of("coim")


# ---- decoding


def test_codes_stand_for_themselves_under_every_mask(network: Network) -> None:
    for mask, opened in enumerate(network.masks):
        assert network.decode(network.codes & opened, mask).tolist() == list(
            range(len(network.codes))
        )
    everything = np.repeat(np.arange(len(network.masks)), len(network.codes))
    tiled = np.tile(network.codes, (len(network.masks), 1)) & network.masks[everything]
    assert network.decode(tiled, everything).tolist() == list(range(len(network.codes))) * len(
        network.masks
    )


def test_silence_everything_and_ties_stand_for_nothing(network: Network) -> None:
    n = network.neurons
    tie = network.codes[0] | network.codes[1]
    assert network.decode(
        np.stack([np.zeros(n, np.bool_), np.ones(n, np.bool_), tie])
    ).tolist() == [-1, -1, -1]
    assert network.decode(np.zeros((0, n), np.bool_)).tolist() == []


def test_a_code_alone_still_has_to_pass_the_threshold() -> None:
    machine_of_one = {
        "states": ("x",),
        "inputs": ("a",),
        "moore": ((),),
        "labels": (Code(0),),
        "start": 0,
    }
    network = Network.dense(
        np.zeros((8, 8), np.int8),
        0,
        1.0,
        8,
        np.ones((2, 8), np.bool_),
        (np.arange(8) < 4)[None],
        **machine_of_one,
    )
    shown = np.stack([np.arange(8) < active for active in range(9)])
    assert network.decode(shown).tolist() == [-1, -1, -1, 0, 0, 0, -1, -1, -1]


@given(seed=st.integers(0, 2**32 - 1), mask=st.integers(0, 2))
@settings(deadline=None, max_examples=100)
def test_decoding_asks_for_threshold_and_lead(
    seed: int, mask: int, compiled: Compiled, turnstile: Machine, naive: Any
) -> None:
    network, rng = compiled(turnstile).network, np.random.default_rng(seed)
    share = rng.random()
    one, two = network.codes[rng.integers(0, 4, 2)]
    activity = np.where(rng.random(network.neurons) < share, one, two) & (
        rng.random(network.neurons) < 0.9
    )
    activity &= network.masks[mask]
    assert network.decode(activity[None], mask)[0] == naive(network).decode(
        activity, network.masks[mask]
    )
    assert (THRESHOLD, LEAD) == (0.5, 0.25)
