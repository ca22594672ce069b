"""Durations as text: ``500 ms``, ``3s``, ``1.5 min``."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from vsafsm.errors import SpecError, did_you_mean

UNITS = {"ms": Fraction(1, 1000), "s": Fraction(1), "min": Fraction(60)}
"""Seconds of each unit of time."""
MOST_CHARACTERS = 40


def parse_duration(text: str) -> Fraction:
    """Seconds, exactly.

    Raises
    ------
    SpecError
        If the text is no number above 0 with a unit.

    Examples
    --------
    >>> parse_duration("1.5 min")
    Fraction(90, 1)
    """
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", text[: MOST_CHARACTERS + 1])
    if len(text) > MOST_CHARACTERS or found is None:
        raise SpecError(
            f'"{text[:MOST_CHARACTERS]}" is no duration; expected a number and a unit: 500 ms'
        )
    number, unit = found.groups()
    if unit not in UNITS:
        problem = f'"{unit}" is no unit of time' if unit else "a unit is missing"
        raise SpecError(
            f'{problem} in "{text}"; expected {", ".join(UNITS)}{did_you_mean(unit, list(UNITS))}'
        )
    seconds = Fraction(number) * UNITS[unit]
    if not seconds:
        raise SpecError(f'a duration of "{text}"; expected one above 0')
    return seconds


def duration_text(seconds: Fraction) -> str:
    """A duration above 0 in the largest unit that gives a whole number, else as a decimal of
    milliseconds.
    """
    for unit, size in reversed(UNITS.items()):
        if (seconds / size).denominator == 1:
            return f"{seconds / size} {unit}"
    part = seconds / UNITS["ms"]
    return f"{Decimal(part.numerator) / Decimal(part.denominator):f} ms"
