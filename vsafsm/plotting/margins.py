"""How far each transition is from going wrong, by state and input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vsafsm.explanation.weakest import margins_of
from vsafsm.plotting.canvas import figure, name_ticks, plain
from vsafsm.program import Program
from vsafsm.statecharts.columns import short_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NUMBERS = 120


def draw_margins(program: Program) -> Figure:
    """The margin of each transition as a map, in units; the least is framed."""
    machine = program.machine
    table = margins_of(program).table()
    states, inputs = table.shape
    made = figure(min(14.0, 3.2 + 0.55 * inputs), min(12.0, 1.9 + 0.34 * states))
    axes = made.subplots()
    image = axes.imshow(table, cmap="viridis", interpolation="nearest", aspect="auto", vmin=0)
    name_ticks(axes, "x", list(machine.inputs))
    name_ticks(axes, "y", list(short_names(machine.reachable).values()))
    if table.size <= MOST_NUMBERS:
        for row, column in np.ndindex(table.shape):
            dark = table[row, column] < 0.6 * table.max()
            axes.text(
                column,
                row,
                f"{table[row, column]:.2f}",
                ha="center",
                va="center",
                fontsize=7,
                color="white" if dark else "black",
            )
    axes.add_patch(_frame(*divmod(int(table.argmin()), inputs)))
    axes.set(xlabel="input", ylabel="state")
    made.colorbar(image, ax=axes, label="margin (units)")
    axes.set_title(
        f"{plain(machine.name)}: least margin {table.min():.3f}", fontsize=10, loc="left"
    )
    return made


def _frame(row: int, column: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#d1495b", linewidth=2)
