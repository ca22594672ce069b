"""A table as curves: the share of correct draws with its intervals, and what the proof predicts
beside it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vsafsm.errors import SweepError
from vsafsm.files import write_atomically
from vsafsm.noise import MODELS, parse_noise, split_noise
from vsafsm.plotting.canvas import COLOURS, SUFFIXES
from vsafsm.sweeps.rows import Row, varied
from vsafsm.sweeps.table import Table

VARIED = (
    "backend",
    "options",
    "neurons",
    "bits",
    "active",
    "rule",
    "code",
    "inhibition",
    "trigger",
    "seed",
)


def check_drawable(path: Path) -> None:
    """Raise `SweepError` unless a picture of this name can be drawn here."""
    if path.suffix not in SUFFIXES:
        raise SweepError(
            f'"{path}" does not say what to draw; expected a name that ends in'
            f" {', '.join(SUFFIXES)}"
        )
    if find_spec("matplotlib") is None:
        raise SweepError(
            "matplotlib, which pictures need, is not installed; expected: pip install"
            " 'vsafsm[plot]'"
        )


def draw(table: Table, path: Path) -> None:
    """A panel for each kind of noise whose amount varies, a line for each program; over sizes where
    no amount does. Noise grows to the right.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = table.rows
    kinds = list(dict.fromkeys(kind_of(row) for row in rows))
    over_sizes = len({row.amount for row in rows}) == 1 and len({row.neurons for row in rows}) > 1
    figure = Figure(figsize=(1.2 + 4.8 * len(kinds), 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for axes, kind in zip(panels, kinds, strict=True):
        panel(axes, [row for row in rows if kind_of(row) == kind], kind, over_sizes)
    panels[0].set_ylabel("share of draws with every pair correct")
    handles, labels = panels[0].get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: "bound" in labels[i] or "law" in labels[i])
    panels[0].legend([handles[i] for i in order], [labels[i] for i in order], fontsize=8)
    figure.suptitle(rows[0].machine)
    buffer = io.BytesIO()
    dated = {".png": "Software", ".pdf": "CreationDate", ".svg": "Date"}[path.suffix]
    with rc_context({"svg.hashsalt": "vsafsm"}):
        figure.savefig(buffer, format=path.suffix[1:], dpi=140, metadata={dated: None})
    write_atomically(path, buffer.getvalue())


def kind_of(row: Row) -> str:
    """A noise without the amount of its first model."""
    return parse_noise(row.noise).kind


def panel(axes: Any, rows: Sequence[Row], kind: str, over_sizes: bool) -> None:
    """Draw the rows of one kind of noise into axes of Matplotlib."""
    names = varied(rows, [name for name in VARIED if not (over_sizes and name == "neurons")])
    lines = list(dict.fromkeys(tuple(getattr(row, name) for name in names) for row in rows))
    for i, key in enumerate(lines):
        chosen = [row for row in rows if tuple(getattr(row, name) for name in names) == key]
        label = (
            ", ".join(f"{_SHORT.get(n, n)}={v}" for n, v in zip(names, key, strict=True))
            or "measured"
        )
        _line(axes, chosen, over_sizes, COLOURS[i % len(COLOURS)], label)
    axes.set(xlabel="neurons N" if over_sizes else label_of(kind), ylim=(-0.03, 1.03))
    if not over_sizes and grows_backwards(kind):
        axes.invert_xaxis()
    axes.set_title(rows[0].noise if over_sizes else kind, fontsize=10)
    if over_sizes:
        axes.set_xscale("log", base=2)
        sizes = sorted({row.neurons for row in rows})
        axes.set_xticks(sizes, [str(n) for n in sizes])
        axes.axvline(
            rows[0].predicted_neurons,
            color="#888888",
            linestyle=":",
            label="smallest N by the capacity law",
        )
    axes.grid(alpha=0.3)


_SHORT = {"neurons": "N", "active": "k"}
LABELS = {
    "additive": "standard deviation, in those of the weights",
    "additive,unit=lsb": "standard deviation, in LSBs",
    "lognormal": "standard deviation of the logarithm",
    "missing": "share of synapses missing",
    "stuck": "share of synapses stuck",
    "flips": "share of synapses with the wrong sign",
    "jitter": "largest change, in standard deviations of the weights",
    "quantised": "bits",
    "timing:async": "share of neurons updated per step",
    "timing:masks": "steps over which masks arrive",
    "timing:delays": "longest delay (steps)",
}


def label_of(kind: str) -> str:
    """What the axis of a kind of noise shows: the amount of its first model."""
    return LABELS.get(kind) or LABELS.get(_first(kind), f"{kind}: amount")


def grows_backwards(kind: str) -> bool:
    """Whether a smaller amount of this kind disturbs more."""
    model = MODELS.get(_first(kind).partition(",")[0])
    return model is not None and bool(model.less_is_more)


def _first(kind: str) -> str:
    return split_noise(kind)[0]


def _line(axes: Any, rows: Sequence[Row], over_sizes: bool, colour: str, label: str) -> None:
    x = [row.neurons if over_sizes else row.amount for row in rows]
    below = [row.correct_share - row.correct_low for row in rows]
    above = [row.correct_high - row.correct_share for row in rows]
    shares = [row.correct_share for row in rows]
    axes.errorbar(
        x, shares, (below, above), marker="o", markersize=3.5, capsize=2, color=colour, label=label
    )
    bounded = [
        (at, 1 - row.failure_bound)
        for at, row in zip(x, rows, strict=True)
        if row.failure_bound is not None
    ]
    if bounded:
        axes.plot(
            *zip(*bounded, strict=True),
            color=colour,
            linestyle="--",
            linewidth=1,
            label=f"{label}: proven bound",
        )
