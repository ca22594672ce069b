"""The chip's neuron against Lava's own model of it, and against Python's integers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from vsafsm_loihi2.limits import ACCUMULATOR, STATE
from vsafsm_loihi2.neuron import fire

MOST_ARRIVING = 2**17
"""Beyond what the accumulator holds, so that a current wraps; 64 of it are just the edge of 24
bits.
"""


def near(*edges: int) -> list[int]:
    return [edge + d for edge in edges for d in (-65, -64, -1, 0, 1, 64, 65)]


def whole(most: int, *edges: int) -> st.SearchStrategy[int]:
    return st.one_of(
        st.integers(-most, most),
        st.sampled_from([n for n in near(0, 4096, -4096, *edges) if abs(n) <= most]),
    )


STATES = whole(STATE, STATE, -STATE)
ARRIVING = whole(MOST_ARRIVING, 2**15, -(2**15), MOST_ARRIVING, -MOST_ARRIVING)
DECAYS = st.one_of(st.integers(0, 4095), st.sampled_from([0, 1, 2047, 2048, 4094, 4095]))
NEURON = st.tuples(STATES, STATES, ARRIVING, st.integers(-4096, 4095))
NEURONS = st.lists(NEURON, min_size=1, max_size=40)


def arrays(neurons: list[tuple[int, ...]]) -> tuple[np.ndarray, ...]:
    return tuple(np.array(column, np.int32) for column in zip(*neurons, strict=True))


class Lavas:
    """Lava's bit-accurate model without its runtime."""

    def __init__(self, u: Any, v: Any, mantissas: Any, exponent: int, du: int, dv: int) -> None:
        if sys.version_info >= (3, 11):
            pytest.importorskip("lava.magma", reason="Lava installs on Python 3.10 only")
        from lava.proc.lif.models import PyLifModelBitAcc

        self.model = PyLifModelBitAcc({})
        self.model.u, self.model.v = u.astype(np.int32), v.astype(np.int32)
        self.model.bias_mant, self.model.bias_exp = (
            mantissas.astype(np.int16),
            np.full(len(u), exponent, np.int16),
        )
        self.model.du, self.model.dv, self.model.vth = du, dv, 0
        self.model.scale_bias()
        self.model.scale_threshold()

    def step(self, arriving: Any) -> tuple[Any, Any, Any]:
        self.model.subthr_dynamics(arriving)
        spikes = self.model.spiking_activation()
        self.model.reset_voltage(spikes)
        return self.model.u, self.model.v, spikes


@given(neurons=NEURONS, exponent=st.integers(0, 7), du=DECAYS, dv=DECAYS)
@example(
    neurons=[(0, 0, MOST_ARRIVING, 0), (0, 0, -MOST_ARRIVING, 0)], exponent=0, du=4095, dv=4095
)
@settings(deadline=None)
def test_a_step_is_lavas(neurons: list[tuple[int, ...]], exponent: int, du: int, dv: int) -> None:
    u, v, arriving, mantissas = arrays(neurons)
    expected = Lavas(u, v, mantissas, exponent, du, dv).step(arriving)
    found = fire(u, v, arriving, mantissas << exponent, du, dv)
    for got, right in zip(found, expected, strict=True):
        assert got.tolist() == right.tolist()


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(0, 7), du=DECAYS, dv=DECAYS)
@settings(deadline=None)
def test_many_steps_are_lavas(seed: int, exponent: int, du: int, dv: int) -> None:
    rng = np.random.default_rng(seed)
    mantissas = rng.integers(-4096, 4096, 20, dtype=np.int32)
    u = v = np.zeros(20, np.int32)
    lavas = Lavas(u, v, mantissas, exponent, du, dv)
    for _ in range(30):
        arriving = rng.integers(-ACCUMULATOR, ACCUMULATOR, 20, dtype=np.int32, endpoint=True)
        u, v, spikes = fire(u, v, arriving, mantissas << exponent, du, dv)
        for got, right in zip((u, v, spikes), lavas.step(arriving), strict=True):
            assert got.tolist() == right.tolist()


@given(neurons=NEURONS, exponent=st.integers(0, 7), du=DECAYS, dv=DECAYS)
@example(neurons=[(0, STATE, 0, -4096)], exponent=7, du=4095, dv=0)
@example(
    neurons=[(STATE, -STATE, MOST_ARRIVING, 0), (-STATE, 0, -MOST_ARRIVING, 0)],
    exponent=0,
    du=0,
    dv=0,
)
@example(
    neurons=[(0, 0, MOST_ARRIVING, 0), (0, 0, -MOST_ARRIVING, 0)], exponent=0, du=4095, dv=4095
)
@settings(deadline=None)
def test_a_step_is_the_one_of_pythons_integers(
    neurons: list[tuple[int, ...]],
    exponent: int,
    du: int,
    dv: int,
    plain_fire: Callable[..., tuple[int, int, bool]],
) -> None:
    u, v, arriving, mantissas = arrays(neurons)
    found = fire(u, v, arriving, mantissas << exponent, du, dv)
    expected = [plain_fire(*n[:3], n[3] * 2**exponent, du, dv) for n in neurons]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


@given(neurons=NEURONS, du=DECAYS, dv=DECAYS)
@settings(deadline=None)
def test_a_step_stays_within_24_bits_and_changes_nothing_that_it_is_given(
    neurons: list[tuple[int, ...]], du: int, dv: int
) -> None:
    given_ = arrays(neurons)
    before = [column.copy() for column in given_]
    u, v, spikes = fire(*given_, du, dv)
    assert all((column == kept).all() for column, kept in zip(given_, before, strict=True))
    assert (u.dtype, v.dtype, spikes.dtype) == (np.int32, np.int32, np.bool_)
    assert np.abs(u).max() <= STATE + 1
    assert (v >= -STATE).all()
    assert (v <= 0).all()  # above the threshold it has spiked, and starts again
    assert (v[spikes] == 0).all()


@given(u=STATES, v=STATES, arriving=whole(ACCUMULATOR, ACCUMULATOR, -ACCUMULATOR))
@settings(deadline=None)
def test_with_the_largest_decays_a_4096th_of_the_membrane_is_all_that_is_left(
    u: int, v: int, arriving: int
) -> None:
    assume(arriving != 0)
    after_u, _, spikes = fire(*arrays([(u, v, arriving, 0)]), 4095, 4095)
    assert after_u.tolist() == [64 * arriving]
    assert spikes.tolist() == [64 * arriving > -int(v / 4096)]
