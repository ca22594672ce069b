"""How sure a measured share is."""

from __future__ import annotations

import math


def wilson(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a share of which so many were right: 95 % with the usual z. (0, 1) where none was tried."""
    if not total:
        return 0.0, 1.0
    share, scale = right / total, 1 + z * z / total
    middle = share + z * z / (2 * total)
    apart = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, (middle - apart) / scale), min(1.0, (middle + apart) / scale)
