"""Which neurons were open so far, against bits that are added up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.seen import NOTHING, Seen


@pytest.fixture(scope="module", params=["dense", "modules"])
def network(request: pytest.FixtureRequest, words_machine: Callable[..., Machine]) -> Network:
    machine = words_machine(6, 9)
    options = {} if request.param == "dense" else {"active": 16, "margin": 0.1}
    found: Network = vsafsm.compile(machine, layout=request.param, **options).network
    assert (found.modules > 1) == (request.param == "modules")
    return found


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_is_open_is_what_any_pair_leaves_open(network: Network, data: st.DataObject) -> None:
    seen, mask = Seen(network), st.integers(0, network.no_mask)
    every = network.opened(np.arange(network.no_mask + 1))
    before, bits = NOTHING, np.zeros(network.neurons, np.bool_)
    for pairs in data.draw(st.lists(st.frozensets(st.tuples(mask, mask), max_size=4), max_size=4)):
        before = seen.joined(before, pairs)
        for one, other in pairs:
            bits |= every[one] & every[other]
        modules = np.arange(network.modules)
        assert (seen.open_in(before, modules).reshape(-1) == bits).all()
        assert (seen.open_at(before, np.arange(network.neurons, dtype=np.int32)) == bits).all()
        assert seen.number(before) == bits.sum()
