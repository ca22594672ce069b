"""Drawings as SVG texts, coloured by the page's style, so that they follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from vsafsm.machine import Machine
from vsafsm.plotting.geometry import Edge, Node, Point, geometry
from vsafsm.report.curves import Curve
from vsafsm.sweeps.rows import Row

ARROW = 9.0
Scale = Callable[[float], float]


def graph(machine: Machine, states: Sequence[str]) -> str:
    """The machine; states and transitions carry the numbers of `states`, so that the page can light
    them up.
    """
    found = geometry(machine)
    edges = "".join(_edge(edge, states) for edge in found.edges)
    nodes = "".join(
        _node(node, states.index(node.state), node.state == machine.initial) for node in found.nodes
    )
    size = (
        f'viewBox="0 0 {found.width:.0f} {found.height:.0f}" style="max-width:{found.width:.0f}px"'
    )
    return (
        f'<svg class="graph" role="img" aria-label="{escape(machine.name)} as a graph"'
        f" {size}>{edges}{nodes}</svg>"
    )


def _node(node: Node, number: int, initial: bool) -> str:
    (x, y), (across, down) = node.centre, node.half
    inner = (
        f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{across - 3.5:.1f}" ry="{down - 3.5:.1f}"/>'
        if initial
        else ""
    )
    lift = -4 if node.outputs else 4
    outputs = (
        f'<text class="outputs" x="{x:.1f}" y="{y + 14:.1f}">{escape(node.outputs)}</text>'
        if node.outputs
        else ""
    )
    return (
        f'<g class="node" data-state="{number}"><title>{escape(node.state)}</title>'
        f'<ellipse class="rim" cx="{x:.1f}" cy="{y:.1f}" rx="{across:.1f}" ry="{down:.1f}"/>{inner}'
        f'<text x="{x:.1f}" y="{y + lift:.1f}">{escape(node.name)}</text>{outputs}</g>'
    )


def _edge(edge: Edge, states: Sequence[str]) -> str:
    one, two = edge.bend
    path = f"M{_at(edge.start)} C{_at(one)} {_at(two)} {_at(edge.end)}"
    return (
        f'<g class="edge" data-from="{states.index(edge.source)}"'
        f' data-to="{states.index(edge.target)}"><title>{escape(edge.source)} →'
        f' {escape(edge.target)}: {escape(edge.full)}</title><path d="{path}"/><path class="tip"'
        f' d="{_tip(two, edge.end)}"/><text class="halo" x="{edge.at[0]:.1f}"'
        f' y="{edge.at[1] + 4:.1f}">{escape(edge.label)}</text><text x="{edge.at[0]:.1f}"'
        f' y="{edge.at[1] + 4:.1f}">{escape(edge.label)}</text></g>'
    )


def _at(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"


def _tip(before: Point, end: Point) -> str:
    angle = math.atan2(end[1] - before[1], end[0] - before[0])
    corners = [
        (end[0] - ARROW * math.cos(angle + s), end[1] - ARROW * math.sin(angle + s))
        for s in (-0.4, 0.4)
    ]
    return f"M{_at(end)} L{_at(corners[0])} L{_at(corners[1])} Z"


# ---- curves

WIDTH, HEIGHT = 420.0, 270.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 14.0, 46.0


def chart(curve: Curve) -> str:
    """Shares of correct draws with their intervals against the amount of noise, and the proof's
    bound, dashed.
    """
    rows = sorted(curve.rows, key=lambda row: row.amount)
    low, high = rows[0].amount, max(rows[-1].amount, rows[0].amount + 1e-9)

    def x(amount: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (amount - low) / (high - low)

    def y(share: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)

    parts = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(s):.1f}" y2="{y(s):.1f}"/>'
        f'<text class="tick" text-anchor="end" x="{LEFT - 6}" y="{y(s) + 4:.1f}">{s:g}</text>'
        for s in (0, 0.25, 0.5, 0.75, 1)
    ]
    parts += [
        f'<text class="tick" text-anchor="middle" x="{x(row.amount):.1f}"'
        f' y="{HEIGHT - BOTTOM + 16}">{row.amount:g}</text>'
        for row in _few(rows)
    ]
    parts.append(
        f'<text class="label" text-anchor="middle" x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 8}">'
        f"{escape(curve.label)}</text>"
    )
    bounds = [
        (x(row.amount), y(1 - row.failure_bound)) for row in rows if row.failure_bound is not None
    ]
    parts += [f'<polyline class="bound" points="{_points(bounds)}"/>'] if bounds else []
    for name, kind in (("correct", "s0"), ("always", "s1")):
        parts.append(_series(rows, name, kind, x, y))
    told = f"share of correct draws against {escape(curve.kind)} noise"
    size = f'viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}"'
    return f'<svg class="chart" role="img" aria-label="{told}" {size}>{"".join(parts)}</svg>'


def _series(rows: Sequence[Row], name: str, kind: str, x: Scale, y: Scale) -> str:
    points = [(x(row.amount), y(getattr(row, f"{name}_share"))) for row in rows]
    bars = "".join(
        f'<line x1="{x(row.amount):.1f}" x2="{x(row.amount):.1f}"'
        f' y1="{y(getattr(row, f"{name}_low")):.1f}" y2="{y(getattr(row, f"{name}_high")):.1f}"/>'
        for row in rows
    )
    dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in points)
    return f'<g class="series {kind}"><polyline points="{_points(points)}"/>{bars}{dots}</g>'


def _points(points: Sequence[Point]) -> str:
    return " ".join(map(_at, points))


def _few(rows: Sequence[Row], most: int = 9) -> Sequence[Row]:
    return rows[:: max(1, math.ceil(len(rows) / most))]
