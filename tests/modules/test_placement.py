"""Which states share a module: laws of any placement, and what a partition keeps inside."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.lowering import lower
from vsafsm.machine import Machine
from vsafsm.modules.placement import PLACEMENTS, Links, Placement, leaving, links, place


def placed(joined: Links, per_module: int, kind: Placement = "partition") -> np.ndarray:
    return place(joined, per_module, kind, np.random.default_rng(0))


def joins(machine: Machine) -> Links:
    return links(lower(machine))


def machine_of(table: list[list[int]], outputs: list[list[int]] | None = None) -> Machine:
    """A machine from next states, and from the number of an output for each transition."""
    rows = {
        f"s{x}": {
            f"i{a}": [f"s{y}", f"o{outputs[x][a]}"] if outputs else f"s{y}"
            for a, y in enumerate(row)
        }
        for x, row in enumerate(table)
    }
    return Machine.from_dict({"transitions": rows})


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    states, inputs = draw(st.integers(1, 40)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    table = rng.integers(0, states, (states, inputs))
    if draw(st.booleans()):
        table[:, 0] = 0  # a sink
    outputs = rng.integers(0, draw(st.integers(1, 5)), (states, inputs))
    return machine_of(table.tolist(), outputs.tolist() if draw(st.booleans()) else None)


def rings(number: int, length: int) -> Machine:
    """States that go round, forth and back, in rings apart from each other; rings take turns in the
    order of the states.
    """
    order = [[x * number + ring for x in range(length)] for ring in range(number)]
    table = [[0, 0] for _ in range(number * length)]
    for ring in order:
        for i, x in enumerate(ring):
            table[x] = [ring[(i + 1) % length], ring[i - 1]]
    return machine_of(table)


def grid(width: int) -> Machine:
    """Cells of a square, and moves to the four sides; at a border the machine stays."""

    def to(x: int, y: int) -> int:
        return min(max(x, 0), width - 1) + width * min(max(y, 0), width - 1)

    cells = [(x, y) for y in range(width) for x in range(width)]
    return machine_of([[to(x, y - 1), to(x + 1, y), to(x, y + 1), to(x - 1, y)] for x, y in cells])


@settings(deadline=None)
@given(machine=machines(), per_module=st.integers(1, 50), kind=st.sampled_from(PLACEMENTS))
def test_every_state_has_a_module_and_every_module_a_state(
    machine: Machine, per_module: int, kind: Placement
) -> None:
    joined = joins(machine)
    homes = placed(joined, per_module, kind)
    assert homes.shape == (len(machine.states),)
    assert set(homes.tolist()) == set(range(int(homes.max()) + 1))
    assert homes.max() < -(-len(machine.states) // per_module)
    assert (placed(joined, per_module, kind) == homes).all()


@settings(deadline=None)
@given(machine=machines(), per_module=st.integers(1, 50))
def test_a_module_has_its_share_of_the_codes(machine: Machine, per_module: int) -> None:
    """Within those of one state."""
    joined = joins(machine)
    codes = joined.codes
    held = np.bincount(placed(joined, per_module), codes)
    share = codes.sum() / -(-len(codes) // per_module)
    assert held.max() < share + codes.max()


@settings(deadline=None)
@given(number=st.integers(1, 6), length=st.integers(3, 12), per_module=st.integers(1, 80))
def test_states_with_equally_many_codes_are_no_more_than_asked_for(
    number: int, length: int, per_module: int
) -> None:
    joined = joins(rings(number, length))
    assert set(joined.codes.tolist()) == {2}
    assert np.bincount(placed(joined, per_module)).max() <= per_module


@settings(deadline=None)
@given(states=st.integers(1, 500), per_module=st.integers(1, 60), seed=st.integers(0, 99))
def test_modules_are_full_alike(states: int, per_module: int, seed: int) -> None:
    joined = joins(machine_of([[x] for x in range(states)]))
    homes = place(joined, per_module, "balanced", np.random.default_rng(seed))
    counts = np.bincount(homes)
    assert counts.max() <= per_module
    assert counts.max() - counts.min() <= 1


@settings(deadline=None)
@given(machine=machines())
def test_the_codes_of_a_state_are_its_own_and_its_pending_ones(machine: Machine) -> None:
    arrivals = {
        (taken.to, taken.outputs)
        for state, row in zip(machine.states, machine.table, strict=True)
        for taken in row
        if taken.to != state or taken.outputs
    }
    pending = Counter(to for to, _ in arrivals)
    expected = [1 + pending[state] for state in machine.states]
    assert joins(machine).codes.tolist() == expected


@settings(deadline=None)
@given(machine=machines(), data=st.data())
def test_transitions_that_leave_are_counted(machine: Machine, data: st.DataObject) -> None:
    size = len(machine.states)
    homes = data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    module = dict(zip(machine.states, homes, strict=True))
    away = [
        module[state] != module[taken.to]
        for state, row in zip(machine.states, machine.table, strict=True)
        for taken in row
    ]
    assert leaving(joins(machine), np.array(homes)) == pytest.approx(np.mean(away))


@settings(deadline=None)
@given(number=st.integers(1, 6), length=st.integers(3, 12))
def test_states_apart_from_each_other_are_kept_apart(number: int, length: int) -> None:
    """Nothing leaves a module that has room for all that is near."""
    joined = joins(rings(number, length))
    assert leaving(joined, placed(joined, length)) == 0


@settings(deadline=None)
@given(length=st.integers(3, 60), per_module=st.integers(2, 60))
def test_a_ring_is_cut_into_arcs(length: int, per_module: int) -> None:
    joined = joins(rings(1, length))
    homes = placed(joined, per_module)
    modules = int(homes.max()) + 1
    cuts = 2 * modules if modules > 1 else 0
    assert leaving(joined, homes) * 2 * length == pytest.approx(cuts)


def test_a_grid_is_cut_into_blocks() -> None:
    """64 blocks of 10 x 10 cells would cut 0.07 of the transitions."""
    joined = joins(grid(80))
    assert leaving(joined, placed(joined, 100)) < 0.12
    assert leaving(joined, placed(joined, 100, "balanced")) > 0.95


def test_a_sink_does_not_hide_what_is_near() -> None:
    """Rings from which every state also leads to one state."""
    table = [[*map(int, row), 48] for row in _next_states(rings(4, 12))] + [[48, 48, 48]]
    joined = joins(machine_of(table))
    homes = placed(joined, 13)
    inside = [homes[x] == homes[y] for x, row in enumerate(table[:48]) for y in row[:2]]
    assert np.mean(inside) > 0.8


def test_less_leaves_than_at_random_even_from_a_random_machine(
    random_machines_of_modules: Any,
) -> None:
    joined = joins(random_machines_of_modules(300, 2, 0))
    away = [leaving(joined, placed(joined, 60, kind)) for kind in PLACEMENTS]
    assert away[0] < 0.6 * away[1]


def _next_states(machine: Machine) -> list[list[int]]:
    return [[machine.state_index(taken.to) for taken in row] for row in machine.table]
