"""``vsafsm draw``: a machine as a graph, without compiling it."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from vsafsm.cli.arguments import add_format, add_output
from vsafsm.cli.exits import OK
from vsafsm.cli.sources import machine_of
from vsafsm.cli.terminal import print_line
from vsafsm.files import write_atomically
from vsafsm.formats.mermaid import mermaid
from vsafsm.overwriting import check_output
from vsafsm.plotting.canvas import SUFFIXES, check_drawable, write
from vsafsm.plotting.graph import check_reached, draw
from vsafsm.plotting.graphviz import FORMATS, is_there, render

MERMAID = ".mmd"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, where to, and a state to light up."""
    parser.add_argument("spec", metavar="SPEC|PROGRAM")
    add_output(parser, "FILE", "the drawing: .svg, .png, .pdf or .mmd (Mermaid)")
    parser.add_argument(
        "--graphviz", action="store_true", help='lay it out with the program "dot" of Graphviz'
    )
    parser.add_argument("--state", metavar="NAME", help="light this state up")
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0 drawn; bad input is raised."""
    output = Path(args.output)
    suffixes = (*SUFFIXES, MERMAID)
    check_output(output, "a drawing", suffixes, sources=(args.spec,), force=args.force)
    with_graphviz = output.suffix in FORMATS and (args.graphviz or _only_graphviz())
    if output.suffix != MERMAID and not with_graphviz:
        check_drawable(output)
    machine = machine_of(args.spec, args.format)
    if args.state is not None:
        check_reached(machine, args.state)
    if output.suffix == MERMAID:
        write_atomically(output, mermaid(machine, machine.reachable, args.state).encode())
    elif with_graphviz:
        write_atomically(output, render(machine, output.suffix, args.state))
    else:
        write(draw(machine, state=args.state), output)
    print_line(f"wrote {output}: {len(machine.reachable)} states")
    return OK


def _only_graphviz() -> bool:
    return find_spec("matplotlib") is None and is_there()
