"""A picture of what was learnt: trials in their order, and what each setting is worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vsafsm.errors import RecipeError
from vsafsm.plotting.canvas import (
    bare,
    below,
    check_drawable,
    drawing,
    figure,
    in_full,
    plain,
    write,
)
from vsafsm.plotting.style import COLOURS, SCREEN, Theme
from vsafsm.recipes.learnt import Learnt, learn
from vsafsm.recipes.plan import Column, Plan, Setting, Value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 80
ACROSS = 3
"""Panels side by side."""


def draw_learnt(
    plan: Plan,
    tried: Sequence[dict[str, Value]],
    worth: Sequence[float | None],
    path: Path,
    theme: Theme = SCREEN,
) -> None:
    """Draw trials with the best so far, and for each setting what a process expects of it where the
    others are those of the best trial.

    Raises
    ------
    RecipeError
        If fewer than two trials are measured.
    PlotError
        If Matplotlib is not installed, or the name does not say what to draw.
    FileError
        If the file cannot be written.
    """
    check_drawable(path)
    known = [(s, value) for s, value in zip(tried, worth, strict=True) if value is not None]
    if len(known) < 2:
        raise RecipeError(f"{len(known)} trials are measured; expected two or more to draw")
    seen, values = [s for s, _ in known], np.array([value for _, value in known])
    best = int(values.argmax() if plan.objective.maximise else values.argmin())
    learnt = learn(plan.settings, seen, values.tolist())
    with drawing(theme):
        write(_drawn(plan, learnt, seen, values, best, theme), path)


def _drawn(
    plan: Plan,
    learnt: Learnt,
    seen: Sequence[dict[str, Value]],
    values: Any,
    best: int,
    theme: Theme,
) -> Figure:
    count = len(plan.settings) + 1
    down = -(-count // ACROSS)
    made = figure(
        theme, down * theme.lines(15) + theme.lines(2), 1 if down == 1 and count < ACROSS else 2
    )
    panels: Any = made.subplots(down, ACROSS, sharey=True, squeeze=False).reshape(-1)
    _draw_order(panels[0], values, plan, best)
    for setting, axes in zip(plan.settings, panels[1:], strict=False):
        _draw_setting(axes, setting, learnt, seen, values, best)
    for number, axes in enumerate(panels):
        axes.set_visible(number < count)
        bare(axes)
        if number % ACROSS == 0:
            aim = plan.objective
            axes.set_ylabel(plain(aim.name if isinstance(aim, Column) else "predicted yield"))
    below(made, _legend(theme), 5)
    return made


def _legend(theme: Theme) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Line2D([], [], marker="o", linestyle="", color=COLOURS[0], label="trial"),
        Line2D([], [], color=COLOURS[1], label="best so far"),
        Line2D(
            *([], []),
            marker="*",
            linestyle="",
            markersize=2.5 * theme.marker,
            color=COLOURS[1],
            label="best",
        ),
        Line2D([], [], color=COLOURS[2], label="expected"),
        Patch(color=COLOURS[2], alpha=0.2, linewidth=0, label="± 2 standard deviations"),
    ]


def _draw_order(axes: Any, values: Any, plan: Plan, best: int) -> None:
    numbers = np.arange(1, len(values) + 1)
    so_far = np.maximum if plan.objective.maximise else np.minimum
    axes.step(numbers, so_far.accumulate(values), where="post", color=COLOURS[1])
    _draw_trials(axes, numbers, values, best)
    axes.set_xlabel("trial")
    axes.xaxis.get_major_locator().set_params(integer=True)


def _draw_trials(axes: Any, at: Any, values: Any, best: int) -> None:
    axes.plot(at, values, "o", color=COLOURS[0], alpha=0.6, markeredgewidth=0)
    star = 2.5 * axes.figure.theme.marker
    axes.plot(at[best], values[best], "*", markersize=star, color=COLOURS[1])


def _draw_setting(
    axes: Any,
    setting: Setting,
    learnt: Learnt,
    seen: Sequence[dict[str, Value]],
    values: Any,
    best: int,
) -> None:
    asked = _along(setting)
    mean, apart = learnt.at([{**seen[best], setting.name: each} for each in asked])
    if setting.values:
        at = np.array([setting.values.index(str(s[setting.name])) for s in seen])
        axes.errorbar(range(len(asked)), mean, 2 * apart, fmt="s", color=COLOURS[2])
        axes.set_xticks(range(len(asked)), [plain(each, 14) for each in setting.values])
        axes.set_xlim(-0.5, len(asked) - 0.5)
    else:
        at = np.array([float(s[setting.name]) for s in seen])
        axes.plot(asked, mean, color=COLOURS[2])
        axes.fill_between(
            *(asked, mean - 2 * apart, mean + 2 * apart), color=COLOURS[2], alpha=0.2, linewidth=0
        )
        if setting.kind == "log":
            axes.set_xscale("log")
            in_full(axes.xaxis)
    _draw_trials(axes, at, values, best)
    axes.set_xlabel(plain(setting.name))


def _along(setting: Setting) -> list[Any]:
    if setting.values:
        return list(setting.values)
    if setting.kind == "log":
        return list(np.geomspace(setting.low, setting.high, POINTS).clip(setting.low, setting.high))
    return list(np.linspace(setting.low, setting.high, POINTS))
