"""How alike codes are: at rest, and through the mask of an input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vsafsm.errors import PlotError
from vsafsm.plotting.canvas import code_names, figure, name_ticks, plain
from vsafsm.program import Program

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CODES = 2000


def draw_similarity(program: Program) -> Figure:
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
    size = min(9.0, 2.2 + 0.15 * len(codes))
    made = figure(2 * size + 2.4, size)
    panels = made.subplots(1, 2)
    for axes, found, title in zip(
        panels, (rest, masked), ("at rest", "the most under any input"), strict=True
    ):
        image = axes.imshow(found, vmin=-0.2, vmax=1, cmap="viridis", interpolation="nearest")
        axes.set_title(title, fontsize=10)
        axes.set_xticks([])
        name_ticks(axes, "y", names)
        axes.set_ylabel("code")
    made.colorbar(image, ax=panels, label="similarity: hits minus false alarms", shrink=0.8)
    made.suptitle(
        f"{plain(program.machine.name)}: {len(network.states)} states, {len(codes)} codes of"
        f" {network.active}"
    )
    return made
