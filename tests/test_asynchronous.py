"""Asynchronous runs, against a loop that updates one neuron after the other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.asynchronous import Run, Runs, Timing, timing_of
from vsafsm.errors import NoiseError
from vsafsm.lowering import REST
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.noise import parse_noise, perturb
from vsafsm.program import Program
from vsafsm.testing import robustness
from vsafsm.walk import Walk

Compiled = Callable[..., Program]


def plain_settled(
    network: Network, active: np.ndarray, mask: int, rng: np.random.Generator
) -> np.ndarray:
    """One neuron after the other, each drive summed anew, until no neuron would change."""
    opened, weights = network.masks[mask], network.weights.astype(float) - network.gain
    active = active & opened
    while True:
        wanted = (weights @ active > 0) & opened
        would = np.flatnonzero(wanted != active)
        if not len(would):
            return active
        neuron = rng.choice(would)
        active = active.copy()
        active[neuron] = wanted[neuron]


@pytest.fixture(scope="module")
def robust(compiled: Compiled, turnstile: Machine) -> Program:
    return compiled(turnstile, dimension=256, rule="robust", inhibition="separate", margin=0.2)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), state=st.integers(0, 1), a=st.integers(0, 1))
def test_one_neuron_per_step_ends_where_plain_updates_end(
    robust: Program, seed: int, state: int, a: int
) -> None:
    network = robust.network
    rng = np.random.default_rng(seed)
    held = plain_settled(network, network.codes[state] & network.masks[REST], a + 1, rng)
    left = plain_settled(network, held, REST, rng)
    runs = Runs(robust.machine, network, Timing(0.0), rng)
    expected = robust.machine.transition(network.states[state], network.inputs[a]).to
    right = network.state_of(int(network.decode(left[None])[0])) == expected
    assert right
    assert runs.correct_pairs()[0, state, a]


@pytest.mark.parametrize("inhibition", ["folded", "separate"])
def test_synchronous_runs_are_those_of_a_walk(
    compiled: Compiled, turnstile: Machine, inhibition: str
) -> None:
    program = compiled(turnstile, dimension=64, inhibition=inhibition)
    wrong = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        noisy = perturb(program.network, parse_noise("additive:1.5"), rng)
        words = rng.integers(2, size=(10, 8)).tolist()
        # The contract's time is that of the network without noise: a walk stops there, and so
        # does a run with so many steps.
        walked = Walk(turnstile, noisy).correct_words(words)
        ran = Runs(turnstile, noisy, Timing(), rng).correct_words(words)
        assert (walked == ran).all()
        wrong += int((~walked).sum())
    assert wrong > 0


def test_drives_stay_exact_over_a_run(robust: Program) -> None:
    network = robust.network
    runs = Runs(robust.machine, network, Timing(0.3, 4, 3), np.random.default_rng(1))
    run = Run(runs, network.codes[[0, 1, 0]])
    for a in (0, 1, 1, 0):
        run.take(["locked", "unlocked", "locked"], np.array([a, 1 - a, a]))
        sent = network.weights.astype(float) - network.gain
        np.testing.assert_array_equal(run.side.drive, run.side.arrived @ sent.T)


def test_delays_belong_to_a_draw_and_the_rest_to_a_run(robust: Program) -> None:
    one, other = (
        Runs(robust.machine, robust.network, Timing(1.0, 0, 6), np.random.default_rng(seed))
        for seed in (1, 2)
    )
    assert set(one._delays) == set(range(1, 7))
    assert (one._delays != other._delays).any()
    assert one.correct_pairs(2).all()


def test_an_input_is_held_for_longer_where_fewer_neurons_are_updated() -> None:
    assert Timing().steps(3, 100) == 3
    assert Timing(delay=4).steps(3, 100) == 12
    assert Timing(spread=20).steps(3, 100) == 23
    # All but 1 in 100 of the neurons of a hundred networks have had their turn.
    steps = Timing(0.1).steps(1, 100)
    assert 100 * 0.9**steps <= 0.011
    assert Timing(0.0).steps(1, 100) == Timing(0.01).steps(1, 100)


def test_what_a_noise_says_of_timing() -> None:
    assert timing_of(parse_noise("additive:1")) is None
    assert timing_of(parse_noise("timing:async:0.1")) == Timing(0.1)
    found = parse_noise("missing:0.1+timing:masks:20+timing:delays:3+timing:async:0")
    assert str(found) == "missing:0.1+timing:masks:20+timing:delays:3+timing:async:0"
    assert timing_of(found) == Timing(0.0, 20, 3)


@pytest.mark.parametrize(
    "text", ["timing:async", "timing:async:2", "timing:masks:1.5", "timing:delays:0", "timing:x:1"]
)
def test_timing_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(NoiseError, match="timing"):
        parse_noise(text)


def test_a_network_that_runs_on_is_told(compiled: Compiled, examples: dict[str, Machine]) -> None:
    """Masks that take long to arrive carry the smallest networks through further transitions."""
    machine = examples["elevator"]
    program = compiled(machine)
    runs = Runs(machine, program.network, Timing(spread=20), np.random.default_rng(0))
    assert runs.correct_pairs(4).mean() < 0.95
    wrong = runs.shortest_wrong(None)
    assert wrong is not None
    assert wrong.expected == machine.run(wrong.word).states[-1]


def test_robust_programs_bear_timing_that_the_smallest_do_not(
    compiled: Compiled, examples: dict[str, Machine]
) -> None:
    machine = examples["elevator"]
    small = compiled(machine)
    robust = compiled(machine, dimension=512, rule="robust", margin=0.2)
    draws = {}
    for name, program in (("small", small), ("robust", robust)):
        runs = Runs(machine, program.network, Timing(0.1), np.random.default_rng(0))
        draws[name] = runs.correct_pairs(20).all((1, 2)).sum()
    assert draws["robust"] >= 19
    assert draws["small"] <= 10


def test_modules_are_run_as_one_matrix_up_to_a_size(compiled: Compiled, turnstile: Machine) -> None:
    program = compiled(turnstile, layout="modules")
    runs = Runs(turnstile, program.network, Timing(), np.random.default_rng(0))
    assert runs.correct_pairs().all()


def test_assertions_take_timing(robust: Program) -> None:
    found = robustness(robust, "timing:async:0.1", trials=5)
    assert found.correct == 5
    found = robustness(robust, "additive:40+timing:async:0.5", words=[["coin", "push"]], trials=3)
    assert found.correct < 3
    assert found.smallest is not None
