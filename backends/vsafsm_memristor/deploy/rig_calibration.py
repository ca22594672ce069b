"""Trim and chip in the loop on an array that a rig holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from vsafsm.program import Program
from vsafsm_memristor.crossbar.array import with_slack
from vsafsm_memristor.crossbar.correction import Cells, Correction, correct
from vsafsm_memristor.crossbar.situations import Effort, short_of
from vsafsm_memristor.crossbar.trimming import TrimmedCrossbar, trim
from vsafsm_memristor.deploy.maps import SIEMENS_PER_US, RigMaps
from vsafsm_memristor.deploy.rig_array import (
    Readable,
    RigCrossbar,
    Writable,
    array_of,
    bad_cells,
)
from vsafsm_memristor.errors import MappingError
from vsafsm_memristor.rig.protocol import Identity, ProgramReply


def check_correctable(maps: RigMaps) -> None:
    """Raise `MappingError` for maps whose cells cannot be corrected one by one."""
    if maps.layout.scheme != "differential":
        raise MappingError(
            f'scheme is "{maps.layout.scheme}", whose cells share references; expected'
            ' "differential"'
        )


def corrections_of(maps: RigMaps, share: float) -> int:
    """How many cells a share of those of the maps is, rounded down."""
    return int(share * sum(int(np.count_nonzero(g)) for g in maps.siemens))


@dataclass(frozen=True)
class RigCorrection:
    """What came of chip in the loop on a rig.

    Attributes
    ----------
    correction
        What was done, and how many (situation, neuron) pairs are short of the margin.
    wrong
        Pairs that are on the wrong side of the threshold after it, in reads of their own.
    """

    correction: Correction
    wrong: int


def correct_on(
    program: Program,
    maps: RigMaps,
    rig: Writable,
    identity: Identity,
    replies: Mapping[int, ProgramReply],
    corrections: int,
    progress: Callable[[str, float], None] = lambda what, share: None,
) -> RigCorrection:
    """Chip in the loop on a rig that was just programmed with maps: no more than so many cells are
    written again.

    Parameters
    ----------
    replies
        What programming replied, by tile.

    Raises
    ------
    MappingError
        If the maps are of the offset scheme.
    RigError
        If the rig fails, or its guard refuses.
    """
    check_correctable(maps)
    limits, array = identity.limits, array_of(maps, rig, identity, replies)
    bad = bad_cells(maps, identity, replies)
    cells = Cells(bad, limits.g_min_s / SIEMENS_PER_US, limits.g_max_s / SIEMENS_PER_US)
    network, rng = with_slack(program.network), np.random.default_rng(0)
    found = correct(
        network,
        program.lowered,
        array,
        cells,
        rng,
        Effort(budget=1.0, writes=corrections),
        progress,
    )
    return RigCorrection(
        found, short_of(network, program.lowered, found.array, rng, Effort(margin=0.0))
    )


def trim_on(program: Program, maps: RigMaps, rig: Readable) -> TrimmedCrossbar:
    """An offset for each neuron, from what a rig that holds maps computes in every situation."""
    return trim(
        with_slack(program.network),
        program.lowered,
        RigCrossbar(maps, rig),
        np.random.default_rng(0),
    )
