"""How wide a graph is printed: one column, two, or more where its text would be too small."""

from __future__ import annotations

from typing import NamedTuple

from vsafsm.plotting.style import LEAST_TEXT, MILLIMETRES, PAPER, Columns

POINTS = 72 / MILLIMETRES
"""Per mm."""


class Printed(NamedTuple):
    """A graph on paper.

    Attributes
    ----------
    width
        Of the picture: mm.
    scale
        Points that a unit of the graph takes.
    """

    width: float
    scale: float

    @property
    def columns(self) -> Columns | None:
        """Columns that hold the picture; None where it is wider than two."""
        if self.width <= PAPER.page:
            return 1 if self.width <= PAPER.column else 2
        return None

    def __str__(self) -> str:
        told = {1: "one column", 2: "two columns", None: "more than two columns"}
        return f"{self.width:.0f} mm wide ({told[self.columns]})"


def printed(width: float, font: float) -> Printed:
    """How a graph is printed that is so many units wide, and whose smallest text is `font` units
    high: one column wide or wider, with text of 6 to 7 points.
    """
    wanted, least = PAPER.text / font, LEAST_TEXT / font
    for column in (PAPER.column, PAPER.page):
        fits = column * POINTS / width
        if fits >= least:
            scale = min(wanted, fits)
            return Printed(max(PAPER.column, width * scale / POINTS), scale)
    return Printed(width * least / POINTS, least)
