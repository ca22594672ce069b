"""A machine's graph as SVG text, coloured by whatever page it stands on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from vsafsm.machine import Machine
from vsafsm.plotting.geometry import Edge, Line, Node, geometry
from vsafsm.plotting.layered import Point

ARROW = 9.0


def graph(machine: Machine, states: Sequence[str], lit: str | None = None) -> str:
    """The machine; states and transitions carry the numbers of `states`, so that the page can light
    them up. One state may be lit up from the start.
    """
    found = geometry(machine)
    edges = "".join(_edge(edge, states) for edge in found.edges)
    nodes = "".join(
        _node(node, states.index(node.state), node.state == machine.initial, node.state == lit)
        for node in found.nodes
    )
    size = (
        f'viewBox="0 0 {found.width:.0f} {found.height:.0f}" style="max-width:{found.width:.0f}px"'
    )
    return (
        f'<svg class="graph" role="img" aria-label="{escape(machine.name)} as a graph"'
        f" {size}>{edges}{nodes}</svg>"
    )


def _node(node: Node, number: int, initial: bool, lit: bool) -> str:
    (x, y), (across, down) = node.centre, node.half
    inner = (
        f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{across - 3.5:.1f}" ry="{down - 3.5:.1f}"/>'
        if initial
        else ""
    )
    lines = "".join(_line(line, x, "outputs" if line.is_output else "") for line in node.lines)
    return (
        f'<g class="node{" lit" * lit}" data-state="{number}"><title>{escape(node.state)}</title>'
        f'<ellipse class="rim" cx="{x:.1f}" cy="{y:.1f}" rx="{across:.1f}" ry="{down:.1f}"/>{inner}'
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

STYLE = """
.vsafsm-graph{background:#fff;width:100%;height:auto}
.vsafsm-graph text{fill:#1b1d28;font:11px system-ui,sans-serif;text-anchor:middle}
.vsafsm-graph .node ellipse{fill:none;stroke:#3b4cc0;stroke-width:1.2}
.vsafsm-graph .node .rim{fill:#eef1fb}
.vsafsm-graph .node.lit .rim{fill:#ffe2a8;stroke-width:2.2}
.vsafsm-graph .node text{font-size:13px}
.vsafsm-graph .node .outputs{font-size:11px;fill:#5c6175}
.vsafsm-graph .edge path{fill:none;stroke:#555b70;stroke-width:1.1}
.vsafsm-graph .edge .tip{fill:#555b70}
.vsafsm-graph .edge .halo{stroke:#fff;stroke-width:4;stroke-linejoin:round}
"""
"""Its rules name one class, so that they change nothing else on the page of a notebook."""


def standalone(machine: Machine, lit: str | None = None) -> str:
    """The graph with its own style, for notebooks and files; one state may be lit up."""
    drawing = graph(machine, machine.states, lit)
    return drawing.replace(
        '<svg class="graph"', '<svg xmlns="http://www.w3.org/2000/svg" class="vsafsm-graph"', 1
    ).replace(">", f"><style>{STYLE}</style>", 1)
