"""Codes of a module: as many neurons of each class of the masks, and few shared by two codes.

With the masks of an input and of rest both on, a quarter of a code is left. Two codes that share
most of it cannot be told apart there. So a code takes neurons that share little with any earlier
one, and among those the least used.
"""

from __future__ import annotations

import numpy as np

from vsafsm.errors import CodebookError
from vsafsm.modules.network import Indices
from vsafsm.vsa import Bits

SPREAD = 4.0
"""Uses of a neuron that may be ignored when a code takes its neurons, so that groups differ."""
SHARED_COST = 8.0
"""What it costs, in uses, to share a second neuron with another code; it grows with the square."""


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
    used = np.zeros(len(classes))
    for code in range(count):
        earlier = codes[:code]
        shared = np.zeros(code)
        noise = SPREAD * rng.random(len(classes))
        # Classes in another order for each code: those that come last have the least choice.
        for c in rng.permutation(len(members)).tolist():
            neurons = members[c]
            for _ in range(take):
                free = neurons[~codes[code, neurons]]
                # For each neuron, the most that the new code shares with a code that has it.
                most = (earlier[:, free] * shared[:, None]).max(0, initial=0.0)
                cost = used[free] + noise[free] + SHARED_COST * most**2
                chosen = free[cost.argmin()]
                codes[code, chosen] = True
                shared += earlier[:, chosen]
        used += codes[code]
    if len(np.unique(np.packbits(codes, axis=1), axis=0)) < count:
        raise CodebookError("two codes of a module are equal; expected fewer states per module")
    return codes
