"""``vsafsm convert``: a machine in another format."""

from __future__ import annotations

import argparse

from vsafsm.cli.arguments import add_format, add_output
from vsafsm.cli.exits import OK
from vsafsm.cli.sources import machine_of
from vsafsm.cli.terminal import print_line
from vsafsm.equivalence import distinguishing_word, minimized
from vsafsm.errors import NotExpressibleError, UsageError
from vsafsm.files import write_atomically
from vsafsm.formats import format_for, written
from vsafsm.machine import Machine
from vsafsm.overwriting import check_output
from vsafsm.symbolic import SymbolicMachine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to read, where to write, and in which formats."""
    parser.add_argument("input", metavar="IN")
    parser.add_argument("out", metavar="OUT", nargs="?", help="the same as -o OUT")
    add_output(parser, "OUT", "the file to write", required=False)
    add_format(parser)
    parser.add_argument(
        "--to", metavar="FORMAT", help="format of OUT, where its suffix does not say"
    )
    parser.add_argument(
        "--minimize", action="store_true", help="write the smallest equivalent machine"
    )


def run(args: argparse.Namespace) -> int:
    """-> 0 written; bad input is raised."""
    if (args.out is None) == (args.output is None):
        raise UsageError("expected one file to write: OUT or -o OUT")
    output = args.out or args.output
    chosen = format_for(output, args.to)
    check_output(
        output,
        f"a machine in the format {chosen.name}",
        chosen.suffixes if args.to is None else (),
        sources=(args.input,),
        force=args.force,
    )
    source = machine_of(args.input, args.format)
    machine = minimized(source) if args.minimize else source
    text = written(machine, chosen)
    read = chosen.guards if isinstance(source, SymbolicMachine) else chosen.read
    assert read is not None  # noqa: S101 - such a format has not written the text
    _check_same(source, read(text, output).machine, chosen.name)
    write_atomically(output, text.encode())
    fewer = f" of {len(source.states)}" if args.minimize else ""
    inputs = f"{len(machine.inputs)} inputs"
    if isinstance(machine, SymbolicMachine):
        inputs = f"{machine.width} input bits"
    print_line(f"wrote {output}: {len(machine.states)}{fewer} states, {inputs}, equivalent")
    return OK


def _check_same(machine: Machine, written: Machine, name: str) -> None:
    """Refuse a text that is read back as another machine."""
    word = distinguishing_word(machine, written)
    if word is not None:
        raise NotExpressibleError(
            f'format {name} does not hold "{machine.name}": read back, it does something else on'
            " the word "
            f"{' '.join(word)}; expected another format"
        )
