"""Machines as graphs: every transition is there once, nothing lies over a state, and it is always
the same.
"""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.examples import examples
from vsafsm.formats import load
from vsafsm.machine import Machine, Transition
from vsafsm.plotting.geometry import MOST_LETTERS, Geometry, geometry, shortened


@pytest.fixture(scope="module", params=sorted(examples()))
def machine(request: pytest.FixtureRequest) -> Machine:
    return load(f"specs/{request.param.removesuffix('.yaml')}.yaml")


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    states = tuple(f"state {i}" for i in range(draw(st.integers(1, 9))))
    inputs = tuple(f"i{a}" for a in range(draw(st.integers(1, 5))))
    table = tuple(tuple(Transition(draw(st.sampled_from(states))) for _ in inputs) for _ in states)
    return Machine(
        "m",
        states,
        inputs,
        states[0],
        table,
        tuple((f"out{i}",) if i % 2 else () for i in range(len(states))),
    )


def is_whole(machine: Machine, found: Geometry) -> None:
    assert [node.state for node in found.nodes] == list(machine.reachable)
    pairs = {(s, machine.transition(s, a).to) for s in machine.reachable for a in machine.inputs}
    assert sorted((e.source, e.target) for e in found.edges) == sorted(pairs)
    for edge in found.edges:
        taken = [a for a in machine.inputs if machine.transition(edge.source, a).to == edge.target]
        assert [
            told.partition(" / ")[0]
            for told in edge.full.split(", ")
            if told.partition(" / ")[0] in taken
        ] == taken


def lies_apart(found: Geometry) -> None:
    for one, other in combinations(found.nodes, 2):
        across = abs(one.centre[0] - other.centre[0]) - one.half[0] - other.half[0]
        down = abs(one.centre[1] - other.centre[1]) - one.half[1] - other.half[1]
        assert max(across, down) > 0, f"{one.state} and {other.state} lie over each other"
    for node in found.nodes:
        for at, half, most in zip(node.centre, node.half, (found.width, found.height), strict=True):
            assert half <= at <= most - half


def test_examples_are_laid_out(machine: Machine) -> None:
    found = geometry(machine)
    is_whole(machine, found)
    lies_apart(found)
    assert found == geometry(machine)
    assert found.width < 2200
    assert found.height < 2200


@settings(deadline=None, max_examples=60)
@given(machine=machines())
def test_any_machine_is_laid_out(machine: Machine) -> None:
    found = geometry(machine)
    is_whole(machine, found)
    lies_apart(found)


def test_labels_tell_a_few_inputs_and_how_many_more() -> None:
    assert shortened(["a"]) == "a"
    assert shortened(["a", "b", "c"]) == "a, b, c"
    assert shortened(["a", "b", "c", "d"]) == "a, b +2"
    assert shortened(["a" * 20, "b" * 20]) == "a" * 20 + " +1"
    assert len(shortened(["x" * 90])) == MOST_LETTERS


@pytest.mark.parametrize("name", ["wake_word", "junction", "robot_arm"])
def test_states_of_a_chart_can_be_told_apart(name: str) -> None:
    found = geometry(load(f"specs/{name}.yaml"))
    lies_apart(found)
    assert len({node.lines for node in found.nodes}) == len(found.nodes)
    for node in found.nodes:
        assert len(node.heights) == len(node.lines) + bool(node.outputs)
        for height in node.heights:
            assert abs(height - node.centre[1]) < node.half[1] - 8
