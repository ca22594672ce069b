"""Where boxes and arrows of a graph lie, in layers from left to right or from top to bottom: by
Graphviz's ``dot`` where it is installed, or else by igraph.

Both lay graphs out by the method of Sugiyama, Tagawa and Toda (1981): arrows go around boxes, and
labels have room of their own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from vsafsm.errors import PlotError
from vsafsm.plotting import graphviz

Point = tuple[float, float]
Size = tuple[float, float]
GAP, LAYERS_APART = 22.0, 34.0
"""Pixels between boxes of a layer, and between layers."""
PAGE = (4.0, 3.0)
"""Shape of a page that pictures are to fill."""
PORTS = 0.6
"""Share of a side of a box on which igraph's arrows begin and end."""
SHORTEST = 1.0
"""Length of a piece of a curve of igraph's."""
LOOP = 30.0
"""How far a loop of igraph's, which lays out none, goes from its box."""


class Arrow(NamedTuple):
    """From one box to another, by number, with a label of some width and height."""

    source: int
    target: int
    label: Size


class Curve(NamedTuple):
    """Cubic curves of 1 + 3 n points, from the border of a box to that of another, and the middle
    of the label.
    """

    points: tuple[Point, ...]
    label: Point


class Laid(NamedTuple):
    """Middles of boxes, a curve per arrow, and width and height of all. Pixels, y downwards."""

    boxes: tuple[Point, ...]
    curves: tuple[Curve, ...]
    size: Size


def is_there() -> bool:
    """Whether anything is installed that lays graphs out."""
    return graphviz.is_there() or find_spec("igraph") is not None


def laid_out(
    sizes: Sequence[Size], arrows: Sequence[Arrow], page: Size = PAGE, gap: float = GAP
) -> Laid:
    """Lay ellipses of some widths and heights out, joined by arrows: in layers across or down,
    whichever is larger on a page of this shape; with a gap between boxes of a layer.

    Raises
    ------
    PlotError
        If neither Graphviz nor igraph is installed, or Graphviz fails.
    """
    if graphviz.is_there():
        engine = _by_dot
    elif find_spec("igraph") is not None:
        engine = _by_igraph
    else:
        raise PlotError(
            'a graph is laid out by Graphviz (the program "dot") or igraph, and neither is'
            " installed; expected: pip install 'vsafsm[plot]'"
        )
    ways = (engine(sizes, arrows, across, gap) for across in (True, False))
    return min(ways, key=lambda laid: max(laid.size[0] / page[0], laid.size[1] / page[1]))


# ---- dot


def _by_dot(sizes: Sequence[Size], arrows: Sequence[Arrow], across: bool, gap: float) -> Laid:
    found: Any = json.loads(graphviz.laid_out(_text(sizes, arrows, across, gap)))
    width, height = (float(each) for each in found["bb"].split(",")[2:])

    def to(text: str) -> Point:
        x, y = text.split(",")
        return float(x), height - float(y)

    boxes = {each["id"]: to(each["pos"]) for each in found["objects"]}
    curves = {}
    for each in found.get("edges", ()):
        *points, end = _ends_last(each["pos"])
        curve = tuple(map(to, points))
        label = to(each["lp"]) if "lp" in each else curve[len(curve) // 2]
        # The curve ends before the tip of its arrow: its last piece is led up to it.
        curves[each["id"]] = Curve((*curve[:-1], to(end)), label)
    return Laid(
        tuple(boxes[f"n{i}"] for i in range(len(sizes))),
        tuple(curves[f"e{i}"] for i in range(len(arrows))),
        (width, height),
    )


def _ends_last(text: str) -> list[str]:
    """Points of ``e,END P0 P1 ...``: those of the curve, then its end."""
    end, *points = text.split()
    return [*points, end.removeprefix("e,")]


def _text(sizes: Sequence[Size], arrows: Sequence[Arrow], across: bool, gap: float) -> str:
    """In DOT, where 72 pixels are an inch. Texts are left out: empty tables keep their room."""
    lines = [
        "digraph {",
        f"  graph [rankdir={'LR' if across else 'TB'}];",
        f"  graph [nodesep={gap / 72:.3f}, ranksep={LAYERS_APART / 72:.3f}];",
        '  node [shape=ellipse, fixedsize=true, label=""];',
    ]
    for i, (wide, high) in enumerate(sizes):
        lines.append(f'  n{i} [id="n{i}", width={wide / 72:.4f}, height={high / 72:.4f}];')
    for i, (source, target, (wide, high)) in enumerate(arrows):
        label = (
            '<<table border="0" cellborder="0" cellspacing="0" cellpadding="0" fixedsize="true"'
            f' width="{math.ceil(wide)}" height="{math.ceil(high)}"><tr><td></td></tr></table>>'
        )
        lines.append(f'  n{source} -> n{target} [id="e{i}", label={label}];')
    return "\n".join([*lines, "}"]) + "\n"


# ---- igraph


def _by_igraph(sizes: Sequence[Size], arrows: Sequence[Arrow], across: bool, gap: float) -> Laid:
    """States lie in even layers, labels in odd ones. In each layer between, an arrow has a place of
    its own, and so a way around all boxes.
    """

    def turned(pair: tuple[float, float]) -> tuple[float, float]:
        return (pair[1], pair[0]) if across else pair

    # Of boxes, labels and places: extent along the layer and across it, and layer.
    extents = [turned(size) for size in _with_loops(sizes, arrows, across)]
    layers = _layers(len(sizes), arrows)
    ways: dict[int, list[int]] = {}
    for i, (source, target, label) in enumerate(arrows):
        if source == target:
            continue
        first, last = layers[source], layers[target]
        step = 1 if last > first else -1
        between = range(first + step, last, step)
        middle = between[len(between) // 2]
        middle += step * (middle % 2 == 0)
        ways[i] = [source, *range(len(layers), len(layers) + len(between)), target]
        extents += [turned(label) if layer == middle else (0.0, 0.0) for layer in between]
        layers += between
    along = _along(layers, ways.values(), extents, gap)
    depth = [0.0] * (max(layers) + 1)
    for layer, (_, deep) in zip(layers, extents, strict=True):
        depth[layer] = max(depth[layer], deep)
    ends = list(accumulate(LAYERS_APART + deep for deep in depth))
    middles = [end - deep / 2 for end, deep in zip(ends, depth, strict=True)]
    places = [(own, middles[layer]) for own, layer in zip(along, layers, strict=True)]
    ports = _ports(layers, ways, along, [turned(size) for size in sizes])
    curves = []
    for i, (source, target, label) in enumerate(arrows):
        if source == target:
            curves.append(_loop(turned(places[source]), sizes[source], label, across))
            continue
        way, sign = ways[i], 1 if layers[target] > layers[source] else -1
        # Across each layer an arrow is straight: from its port, through its places, to its port.
        sides = (1,), *(((-1, 1),) * (len(way) - 2)), (-1,)
        through = [
            (
                along[each] + (ports[i, each][0] if each in (source, target) else 0.0),
                middles[layers[each]] + side * sign * depth[layers[each]] / 2,
            )
            for each, own in zip(way, sides, strict=True)
            for side in own
        ]
        start, end = (
            (along[box] + ports[i, box][0], middles[layers[box]] + side * sign * ports[i, box][1])
            for box, side in ((source, 1), (target, -1))
        )
        points = tuple(map(turned, _bent([start, *through, end])))
        at = next(each for each in way[1:-1] if extents[each] == turned(label))
        curves.append(Curve(points, turned(places[at])))
    return _moved([turned(places[box]) for box in range(len(sizes))], curves, sizes, arrows)


def _layers(boxes: int, arrows: Sequence[Arrow]) -> list[int]:
    """An even layer per box: below all boxes that lead to it, but for arrows that close a cycle.

    Depth first from boxes that no arrow leads to, so that a run goes down the page.
    """
    following: list[list[int]] = [[] for _ in range(boxes)]
    for source, target in dict.fromkeys((a.source, a.target) for a in arrows):
        if source != target:
            following[source].append(target)
    led_to = {target for targets in following for target in targets}
    seen, left = set[int](), list[int]()
    for root in sorted(range(boxes), key=lambda box: (box in led_to, box)):
        if root in seen:
            continue
        seen.add(root)
        way = [(root, iter(following[root]))]
        while way:
            box, rest = way[-1]
            deeper = next((each for each in rest if each not in seen), None)
            if deeper is None:
                left.append(box)
                way.pop()
            else:
                seen.add(deeper)
                way.append((deeper, iter(following[deeper])))
    # A box is left after all that follow it, but for those on the way to it: these close a cycle.
    order = {box: i for i, box in enumerate(reversed(left))}
    layers = [0] * boxes
    for box in order:
        for each in following[box]:
            if order[each] > order[box]:
                layers[each] = max(layers[each], layers[box] + 2)
    return layers


def _along(
    layers: Sequence[int], ways: Iterable[Sequence[int]], extents: Sequence[Size], gap: float
) -> list[float]:
    """Where each lies along its layer: in igraph's order and near its place, with room for all."""
    import igraph  # type: ignore[import-untyped,unused-ignore]

    pieces = [
        (one, two) if layers[one] < layers[two] else (two, one)
        for way in ways
        for one, two in pairwise(way)
    ]
    graph = igraph.Graph(len(layers), pieces, directed=True)
    usual = gap + sum(extent for extent, _ in extents) / len(extents)
    laid = graph.layout_sugiyama(layers=list(layers), maxiter=500).coords
    found = [usual * x for x, _ in laid]
    for layer in set(layers):
        own = sorted((i for i in range(len(layers)) if layers[i] == layer), key=found.__getitem__)
        wanted = [found[i] for i in own]
        for one, two in pairwise(own):
            room = (extents[one][0] + extents[two][0]) / 2 + gap
            found[two] = max(found[two], found[one] + room)
        shift = sum(found[i] - at for i, at in zip(own, wanted, strict=True)) / len(own)
        for i in own:
            found[i] -= shift
    return found


def _ports(
    layers: Sequence[int],
    ways: Mapping[int, Sequence[int]],
    along: Sequence[float],
    sizes: Sequence[Size],
) -> dict[tuple[int, int], Point]:
    """Where arrows touch boxes, from their middles: along the layer, in the order of where they go;
    and how far out the border of the ellipse is there.
    """
    sides: dict[tuple[int, bool], list[tuple[float, int]]] = {}
    for i, way in ways.items():
        for box, near in ((way[0], way[1]), (way[-1], way[-2])):
            sides.setdefault((box, layers[near] > layers[box]), []).append((along[near], i))
    found = {}
    for (box, _), own in sides.items():
        wide, deep = sizes[box]
        for rank, (_, i) in enumerate(sorted(own)):
            at = PORTS * wide * ((rank + 0.5) / len(own) - 0.5)
            found[i, box] = at, deep / 2 * math.sqrt(1 - (2 * at / wide) ** 2)
    return found


def _bent(points: Sequence[Point]) -> tuple[Point, ...]:
    """Cubic curves through points, straight across a layer and bent from layer to layer."""
    # Pieces without length have no direction, and an arrow that ends in one would have no tip.
    apart = [points[0], *(two for one, two in pairwise(points) if math.dist(one, two) > SHORTEST)]
    found = [points[0]]
    for one, two in pairwise(apart):
        half = (two[1] - one[1]) / 2
        found += [(one[0], one[1] + half), (two[0], two[1] - half), two]
    return tuple(found)


def _with_loops(sizes: Sequence[Size], arrows: Sequence[Arrow], across: bool) -> list[Size]:
    """Boxes with room for a loop and its label, where no other arrows come: above, where layers
    follow each other across the page, else to the right; and on the other side as much, so that the
    box stays in the middle.
    """
    loops = {a.source: a.label for a in arrows if a.source == a.target}
    found = []
    for i, (wide, high) in enumerate(sizes):
        if i not in loops:
            found.append((wide, high))
        elif across:
            found.append((max(wide, loops[i][0]), high + 2 * (LOOP + loops[i][1])))
        else:
            found.append((wide + 2 * (LOOP + loops[i][0]), max(high, loops[i][1])))
    return found


def _loop(middle: Point, size: Size, label: Size, across: bool) -> Curve:
    """From a box to itself: drawn to the right, and turned where it is to be above."""
    (x, y), (wide, high) = middle, size if not across else (size[1], size[0])
    apart = min(high * 0.3, 20.0 if across else 9.0)
    border, out = wide / 2 * math.sqrt(max(0.0, 1 - (2 * apart / high) ** 2)), wide / 2 + LOOP
    points = ((border, -apart), (out, -apart - 8), (out, apart + 8), (border, apart))
    at = wide / 2 + LOOP * 0.8 + label[1 if across else 0] / 2

    def to(point: Point) -> Point:
        return (x + point[1], y - point[0]) if across else (x + point[0], y + point[1])

    return Curve(tuple(map(to, points)), to((at, 0.0)))


def _moved(
    boxes: Sequence[Point], curves: Sequence[Curve], sizes: Sequence[Size], arrows: Sequence[Arrow]
) -> Laid:
    """Everything to the right of and below (0, 0)."""
    corners = [
        (x + side * wide / 2, y + side * high / 2)
        for (x, y), (wide, high) in (
            *zip(boxes, sizes, strict=True),
            *((c.label, a.label) for c, a in zip(curves, arrows, strict=True)),
        )
        for side in (-1, 1)
    ]
    corners += [point for curve in curves for point in curve.points]
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    right, bottom = max(x for x, _ in corners), max(y for _, y in corners)

    def to(point: Point) -> Point:
        return point[0] - left, point[1] - top

    moved = (Curve(tuple(map(to, c.points)), to(c.label)) for c in curves)
    return Laid(tuple(map(to, boxes)), tuple(moved), (right - left, bottom - top))
