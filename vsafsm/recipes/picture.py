"""A picture of what was learnt: trials in their order, and what each setting is worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vsafsm.errors import RecipeError
from vsafsm.plotting.canvas import COLOURS, bare, check_drawable, figure, plain, write
from vsafsm.recipes.learnt import Learnt, learn
from vsafsm.recipes.plan import Column, Plan, Setting, Value

POINTS = 80
ACROSS = 3
"""Panels side by side."""


def draw_learnt(
    plan: Plan, tried: Sequence[dict[str, Value]], worth: Sequence[float | None], path: Path
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
    count = len(plan.settings) + 1
    down = -(-count // ACROSS)
    made = figure(3.4 * min(count, ACROSS), 2.9 * down)
    panels: Any = made.subplots(down, min(count, ACROSS), sharey=True, squeeze=False).reshape(-1)
    _draw_order(panels[0], values, plan, best)
    for setting, axes in zip(plan.settings, panels[1:], strict=False):
        _draw_setting(axes, setting, learnt, seen, values, best)
    for number, axes in enumerate(panels):
        axes.set_visible(number < count)
        bare(axes)
        if number % ACROSS == 0:
            aim = plan.objective
            axes.set_ylabel(plain(aim.name if isinstance(aim, Column) else "predicted yield"))
    write(made, path)


def _draw_order(axes: Any, values: Any, plan: Plan, best: int) -> None:
    numbers = np.arange(1, len(values) + 1)
    so_far = np.maximum if plan.objective.maximise else np.minimum
    axes.step(numbers, so_far.accumulate(values), where="post", color=COLOURS[1], label="so far")
    axes.plot(numbers, values, "o", ms=4, color=COLOURS[0], label="trial")
    axes.plot(numbers[best], values[best], "*", ms=12, color=COLOURS[1], label="best")
    axes.set_xlabel("trial")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(fontsize=7, frameon=False, loc="best")


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
        axes.errorbar(
            range(len(asked)), mean, 2 * apart, fmt="s", color=COLOURS[2], capsize=4, ms=5
        )
        axes.set_xticks(range(len(asked)), [plain(each, 14) for each in setting.values])
        axes.set_xlim(-0.5, len(asked) - 0.5)
    else:
        at = np.array([float(s[setting.name]) for s in seen])
        axes.plot(asked, mean, color=COLOURS[2])
        axes.fill_between(asked, mean - 2 * apart, mean + 2 * apart, color=COLOURS[2], alpha=0.18)
        if setting.kind == "log":
            axes.set_xscale("log")
    axes.plot(at, values, "o", ms=4, color=COLOURS[0], alpha=0.6)
    axes.plot(at[best], values[best], "*", ms=12, color=COLOURS[1])
    axes.set_xlabel(plain(setting.name))


def _along(setting: Setting) -> list[Any]:
    if setting.values:
        return list(setting.values)
    if setting.kind == "log":
        return list(np.geomspace(setting.low, setting.high, POINTS).clip(setting.low, setting.high))
    return list(np.linspace(setting.low, setting.high, POINTS))
