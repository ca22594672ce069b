"""Sparse steps and decoding against the same network as one matrix."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.errors import NetworkError, UnknownInputError
from vsafsm.machine import Machine
from vsafsm.modules import ModularNetwork, build
from vsafsm.modules.network import Batch, batch, patterns, ranges

Built = tuple[Machine, ModularNetwork]


def activities(network: ModularNetwork, rng: np.random.Generator, count: int) -> list[np.ndarray]:
    """Codes, parts of codes, codes of several modules, noise, and silence."""
    found = []
    for _ in range(count):
        kind = rng.integers(5)
        z = np.zeros(network.neurons, bool)
        for code in rng.integers(0, len(network.codes), kind):
            z[network.code_activity(int(code))] = True
        z &= rng.random(len(z)) < rng.choice([0.25, 0.5, 1.0])
        z |= rng.random(len(z)) < rng.choice([0.0, 0.0, 0.01])
        found.append(np.flatnonzero(z).astype(np.int32))
    return found


def as_bits(activity: Batch, neurons: int) -> np.ndarray:
    bits = np.zeros((len(activity), neurons), bool)
    for b in range(len(activity)):
        bits[b, activity[b]] = True
    return bits


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_step_is_that_of_the_matrix(random_network: Built, seed: int) -> None:
    network, rng = random_network[1], np.random.default_rng(seed)
    dense, some = network.to_dense(), batch(activities(network, rng, 12))
    masks = rng.integers(0, len(network.masks) + 1, (2, len(some)))
    opened = patterns(network.masks, masks[0], masks[1])
    bits = as_bits(some, network.neurons)
    expected = dense.advance(bits, np.tile(opened, (1, network.modules)))
    assert (as_bits(network.advance(some, opened), network.neurons) == expected).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_drives_are_those_of_the_matrix(random_network: Built, seed: int) -> None:
    network, rng = random_network[1], np.random.default_rng(seed)
    some, n = batch(activities(network, rng, 8)), network.module_neurons
    drives = network.drive(some)
    expected = network.to_dense().drive(as_bits(some, network.neurons))
    for b in range(len(some)):
        found = np.full(network.neurons, drives.elsewhere[b])
        for p in range(drives.starts[b], drives.starts[b + 1]):
            m = int(drives.modules[p])
            found[m * n : (m + 1) * n] = drives.values[p]
        part = slice(drives.sparse_starts[b], drives.sparse_starts[b + 1])
        found[drives.sparse_neurons[part]] = drives.sparse_values[part]
        assert (found == expected[b]).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_codes_are_read_as_from_the_matrix(tcp: Built, seed: int) -> None:
    network, rng = tcp[1], np.random.default_rng(seed)
    some = batch(activities(network, rng, 20))
    masks = rng.integers(0, len(network.masks), len(some))
    expected = network.to_dense().decode(as_bits(some, network.neurons), masks)
    assert network.decode(some, masks).tolist() == expected.tolist()


def test_every_code_stands_for_itself(tcp: Built) -> None:
    network = tcp[1]
    codes = batch([network.code_activity(c) for c in range(len(network.codes))])
    for mask in range(len(network.masks)):
        masks = np.full(len(codes), mask)
        seen = codes.masked(patterns(network.masks, masks, masks))
        assert network.decode(seen, masks).tolist() == list(range(len(codes)))


def test_batches_are_cut_and_put_together() -> None:
    rows = [np.array(row, np.int32) for row in ([3, 5], [], [1], [0, 2, 9])]
    whole = batch(rows)
    assert len(whole) == 4
    assert whole.counts.tolist() == [2, 0, 1, 3]
    taken = whole.take(np.array([3, 1, 3]))
    assert [taken[i].tolist() for i in range(3)] == [[0, 2, 9], [], [0, 2, 9]]
    assert taken.keys[0] == taken.keys[2] != taken.keys[1]
    assert ranges(np.array([5, 0, 7]), np.array([2, 0, 3])).tolist() == [5, 6, 7, 8, 9]


def test_an_unknown_input_is_told(tcp: Built) -> None:
    with pytest.raises(UnknownInputError, match="expected one of"):
        tcp[1].mask_of("sin")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"gain": 0}, "gain is 0"),
        ({"starts": lambda n: n.starts[::-1].copy()}, "not in order"),
        ({"targets": lambda n: n.targets[::-1].copy()}, "not sorted"),
        ({"targets": lambda n: n.targets + n.neurons}, "out of range"),
        ({"targets": lambda n: n.targets % n.module_neurons}, "not sorted|stays inside"),
        ({"homes": lambda n: n.homes + 100}, "module that is not there"),
        ({"values": lambda n: n.values[1:]}, "values of the network have shape"),
        ({"masks": lambda n: n.masks[1:]}, "masks of the network have shape"),
    ],
)
def test_parts_that_do_not_fit_are_refused(tcp: Built, changes: dict[str, Any], told: str) -> None:
    network = tcp[1]
    made = {key: each(network) if callable(each) else each for key, each in changes.items()}
    with pytest.raises(NetworkError, match=told):
        replace(network, **made)


def test_what_is_too_large_is_not_written_out(random_network: Built) -> None:
    machine = random_network[0]
    large = build(machine, states=1, module_neurons=512)
    with pytest.raises(NetworkError, match="too many for one matrix"):
        large.to_dense()


def test_it_says_what_it_is_in_a_line(tcp: Built) -> None:
    assert repr(tcp[1]).startswith("<ModularNetwork: ")
    assert len(repr(tcp[1])) < 140
