"""A table as curves: the share of correct draws with its intervals, and what the proof predicts
beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsafsm.noise import MODELS, parse_noise, split_noise
from vsafsm.plotting.canvas import bare, check_drawable, drawing, figure, plain, write
from vsafsm.plotting.style import COLOURS, MARKERS, MUTED, SCREEN, Theme
from vsafsm.sweeps.rows import Row, varied
from vsafsm.sweeps.table import Table

if TYPE_CHECKING:
    from vsafsm.plotting.picture import Picture

ACROSS = 3
"""Panels side by side, at most."""
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


def draw(table: Table, path: Path, theme: Theme = SCREEN) -> None:
    """A panel for each kind of noise whose amount varies, a line for each program; over sizes where
    no amount does. Noise grows to the right.

    Raises
    ------
    PlotError
        If Matplotlib is not installed, or the name does not say what to draw.
    FileError
        If the file cannot be written.
    """
    check_drawable(path)
    with drawing(theme):
        write(_drawn(table, theme), path)


def _drawn(table: Table, theme: Theme) -> Picture:
    rows = table.rows
    kinds = list(dict.fromkeys(kind_of(row) for row in rows))
    over_sizes = len({row.amount for row in rows}) == 1 and len({row.neurons for row in rows}) > 1
    lines = max(
        len(_lines_of([r for r in rows if kind_of(r) == kind], over_sizes)) for kind in kinds
    )
    across = min(len(kinds), ACROSS)
    down = -(-len(kinds) // across)
    high = down * theme.lines(18) + theme.lines(lines + 5)
    made = figure(theme, high, 1 if across == 1 else 2)
    panels = made.subplots(down, across, sharey=True, squeeze=False).ravel()
    for number, axes in enumerate(panels):
        axes.set_visible(number < len(kinds))
        if number % across == 0:
            axes.set_ylabel("share of draws with\nevery pair correct")
    for axes, kind in zip(panels, kinds, strict=False):
        panel(axes, [row for row in rows if kind_of(row) == kind], kind, over_sizes)
        axes.set_title(rows[0].noise if over_sizes else kind)
    _add_legend(made, panels[: len(kinds)], theme)
    made.suptitle(plain(rows[0].machine))
    return made


def _add_legend(made: Picture, panels: Any, theme: Theme) -> None:
    """Below: what was measured, then what was predicted; side by side where both find room."""
    handles: dict[str, Any] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    labels = sorted(handles, key=lambda label: "bound" in label or "law" in label)
    fits = theme.letters(2 * max(map(len, labels)) + 12) < made.get_figwidth()
    made.legend(
        [handles[label] for label in labels],
        labels,
        loc="outside lower center",
        ncols=2 if fits and len(labels) > 1 else 1,
    )


def kind_of(row: Row) -> str:
    """A noise without the amount of its first model."""
    return parse_noise(row.noise).kind


def panel(axes: Any, rows: Sequence[Row], kind: str, over_sizes: bool) -> None:
    """Draw the rows of one kind of noise into axes of Matplotlib."""
    for i, (label, chosen) in enumerate(_lines_of(rows, over_sizes).items()):
        _line(axes, chosen, over_sizes, i, label)
    axes.set(xlabel="neurons N" if over_sizes else label_of(kind), ylim=(-0.03, 1.03))
    if not over_sizes and grows_backwards(kind):
        axes.invert_xaxis()
    if over_sizes:
        axes.set_xscale("log", base=2)
        sizes = sorted({row.neurons for row in rows})
        axes.set_xticks(sizes, [str(n) for n in sizes])
        axes.axvline(
            rows[0].predicted_neurons,
            color=MUTED,
            linestyle=":",
            label="smallest N by the capacity law",
        )
    axes.grid()
    bare(axes)


def _lines_of(rows: Sequence[Row], over_sizes: bool) -> dict[str, list[Row]]:
    """Rows of one kind of noise by what is told of their line."""
    names = varied(rows, [name for name in VARIED if not (over_sizes and name == "neurons")])
    lines: dict[str, list[Row]] = {}
    for row in rows:
        told = ", ".join(f"{_SHORT.get(name, name)}={getattr(row, name)}" for name in names)
        lines.setdefault(told or "measured", []).append(row)
    return lines


_SHORT = {"neurons": "N", "active": "k"}
LABELS = {
    "additive": "noise (standard deviations of the weights)",
    "additive,unit=lsb": "noise (LSB)",
    "lognormal": "spread (standard deviation of the logarithm)",
    "missing": "share of synapses missing",
    "stuck": "share of synapses stuck",
    "flips": "share of synapses with the wrong sign",
    "jitter": "largest change (standard deviations of the weights)",
    "quantised": "width of a weight (bits)",
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


def _line(axes: Any, rows: Sequence[Row], over_sizes: bool, number: int, label: str) -> None:
    colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
    x = [row.neurons if over_sizes else row.amount for row in rows]
    under = [row.correct_share - row.correct_low for row in rows]
    over = [row.correct_high - row.correct_share for row in rows]
    shares = [row.correct_share for row in rows]
    axes.errorbar(x, shares, (under, over), marker=marker, color=colour, label=label)
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
            label=f"{label}: proven bound",
        )
