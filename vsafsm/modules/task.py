"""What one module is to do, in local terms: inside, and towards other modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.vsa import Bits


@dataclass(frozen=True)
class InsideTask:
    """What a module of c codes is to do with its own activity. Masks are those of its kinds of
    input, from 1 on, after that at rest.

    Attributes
    ----------
    releases : (c,)
        For each code the local code that it leads to at rest.
    moves
        (source, mask, target) of local codes, for moves that stay inside; the target is the source
        where a state stays.
    departures
        (source, mask) of moves to other modules: the module falls silent.
    arrivals
        (code, mask) of codes that are reached while this input is held, from wherever.
    """

    releases: tuple[int, ...]
    moves: tuple[tuple[int, int, int], ...]
    departures: tuple[tuple[int, int], ...]
    arrivals: tuple[tuple[int, int], ...]

    @property
    def held(self) -> tuple[tuple[int, int], ...]:
        """(code, mask) of every code that an input may be held at, but for departures."""
        return (*((source, mask) for source, mask, _ in self.moves), *self.arrivals)


@dataclass(frozen=True, eq=False)
class SendTask:
    """What a module is to do with other modules. Masks are those of its kinds of input.

    Attributes
    ----------
    codes : (c, n)
        Its codes.
    targets : (t,)
        All neurons of other modules that are to fire, sorted.
    opened : (K + 1, t)
        Whether an input of each kind leaves them open.
    leaves
        For (source, mask) of moves to other modules, the neurons that are to fire there, sorted.
    held
        (code, mask) of codes that an input may be held at, and that fire nothing elsewhere.
    """

    codes: Bits
    targets: NDArray[np.int32]
    opened: Bits
    leaves: Mapping[tuple[int, int], NDArray[np.int32]]
    held: tuple[tuple[int, int], ...]
