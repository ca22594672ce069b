"""The ladder of sizes that are tried."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile


def rung_size(rung: int) -> int:
    """Neurons of a rung: four rungs double, in multiples of 8, from 16 on."""
    return 8 * round(2 ** (1 + rung / 4))


def rung_of(neurons: float) -> int:
    """The first rung of at least `neurons`."""
    rung = 0
    while rung_size(rung) < neurons:
        rung += 1
    return rung


def rungs(first: int) -> Iterator[int]:
    """Sizes from a rung on, without end."""
    while True:
        yield rung_size(first)
        first += 1


def sizes(first: int, most: int) -> list[int]:
    """Sizes from a rung on, up to the most neurons that there may be, which are the last."""
    return [*dict.fromkeys(takewhile(lambda neurons: neurons < most, rungs(first))), most]
