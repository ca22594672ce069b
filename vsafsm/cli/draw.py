"""``vsafsm draw``: a machine as a graph, a statechart as a tree of boxes, without compiling it."""

from __future__ import annotations

import argparse
from pathlib import Path

from vsafsm.cli.arguments import add_format, add_output, add_picture, add_program
from vsafsm.cli.exits import OK
from vsafsm.cli.sources import chart_of, machine_of
from vsafsm.cli.terminal import note, print_line
from vsafsm.files import write_atomically
from vsafsm.formats.mermaid import mermaid
from vsafsm.plotting.canvas import SUFFIXES, check_drawable, check_picture, write
from vsafsm.plotting.geometry import LABEL_FONT, geometry
from vsafsm.plotting.graph import check_reached, draw
from vsafsm.plotting.graphviz import is_there, print_of, rendered
from vsafsm.plotting.nested import NOTE_FONT, nested_graph
from vsafsm.plotting.printing import Printed, printed
from vsafsm.plotting.style import PAPER, theme_of
from vsafsm.plotting.svg import standalone
from vsafsm.statecharts import Statechart, explore
from vsafsm.statecharts.parts import State

MERMAID, SVG = ".mmd", ".svg"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, where to, what of a chart, and a state to light up."""
    add_program(parser)
    add_output(parser, "FILE", "the drawing: .svg, .png, .pdf or .mmd (Mermaid)")
    parser.add_argument(
        "--flat", action="store_true", help="draw the flat machine of a statechart, not its tree"
    )
    parser.add_argument("--state", metavar="NAME", help="light this state up")
    add_picture(parser, flag=None)
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0 drawn; bad input is raised."""
    output, theme = Path(args.output), theme_of(args.theme)
    suffixes = (*SUFFIXES, MERMAID)
    check_picture(args.output, "a drawing", suffixes, sources=(args.spec,), force=args.force)
    chart = None if args.flat else _chart(args, output)
    if chart is not None and is_there():
        lit = () if args.state is None else _leaves(chart, args.state)
        text = nested_graph(chart, lit)
        size = print_of(text, NOTE_FONT) if theme is PAPER else None
        write_atomically(output, rendered(text, output.suffix, size))
        count = sum(isinstance(each, State) for each in chart.nodes.values())
        print_line(f"wrote {output}: a chart of {count} states{_told(size)}")
        return OK
    if output.suffix not in (MERMAID, SVG):
        check_drawable(output)
    machine = machine_of(args.spec, args.format)
    if args.state is not None:
        check_reached(machine, args.state)
    if output.suffix == MERMAID:
        write_atomically(output, mermaid(machine, machine.reachable, args.state).encode())
    elif output.suffix == SVG:
        write_atomically(output, standalone(machine, args.state, theme).encode())
    else:
        write(draw(machine, state=args.state, theme=args.theme), output)
    size = None
    if theme is PAPER and output.suffix != MERMAID:
        size = printed(geometry(machine, theme).width, LABEL_FONT)
    print_line(f"wrote {output}: {len(machine.reachable)} states{_told(size)}")
    if chart is not None:
        note("note", "this is the flat machine; boxes in boxes need Graphviz (the program dot)")
    return OK


def _told(size: Printed | None) -> str:
    return "" if size is None else f", {size}"


def _chart(args: argparse.Namespace, output: Path) -> Statechart | None:
    """The chart that is to be drawn as one; Mermaid text is of flat machines."""
    return None if output.suffix == MERMAID else chart_of(args.spec, args.format)


def _leaves(chart: Statechart, name: str) -> tuple[str, ...]:
    """The innermost active states of a state of the flat machine."""
    found = explore(chart)
    check_reached(found.machine, name)
    return found.leaves(name)
