"""Sessions: every step comes from the graph, and is the network's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm import errors as e
from vsafsm.program import Program
from vsafsm_nir.backend import BACKEND
from vsafsm_nir.session import NirSession
from vsafsm_nir.simulator import Simulator

DT_S = 1e-4
ProgramOf = Callable[..., Program]


@pytest.mark.parametrize("name", ["vending_machine", "tcp_connection"])
def test_activity_and_counts_are_those_of_the_reference(name: str, program_of: ProgramOf) -> None:
    program = program_of(name)
    word = np.random.default_rng(1).choice(program.machine.inputs, 20).tolist()
    with vsafsm.open(program, backend="nir") as ours, vsafsm.open(program) as reference:
        for symbol in word:
            assert ours.send(symbol, 7) == reference.send(symbol, 7)
            assert ours.outputs == reference.outputs
            assert (ours.activity == reference.activity).all()
            assert ours.counts == reference.counts
        ours.rest(3)
        reference.rest(3)
        assert (ours.activity == reference.activity).all()


@pytest.mark.parametrize("name", ["turnstile", "elevator"])
def test_the_simulator_takes_the_plain_equations_steps(
    name: str, program_of: ProgramOf, read_back: Any, plain_graph: Any
) -> None:
    graph = read_back(program_of(name))
    rng = np.random.default_rng(3)
    ours, plain = Simulator(graph, DT_S), plain_graph(graph, DT_S)
    for _ in range(60):
        lines = rng.random(len(graph.nodes["lines"].weight[0])) < 0.3
        assert (ours.step(lines) == plain.step(lines)).all()
        assert (ours.spikes == plain.spikes["fsm.lif"]).all()


def test_a_leaky_neuron_remembers_in_the_simulator(program: Program, plain_graph: Any) -> None:
    graph = BACKEND.graph(program)
    lif = graph.nodes["fsm"].nodes["lif"]
    lif.tau_mem, lif.tau_syn, lif.v_leak = lif.tau_mem * 2, lif.tau_syn * 4, lif.v_leak - 1
    rng = np.random.default_rng(5)
    ours, plain = Simulator(graph, DT_S), plain_graph(graph, DT_S)
    for _ in range(20):
        lines = rng.random(len(graph.nodes["lines"].weight[0])) < 0.3
        assert (ours.step(lines) == plain.step(lines)).all()


def test_states_come_out_of_the_graphs_weights(program: Program) -> None:
    graph = BACKEND.graph(program)
    reset = graph.nodes["lines"].weight
    other = program.network.codes[1 - program.network.start]
    reset[:, -1] = np.where(other, reset.max(), -reset.max())
    with NirSession(BACKEND.lower(program), Simulator(graph, DT_S)) as session:
        assert session.state == program.network.states[1 - program.network.start]
    graph.nodes["fsm"].nodes["w_rec"].weight[:] = 0
    with NirSession(BACKEND.lower(program), Simulator(graph, DT_S)) as session:
        assert session.state is None


def test_what_a_session_may_not_do(program: Program) -> None:
    session = vsafsm.open(program, backend="nir")
    with pytest.raises(
        e.SessionError,
        match="hold of 1 steps is not possible; expected a whole number of at least 2",
    ):
        session.send("coin", 1)
    session.close()
    for attempt in (session.reset, lambda: session.send("coin"), lambda: session.rest(1)):
        with pytest.raises(e.SessionError, match="closed"):
            attempt()
