"""The chip's neuron: a leaky integrate-and-fire cell with a current, in fixed point, as Lava's
``LIF`` computes it.

u' = trunc(u (4096 - du - 1) / 4096) + 64 a        wrapped into 24 bits
v' = trunc(v (4096 - dv) / 4096) + u' + bias       clipped into 24 bits
a spike where v' > 64 vth, which sets v' to 0
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsafsm.vsa import Bits
from vsafsm_loihi2.limits import DECAY_SHIFT, SHIFT, STATE

States = NDArray[np.int32]


def fire(
    u: States, v: States, arriving: States, bias: States, du: int, dv: int, threshold: int = 0
) -> tuple[States, States, Bits]:
    """One step of n neurons: -> (u, v, which of them spike), each (n,).

    Parameters
    ----------
    arriving
        Sum of the weights of the spikes that arrive.
    bias
        Mantissa times 2 to its exponent.
    threshold
        In units of 64.
    """
    u = _wrapped(_decayed(u, du + 1) + (arriving << SHIFT))
    v = np.clip(_decayed(v, dv) + u + bias, -STATE, STATE).astype(np.int32)
    spikes = v > threshold << SHIFT
    return u, np.where(spikes, 0, v).astype(np.int32), spikes


def _decayed(state: States, decay: int) -> States:
    left = state.astype(np.int64) * (2**DECAY_SHIFT - decay)
    return np.asarray(np.sign(left) * (np.abs(left) >> DECAY_SHIFT), np.int32)


def _wrapped(current: States) -> States:
    edge = STATE + 1
    current = np.where(current > edge, current - 2 * edge, current)
    return np.asarray(np.where(current <= -edge, current + 2 * edge, current), np.int32)
