"""Sparse steps and decoding against the same network as one matrix."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.activities import activities_of, from_bits, join, ranges
from vsafsm.errors import NetworkError, UnknownInputError
from vsafsm.machine import Machine
from vsafsm.modules import build
from vsafsm.network import Network

Built = tuple[Machine, Network]


def activities(network: Network, rng: np.random.Generator, count: int) -> list[np.ndarray]:
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


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_step_is_that_of_the_matrix(of_modules: Built, seed: int) -> None:
    network, rng = of_modules[1], np.random.default_rng(seed)
    dense, some = network.to_dense(), activities_of(activities(network, rng, 12))
    one, other = rng.integers(0, network.no_mask + 1, (2, len(some)))
    every = np.vstack([dense.masks, np.ones(network.neurons, np.bool_)])
    opened = every[one] & every[other]
    bits = some.bits(network.neurons)
    expected = dense.advance(bits, opened)
    found = network.fire(network.drives(some), np.arange(len(some)), one, other)
    assert (found.bits(network.neurons) == expected).all()
    assert (network.advance(bits, network.opened(one) & network.opened(other)) == expected).all()
    under = np.minimum(one, network.no_mask - 1)
    expected = dense.advance(bits, dense.masks[under])
    assert (network.step(some, under).bits(network.neurons) == expected).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_drives_are_those_of_the_matrix(of_modules: Built, seed: int) -> None:
    network, rng = of_modules[1], np.random.default_rng(seed)
    some, n = activities_of(activities(network, rng, 8)), network.module_neurons
    drives = network.drives(some)
    expected = network.to_dense().drive(some.bits(network.neurons))
    for b in range(len(some)):
        found = np.full(network.neurons, drives.elsewhere[b])
        for p in range(drives.starts[b], drives.starts[b + 1]):
            m = int(drives.modules[p])
            found[m * n : (m + 1) * n] = drives.values[p]
        part = slice(drives.reached.starts[b], drives.reached.starts[b + 1])
        found[drives.reached[b]] = drives.reached_values[part]
        assert (found == expected[b]).all()
    assert (network.drive(some.bits(network.neurons)) == expected).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_codes_are_read_as_from_the_matrix(of_modules: Built, seed: int) -> None:
    network, rng = of_modules[1], np.random.default_rng(seed)
    some = activities_of(activities(network, rng, 20))
    masks = rng.integers(0, network.no_mask, len(some))
    bits, dense = some.bits(network.neurons), network.to_dense()
    expected = dense.decode(bits, masks)
    assert network.codes_of(some, masks).tolist() == expected.tolist()
    assert network.decode(bits, masks).tolist() == expected.tolist()
    assert np.allclose(network.similarity(bits, masks), dense.similarity(bits, masks))


def test_every_code_stands_for_itself(of_modules: Built) -> None:
    network = of_modules[1]
    codes = activities_of([network.code_activity(c) for c in range(len(network.codes))])
    for mask in range(network.no_mask):
        masks = np.full(len(codes), mask)
        seen = codes.kept(network.opened(mask)[codes.neurons])
        assert network.codes_of(seen, masks).tolist() == list(range(len(codes)))


def test_batches_are_cut_and_put_together() -> None:
    rows = [np.array(row, np.int32) for row in ([3, 5], [], [1], [0, 2, 9])]
    whole = activities_of(rows)
    assert len(whole) == 4
    assert whole.counts.tolist() == [2, 0, 1, 3]
    taken = whole.take(np.array([3, 1, 3]))
    assert [taken[i].tolist() for i in range(3)] == [[0, 2, 9], [], [0, 2, 9]]
    assert taken.keys[0] == taken.keys[2] != taken.keys[1]
    both = join([whole, taken])
    assert [each.tolist() for each in map(both.__getitem__, range(7))] == [
        *map(list, map(whole.__getitem__, range(4))),
        *map(list, map(taken.__getitem__, range(3))),
    ]
    assert from_bits(whole.bits(10)).keys == whole.keys
    assert ranges(np.array([5, 0, 7]), np.array([2, 0, 3])).tolist() == [5, 6, 7, 8, 9]


def test_an_unknown_input_is_told(tcp: Built) -> None:
    with pytest.raises(UnknownInputError, match="expected one of"):
        tcp[1].mask_of("sin")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"starts": lambda n: n.starts[::-1].copy()}, "not in order"),
        ({"targets": lambda n: n.targets[::-1].copy()}, "not sorted"),
        ({"targets": lambda n: n.targets + 10**6}, "out of range"),
        ({"targets": lambda n: n.targets % 256}, "not sorted|stays inside"),
        ({"values": lambda n: n.values[1:]}, "values of the synapses have shape"),
        ({"starts": lambda n: n.starts[1:]}, "starts of the network have shape"),
    ],
)
def test_synapses_that_are_no_matrix_are_refused(
    tcp: Built, changes: dict[str, Any], told: str
) -> None:
    network = tcp[1]
    made = {key: each(network.between) for key, each in changes.items()}
    with pytest.raises(NetworkError, match=told):
        replace(network, between=replace(network.between, **made))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"gain": 0}, "gain of a network of several modules is 0"),
        ({"homes": lambda n: n.homes + 100}, "module that is not there"),
        ({"homes": lambda n: n.homes[1:]}, "homes of the network have shape"),
        ({"blocks": lambda n: n.blocks[:, 1:]}, "weights of the network have shape"),
        ({"masks": lambda n: n.masks[1:]}, "a mask has a pattern that is not there"),
        ({"masks": lambda n: n.masks[:, 1:]}, "masks of the network have shape"),
        ({"opens": lambda n: n.opens[1:]}, "opens of the network have shape"),
        ({"opens": lambda n: n.opens - 1}, "a mask has a pattern that is not there"),
        ({"bits": 5}, "does not fit into 5 bits"),
    ],
)
def test_parts_that_do_not_fit_are_refused(tcp: Built, changes: dict[str, Any], told: str) -> None:
    network = tcp[1]
    made = {key: each(network) if callable(each) else each for key, each in changes.items()}
    with pytest.raises(NetworkError, match=told):
        replace(network, **made)


def test_sizes_and_statistics_are_those_of_the_weights_that_are_held(tcp: Built) -> None:
    network, dense = tcp[1], tcp[1].to_dense()
    held = np.concatenate([network.blocks.ravel(), network.between.values])
    assert network.synapses == held.size
    assert np.isclose(network.weight_std, held.std())
    assert network.weight_range == (held.min(), held.max())
    assert (network.fan_out == dense.fan_out).all()
    with pytest.raises(NetworkError, match="no single matrix of weights; expected"):
        _ = network.weights


def test_what_is_too_large_is_not_written_out(random_network: Built) -> None:
    machine = random_network[0]
    large = build(machine, states=1, module_neurons=512)
    with pytest.raises(NetworkError, match="too many for one matrix"):
        large.to_dense()


def test_it_says_what_it_is_in_a_line(tcp: Built) -> None:
    assert repr(tcp[1]).startswith("<Network: ")
    assert len(repr(tcp[1])) < 140
