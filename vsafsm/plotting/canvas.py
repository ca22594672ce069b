"""Paper and pen: figures without a window, files that are the same for the same content."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsafsm.errors import PlotError
from vsafsm.files import write_atomically
from vsafsm.network import Network
from vsafsm.overwriting import check_output
from vsafsm.plotting.style import Columns, Theme
from vsafsm.signatures import begins_as_named
from vsafsm.statecharts.columns import short_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vsafsm.plotting.picture import Picture

SUFFIXES = (".png", ".pdf", ".svg")


def check_drawable(path: Path) -> None:
    """Raise `PlotError` unless a picture of this name can be drawn here."""
    if path.suffix not in SUFFIXES:
        raise PlotError(f'cannot draw "{path}"; expected a name that ends in {", ".join(SUFFIXES)}')
    check_matplotlib()


def check_matplotlib() -> None:
    """Raise `PlotError` where Matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise PlotError("Matplotlib is not installed; expected: pip install 'vsafsm[plot]'")


def check_picture(
    output: str,
    what: str = "a picture",
    suffixes: Sequence[str] = SUFFIXES,
    *,
    sources: Sequence[str | None] = (),
    force: bool | None = None,
) -> None:
    """Refuse to write a picture where something else is, as `vsafsm.overwriting.check_output`."""
    check_output(output, what, suffixes, begins_as_named, sources=sources, force=force)


@contextmanager
def drawing(theme: Theme) -> Iterator[None]:
    """Within it, Matplotlib draws as a theme says."""
    from matplotlib import style

    with style.context(dict(theme.rc), after_reset=True):
        yield


def figure(theme: Theme, height: float, columns: Columns = 1) -> Picture:
    """An empty figure of one or two columns, so many inches high."""
    from vsafsm.plotting.picture import Picture

    return Picture(theme, theme.width(columns), height)


def write(made: Figure, path: Path) -> None:
    """Write a figure, whole or not at all: the same bytes for the same figure. Raises
    `FileError`.
    """
    dated = {".png": "Software", ".pdf": "CreationDate", ".svg": "Date"}[path.suffix]
    buffer = io.BytesIO()
    made.savefig(buffer, format=path.suffix[1:], metadata={dated: None})
    write_atomically(path, buffer.getvalue())


def plain(name: str, most: int = 28) -> str:
    """A name as Matplotlib shows it: shortened in the middle, since names differ at their ends, and
    no mathematics.
    """
    if len(name) > most:
        first = (most - 1) // 3
        name = f"{name[:first]}…{name[first + 1 - most :]}"
    return name.replace("$", r"\$")


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


def in_full(axis: Any) -> None:
    """Numbers of a logarithmic axis without exponents, which would be small."""
    axis.set_major_formatter("{x:,g}")


def below(made: Picture, handles: Sequence[Any], per_row: int = 2) -> None:
    """A legend below all panels."""
    if handles:
        made.legend(handles=handles, loc="outside lower center", ncols=min(per_row, len(handles)))


def name_ticks(axes: Any, which: str, names: Sequence[str], room: float) -> None:
    """Names along an axis that is `room` inches long, where they find room on it."""
    made: Picture = axes.figure
    if made.theme.lines(0.85 * len(names)) > room:
        return
    set_ticks = axes.set_xticks if which == "x" else axes.set_yticks
    wide = made.theme.letters(max(map(len, names)) + 1) * len(names) > room
    turned = {"rotation": 90} if which == "x" and wide else {}
    set_ticks(range(len(names)), [plain(name) for name in names], **turned)
