"""How well each code explains the activity, step by step over a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vsafsm.network import THRESHOLD
from vsafsm.plotting.canvas import COLOURS, bare, code_names, figure, plain
from vsafsm.plotting.steps import Steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NAMED = len(COLOURS)
"""States in the legend: as many as have a colour of their own."""


def draw_overlaps(name: str, steps: Steps) -> Figure:
    """Similarities of the codes that matter, inputs shaded, and what the activity stands for. A
    state has a colour, solid at rest, and dashed while a transition leads to it.
    """
    network, overlaps, decoded = steps.network, steps.overlaps, steps.decoded
    count = len(steps.mask)
    codes = [
        c
        for c in range(overlaps.shape[1])
        if (decoded == c).any() or overlaps[:, c].max() > THRESHOLD
    ]
    # In the order of their rows: the state that the activity stands for first comes first.
    states = list(dict.fromkeys(network.labels[c].state for c in decoded.tolist() if c >= 0))
    states += sorted({network.labels[c].state for c in codes}.difference(states))
    row = {state: i for i, state in enumerate(states)}
    made = figure(
        min(16.0, max(7.0, 2.5 + 0.16 * count)), 3.4 + 0.17 * min(len(states), MOST_NAMED)
    )
    lines, bars = made.subplots(2, 1, sharex=True, height_ratios=(3.2, 0.2 * len(states) + 0.2))
    for code in codes:
        label = network.labels[code]
        lines.plot(
            overlaps[:, code],
            "--" if label.pending else "-",
            color=COLOURS[row[label.state] % len(COLOURS)],
            linewidth=1.3,
        )
    lines.axhline(THRESHOLD, color="0.6", linewidth=0.7, linestyle=":")
    lines.set(ylabel="similarity with a code", ylim=(-0.3, 1.08))
    lines.set_title(
        f"{plain(name)}: {network.neurons} neurons; solid: state, dashed: transition to it",
        loc="left",
        fontsize=10,
    )
    _draw_states(bars, steps, row)
    for axes in (lines, bars):
        shade(axes, steps)
        bare(axes)
    name_inputs(lines, steps)
    bars.set(xlabel="step", xlim=(-0.5, count - 0.5))
    return made


def _draw_states(axes: Any, steps: Steps, row: dict[int, int]) -> None:
    """A bar where the activity stands for a state, a hatched one on the way to it."""
    network = steps.network
    for code in sorted(set(steps.decoded.tolist()) - {-1}):
        at, label = np.flatnonzero(steps.decoded == code), network.labels[code]
        colour = COLOURS[row[label.state] % len(COLOURS)]
        style: dict[str, Any] = {"color": colour}
        if label.pending:
            style = {"facecolor": "none", "edgecolor": colour, "hatch": "////", "linewidth": 0}
        axes.barh([row[label.state]] * len(at), 1, left=at - 0.5, height=0.75, **style)
    names = code_names(network)
    shown = [state for state in row if row[state] < MOST_NAMED]
    axes.set_yticks(range(len(shown)), [names[state] for state in shown], fontsize=7)
    for tick, state in zip(axes.get_yticklabels(), shown, strict=True):
        tick.set_color(COLOURS[row[state] % len(COLOURS)])
    axes.set(ylim=(len(row) - 0.4, -0.6))


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
    """Grey where an input is held."""
    for first, last, _ in spans(steps):
        axes.axvspan(first - 0.5, last + 0.5, color="#e69f00", alpha=0.15, linewidth=0, zorder=0)


def name_inputs(axes: Any, steps: Steps) -> None:
    """Names of inputs above where they are held, upright where they are long."""
    inputs = spans(steps)
    turned = 90 if any(len(name) > 3 * (last - first + 1) for first, last, name in inputs) else 0
    for first, last, name in inputs:
        axes.annotate(
            plain(name, 16),
            ((first + last) / 2, 0.02),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=7,
            rotation=turned,
            color="#8a5a00",
        )
