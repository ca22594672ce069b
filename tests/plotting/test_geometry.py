"""Machines as graphs: every transition is there once, nothing lies over a state, and it is always
the same.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vsafsm.errors import PlotError
from vsafsm.examples import examples
from vsafsm.formats import load
from vsafsm.machine import Machine, Transition
from vsafsm.plotting import graphviz, layered
from vsafsm.plotting.geometry import MOST_LINES, Geometry, geometry, label_lines
from vsafsm.plotting.layered import Point

ENGINES = ("dot", "igraph")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What lays graphs out."""
    if request.param == "dot" and not graphviz.is_there():
        pytest.skip("Graphviz is not installed")
    if request.param == "igraph":
        pytest.importorskip("igraph", reason="igraph is not installed")
        monkeypatch.setattr(graphviz, "is_there", lambda: False)
    return str(request.param)


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
        told = [part.partition(" / ")[0].split(", ") for part in edge.full.split("; ")]
        assert sorted(symbol for symbols in told for symbol in symbols) == sorted(taken)


def lies_apart(found: Geometry) -> None:
    for one, other in combinations(found.nodes, 2):
        across = abs(one.centre[0] - other.centre[0]) - one.half[0] - other.half[0]
        down = abs(one.centre[1] - other.centre[1]) - one.half[1] - other.half[1]
        assert max(across, down) > 0, f"{one.state} and {other.state} lie over each other"
    for node in found.nodes:
        for at, half, most in zip(node.centre, node.half, (found.width, found.height), strict=True):
            assert half <= at <= most - half


def curve(points: tuple[Point, ...]) -> np.ndarray:
    """Places along cubic curves."""
    share = np.linspace(0, 1, 24)[:, None]
    rest, pieces = 1 - share, []
    for i in range(0, len(points) - 1, 3):
        a, b, c, d = np.array(points[i : i + 4])
        pieces.append(
            rest**3 * a + 3 * rest**2 * share * b + 3 * rest * share**2 * c + share**3 * d
        )
    return np.concatenate(pieces)


def runs_around(found: Geometry) -> list[str]:
    """Transitions that run through a state that is not theirs."""
    wrong = []
    for edge in found.edges:
        places = curve(edge.points)
        for node in found.nodes:
            if node.state in (edge.source, edge.target):
                continue
            inside = (((places - node.centre) / node.half) ** 2).sum(1)
            if inside.min() < 0.9:
                wrong.append(f"{edge.source} to {edge.target} through {node.state}")
    return wrong


def test_examples_are_laid_out(machine: Machine, engine: str) -> None:
    found = geometry(machine)
    is_whole(machine, found)
    lies_apart(found)
    assert found == geometry(machine)
    assert max(found.width / 4, found.height / 3) < 1000
    assert not runs_around(found)
    for edge in found.edges:
        # Everything is told: the words of the label are those of the transitions.
        assert (
            " ".join(line.text for line in edge.lines).split() == edge.full.replace(";", "").split()
        )
        for node in found.nodes:
            away = abs(edge.at[0] - node.centre[0]), abs(edge.at[1] - node.centre[1])
            assert away[0] > node.half[0] or away[1] > node.half[1]


def test_transitions_end_at_their_states(machine: Machine, engine: str) -> None:
    found = geometry(machine)
    node = {each.state: each for each in found.nodes}
    for edge in found.edges:
        for state, point in ((edge.source, edge.points[0]), (edge.target, edge.points[-1])):
            place = (np.array(point) - node[state].centre) / node[state].half
            assert 0.9 < np.hypot(*place) < 1.25


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(machine=machines())
def test_any_machine_is_laid_out(engine: str, machine: Machine) -> None:
    found = geometry(machine)
    is_whole(machine, found)
    lies_apart(found)


def test_outputs_of_a_state_are_told_in_full(engine: str) -> None:
    machine = load("specs/traffic_light.yaml")
    for node in geometry(machine).nodes:
        told = " ".join(line.text for line in node.lines if line.is_output)
        assert told == ", ".join(machine.outputs_of(node.state))


def test_labels_tell_all_up_to_some_lines() -> None:
    assert label_lines(["a"]) == ("a",)
    assert label_lines(["a, b, c / out", "d"]) == ("a, b, c / out", "d")
    assert label_lines(["x" * 90]) == ("x" * 90,)
    assert label_lines(["swipe_left, swipe_right, fist, palm"]) == (
        "swipe_left, swipe_right,",
        "  fist, palm",
    )
    many = label_lines([f"input_{i} / output_{i}" for i in range(40)])
    assert len(many) == MOST_LINES
    assert many[-1] == f"and {40 - MOST_LINES + 1} lines more"


def test_without_an_engine_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, turnstile: Machine
) -> None:
    monkeypatch.setattr(graphviz, "is_there", lambda: False)
    monkeypatch.setattr(layered, "find_spec", lambda name: None)
    with pytest.raises(PlotError, match=r"neither is installed; expected: pip install"):
        geometry(turnstile)
    assert turnstile._repr_html_() == "<p>&lt;Machine turnstile: states 2, inputs 2&gt;</p>"


@pytest.mark.parametrize("name", ["wake_word", "junction", "robot_arm"])
def test_states_of_a_chart_can_be_told_apart(name: str, engine: str) -> None:
    found = geometry(load(f"specs/{name}.yaml"))
    lies_apart(found)
    assert len({tuple(line.text for line in node.lines) for node in found.nodes}) == len(
        found.nodes
    )
    for node in found.nodes:
        for line in node.lines:
            assert abs(line.height - node.centre[1]) < node.half[1] - 8
