"""The machine itself, as a directed graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsafsm.errors import UnknownStateError, did_you_mean
from vsafsm.machine import Machine, listed
from vsafsm.plotting.canvas import check_matplotlib, figure, plain
from vsafsm.plotting.geometry import FONT, LABEL_FONT, Edge, Node, geometry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 96
POINTS_PER_PIXEL = 72 / PIXELS_PER_INCH


def draw(machine: Machine, *, state: str | None = None) -> Figure:
    """A machine as a graph (``vsafsm.draw``).

    States have their Moore outputs, transitions their inputs and Mealy outputs. The initial state
    is framed twice. States that no word reaches are left out.

    Parameters
    ----------
    machine
    state
        A state to highlight.

    Returns
    -------
    matplotlib.figure.Figure
        Shown by a notebook; ``savefig`` writes it.

    Raises
    ------
    PlotError
        If Matplotlib is not installed.
    UnknownStateError
        If the state is not reached.

    Examples
    --------
    >>> import vsafsm
    >>> machine = vsafsm.load("specs/turnstile.yaml")
    >>> vsafsm.draw(machine, state="locked").savefig("turnstile.svg")
    """
    check_matplotlib()
    if state is not None:
        check_reached(machine, state)
    found = geometry(machine)
    made = figure(found.width / PIXELS_PER_INCH, found.height / PIXELS_PER_INCH)
    made.set_layout_engine("none")
    axes = made.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, found.width), ylim=(found.height, 0))
    for edge in found.edges:
        _draw_edge(axes, edge)
    for node in found.nodes:
        _draw_node(axes, node, node.state == machine.initial, node.state == state)
    return made


def check_reached(machine: Machine, name: str) -> None:
    """Raise `UnknownStateError` where no word reaches a state of this name."""
    if name not in machine.reachable:
        hint = did_you_mean(name, machine.reachable)
        raise UnknownStateError(
            f'no state "{name}" is reached; expected {listed(machine.reachable)}{hint}'
        )


def _draw_node(axes: Any, node: Node, initial: bool, lit: bool) -> None:
    from matplotlib.patches import Ellipse

    across, down = 2 * node.half[0], 2 * node.half[1]
    axes.add_patch(
        Ellipse(
            node.centre,
            across,
            down,
            facecolor="#ffe2a8" if lit else "#eef1fb",
            edgecolor="#3b4cc0",
            linewidth=2.2 if lit else 1.2,
            zorder=3,
        )
    )
    if initial:
        axes.add_patch(
            Ellipse(
                node.centre,
                across - 7,
                down - 7,
                fill=False,
                edgecolor="#3b4cc0",
                linewidth=1,
                zorder=4,
            )
        )
    for line in node.lines:
        axes.text(
            node.centre[0],
            line.height,
            plain(line.text),
            fontsize=(LABEL_FONT if line.is_output else FONT) * POINTS_PER_PIXEL,
            color="#555555" if line.is_output else "black",
            ha="center",
            va="center",
            zorder=5,
        )


def _draw_edge(axes: Any, edge: Edge) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    curve = Path(edge.points, [Path.MOVETO, *[Path.CURVE4] * (len(edge.points) - 1)])
    axes.add_patch(
        FancyArrowPatch(
            path=curve,
            arrowstyle="-|>",
            mutation_scale=11,
            color="#444444",
            linewidth=1,
            shrinkA=0,
            shrinkB=0,
            zorder=2,
        )
    )
    for line in edge.lines:
        axes.text(
            edge.at[0],
            line.height,
            plain(line.text),
            fontsize=LABEL_FONT * POINTS_PER_PIXEL,
            ha="center",
            va="center",
            zorder=6,
            color="#1a1a1a",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
        )
