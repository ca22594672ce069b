"""Codes of a module: as many neurons of each class of the masks, and few shared by two codes.

With the masks of an input and of rest both on, a quarter of a code is left, in a few classes. Two
codes that share most of it cannot be told apart there. So no two codes share two neurons of one
class, as long as a class has pairs that are not taken.
"""

from __future__ import annotations

import numpy as np

from vsafsm.errors import CodebookError
from vsafsm.modules.network import Indices
from vsafsm.vsa import Bits

SPREAD = 4.0
"""Uses of a neuron that may be ignored when a code takes its neurons, so that groups differ."""


def draw_codes(count: int, classes: Indices, active: int, rng: np.random.Generator) -> Bits:
    """Codes (count, n) with the same number of neurons in each class.

    Parameters
    ----------
    classes : (n,)
        The class of each neuron.
    active
        Neurons per code, a multiple of the classes.

    Raises
    ------
    CodebookError
        If a class has too few neurons, or two codes are equal.
    """
    members = [np.flatnonzero(classes == c) for c in range(int(classes.max()) + 1)]
    take = active // len(members)
    if take > min(map(len, members)):
        raise CodebookError(f"{active} active of {len(classes)} neurons are more than there are")
    codes = np.zeros((count, len(classes)), np.bool_)
    for neurons in members:
        used = np.zeros(len(neurons))
        together = np.zeros((len(neurons), len(neurons)), np.intp)
        for code in range(count):
            cost = used + SPREAD * rng.random(len(neurons))
            chosen: list[int] = []
            for _ in range(take):
                # A pair that is taken already costs more than any number of uses.
                crowded = together[chosen].sum(0) * (count + SPREAD) if chosen else 0
                cost_now = cost + crowded
                cost_now[chosen] = np.inf
                chosen.append(int(cost_now.argmin()))
            used[chosen] += 1
            together[np.ix_(chosen, chosen)] += 1
            codes[code, neurons[chosen]] = True
    if len(np.unique(np.packbits(codes, axis=1), axis=0)) < count:
        raise CodebookError("two codes of a module are equal; expected fewer states per module")
    return codes
