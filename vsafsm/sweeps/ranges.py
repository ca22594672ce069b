"""Lists and ranges of the command line: ``additive:0:3:0.25`` is thirteen kinds of noise,
``256,512`` two sizes.
"""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from itertools import product

from vsafsm.errors import SweepError
from vsafsm.noise import Noise, named, parse_noise, split_noise

MOST = 10_000


def noises(text: str) -> tuple[Noise, ...]:
    """The noises of a range: each model's amount may be ``START:STOP:STEP``, both ends
    included.

    Raises
    ------
    SweepError
        If a range is empty or backwards.
    NoiseError
        If a noise is unknown or out of range.
    """
    parts = [_models(part) for part in split_noise(text)]
    return tuple(parse_noise("+".join(each)) for each in product(*parts))


def _models(text: str) -> list[str]:
    head, comma, parameters = text.partition(",")
    name, amount = named(head)
    amounts = amount.split(":")
    if len(amounts) < 2:
        return [text]
    if len(amounts) != 3:
        raise SweepError(
            f'"{text}" is no range; expected NAME:START:STOP:STEP, such as additive:0:3:0.25'
        )
    return [f"{name}:{amount}{comma}{parameters}" for amount in _range(head, amounts)]


def _range(text: str, ends: list[str]) -> list[str]:
    try:
        start, stop, step = (Decimal(end.strip()) for end in ends)
        finite = all(math.isfinite(float(number)) for number in (start, stop, step))
    except (InvalidOperation, ValueError):
        finite = False
    if not finite:
        raise SweepError(f'the range "{text}" is not of numbers; expected NAME:START:STOP:STEP')
    if stop < start or step <= 0:
        raise SweepError(
            f'the range "{text}" is empty or backwards; expected START up to STOP in steps above 0'
        )
    if stop - start >= MOST * step:
        raise SweepError(f'the range "{text}" has more than {MOST} values; expected fewer')
    count = int((stop - start) / step) + 1
    return [f"{start + i * step:f}" for i in range(count)]


def values(name: str, text: str) -> tuple[str, ...]:
    """The values of an option in a list with commas. Raises `SweepError` where one is empty or
    given twice.
    """
    found = tuple(value.strip() for value in text.split(","))
    if "" in found:
        raise SweepError(
            f'{name} "{text}" has an empty value; expected values with commas between them'
        )
    if len(set(found)) < len(found):
        raise SweepError(f'{name} "{text}" has a value twice; expected each once')
    return found
