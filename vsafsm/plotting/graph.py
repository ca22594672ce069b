"""The machine itself, as a directed graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vsafsm.argument_checks import check_machine
from vsafsm.errors import UnknownStateError, did_you_mean
from vsafsm.machine import Machine, listed
from vsafsm.plotting.canvas import check_matplotlib, drawing, plain
from vsafsm.plotting.geometry import DOT, FONT, LABEL_FONT, Edge, Geometry, Node, Start, geometry
from vsafsm.plotting.layered import Point
from vsafsm.plotting.printing import POINTS, printed
from vsafsm.plotting.style import (
    ALERT,
    INK,
    LIT,
    MUTED,
    PAPER,
    SCREEN,
    STATE,
    STATE_RIM,
    Theme,
    theme_of,
)
from vsafsm.program import Program

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS_PER_PIXEL = 72 / 96
"""On a screen."""


@dataclass(frozen=True)
class Look:
    """Of an ellipse.

    Attributes
    ----------
    heavy
        Whether its rim is wider.
    alert
        Whether a reader is to look at it.
    """

    fill: str = STATE
    heavy: bool = False
    dashed: bool = False
    alert: bool = False


def draw(
    machine: Machine | Program, *, state: str | None = None, theme: str = SCREEN.name
) -> Figure:
    """A machine, or that of a program, as a graph (``vsafsm.draw``).

    States have their Moore outputs, transitions their inputs and Mealy outputs. A dot leads to the
    initial state. States that no word reaches are left out.

    Parameters
    ----------
    machine
    state
        A state to highlight.
    theme
        ``"screen"``, or ``"paper"``: as wide as one column (85 mm), or as two (178 mm) where text
        would be smaller than 6 points.

    Returns
    -------
    matplotlib.figure.Figure
        Shown by a notebook; ``savefig`` writes it.

    Raises
    ------
    ArgumentError
        If `machine` is none, and no program.
    PlotError
        If Matplotlib is not installed, or there is no such theme.
    UnknownStateError
        If the state is not reached.

    Examples
    --------
    >>> import vsafsm
    >>> machine = vsafsm.load("specs/turnstile.yaml")
    >>> vsafsm.draw(machine, state="locked").savefig("turnstile.svg")
    """
    if isinstance(machine, Program):
        machine = machine.machine
    check_machine(machine, "vsafsm.draw")
    check_matplotlib()
    chosen = theme_of(theme)
    if state is not None:
        check_reached(machine, state)
    looks = {
        each: Look(LIT if each == state else STATE, heavy=each == state)
        for each in machine.reachable
    }
    with drawing(chosen):
        return drawn(geometry(machine, chosen), chosen, looks)


def drawn(
    found: Geometry, theme: Theme, looks: Mapping[str, Look] = MappingProxyType({})
) -> Figure:
    """A figure of a graph that is laid out."""
    from vsafsm.plotting.picture import Picture

    scale, wide = POINTS_PER_PIXEL, found.width
    if theme is PAPER:
        width, scale = printed(found.width, LABEL_FONT)
        wide = width * POINTS / scale
    made = Picture(theme, wide * scale / 72, found.height * scale / 72)
    made.set_layout_engine("none")
    axes = made.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    left = (found.width - wide) / 2
    axes.set(xlim=(left, left + wide), ylim=(found.height, 0))
    pen = _Pen(axes, scale, theme)
    pen.start(found.start)
    for edge in found.edges:
        pen.edge(edge)
    for node in found.nodes:
        pen.node(node, looks.get(node.state, Look()))
    return made


def check_reached(machine: Machine, name: str) -> None:
    """Raise `UnknownStateError` where no word reaches a state of this name."""
    if name not in machine.reachable:
        hint = did_you_mean(name, machine.reachable)
        raise UnknownStateError(
            f'no state "{name}" is reached; expected {listed(machine.reachable)}{hint}'
        )


class _Pen:
    """Draws into axes whose units are pixels, each of so many points."""

    def __init__(self, axes: Any, scale: float, theme: Theme) -> None:
        self.axes, self.scale, self.theme = axes, scale, theme

    def node(self, node: Node, look: Look) -> None:
        from matplotlib.patches import Ellipse

        thin = 1.5 * self.theme.thin
        across, down = 2 * node.half[0], 2 * node.half[1]
        self.axes.add_patch(
            Ellipse(
                *(node.centre, across, down),
                facecolor=look.fill,
                edgecolor=ALERT if look.alert else STATE_RIM,
                linewidth=2 * thin if look.heavy or look.alert else thin,
                linestyle="--" if look.dashed else "-",
                zorder=3,
            )
        )
        for line in node.lines:
            size, colour = (LABEL_FONT, MUTED) if line.is_output else (FONT, INK)
            self.text(node.centre[0], line.height, line.text, size, color=colour, zorder=5)

    def start(self, start: Start) -> None:
        from matplotlib.patches import Ellipse

        self.axes.add_patch(Ellipse(start.centre, DOT, DOT, color=MUTED, linewidth=0, zorder=3))
        self._arrow(start.points)

    def edge(self, edge: Edge) -> None:
        self._arrow(edge.points)
        halo = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
        for line in edge.lines:
            self.text(edge.at[0], line.height, line.text, LABEL_FONT, bbox=halo, zorder=6)

    def _arrow(self, points: Sequence[Point]) -> None:
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        curve = Path(points, [Path.MOVETO, *[Path.CURVE4] * (len(points) - 1)])
        self.axes.add_patch(
            FancyArrowPatch(
                path=curve,
                arrowstyle="-|>",
                mutation_scale=14 * self.scale,
                color=MUTED,
                linewidth=1.3 * self.theme.thin,
                shrinkA=0,
                shrinkB=0,
                zorder=2,
            )
        )

    def text(self, x: float, y: float, text: str, size: float, **style: Any) -> None:
        self.axes.text(
            *(x, y, plain(text)), fontsize=size * self.scale, ha="center", va="center", **style
        )
