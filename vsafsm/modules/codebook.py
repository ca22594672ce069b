"""Codes of a module: as many neurons of each class of the masks, and few shared by two codes.

With the masks of an input and of rest both on, a quarter of a code is left. Where two codes share
two of its neurons, what drives a target from one of them drives it by half as much from the other,
and further synapses must keep it silent there (`vsafsm.modules.sending`). So a code takes neurons
that share little with any earlier code within a quarter, and among those the least used.
"""

from __future__ import annotations

import numpy as np

from vsafsm.activities import Indices
from vsafsm.errors import CodebookError
from vsafsm.lowering import REST
from vsafsm.vsa import Bits

SPREAD = 4.0
"""Uses of a neuron that may be ignored when a code takes its neurons, so that groups differ."""
SHARED_COST, SHARED_COST_ELSEWHERE = 64.0, 2.0
"""What it costs, in uses, to share a second neuron of a quarter with another code, and of the rest
of the code; both grow with the square.
"""


def draw_codes(
    count: int, classes: Indices, masks: Bits, active: int, rng: np.random.Generator
) -> Bits:
    """Codes (count, n) with the same number of neurons in each class.

    Parameters
    ----------
    classes : (n,)
        The class of each neuron; neurons of one class have the same masks.
    masks : (A + 1, n)
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
    # quarters[c, a]: whether class c is open under the masks of rest and of input a together.
    first = np.array([neurons[0] for neurons in members])
    quarters = (masks[1:, first] & masks[REST, first]).T
    codes = np.zeros((count, len(classes)), np.bool_)
    used = np.zeros(len(classes))
    for code in range(count):
        earlier = codes[:code]
        # Neurons shared with each earlier code: in each quarter, and in all.
        shared, shared_all = np.zeros((quarters.shape[1], code)), np.zeros(code)
        noise = SPREAD * rng.random(len(classes))
        # Classes in another order for each code: those that come last have the least choice.
        for c in rng.permutation(len(members)).tolist():
            within = shared[quarters[c]].max(0, initial=0.0)
            for _ in range(take):
                free = members[c][~codes[code, members[c]]]
                have = earlier[:, free]
                cost = used[free] + noise[free]
                cost += SHARED_COST * (have * within[:, None]).max(0, initial=0.0) ** 2
                most = (have * shared_all[:, None]).max(0, initial=0.0)
                cost += SHARED_COST_ELSEWHERE * most**2
                chosen = free[cost.argmin()]
                codes[code, chosen] = True
                shared_all += earlier[:, chosen]
                shared[quarters[c]] += earlier[:, chosen]
                within = shared[quarters[c]].max(0, initial=0.0)
        used += codes[code]
    if len(np.unique(np.packbits(codes, axis=1), axis=0)) < count:
        raise CodebookError("two codes of a module are equal; expected fewer states per module")
    return codes
