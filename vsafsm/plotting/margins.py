"""How far each transition is from going wrong, by state and input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vsafsm.explanation.weakest import margins_of
from vsafsm.plotting.canvas import figure, name_ticks, plain
from vsafsm.plotting.style import ALERT, Theme
from vsafsm.program import Program
from vsafsm.statecharts.columns import short_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_INPUTS = 8
"""In one column."""


def draw_margins(program: Program, theme: Theme) -> Figure:
    """The margin of each transition as a map, in units; the least is framed."""
    from matplotlib.patches import Rectangle

    machine = program.machine
    table = margins_of(program).table()
    states, inputs = table.shape
    high = theme.lines(min(1.6 * states, 40) if states < 40 else 40)
    made = figure(theme, high + theme.lines(10), 1 if inputs <= MOST_INPUTS else 2)
    axes = made.subplots()
    image = axes.imshow(table, aspect="auto", vmin=0)
    wide = 0.55 * made.get_figwidth()
    name_ticks(axes, "x", list(machine.inputs), wide)
    name_ticks(axes, "y", list(short_names(machine.reachable).values()), high)
    if theme.letters(5) * inputs < wide and theme.lines(states) < high:
        for row, column in np.ndindex(table.shape):
            axes.text(
                column,
                row,
                f"{table[row, column]:.2f}",
                ha="center",
                va="center",
                color="white" if table[row, column] < 0.6 * table.max() else "black",
            )
    row, column = divmod(int(table.argmin()), inputs)
    axes.add_patch(
        Rectangle(
            (column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=ALERT, linewidth=2 * theme.line
        )
    )
    axes.set(xlabel="input", ylabel="state")
    made.colorbar(image, ax=axes, label="margin (units)")
    axes.set_title(f"{plain(machine.name)}: least margin {table.min():.3f}")
    return made
