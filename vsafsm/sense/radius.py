"""How much all weights may change until a frame may lose its class: a proof by interval bounds.

Every weight of every layer may move by up to a share of its layer's full scale, each in its own
way. Sums then lie in an interval, and so do activations, since rounding never falls as a sum rises.
The last layer is bounded by the difference of two scores: where the class of the frame stays above
every other, and by the margin, the decision is the same for every such change. What this says holds
for weights that are read without noise and without converters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import SenseError
from vsafsm.sense.data import Frames
from vsafsm.sense.model import Floats, Model

STEPS = 12
"""Halvings of the interval in which a radius lies."""
MOST = 1.0
"""No radius beyond full scale is looked for."""
SLACK = 1e-9
"""Of bounds, as a share of the largest sum there can be: more than rounding in float64 takes."""
CHUNK = 64
"""Frames that are bounded together."""


def radii(model: Model, frames: Frames) -> Floats:
    """For each frame the largest change of all weights, as a share of full scale, that provably
    keeps its class: (F,), found to 1/4096 and never too large. 0 for a frame that is unsure.

    Raises
    ------
    SenseError
        If the model has a cleanup, which is not bounded, or the frames do not fit it.
    """
    decided = _decided(model, frames)
    low, high = np.zeros(len(decided)), np.full(len(decided), MOST)
    low[decided < 0] = high[decided < 0] = 0.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        kept = keeps(model, frames, middle)
        low, high = np.where(kept, middle, low), np.where(kept, high, middle)
    return low


def certified(model: Model, frames: Frames, share: float) -> float:
    """Share of the frames that provably keep the class that they have, and have the one of their
    label, where no weight changes by more than this share of full scale.

    Raises
    ------
    SenseError
        As `radii`; or if the frames have no labels.
    """
    truth = model.truth(frames)
    if not len(truth):
        raise SenseError("the frames have no labels; expected labelled ones")
    kept = keeps(model, frames, np.full(len(truth), share))
    return float((kept & (_decided(model, frames) == truth)).mean())


def keeps(model: Model, frames: Frames, shares: Floats) -> NDArray[np.bool_]:
    """Whether each frame provably keeps its class under its own share (F,) of change. Never for a
    frame that is unsure.
    """
    decided, inputs = _decided(model, frames), model.inputs(frames)
    found = np.zeros(len(decided), np.bool_)
    for start in range(0, len(decided), CHUNK):
        rows = slice(start, start + CHUNK)
        least = _least_lead(model, inputs[rows], decided[rows], shares[rows])
        found[rows] = (least > 0) & (least >= model.margin)
    return found & (decided >= 0)


def _decided(model: Model, frames: Frames) -> NDArray[np.intp]:
    if model.cleanup is not None:
        raise SenseError("the classifier decides by a cleanup, which has no radius; expected none")
    return model.classify(frames)


def _least_lead(model: Model, inputs: Floats, decided: NDArray[np.intp], shares: Floats) -> Floats:
    """The least that the decided class can be above any other, (B,)."""
    low = high = inputs
    for layer in model.layers[:-1]:
        below, above = layer.rows(low), layer.rows(high)
        change = _per_row(shares * layer.limit, below)
        weights = layer.weights.astype(np.float64)
        bottom, top = _sums(below, above, weights, change)
        low, high = layer.after(bottom), layer.after(top)
    return _last(model, low, high, decided, shares)


def _per_row(values: Floats, rows: Floats) -> Floats:
    """A value per frame, for rows (B, ..., I)."""
    return values.reshape(-1, *[1] * (rows.ndim - 1))


def _sums(below: Floats, above: Floats, weights: Floats, change: Floats) -> tuple[Floats, Floats]:
    """Least and largest sums (..., O) of inputs between bounds (..., I), 0 and more, with weights
    (I, O) that move by up to `change`.

    Where a weight may change its sign the product with the exact weight and the change are bounded
    apart, which is never too narrow.
    """
    up, down = np.maximum(weights, 0), np.minimum(weights, 0)
    spread = change * above.sum(-1, keepdims=True)
    slack = SLACK * (above.sum(-1, keepdims=True) * (np.abs(weights).max() + change) + 1)
    return (
        below @ up + above @ down - spread - slack,
        above @ up + below @ down + spread + slack,
    )


def _last(
    model: Model, low: Floats, high: Floats, decided: NDArray[np.intp], shares: Floats
) -> Floats:
    """The least difference of two scores, over the other classes: the weights of a difference move
    by up to twice as much.
    """
    layer = model.layers[-1]
    below, above = layer.rows(low), layer.rows(high)
    weights, bias = layer.weights.astype(np.float64), layer.bias.astype(np.float64)
    found = np.full(len(low), np.inf)
    for own in np.unique(decided[decided >= 0]).tolist():
        rows = decided == own
        others = [c for c in range(weights.shape[1]) if c != own]
        apart = weights[:, [own]] - weights[:, others]
        change = 2 * shares[rows, None] * layer.limit
        bottom, _ = _sums(below[rows], above[rows], apart, change)
        found[rows] = (bottom + bias[own] - bias[others]).min(1)
    return found
