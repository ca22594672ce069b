"""Around cells that cannot be programmed: targets of their partners, and an order of rows and
columns.

Cells that hold a conductance of their own leave a pair a range of differences that it can still
take. Partners make up for as much as that range allows; an order of the neurons of a tile brings
weights to pairs that can take them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsafsm_memristor.crossbar.cells import Pair
from vsafsm_memristor.crossbar.mapping import Order, TileLayout
from vsafsm_memristor.crossbar.stuck_cells import StuckCells, compensate_stuck_cells
from vsafsm_memristor.errors import MappingError
from vsafsm_memristor.importing import import_optional

Floats = NDArray[np.float64]
PASSES = 2
"""Times that rows and columns are ordered, each for the other as it is."""


class Span(NamedTuple):
    """Differences that pairs of cells can take, least and most, (R, outputs) each, in
    microsiemens.
    """

    least: Floats
    most: Floats


def span_of(held_us: Floats, g_min_us: float, g_max_us: float) -> Span:
    """What is left to the pairs of a tile (R, C), of which some cells are held at a conductance
    (NaN: none are).
    """
    least, most = (np.where(np.isnan(held_us), bound, held_us) for bound in (g_min_us, g_max_us))
    whole = held_us.shape[1] // 2 * 2
    up, down = slice(0, whole, 2), slice(1, whole, 2)
    return Span(least[:, up] - most[:, down], most[:, up] - least[:, down])


def order_neurons(
    layout: TileLayout,
    wanted_us: NDArray[Any],
    held_us: Sequence[Floats],
    g_min_us: float,
    g_max_us: float,
) -> TileLayout:
    """The layout with the neurons of each tile in the order that loses least of what the pairs are
    to hold.

    The loss is the sum of the squares of what pairs lack, as if their working cells did what they
    can. Rows are assigned to inputs with the least loss for the outputs where they are, and then
    the outputs, in turn.

    Parameters
    ----------
    layout
        In the differential scheme, without an order.
    wanted_us : (N, N)
        Differences that pairs are to have, ``[post, pre]``.
    held_us
        For each tile (R, C), conductances of cells that cannot be programmed, NaN elsewhere.

    Raises
    ------
    MappingError
        In the offset scheme, where weights share a reference.
    MissingLibraryError
        If SciPy is not installed: it solves the assignment.
    """
    if layout.scheme != "differential":
        raise MappingError(
            f'scheme is "{layout.scheme}", whose cells share references; expected "differential"'
        )
    orders = []
    for number, (tile, held) in enumerate(zip(layout.tiles(), held_us, strict=True)):
        rows, outputs = layout.order_of(number)
        if not np.isnan(held).all():
            span = span_of(held, g_min_us, g_max_us)
            wanted = np.asarray(wanted_us[tile.outputs, tile.inputs], np.float64)
            for _ in range(PASSES):
                rows = _assigned(_losses(wanted.T, Span(*(bound[:, outputs] for bound in span))))
                outputs = _assigned(_losses(wanted, Span(*(bound[rows].T for bound in span))))
        orders.append(Order(tuple(rows.tolist()), tuple(outputs.tolist())))
    return replace(layout, orders=tuple(orders))


def avoid_cells(
    layout: TileLayout,
    target_us: Pair,
    usable: Sequence[NDArray[np.bool_]],
    g_min_us: float,
    g_max_us: float,
) -> tuple[TileLayout, Pair]:
    """An order around cells that cannot be used, and targets by which partners make up for them.

    Parameters
    ----------
    usable
        For each tile (R, C), which cells work; the others are left at no conductance.

    Raises
    ------
    MappingError, MissingLibraryError
        In the offset scheme, or without SciPy.
    """
    held = [np.where(works, np.nan, 0.0) for works in usable]
    layout = order_neurons(
        layout, target_us.positive - target_us.negative, held, g_min_us, g_max_us
    )
    off = ~np.stack(layout.gather(tuple(usable)))
    return layout, compensate_stuck_cells(
        StuckCells(off, np.zeros_like(off)), target_us, g_min_us, g_max_us
    )


def _losses(wanted: Floats, span: Span) -> Floats:
    """What is lost where line i of what is wanted (I, K) lies on line r of the pairs (R, K): (I,
    R).
    """
    found = np.zeros((len(wanted), len(span.least)))
    for value in np.unique(wanted):
        lacking = np.maximum(span.least - value, 0) + np.maximum(value - span.most, 0)
        found += (wanted == value).astype(np.float64) @ (lacking**2).T
    return found


def _assigned(losses: Floats) -> NDArray[np.intp]:
    """A line of the pairs for each line of what is wanted, each taken once at most, with the least
    loss in all.
    """
    optimize = import_optional("scipy.optimize", "SciPy")
    return np.asarray(optimize.linear_sum_assignment(losses)[1])
