"""Around cells that cannot be programmed: the order of rows and columns, and what it is worth."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.program import Program
from vsafsm_memristor.crossbar.array import draw_array as drawn_array
from vsafsm_memristor.crossbar.array import plan_array
from vsafsm_memristor.crossbar.mapping import TileLayout
from vsafsm_memristor.crossbar.parameters import settings as options_of
from vsafsm_memristor.crossbar.placement import order_neurons, span_of
from vsafsm_memristor.errors import MappingError, MissingLibraryError

LAW = settings(deadline=None, max_examples=40)
LOW, HIGH = 1.0, 5.0


def loss(layout: TileLayout, wanted: Any, held: list[Any]) -> float:
    """What pairs lack, one weight after the other: the best that the cells which work can do."""
    total = 0.0
    for post in range(layout.neurons):
        for pre in range(layout.neurons):
            choices = []
            for tile, row, column, _ in layout.cells_of(post, pre):
                at = held[tile][row, column]
                choices.append(np.linspace(LOW, HIGH, 41) if np.isnan(at) else np.array([at]))
            total += float(
                np.min(np.abs(choices[0][:, None] - choices[1][None] - wanted[post, pre])) ** 2
            )
    return total


def broken(layout: TileLayout, share: float, rng: np.random.Generator) -> list[Any]:
    tiles = layout.grid[0] * layout.grid[1]
    shape = (tiles, layout.rows, layout.columns)
    return list(np.where(rng.random(shape) < share, rng.choice([0.0, HIGH], shape), np.nan))


@LAW
@given(
    st.integers(1, 6),
    st.integers(1, 4),
    st.integers(2, 8),
    st.integers(0, 2**32),
    st.floats(0, 0.6),
)
def test_an_order_loses_no_more_than_none(
    neurons: int, rows: int, columns: int, seed: int, share: float
) -> None:
    layout, rng = TileLayout(neurons, rows, columns), np.random.default_rng(seed)
    wanted = rng.integers(-3, 4, (neurons, neurons)).astype(float)
    held = broken(layout, share, rng)
    found = order_neurons(layout, wanted, held, LOW, HIGH)
    assert loss(found, wanted, held) <= loss(layout, wanted, held) + 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_rows_are_in_the_best_order_for_one_output(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layout = TileLayout(4, 5, 2)
    wanted = rng.integers(-4, 5, (4, 4)).astype(float)
    held = broken(layout, 0.5, rng)
    found = order_neurons(layout, wanted, held, LOW, HIGH)
    for number, tile in enumerate(layout.tiles()):
        span = span_of(held[number], LOW, HIGH)

        def lost(rows: Any, tile: Any = tile, span: Any = span) -> float:
            values = wanted[tile.outputs.start, tile.inputs]
            lacking = [
                max(span.least[r, 0] - w, w - span.most[r, 0], 0)
                for r, w in zip(rows, values, strict=True)
            ]
            return sum(x**2 for x in lacking)

        best = min(lost(rows) for rows in permutations(range(5), 4))
        assert lost(found.orders[number].rows) == pytest.approx(best)


def test_a_whole_array_is_left_as_it_is() -> None:
    layout = TileLayout(5, 3, 4)
    found = order_neurons(layout, np.ones((5, 5)), [np.full((3, 4), np.nan)] * 6, LOW, HIGH)
    for number in range(6):
        for before, after in zip(layout.order_of(number), found.order_of(number), strict=True):
            assert (before == after).all()


def test_a_dead_row_is_left_out_where_there_is_room() -> None:
    held = np.full((4, 6), np.nan)
    held[1] = 0.0
    (order,) = order_neurons(TileLayout(3, 4, 6), np.full((3, 3), 2.0), [held], LOW, HIGH).orders
    assert 1 not in order.rows


def test_cells_that_share_references_are_not_ordered() -> None:
    with pytest.raises(MappingError, match="differential"):
        order_neurons(TileLayout(3, 4, 6, "offset"), np.ones((3, 3)), [np.zeros((4, 6))], LOW, HIGH)


def test_without_scipy_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(MissingLibraryError, match=r"SciPy.*pip install 'vsafsm\[memristor\]'"):
        order_neurons(TileLayout(3, 4, 6), np.ones((3, 3)), [np.zeros((4, 6))], LOW, HIGH)


def test_avoided_stuck_cells_do_least_harm(program: Program) -> None:
    exact = program.network.weights.astype(float)
    errors: dict[str, Any] = {}
    for way in ("ignored", "compensated", "avoided"):
        options = {
            "device": "lognormal",
            "sigma": 0.0,
            "stuck_off": 0.1,
            "stuck_on": 0.1,
            "stuck_cells": way,
        }
        plan = plan_array(program.network, options_of(options))
        arrays = [drawn_array(plan, np.random.default_rng(seed)) for seed in range(3)]
        for _, faults in arrays:
            assert faults.any.mean() == pytest.approx(0.2, abs=0.01)
        off = [
            (c.cells.positive - c.cells.negative) / plan.scale.us_per_lsb - exact for c, _ in arrays
        ]
        errors[way] = float(np.sqrt(np.mean(np.square(off))))
    assert errors["avoided"] < 0.8 * errors["compensated"] < 0.8 * errors["ignored"]


def test_a_session_on_an_avoiding_array_is_right(
    program: Program, run: Callable[..., Any], tmp_path: Any
) -> None:
    path = tmp_path / "turnstile.npz"
    program.save(path)
    code, out, _ = run(
        "run", str(path), "coin", "push", "--backend", "memristor", "--stuck-cells", "avoided"
    )
    assert code == 0
    assert "unlocked" in out
