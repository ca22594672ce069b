"""Curves as SVG texts, coloured by the page's style, so that they follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from vsafsm.plotting.layered import Point
from vsafsm.plotting.svg import at
from vsafsm.report.curves import Curve
from vsafsm.sweeps.rows import Row

Scale = Callable[[float], float]
WIDTH, HEIGHT = 420.0, 270.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 14.0, 46.0


def chart(curve: Curve) -> str:
    """Shares of correct draws with their intervals against the amount of noise, and the proof's
    bound, dashed.
    """
    rows = sorted(curve.rows, key=lambda row: row.amount)
    low, high = rows[0].amount, max(rows[-1].amount, rows[0].amount + 1e-9)

    def x(amount: float) -> float:
        along = (high - amount if curve.backwards else amount - low) / (high - low)
        return LEFT + (WIDTH - LEFT - RIGHT) * along

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
    label = f"share of correct draws against {escape(curve.kind)} noise"
    size = f'viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}"'
    return f'<svg class="chart" role="img" aria-label="{label}" {size}>{"".join(parts)}</svg>'


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
    return " ".join(map(at, points))


def _few(rows: Sequence[Row], most: int = 9) -> Sequence[Row]:
    return rows[:: max(1, math.ceil(len(rows) / most))]
