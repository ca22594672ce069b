"""What the drive of the weakest neuron is made of, as bars."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from vsafsm.explanation.terms import strongest, terms
from vsafsm.explanation.weakest import margins_of, weakest
from vsafsm.plotting.canvas import bare, below, figure, plain
from vsafsm.plotting.style import COLOURS, FAINT, INK, Theme
from vsafsm.program import Program

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 4
"""Terms of each sign that are told by name."""
LETTERS = 30
"""In a line of a name."""


def draw_terms(program: Program, theme: Theme) -> Figure:
    """The terms of the weakest transition, the strongest of each sign by name and the others
    together; they add up to its margin, in units.
    """
    from matplotlib.patches import Patch

    weak = weakest(margins_of(program))[0]
    found = terms(program, weak.minimum)
    shown = strongest(found, MOST)
    others = weak.minimum.margin - sum(term.towards for term in shown)
    rows = [(term.name.replace('"', ""), term.towards) for term in shown]
    if len(found) > len(shown):
        rows.append((f"{len(found) - len(shown)} other terms", others))
    rows.append(("sum: the margin", weak.minimum.margin))
    names = [textwrap.fill(plain(name, 90), LETTERS) for name, _ in rows]
    values = [value for _, value in rows]
    heights = [max(1.5, name.count("\n") + 1.4) for name in names]
    made = figure(theme, theme.lines(sum(heights) + 9))
    axes = made.subplots()
    places = [sum(heights[:i]) + heights[i] / 2 for i in range(len(rows))]
    colours = [COLOURS[0] if value > 0 else COLOURS[1] for value in values[:-1]]
    axes.barh(places, values, height=0.9, color=[*colours, INK])
    axes.axvline(0, color=INK, linewidth=theme.thin)
    axes.axhline(sum(heights[:-1]), color=FAINT, linewidth=theme.thin)
    axes.set_yticks(places, names)
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(sum(heights), 0), xlabel="drive per active neuron (units)")
    axes.grid(axis="x")
    bare(axes)
    minimum = weak.minimum
    wanted = "to fire" if minimum.fires else "to stay silent"
    made.suptitle(
        f"{plain(weak.state)} on {plain(weak.input or 'reset')}: margin {minimum.margin:.3f}\n"
        f"neuron {minimum.neuron} is {wanted}"
    )
    below(
        made,
        [
            Patch(color=COLOURS[0], linewidth=0, label="to the correct side"),
            Patch(color=COLOURS[1], linewidth=0, label="to the wrong side"),
        ],
    )
    return made
