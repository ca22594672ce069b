"""A machine's graph as SVG text, coloured by whatever page it stands on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from vsafsm.machine import Machine
from vsafsm.plotting.geometry import DOT, LABEL_FONT, Edge, Geometry, Line, Node, Start, geometry
from vsafsm.plotting.layered import Point
from vsafsm.plotting.printing import POINTS, printed
from vsafsm.plotting.style import INK, LIT, MUTED, PAPER, SCREEN, STATE, STATE_RIM, Theme

ARROW = 9.0


def graph(
    machine: Machine, states: Sequence[str], lit: str | None = None, theme: Theme = SCREEN
) -> str:
    """The machine; states and transitions carry the numbers of `states`, so that the page can light
    them up. One state may be lit up from the start. For paper its size is told in mm.
    """
    found = geometry(machine, theme)
    edges = _start(found.start, machine.initial) + "".join(
        _edge(edge, states) for edge in found.edges
    )
    nodes = "".join(
        _node(node, states.index(node.state), node.state == lit) for node in found.nodes
    )
    size = _printed(found) if theme is PAPER else _shown(found)
    return (
        f'<svg class="graph" role="img" aria-label="{escape(machine.name)} as a graph"'
        f" {size}>{edges}{nodes}</svg>"
    )


def _shown(found: Geometry) -> str:
    return (
        f'viewBox="0 0 {found.width:.0f} {found.height:.0f}" style="max-width:{found.width:.0f}px"'
    )


def _printed(found: Geometry) -> str:
    """As wide as a column, or as two, with the graph in the middle."""
    width, scale = printed(found.width, LABEL_FONT)
    wide = width * POINTS / scale
    return (
        f'width="{width:.0f}mm" height="{found.height * scale / POINTS:.1f}mm"'
        f' viewBox="{(found.width - wide) / 2:.1f} 0 {wide:.1f} {found.height:.0f}"'
    )


def _start(start: Start, initial: str) -> str:
    (x, y), (first, *rest) = start.centre, start.points
    return (
        f'<g class="edge"><title>a run begins in {escape(initial)}</title><circle class="tip"'
        f' cx="{x:.1f}" cy="{y:.1f}" r="{DOT / 2:.1f}"/>'
        f'<path d="M{at(first)} C{" ".join(map(at, rest))}"/>'
        f'<path class="tip" d="{_tip(rest[-2], rest[-1])}"/></g>'
    )


def _node(node: Node, number: int, lit: bool) -> str:
    (x, y), (across, down) = node.centre, node.half
    lines = "".join(_line(line, x, "outputs" if line.is_output else "") for line in node.lines)
    return (
        f'<g class="node{" lit" * lit}" data-state="{number}"><title>{escape(node.state)}</title>'
        f'<ellipse class="rim" cx="{x:.1f}" cy="{y:.1f}" rx="{across:.1f}" ry="{down:.1f}"/>'
        f"{lines}</g>"
    )


def _line(line: Line, x: float, kind: str) -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{line.height + 4:.1f}">{escape(line.text)}</text>'


def _edge(edge: Edge, states: Sequence[str]) -> str:
    start, *rest = edge.points
    path = f"M{at(start)} C" + " ".join(map(at, rest))
    texts = "".join(_line(line, edge.at[0], kind) for kind in ("halo", "") for line in edge.lines)
    return (
        f'<g class="edge" data-from="{states.index(edge.source)}"'
        f' data-to="{states.index(edge.target)}"><title>{escape(edge.source)} →'
        f' {escape(edge.target)}: {escape(edge.full)}</title><path d="{path}"/><path class="tip"'
        f' d="{_tip(rest[-2], rest[-1])}"/>{texts}</g>'
    )


def at(point: Point) -> str:
    """A point as a path has it."""
    return f"{point[0]:.1f},{point[1]:.1f}"


def _tip(before: Point, end: Point) -> str:
    angle = math.atan2(end[1] - before[1], end[0] - before[0])
    corners = [
        (end[0] - ARROW * math.cos(angle + s), end[1] - ARROW * math.sin(angle + s))
        for s in (-0.4, 0.4)
    ]
    return f"M{at(end)} L{at(corners[0])} L{at(corners[1])} Z"


# ---- by itself

STYLE = f"""
.vsafsm-graph{{background:#fff}}
.vsafsm-graph:not([width]){{width:100%;height:auto}}
.vsafsm-graph text{{fill:{INK};font:11px system-ui,Helvetica,Arial,sans-serif;text-anchor:middle}}
.vsafsm-graph .node ellipse{{fill:none;stroke:{STATE_RIM};stroke-width:1.2}}
.vsafsm-graph .node .rim{{fill:{STATE}}}
.vsafsm-graph .node.lit .rim{{fill:{LIT};stroke-width:2.2}}
.vsafsm-graph .node text{{font-size:13px}}
.vsafsm-graph .node .outputs{{font-size:11px;fill:{MUTED}}}
.vsafsm-graph .edge path{{fill:none;stroke:{MUTED};stroke-width:1.1}}
.vsafsm-graph .edge .tip{{fill:{MUTED}}}
.vsafsm-graph .edge .halo{{stroke:#fff;stroke-width:4;stroke-linejoin:round}}
"""
"""Its rules name one class, so that they change nothing else on the page of a notebook."""


def standalone(machine: Machine, lit: str | None = None, theme: Theme = SCREEN) -> str:
    """The graph with its own style, for notebooks and files; one state may be lit up."""
    drawing = graph(machine, machine.states, lit, theme)
    return drawing.replace(
        '<svg class="graph"', '<svg xmlns="http://www.w3.org/2000/svg" class="vsafsm-graph"', 1
    ).replace(">", f"><style>{STYLE}</style>", 1)
