"""The walk as a graph, against the machine and the proof; terms as bars, against the margin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vsafsm.compiler import compile_machine
from vsafsm.formats import load
from vsafsm.plotting.fixed_points import fixed_points
from vsafsm.plotting.kinds import plot
from vsafsm.program import Program

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module", params=["turnstile", "vending_machine", "sequence_detector"])
def program(request: pytest.FixtureRequest) -> Program:
    return compile_machine(load(f"specs/{request.param}.yaml"), tolerate="none")


def test_fixed_points_are_those_of_the_proof(program: Program) -> None:
    found = fixed_points(program.network)
    assert len(found.codes) == program.prove().fixed_points


def test_each_way_is_a_transition(program: Program) -> None:
    machine, network = program.machine, program.network
    found = fixed_points(network)
    states = [network.states[network.labels[code].state] for code in found.codes]
    assert {(w.source, w.input) for w in found.ways} == {
        (point, symbol) for point in range(len(states)) for symbol in machine.inputs
    }
    for way in found.ways:
        taken = machine.transition(states[way.source], way.input)
        label = network.labels[way.code]
        assert (network.states[label.state], label.outputs) == (taken.to, taken.outputs)
        assert states[way.target] == taken.to


@pytest.mark.parametrize("noise", [15, 60])
def test_what_stands_for_no_code_is_shown(program: Program, noise: float) -> None:
    network = program.network
    rng = np.random.default_rng(1)
    noisy = network.weights + noise * rng.standard_normal(network.weights.shape)
    broken = replace(program, network=network.with_weights(noisy))
    texts = {text.get_text() for text in plot(broken, what="walk").axes[0].texts}
    assert texts & {"no code", "no state", "does not settle", "reset does not settle"}


def test_bars_add_up_to_the_margin(program: Program) -> None:
    made = plot(program, what="terms")
    (axes,) = made.axes
    *parts, total = (bar.get_width() for bar in axes.patches)
    assert sum(parts) == pytest.approx(total)
    assert total == pytest.approx(program.prove().margin)
