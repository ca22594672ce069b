"""The picture of a search for the noise of training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vsafsm.plotting.canvas import bare, below, check_drawable, drawing, figure, write
from vsafsm.plotting.style import COLOURS, SCREEN, Theme
from vsafsm.sense.search import Trial, parameters

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS = 3
"""Panels of a picture, side by side."""


def draw_search(trials: Sequence[Trial], path: Path, theme: Theme = SCREEN) -> None:
    """Trials in their order with the best so far, and what was searched against the score.

    Raises
    ------
    PlotError
        If Matplotlib is not installed, or the name does not say what to draw.
    FileError
        If the file cannot be written.
    """
    check_drawable(path)
    with drawing(theme):
        write(_drawn(trials, theme), path)


def _drawn(trials: Sequence[Trial], theme: Theme) -> Figure:
    names = parameters(len(trials[0].noise), bool(trials[0].dropout))
    means = [trial.mean for trial in trials]
    count = len(names) + 1
    down = -(-count // ACROSS)
    made = figure(theme, down * theme.lines(15) + theme.lines(2), 2)
    panels: Any = made.subplots(down, ACROSS, sharey=True, squeeze=False).ravel()
    numbers = np.arange(1, len(trials) + 1)
    made_of = panels[0].plot(numbers, means, "o", color=COLOURS[0], label="trial")
    best_of = panels[0].plot(
        numbers, np.maximum.accumulate(means), color=COLOURS[1], label="best so far"
    )
    panels[0].set_xlabel("trial")
    for i, (name, axes) in enumerate(zip(names, panels[1:], strict=False)):
        shown = axes.scatter([t.numbers[i] for t in trials], means, c=numbers)
        axes.set_xlabel(name)
    made.colorbar(shown, ax=list(panels), label="trial")
    for number, axes in enumerate(panels):
        axes.set_visible(number < count)
        bare(axes)
        if number % ACROSS == 0:
            axes.set_ylabel(f"mean score of {len(trials[0].scores)} arrays")
    below(made, [*made_of, *best_of])
    return made
