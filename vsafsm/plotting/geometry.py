"""A machine as a graph: what is written into states and beside transitions, and where all of it
lies.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from vsafsm.errors import PlotError
from vsafsm.machine import Machine
from vsafsm.plotting.layered import GAP, PAGE, Arrow, Point, Size, laid_out
from vsafsm.plotting.printing import POINTS
from vsafsm.plotting.style import LEAST_TEXT, PAPER, SCREEN, Theme
from vsafsm.statecharts.columns import columns_of

FONT = 13.0
LABEL_FONT = 11.0
LETTER = 0.6
"""Width of a letter, as a share of the font size."""
MOST_STATES = 300
"""Most states that are laid out: nobody could read more."""
MOST_LETTERS, MOST_ON_PAPER = 28, 17
"""In a line, where there are blanks to break it at: on a screen, and in a column."""
MOST_LINES = 10
"""In a label."""
LINE, LABEL_LINE = 16.0, 13.5
"""From one line of a name to the next, and of outputs and labels."""
DOT = 9.0
"""Width of the dot from which an arrow leads to where a run begins."""
AIR = 14.0
"""Around the picture."""
NARROW = 0.5
"""On paper, air and gaps are smaller by this factor."""
COLUMN = PAPER.column * POINTS * LABEL_FONT / LEAST_TEXT, 1000.0
"""Width and height of a column in pixels, where labels have the smallest text."""


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
class Start:
    """A dot, and the curve that leads from it to where a run begins."""

    centre: Point
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Geometry:
    """A machine as a graph that is `width` by `height` pixels."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    start: Start
    width: float
    height: float


@dataclass(frozen=True)
class Told:
    """What is written into an ellipse: its name, and outputs below; in lines."""

    key: str
    names: tuple[str, ...]
    outputs: tuple[str, ...] = ()


@lru_cache(maxsize=4)
def geometry(machine: Machine, theme: Theme = SCREEN) -> Geometry:
    """Lay the reachable states of a machine out. The last ones are remembered: a picture is drawn
    and measured.

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
    most = most_letters(theme)
    states = [
        Told(
            state,
            tuple(_name_lines(machine, state, most)),
            tuple(flush(", ".join(machine.outputs_of(state)), most)),
        )
        for state in machine.reachable
    ]
    return placed(states, transition_labels(machine), machine.initial, theme)


def placed(
    told: Sequence[Told],
    labels: Mapping[tuple[str, str], list[str]],
    first: str,
    theme: Theme = SCREEN,
) -> Geometry:
    """Lay ellipses out by what is written into them, and arrows from one to another by what is
    written beside them. A run begins in the `first`.
    """
    number = {each.key: i for i, each in enumerate(told)}
    sizes = [*(_ellipse_size(each) for each in told), (DOT, DOT)]
    lines = [label_lines(own, most_letters(theme)) for own in labels.values()]
    arrows = [
        *(
            Arrow(number[source], number[target], _label_size(own))
            for (source, target), own in zip(labels, lines, strict=True)
        ),
        Arrow(len(told), number[first], _label_size(())),
    ]
    page, narrow = (COLUMN, NARROW) if theme is PAPER else (PAGE, 1.0)
    found, air = laid_out(sizes, arrows, page, narrow * GAP), narrow * AIR

    def to(point: Point) -> Point:
        return point[0] + air, point[1] + air

    nodes = tuple(
        Node(each.key, to(centre), (size[0] / 2, size[1] / 2), _written(each, to(centre)[1]))
        for each, centre, size in zip(told, found.boxes[:-1], sizes[:-1], strict=True)
    )
    edges = tuple(
        Edge(
            *(source, target, tuple(map(to, curve.points)), to(curve.label)),
            _stacked(own_lines, LABEL_LINE, to(curve.label)[1]),
            "; ".join(own),
        )
        for ((source, target), own), curve, own_lines in zip(
            labels.items(), found.curves[:-1], lines, strict=True
        )
    )
    start = Start(to(found.boxes[-1]), tuple(map(to, found.curves[-1].points)))
    return Geometry(nodes, edges, start, found.size[0] + 2 * air, found.size[1] + 2 * air)


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


def most_letters(theme: Theme) -> int:
    """Letters in a line, where there are blanks to break it at."""
    return MOST_ON_PAPER if theme is PAPER else MOST_LETTERS


def label_lines(labels: list[str], most: int = MOST_LETTERS) -> tuple[str, ...]:
    """Lines of a label, each transition with outputs of its own in a new one; of a label that is
    too long the first ones, and how many there are more.
    """
    lines = [line for label in labels for line in _wrapped(label, most)]
    if len(lines) <= MOST_LINES:
        return tuple(lines)
    return (*lines[: MOST_LINES - 1], f"and {len(lines) - MOST_LINES + 1} lines more")


def _wrapped(text: str, most: int) -> list[str]:
    """In lines, broken at blanks; the second one and those after it are set in."""
    return textwrap.wrap(
        *(text, most),
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _name_lines(machine: Machine, state: str, most: int) -> list[str]:
    columns = columns_of(machine.reachable)
    lines = [line for cell in columns.told(state) for line in flush(cell, most)]
    return lines if most == MOST_LETTERS else [part for line in lines for part in cut(line, most)]


def cut(name: str, most: int) -> list[str]:
    """A name in lines, cut behind underscores where it is too long."""
    at = name.rfind("_", 0, most) + 1
    if len(name) <= most or not at:
        return [name]
    return [name[:at], *cut(name[at:], most)]


def flush(text: str, most: int) -> list[str]:
    """In lines, broken at blanks."""
    return textwrap.wrap(text, most, break_long_words=False, break_on_hyphens=False)


def _ellipse_size(told: Told) -> Size:
    """Width and height of an ellipse around a text. Its corners hold none, so that one of several
    lines is wider and higher than the text.
    """
    names, outputs = told.names, told.outputs
    across = (
        max(FONT * max(map(len, names)), LABEL_FONT * max(map(len, outputs), default=0)) * LETTER
    )
    down = LINE * len(names) + LABEL_LINE * len(outputs)
    several = len(names) + len(outputs) - 1
    return across + 26 + 7 * min(several, 4), down + 18 + 5 * min(several, 4)


def _label_size(lines: tuple[str, ...]) -> Size:
    return LABEL_FONT * LETTER * max(map(len, lines), default=0) + 8, LABEL_LINE * len(lines) + 4


def _written(told: Told, middle: float) -> tuple[Line, ...]:
    top = middle - (LINE * len(told.names) + LABEL_LINE * len(told.outputs)) / 2
    below = top + LINE * len(told.names)
    return (
        *(Line(text, top + (i + 0.5) * LINE) for i, text in enumerate(told.names)),
        *(Line(text, below + (i + 0.5) * LABEL_LINE, True) for i, text in enumerate(told.outputs)),
    )


def _stacked(lines: tuple[str, ...], apart: float, middle: float) -> tuple[Line, ...]:
    top = middle - apart * len(lines) / 2
    return tuple(Line(text, top + (i + 0.5) * apart) for i, text in enumerate(lines))
