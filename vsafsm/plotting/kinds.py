"""Kinds of pictures by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from vsafsm.argument_checks import check_program, checked_word
from vsafsm.errors import PlotError, did_you_mean
from vsafsm.plotting.canvas import check_matplotlib, drawing
from vsafsm.plotting.margins import draw_margins
from vsafsm.plotting.overlaps import draw_overlaps
from vsafsm.plotting.raster import draw_raster
from vsafsm.plotting.similarity import draw_similarity
from vsafsm.plotting.steps import Steps, run_steps
from vsafsm.plotting.style import SCREEN, Theme, theme_of
from vsafsm.plotting.terms import draw_terms
from vsafsm.plotting.walk import draw_walk
from vsafsm.plotting.weights import draw_weights
from vsafsm.program import Program

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OF_RUNS: Mapping[str, Callable[[str, Steps, Theme], Figure]] = {
    "overlaps": draw_overlaps,
    "raster": draw_raster,
}
OF_PROGRAMS: Mapping[str, Callable[[Program, Theme], Figure]] = {
    "weights": draw_weights,
    "similarity": draw_similarity,
    "margins": draw_margins,
    "terms": draw_terms,
    "walk": draw_walk,
}
KINDS = (*OF_RUNS, *OF_PROGRAMS)


def plot(
    program: Program,
    word: Iterable[str] = (),
    *,
    what: str = "overlaps",
    theme: str = SCREEN.name,
) -> Figure:
    """A picture of a run, or of the program itself (``vsafsm.plot``).

    Parameters
    ----------
    program
    word
        Inputs of the run, from the reset; matters to ``"overlaps"`` and ``"raster"`` only.
    what
        ``"overlaps"``, ``"raster"``, ``"weights"``, ``"similarity"``, ``"margins"``, ``"terms"``
        or ``"walk"``.
    theme
        ``"screen"``, or ``"paper"``: to be printed one column (85 mm) wide, or two (178 mm).

    Returns
    -------
    matplotlib.figure.Figure
        Shown by a notebook; ``savefig`` writes it.

    Raises
    ------
    ArgumentError
        If `program` or `word` is none.
    PlotError
        If there is no such kind or theme, or Matplotlib is not installed.
    UnknownInputError
        If an input is not in the machine's alphabet.

    Examples
    --------
    >>> import vsafsm
    >>> program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"))
    >>> vsafsm.plot(program, ["coin", "push"], what="raster").savefig("raster.png")
    >>> vsafsm.plot(program, what="margins", theme="paper").savefig("margins.pdf")
    """
    check_program(program, "vsafsm.plot")
    symbols = checked_word(word, "vsafsm.plot")
    check_kind(what)
    check_matplotlib()
    chosen = theme_of(theme)
    with drawing(chosen):
        if what in OF_RUNS:
            steps = run_steps(program.network, symbols, program.machine.clock)
            return OF_RUNS[what](program.machine.name, steps, chosen)
        return OF_PROGRAMS[what](program, chosen)


def check_kind(kind: str) -> None:
    """Raise `PlotError` where there is no such kind."""
    if kind not in KINDS:
        raise PlotError(
            f'unknown picture "{kind}"; expected one of:'
            f" {', '.join(KINDS)}{did_you_mean(kind, KINDS)}"
        )
