"""Input cubes (words over 0, 1 and don't-care) and how they split the input vectors into classes.

A cube is a pair of bit masks (care, value): it holds the vectors that agree with `value` on the
bits in `care`. Vectors are never counted through one by one, so that a machine with a hundred input
bits is no harder than one with three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from vsafsm.errors import TooLargeError

MAX_CLASSES = 4096
MAX_PIECES = 16_384
MAX_WORK = 20_000_000

Cube = tuple[int, int]


@dataclass(frozen=True)
class InputClass:
    """Input vectors that the same cubes cover.

    Attributes
    ----------
    name
        Its cubes joined by ``|``, don't-care written ``x``.
    cubes
        Disjoint cubes that hold exactly its vectors.
    members
        Positions of the cubes that cover it, in the list that was split; never empty.
    """

    name: str
    cubes: tuple[Cube, ...]
    members: tuple[int, ...]


def parse_cube(text: str) -> Cube:
    """The cube written `text`; ``-`` and ``x`` are don't-care, the first character the highest
    bit.
    """
    care = int("0" + "".join("1" if c in "01" else "0" for c in text), 2)
    value = int("0" + "".join("1" if c == "1" else "0" for c in text), 2)
    return care, value


def cube_text(cube: Cube, width: int, dont_care: str = "x") -> str:
    """`cube` as `width` characters."""
    care, value = cube
    bits = (1 << i for i in reversed(range(width)))
    return "".join(dont_care if not care & bit else "1" if value & bit else "0" for bit in bits)


def meet(a: Cube, b: Cube) -> Cube | None:
    """The vectors that both hold; None where there are none."""
    if (a[1] ^ b[1]) & a[0] & b[0]:
        return None
    return _meet(a, b)


def holds(cubes: Sequence[Cube], vector: int) -> bool:
    """Whether one of the cubes holds the vector."""
    return any(vector & care == value for care, value in cubes)


def size(cube: Cube, width: int) -> int:
    """How many vectors of so many bits it holds."""
    return 1 << (width - cube[0].bit_count())


def common(one: Sequence[Cube], other: Sequence[Cube], width: int) -> int:
    """How many vectors a cube of `one` and one of `other` both hold, added up over all such pairs.

    Raises
    ------
    TooLargeError
        They look at the bits in too many ways to be held against each other.
    """
    mine, others = _by_care(one), _by_care(other)
    if len(mine) * len(other) + len(others) * len(one) > MAX_WORK:
        raise TooLargeError("the input cubes are too many to be held against each other")
    found = 0
    for care, values in mine.items():
        for also, other_values in others.items():
            shared = care & also
            counts = Counter(value & shared for value in values)
            pairs = sum(counts[value & shared] for value in other_values)
            found += pairs * size((care | also, 0), width)
    return found


def _by_care(cubes: Sequence[Cube]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for care, value in cubes:
        found.setdefault(care, []).append(value)
    return found


def split(cubes: Sequence[Cube], width: int) -> list[InputClass]:
    """The classes that `cubes`, all distinct, split the vectors they cover into; in order of their
    first cube.

    Raises
    ------
    TooLargeError
        There are more than `MAX_CLASSES`, or they are too ragged to find.
    """
    pieces: dict[tuple[int, ...], list[Cube]] = {}
    count = work = 0
    everything: Cube = (0, 0)
    boxes = [(everything, tuple(range(len(cubes))))]
    order = _bits_by_use(cubes, width)
    while boxes:
        box, members = boxes.pop()
        work += len(members)
        bit = _bit_to_split(box, [cubes[m] for m in members], order)
        if bit:
            boxes += _halves(box, members, cubes, bit)
            continue
        whole = reduce(_meet, (cubes[m] for m in members), box)
        pieces.setdefault(members, []).append(whole)
        count += 1
        if len(pieces) > MAX_CLASSES:
            raise TooLargeError(
                f"the input cubes split the inputs into more than {MAX_CLASSES} classes"
            )
        if count > MAX_PIECES or work > MAX_WORK:
            raise TooLargeError("the input cubes overlap in too many ways to be split into classes")
    classes = [_named(members, merge(found), width) for members, found in pieces.items()]
    return sorted(classes, key=lambda c: (c.members[0], c.name))


def union(cubes: Sequence[Cube], width: int) -> tuple[Cube, ...]:
    """Disjoint cubes that hold the vectors that any of `cubes` does.

    Raises
    ------
    TooLargeError
        They are too ragged to find.
    """
    found: list[Cube] = []
    boxes = [((0, 0), tuple(range(len(cubes))))]
    order = _bits_by_use(cubes, width)
    work = 0
    while boxes:
        box, members = boxes.pop()
        work += len(members)
        if any(not cubes[m][0] & ~box[0] for m in members):
            found.append(box)
            continue
        if len(found) > MAX_PIECES or work > MAX_WORK:
            raise TooLargeError("the input cubes overlap in too many ways to be united")
        bit = next(b for b in order if not b & box[0] and any(cubes[m][0] & b for m in members))
        boxes += _halves(box, members, cubes, bit)
    return merge(found)


def merge(cubes: Sequence[Cube]) -> tuple[Cube, ...]:
    """The same vectors in fewer disjoint cubes: pairs that differ in one bit become one."""
    found, todo = set(cubes), list(cubes)
    while todo:
        cube = todo.pop()
        if cube not in found:
            continue
        partner_bit = next((b for b in _bits(cube[0]) if (cube[0], cube[1] ^ b) in found), 0)
        if partner_bit:
            care, value = cube
            found -= {cube, (care, value ^ partner_bit)}
            merged = (care & ~partner_bit, value & ~partner_bit)
            found.add(merged)
            todo.append(merged)
    return tuple(found)


def _named(members: tuple[int, ...], cubes: Sequence[Cube], width: int) -> InputClass:
    by_text = sorted((cube_text(c, width), c) for c in cubes)
    return InputClass("|".join(text for text, _ in by_text), tuple(c for _, c in by_text), members)


def _meet(a: Cube, b: Cube) -> Cube:
    return a[0] | b[0], a[1] | b[1]


def _bits(mask: int) -> list[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(low)
        mask ^= low
    return found


def _bits_by_use(cubes: Sequence[Cube], width: int) -> list[int]:
    bits = [1 << i for i in reversed(range(width))]
    uses = {bit: sum(bool(care & bit) for care, _ in cubes) for bit in bits}
    return sorted(bits, key=lambda bit: -uses[bit])


def _bit_to_split(box: Cube, cubes: list[Cube], order: list[int]) -> int:
    """A bit, not decided in `box`, on which not all `cubes` say the same; 0 where they are all one
    inside the box.
    """
    care = reduce(lambda a, c: a | c[0], cubes, 0)
    same = reduce(lambda a, c: a & c[0], cubes, care)
    ones = reduce(lambda a, c: a | c[1], cubes, 0)
    all_ones = reduce(lambda a, c: a & (c[1] | ~c[0]), cubes, -1)
    differ = (care & ~same | same & ones & ~all_ones) & ~box[0]
    return next(bit for bit in order if bit & differ) if differ else 0


def _halves(
    box: Cube, members: tuple[int, ...], cubes: Sequence[Cube], bit: int
) -> list[tuple[Cube, tuple[int, ...]]]:
    halves = []
    for value in (bit, 0):
        inside = tuple(m for m in members if not cubes[m][0] & bit or cubes[m][1] & bit == value)
        if inside:
            halves.append(((box[0] | bit, box[1] | value), inside))
    return halves
