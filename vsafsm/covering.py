"""Few input vectors that stand for all: every two kinds of input that can occur together do so in
one of them.

A *partition* splits the input vectors into kinds. Taken together, P partitions make as many classes
of vectors as kinds can be combined, which soon is millions. Whatever depends on the kinds of two
partitions at most is seen in full in a *pairwise covering array* (strength 2), of a few hundred
vectors; it is built greedily, as AETG does (Cohen et al. 1997).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from vsafsm.cubes import Cube, holds, meet
from vsafsm.errors import TooLargeError

Kinds = tuple[tuple[Cube, ...], ...]
"""A partition: for each kind the cubes that hold its vectors."""
MAX_VECTORS = 4096
MAX_WORK = 20_000_000
"""Most pairs of cubes that are held against each other."""
MAX_JOINT = 100_000
"""Most combinations of kinds that are listed at once."""


def pairwise_covering(partitions: Sequence[Kinds]) -> list[int]:
    """Vectors in which every two kinds of different partitions that can occur together do so, and
    every kind occurs; sorted.

    Parameters
    ----------
    partitions
        Each covers the same vectors; at least one.

    Raises
    ------
    TooLargeError
        If that takes more than `MAX_VECTORS`, or to find them takes too long.
    """
    counts = [sum(map(len, partition)) for partition in partitions]
    if sum(counts) ** 2 - sum(n * n for n in counts) > 2 * MAX_WORK:
        raise TooLargeError("the states look at the inputs in too many ways to be held together")
    missing = dict.fromkeys(_pairs(partitions))
    vectors: list[int] = []
    while missing:
        first, second = next(iter(missing))
        vector = _vector(partitions, first, second, missing)
        vectors.append(vector)
        kinds = [*enumerate(kinds_of(partitions, vector))]
        for pair in combinations(kinds, 2):
            missing.pop(pair, None)
        for kind in kinds:
            missing.pop((kind, kind), None)
        if len(vectors) > MAX_VECTORS:
            raise TooLargeError(
                f"the kinds of input that states tell apart take more than {MAX_VECTORS} vectors"
                " to cover in pairs"
            )
    return sorted(vectors)


def kinds_of(partitions: Sequence[Kinds], vector: int) -> list[int]:
    """The kind of a vector in each partition."""
    return [
        next(k for k, cubes in enumerate(partition) if holds(cubes, vector))
        for partition in partitions
    ]


def joint_kinds(partitions: Sequence[Kinds]) -> Iterator[tuple[tuple[int, ...], int]]:
    """The kinds, one of each partition, that can occur together, each time with a vector of them.

    Raises
    ------
    TooLargeError
        If there are more than `MAX_JOINT` combinations.
    """
    found: list[tuple[tuple[int, ...], list[Cube]]] = [((), [(0, 0)])]
    for partition in partitions:
        found = [
            ((*chosen, k), both)
            for chosen, cubes in found
            for k, others in enumerate(partition)
            if (both := [c for a in cubes for b in others if (c := meet(a, b))])
        ]
        if len(found) > MAX_JOINT:
            raise TooLargeError(f"kinds of input combine in more than {MAX_JOINT} ways")
    for chosen, cubes in found:
        yield chosen, cubes[0][1]


_Kind = tuple[int, int]  # a partition, and one of its kinds


def _pairs(partitions: Sequence[Kinds]) -> Iterator[tuple[_Kind, _Kind]]:
    """Kinds of two partitions that can occur together; and each kind with itself."""
    every = [(p, k) for p, partition in enumerate(partitions) for k in range(len(partition))]
    for one, other in combinations(every, 2):
        if one[0] != other[0] and _meeting(partitions, one, other):
            yield one, other
    yield from ((one, one) for one in every)


def _meeting(partitions: Sequence[Kinds], one: _Kind, other: _Kind) -> Cube | None:
    cubes, others = partitions[one[0]][one[1]], partitions[other[0]][other[1]]
    return next((both for a in cubes for b in others if (both := meet(a, b))), None)


def _vector(
    partitions: Sequence[Kinds],
    first: _Kind,
    second: _Kind,
    missing: dict[tuple[_Kind, _Kind], None],
) -> int:
    """A vector of these two kinds, and of kinds of the other partitions with which it has as many
    missing pairs as can be, chosen one after the other.
    """
    inside = _meeting(partitions, first, second)
    assert inside is not None  # noqa: S101 - only kinds that can occur together are missing
    chosen = [first, second]
    for p, partition in enumerate(partitions):
        if p in (first[0], second[0]):
            continue
        best, gained, narrower = (p, 0), -1, inside
        for k, cubes in enumerate(partition):
            both = next((c for cube in cubes if (c := meet(inside, cube))), None)
            if both is None:
                continue
            gain = sum((min(c, (p, k)), max(c, (p, k))) in missing for c in chosen)
            if gain > gained:
                best, gained, narrower = (p, k), gain, both
        chosen.append(best)
        inside = narrower
    return inside[1]
