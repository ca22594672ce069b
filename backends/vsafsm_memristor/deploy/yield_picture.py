"""A picture of yields: how many arrays run a machine correctly, against what is asked, and how much
of it goes wrong on each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vsafsm.intervals import wilson
from vsafsm.plotting.canvas import bare, below, check_drawable, drawing, figure, plain, write
from vsafsm.plotting.style import COLOURS, INK, MARKERS, SCREEN, Theme
from vsafsm_memristor.deploy.yields import ArrayOutcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = {"none": "as programmed", "trim": "trimmed", "loop": "chip in the loop"}
MOST_BINS = 12


def draw_yields(
    name: str,
    pairs: int,
    found: Mapping[str, Sequence[ArrayOutcome]],
    least: float | None,
    path: Path,
    theme: Theme = SCREEN,
) -> None:
    """Above, for each calibration, the share of correct arrays with its 95 % interval (Wilson), and
    the least share that is asked for. Below, how many arrays have how many pairs wrong.

    Parameters
    ----------
    name
        Of the machine.
    pairs
        Of states and inputs that it has.
    found
        What became of each array, by calibration.

    Raises
    ------
    PlotError
        If Matplotlib is not installed, or the name does not say what to draw.
    FileError
        If the file cannot be written.
    """
    check_drawable(path)
    with drawing(theme):
        write(_drawn(name, pairs, found, least, theme), path)


def _drawn(
    name: str,
    pairs: int,
    found: Mapping[str, Sequence[ArrayOutcome]],
    least: float | None,
    theme: Theme,
) -> Figure:
    arrays = len(next(iter(found.values())))
    highs = theme.lines(1.5 * len(found) + 0.5), theme.lines(14)
    made = figure(theme, sum(highs) + theme.lines(11))
    above, under = made.subplots(2, 1, height_ratios=highs)
    _draw_shares(above, found, least)
    _draw_pairs(under, found, pairs)
    made.suptitle(f"{plain(name)}: {arrays} arrays")
    below(made, _legend(found, least))
    return made


def _draw_shares(
    axes: Any, found: Mapping[str, Sequence[ArrayOutcome]], least: float | None
) -> None:
    lows = [1.0 if least is None else least]
    for i, outcomes in enumerate(found.values()):
        correct = sum(each.wrong is None for each in outcomes)
        share, (low, high) = correct / len(outcomes), wilson(correct, len(outcomes))
        lows.append(low)
        axes.errorbar(
            *([share], [i]),
            xerr=[[share - low], [high - share]],
            marker=MARKERS[i],
            color=COLOURS[i],
        )
    if least is not None:
        axes.axvline(least, color=INK, linestyle="--")
    axes.set_yticks(range(len(found)), [NAMES[kind] for kind in found])
    axes.tick_params(axis="y", length=0)
    room = max(1 - min(lows), 0.01)
    axes.set(
        xlabel="share of correct arrays",
        xlim=(max(min(lows) - 0.1 * room, -0.02), 1 + 0.05 * room),
        ylim=(len(found) - 0.4, -0.6),
    )
    axes.grid(axis="x")
    bare(axes)


def _draw_pairs(axes: Any, found: Mapping[str, Sequence[ArrayOutcome]], pairs: int) -> None:
    wrong = [np.array([each.wrong_pairs for each in outcomes]) for outcomes in found.values()]
    most = max(1, *(int(each.max()) for each in wrong))
    # Bins of whole numbers; none wrong has a bin of its own.
    step = -(-most // MOST_BINS)
    edges = np.array([0, *range(1, most + step + 1, step)]) - 0.5
    width = 0.8 / len(wrong)
    for i, each in enumerate(wrong):
        counts = np.histogram(each, edges)[0]
        at = np.arange(len(counts)) + (i - (len(wrong) - 1) / 2) * width
        axes.bar(at, counts, width, color=COLOURS[i])
    firsts, lasts = (edges[:-1] + 0.5).astype(int), (edges[1:] - 0.5).astype(int)
    names = [str(a) if a == b else f"{a}–{b}" for a, b in zip(firsts, lasts, strict=True)]
    turned = 90 if max(map(len, names)) > 3 and len(names) > 6 else 0
    axes.set_xticks(range(len(names)), names, rotation=turned)
    axes.set(xlabel=f"wrong pairs of state and input, of {pairs}", ylabel="arrays")
    axes.yaxis.get_major_locator().set_params(integer=True)
    bare(axes)


def _legend(found: Mapping[str, Sequence[ArrayOutcome]], least: float | None) -> list[Any]:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker=MARKERS[i], color=COLOURS[i], label=NAMES[kind])
        for i, kind in enumerate(found)
    ]
    if least is not None:
        handles.append(Line2D([], [], color=INK, linestyle="--", label=f"asked for: {least:g}"))
    return handles
