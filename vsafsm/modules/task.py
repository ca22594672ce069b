"""What one module is to do, in local terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.vsa import Bits


@dataclass(frozen=True, eq=False)
class ModuleTask:
    """What one module is to do, in local terms.

    Attributes
    ----------
    codes : (c, n)
        Its codes.
    releases : (c,)
        For each code the local code that it leads to at rest.
    moves
        (source, mask, target) of local codes, for moves that stay inside; the target is the source
        where a state stays.
    leaves
        For (source, mask) of moves to other modules, the neurons that are to fire there, sorted.
    arrivals
        (code, mask) of codes that are reached while this input is held, from wherever.
    """

    codes: Bits
    releases: tuple[int, ...]
    moves: tuple[tuple[int, int, int], ...]
    leaves: Mapping[tuple[int, int], NDArray[np.int32]]
    arrivals: tuple[tuple[int, int], ...]
