"""The algebra: bind, bundle, similarity, as small pure functions over codes of any sparsity.

A *code* is binary, (N,) with k ones; a *sign vector* is (N,) in {-1, +1}. Binding is the
elementwise product with a sign vector (multiply-add-permute algebra: Gayler 1998, *Multiplicative
binding, representation operators and analogy*); it is its own inverse. A mask opens the neurons
whose sign is +1: reading a bound pattern through the mask of the same sign vector unbinds it,
through any other balanced one leaves nothing (Cotteret et al., arXiv 2212.01196).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[Any]
Numbers = NDArray[np.number[Any]]
"""Whole or real numbers, of whatever width."""
Bits = NDArray[np.bool_]


def centre(codes: Bits, scale: int = 1) -> NDArray[np.float64]:
    """``scale * (x - f)`` of each code x, f being its share of active neurons.

    Parameters
    ----------
    codes : (..., N)
    scale
        Use N, and the result is whole numbers, so that sums of products are exact in float64.

    Returns
    -------
    (..., N)
    """
    active = codes.sum(-1, keepdims=True, dtype=np.int64)
    return np.asarray(codes * float(scale) - active * scale / codes.shape[-1])


def bind(x: Real, signs: Real) -> Real:
    """``x o s``: elementwise product of a pattern (..., N) with a sign vector (..., N).
    Self-inverse.
    """
    return x * signs


def bundle(*patterns: Real) -> Real:
    """Superposition: the elementwise sum of patterns of one shape."""
    return np.asarray(np.sum(patterns, axis=0))


def outer(post: Real, pre: Real) -> Real:
    """Sum of outer products ``sum_t post_t pre_t^T``: (T, N), (T, M) -> (N, M). Associative memory
    of T pairs.
    """
    return post.T @ pre


def similarity(codes: Bits, activity: Bits, mask: Bits) -> NDArray[np.float64]:
    """How well each code explains an activity: its hit rate minus its false-alarm rate.

    ``|z & c & m| / |c & m|  -  |z & ~c & m| / |~c & m|``: 1 for the masked code itself, about 0 for
    an unrelated code of any sparsity, 0 for silence. An empty denominator counts as 0.

    Parameters
    ----------
    codes : (C, N)
    activity : (B, N)
    mask : (N,) or (B, N)
        The neurons that are open, those that count.

    Returns
    -------
    (B, C)
    """
    seen = (activity & mask).astype(np.float32)
    open_ = np.broadcast_to(mask, activity.shape).astype(np.float32)
    patterns = codes.astype(np.float32).T
    hits, wanted = seen @ patterns, open_ @ patterns
    alarms, others = seen.sum(1, keepdims=True) - hits, open_.sum(1, keepdims=True) - wanted
    return np.asarray(
        hits / np.maximum(wanted, 1) - alarms / np.maximum(others, 1), dtype=np.float64
    )
