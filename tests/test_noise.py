"""Noise models: moments and shares against what they promise, one generator, texts that come
back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.compiler import compile_machine
from vsafsm.errors import NoiseError
from vsafsm.formats import load
from vsafsm.network import Network
from vsafsm.noise import (
    MODELS,
    Additive,
    Asynchronous,
    Composed,
    Correlated,
    Delays,
    Jitter,
    Lognormal,
    Missing,
    Noise,
    Quantised,
    SignFlips,
    SpreadMasks,
    Stuck,
    parse_noise,
    perturb,
)
from vsafsm.program import Program
from vsafsm.running import run_word


@pytest.fixture(scope="module")
def program() -> Program:
    return compile_machine(load("specs/door_lock.yaml"), dimension=512)


@pytest.fixture(scope="module")
def network(program: Program) -> Network:
    return program.network


def drawn(network: Network, noise: Noise, seed: int = 0) -> tuple[Any, Any]:
    """Undisturbed and perturbed weights, (N, N) each, as float64."""
    after = perturb(network, noise, np.random.default_rng(seed)).weights
    return network.weights.astype(np.float64), after.astype(np.float64)


shares = st.floats(0, 1).map(lambda x: round(x, 6))
amounts = st.floats(0, 9).map(lambda x: round(x, 6))
units = st.sampled_from(["std", "lsb"])
single = st.one_of(
    st.builds(Additive, amounts, units),
    st.builds(Lognormal, amounts),
    st.builds(Missing, shares),
    st.builds(Stuck, shares, st.sampled_from(["either", "minimum", "maximum"])),
    st.builds(SignFlips, shares),
    st.builds(Quantised, st.integers(2, 16)),
    st.builds(Jitter, amounts, units),
    st.builds(Correlated, amounts, st.sampled_from(["rows", "columns"]), shares, units),
    st.builds(Asynchronous, shares),
    st.builds(SpreadMasks, st.integers(0, 1000)),
    st.builds(Delays, st.integers(1, 100)),
)
noises = st.one_of(
    single, st.lists(single, min_size=2, max_size=3).map(lambda some: Composed(tuple(some)))
)


@given(noise=noises)
def test_a_text_comes_back(noise: Noise) -> None:
    assert parse_noise(str(noise)) == noise


@given(noise=noises, seed=st.integers(0, 2**32))
def test_the_same_generator_gives_the_same_weights_and_the_network_stays(
    noise: Noise, seed: int
) -> None:
    network = SMALL
    before = network.weights.copy()
    one, two = (perturb(network, noise, np.random.default_rng(seed)) for _ in range(2))
    assert one.weights.tobytes() == two.weights.tobytes()
    assert one.weights.dtype == np.float32
    assert np.isfinite(one.weights).all()
    assert (network.weights == before).all()


SMALL = compile_machine(load("specs/turnstile.yaml"), dimension=64).network


# ---- what each model does: 262,144 synapses, so that means are known to about 1 in 500


def test_additive_noise_is_gaussian_in_standard_deviations_of_the_weights(network: Network) -> None:
    before, after = drawn(network, Additive(1.5))
    noise = (after - before) / before.std()
    assert noise.std() == pytest.approx(1.5, rel=0.01)
    assert noise.mean() == pytest.approx(0, abs=0.015)
    assert (np.abs(noise) < 1.5).mean() == pytest.approx(0.6827, abs=0.005)
    assert abs(np.corrcoef(noise.ravel(), before.ravel())[0, 1]) < 0.01


def test_additive_noise_in_lsbs(network: Network) -> None:
    before, after = drawn(network, Additive(7, "lsb"))
    assert (after - before).std() == pytest.approx(7, rel=0.01)


@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_lognormal_noise_keeps_the_sign_and_the_mean(network: Network, sigma: float) -> None:
    before, after = drawn(network, Lognormal(sigma))
    there = before != 0
    factor = after[there] / before[there]
    assert (factor > 0).all()
    assert np.log(factor).std() == pytest.approx(sigma, rel=0.01)
    assert factor.mean() == pytest.approx(1, rel=0.02)
    assert (after[~there] == 0).all()


def test_missing_synapses_are_zero_and_the_others_untouched(network: Network) -> None:
    before, after = drawn(network, Missing(0.3))
    assert ((after == 0) | (after == before)).all()
    assert (after[before != 0] == 0).mean() == pytest.approx(0.3, abs=0.005)


@pytest.mark.parametrize(
    ("at", "low", "high"), [("either", 0.1, 0.1), ("minimum", 0.2, 0), ("maximum", 0, 0.2)]
)
def test_stuck_synapses_are_at_the_ends(network: Network, at: Any, low: float, high: float) -> None:
    before, after = drawn(network, Stuck(0.2, at))
    inside = (before > before.min()) & (before < before.max())
    assert (after[inside] == before.min()).mean() == pytest.approx(low, abs=0.005)
    assert (after[inside] == before.max()).mean() == pytest.approx(high, abs=0.005)
    assert np.isin(after, [before.min(), before.max()])[inside].mean() == pytest.approx(
        0.2, abs=0.005
    )
    kept = inside & (after > before.min()) & (after < before.max())
    assert (after[kept] == before[kept]).all()


def test_flipped_synapses_have_the_other_sign(network: Network) -> None:
    before, after = drawn(network, SignFlips(0.1))
    assert (np.abs(after) == np.abs(before)).all()
    assert (after[before != 0] != before[before != 0]).mean() == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize("bits", [2, 3, 5])
def test_quantised_weights_lie_on_the_nearest_level(network: Network, bits: int) -> None:
    before, after = drawn(network, Quantised(bits))
    levels = np.linspace(-1, 1, 2**bits - 1) * np.abs(before).max()
    nearest = np.abs(before[..., None] - levels).min(-1)
    assert np.abs(after - before) == pytest.approx(nearest, abs=1e-4)
    assert len(np.unique(after.round(3))) <= 2**bits - 1


def test_as_many_bits_as_there_are_change_little(network: Network) -> None:
    before, after = drawn(network, Quantised(16))
    assert np.abs(after - before).max() < 0.01


def test_jitter_is_uniform(network: Network) -> None:
    before, after = drawn(network, Jitter(6, "lsb"))
    noise = after - before
    assert np.abs(noise).max() <= 6.001
    assert np.histogram(noise, 6, (-6, 6))[0] / noise.size == pytest.approx([1 / 6] * 6, abs=0.005)


@pytest.mark.parametrize("along", ["rows", "columns"])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
def test_weights_of_a_line_share_noise(network: Network, along: Any, correlation: float) -> None:
    before, after = drawn(network, Correlated(2, along, correlation))
    noise = (after - before) / before.std()
    noise = noise if along == "rows" else noise.T
    covariance = np.mean([np.mean(noise[:, i] * noise[:, i + 1]) for i in range(0, 510, 2)])
    assert covariance == pytest.approx(4 * correlation, abs=0.35)
    assert noise.var() == pytest.approx(4, rel=0.1)
    across = np.mean(noise[:-1] * noise[1:])
    assert abs(across) < 0.4


def test_kinds_of_noise_act_one_after_the_other(network: Network) -> None:
    before, after = drawn(network, parse_noise("additive:1+missing:0.5"))
    assert (after == 0).mean() == pytest.approx(0.5, abs=0.005)
    assert (after - before)[after != 0].std() == pytest.approx(before.std(), rel=0.01)
    _, other = drawn(network, parse_noise("missing:0.5+additive:1"))
    assert (other == 0).mean() < 0.01


@pytest.mark.parametrize(
    "text",
    ["additive:0", "lognormal:0", "missing:0", "stuck:0", "flips:0", "jitter:0", "correlated:0"],
)
def test_no_noise_changes_nothing(network: Network, text: str) -> None:
    before, after = drawn(network, parse_noise(text))
    assert (before == after).all()


# ---- on backends


def test_a_target_that_rounds_gets_whole_weights(network: Network) -> None:
    after = perturb(network, Additive(2), np.random.default_rng(0), whole=True)
    assert after.weights.dtype == network.weights.dtype
    assert after.weights.max() <= 127
    assert after.weights.min() >= -127
    real = perturb(network, Additive(2), np.random.default_rng(0)).weights
    assert (after.weights == np.clip(np.rint(real), -127, 127)).all()


@pytest.mark.parametrize(("backend", "whole"), [("reference", False), ("loihi2", True)])
def test_backends_run_a_disturbed_program(program: Program, backend: str, whole: bool) -> None:
    from dataclasses import replace

    noisy = replace(
        program, network=perturb(program.network, Additive(1), np.random.default_rng(0), whole)
    )
    word = ("3", "1", "4", "1")
    assert run_word(noisy, word, backend).states == program.machine.run(word).states


def test_no_inhibition_is_disturbed_where_it_is_kept_apart() -> None:
    apart = compile_machine(load("specs/turnstile.yaml"), inhibition="separate").network
    assert apart.gain > 0
    assert perturb(apart, Missing(1), np.random.default_rng(0)).gain == apart.gain


# ---- texts that are none


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "unknown noise"),
        ("aditive:1", 'did you mean "additive"'),
        ("additive", "std of noise additive is ''; expected a number of at least 0"),
        ("additive:-1", "at least 0"),
        ("additive:nan", "at least 0"),
        ("additive:inf", "at least 0"),
        ("additive:1,unit=volts", "expected one of: std, lsb"),
        ("additive:1,unit=lsbs", 'did you mean "lsb"'),
        (
            "additive:1,units=lsb",
            'no parameter "units" there; expected unit, once each; did you mean "unit"',
        ),
        ("additive:1,unit=std,unit=lsb", "once each"),
        ("missing:1.5", "expected a number from 0 to 1"),
        ("missing:0.1,share=0.2", 'no parameter "share" there; expected none'),
        ("quantised:2.5", "whole number from 2 to 16"),
        ("quantised:1", "whole number from 2 to 16"),
        ("stuck:0.1,at=top", "either, minimum, maximum"),
        ("missing:0.1+", "1+"),
        ("missing:0.1+lognormals:1", 'did you mean "lognormal"'),
        ("additive:1_0", "expected a number"),
    ],
)
def test_what_is_no_noise_is_refused(text: str, told: str) -> None:
    with pytest.raises(NoiseError) as error:
        parse_noise(text)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Additive(True),
        lambda: Additive("2"),
        lambda: Additive(10**400),
        lambda: Missing(2),
        lambda: Composed(()),
    ],
)
def test_what_is_no_model_is_refused(build: Callable[[], Noise]) -> None:
    with pytest.raises(NoiseError, match="expected"):
        build()


@pytest.mark.parametrize("text", ["timing:async:0.1", "timing:masks:9", "timing:delays:3"])
def test_timing_leaves_weights_alone(network: Network, text: str) -> None:
    before, after = drawn(network, parse_noise(text))
    assert (before == after).all()


def test_every_model_is_tried_here() -> None:
    assert len(MODELS) == 11
