"""The weights taken apart: symmetric memory, bound transitions, and what refinement added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vsafsm.plotting.canvas import bare, figure, in_full, plain
from vsafsm.plotting.style import COLOURS, DIVERGING, Theme
from vsafsm.program import Program

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SHOWN = 512
"""Neurons along an edge; of larger networks the first, in the order of codes, are shown."""
TITLES = ("autoassociative", "transitions", "correction", "deployed")


def draw_weights(program: Program, theme: Theme) -> Figure:
    """The three parts and their sum as images, neurons in the order of codes, and their
    distributions. In units; two columns.
    """
    network, parts = program.network, program.parts()
    order = np.argsort(
        np.where(network.codes.any(0), network.codes.argmax(0), len(network.codes)), kind="stable"
    )
    neurons = order[:MOST_SHOWN]
    whole = network.weights / network.scale
    matrices = (parts.autoassociative, parts.transition, parts.correction, whole)
    made = figure(theme, 0.42 * theme.width(2), columns=2)
    images, histograms = made.subplots(2, 4, height_ratios=(2.2, 1))
    for axes, under, title, matrix in zip(images, histograms, TITLES, matrices, strict=True):
        limit = float(np.percentile(np.abs(matrix), 99.5)) or 1.0
        image = axes.imshow(
            matrix[np.ix_(neurons, neurons)], cmap=DIVERGING, vmin=-limit, vmax=limit
        )
        axes.set_title(title)
        axes.set(xlabel="from neuron", ylabel="to neuron" if axes is images[0] else "")
        made.colorbar(image, ax=axes, label="weight (units)", shrink=0.75)
        under.hist(matrix.ravel(), bins=81, color=COLOURS[0])
        under.set_yscale("log")
        in_full(under.yaxis)
        under.minorticks_off()
        under.set(xlabel="weight (units)", ylabel="synapses" if axes is images[0] else "")
        bare(under)
    made.suptitle(
        f"{plain(program.machine.name)}: {network.neurons} neurons in the order of codes,"
        f" {network.bits} bits"
    )
    return made
