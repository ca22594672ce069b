"""Paper and pen: figures without a window, files that are the same for the same content."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsafsm.errors import PlotError
from vsafsm.files import write_atomically
from vsafsm.network import Network
from vsafsm.statecharts.columns import short_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".pdf", ".svg")
COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#332288", "#882255"),
    *("#117733", "#999933", "#aa4499", "#44aa99", "#661100", "#6699cc", "#ddcc77", "#444444"),
    *("#004488", "#bb5566", "#5d8700", "#997700"),
)
"""Those of Okabe and Ito, then of Tol: neighbours differ for the colour-blind as well."""
NOTEBOOK_DPI = 96
MOST_NAMES = 40
"""Names along an axis; beyond that only their order is shown."""


def check_drawable(path: Path) -> None:
    """Raise `PlotError` unless a picture of this name can be drawn here."""
    if path.suffix not in SUFFIXES:
        raise PlotError(f'cannot draw "{path}"; expected a name that ends in {", ".join(SUFFIXES)}')
    check_matplotlib()


def check_matplotlib() -> None:
    """Raise `PlotError` where Matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise PlotError("Matplotlib is not installed; expected: pip install 'vsafsm[plot]'")


def figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class Shown(Figure):
        """A figure that notebooks show, whether or not ``pyplot`` is in use there."""

        def _repr_png_(self) -> bytes:
            buffer = io.BytesIO()
            self.savefig(buffer, format="png", dpi=NOTEBOOK_DPI)
            return buffer.getvalue()

    made = Shown(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def write(made: Figure, path: Path) -> None:
    """Write a figure, whole or not at all: the same bytes for the same figure. Raises
    `FileError`.
    """
    from matplotlib import rc_context

    dated = {".png": "Software", ".pdf": "CreationDate", ".svg": "Date"}[path.suffix]
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "vsafsm"}):
        made.savefig(buffer, format=path.suffix[1:], dpi=150, metadata={dated: None})
    write_atomically(path, buffer.getvalue())


def plain(name: str, most: int = 28) -> str:
    """A name as Matplotlib shows it: shortened, and no mathematics."""
    return (name if len(name) <= most else name[: most - 1] + "…").replace("$", r"\$")


def code_names(network: Network) -> list[str]:
    """What codes are called in a picture."""
    short = short_names(network.states)
    names = []
    for code, label in enumerate(network.labels):
        state = network.states[label.state]
        names.append(plain(network.code_name(code).replace(state, short[state], 1)))
    return names


def bare(axes: Any) -> None:
    """Without the upper and the right edge."""
    axes.spines[["top", "right"]].set_visible(False)


def name_ticks(axes: Any, which: str, names: list[str]) -> None:
    """Names along an axis, where there are not too many."""
    if len(names) > MOST_NAMES:
        return
    set_ticks = axes.set_xticks if which == "x" else axes.set_yticks
    turned = {"rotation": 90} if which == "x" and max(map(len, names)) > 4 else {}
    set_ticks(range(len(names)), [plain(name) for name in names], fontsize=7, **turned)
