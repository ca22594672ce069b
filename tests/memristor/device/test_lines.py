"""Lines with resistance: against Kirchhoff's laws in plain loops, laws of resistors, and another
simulator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm_memristor.crossbar.correction import Cells, correct
from vsafsm_memristor.crossbar.mapping import SCHEMES
from vsafsm_memristor.device.lines import CHUNK_BYTES, effective, ir_drop

LAW = settings(deadline=None, max_examples=60)
Networks = Callable[..., Network]
Drawn = Callable[..., Any]


def by_kirchhoff(cells: Any, ohm: float) -> Any:
    """Effective conductances (R, C), microsiemens: all node voltages for a volt on each row, by
    dense elimination.
    """
    rows, columns = cells.shape
    line = 1e6 / ohm
    matrix, source = np.zeros((2 * rows * columns,) * 2), np.zeros((2 * rows * columns, rows))

    def word(r: int, c: int) -> int:
        return r * columns + c

    def bit(r: int, c: int) -> int:
        return rows * columns + r * columns + c

    def joined(a: int, b: int, us: float) -> None:
        matrix[a, a] += us
        matrix[b, b] += us
        matrix[a, b] -= us
        matrix[b, a] -= us

    for r in range(rows):
        for c in range(columns):
            joined(word(r, c), bit(r, c), cells[r, c])
            if c + 1 < columns:
                joined(word(r, c), word(r, c + 1), line)
            if r + 1 < rows:
                joined(bit(r, c), bit(r + 1, c), line)
        matrix[word(r, 0), word(r, 0)] += line
        source[word(r, 0), r] = line
    for c in range(columns):
        matrix[bit(rows - 1, c), bit(rows - 1, c)] += line
    volts = np.linalg.solve(matrix, source)
    return np.array(
        [[line * volts[bit(rows - 1, c), r] for c in range(columns)] for r in range(rows)]
    )


def tile(seed: int, rows: int, columns: int, full: float = 0.7) -> Any:
    """Cells of 0.1 to 100 uS, some of them and some whole lines without."""
    rng = np.random.default_rng(seed)
    cells = np.exp(rng.uniform(np.log(0.1), np.log(100), (rows, columns))) * (
        rng.random((rows, columns)) < full
    )
    cells[rng.random(rows) < 0.15] = 0
    cells[:, rng.random(columns) < 0.15] = 0
    return cells


seeds = st.integers(0, 2**32)
sides = st.integers(1, 8)
ohms = st.floats(-2, 4).map(lambda x: 10**x)


# ---- a tile


@LAW
@given(seeds, sides, sides, ohms)
@example(3, 1, 1, 1.0)
@example(3, 1, 8, 10.0)
@example(3, 8, 1, 10.0)
def test_currents_are_those_of_kirchhoff(seed: int, rows: int, columns: int, ohm: float) -> None:
    cells = tile(seed, rows, columns)
    expected = by_kirchhoff(cells, ohm)
    assert effective(cells, ohm) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.slow
def test_columns_of_more_than_one_chunk() -> None:
    cells = tile(0, 200, 230)
    assert CHUNK_BYTES // (8 * 200**2) < 100
    found = effective(cells, 2.0)
    reads = np.random.default_rng(1).random((3, 200))
    assert reads @ found == pytest.approx(_by_relaxation(cells, 2.0, reads), rel=1e-6)


def _by_relaxation(cells: Any, ohm: float, reads: Any) -> Any:
    """Output currents of these reads: word lines and bit lines are solved in turns until nothing
    moves.
    """
    rows, columns = cells.shape
    line = 1e6 / ohm
    along = np.diag(np.full(columns, 2.0)) - np.eye(columns, k=1) - np.eye(columns, k=-1)
    along[-1, -1] = 1
    down = np.diag(np.full(rows, 2.0)) - np.eye(rows, k=1) - np.eye(rows, k=-1)
    down[0, 0] = 1
    currents = []
    for volts in reads:
        bits = np.zeros((rows, columns))
        for _ in range(500):
            drive = cells * bits
            drive[:, 0] += line * volts
            words = np.stack(
                [np.linalg.solve(line * along + np.diag(cells[r]), drive[r]) for r in range(rows)]
            )
            new = np.stack(
                [
                    np.linalg.solve(line * down + np.diag(cells[:, c]), (cells * words)[:, c])
                    for c in range(columns)
                ],
                1,
            )
            moved, bits = np.abs(new - bits).max(), new
            if moved < 1e-10:
                break
        currents.append(line * bits[-1])
    return np.array(currents)


@LAW
@given(seeds, sides, sides)
def test_lines_without_resistance_change_nothing(seed: int, rows: int, columns: int) -> None:
    cells = tile(seed, rows, columns)
    found = effective(cells, 0.0)
    assert (found == cells).all()
    assert not np.shares_memory(found, cells)
    assert effective(cells, 1e-9) == pytest.approx(cells, rel=1e-9, abs=1e-9)


@LAW
@given(seeds, sides, sides, ohms)
def test_no_line_carries_more_than_its_cells(
    seed: int, rows: int, columns: int, ohm: float
) -> None:
    cells = tile(seed, rows, columns)
    found = effective(cells, ohm)
    assert (found >= -1e-9).all()
    for axis in (0, 1):
        assert (found.sum(axis) <= cells.sum(axis) + 1e-9).all()
        assert (found.sum(axis) <= 1e6 / ohm).all()


@LAW
@given(seeds, sides, sides, ohms, st.floats(1.01, 10))
def test_longer_segments_leave_less(
    seed: int, rows: int, columns: int, ohm: float, more: float
) -> None:
    cells = tile(seed, rows, columns)
    assert effective(cells, more * ohm).sum() <= effective(cells, ohm).sum() * (1 + 1e-9)
    uniform = np.full((rows, columns), 20.0)
    assert effective(uniform, more * ohm)[0, -1] < effective(uniform, ohm)[0, -1] < 20


@LAW
@given(seeds, sides, sides, ohms)
def test_drivers_and_outputs_can_be_exchanged(
    seed: int, rows: int, columns: int, ohm: float
) -> None:
    cells = tile(seed, rows, columns)
    found = effective(cells[::-1, ::-1].T, ohm)[::-1, ::-1].T
    assert found == pytest.approx(effective(cells, ohm), rel=1e-9, abs=1e-9)


@LAW
@given(seeds, st.integers(1, 6), st.integers(1, 6), ohms)
def test_a_missing_cell_is_one_that_conducts_nothing(
    seed: int, rows: int, columns: int, ohm: float
) -> None:
    cells = tile(seed, rows, columns)
    almost = np.where(cells == 0, 1e-9, cells)
    assert effective(cells, ohm) == pytest.approx(effective(almost, ohm), rel=1e-6, abs=1e-6)


def test_one_cell_is_three_resistors_in_a_row() -> None:
    assert effective(np.array([[25.0]]), 1000.0)[0, 0] == pytest.approx(1e6 / (2 * 1000 + 40_000))


def test_a_tile_without_cells_conducts_nothing() -> None:
    assert (effective(np.zeros((3, 5)), 1.0) == np.zeros((3, 5))).all()


def test_another_simulator_finds_the_same() -> None:
    other = pytest.importorskip("badcrossbar")
    for rows, columns, ohm in ((5, 7, 1.0), (32, 48, 5.0), (64, 64, 20.0)):
        rng = np.random.default_rng(rows)
        cells, volts = rng.uniform(1, 40, (rows, columns)), rng.random((rows, 3))
        found = other.compute(volts, 1e6 / cells, r_i=ohm).currents.output
        assert volts.T @ effective(cells, ohm) * 1e-6 == pytest.approx(found, rel=1e-9)


# ---- the estimate


@pytest.mark.parametrize(
    "shape", [(32, 32), (64, 64), (128, 128), (64, 256), (128, 256), (256, 64)]
)
@pytest.mark.parametrize("ohm", [0.5, 1.0, 5.0])
@pytest.mark.parametrize("mean_us", [3.0, 20.0])
def test_the_estimate_is_near_the_far_corner(
    shape: tuple[int, int], ohm: float, mean_us: float
) -> None:
    exact = effective(np.full(shape, mean_us), ohm)[0, -1] / mean_us
    estimate = ir_drop(*shape, mean_us, ohm)
    if exact > 0.7:
        assert estimate == pytest.approx(exact, abs=0.02)
    else:
        assert 0.45 * exact < estimate < exact + 0.02


def test_the_estimate_is_a_share_whatever_is_asked() -> None:
    assert ir_drop(256, 256, 20.0, 0.0) == ir_drop(256, 256, 0.0, 1.0) == 1
    assert 0 <= ir_drop(65_536, 65_536, 100.0, 1e6) < 1e-9


# ---- arrays


@pytest.mark.parametrize("scheme", SCHEMES)
def test_reads_are_those_of_each_tile(networks: Networks, draw_array: Drawn, scheme: str) -> None:
    options = {"scheme": scheme, "rows": 6, "columns": 8, "ir_drop": True, "segment_ohm": 200.0}
    _, _, crossbar, rng = draw_array(networks(15), read_noise=False, adc_bits=0, **options)
    layout, z = crossbar.layout, np.random.default_rng(0).random((4, 15)) < 0.5
    expected = np.zeros((4, 15))
    for piece, cells in zip(layout.tiles(), layout.spread(*crossbar.cells), strict=True):
        height, width = piece.shape
        driven = np.zeros((4, 6))
        driven[:, :height] = z[:, piece.inputs]
        current = driven @ by_kirchhoff(cells.astype(np.float64), 200.0)
        if scheme == "differential":
            expected[:, piece.outputs] += (
                current[:, 0 : 2 * width : 2] - current[:, 1 : 2 * width : 2]
            )
        else:
            expected[:, piece.outputs] += current[:, :width] - current[:, -1:]
    assert crossbar.drive(z, rng) == pytest.approx(expected / crossbar.scale.us_per_lsb, abs=1e-3)


def test_the_drop_goes_with_an_array_as_it_ages_and_leaves_its_cells(
    networks: Networks, draw_array: Drawn
) -> None:
    with_drop, without = (
        draw_array(networks(20), ir_drop=drop, segment_ohm=20.0)[2] for drop in (True, False)
    )
    assert (with_drop.segment_ohm, without.segment_ohm) == (20, 0)
    assert without.seen is without.cells
    for cells, same, seen in zip(with_drop.cells, without.cells, with_drop.seen, strict=True):
        assert (cells == same).all()
        assert seen.sum() < cells.sum()
    again = replace(without, segment_ohm=20.0)
    assert (again.seen.positive == with_drop.seen.positive).all()


def test_noise_falls_with_the_conductance(networks: Networks, draw_array: Drawn) -> None:
    options = {"device": "pcm", "adc_bits": 0, "rows": 20, "columns": 40, "stuck_off": 0.1}
    _, _, crossbar, _ = draw_array(networks(20), **options)
    z = np.ones((4000, 20), np.bool_)
    noise = []
    for ohm in (0.0, 1000.0):
        found = replace(crossbar, segment_ohm=ohm).drive(z, np.random.default_rng(0))
        assert np.isfinite(found).all()
        noise.append(found.std(0))
    assert (noise[1] < noise[0]).all()
    seen = replace(crossbar, segment_ohm=1000.0).seen
    pairs = zip(crossbar.cells, seen, strict=True)
    left = [np.where(g > 0, np.minimum(s / np.maximum(g, 1e-9), 1), 1) for g, s in pairs]
    sigma = [crossbar.device.read_sigma_us(g, crossbar.seconds) for g in crossbar.cells]
    expected = (
        np.sqrt(sum((a * b) ** 2 for a, b in zip(left, sigma, strict=True)).sum(1))
        / crossbar.scale.us_per_lsb
    )
    assert noise[1] == pytest.approx(expected, rel=0.06)


def test_a_session_on_lines_with_resistance(program: Program, turnstile: Machine) -> None:
    word = ["coin", "push", "push", "coin"]
    options = {"device": "lognormal", "sigma": 0.1, "segment_ohm": 1.0}
    assert (
        vsafsm.run(program, word, "memristor", ir_drop=True, **options).states
        == turnstile.run(word).states
    )
    bad = options | {"segment_ohm": 500.0}
    assert vsafsm.run(program, word, "memristor", **bad).states == turnstile.run(word).states
    assert (
        vsafsm.run(program, word, "memristor", ir_drop=True, **bad).states
        != turnstile.run(word).states
    )


@pytest.mark.slow
def test_chip_in_the_loop_makes_up_for_the_lines(program: Program, draw_array: Drawn) -> None:
    options = {"device": "lognormal", "sigma": 0.3, "ir_drop": True, "segment_ohm": 5.0}
    planned, faults, crossbar, rng = draw_array(program.network, **options)
    found = correct(
        planned.network,
        program.lowered,
        crossbar,
        Cells(faults.any, planned.settings.model.g_min_us, planned.settings.model.g_max_us),
        rng,
    )
    assert found.array.segment_ohm == 5
    assert found.short_after < found.short_before
    written = [(a != b).sum() for a, b in zip(found.array.cells, crossbar.cells, strict=True)]
    assert 0 < sum(written) <= found.rewritten
