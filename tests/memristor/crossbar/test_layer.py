"""Layers on tiles: exact integers on an ideal device; mean and variance of noise as the cells give
them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm_memristor.crossbar.layer import LayerArray, draw_layer, squares
from vsafsm_memristor.crossbar.parameters import ArraySettings, settings
from vsafsm_memristor.device.model import Conductances
from vsafsm_memristor.device.presets import PRESETS
from vsafsm_memristor.errors import MappingError

RNG = np.random.default_rng
IDEAL = {
    "device": "lognormal",
    "sigma": 0.0,
    "stuck_off": 0.0,
    "stuck_on": 0.0,
    "read_noise": False,
}


def ideal(**options: Any) -> ArraySettings:
    return settings({**IDEAL, **options})


def drawn(shape: tuple[int, int], chosen: ArraySettings, seed: int = 0) -> tuple[Any, LayerArray]:
    weights = RNG(seed).integers(-7, 8, shape).astype(np.int8)
    return weights, draw_layer(weights, 7, chosen, RNG(seed + 1))


@given(
    st.integers(1, 40),
    st.integers(1, 20),
    st.integers(1, 17),
    st.integers(2, 12),
    st.integers(1, 8),
    st.booleans(),
)
def test_an_ideal_layer_multiplies_whole_numbers(
    inputs: int, outputs: int, rows: int, columns: int, bits: int, transposed: bool
) -> None:
    weights, array = drawn((inputs, outputs), ideal(rows=rows, columns=columns))
    size = outputs if transposed else inputs
    top = 2**bits - 1
    given_ = RNG(bits).integers(-top, top + 1, (3, size))
    found = array.product(given_.astype(float), bits, RNG(0), transposed)
    expected = given_ @ (weights.T if transposed else weights).astype(np.int64)
    assert found == pytest.approx(expected, abs=1e-2)
    assert (np.rint(found) == expected).all()
    assert array.tiles == (-(-inputs // rows), -(-outputs // (columns // 2)))


@given(st.lists(st.integers(-255, 255), min_size=1, max_size=9))
def test_squares_are_of_each_bit(values: list[int]) -> None:
    found = squares(np.array([values], float), 8)[0].tolist()
    texts = (reversed(f"{abs(value):b}") for value in values)
    assert found == [sum(4**i for i, bit in enumerate(text) if bit == "1") for text in texts]


@pytest.mark.parametrize(("value", "bits"), [(4, 2), (0.5, 2), (1, 0), (1, 9)])
def test_inputs_that_do_not_fit_the_bits_are_refused(value: float, bits: int) -> None:
    with pytest.raises(MappingError, match="bits"):
        squares(np.array([[value]]), bits)


def noisy(array: LayerArray) -> LayerArray:
    """With read noise of 5 % of the conductance of each cell."""
    return replace(array, device=replace(PRESETS["lognormal"], read_noise=0.05), noisy=True)


def expected_variance(array: LayerArray, squares: np.ndarray, transposed: bool) -> np.ndarray:
    """A loop over cells: the variance of each sum, from squares of the inputs."""
    outputs, inputs = array.cells.positive.shape
    total = np.zeros(inputs if transposed else outputs)
    for o in range(outputs):
        for i in range(inputs):
            own = sum((0.05 * float(cells[o, i])) ** 2 for cells in array.cells)
            at, other = (i, o) if transposed else (o, i)
            total[at] += squares[other] * own / array.scale.us_per_lsb**2
    return total


READS = {
    "analog": (np.array([0.3, 0.9, 0.05, 0.6, 1.0, 0.0]), None),
    "signs": (np.array([1.0, -1, -1, 1, 1, -1]), None),
    "bits": (np.array([5.0, 7, 0, 1, 6, 3]), 3),
    "signed bits": (np.array([-5.0, 7, 0, -1, 6, -3]), 3),
}


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("kind", READS)
def test_noise_has_the_mean_and_variance_of_its_cells(kind: str, transposed: bool) -> None:
    """Within five standard errors of 20,000 reads, of tiles of 4 rows and 2 pairs."""
    values, bits = READS[kind]
    weights, array = drawn((6, 6), ideal(rows=4, columns=4))
    array, draws = noisy(array), 20_000
    rows = np.repeat(values[None], draws, 0)
    if bits is None:
        found = array.read(rows, RNG(3), transposed)
        squares = values**2
    else:
        found = array.product(rows, bits, RNG(3), transposed)
        whole = np.abs(values).astype(int)
        squares = sum(4.0**bit * ((whole >> bit) & 1) for bit in range(bits))
    variance = expected_variance(array, squares, transposed)
    mean = values @ (weights.T if transposed else weights)
    assert np.abs(found.mean(0) - mean) == pytest.approx(0, abs=5 * np.sqrt(variance.max() / draws))
    assert found.var(0, ddof=1) / variance == pytest.approx(1, abs=5 * np.sqrt(2 / draws))


def test_reads_are_noisy_each_time() -> None:
    _, array = drawn((6, 6), ideal())
    rows, rng = np.ones((1, 6)), RNG(0)
    assert (noisy(array).read(rows, rng) != noisy(array).read(rows, rng)).all()
    assert (array.read(rows, rng) == array.read(rows, rng)).all()


def test_converters_round_the_sum_of_each_tile() -> None:
    weights, array = drawn((10, 3), ideal(rows=4))
    rows = RNG(5).integers(0, 8, (50, 10)).astype(float)
    array = array.calibrated(rows, 4)
    converter = array.converters.forward
    parts = [rows[:, i : i + 4] @ weights[i : i + 4] for i in (0, 4, 8)]
    step = converter.full_scale / 7
    expected = sum(np.clip(np.rint(part / step), -7, 7) * step for part in parts)
    assert array.product(rows, 3, RNG(0)) == pytest.approx(expected, abs=1e-3)
    assert array.converters.transposed.bits == 0


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("bits", [3, 4, 8])
def test_a_converter_errs_about_as_little_as_any(bits: int, transposed: bool) -> None:
    """Beside a fine scan of full scales, on sums of which a few are large."""
    weights, array = drawn((300, 5), ideal(rows=300, columns=10))
    rows, back = RNG(5).integers(0, 16, (500, 300)) * 1.0, RNG(6).integers(0, 16, (500, 5)) * 1.0
    converters = array.calibrated(rows, bits, back).converters
    converter = converters.transposed if transposed else converters.forward
    sums = back @ weights.T.astype(float) if transposed else rows @ weights.astype(float)

    def missed(full: float) -> float:
        step = full / (2 ** (bits - 1) - 1)
        return float(((np.clip(np.rint(sums / step) * step, -full, full) - sums) ** 2).sum())

    least = min(missed(full) for full in np.linspace(0.05, 1.5, 300) * np.abs(sums).max())
    assert converter.bits == bits
    assert missed(converter.full_scale) <= 1.2 * least
    assert bits > 4 or missed(converter.full_scale) < missed(1.25 * np.abs(sums).max()) / 1.5


def test_a_converter_clips() -> None:
    _, array = drawn((10, 3), ideal())
    array = array.calibrated(np.ones((1, 10)), 8)
    most = array.converters.forward.full_scale
    assert np.abs(array.product(np.full((1, 10), 255.0), 8, RNG(0))).max() == pytest.approx(most)


def test_programming_has_the_spread_of_the_device() -> None:
    chosen = settings({"device": "neurram", "stuck_off": 0.0, "stuck_on": 0.0})
    weights = np.full((400, 100), 4, np.int8)
    array = draw_layer(weights, 7, chosen, RNG(0))
    model = chosen.model
    target = 1 + 39 * 4 / 7
    alone = model.relax(
        model.program(np.full(40_000, target, np.float32), RNG(1)), chosen.seconds, RNG(2)
    )
    assert float(array.cells.positive.std()) == pytest.approx(float(alone.std()), rel=0.03)
    assert float(array.cells.positive.mean()) == pytest.approx(float(alone.mean()), rel=0.01)
    assert float(array.cells.negative.mean()) < 3


def test_stuck_cells_stay_and_partners_make_up() -> None:
    weights = np.full((200, 100), 3, np.int8)
    options = {**IDEAL, "stuck_off": 0.05, "stuck_on": 0.05}
    plain = draw_layer(weights, 7, settings(options), RNG(0))
    share = float((plain.cells.positive == plain.device.g_max_us).mean())
    assert share == pytest.approx(0.05, abs=0.01)
    assert float((plain.cells.negative == 0).mean()) == pytest.approx(0.05, abs=0.01)
    helped = draw_layer(weights, 7, settings({**options, "stuck_cells": "compensated"}), RNG(0))

    def wrong(array: LayerArray) -> float:
        return float((np.abs(array.weights - 3) > 0.1).mean())

    # Positive cells of both kinds, and negative ones that are on: off is 0.07 LSB beside the least.
    assert wrong(plain) == pytest.approx(1 - 0.9 * 0.95, abs=0.01)
    # A positive cell that is on has a partner that makes up for it.
    assert wrong(helped) == pytest.approx(1 - 0.95 * 0.95, abs=0.01)


def test_age_goes_through_the_device() -> None:
    class Doubling(type(PRESETS["lognormal"])):  # type: ignore[misc]
        def relax(self, g_us: Conductances, seconds: float, rng: Any) -> Conductances:
            return g_us * (2 if seconds == 77 else 1)

    chosen = ideal()
    model = Doubling(**{**vars(chosen.model)})
    weights = np.array([[7, -7]], np.int8)
    aged = draw_layer(weights, 7, replace(chosen, model=model, seconds=77), RNG(0))
    assert aged.weights == pytest.approx(np.array([[14.0, -14.0]]))
    assert aged.seconds == 77


REFUSED = {
    "offset": ({"scheme": "offset"}, "scheme"),
    "ir drop": ({"ir_drop": True}, "ir_drop"),
    "avoided": ({"stuck_cells": "avoided"}, "stuck_cells"),
    "loop": ({"calibration": "loop"}, "calibration"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_layers_do_not_have_is_refused(kind: str) -> None:
    options, words = REFUSED[kind]
    with pytest.raises(MappingError, match=words):
        draw_layer(np.ones((2, 2), np.int8), 7, settings(options), RNG(0))


def test_weights_beyond_the_limit_are_refused() -> None:
    with pytest.raises(MappingError, match="up to 8; expected 7"):
        draw_layer(np.full((2, 2), -8, np.int8), 7, ideal(), RNG(0))


def test_inputs_of_another_width_are_refused() -> None:
    _, array = drawn((6, 4), ideal())
    with pytest.raises(MappingError, match=r"layer of 6; expected \(B, 6\)"):
        array.read(np.ones((2, 4)), RNG(0))
    with pytest.raises(MappingError, match=r"layer of 4; expected \(B, 4\)"):
        array.read(np.ones((2, 6)), RNG(0), transposed=True)
