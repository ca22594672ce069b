"""A machine laid out as a directed graph: where states lie, how transitions bend, where their
labels stand.

States lie so that their distances in the picture are near their distances in the graph (stress
majorisation, Gansner, Koren and North 2004), from a circle in the order of discovery: the same
machine always looks the same.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, replace
from itertools import starmap

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import PlotError
from vsafsm.machine import Machine
from vsafsm.statecharts.columns import columns_of

Point = tuple[float, float]
Places = NDArray[np.float64]
FONT = 13.0
LABEL_FONT = 11.0
LETTER = 0.58
"""Width of a letter, as a share of the font size."""
MOST_STATES = 300
"""Most states that are laid out: the time grows with their cube, and nobody could read more."""
MOST_INPUTS = 3
MOST_LETTERS = 26
LOOP = 34.0
LINE = 16.0
"""From one line of a name to the next."""


@dataclass(frozen=True)
class Node:
    """A state: an ellipse. Units: pixels, y downwards.

    Attributes
    ----------
    centre, half
        Its middle, and half of its width and height.
    lines, outputs
        What is written into it: its name, which may take several lines, and below it its outputs.
    """

    state: str
    centre: Point
    half: Point
    lines: tuple[str, ...]
    outputs: str

    @property
    def heights(self) -> tuple[float, ...]:
        """The middle of each line, and of the outputs."""
        count = len(self.lines)
        down = [(i - (count - 1) / 2) * LINE for i in range(count)]
        if self.outputs:
            down = [each - 7 for each in down] + [down[-1] + 9]
        return tuple(self.centre[1] + each for each in down)


@dataclass(frozen=True)
class Edge:
    """All transitions from one state to another: a cubic curve from `start` to `end` with an arrow
    at its end.

    Attributes
    ----------
    start, bend, end
        Ends of the curve, and its two control points.
    label, at
        What is written beside it, and where.
    full
        The label with nothing left out.
    """

    source: str
    target: str
    start: Point
    bend: tuple[Point, Point]
    end: Point
    label: str
    at: Point
    full: str


@dataclass(frozen=True)
class Geometry:
    """A machine as a graph that is `width` by `height` pixels."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: float
    height: float


def geometry(machine: Machine) -> Geometry:
    """Lay the reachable states of a machine out.

    Raises
    ------
    PlotError
        If they are more than `MOST_STATES`.
    """
    check_size(machine)
    labels = transition_labels(machine)
    texts = _texts(machine)
    sizes = list(starmap(_size, texts))
    places = _apart(_places(machine, labels, sizes), sizes)
    nodes = {
        state: Node(state, _point(place), half, *told)
        for state, place, half, told in zip(machine.reachable, places, sizes, texts, strict=True)
    }
    middle = np.mean(places, axis=0)
    edges = [
        _loop(nodes[source], middle, own)
        if source == target
        else _edge(nodes[source], nodes[target], own, labels)
        for (source, target), own in labels.items()
    ]
    return _moved(tuple(nodes.values()), _labelled(tuple(nodes.values()), edges))


def check_size(machine: Machine) -> None:
    """Raise `PlotError` where there are too many states to draw."""
    if len(machine.reachable) > MOST_STATES:
        raise PlotError(
            f'machine "{machine.name}" has {len(machine.reachable)} reachable states, too many to'
            f" draw; expected at most {MOST_STATES}"
        )


# ---- labels


def transition_labels(machine: Machine) -> dict[tuple[str, str], list[str]]:
    """For each pair of reachable states with a transition, each input with its Mealy outputs."""
    found: dict[tuple[str, str], list[str]] = {}
    for state in machine.reachable:
        for symbol in machine.inputs:
            taken = machine.transition(state, symbol)
            label = symbol + (f" / {', '.join(taken.outputs)}" if taken.outputs else "")
            found.setdefault((state, taken.to), []).append(label)
    return found


def shortened(labels: list[str]) -> str:
    """A few of the inputs, and how many more there are."""
    first, rest = labels[:MOST_INPUTS], len(labels) - MOST_INPUTS
    if rest > 0:
        first, rest = labels[: MOST_INPUTS - 1], rest + 1
    while len(first) > 1 and len(", ".join(first)) > MOST_LETTERS:
        first, rest = first[:-1], max(rest, 0) + 1
    return _cut(", ".join(first), MOST_LETTERS) + (f" +{rest}" if rest > 0 else "")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


# ---- where states lie


def _places(
    machine: Machine, labels: dict[tuple[str, str], list[str]], sizes: list[Point]
) -> Places:
    """Centres of the reachable states: (S, 2)."""
    index = {state: i for i, state in enumerate(machine.reachable)}
    near = np.full((len(index), len(index)), np.inf)
    for source, target in labels:
        near[index[source], index[target]] = near[index[target], index[source]] = 1.0
    longest = max([len(shortened(own)) for (s, t), own in labels.items() if s != t], default=8)
    hop = min(LABEL_FONT * LETTER * longest, 170) + 1.7 * max(half[0] for half in sizes)
    return _stress(_hops(near) * max(hop, 120.0))


def _apart(places: Places, sizes: list[Point], rounds: int = 200) -> Places:
    """Pushed apart until no two states, with their loops, lie over each other."""
    half = np.array(sizes) + np.array([16.0, 0.75 * LOOP])
    moved = places.copy()
    for _ in range(rounds):
        way = moved[:, None] - moved[None]
        over = half[:, None] + half[None] - np.abs(way)
        np.fill_diagonal(over[..., 0], 0)
        hit = (over > 0).all(2)
        if not hit.any():
            break
        sideways = over[..., 0] < over[..., 1]
        push = np.stack([over[..., 0] * sideways, over[..., 1] * ~sideways], 2) * np.where(
            way < 0, -0.5, 0.5
        )
        moved += np.where(hit[..., None], push, 0).sum(1) * 0.6
    return moved


def _hops(near: Places) -> Places:
    """Shortest ways between all pairs, whichever way transitions point."""
    found = near.copy()
    np.fill_diagonal(found, 0)
    for middle in range(len(found)):
        found = np.minimum(found, found[:, middle, None] + found[middle])
    return found


def _stress(distance: Places, rounds: int = 300) -> Places:
    """Places (S, 2) whose distances are near those wanted, short ones most."""
    count = len(distance)
    angle = 2 * np.pi * np.arange(count) / count
    places = np.stack([-np.cos(angle), -np.sin(angle)], 1) * distance.max() / 2
    if count < 3:
        return np.array([[i * float(distance.max()), 0.0] for i in range(count)])
    weight = 1 / np.maximum(distance, 1e-9) ** 2
    np.fill_diagonal(weight, 0)
    inverse = np.linalg.pinv(np.diag(weight.sum(1)) - weight)
    for _ in range(rounds):
        apart = np.linalg.norm(places[:, None] - places[None], axis=2)
        pull = -weight * distance / np.maximum(apart, 1e-9)
        np.fill_diagonal(pull, 0)
        np.fill_diagonal(pull, -pull.sum(1))
        places = inverse @ (pull @ places)
    return _turned(places)


def _turned(places: Places) -> Places:
    """The longest way across, with the first state to the left and up."""
    centred = places - places.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    turned = centred @ axes.T
    return np.asarray(turned * np.where(turned[0] > 0, -1, 1))


def _size(lines: tuple[str, ...], outputs: str) -> Point:
    """Half of the width and height of a state. Corners of an ellipse hold no text, so that one of
    several lines is wider.
    """
    across = max(FONT * max(map(len, lines)), LABEL_FONT * len(outputs)) * LETTER
    more = LINE * (len(lines) - 1) / 2
    return across / 2 + 15 + more, (25.0 if outputs else 19.0) + 1.3 * more


def _lines(cell: str) -> list[str]:
    """A cell in lines, broken at blanks."""
    return textwrap.wrap(cell, MOST_LETTERS, break_long_words=False, break_on_hyphens=False)


def _texts(machine: Machine) -> list[tuple[tuple[str, ...], str]]:
    """What is written into each reachable state."""
    columns = columns_of(machine.reachable)
    return [
        (
            tuple(
                _cut(line, MOST_LETTERS) for cell in columns.told(state) for line in _lines(cell)
            ),
            _cut(", ".join(machine.outputs_of(state)), MOST_LETTERS),
        )
        for state in machine.reachable
    ]


# ---- how transitions bend


def _edge(
    source: Node, target: Node, own: list[str], labels: dict[tuple[str, str], list[str]]
) -> Edge:
    a, b = np.array(source.centre), np.array(target.centre)
    across = np.array([(b - a)[1], -(b - a)[0]])
    control = (a + b) / 2 + across * (0.22 if (target.state, source.state) in labels else 0.08)
    start, end = _border(source, control), _border(target, control)
    return _made(
        source,
        target,
        (start, start + 2 * (control - start) / 3, end + 2 * (control - end) / 3, end),
        own,
    )


def _loop(node: Node, middle: Places, own: list[str]) -> Edge:
    """A loop on the upper or lower side of a state, away from the middle of the picture."""
    up = -1.0 if node.centre[1] <= middle[1] else 1.0
    width = min(node.half[0] * 0.6, 20.0)
    height = node.half[1] * math.sqrt(1 - (width / node.half[0]) ** 2)
    shape = np.array(
        [
            (-width, height),
            (-width - 10, height + LOOP),
            (width + 10, height + LOOP),
            (width, height),
        ]
    )
    return _made(node, node, tuple(node.centre + shape * (1.0, up)), own)


def _made(source: Node, target: Node, curve: tuple[Places, ...], own: list[str]) -> Edge:
    start, one, two, end = (_point(at) for at in curve)
    return Edge(
        source.state, target.state, start, (one, two), end, shortened(own), start, ", ".join(own)
    )


# ---- where labels stand

Box = tuple[float, float, float, float]


def _labelled(nodes: tuple[Node, ...], edges: list[Edge]) -> tuple[Edge, ...]:
    """Edges with their labels where they lie least over states and over each other; loops choose
    first.
    """
    taken = [_box(node.centre, *node.half) for node in nodes]
    moved: dict[int, Edge] = {}
    for i in sorted(
        range(len(edges)), key=lambda i: (edges[i].source != edges[i].target, -len(edges[i].label))
    ):
        half = LABEL_FONT * LETTER * len(edges[i].label) / 2
        boxes = [(_box(at, half, 8.0), at, cost) for at, cost in _candidates(edges[i], half)]
        box, at, _ = min(
            boxes, key=lambda each: sum(_shared(each[0], other) for other in taken) + each[2]
        )
        taken.append(box)
        moved[i] = replace(edges[i], at=at)
    return tuple(moved[i] for i in range(len(edges)))


def _candidates(edge: Edge, half: float) -> list[tuple[Point, float]]:
    """Where a label may stand, and how little that is liked: beside the curve, near its middle
    first.
    """
    curve = np.array([edge.start, *edge.bend, edge.end])
    loop = edge.source == edge.target
    outwards = 1 if not loop or edge.bend[0][1] < edge.start[1] else -1
    found = []
    for share in (0.5,) if loop else (0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78):
        at = _on_curve(curve, share)
        way = _on_curve(curve, share + 0.01) - at
        across = np.array([way[1], -way[0]]) / max(float(np.linalg.norm(way)), 1e-9)
        air = 10 + abs(across[0]) * half * 0.85
        sides = (outwards,) if loop else (1, -1)
        found += [
            (_point(at + side * air * across), 60 * abs(share - 0.5) + (side < 0)) for side in sides
        ]
    return found


def _on_curve(curve: Places, share: float) -> Places:
    rest = 1 - share
    weights = np.array([rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3])
    return np.asarray(weights @ curve)


def _box(at: Point, across: float, down: float) -> Box:
    return at[0] - across, at[1] - down, at[0] + across, at[1] + down


def _shared(one: Box, other: Box) -> float:
    """Area that two boxes share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across * down if across > 0 and down > 0 else 0.0


def _point(at: Places) -> Point:
    return float(at[0]), float(at[1])


def _border(node: Node, towards: Places) -> Places:
    """Where a line from the middle of an ellipse leaves it, with a little air."""
    way = towards - np.array(node.centre)
    scale = math.hypot(way[0] / (node.half[0] + 3), way[1] / (node.half[1] + 3))
    return np.asarray(np.array(node.centre) + way / max(scale, 1e-9))


def _moved(nodes: tuple[Node, ...], edges: tuple[Edge, ...]) -> Geometry:
    """Everything to the right of and below (0, 0)."""
    boxes = [_box(node.centre, *node.half) for node in nodes]
    boxes += [_box(edge.at, LABEL_FONT * LETTER * len(edge.label) / 2, 9.0) for edge in edges]
    boxes += [
        _box(_point(_on_curve(np.array([e.start, *e.bend, e.end]), 0.5)), 2.0, 2.0) for e in edges
    ]
    low, high = np.min(boxes, axis=0)[:2] - 20, np.max(boxes, axis=0)[2:] + 20

    def to(point: Point) -> Point:
        return float(point[0] - low[0]), float(point[1] - low[1])

    shifted = tuple(replace(node, centre=to(node.centre)) for node in nodes)
    curves = tuple(
        replace(
            e, start=to(e.start), bend=(to(e.bend[0]), to(e.bend[1])), end=to(e.end), at=to(e.at)
        )
        for e in edges
    )
    return Geometry(shifted, curves, float(high[0] - low[0]), float(high[1] - low[1]))
