"""How sure a measured share is."""

from __future__ import annotations

import math
from collections.abc import Sequence


def wilson(correct: float, total: float, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of the share ``correct / total``: 95 % with the usual z.

    (0, 1) where nothing was tried.
    """
    if not total:
        return 0.0, 1.0
    share, scale = correct / total, 1 + z * z / total
    middle = share + z * z / (2 * total)
    apart = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    low = 0.0 if correct == 0 else (middle - apart) / scale
    high = 1.0 if correct == total else (middle + apart) / scale
    return low, high


def over_draws(shares: Sequence[float], z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of the mean of shares, each measured in one draw.

    Items of one draw share its noise, so the draws are what is independent. A share between 0 and 1
    spreads at most as much as one that is either, so the interval is never too narrow; and it
    depends on the mean and the number of draws alone.
    """
    return wilson(math.fsum(shares), len(shares), z)
