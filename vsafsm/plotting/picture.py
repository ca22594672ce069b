"""A figure of Matplotlib that is saved with its theme, whatever is set elsewhere."""

from __future__ import annotations

import io
from typing import Any

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vsafsm.plotting.style import Theme

NOTEBOOK = 0.64
"""Pixels per inch in a notebook, as a share of those of a file."""


class Picture(Figure):
    """A figure that needs no window, and that notebooks show whether or not ``pyplot`` is in use
    there.
    """

    def __init__(self, theme: Theme, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), layout="constrained", facecolor="white")
        FigureCanvasAgg(self)
        self.theme = theme

    def savefig(self, fname: Any, **options: Any) -> None:
        """Write the figure, as `matplotlib.figure.Figure.savefig` does."""
        with style.context(dict(self.theme.rc), after_reset=True):
            super().savefig(fname, **options)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=NOTEBOOK * self.theme.resolution)
        return buffer.getvalue()
