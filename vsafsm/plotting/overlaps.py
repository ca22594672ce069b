"""How well each code explains the activity, step by step over a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vsafsm.network import LEAD, THRESHOLD
from vsafsm.plotting.canvas import COLOURS, bare, code_names, figure, plain
from vsafsm.plotting.steps import Steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LINES = 10


def draw_overlaps(name: str, steps: Steps) -> Figure:
    """Overlaps of the codes that matter, inputs shaded, and the state that the activity stands
    for.
    """
    network, overlaps, decoded = steps.network, steps.overlaps, steps.decoded
    count = len(steps.mask)
    made = figure(min(16.0, max(7.0, 2.5 + 0.16 * count)), 4.6)
    lines, states = made.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    codes = [
        c
        for c in range(overlaps.shape[1])
        if (decoded == c).any() or overlaps[:, c].max() > THRESHOLD
    ]
    names = code_names(network)
    for i, code in enumerate(codes):
        pending = network.labels[code].pending
        label = names[code] if i < MOST_LINES else None
        lines.plot(
            overlaps[:, code],
            ":" if pending else "-",
            color=COLOURS[i % len(COLOURS)],
            linewidth=1.3,
            label=label,
        )
    lines.axhline(THRESHOLD, color="0.6", linewidth=0.7, linestyle="--")
    lines.set(ylabel="overlap with a code", ylim=(-0.3, 1.08))
    lines.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    lines.set_title(
        f"{plain(name)}: {network.neurons} neurons, decoded above {THRESHOLD} and {LEAD} ahead",
        loc="left",
    )
    _draw_states(states, steps, codes)
    for axes in (lines, states):
        shade(axes, steps)
        bare(axes)
    name_inputs(lines, steps)
    states.set(xlabel="step", xlim=(-0.5, count - 0.5))
    return made


def _draw_states(axes: Any, steps: Steps, codes: list[int]) -> None:
    for i, code in enumerate(codes):
        at = np.flatnonzero(steps.decoded == code)
        alpha = 0.45 if steps.network.labels[code].pending else 1.0
        axes.barh(
            [i] * len(at),
            1,
            left=at - 0.5,
            height=0.75,
            color=COLOURS[i % len(COLOURS)],
            alpha=alpha,
        )
    if len(codes) <= 16:
        names = code_names(steps.network)
        axes.set_yticks(range(len(codes)), [names[code] for code in codes], fontsize=7)
    axes.set(ylim=(len(codes) - 0.4, -0.6), ylabel="stands for")


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
