"""Trials, against noise put on and walked by hand, and against words run one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vsafsm.compiler import compile_machine
from vsafsm.discovery import find
from vsafsm.formats import load
from vsafsm.noise import parse_noise, perturb
from vsafsm.running import run_on
from vsafsm.sweeps.plan import Plan, Trials, subject
from vsafsm.sweeps.trial import Outcome, outcomes
from vsafsm.walk import Walk

TRIALS = Trials(words=4, length=5)


@pytest.mark.parametrize("noise", ["additive:1", "missing:0.2"])
def test_a_draw_is_the_noise_of_its_number(plan: Plan, noise: str) -> None:
    one = plan.subjects[0]
    found = outcomes(one, parse_noise(noise), TRIALS, range(30))
    for number in (0, 7, 29):
        rng = np.random.default_rng([0, number])
        walk = Walk(one.program.machine, perturb(one.program.network, parse_noise(noise), rng))
        assert found[number].pairs == walk.correct_pairs().sum()
        assert found[number].always == (walk.shortest_wrong() is None)
    assert 0 < sum(each.is_correct(4) for each in found) < 30


def test_it_does_not_matter_which_draws_are_asked_for_together(plan: Plan) -> None:
    one = plan.subjects[0]
    together = outcomes(one, parse_noise("additive:1"), TRIALS, range(12))
    assert [outcomes(one, parse_noise("additive:1"), TRIALS, [n])[0] for n in range(12)] == together


def test_seeds_give_other_draws(plan: Plan) -> None:
    one = plan.subjects[0]
    found = [
        outcomes(one, parse_noise("additive:1.2"), Trials(seed=seed), range(20)) for seed in (0, 1)
    ]
    assert found[0] != found[1]


def test_words_are_right_where_every_word_is(plan: Plan) -> None:
    found = outcomes(plan.subjects[0], parse_noise("additive:1"), TRIALS, range(60))
    assert {each.words for each in found if each.always} == {4}
    assert min(each.words for each in found) < 4
    assert all(0 <= each.words <= 4 for each in found)


def test_a_target_of_whole_weights_has_noise_rounded() -> None:
    program = compile_machine(load("specs/turnstile.yaml"), target="loihi2", dimension=64)
    chip = subject(program, "loihi2")
    assert chip.rounded
    assert chip.deployed is not None
    found = outcomes(chip, parse_noise("additive:1"), TRIALS, range(20))
    expected = []
    for number in range(20):
        network = perturb(
            chip.deployed, parse_noise("additive:1"), np.random.default_rng([0, number]), whole=True
        )
        expected.append(Walk(program.machine, network).shortest_wrong() is None)
    assert [each.always for each in found] == expected
    assert 0 < sum(expected) < 20


def test_a_backend_that_is_not_exact_runs_words() -> None:
    program = compile_machine(load("specs/turnstile.yaml"), target="memristor")
    array = subject(program, "memristor", {"device": "lognormal", "sigma": 2.0})
    found = outcomes(array, parse_noise("missing:0.05"), TRIALS, range(6))
    assert all(each.always is None for each in found)
    assert len({each.pairs for each in found}) > 1
    for number in range(6):
        network = perturb(
            program.network,
            parse_noise("missing:0.05"),
            np.random.default_rng([0, number]),
            whole=True,
        )
        options = {**array.options, "device_seed": number}
        drawn = np.random.default_rng([0, number, 1]).integers(2, size=(4, 5)).tolist()
        words = [[program.machine.inputs[a] for a in word] for word in drawn]
        noisy = replace(program, network=network)
        right = 0
        for word in words:
            ran, expected = (
                run_on(find("memristor"), noisy, word, **options),
                program.machine.run(word),
            )
            right += ran.states == expected.states and ran.outputs[1:] == expected.outputs
        assert found[number].words == right


def test_words_for_every_transition_are_found_once_for_all_draws(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = compile_machine(load("specs/turnstile.yaml"), target="memristor")
    array = subject(program, "memristor")
    monkeypatch.setattr("vsafsm.tours._to_nearest", lambda *_: pytest.fail("searched again"))
    found = outcomes(array, parse_noise("missing:0"), TRIALS, range(2))
    assert [each.pairs for each in found] == [4, 4]


def test_no_noise_leaves_everything_right(plan: Plan) -> None:
    assert outcomes(plan.subjects[0], parse_noise("additive:0"), TRIALS, [0]) == [
        Outcome(4, 4, True)
    ]


@pytest.mark.slow
def test_brian2_runs_disturbed_weights_without_rounding() -> None:
    pytest.importorskip("brian2")
    program = compile_machine(load("specs/turnstile.yaml"), target="brian2")
    cells = subject(program, "brian2")
    assert not cells.rounded
    few = Trials(words=1, length=3)
    assert outcomes(cells, parse_noise("additive:0.3"), few, [0]) == [Outcome(4, 1, None)]
    assert outcomes(cells, parse_noise("additive:20"), few, [0])[0].pairs < 4
