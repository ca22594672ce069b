"""Few input vectors that stand for all: every two kinds of input that can occur together do so in
one of them.

A *partition* splits the input vectors into kinds. Taken together, P partitions make as many classes
of vectors as kinds can be combined, which soon is millions. Whatever depends on the kinds of two
partitions at most is seen in full in a *pairwise covering array* (strength 2), of a few hundred
vectors; it is built greedily, as AETG does (Cohen et al. 1997).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, combinations_with_replacement

from vsafsm.cubes import Cube, common, holds, meet, size
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
    _check_work(partitions)
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


def flaw(partitions: Sequence[Kinds], vectors: Sequence[int], width: int) -> str:
    """What partitions of vectors of so many bits, and vectors that are to cover them in pairs, have
    that they may not have; empty where all is well.

    Raises
    ------
    TooLargeError
        If there are too many cubes to find out.
    """
    if not all(partition and all(partition) for partition in partitions):
        return "a guard without cubes"
    if any(list(cubes) != sorted(cubes) for partition in partitions for cubes in partition):
        return "a guard whose cubes are out of order"
    every = [[cube for cubes in partition for cube in cubes] for partition in partitions]
    if any(value & ~care or care >> width for cubes in every for care, value in cubes):
        return f"a cube that is none of {width} bits"
    _check_work(partitions)
    total = sum(size(cube, width) for cube in every[0])
    for cubes in every:
        own = sum(size(cube, width) for cube in cubes)
        if common(cubes, cubes, width) != own:
            return "guards of one state that hold the same vector"
        if own != total or common(cubes, every[0], width) != total:
            return "states whose guards hold other vectors than those of another"
    if any(not any(holds(cubes, vector) for cubes in partitions[0]) for vector in vectors):
        return "representatives that no guard holds"
    # For each kind, in bits, the vectors that are of it.
    kinds = [[0] * len(partition) for partition in partitions]
    for bit, vector in enumerate(vectors):
        for p, k in enumerate(kinds_of(partitions, vector)):
            kinds[p][k] |= 1 << bit
    of = [(p, k, which) for p, row in enumerate(kinds) for k, which in enumerate(row)]
    for (p, k, which), (q, m, others) in combinations_with_replacement(of, 2):
        alone = p == q and k != m
        if not alone and not which & others and _meeting(partitions, (p, k), (q, m)):
            return "representatives that miss two kinds of input that can occur together"
    return ""


def _check_work(partitions: Sequence[Kinds]) -> None:
    counts = [sum(map(len, partition)) for partition in partitions]
    if sum(counts) ** 2 - sum(n * n for n in counts) > 2 * MAX_WORK:
        raise TooLargeError("the states look at the inputs in too many ways to be held together")


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
