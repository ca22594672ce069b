"""A picture of a word: raster sorted by state, overlaps, inputs and decoded states over time, to be
read in print.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vsafsm.network import Network
from vsafsm.plotting.canvas import (
    bare,
    below,
    check_drawable,
    code_names,
    drawing,
    figure,
    plain,
    write,
)
from vsafsm.plotting.overlaps import held_patch, name_above
from vsafsm.plotting.raster import name_bands
from vsafsm.plotting.style import COLOURS, FAINT, INK, INPUT, MUTED, SCREEN, Theme
from vsafsm_brian2.reading import Indices, Recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LABELS = 24
"""Codes named along an axis; beyond that only their order is shown."""
MOST_MS = 3000
"""In one column."""


def draw(recording: Recording, name: str, path: Path, theme: Theme = SCREEN) -> None:
    """Draw a recording into `path`; the suffix says the format.

    Raises
    ------
    PlotError
        If Matplotlib is not installed, or the suffix is none of those known.
    FileError
        If the file cannot be written.
    """
    check_drawable(path)
    with drawing(theme):
        write(_drawn(recording, name, theme), path)


def _drawn(recording: Recording, name: str, theme: Theme) -> Figure:
    network, used = recording.network, _codes_used(recording)
    highs = [theme.lines(n) for n in (22, 9, min(len(used), MOST_LABELS) + 0.5)]
    made = figure(theme, sum(highs) + theme.lines(10), 1 if recording.until_ms <= MOST_MS else 2)
    raster, overlaps, states = made.subplots(3, 1, sharex=True, height_ratios=highs)
    _draw_raster(raster, recording, used, highs[0])
    _draw_overlaps(overlaps, recording, used)
    _draw_states(states, recording, used)
    states.set(xlabel="time (ms)", xlim=(0, recording.until_ms))
    for axes in (raster, overlaps, states):
        bare(axes)
        _shade(axes, recording)
    _name_inputs(raster, recording)
    raster.set_title(f"{plain(name)}: {network.neurons} neurons in Brian2")
    made.align_ylabels([raster, overlaps, states])
    below(made, _legend())
    return made


def _codes_used(recording: Recording) -> Indices:
    """Codes that the activity stands for at some time: the states in order, then pending
    transitions.
    """
    codes = recording.decoded()[1]
    return np.asarray(np.unique(codes[codes >= 0]))


def _draw_raster(axes: Any, recording: Recording, used: Indices, room: float) -> None:
    """Spikes, cells in the order of the states that were reached, the first for a cell of several;
    then the others.
    """
    network = recording.network
    n, used = network.module_neurons, used[used < len(network.states)]
    first = np.full(network.neurons, len(used))
    for at, code in reversed(list(enumerate(used.tolist()))):
        first[network.code_activity(code)] = at
    # Cells of modules in which none fires are left out.
    fires = np.unique(np.append(recording.cells // n, network.homes[network.start]))
    shown = (n * fires[:, None] + np.arange(n)).reshape(-1)
    shown = shown[np.argsort(first[shown], kind="stable")]
    first = first[shown]
    place = np.empty(network.neurons, np.intp)
    place[shown] = np.arange(len(shown))
    axes.plot(
        recording.times_ms,
        place[recording.cells],
        "|",
        color=INK,
        markersize=0.6 * axes.figure.theme.marker,
        markeredgewidth=0.6 * axes.figure.theme.thin,
    )
    edges = np.searchsorted(first, np.arange(len(used) + 1))
    name_bands(axes, edges, [*_names(network, used), "others"], len(first), room)
    axes.set(ylim=(len(first), -1), ylabel="neurons, by state")


def _draw_overlaps(axes: Any, recording: Recording, used: Indices) -> None:
    times, found = recording.overlaps()
    for code in used.tolist():
        colour, pending = _colour(recording.network, code)
        axes.plot(times, found[:, code], color=colour, linestyle=":" if pending else "-")
    axes.set(ylim=(-0.4, 1.05), ylabel="similarity")


def _draw_states(axes: Any, recording: Recording, used: Indices) -> None:
    times, codes = recording.decoded()
    step = times[0] if len(times) else 1.0
    for n, code in enumerate(used.tolist()):
        colour, pending = _colour(recording.network, code)
        at = times[codes == code]
        axes.barh(
            [n] * len(at),
            step,
            left=at - step,
            height=0.7,
            color=colour,
            alpha=0.45 if pending else 1.0,
        )
    if len(used) <= MOST_LABELS:
        axes.set_yticks(range(len(used)), _names(recording.network, used))
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(len(used) - 0.4, -0.6), ylabel="decoded")


def _colour(network: Network, code: int) -> tuple[str, bool]:
    """Of the state that a code stands for, and whether a transition leads there still."""
    label = network.labels[code]
    return COLOURS[label.state % len(COLOURS)], label.pending


def _legend() -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Line2D([], [], color=MUTED, label="state"),
        Line2D([], [], color=MUTED, linestyle=":", label="transition to it"),
        held_patch(),
        Patch(color=FAINT, linewidth=0, label="reset"),
    ]


def _name_inputs(axes: Any, recording: Recording) -> None:
    inputs = [
        ((each.onset_ms + each.end_ms) / 2, recording.network.inputs[each.symbol])
        for each in recording.events
        if each.symbol >= 0
    ]
    name_above(axes, inputs, recording.until_ms)


def _shade(axes: Any, recording: Recording) -> None:
    """Colour where an input is held; grey where the network is reset."""
    for event in recording.events:
        colour = INPUT if event.symbol >= 0 else FAINT
        axes.axvspan(event.onset_ms, event.end_ms, color=colour, linewidth=0, zorder=0)


def _names(network: Network, codes: Indices) -> list[str]:
    names = code_names(network)
    return [names[code] for code in codes.tolist()]
