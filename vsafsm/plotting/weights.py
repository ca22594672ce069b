"""The weights taken apart: symmetric memory, bound transitions, and what refinement added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vsafsm.plotting.canvas import COLOURS, bare, figure, plain
from vsafsm.program import Program

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SHOWN = 512
"""Neurons along an edge; of larger networks the first, in the order of codes, are shown."""
TITLES = ("autoassociative", "transitions", "correction", "deployed")


def draw_weights(program: Program) -> Figure:
    """The three parts and their sum as images, neurons in the order of codes, and their
    distributions. In units.
    """
    network, parts = program.network, program.parts()
    order = np.argsort(
        np.where(network.codes.any(0), network.codes.argmax(0), len(network.codes)), kind="stable"
    )
    neurons = order[:MOST_SHOWN]
    whole = network.weights / network.scale
    matrices = (parts.autoassociative, parts.transition, parts.correction, whole)
    made = figure(13.5, 5.4)
    images, histograms = made.subplots(2, 4, height_ratios=(2.2, 1))
    for axes, below, title, matrix in zip(images, histograms, TITLES, matrices, strict=True):
        limit = float(np.percentile(np.abs(matrix), 99.5)) or 1.0
        image = axes.imshow(
            matrix[np.ix_(neurons, neurons)],
            cmap="RdBu_r",
            vmin=-limit,
            vmax=limit,
            interpolation="nearest",
        )
        axes.set_title(title, fontsize=10)
        axes.set(xlabel="from neuron", ylabel="to neuron" if axes is images[0] else "")
        made.colorbar(image, ax=axes, shrink=0.75)
        below.hist(matrix.ravel(), bins=81, color=COLOURS[0])
        below.set_yscale("log")
        below.minorticks_off()
        below.set(xlabel="weight (units)", ylabel="synapses" if axes is images[0] else "")
        bare(below)
    made.suptitle(
        f"{plain(program.machine.name)}: {network.neurons} neurons in the order of codes,"
        f" {network.bits} bits"
    )
    return made
