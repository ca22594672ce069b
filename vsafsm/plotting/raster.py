"""Which neurons fire in which step of a word, sorted by the codes that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vsafsm.plotting.canvas import bare, code_names, figure, plain
from vsafsm.plotting.overlaps import name_inputs, shade
from vsafsm.plotting.steps import Steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_raster(name: str, steps: Steps) -> Figure:
    """Neurons of the states that are reached, of the transitions on the way, then the others."""
    network, count = steps.network, len(steps.mask)
    reached = sorted({code for code in steps.decoded.tolist() if code >= 0})
    codes = network.code_activities(reached).bits(network.neurons)
    first = np.where(codes.any(0), codes.argmax(0), len(reached))
    order = np.argsort(first, kind="stable")
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order))
    made = figure(min(16.0, max(7.0, 2.5 + 0.16 * count)), 5.0)
    axes = made.subplots()
    when, which = np.nonzero(steps.activity)
    axes.plot(when, place[which], "|", color="black", markersize=2.5, markeredgewidth=0.7)
    edges = np.searchsorted(first[order], np.arange(len(reached) + 1))
    bands = [*edges.tolist(), len(order)]
    called = code_names(network)
    names = [*(called[code] for code in reached), "others"]
    for edge in edges[1:]:
        axes.axhline(edge - 0.5, color="0.8", linewidth=0.6, zorder=0)
    wide = [i for i in range(len(names)) if bands[i + 1] - bands[i] > len(order) / 45]
    axes.set_yticks(
        [(bands[i] + bands[i + 1]) / 2 for i in wide], [names[i] for i in wide], fontsize=7
    )
    axes.tick_params(axis="y", length=0)
    axes.set(
        xlabel="step", ylabel="neurons, by code", xlim=(-0.5, count - 0.5), ylim=(len(order), -1)
    )
    axes.set_title(
        f"{plain(name)}: {network.neurons} neurons, {network.active} in a code", loc="left"
    )
    shade(axes, steps)
    name_inputs(axes, steps)
    bare(axes)
    return made
