"""A picture of a word: raster sorted by state, overlaps, inputs and decoded states over time, to be
read in print.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from vsafsm.errors import BackendError, FileError
from vsafsm.files import write_atomically
from vsafsm.network import Network
from vsafsm_brian2.reading import Indices, Recording

MOST_LABELS = 24
"""Codes named along an axis; beyond that only their order is shown."""
FORMATS = ("png", "pdf", "svg")


def draw(recording: Recording, name: str, path: Path) -> None:
    """Draw a recording into `path`; the suffix says the format.

    Raises
    ------
    BackendError
        If Matplotlib is not installed.
    FileError
        If the suffix is none of those known, or the file cannot be written.
    """
    kind = check_drawable(path)
    from io import BytesIO

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    used = _codes_used(recording)
    width = float(np.clip(2.5 + recording.until_ms / 220, 7.0, 16.0))
    figure = Figure(figsize=(width, 5.6 + 0.16 * min(len(used), MOST_LABELS)), layout="constrained")
    FigureCanvasAgg(figure)
    ratios = [
        2.6,
        0.35 + 0.09 * recording.network.no_mask,
        1.3,
        0.5 + 0.11 * min(len(used), MOST_LABELS),
    ]
    raster, inputs, overlaps, states = figure.subplots(4, 1, sharex=True, height_ratios=ratios)
    _draw_raster(raster, recording, used)
    _draw_inputs(inputs, recording)
    _draw_overlaps(overlaps, recording, used)
    _draw_states(states, recording, used)
    raster.set_title(
        f"{_plain(name)}: {recording.network.neurons} cells, {len(recording.network.states)}"
        " states",
        loc="left",
    )
    states.set_xlabel("time (ms)")
    states.set_xlim(0, recording.until_ms)
    for axes in (raster, inputs, overlaps, states):
        axes.spines[["top", "right"]].set_visible(False)
        _shade(axes, recording)
    buffer = BytesIO()
    stamp: dict[str, Any] = {
        "png": {"Software": None},
        "pdf": {"CreationDate": None},
        "svg": {"Date": None},
    }[kind]
    figure.savefig(buffer, format=kind, dpi=160, metadata=stamp)
    write_atomically(os.fspath(path), buffer.getvalue())


def check_drawable(path: Path) -> str:
    """The format that a file name asks for: checked before anything runs. Raises what `draw`
    does.
    """
    kind = path.suffix.removeprefix(".").lower()
    if kind not in FORMATS:
        raise FileError(
            f'cannot draw "{path}": expected a name that ends in .{", .".join(FORMATS)}'
        )
    if find_spec("matplotlib") is None:
        raise BackendError("Matplotlib is not installed; expected: pip install 'vsafsm[plot]'")
    return kind


def _codes_used(recording: Recording) -> Indices:
    """Codes that the activity stands for at some time: the states in order, then pending
    transitions.
    """
    codes = recording.decoded()[1]
    return np.asarray(np.unique(codes[codes >= 0]))


def _draw_raster(axes: Any, recording: Recording, used: Indices) -> None:
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
        color="black",
        markersize=1.6,
        markeredgewidth=0.5,
    )
    edges = np.searchsorted(first, np.arange(len(used) + 1))
    for edge in edges[1:]:
        axes.axhline(edge - 0.5, color="0.75", linewidth=0.5, zorder=0)
    bands = [*edges.tolist(), len(first)]
    names = [*_names(network, used), "others"]
    labelled = [n for n in range(len(names)) if bands[n + 1] - bands[n] > len(first) / 40]
    axes.set_yticks(
        [(bands[n] + bands[n + 1]) / 2 for n in labelled], [names[n] for n in labelled], fontsize=7
    )
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(first), -1)
    axes.set_ylabel("cells, by state")


def _draw_inputs(axes: Any, recording: Recording) -> None:
    names = ["rest", *recording.network.inputs, "reset"]
    edges = sorted(
        {0.0, recording.until_ms, *(t for e in recording.events for t in (e.onset_ms, e.end_ms))}
    )
    lines = [(0, begin, end) for begin, end in pairwise(edges) if recording.mask_at(begin) == 0]
    lines += [
        (e.symbol + 1 if e.symbol >= 0 else len(names) - 1, e.onset_ms, e.end_ms)
        for e in recording.events
    ]
    for line, begin, end in lines:
        axes.barh(
            line, end - begin, left=begin, height=0.7, color="0.6" if line == 0 else "tab:orange"
        )
    axes.set_yticks(range(len(names)), map(_plain, names), fontsize=7)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_ylabel("lines on")


def _draw_overlaps(axes: Any, recording: Recording, used: Indices) -> None:
    import matplotlib

    times, found = recording.overlaps()
    colours = matplotlib.colormaps["tab20"]
    for n, code in enumerate(used.tolist()):
        pending = recording.network.labels[code].pending
        axes.plot(
            times,
            found[:, code],
            color=colours(n % 20),
            linewidth=0.9,
            linestyle=":" if pending else "-",
        )
    axes.set_ylim(-0.4, 1.05)
    axes.set_ylabel("overlap")


def _draw_states(axes: Any, recording: Recording, used: Indices) -> None:
    import matplotlib

    times, codes = recording.decoded()
    colours = matplotlib.colormaps["tab20"]
    step = times[0] if len(times) else 1.0
    for n, code in enumerate(used.tolist()):
        pending = recording.network.labels[code].pending
        at = times[codes == code]
        axes.barh(
            [n] * len(at),
            step,
            left=at - step,
            height=0.7,
            color=colours(n % 20),
            alpha=0.45 if pending else 1.0,
        )
    if len(used) <= MOST_LABELS:
        axes.set_yticks(range(len(used)), _names(recording.network, used), fontsize=7)
    axes.set_ylim(len(used) - 0.4, -0.6)
    axes.set_ylabel("decoded")


def _shade(axes: Any, recording: Recording) -> None:
    for event in recording.events:
        if event.symbol >= 0:
            axes.axvspan(
                event.onset_ms, event.end_ms, color="tab:orange", alpha=0.12, linewidth=0, zorder=0
            )


def _names(network: Network, codes: Indices) -> list[str]:
    names = network.code_names
    return [_plain(names[code][:28]) for code in codes.tolist()]


def _plain(name: str) -> str:
    """A name that Matplotlib does not take for mathematics."""
    return name.replace("$", r"\$")
