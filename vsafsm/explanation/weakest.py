"""Transitions in the order of their margins."""

from __future__ import annotations

from collections.abc import Callable

from vsafsm.errors import NotProvenError
from vsafsm.explanation.shortfalls import shortfalls
from vsafsm.margins import Margins, TransitionMargin, margins
from vsafsm.program import Program


def margins_of(
    program: Program,
    sigma: float = 0.0,
    progress: Callable[[int], None] = lambda points: None,
) -> Margins:
    """Margins of a program's transitions: the proof's, or shortfalls where it is not proven.

    Parameters
    ----------
    program
    sigma
        Standard deviation of Gaussian noise on every weight, in LSBs, for the failure bounds.
    progress
        Called with the number of fixed points walked so far.
    """
    try:
        return margins(program.machine, program.network, sigma, progress)
    except NotProvenError:
        return shortfalls(program, sigma)


def weakest(found: Margins) -> list[TransitionMargin]:
    """All transitions, the weakest first; of equal margins those that noise reaches first."""
    return sorted(
        found.transitions,
        key=lambda each: (round(each.minimum.margin, 6), -each.failure_bound),
    )
