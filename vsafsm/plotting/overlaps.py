"""How well each code explains the activity, step by step over a word."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from vsafsm.durations import duration_text
from vsafsm.machine import Clock
from vsafsm.network import THRESHOLD
from vsafsm.plotting.canvas import bare, below, code_names, figure, plain
from vsafsm.plotting.steps import Steps
from vsafsm.plotting.style import COLOURS, FAINT, INPUT, INPUT_TEXT, MUTED, Columns, Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NAMED = len(COLOURS)
"""States with a name: as many as have a colour of their own."""
MOST_STEPS = 60
"""In one column."""


def draw_overlaps(name: str, steps: Steps, theme: Theme) -> Figure:
    """Similarities of the codes that matter, inputs shaded, and what the activity stands for. A
    state has a colour, solid at rest, and dashed while a transition leads to it.
    """
    network, overlaps, decoded = steps.network, steps.overlaps, steps.decoded
    codes = [
        c
        for c in range(overlaps.shape[1])
        if (decoded == c).any() or overlaps[:, c].max() > THRESHOLD
    ]
    # In the order of their rows: the state that the activity stands for first comes first.
    states = list(dict.fromkeys(network.labels[c].state for c in decoded.tolist() if c >= 0))
    states += sorted({network.labels[c].state for c in codes}.difference(states))
    row = {state: i for i, state in enumerate(states)}
    rows = theme.lines(min(len(states), MOST_NAMED) + 0.5)
    lines_high = theme.lines(14)
    made = figure(theme, lines_high + rows + theme.lines(8), columns_of(steps))
    lines, bars = made.subplots(2, 1, sharex=True, height_ratios=(lines_high, rows))
    for code in codes:
        label = network.labels[code]
        lines.plot(
            overlaps[:, code],
            "--" if label.pending else "-",
            color=COLOURS[row[label.state] % len(COLOURS)],
        )
    lines.axhline(THRESHOLD, color=MUTED, linewidth=theme.thin, linestyle=":")
    lines.set(ylabel="similarity with a code", ylim=(min(-0.1, overlaps.min()) - 0.05, 1.05))
    _draw_states(bars, steps, row)
    for axes in (lines, bars):
        shade(axes, steps)
        bare(axes)
    bars.set(xlabel="time (steps)", ylabel="decoded", xlim=(-0.5, len(steps.mask) - 0.5))
    name_inputs(lines, steps)
    lines.set_title(f"{plain(name)}: {network.neurons} neurons")
    below(made, _legend())
    return made


def _draw_states(axes: Any, steps: Steps, row: dict[int, int]) -> None:
    """A bar where the activity stands for a state, a hatched one on the way to it."""
    network = steps.network
    for code in sorted(set(steps.decoded.tolist()) - {-1}):
        at, label = np.flatnonzero(steps.decoded == code), network.labels[code]
        colour = COLOURS[row[label.state] % len(COLOURS)]
        style: dict[str, Any] = {"color": colour}
        if label.pending:
            style = {"facecolor": "none", "edgecolor": colour, "hatch": "/////", "linewidth": 0}
        axes.barh([row[label.state]] * len(at), 1, left=at - 0.5, height=0.75, **style)
    names = code_names(network)
    shown = [state for state in row if row[state] < MOST_NAMED]
    axes.set_yticks(range(len(shown)), [names[state] for state in shown])
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(len(row) - 0.4, -0.6))


def _legend() -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=MUTED, label="state"),
        Line2D([], [], color=MUTED, linestyle="--", label="transition to it"),
        Line2D([], [], color=MUTED, linestyle=":", label="threshold"),
        held_patch(),
    ]


# ---- steps and inputs


def columns_of(steps: Steps) -> Columns:
    """Columns that a picture of steps is to take."""
    return 1 if len(steps.mask) <= MOST_STEPS else 2


def held_patch() -> Any:
    """What tells in a legend that an input is held."""
    from matplotlib.patches import Patch

    return Patch(facecolor=INPUT, edgecolor=FAINT, label="input held")


def spans(steps: Steps) -> list[tuple[int, int, str]]:
    """First step, last step and name of each input."""
    found: list[tuple[int, int, str]] = []
    masks = steps.mask.tolist()
    for t, mask in enumerate(masks):
        if mask and (t == 0 or masks[t - 1] != mask):
            found.append((t, t, steps.network.inputs[mask - 1]))
        elif mask:
            found[-1] = (found[-1][0], t, found[-1][2])
    return found


def shade(axes: Any, steps: Steps) -> None:
    """Colour where an input is held."""
    for first, last, _ in spans(steps):
        axes.axvspan(first - 0.5, last + 0.5, color=INPUT, linewidth=0, zorder=0)


def name_inputs(axes: Any, steps: Steps) -> None:
    """Names of inputs above where they are held."""
    inputs = [(first - 0.5, last + 0.5, name) for first, last, name in spans(steps)]
    name_above(axes, inputs, len(steps.mask), steps.clock)


def name_above(
    axes: Any, inputs: Sequence[tuple[float, float, str]], along: float, clock: Clock | None = None
) -> None:
    """Names of inputs, each with its begin and end, above an axis that is `along` long; upright
    where they are long, and none where they find no room. Ticks one after another are a wait, with
    a line from its begin to its end.
    """
    if not inputs:
        return
    theme, made = axes.figure.theme, axes.figure
    named: list[tuple[float, str]] = []
    waits: list[tuple[float, float]] = []
    for ticking, group in groupby(inputs, lambda each: clock and each[2] == clock.symbol):
        own = list(group)
        if clock is not None and ticking:
            waits.append((own[0][0], own[-1][1]))
            told = f"wait {duration_text(len(own) * clock.seconds, ' ')}"
            named.append((sum(waits[-1]) / 2, told))
        else:
            named += [((begin + end) / 2, name) for begin, end, name in own]
    places = [place for place, _ in named]
    # About 70 % of the width are those of the axes.
    inch = 0.7 * made.get_figwidth() / along
    apart = min((b - a for a, b in pairwise(places)), default=along) * inch
    if apart < theme.lines(0.85):
        return
    turned = 90 if theme.letters(max(len(name) for _, name in named) + 1) > apart else 0
    above = axes.secondary_xaxis("top")
    above.set_xticks(places, [plain(name) for _, name in named], rotation=turned)
    above.tick_params(length=0, labelcolor=INPUT_TEXT)
    above.spines[:].set_visible(False)
    for wait in waits:
        axes.plot(
            *(wait, (1, 1)),
            transform=axes.get_xaxis_transform(),
            color=INPUT_TEXT,
            linewidth=2 * theme.line,
            solid_capstyle="butt",
            clip_on=False,
        )
