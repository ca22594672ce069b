"""How pictures look, in one place: fonts, sizes, colours and widths of lines, for paper and for
screens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from vsafsm.errors import PlotError, did_you_mean

Columns = Literal[1, 2]
"""Of a printed page that a picture takes."""
COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#332288", "#882255"),
    *("#117733", "#999933", "#aa4499", "#44aa99", "#661100", "#6699cc", "#ddcc77", "#444444"),
    *("#997700", "#004488", "#5d8700", "#bb5566"),
)
"""Those of Okabe and Ito, then of Tol: neighbours differ for the colour-blind as well."""
MARKERS = "os^Dv<>Xhp"
SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"
"""Colour maps: of amounts, and of what has a sign."""
INK, MUTED, FAINT = "#1a1a1a", "#555555", "#bfbfbf"
"""Of texts and lines: what is told, what stands beside it, and what is behind both."""
INPUT, INPUT_TEXT = "#fbe9c9", "#7a4f00"
"""Behind the steps of an input, and of its name."""
STATE, STATE_RIM, LIT, PENDING, ALERT = "#eef1fb", "#3b4cc0", "#ffe2a8", "#fdf6e3", "#d55e00"
"""In graphs: of states, their rims, of one that is lit up and of transitions under way; of what a
reader is to look at.
"""
MILLIMETRES = 25.4
"""Per inch."""
LEAST_TEXT = 6.0
"""Points of the smallest text on paper."""
LETTER = 0.62
"""Mean width of a letter, as a share of the size of the font."""


@dataclass(frozen=True)
class Theme:
    """Sizes of a picture.

    Attributes
    ----------
    column, page
        Width of a picture of one column, and of two: mm.
    text, small
        Size of titles and names of axes, and of all other texts: points.
    line, thin, marker
        Width of lines, of frames and grids, and of marks: points.
    resolution
        Pixels per inch of a PNG.
    outlines
        Whether letters in an SVG are outlines, not text.
    """

    name: str
    column: float
    page: float
    text: float
    small: float
    line: float
    thin: float
    marker: float
    resolution: int
    outlines: bool

    def width(self, columns: Columns = 1) -> float:
        """Inches of a picture of one or two columns."""
        return (self.column if columns == 1 else self.page) / MILLIMETRES

    def lines(self, count: float) -> float:
        """Inches that so many lines of small text take, one below the other."""
        return count * 1.3 * self.small / 72

    def letters(self, count: float) -> float:
        """Inches that so many letters of small text take, on average."""
        return count * LETTER * self.small / 72

    @property
    def rc(self) -> Mapping[str, Any]:
        """Settings of Matplotlib."""
        from cycler import cycler

        return {
            "font.family": "DejaVu Sans",
            "font.size": self.small,
            "axes.titlesize": self.text,
            "axes.labelsize": self.text,
            "figure.titlesize": self.text,
            "legend.title_fontsize": self.small,
            "axes.titlelocation": "left",
            "axes.titlepad": 0.6 * self.text,
            "axes.labelpad": 0.3 * self.text,
            "text.color": INK,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.prop_cycle": cycler(color=COLOURS),
            "image.cmap": SEQUENTIAL,
            "image.interpolation": "nearest",
            "lines.linewidth": self.line,
            "lines.markersize": self.marker,
            "errorbar.capsize": 0.5 * self.marker,
            "hatch.linewidth": self.line,
            "patch.linewidth": self.thin,
            "axes.linewidth": self.thin,
            "grid.linewidth": self.thin,
            "grid.color": FAINT,
            "axes.axisbelow": True,
            **{f"{axis}tick.major.width": self.thin for axis in "xy"},
            **{f"{axis}tick.minor.width": 0.7 * self.thin for axis in "xy"},
            **{f"{axis}tick.major.size": 0.35 * self.text for axis in "xy"},
            **{f"{axis}tick.minor.size": 0.2 * self.text for axis in "xy"},
            **{f"{axis}tick.major.pad": 0.3 * self.text for axis in "xy"},
            "legend.frameon": False,
            "legend.handlelength": 1.8,
            "legend.columnspacing": 1.2,
            "legend.labelspacing": 0.3,
            "figure.constrained_layout.h_pad": 0.25 * self.text / 72,
            "figure.constrained_layout.w_pad": 0.25 * self.text / 72,
            "savefig.dpi": self.resolution,
            "savefig.facecolor": "white",
            "pdf.fonttype": 42,
            "ps.fonttype": 42,
            "svg.fonttype": "path" if self.outlines else "none",
            "svg.hashsalt": "vsafsm",
        }


PAPER = Theme("paper", 85, 178, 7, 6, 0.9, 0.5, 2.6, 300, outlines=False)
"""To be printed as it is: white, one column of 85 mm, and text of 6 points or more that stays text
in vector files.
"""
SCREEN = Theme("screen", 180, 340, 11, 9, 1.6, 0.8, 4.5, 150, outlines=True)
"""To be looked at: larger."""
THEMES: Mapping[str, Theme] = MappingProxyType({each.name: each for each in (PAPER, SCREEN)})


def theme_of(name: str) -> Theme:
    """The theme of a name. Raises `PlotError`."""
    if name not in THEMES:
        raise PlotError(
            f'unknown theme "{name}"; expected one of: {", ".join(THEMES)}'
            f"{did_you_mean(name, THEMES)}"
        )
    return THEMES[name]
