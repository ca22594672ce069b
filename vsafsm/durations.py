"""Durations as text: ``500 ms``, ``3s``, ``1.5 min``."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from fractions import Fraction

from vsafsm.errors import Location, SpecError, SyntaxSpecError, did_you_mean

UNITS = {"ms": Fraction(1, 1000), "s": Fraction(1), "min": Fraction(60)}
"""Seconds of each unit of time."""
WAIT = "wait:"
"""What stands before a duration in a word."""
MOST_TICKS = 1_000_000
"""Ticks of one wait."""
_OTHER_UNITS = {
    **dict.fromkeys(("msec", "msecs", "millisecond", "milliseconds", "MS", "mS"), "ms"),
    **dict.fromkeys(("S", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "M", "mins", "minute", "minutes"), "min"),
}
_DIGITS = 12
MOST_DIGITS = 28
"""Of a number that is written exactly as a decimal number."""
_CONTEXT = Context(prec=MOST_DIGITS)
_DURATION = re.compile(r"([-+]?)([0-9]+)(?:\.([0-9]+))? *(\S*)")


def parse_duration(
    text: str, what: str = "a time", place: Location | None = None, zero: bool = False
) -> Fraction:
    """Seconds, exactly.

    Parameters
    ----------
    text
        A number above 0 and a unit.
    what, place
        What it is the time of and where it stands, for errors.
    zero
        Whether it may be 0.

    Raises
    ------
    SyntaxSpecError
        If the text is no number with a unit.
    SpecError
        If it is below 0, or 0 where it may not be, or has too many digits.

    Examples
    --------
    >>> parse_duration("1.5 min")
    Fraction(90, 1)
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise SyntaxSpecError(
            f'{what} is the text "{text[:40]}"; expected a number and a unit, such as "500 ms"',
            place,
        )
    sign, whole, part, unit = match.groups(default="")
    if max(len(whole), len(part)) > _DIGITS:
        raise SpecError(f"{what} has more than {_DIGITS} digits; expected fewer", place)
    if unit not in UNITS:
        if not unit:
            told = f'{what} is "{text}" without a unit'
            hint = f', such as "{text} ms"'
        else:
            told = f'unknown unit "{unit[:40]}" of {what}'
            near = _OTHER_UNITS.get(unit)
            hint = f'; did you mean "{near}"?' if near else did_you_mean(unit, list(UNITS))
        raise SyntaxSpecError(f"{told}; expected one of: {', '.join(UNITS)}{hint}", place)
    seconds = Fraction(int(whole + part), 10 ** len(part)) * UNITS[unit]
    if sign == "-" or not (seconds or zero):
        least = "at least" if zero else "more than"
        raise SpecError(f"{what} is {text}; expected {least} 0 {unit}", place)
    return seconds


def duration_text(seconds: Fraction, blank: str = "") -> str:
    """A duration as short text, read back by `parse_duration` where it is a decimal number;
    `blank` stands before the unit.

    Examples
    --------
    >>> [duration_text(Fraction(3, n)) for n in (1, 2, 10, 10_000, 9)]
    ['3s', '1.5s', '300ms', '0.3ms', '1/3s']
    """
    scale, unit = (1, "s") if seconds >= 1 else (1000, "ms")
    number = decimal_text(seconds * scale)
    return f"{seconds}{blank}s" if "/" in number else f"{number}{blank}{unit}"


def decimal_text(number: Fraction) -> str:
    """A number exactly: as a decimal number of up to `MOST_DIGITS` digits, or else as a fraction.

    Examples
    --------
    >>> [decimal_text(Fraction(n, 1000)) for n in (1234567, 20)], decimal_text(Fraction(1, 3))
    (['1234.567', '0.02'], '1/3')
    """
    decimal = _CONTEXT.divide(Decimal(number.numerator), Decimal(number.denominator))
    return f"{decimal:f}" if Fraction(decimal) == number else str(number)
