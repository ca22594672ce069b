"""The assertion of robustness: what passes, what fails, and what the message says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vsafsm.errors import RobustnessError
from vsafsm.machine import Machine
from vsafsm.noise import parse_noise
from vsafsm.program import Program
from vsafsm.testing import NotRobustError, assert_robust, network_of_trial

Compiled = Callable[..., Program]


@pytest.fixture(scope="module")
def fragile(turnstile: Machine, compiled: Compiled) -> Program:
    return compiled(turnstile, dimension=64)


@pytest.fixture(scope="module")
def large(turnstile: Machine, compiled: Compiled) -> Program:
    return compiled(turnstile, dimension=512)


def told(program: Program, noise: str, **options: Any) -> tuple[NotRobustError, list[str]]:
    with pytest.raises(NotRobustError) as caught:
        assert_robust(program, noise, **options)
    return caught.value, str(caught.value).splitlines()


@pytest.mark.parametrize(
    "noise", ["additive:2", "missing:0.1", "lognormal:0.5", "additive:1+missing:0.05"]
)
def test_a_large_network_bears_what_a_small_one_does_not(
    fragile: Program, large: Program, noise: str
) -> None:
    assert assert_robust(large, noise, trials=20).failures == ()
    error, _ = told(fragile, noise, trials=20)
    assert isinstance(error, AssertionError)
    assert error.robustness.correct < 20


def test_a_passing_assertion_returns_what_it_found(fragile: Program) -> None:
    found = assert_robust(fragile, "additive:0.25", trials=5, seed=2)
    assert (str(found.noise), found.trials, found.seed, found.share) == ("additive:0.25", 5, 2, 1.0)


def test_enough_draws_must_be_right(fragile: Program) -> None:
    share = told(fragile, "additive:1", trials=20)[0].robustness.share
    assert 0.1 < share < 0.9
    assert assert_robust(fragile, "additive:1", trials=20, least=share).share == share
    _, lines = told(fragile, "additive:1", trials=20, least=share + 0.05)
    assert lines[0].endswith(f"expected a share of {share + 0.05:g}")
    assert assert_robust(fragile, "additive:9", trials=3, least=0).correct == 0


def test_only_given_words_must_be_right(fragile: Program) -> None:
    error, _ = told(fragile, "additive:1", trials=20)
    words = [list(failure.wrong.word) for failure in error.robustness.failures]
    again, lines = told(fragile, "additive:1", words=words, trials=20)
    assert again.robustness.failures == error.robustness.failures
    assert lines[1].startswith("smallest word that goes wrong, in trial ")
    assert assert_robust(fragile, "additive:1", words=[()], trials=20).share == 1


# ---- the message


def test_the_message_says_how_to_repeat_it(fragile: Program, turnstile: Machine) -> None:
    error, lines = told(fragile, "additive:1", trials=20, seed=5)
    found = error.robustness
    assert found.smallest is not None
    assert lines[0] == f"turnstile is not robust: {found}; expected all"
    assert (
        lines[1]
        == f"smallest word that goes wrong, in trial {found.smallest.trial}: {found.smallest.wrong}"
    )
    call = re.search(
        r"vsafsm\.testing\.network_of_trial\(program, \"(.+)\", seed=(\d+), trial=(\d+)\)", lines[4]
    )
    assert call is not None
    network = network_of_trial(fragile, call[1], int(call[2]), int(call[3]))
    rng = np.random.default_rng([5, found.smallest.trial])
    weights = (
        fragile.network.weights
        + rng.standard_normal((64, 64), np.float32) * fragile.network.weights.std()
    )
    assert network.weights == pytest.approx(weights, abs=1e-3)


def test_long_lists_of_trials_are_cut(fragile: Program) -> None:
    _, lines = told(fragile, "additive:9", trials=12)
    assert lines[3] == "trials that went wrong: 0, 1, 2, 3, 4, 5, 6, 7, ... (12 in all)"
    _, lines = told(fragile, "additive:9", trials=2)
    assert lines[3] == "trials that went wrong: 0, 1"


PLACE = re.compile(
    r"margin there without noise: (\S+) units \(neuron (\d+), "
    r"(at rest|while the input is held|in the gap after the input)\); the noise moves drives by"
    r" (\S+) units "
    r"\(root mean square\); neurons that differ from the run without noise: at most (\d+) per step,"
    r" where (\d+) should fire"
)


@pytest.mark.parametrize("noise", ["additive:1", "missing:0.25", "stuck:0.05", "additive:9"])
def test_the_margin_is_that_of_the_transition_that_goes_wrong(fragile: Program, noise: str) -> None:
    """All numbers again, from matrix products in whole numbers along the steps of the contract."""
    error, lines = told(fragile, noise, trials=10)
    place, smallest, network = PLACE.fullmatch(lines[2]), error.robustness.smallest, fragile.network
    assert place is not None
    assert smallest is not None
    noisy = network_of_trial(fragile, noise, 0, smallest.trial).weights.astype(float)
    weights, wrong = network.weights.astype(int), smallest.wrong
    steps, activity = [], network.codes[network.states.index(wrong.state)]
    hold, gap = network.contract.hold_steps, network.contract.gap_steps
    masks = [0] * gap + ([network.mask_of(wrong.word[-1])] * hold + [0] * gap if wrong.word else [])
    for mask in masks:
        opened = network.masks[mask]
        steps.append((activity, opened))
        activity = (weights @ activity > 0) & opened
    clean = noisy_run = network.codes[network.start]
    differing = []
    for mask in [0] * gap + [
        m for s in wrong.word for m in [network.mask_of(s)] * hold + [0] * gap
    ]:
        clean = (weights @ clean > 0) & network.masks[mask]
        noisy_run = (noisy @ noisy_run > 0) & network.masks[mask]
        differing.append((clean != noisy_run).sum())
    assert (int(place[5]), int(place[6])) == (max(differing), network.codes[0].sum())
    assert int(place[5]) > 0
    passed = steps[gap:] if wrong.word else steps[-1:]
    margins = [np.abs(weights @ z)[opened].min() / z.sum() / network.scale for z, opened in passed]
    assert float(place[1]) <= min(margins) + 1e-3
    neuron = int(place[2])
    rows = [abs(weights[neuron] @ z) / z.sum() / network.scale for z, _ in steps]
    moved = [
        np.sqrt(np.mean(((noisy - weights) @ z / z.sum() / network.scale) ** 2)) for z, _ in steps
    ]
    if float(place[1]) == pytest.approx(min(margins), abs=1e-3):
        assert any(
            float(place[1]) == pytest.approx(row, abs=1e-3)
            and float(place[4]) == pytest.approx(move, abs=1e-3)
            for row, move in zip(rows, moved, strict=True)
        )


def test_a_reset_that_goes_wrong_is_judged_at_rest(fragile: Program) -> None:
    _, lines = told(fragile, "additive:9", trials=3)
    assert ": reset: expected " in lines[1]
    place = PLACE.fullmatch(lines[2])
    assert place is not None
    assert place[3] == "at rest"


def test_advice_is_what_is_not_done_yet_and_helps(
    fragile: Program, turnstile: Machine, compiled: Compiled
) -> None:
    error, lines = told(fragile, "additive:1", trials=20)
    assert lines[5].startswith(
        'what usually helps: a size for this noise (tolerate="additive:1"), more neurons'
        " (dimension=128 instead of 64), smaller weights "
    )
    for options in (
        {"tolerate": "additive:1", "confidence": 0.8},
        {"dimension": 128},
        {"dimension": 64, "rule": "small"},
    ):
        helped = assert_robust(compiled(turnstile, **options), "additive:1", trials=20, least=0)
        assert helped.correct > error.robustness.correct
    _, lines = told(
        compiled(turnstile, dimension=128, rule="small", margin=0.42), "additive:9", trials=1
    )
    assert lines[5] == (
        'what usually helps: a size for this noise (tolerate="additive:9"), more neurons'
        " (dimension=256 instead of 128)"
    )


@pytest.mark.parametrize("least", [-0.1, 1.1, True, "0.9", float("nan")])
def test_a_share_out_of_range_is_refused(fragile: Program, least: Any) -> None:
    with pytest.raises(RobustnessError, match="expected a share from 0 to 1"):
        assert_robust(fragile, parse_noise("additive:0"), trials=1, least=least)
