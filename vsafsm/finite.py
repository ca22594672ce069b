"""Numbers of users that a float can stand for, and numbers in messages."""

from __future__ import annotations

import math
from numbers import Real


def finite(value: object) -> float | None:
    """A real number as a float; None for anything else, and for what is not finite as a float.

    Examples
    --------
    >>> finite(3), finite(10**400), finite(float("nan")), finite(True), finite("3")
    (3.0, None, None, None, None)
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def shown(number: float) -> str:
    """A number for a message: a whole one with all its digits.

    Examples
    --------
    >>> shown(2**20), shown(0.5), shown(1e12)
    ('1048576', '0.5', '1e+12')
    """
    return str(number) if isinstance(number, int) else f"{number:g}"
