"""Kinds of pictures by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vsafsm.errors import PlotError, did_you_mean
from vsafsm.plotting.canvas import check_drawable, write
from vsafsm.plotting.margins import draw_margins
from vsafsm.plotting.overlaps import draw_overlaps
from vsafsm.plotting.raster import draw_raster
from vsafsm.plotting.similarity import draw_similarity
from vsafsm.plotting.steps import Steps, run_steps
from vsafsm.plotting.weights import draw_weights
from vsafsm.program import Program

OF_RUNS: Mapping[str, Callable[[str, Steps], Any]] = {
    "overlaps": draw_overlaps,
    "raster": draw_raster,
}
OF_PROGRAMS: Mapping[str, Callable[[Program], Any]] = {
    "weights": draw_weights,
    "similarity": draw_similarity,
    "margins": draw_margins,
}
KINDS = (*OF_RUNS, *OF_PROGRAMS)


def draw(kind: str, program: Program, word: Sequence[str], path: Path) -> None:
    """Draw one kind of picture into a file; a word matters to pictures of runs only.

    Raises
    ------
    PlotError
        If there is no such kind, or it cannot be drawn here.
    UnknownInputError, FileError
        If an input is unknown, or the file cannot be written.
    """
    check_kind(kind)
    check_drawable(path)
    if kind in OF_RUNS:
        write(OF_RUNS[kind](program.machine.name, run_steps(program.network, word)), path)
    else:
        write(OF_PROGRAMS[kind](program), path)


def check_kind(kind: str) -> None:
    """Raise `PlotError` where there is no such kind."""
    if kind not in KINDS:
        raise PlotError(
            f'unknown picture "{kind}"; expected one of:'
            f" {', '.join(KINDS)}{did_you_mean(kind, KINDS)}"
        )
