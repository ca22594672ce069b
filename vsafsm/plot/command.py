"""``vsafsm draw``: a machine as a graph, without compiling it. Heavy rooms are imported when
used.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vsafsm.machine import Machine

OK = 0
MERMAID = ".mmd"


class DrawCommand:
    """The command, as `vsafsm.commands` wants it."""

    name = "draw"
    help = "draw a machine as a graph, or write it as Mermaid text"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """A spec or program, where to, and a state to light up."""
        from vsafsm.formats import formats

        parser.add_argument("spec", metavar="SPEC|PROGRAM")
        parser.add_argument(
            "-o",
            "--output",
            metavar="FILE",
            required=True,
            help="the drawing: .svg, .png, .pdf or .mmd (Mermaid)",
        )
        parser.add_argument(
            "--graphviz", action="store_true", help='lay it out with the program "dot" of Graphviz'
        )
        parser.add_argument("--state", metavar="NAME", help="light this state up")
        parser.add_argument(
            "--format",
            metavar="FORMAT",
            help=f"how to read the spec, where its suffix does not say: {', '.join(formats())}",
        )

    def run(self, args: argparse.Namespace) -> int:
        """-> 0 drawn; bad input is raised."""
        from pathlib import Path

        from vsafsm.files import write_atomically
        from vsafsm.plot.canvas import check_drawable, write
        from vsafsm.plot.graph import draw_graph
        from vsafsm.plot.graphviz import FORMATS, drawn
        from vsafsm.plot.mermaid import mermaid
        from vsafsm.sources import machine_of
        from vsafsm.terminal import print_line

        output = Path(args.output)
        with_graphviz = output.suffix in FORMATS and (args.graphviz or _only_graphviz())
        if output.suffix != MERMAID and not with_graphviz:
            check_drawable(output)
        machine = machine_of(args.spec, args.format)
        if args.state is not None:
            _check_state(machine, args.state)
        if output.suffix == MERMAID:
            write_atomically(output, mermaid(machine, args.state).encode())
        elif with_graphviz:
            write_atomically(output, drawn(machine, output.suffix, args.state))
        else:
            write(draw_graph(machine, args.state), output)
        print_line(f"wrote {output}: {len(machine.reachable)} states")
        return OK


COMMAND = DrawCommand()


def _only_graphviz() -> bool:
    from importlib.util import find_spec

    from vsafsm.plot.graphviz import is_there

    return find_spec("matplotlib") is None and is_there()


def _check_state(machine: Machine, name: str) -> None:
    from vsafsm.errors import UnknownStateError, did_you_mean
    from vsafsm.machine import listed

    if name not in machine.reachable:
        hint = did_you_mean(name, machine.reachable)
        raise UnknownStateError(
            f'no state "{name}" is reached; expected {listed(machine.reachable)}{hint}'
        )
