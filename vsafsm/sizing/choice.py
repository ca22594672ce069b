"""Which search finds a size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vsafsm.acceptance import Acceptance
from vsafsm.codebook import MAKERS, CodebookMaker, guarded
from vsafsm.errors import CodebookError
from vsafsm.lowering import Lowered
from vsafsm.machine import Machine
from vsafsm.options import MOST_NEURONS, Options
from vsafsm.requirements import Requirements
from vsafsm.sizing.accepted import accepted, none_fits
from vsafsm.sizing.search import Progress, Search, Sized
from vsafsm.sizing.tolerant import slow_timings, tolerant
from vsafsm.sizing.trials import Trials
from vsafsm.sizing.usual import at_dimension, auto
from vsafsm.tolerance import CONFIDENCE, FEW_DRAWS, MOST_DRAWS, Journal, Tolerance

JOURNAL = "draws.json"


def size(
    machine: Machine,
    lowered: Lowered,
    options: Options,
    requirements: Requirements,
    maker: CodebookMaker | None = None,
    progress: Progress = lambda what, share: None,
    wanted: Sequence[Tolerance] = (),
    confidence: float = CONFIDENCE,
    resume: Path | None = None,
    acceptance: Acceptance | None = None,
) -> Sized:
    """Find a network that is proven to run the machine, meets the requirements, and tolerates some
    noises.

    Where none does, the best attempt is returned with its verdict, and why the search gave up.

    Parameters
    ----------
    wanted, confidence
        What is to be tolerated, and in which share of draws.
    resume
        A folder that keeps draws that are done.
    acceptance
        What the target tries on networks, if anything.

    Raises
    ------
    CodebookError
        If no codes could be drawn at all.
    RobustnessError
        If draws would take more than a day.
    """
    search = Search(
        *(machine, lowered, options, requirements, maker or _maker(lowered, options), progress),
        slow=slow_timings(wanted),
    )
    few = FEW_DRAWS if options.dimension == "auto" else MOST_DRAWS
    journal = Journal(resume and resume / JOURNAL)
    trials = Trials(tuple(wanted), confidence, journal, options.seed, few)
    if acceptance is not None and acceptance.share is not None:
        return accepted(search, acceptance, trials)
    if wanted:
        return tolerant(search, trials)
    if options.dimension != "auto":
        return at_dimension(search)
    # The smallest size is probed with a small margin and without the target's aims, so that it is a
    # property of the machine alone.
    smallest = search.smallest(search.ceiling)
    if smallest is None and acceptance is not None and search.ceiling < MOST_NEURONS:
        return none_fits(search, search.ceiling, acceptance)
    return auto(search, smallest)


def _maker(lowered: Lowered, options: Options) -> CodebookMaker:
    if not lowered.guarded:
        return MAKERS[options.code]
    if options.code != "sparse":
        raise CodebookError(
            f"{options.code} codes have no neurons that only one state's guards decide on; expected"
            " code sparse"
        )
    return guarded
