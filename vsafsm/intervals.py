"""How sure a measured share is."""

from __future__ import annotations

import math
from collections.abc import Sequence


def wilson(right: float, total: float, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a share of which so many were right: 95 % with the usual z. (0, 1) where
    none was tried.
    """
    if not total:
        return 0.0, 1.0
    share, scale = right / total, 1 + z * z / total
    middle = share + z * z / (2 * total)
    apart = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    low = 0.0 if right == 0 else (middle - apart) / scale
    high = 1.0 if right == total else (middle + apart) / scale
    return low, high


def clustered(right: Sequence[int], each: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a share measured in clusters: `right` of `each` items in every draw.

    Items of one draw share its noise, so that they say less than as many independent ones. They
    count as the number of independent items that would spread as much as the draws do (their design
    effect, Kish 1965; Dean and Pagano 2015), never as fewer than the draws; where all draws are
    alike, as one item a draw.
    """
    draws, total = len(right), len(right) * each
    if not total:
        return 0.0, 1.0
    shares = [one / each for one in right]
    share = sum(shares) / draws
    spread = sum((one - share) ** 2 for one in shares) / max(draws - 1, 1) / draws
    effective = min(max(share * (1 - share) / spread, draws), total) if spread else draws
    return wilson(share * effective, effective, z)
