"""Where weights lie: cells one by one, tiles as wholes, and conductances of weights."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.errors import OptionError
from vsafsm_memristor.crossbar.mapping import SCHEMES, Order, Scale, TileLayout, scale_for
from vsafsm_memristor.device.affine import AffineDevice
from vsafsm_memristor.errors import MappingError

LAW = settings(deadline=None, max_examples=40)


def shuffled(layout: TileLayout, rng: Any) -> TileLayout:
    """Neurons of each tile in an order of their own."""

    def places(room: int, count: int) -> tuple[int, ...]:
        return tuple(rng.permutation(room)[:count].tolist())

    shapes = [tile.shape for tile in layout.tiles()]
    orders = tuple(
        Order(places(layout.rows, h), places(layout.outputs_per_tile, w)) for h, w in shapes
    )
    return replace(layout, orders=orders)


PLAIN = st.builds(
    TileLayout, st.integers(1, 11), st.integers(1, 6), st.integers(2, 7), st.sampled_from(SCHEMES)
)
LAYOUTS = PLAIN | st.builds(shuffled, PLAIN, st.integers(0, 2**32).map(np.random.default_rng))


def every_cell(layout: TileLayout) -> Any:
    down, across = layout.grid
    return product(range(down * across), range(layout.rows), range(layout.columns))


def every_weight(layout: TileLayout) -> Any:
    return product(range(layout.neurons), repeat=2)


def conductances(layout: TileLayout, seed: int) -> tuple[Any, Any]:
    """Random ones; in the offset scheme those of the references are the same for all outputs of a
    tile.
    """
    rng = np.random.default_rng(seed)
    positive, negative = rng.uniform(1, 40, (2, layout.neurons, layout.neurons)).astype(np.float32)
    if layout.scheme == "offset":
        width = layout.outputs_per_tile
        negative = negative[np.arange(layout.neurons) // width * width]
    return positive, negative


@LAW
@given(LAYOUTS)
def test_weights_and_cells_are_one_to_one(layout: TileLayout) -> None:
    found: dict[tuple[int, int, int], tuple[int, int, int]] = {}
    for post, pre in every_weight(layout):
        own = layout.cells_of(post, pre)
        assert [cell.polarity for cell in own] == (
            [1, -1] if layout.scheme == "differential" else [1, 0]
        )
        for tile, row, column, polarity in own:
            assert polarity == 0 or (tile, row, column) not in found
            found[tile, row, column] = (post if polarity else -1, pre, polarity)
    for cell in every_cell(layout):
        assert layout.weight_at(*cell) == found.pop(cell, None)
    assert not found


@LAW
@given(LAYOUTS)
def test_cells_are_counted(layout: TileLayout) -> None:
    used = {cell[:3] for post, pre in every_weight(layout) for cell in layout.cells_of(post, pre)}
    assert layout.cells == len(used)


@LAW
@given(LAYOUTS)
def test_tiles_cover_every_weight_once(layout: TileLayout) -> None:
    covered = np.zeros((layout.neurons, layout.neurons), int)
    tiles = list(layout.tiles())
    assert len(tiles) == layout.grid[0] * layout.grid[1]
    for tile in tiles:
        assert 1 <= tile.shape[0] <= layout.rows
        assert 1 <= tile.shape[1] <= layout.outputs_per_tile
        covered[tile.outputs, tile.inputs] += 1
    assert (covered == 1).all()


@LAW
@given(LAYOUTS, st.integers(0, 2**32))
def test_tiles_hold_what_cells_say_and_nothing_else(layout: TileLayout, seed: int) -> None:
    positive, negative = conductances(layout, seed)
    tiles = layout.spread(positive, negative)
    expected = np.zeros((len(tiles), layout.rows, layout.columns), np.float32)
    for post, pre in every_weight(layout):
        for g, (tile, row, column, _) in zip(
            (positive, negative), layout.cells_of(post, pre), strict=True
        ):
            expected[tile, row, column] = g[post, pre]
    assert (np.stack(tiles) == expected).all()
    assert np.count_nonzero(expected) == layout.cells


@LAW
@given(LAYOUTS, st.integers(0, 2**32))
def test_what_was_spread_is_gathered(layout: TileLayout, seed: int) -> None:
    pair = conductances(layout, seed)
    for before, after in zip(pair, layout.gather(layout.spread(*pair)), strict=True):
        assert (before == after).all()


def test_gathering_wants_every_tile() -> None:
    layout = TileLayout(5, 2, 4)
    with pytest.raises(ValueError):
        layout.gather(layout.spread(*conductances(layout, 0))[:-1])


@pytest.mark.parametrize(
    "cell", [(-1, 0, 0), (6, 0, 0), (0, -1, 0), (0, 2, 0), (0, 0, -1), (0, 0, 5)]
)
def test_cells_that_are_not_there_are_refused(cell: tuple[int, int, int]) -> None:
    layout = TileLayout(4, 2, 5)
    assert layout.grid == (2, 2)
    with pytest.raises(MappingError, match="no cell"):
        layout.weight_at(*((4, *cell[1:]) if cell[0] == 6 else cell))


@pytest.mark.parametrize(("rows", "columns"), [(0, 4), (-1, 4), (4, 1), (4, 0)])
def test_tiles_without_room_are_refused(rows: int, columns: int) -> None:
    with pytest.raises(
        MappingError,
        match=f"tiles of {rows} x {columns} cells; expected at least 1 row and 2 columns",
    ):
        TileLayout(4, rows, columns)


@pytest.mark.parametrize(
    "orders",
    [
        (Order((0, 1), (0, 1)),),
        (Order((0, 1), (0, 1)), Order((0,), (0, 2))),
        (Order((0, 0), (0, 1)), Order((0,), (0, 1))),
        (Order((0, 1), (0, 1)), Order((2,), (0, 1))),
        (Order((0, 1), (0, 1)), Order((0, 1), (0, 1))),
        (Order((0, 1), (-1, 1)), Order((0,), (0, 1))),
    ],
)
def test_orders_that_are_none_are_refused(orders: tuple[Order, ...]) -> None:
    assert TileLayout(3, 2, 6, orders=(Order((1, 0), (2, 0, 1)), Order((1,), (0, 1, 2)))).grid == (
        2,
        1,
    )
    with pytest.raises(MappingError, match="order"):
        TileLayout(3, 2, 6, orders=orders)


def test_unknown_schemes_are_refused() -> None:
    scheme: Any = "single"
    with pytest.raises(
        OptionError, match='scheme is "single"; expected one of: differential, offset'
    ):
        TileLayout(4, 4, 4, scheme)


# ---- conductances of weights


@LAW
@given(
    st.lists(st.integers(-127, 127), min_size=9, max_size=9),
    st.floats(0, 10),
    st.floats(1, 100),
    st.sampled_from(SCHEMES),
)
def test_pairs_stand_for_their_weights_within_the_range(
    weights: list[int], low: float, span: float, scheme: Any
) -> None:
    device = AffineDevice("a", "none", low, low + span)
    array = np.array(weights, np.int16).reshape(3, 3)
    scale = scale_for(device, array, scheme)
    positive, negative = scale.pairs(array, scheme)
    assert (positive - negative) / scale.us_per_lsb == pytest.approx(array, abs=1e-3)
    every = np.concatenate([positive, negative])
    assert every.min() >= low - 1e-4 * (low + span)
    assert every.max() <= (low + span) * (1 + 1e-6)
    if scheme == "differential":
        assert np.minimum(positive, negative) == pytest.approx(np.full((3, 3), low), rel=1e-6)
        assert every.max() == pytest.approx(low + span if array.any() else low)
    else:
        assert negative == pytest.approx(np.full((3, 3), low + span / 2))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_weights_at_all_have_a_scale(scheme: Any) -> None:
    device = AffineDevice("a", "none", 1.0, 41.0)
    expected = Scale(1.0, 40.0) if scheme == "differential" else Scale(21.0, 20.0)
    assert scale_for(device, np.zeros((3, 3), np.int8), scheme) == expected
    assert scale_for(device, np.zeros((0, 0), np.int8), scheme) == expected


def test_the_most_negative_weight_counts_too() -> None:
    array = np.array([[-128, 1], [0, 1]], np.int8).astype(np.int16)
    assert scale_for(AffineDevice("a", "none", 1.0, 129.0), array, "differential") == Scale(
        1.0, 1.0
    )
