"""Which neurons fire in which step of a word, sorted by the codes that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vsafsm.plotting.canvas import bare, below, code_names, figure, plain
from vsafsm.plotting.overlaps import columns_of, held_patch, name_inputs, shade
from vsafsm.plotting.steps import Steps
from vsafsm.plotting.style import FAINT, INK, Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_raster(name: str, steps: Steps, theme: Theme) -> Figure:
    """Neurons of the states that are reached, of the transitions on the way, then the others."""
    network, count = steps.network, len(steps.mask)
    reached = sorted({code for code in steps.decoded.tolist() if code >= 0})
    codes = network.code_activities(reached).bits(network.neurons)
    first = np.where(codes.any(0), codes.argmax(0), len(reached))
    order = np.argsort(first, kind="stable")
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order))
    high = theme.lines(30)
    made = figure(theme, high + theme.lines(9), columns_of(steps))
    axes = made.subplots()
    when, which = np.nonzero(steps.activity)
    axes.plot(when, place[which], "|", color=INK, markersize=0.7 * theme.marker)
    edges = np.searchsorted(first[order], np.arange(len(reached) + 1))
    called = code_names(network)
    name_bands(axes, edges, [*(called[code] for code in reached), "others"], len(order), high)
    axes.set(
        xlabel="time (steps)",
        ylabel="neurons, by code",
        xlim=(-0.5, count - 0.5),
        ylim=(len(order), -1),
    )
    shade(axes, steps)
    bare(axes)
    name_inputs(axes, steps)
    axes.set_title(f"{plain(name)}: {network.neurons} neurons, {network.active} in a code")
    below(made, [held_patch()])
    return made


def name_bands(axes: Any, edges: Any, names: Sequence[str], count: int, room: float) -> None:
    """Names of bands along the vertical axis of a raster of so many neurons, which is `room` inches
    high; of bands too narrow for a name, the line between them alone.
    """
    theme: Theme = axes.figure.theme
    for edge in edges[1:]:
        axes.axhline(edge - 0.5, color=FAINT, linewidth=theme.thin, zorder=0)
    bands = [*edges.tolist(), count]
    wide = [
        i
        for i in range(len(names))
        if (bands[i + 1] - bands[i]) * room / max(count, 1) > theme.lines(0.85)
    ]
    axes.set_yticks([(bands[i] + bands[i + 1]) / 2 for i in wide], [names[i] for i in wide])
    axes.tick_params(axis="y", length=0)
