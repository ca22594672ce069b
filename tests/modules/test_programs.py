"""Programs in modules through noise, walks, sweeps and explanations, held against the same network
as one matrix.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm.compiler import compile_machine
from vsafsm.errors import NetworkError, NoiseError
from vsafsm.explanation.shortfalls import shortfalls
from vsafsm.machine import Machine, Transition
from vsafsm.margins import margins
from vsafsm.noise import parse_noise, perturb
from vsafsm.plotting.steps import run_steps
from vsafsm.program import Program
from vsafsm.reference import BACKEND
from vsafsm.synchronous import run_batch
from vsafsm.testing import robustness
from vsafsm.walk import Walk


@pytest.fixture(scope="module")
def program(random_machines_of_modules: Any) -> Program:
    """30 states in three modules or more."""
    machine = random_machines_of_modules(30, 2, 4)
    found: Program = vsafsm.compile(machine, layout="modules", margin=0.2, module_neurons=96)
    assert found.network.modules > 1
    return found


@pytest.fixture(scope="module")
def dense(program: Program) -> Program:
    return replace(program, network=program.network.to_dense())


@pytest.mark.parametrize(
    "noise",
    ["additive:0.5", "additive:3", "lognormal:0.5", "missing:0.2", "stuck:0.01", "flips:0.01"],
)
def test_a_perturbed_network_does_what_its_matrix_does(program: Program, noise: str) -> None:
    machine = program.machine
    for seed in range(3):
        found = perturb(program.network, parse_noise(noise), np.random.default_rng(seed))
        ours, other = Walk(machine, found), Walk(machine, found.to_dense())
        assert (ours.correct_pairs() == other.correct_pairs()).all()
        assert (ours.shortest_wrong() is None) == (other.shortest_wrong() is None)


def test_noise_is_that_of_every_weight_that_is_held(program: Program) -> None:
    network = program.network
    drawn = perturb(network, parse_noise("additive:2,unit=lsb"), np.random.default_rng(0))
    blocks = drawn.blocks - network.blocks
    values = drawn.between.values - network.between.values
    assert np.std(blocks) == pytest.approx(2, rel=0.02)
    assert np.std(values) == pytest.approx(2, rel=0.05)
    silent = perturb(network, parse_noise("missing:1"), np.random.default_rng(0))
    assert not silent.blocks.any()
    assert not silent.between.values.any()
    rounded = perturb(network, parse_noise("jitter:3"), np.random.default_rng(0), whole=True)
    assert rounded.blocks.dtype == rounded.between.values.dtype == np.int8


@pytest.mark.parametrize("noise", ["correlated:1", "missing:0.1+correlated:1,along=columns"])
def test_noise_that_weights_of_a_line_share_is_refused(program: Program, noise: str) -> None:
    with pytest.raises(NoiseError, match="expected another noise, or layout dense"):
        perturb(program.network, parse_noise(noise), np.random.default_rng(0))


def test_margins_are_those_of_the_matrix(program: Program, dense: Program) -> None:
    sigma = 0.2 * program.network.weight_std
    found, expected = (margins(each.machine, each.network, sigma) for each in (program, dense))
    assert found.minimum.margin == program.prove().margin
    for ours, other in zip(
        (found.reset, *(t.minimum for t in found.transitions)),
        (expected.reset, *(t.minimum for t in expected.transitions)),
        strict=True,
    ):
        assert ours.margin == other.margin
    for one, two in zip(found.transitions, expected.transitions, strict=True):
        assert one.failure_bound == pytest.approx(two.failure_bound)


def test_shortfalls_are_those_of_the_matrix(program: Program, dense: Program) -> None:
    harmed = program.network.with_all_weights(
        program.network.blocks, 0 * program.network.between.values
    )
    found = shortfalls(replace(program, network=harmed), 1.0)
    expected = shortfalls(replace(program, network=harmed.to_dense()), 1.0)
    assert found.minimum.margin == expected.minimum.margin < 0
    for one, two in zip(found.transitions, expected.transitions, strict=True):
        assert one.minimum.margin == two.minimum.margin
        assert one.failure_bound == pytest.approx(two.failure_bound)


def test_terms_of_an_explanation_add_up_to_the_margin(program: Program) -> None:
    found = vsafsm.explain(program)
    assert found.transitions[0].minimum.margin == found.proof.margin
    for each in found.transitions[:8]:
        terms = found.terms(each)
        assert sum(term.towards for term in terms) == pytest.approx(each.minimum.margin)
        names = [term.name for term in terms]
        assert any(name.startswith("memory") for name in names)
        assert len(set(names)) == len(names)


def test_batches_of_words_are_run_as_the_interpreter_runs_them(program: Program) -> None:
    words = np.random.default_rng(0).integers(0, 2, (5, 12))
    found = run_batch(program.network, words)
    for word, states in zip(words.tolist(), found.tolist(), strict=True):
        trace = program.machine.run([program.machine.inputs[a] for a in word])
        assert [program.machine.states[x] for x in states] == list(trace.states)


def test_the_description_counts_bits_inside_modules_and_between(program: Program) -> None:
    network = program.network
    inside = sum(block.size for block in network.blocks)
    assert len(network.between.values) > 0
    assert BACKEND.describe(program)["weight_bits"] == 8 * (inside + len(network.between.values))


def test_robustness_and_sweeps_take_modules(program: Program) -> None:
    assert robustness(program, "additive:0.02", trials=3).share == 1
    assert robustness(program, "additive:30", trials=3).share == 0
    table = vsafsm.sweep(program, noise=["additive:0:2:2"], trials=3)
    shares = [row.correct_share for row in table.rows]
    assert shares[0] == 1
    assert shares[-1] < 1


def test_pictures_and_pages_show_modules_as_the_matrix(program: Program, dense: Program) -> None:
    word = program.machine.demonstration(6)
    ours, other = (run_steps(each.network, word) for each in (program, dense))
    assert (ours.activity == other.activity).all()
    assert np.allclose(ours.overlaps, other.overlaps)
    assert (ours.decoded == other.decoded).all()
    for what in ("overlaps", "raster", "similarity", "margins"):
        vsafsm.plot(program, word, what=what)
    with pytest.raises(NetworkError, match="layout dense"):
        vsafsm.plot(program, what="weights")


def test_one_module_has_a_mask_for_each_of_its_inputs_that_are_alike() -> None:
    taken = (Transition("b"), Transition("b"))
    machine = Machine("m", ("a", "b"), ("x", "y"), "a", (taken, taken), ((), ()))
    program = compile_machine(machine, layout="modules", tolerate="none")
    assert program.prove().holds
    assert program.network.modules == 1
    with vsafsm.open(program) as session:
        assert [session.send(symbol) for symbol in ("y", "x")] == ["b", "b"]
