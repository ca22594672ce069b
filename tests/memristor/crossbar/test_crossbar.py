"""What a read of an array gives, against integer products, loops over tiles, and sums of
variances.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.network import Network
from vsafsm_memristor.crossbar.cells import Pair
from vsafsm_memristor.crossbar.converter import Converter, full_scale_for
from vsafsm_memristor.crossbar.mapping import SCHEMES, TileLayout, scale_for
from vsafsm_memristor.crossbar.simulated import SimulatedCrossbar
from vsafsm_memristor.crossbar.stuck_cells import StuckCells, compensate_stuck_cells, draw_faults
from vsafsm_memristor.device.affine import AffineDevice
from vsafsm_memristor.device.phase_change import PhaseChangeDevice
from vsafsm_memristor.device.presets import device_named

LAW = settings(deadline=None, max_examples=40)
Networks = Callable[..., Network]


def held(
    network: Network, device: Any, layout: TileLayout, bits: int = 0, full_scale: float = 1.0
) -> SimulatedCrossbar:
    """An array that holds its targets exactly."""
    scale = scale_for(device, network.weights, layout.scheme)
    cells = Pair(*scale.pairs(network.weights, layout.scheme))
    return SimulatedCrossbar(cells, device, layout, scale, 0.0, Converter(bits, full_scale))


def activities(neurons: int, many: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).random((many, neurons)) < 0.4


def no_faults(neurons: int) -> StuckCells:
    none = np.zeros((2, neurons, neurons), np.bool_)
    return StuckCells(none, none.copy())


# ---- reads


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("rows", [1, 5, 64])
def test_an_ideal_array_multiplies_in_whole_numbers(
    networks: Networks, ideal: AffineDevice, scheme: Any, rows: int
) -> None:
    network = networks(23)
    z = activities(23, 7)
    expected = z.astype(np.int64) @ network.weights.T.astype(np.int64)
    found = held(network, ideal, TileLayout(23, rows, 9, scheme)).drive(z, np.random.default_rng(0))
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-3


@pytest.mark.parametrize(("rows", "bits"), [(4, 2), (5, 4), (9, 3), (23, 6), (64, 8)])
def test_each_tile_is_converted_by_itself(
    networks: Networks, ideal: AffineDevice, rows: int, bits: int
) -> None:
    network = networks(23)
    z = activities(23, 7)
    full_scale = 5.3
    most = 2 ** (bits - 1) - 1
    lsb = full_scale / most
    expected = np.zeros(z.shape)
    for b, row in enumerate(z.tolist()):
        for i in range(23):
            for first in range(0, 23, rows):
                part = sum(
                    int(network.weights[i, j])
                    for j in range(first, min(first + rows, 23))
                    if row[j]
                )
                expected[b, i] += max(-most, min(most, round(part / lsb))) * lsb
    found = held(network, ideal, TileLayout(23, rows, 9), bits, full_scale).drive(
        z, np.random.default_rng(0)
    )
    assert found == pytest.approx(expected, abs=1e-4)


@LAW
@given(
    st.integers(2, 16),
    st.floats(0.5, 1000),
    st.lists(st.floats(-3000, 3000), min_size=1, max_size=8),
)
def test_a_converter_rounds_to_the_nearest_and_clips(
    bits: int, full_scale: float, values: list[float]
) -> None:
    found = Converter(bits, full_scale).convert(np.float32(values))
    lsb = full_scale / (2 ** (bits - 1) - 1)
    for value, got in zip(np.float32(values).tolist(), found.tolist(), strict=True):
        inside = max(-full_scale, min(full_scale, value))
        assert abs(got - inside) <= lsb / 2 * (1 + 1e-3) + 1e-4
        assert abs(got / lsb - round(got / lsb)) < 0.02
        assert abs(got) <= full_scale * (1 + 1e-6)


def test_no_converter_changes_nothing() -> None:
    values = np.float32([-1e6, 0.123, 7])
    assert (Converter(0, 1.0).convert(values) == values).all()


@pytest.mark.parametrize("columns", [3, 12])
@pytest.mark.parametrize("bits", [0, 16])
def test_outputs_of_a_tile_share_the_noise_of_its_reference(
    networks: Networks, columns: int, bits: int
) -> None:
    network, draws = networks(6), 40_000
    device = AffineDevice("a", "none", 1.0, 25.0, read_noise=0.05)
    crossbar = held(network, device, TileLayout(6, 4, columns, "offset"), bits, 1000.0)
    z = np.array([True, True, False, True, False, True])
    found = np.cov(
        crossbar.drive(np.tile(z, (draws, 1)), np.random.default_rng(1)).astype(np.float64).T
    )
    reference = sum(
        (0.05 * float(crossbar.cells.negative[0, j])) ** 2 for j in np.flatnonzero(z).tolist()
    )
    shared = reference / crossbar.scale.us_per_lsb**2
    for i in range(6):
        for j in range(i):
            together = i // (columns - 1) == j // (columns - 1)
            assert found[i, j] == pytest.approx(shared if together else 0.0, abs=0.06 * shared)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("rows", "bits"), [(6, 0), (2, 16)])
def test_read_noise_adds_up_over_cells(
    networks: Networks, scheme: Any, rows: int, bits: int
) -> None:
    network, draws = networks(6), 20_000
    device = PhaseChangeDevice("p", "none", 1.0, 25.0)
    crossbar = replace(
        held(network, device, TileLayout(6, rows, 12, scheme), bits, 1000.0), seconds=20.0
    )
    z = np.array([True, True, False, True, False, True])
    found = crossbar.drive(np.tile(z, (draws, 1)), np.random.default_rng(1)).astype(np.float64)
    exact = network.weights.astype(np.int64) @ z
    for i in range(6):
        variance = 0.0
        for j in np.flatnonzero(z).tolist():
            for g in (float(crossbar.cells.positive[i, j]), float(crossbar.cells.negative[i, j])):
                share = min(0.2, 0.0088 / (g / 25) ** 0.65)
                variance += (g * share) ** 2 * math.log((20 + 250e-9) / 500e-9)
        sigma = math.sqrt(variance) / crossbar.scale.us_per_lsb
        assert found[:, i].std() == pytest.approx(sigma, rel=5 / math.sqrt(2 * draws))
        assert abs(found[:, i].mean() - exact[i]) < 5 * sigma / math.sqrt(draws) + 0.02
    if scheme == "differential":
        assert np.abs(np.corrcoef(found.T) - np.eye(6)).max() < 5 / math.sqrt(draws)


def test_reads_without_noise_are_all_the_same(networks: Networks) -> None:
    crossbar = replace(held(networks(6), device_named("pcm"), TileLayout(6, 3, 4)), noisy=False)
    z = activities(6, 4)
    first, second = (crossbar.drive(z, np.random.default_rng(seed)) for seed in range(2))
    assert (first == second).all()


def test_silence_is_read_as_nothing(networks: Networks) -> None:
    crossbar = held(networks(6), device_named("pcm"), TileLayout(6, 3, 4), bits=8, full_scale=20.0)
    assert not crossbar.drive(np.zeros((2, 6), np.bool_), np.random.default_rng(0)).any()


# ---- faults


def test_faults_are_independent_of_each_other_and_as_many_as_asked_for() -> None:
    faults = draw_faults(150, 0.03, 0.1, np.random.default_rng(2))
    cells = 2 * 150 * 150
    assert faults.off.shape == faults.on.shape == (2, 150, 150)
    assert not (faults.off & faults.on).any()
    for found, share in ((faults.off, 0.03), (faults.on, 0.1)):
        assert abs(found.mean() - share) < 5 * math.sqrt(share * (1 - share) / cells)
    both = (faults.any[0] & faults.any[1]).mean()
    assert abs(both - 0.13**2) < 5 * math.sqrt(0.13**2 / 150**2)
    assert not draw_faults(9, 0.0, 0.0, np.random.default_rng(2)).any.any()
    assert draw_faults(9, 0.0, 1.0, np.random.default_rng(2)).on.all()


def test_stuck_cells_are_what_they_are_and_others_what_they_were() -> None:
    faults = draw_faults(12, 0.2, 0.3, np.random.default_rng(3))
    pair = Pair(*np.random.default_rng(4).uniform(1, 40, (2, 12, 12)).astype(np.float32))
    for polarity, g in enumerate(faults.apply(pair, 40.0)):
        for i, j in np.ndindex(12, 12):
            kept = (
                40
                if faults.on[polarity, i, j]
                else 0
                if faults.off[polarity, i, j]
                else pair[polarity][i, j]
            )
            assert g[i, j] == kept


@LAW
@given(st.integers(0, 2**32), st.floats(0, 5), st.integers(1, 7))
def test_a_partner_makes_up_for_a_stuck_cell_where_its_range_allows(
    seed: int, low: float, largest: int
) -> None:
    rng = np.random.default_rng(seed)
    high = 40.0
    weights = rng.integers(-largest, largest + 1, (8, 8))
    step = (high - low) / largest
    target = Pair(*(np.float32(low + step * np.maximum(sign * weights, 0)) for sign in (1, -1)))
    faults = draw_faults(8, 0.2, 0.2, rng)
    changed = compensate_stuck_cells(faults, target, low, high)
    there = faults.apply(changed, high)
    for i, j in np.ndindex(8, 8):
        stuck = [
            high if faults.on[p, i, j] else 0.0 if faults.off[p, i, j] else None for p in range(2)
        ]
        wanted = step * int(weights[i, j])
        got = float(there.positive[i, j]) - float(there.negative[i, j])
        if stuck == [None, None]:
            assert [float(g[i, j]) for g in changed] == pytest.approx(
                [float(g[i, j]) for g in target]
            )
        elif None in stuck:
            free = stuck.index(None)
            sign, other = (1, stuck[1]) if free == 0 else (-1, stuck[0])
            best = min(max(other + sign * wanted, low), high)
            assert got == pytest.approx(sign * (best - other), abs=1e-3)
            if low <= other + sign * wanted <= high:
                assert got == pytest.approx(wanted, abs=1e-3)
    for g in changed:
        assert low - 1e-5 <= g.min() <= g.max() <= high


def test_an_array_ages_and_its_faults_stay(networks: Networks) -> None:
    network, device = networks(9), device_named("neurram")
    fresh = held(network, device, TileLayout(9, 4, 6))
    faults = draw_faults(9, 0.1, 0.1, np.random.default_rng(5))
    old = fresh.after(3600.0, faults, np.random.default_rng(6))
    rng = np.random.default_rng(6)
    for polarity, (g, found) in enumerate(zip(fresh.cells, old.cells, strict=True)):
        moved = device.relax(g, 3600.0, rng)
        assert (found[faults.on[polarity]] == 40).all()
        assert (found[faults.off[polarity]] == 0).all()
        assert (found[~faults.any[polarity]] == moved[~faults.any[polarity]]).all()
        assert (moved != g).any()
    assert (old.seconds, fresh.seconds) == (3600, 0)
    still = fresh.after(3600.0, no_faults(9), np.random.default_rng(6))
    assert (still.cells.positive > 0).any()
    assert still.drive(activities(9, 2), rng).shape == (2, 9)


# ---- range


@pytest.mark.parametrize("rows", [1, 4, 23, 100])
def test_the_full_scale_is_the_largest_part_of_a_drive(networks: Networks, rows: int) -> None:
    network = networks(23, codes=4)
    parts = [
        abs(sum(int(network.weights[i, j]) for j in range(first, min(first + rows, 23)) if code[j]))
        for code in network.codes
        for i in range(23)
        for first in range(0, 23, rows)
    ]
    assert full_scale_for(network.weights, network.codes, rows) == max(parts)


def test_no_weights_have_a_full_scale() -> None:
    assert full_scale_for(np.zeros((3, 3), np.int8), np.ones((1, 3), np.bool_), 2) == 1
