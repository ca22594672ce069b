"""What a program takes of a chip or of an array, beside what there is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vsafsm.backend import Usage
from vsafsm.plotting.canvas import bare, check_drawable, drawing, figure, plain, write
from vsafsm.plotting.style import COLOURS, FAINT, SCREEN, Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_usage(title: str, found: Sequence[Usage], path: Path, theme: Theme = SCREEN) -> None:
    """A bar per resource: the share that is in use.

    Raises
    ------
    PlotError
        If Matplotlib is not installed, or the name does not say what to draw.
    FileError
        If the file cannot be written.
    """
    check_drawable(path)
    with drawing(theme):
        write(_drawn(title, found, theme), path)


def _drawn(title: str, found: Sequence[Usage], theme: Theme) -> Figure:
    made = figure(theme, theme.lines(1.8 * len(found) + 5))
    axes = made.subplots()
    rows = range(len(found))
    axes.barh(rows, [100] * len(found), 0.6, facecolor="none", edgecolor=FAINT)
    axes.barh(rows, [100 * each.used / each.there for each in found], 0.6, color=COLOURS[0])
    axes.set_yticks(rows, [plain(each.name, 40) for each in found])
    numbers = axes.secondary_yaxis("right")
    numbers.set_yticks(rows, [f"{each.used:,g} of {each.there:,g}" for each in found])
    for each in (axes, numbers):
        each.tick_params(axis="y", length=0)
    numbers.spines[:].set_visible(False)
    axes.set(xlim=(0, 100), ylim=(len(found) - 0.4, -0.6), xlabel="in use (%)")
    bare(axes)
    made.suptitle(plain(title, 60))
    return made
