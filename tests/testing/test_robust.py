"""Robustness, against perturbed networks run word by word in plain loops."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.errors import NoiseError, RobustnessError, UnknownInputError
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.noise import Additive, Noise, perturb
from vsafsm.program import Program
from vsafsm.synchronous import Session, run_batch
from vsafsm.testing import Robustness, default_trials, network_of_trial, noises, robustness, words
from vsafsm.testing.robust import VARIABLE


@pytest.fixture(scope="module")
def program(turnstile: Machine, compiled: Any) -> Program:
    return compiled(turnstile, dimension=64)


def is_correct(naive: Any, machine: Machine, network: Network, word: tuple[str, ...]) -> bool:
    """A word at the contract's timing, one activity at a time, with what each input shows while it
    is held.
    """
    plain, (rest, *masks) = naive(network), network.masks
    z = network.codes[network.start]

    def after(z: Any, opened: Any, steps: int) -> Any:
        for _ in range(steps):
            z = plain.step(z, opened)
        return z

    z, state = after(z, rest, network.contract.gap_steps), machine.initial
    right = plain.right_at_rest(machine, z, state)
    for symbol in word:
        taken, opened = machine.transition(state, symbol), masks[machine.input_index(symbol)]
        z = after(z, opened, network.contract.hold_steps)
        code = plain.decode(z, opened)
        label = network.labels[code] if code >= 0 else None
        right &= label is not None and (machine.states[label.state], label.outputs) == (
            taken.to,
            taken.outputs,
        )
        z, state = after(z, rest, network.contract.gap_steps), taken.to
        right &= plain.right_at_rest(machine, z, state)
    return bool(right)


def found_by_session(network: Network, word: tuple[str, ...]) -> str | None:
    with Session(network) as session:
        return [session.state, *map(session.send, word)][-1]


def found_by_batch(machine: Machine, network: Network, word: tuple[str, ...]) -> str | None:
    states = run_batch(
        network, np.array([[machine.input_index(symbol) for symbol in word]], np.intp)
    )[0].tolist()
    return network.states[states[-1]] if states[-1] >= 0 else None


def at_rest(naive: Any, network: Network) -> bool:
    """Whether the reset has come to rest after the gap: `run_batch` waits for a hold more."""
    plain, z = naive(network), network.codes[network.start]
    for _ in range(network.contract.gap_steps):
        z = plain.step(z, network.masks[0])
    return bool((plain.step(z, network.masks[0]) == z).all())


SOME = noises(additive=(0.5, 4), missing=(0, 0.4), stuck=(0, 0.2), lognormal=(0, 1.5), composed=2)


@settings(max_examples=40, deadline=None)
@given(noise=SOME, seed=st.integers(0, 2**32))
def test_the_smallest_word_is_wrong_in_that_draw_and_no_shorter_one_is(
    program: Program, naive: Any, noise: Noise, seed: int
) -> None:
    machine = program.machine
    found = robustness(program, noise, trials=3, seed=seed)
    wrong = {failure.trial: failure.wrong for failure in found.failures}
    for trial in range(3):
        network = perturb(program.network, noise, np.random.default_rng([seed, trial]))
        length = len(wrong[trial].word) if trial in wrong else 5
        shorter = [
            word for n in range(min(length, 5)) for word in product(machine.inputs, repeat=n)
        ]
        assert all(is_correct(naive, machine, network, word) for word in shorter)
        if trial in wrong:
            one = wrong[trial]
            assert not is_correct(naive, machine, network, one.word)
            assert one.expected == machine.run(one.word).states[-1]
            assert one.found == found_by_session(network, one.word)
            if one.found != one.expected and at_rest(naive, network):
                assert found_by_batch(machine, network, one.word) == one.found
    if found.smallest is not None:
        assert len(found.smallest.wrong.word) == min(len(one.word) for one in wrong.values())
        assert found.smallest.wrong == wrong[found.smallest.trial]


@settings(max_examples=40, deadline=None)
@given(data=st.data(), noise=SOME, seed=st.integers(0, 2**32))
def test_given_words_are_decided_and_no_others(
    program: Program, naive: Any, data: st.DataObject, noise: Noise, seed: int
) -> None:
    machine = program.machine
    asked = data.draw(st.lists(words(machine), min_size=1, max_size=4))
    failures = robustness(program, noise, words=asked, trials=1, seed=seed).failures
    wrong = failures[0].wrong if failures else None
    network = network_of_trial(program, noise, seed, 0)
    parts = sorted({word[:n] for word in asked for n in range(len(word) + 1)}, key=len)
    first = next((part for part in parts if not is_correct(naive, machine, network, part)), None)
    assert (wrong is None) == (first is None)
    if wrong is not None and first is not None:
        assert len(wrong.word) == len(first)
        assert wrong.word in parts
        assert not is_correct(naive, machine, network, wrong.word)


def test_trials_are_draws_of_generators_of_their_own(program: Program) -> None:
    found = robustness(program, "additive:1", trials=20, seed=3)
    assert (found.noise, found.seed, found.trials) == (Additive(1), 3, 20)
    assert 0 < found.correct < 20
    fewer = robustness(program, Additive(1), trials=10, seed=3)
    assert fewer.failures == tuple(failure for failure in found.failures if failure.trial < 10)
    assert robustness(program, "additive:1", trials=20, seed=4).failures != found.failures
    weights = perturb(program.network, Additive(1), np.random.default_rng([3, 7])).weights
    assert (network_of_trial(program, "additive:1", 3, 7).weights == weights).all()


def test_what_was_found_sums_up(program: Program) -> None:
    found = robustness(program, "additive:1", trials=20)
    low, high = found.interval
    assert found.correct + len(found.failures) == 20
    assert 0 < low < found.share == found.correct / 20 < high < 1
    assert str(found).startswith(
        f"{found.correct} of 20 draws of additive:1 are correct (95 % interval 0."
    )
    assert robustness(program, "additive:0", trials=2) == Robustness(Additive(0), 0, 2, ())
    assert robustness(program, "additive:0", trials=2).smallest is None


# ---- how many trials


def test_trials_come_from_the_call_the_environment_or_are_a_hundred(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert default_trials() == 100
    monkeypatch.setenv(VARIABLE, "3")
    assert robustness(program, "additive:0").trials == 3
    assert robustness(program, "additive:0", trials=2).trials == 2


@pytest.mark.parametrize("text", ["", "0", "-1", "many", "1.5"])
def test_an_environment_without_sense_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(
        RobustnessError, match=f"{VARIABLE} is .*; expected a whole number of at least 1"
    ):
        default_trials()


# ---- what cannot be asked


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"noise": "aditive:1"}, NoiseError, 'did you mean "additive"'),
        ({"noise": "missing:2"}, NoiseError, "from 0 to 1"),
        ({"noise": 2}, NoiseError, "noise is 2; expected a model, or a text"),
        ({"trials": 0}, RobustnessError, "trials is 0; expected a whole number of at least 1"),
        ({"trials": 1.5}, RobustnessError, "trials is 1.5"),
        ({"trials": True}, RobustnessError, "trials is True"),
        ({"seed": -1}, RobustnessError, "seed is -1; expected a whole number of at least 0"),
        ({"words": []}, RobustnessError, "expected at least one, or None for every word"),
        ({"words": "coin"}, RobustnessError, "expected at least one, or None"),
        (
            {"words": ["coin"]},
            RobustnessError,
            r'a word is the text "coin"; expected .* such as \["coin"\]',
        ),
        ({"words": [["coin", "psh"]]}, UnknownInputError, 'did you mean "push"'),
    ],
)
def test_what_cannot_be_measured_is_refused(
    program: Program, asked: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        robustness(program, **{"noise": "additive:9", "trials": 1, **asked})
