"""Modular networks for all tests of the subpackage, and random machines."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest

from vsafsm.formats import load
from vsafsm.machine import Machine, Transition
from vsafsm.modules import build
from vsafsm.network import Network


def random_machine(states: int, inputs: int, seed: int) -> Machine:
    """Random next states; every state is reachable from the first by a random tree."""
    rng = np.random.default_rng(seed)
    table = rng.integers(0, states, (states, inputs))
    for state in range(1, states):
        parent = int(rng.integers(0, state))
        while (table[parent] == np.arange(parent + 1, parent + inputs + 1)).all():
            parent = int(rng.integers(0, state))
        table[parent, int(rng.integers(inputs))] = state
    names = tuple(f"s{x}" for x in range(states))
    return Machine(
        "random",
        names,
        tuple(f"i{a}" for a in range(inputs)),
        "s0",
        tuple(tuple(Transition(names[y]) for y in row) for row in table.tolist()),
        ((),) * states,
    )


@lru_cache
def _built(states: int, inputs: int, seed: int, per_module: int) -> tuple[Machine, Network]:
    machine = random_machine(states, inputs, seed)
    return machine, build(machine, states=per_module)


@pytest.fixture(scope="session")
def random_network() -> tuple[Machine, Network]:
    """40 states in four modules."""
    return _built(40, 2, 0, 10)


@pytest.fixture(scope="session")
def words(words_machine: Callable[..., Machine]) -> tuple[Machine, Network]:
    """A machine of twelve inputs, of which modules of 16 active neurons are balanced over seven."""
    machine = words_machine(14, 12)
    return machine, build(machine, active=16)


@pytest.fixture(scope="session", params=["tcp", "words"])
def of_modules(request: pytest.FixtureRequest) -> tuple[Machine, Network]:
    """Modules with the same masks in each, and with masks of their own."""
    found: tuple[Machine, Network] = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def tcp() -> tuple[Machine, Network]:
    """A machine with outputs, in modules of three states."""
    machine = load("specs/tcp_connection.yaml")
    return machine, build(machine, states=3)


@pytest.fixture(scope="session")
def random_machines_of_modules() -> object:
    """Random machines by states, inputs and seed."""
    return random_machine
