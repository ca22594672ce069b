"""How alike codes are: at rest, and through the mask of an input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vsafsm.errors import PlotError
from vsafsm.plotting.canvas import code_names, figure, name_ticks, plain
from vsafsm.plotting.style import Columns, Theme
from vsafsm.program import Program

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CODES = 2000
MOST_IN_COLUMN = 20
"""Codes that are named in one column, where one map stands below the other."""


def draw_similarity(program: Program, theme: Theme) -> Figure:
    """Similarity of every code with every other at rest, and the largest under any mask of an
    input.
    """
    network = program.network
    count = len(network.codes)
    if count > MOST_CODES:
        raise PlotError(f"{count} codes are too many for a picture; expected at most {MOST_CODES}")
    codes = network.code_activities(range(count)).bits(network.neurons)
    rest, *held = (network.similarity(codes, mask) for mask in range(network.no_mask))
    masked = np.max(held, axis=0)
    names = code_names(network)
    columns: Columns = 1 if count <= MOST_IN_COLUMN else 2
    side = 0.5 * theme.width(1) if columns == 1 else 0.32 * theme.width(2)
    down, across = (2, 1) if columns == 1 else (1, 2)
    made = figure(theme, down * (side + theme.lines(2)) + theme.lines(4), columns)
    panels = made.subplots(down, across, sharey=True).ravel()
    for axes, found, title in zip(
        panels, (rest, masked), ("at rest", "the most under any input"), strict=True
    ):
        image = axes.imshow(found, vmin=-0.2, vmax=1, aspect="auto")
        axes.set_title(title)
        axes.set_xticks([])
        name_ticks(axes, "y", names, side)
    for axes in panels if columns == 1 else panels[:1]:
        axes.set_ylabel("code")
    made.colorbar(image, ax=panels, label="similarity: hits minus false alarms", shrink=0.8)
    made.suptitle(f"{plain(program.machine.name)}: {count} codes of {network.active}")
    return made
