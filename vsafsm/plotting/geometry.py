"""A machine as a graph: what is written into states and beside transitions, and where all of it
lies.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from vsafsm.errors import PlotError
from vsafsm.machine import Machine
from vsafsm.plotting.layered import Arrow, Point, Size, laid_out
from vsafsm.statecharts.columns import columns_of

FONT = 13.0
LABEL_FONT = 11.0
LETTER = 0.6
"""Width of a letter, as a share of the font size."""
MOST_STATES = 300
"""Most states that are laid out: nobody could read more."""
MOST_LETTERS = 28
"""In a line, where there are blanks to break it at."""
MOST_LINES = 10
"""In a label."""
LINE, LABEL_LINE = 16.0, 13.5
"""From one line of a name to the next, and of outputs and labels."""
AIR = 14.0
"""Around the picture."""


@dataclass(frozen=True)
class Line:
    """A line of text, and the height of its middle."""

    text: str
    height: float
    is_output: bool = False


@dataclass(frozen=True)
class Node:
    """A state: an ellipse. Units: pixels, y downwards.

    Attributes
    ----------
    centre, half
        Its middle, and half of its width and height.
    lines
        Its name, which may take several lines, and below it its outputs.
    """

    state: str
    centre: Point
    half: Point
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Edge:
    """All transitions from one state to another: cubic curves of 1 + 3 n points, with an arrow at
    their end.

    Attributes
    ----------
    at, lines
        The middle of what is written beside it, and that.
    full
        The same with nothing left out.
    """

    source: str
    target: str
    points: tuple[Point, ...]
    at: Point
    lines: tuple[Line, ...]
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
        If they are more than `MOST_STATES`, or nothing is installed that lays graphs out.
    """
    if len(machine.reachable) > MOST_STATES:
        raise PlotError(
            f'machine "{machine.name}" has {len(machine.reachable)} reachable states, too many to'
            f" draw; expected at most {MOST_STATES}"
        )
    number = {state: i for i, state in enumerate(machine.reachable)}
    names = [(_name_lines(machine, state), _output_lines(machine, state)) for state in number]
    sizes = [_state_size(*each) for each in names]
    transitions = transition_labels(machine)
    labels = [label_lines(own) for own in transitions.values()]
    arrows = [
        Arrow(number[source], number[target], _label_size(lines))
        for (source, target), lines in zip(transitions, labels, strict=True)
    ]
    found = laid_out(sizes, arrows)

    def to(point: Point) -> Point:
        return point[0] + AIR, point[1] + AIR

    nodes = tuple(
        Node(state, to(centre), (size[0] / 2, size[1] / 2), _written(*told, to(centre)[1]))
        for state, centre, size, told in zip(number, found.boxes, sizes, names, strict=True)
    )
    edges = tuple(
        Edge(
            *(source, target, tuple(map(to, curve.points)), to(curve.label)),
            _stacked(lines, LABEL_LINE, to(curve.label)[1]),
            "; ".join(own),
        )
        for ((source, target), own), curve, lines in zip(
            transitions.items(), found.curves, labels, strict=True
        )
    )
    return Geometry(nodes, edges, found.size[0] + 2 * AIR, found.size[1] + 2 * AIR)


# ---- what is written


def transition_labels(machine: Machine) -> dict[tuple[str, str], list[str]]:
    """For each pair of reachable states with a transition, inputs with the same Mealy outputs: with
    a comma and a blank between them, and the outputs behind a slash.
    """
    grouped: dict[tuple[str, str], dict[tuple[str, ...], list[str]]] = {}
    for state in machine.reachable:
        for symbol in machine.inputs:
            taken = machine.transition(state, symbol)
            grouped.setdefault((state, taken.to), {}).setdefault(taken.outputs, []).append(symbol)
    return {
        pair: [
            ", ".join(inputs) + (f" / {', '.join(outputs)}" if outputs else "")
            for outputs, inputs in each.items()
        ]
        for pair, each in grouped.items()
    }


def label_lines(labels: list[str]) -> tuple[str, ...]:
    """Lines of a label, each transition with outputs of its own in a new one; of a label that is
    too long the first ones, and how many there are more.
    """
    lines = [line for label in labels for line in _wrapped(label)]
    if len(lines) <= MOST_LINES:
        return tuple(lines)
    return (*lines[: MOST_LINES - 1], f"and {len(lines) - MOST_LINES + 1} lines more")


def _wrapped(text: str) -> list[str]:
    """In lines, broken at blanks; the second one and those after it are set in."""
    return textwrap.wrap(
        *(text, MOST_LETTERS),
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _name_lines(machine: Machine, state: str) -> list[str]:
    columns = columns_of(machine.reachable)
    return [line for cell in columns.told(state) for line in _flush(cell)]


def _output_lines(machine: Machine, state: str) -> list[str]:
    return _flush(", ".join(machine.outputs_of(state)))


def _flush(text: str) -> list[str]:
    return textwrap.wrap(text, MOST_LETTERS, break_long_words=False, break_on_hyphens=False)


def _state_size(names: list[str], outputs: list[str]) -> Size:
    """Width and height of an ellipse around a text. Its corners hold none, so that one of several
    lines is wider and higher than the text.
    """
    across = (
        max(FONT * max(map(len, names)), LABEL_FONT * max(map(len, outputs), default=0)) * LETTER
    )
    down = LINE * len(names) + LABEL_LINE * len(outputs)
    several = len(names) + len(outputs) - 1
    return across + 26 + 7 * min(several, 4), down + 18 + 5 * min(several, 4)


def _label_size(lines: tuple[str, ...]) -> Size:
    return LABEL_FONT * LETTER * max(map(len, lines)) + 8, LABEL_LINE * len(lines) + 4


def _written(names: list[str], outputs: list[str], middle: float) -> tuple[Line, ...]:
    top = middle - (LINE * len(names) + LABEL_LINE * len(outputs)) / 2
    below = top + LINE * len(names)
    return (
        *(Line(text, top + (i + 0.5) * LINE) for i, text in enumerate(names)),
        *(Line(text, below + (i + 0.5) * LABEL_LINE, True) for i, text in enumerate(outputs)),
    )


def _stacked(lines: tuple[str, ...], apart: float, middle: float) -> tuple[Line, ...]:
    top = middle - apart * len(lines) / 2
    return tuple(Line(text, top + (i + 0.5) * apart) for i, text in enumerate(lines))
