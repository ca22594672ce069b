"""The file, read back by the NIR library and integrated in plain terms: the interpreter's states,
step for step.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import nir
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vsafsm.machine import Machine, Transition
from vsafsm.program import Program, load_program
from vsafsm_nir import nir_graph
from vsafsm_nir.backend import BACKEND
from vsafsm_nir.graph import METADATA, description, line_names, to_bytes

DT_S = 1e-4
ProgramOf = Callable[..., Program]
shared = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Player:
    """Plays words on a graph, with nothing but what the file says."""

    def __init__(self, graph: Any, simulated: Any) -> None:
        self.about = json.loads(graph.metadata[METADATA])
        self.masks = graph.nodes["lines"].weight[:, :-1] == 0
        self.codes = graph.nodes["readout"].weight[:-1]
        self.simulated = simulated

    def hold(self, line: int, steps: int) -> dict[str, Any] | None:
        for _ in range(steps):
            output = self.simulated.step(np.eye(len(self.about["lines"]))[line])
        return self.read(output, line) if line < self.masks.shape[1] else None

    def read(self, output: Any, line: int) -> dict[str, Any] | None:
        scores = []
        for code, hits in zip(self.codes, output[:-1], strict=True):
            opened = self.masks[:, line]
            own, other = (code[opened] == 1).sum(), (code[opened] == 0).sum()
            scores.append(hits / max(own, 1) - (output[-1] - hits) / max(other, 1))
        ranked = sorted([-1.0, *scores])
        if (
            ranked[-1] <= self.about["least_similarity"]
            or ranked[-1] - ranked[-2] <= self.about["least_lead"]
        ):
            return None
        return self.about["codes"][int(np.argmax(scores))]

    def run(self, word: list[str]) -> tuple[list[str], list[tuple[str, ...]]]:
        self.hold(len(self.about["lines"]) - 1, 1)
        settled = self.hold(0, self.about["gap_steps"])
        assert settled is not None
        states, outputs = [settled["state"]], [tuple(settled["outputs"])]
        for symbol in word:
            held = self.hold(self.about["lines"].index(symbol), self.about["hold_steps"])
            settled = self.hold(0, self.about["gap_steps"])
            assert held is not None
            assert settled is not None
            states.append(settled["state"])
            mealy = held["outputs"] if held["pending"] else []
            outputs.append((*mealy, *settled["outputs"]))
        return states, outputs


def expected(machine: Machine, word: list[str]) -> tuple[list[str], list[tuple[str, ...]]]:
    trace = machine.run(word)
    return list(trace.states), [trace.initial_outputs, *trace.outputs]


# ---- words


@shared
@given(data=st.data())
@pytest.mark.parametrize("name", ["turnstile", "vending_machine", "door_lock"])
def test_words_lead_to_the_interpreters_states_and_outputs(
    name: str, data: st.DataObject, program_of: ProgramOf, read_back: Any, plain_graph: Any
) -> None:
    program = program_of(name)
    graph = read_back(program)
    word = data.draw(st.lists(st.sampled_from(program.machine.inputs), max_size=8))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    played = Player(graph, plain_graph(graph, DT_S, rng, data.draw(st.booleans())))
    for _ in range(2):  # the second time the reset comes in the middle
        assert played.run(word) == expected(program.machine, word)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_small_machines_run_from_their_files(
    data: st.DataObject,
    small_machine_strategy: Any,
    compiled: ProgramOf,
    read_back: Any,
    plain_graph: Any,
) -> None:
    machine = data.draw(small_machine_strategy())
    graph = read_back(compiled(machine, target="nir"))
    word = data.draw(st.lists(st.sampled_from(machine.inputs), max_size=8))
    assert Player(graph, plain_graph(graph, DT_S)).run(word) == expected(machine, word)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("traffic_light", {"code": "dense"}),
        ("elevator", {"bits": 4}),
        ("turnstile", {"bits": 12}),
        ("working_memory", {}),
        ("turnstile", {"trigger": "event", "rule": "robust"}),
    ],
    ids=str,
)
def test_other_programs_run_from_their_files(
    name: str, options: dict[str, Any], program_of: ProgramOf, read_back: Any, plain_graph: Any
) -> None:
    program = program_of(name, **options)
    graph = read_back(program)
    word = np.random.default_rng(0).choice(program.machine.inputs, 12).tolist()
    assert Player(graph, plain_graph(graph, DT_S)).run(word) == expected(program.machine, word)


# ---- steps


@shared
@given(data=st.data())
@pytest.mark.parametrize("name", ["turnstile", "robot_arbiter"])
def test_every_activity_under_every_two_lines_takes_the_networks_step(
    name: str, data: st.DataObject, program_of: ProgramOf, read_back: Any, plain_graph: Any
) -> None:
    program = program_of(name)
    network, graph = program.network, read_back(program)
    lines = data.draw(st.sets(st.integers(0, len(network.inputs) + 1), max_size=2))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    simulated = plain_graph(graph, DT_S, rng, data.draw(st.booleans()))
    before = rng.random((3, network.neurons)) < rng.choice([0.02, 0.5, 1.0])
    x = np.isin(np.arange(len(network.inputs) + 2), list(lines))
    for z in before:  # what a step leaves behind must not change the next
        simulated.spikes["fsm.lif"] = z.astype(np.float32)
        simulated.step(x)
        drive = network.weights.astype(np.int64) @ z
        masks = [network.masks[line] for line in lines if line <= len(network.inputs)]
        opened = np.logical_and.reduce([np.ones(network.neurons, np.bool_), *masks])
        following = (
            network.codes[network.start]
            if len(network.inputs) + 1 in lines
            else (drive > 0) & opened
        )
        assert (simulated.spikes["fsm.lif"] == following).all()


def test_slower_time_steps_are_exact_too(
    program: Program, read_back: Any, plain_graph: Any
) -> None:
    word = [*program.machine.inputs] * 3
    for dt_s in (1e-3, 2.5e-5, 0.1):
        graph = read_back(program, dt_s=dt_s)
        assert json.loads(graph.metadata[METADATA])["dt_s"] == dt_s
        assert Player(graph, plain_graph(graph, dt_s)).run(word) == expected(program.machine, word)


def test_another_time_step_than_the_files_goes_wrong(
    program: Program, read_back: Any, plain_graph: Any
) -> None:
    graph = read_back(program)
    lines = np.eye(len(program.network.inputs) + 2)
    right, wrong = plain_graph(graph, DT_S), plain_graph(graph, DT_S / 4)
    for line in (lines[-1], lines[0], lines[0]):
        right.step(line)
        wrong.step(line)
    assert (right.spikes["fsm.lif"] != wrong.spikes["fsm.lif"]).any()


# ---- the file


def test_the_file_is_of_the_form_that_simulators_wire(program: Program, read_back: Any) -> None:
    graph, network = read_back(program), program.network
    assert [
        type(graph.nodes[name]).__name__ for name in ("input", "lines", "fsm", "readout", "output")
    ] == [*("Input", "Affine", "NIRGraph", "Affine", "Output")]
    assert set(graph.edges) == set(pairwise(("input", "lines", "fsm", "readout", "output")))
    fsm = graph.nodes["fsm"]
    assert set(fsm.edges) == {
        ("input", "lif"),
        ("lif", "w_rec"),
        ("w_rec", "lif"),
        ("lif", "output"),
    }
    assert (fsm.nodes["w_rec"].weight == network.weights).all()
    assert fsm.nodes["w_rec"].weight.dtype == np.float32
    assert not any(
        node.bias.any()
        for node in (graph.nodes["lines"], graph.nodes["readout"], fsm.nodes["w_rec"])
    )
    lif = fsm.nodes["lif"]
    assert isinstance(lif, nir.CubaLIF)
    assert (lif.tau_mem == 1e-4).all()
    assert (lif.tau_syn == 1e-4).all()


def test_the_same_program_gives_the_same_bytes(program: Program, tmp_path: Any) -> None:
    program.save(tmp_path / "again.npz")
    again = load_program(tmp_path / "again.npz")
    assert to_bytes(BACKEND.graph(program)) == to_bytes(BACKEND.graph(again))
    assert to_bytes(BACKEND.graph(program)) != to_bytes(BACKEND.graph(program, dt_s=1e-3))


def test_what_is_written_with_the_graph_says_what_it_means(
    program: Program, read_back: Any
) -> None:
    about = json.loads(read_back(program).metadata[METADATA])
    assert about == json.loads(json.dumps(description(program, DT_S)))
    assert about["lines"] == ["(rest)", "coin", "push", "(reset)"]
    assert about["machine"] == "turnstile"
    assert about["content_hash"] == program.content_hash
    assert {(code["state"], code["pending"], *code["outputs"]) for code in about["codes"]} == {
        ("locked", False, "barrier_closed"),
        ("unlocked", False, "barrier_open"),
        ("unlocked", True),
        ("locked", True, "click"),
    }


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        (("a", "b"), ["(rest)", "a", "b", "(reset)"]),
        (("(reset)",), ["((rest))", "(reset)", "((reset))"]),
        (("(rest)", "((reset))"), ["(((rest)))", "(rest)", "((reset))", "(((reset)))"]),
    ],
)
def test_lines_have_names_of_their_own(inputs: tuple[str, ...], names: list[str]) -> None:
    assert line_names(inputs) == names


def test_names_of_any_script_are_kept(compiled: ProgramOf, read_back: Any) -> None:
    row = (Transition("δ", ("日本",)), Transition("δ"))
    machine = Machine("größe", ("δ",), ("ein", "aus ✓"), "δ", (row,), ((),))
    about = json.loads(read_back(compiled(machine, target="nir")).metadata[METADATA])
    assert (about["machine"], about["lines"][2], about["codes"][0]["state"]) == (
        "größe",
        "aus ✓",
        "δ",
    )


def test_the_graph_can_be_had_in_python(program: Program) -> None:
    graph = nir_graph(program, dt_s=1e-3)
    assert isinstance(graph, nir.NIRGraph)
    assert (graph.nodes["fsm"].nodes["lif"].tau_mem == 1e-3).all()
