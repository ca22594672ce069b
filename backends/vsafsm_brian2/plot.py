"""A picture of a word: raster sorted by state, overlaps, inputs, decoded states and outputs over
time, to be read in print.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vsafsm.durations import duration_text
from vsafsm.machine import Clock, Machine
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
from vsafsm.plotting.geometry import cut, flush
from vsafsm.plotting.overlaps import held_patch, name_above
from vsafsm.plotting.raster import name_bands
from vsafsm.plotting.style import COLOURS, FAINT, INK, INPUT, MUTED, SCREEN, Theme
from vsafsm.vsa import Bits
from vsafsm_brian2.parameters import RunSettings
from vsafsm_brian2.reading import Indices, Recording, Times

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LABELS = 24
"""Codes named along an axis; beyond that only their order is shown."""
MOST_MS = 3000
"""In one column."""
MOST_LETTERS = 28
"""In a line of the name of an output."""
LEAST_ROWS = 4
"""Rows of a panel that has room for its own name."""


def draw(
    recording: Recording,
    machine: Machine,
    running: RunSettings,
    path: Path,
    theme: Theme = SCREEN,
) -> None:
    """Draw a recording of a machine's run into `path`; the suffix says the format.

    Raises
    ------
    PlotError
        If Matplotlib is not installed, or the suffix is none of those known.
    FileError
        If the file cannot be written.
    """
    check_drawable(path)
    with drawing(theme):
        write(_drawn(recording, machine, running, theme), path)


def _drawn(recording: Recording, machine: Machine, running: RunSettings, theme: Theme) -> Figure:
    network, used, given = recording.network, _codes_used(recording), _given(recording)
    rows = [22.0, 9.0, max(min(len(used), MOST_LABELS), LEAST_ROWS) + 0.5]
    if given:
        rows.append(max(sum(_rows(given)), LEAST_ROWS) + 0.5)
    highs = [theme.lines(each) for each in rows]
    high = sum(highs) + theme.lines(10 if machine.clock is None else 11.5)
    made = figure(theme, high, 1 if recording.until_ms <= MOST_MS else 2)
    panels = made.subplots(len(rows), 1, sharex=True, height_ratios=highs).tolist()
    raster, overlaps, states = panels[:3]
    _draw_raster(raster, recording, used, highs[0])
    _draw_overlaps(overlaps, recording, used)
    _draw_states(states, recording, used)
    if given:
        _draw_outputs(panels[3], recording, given)
    panels[-1].set(xlabel=_time(machine.clock, running), xlim=(0, recording.until_ms))
    for axes in panels:
        bare(axes)
        _shade(axes, recording)
    _name_inputs(raster, recording, machine.clock, running)
    raster.set_title(f"{plain(machine.name)}: {network.neurons} neurons in Brian2")
    made.align_ylabels(panels)
    below(made, _legend())
    return made


def _time(clock: Clock | None, running: RunSettings) -> str:
    """What is told below the axis of time."""
    if clock is None:
        return "simulated time (ms)"
    takes = running.hold_ms + running.gap_ms if running.tick_ms is None else running.tick_ms
    return f"simulated time (ms)\n{duration_text(clock.seconds, ' ')} of the clock: {takes:g} ms"


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
    for n, code in enumerate(used.tolist()):
        colour, pending = _colour(recording.network, code)
        _draw_bar(axes, n, times, codes == code, color=colour, alpha=0.45 if pending else 1.0)
    if len(used) <= MOST_LABELS:
        axes.set_yticks(range(len(used)), _names(recording.network, used))
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(max(len(used), LEAST_ROWS) - 0.4, -0.6), ylabel="decoded")


def _draw_bar(axes: Any, at: float, times: Times, there: Bits, **style: Any) -> None:
    """A bar at a height, over the time before each of some times."""
    step = times[0] if len(times) else 1.0
    begins = times[there] - step
    axes.barh([at] * len(begins), step, left=begins, height=0.7, **style)


def _given(recording: Recording) -> dict[str, Bits]:
    """Outputs that the network gives, the first one first, and when it does, at the times of
    `Recording.decoded`: those of a transition that it is in, or of the state that it rests in.
    """
    network, codes = recording.network, recording.decoded()[1]
    found: dict[str, Bits] = {}
    for code in dict.fromkeys(codes[codes >= 0].tolist()):
        label = network.labels[code]
        for output in label.outputs if label.pending else network.moore[label.state]:
            found[output] = found.get(output, np.zeros(len(codes), np.bool_)) | (codes == code)
    return found


def _rows(given: Iterable[str]) -> list[int]:
    """Rows that the name of each output takes."""
    return [len(_in_full(output)) for output in given]


def _in_full(name: str) -> list[str]:
    """A name with nothing left out, in lines: broken at blanks and underscores, or anywhere."""
    parts = [part for line in flush(name, MOST_LETTERS) for part in cut(line, MOST_LETTERS)]
    return [line for part in parts for line in textwrap.wrap(part, MOST_LETTERS)]


def _draw_outputs(axes: Any, recording: Recording, given: Mapping[str, Bits]) -> None:
    times, rows = recording.decoded()[0], _rows(given)
    ends = np.cumsum(rows)
    middles = (ends - (np.array(rows) + 1) / 2).tolist()
    for at, there in zip(middles, given.values(), strict=True):
        _draw_bar(axes, at, times, there, color=MUTED)
    names = ["\n".join(plain(line) for line in _in_full(output)) for output in given]
    axes.set_yticks(middles, names)
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(max(int(ends[-1]), LEAST_ROWS) - 0.4, -0.6), ylabel="outputs")


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


def _name_inputs(
    axes: Any, recording: Recording, clock: Clock | None, running: RunSettings
) -> None:
    """Names of inputs; what is waited for a tick begins with the end of the gap before it."""
    inputs, free = [], 0.0
    for each in recording.events:
        if each.symbol >= 0:
            name = recording.network.inputs[each.symbol]
            begin = free if clock is not None and name == clock.symbol else each.onset_ms
            inputs.append((begin, each.end_ms, name))
        free = each.end_ms + running.gap_ms
    name_above(axes, inputs, recording.until_ms, clock)


def _shade(axes: Any, recording: Recording) -> None:
    """Colour where an input is held; grey where the network is reset."""
    for event in recording.events:
        colour = INPUT if event.symbol >= 0 else FAINT
        axes.axvspan(event.onset_ms, event.end_ms, color=colour, linewidth=0, zorder=0)


def _names(network: Network, codes: Indices) -> list[str]:
    names = code_names(network)
    return [names[code] for code in codes.tolist()]
