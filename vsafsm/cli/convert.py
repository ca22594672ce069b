"""``vsafsm convert``: a machine in another format."""

from __future__ import annotations

import argparse
from pathlib import Path

from vsafsm.cli.arguments import add_format, add_output
from vsafsm.cli.exits import OK
from vsafsm.cli.sources import machine_of
from vsafsm.cli.terminal import print_line
from vsafsm.equivalence import distinguishing_word, minimized
from vsafsm.errors import (
    FileError,
    NotExpressibleError,
    SyntaxSpecError,
    TooLargeError,
    UsageError,
    VsafsmError,
)
from vsafsm.files import write_atomically
from vsafsm.formats import format_for, read, written
from vsafsm.formats.renaming import Renaming, is_table, renaming
from vsafsm.machine import Machine
from vsafsm.overwriting import check_output
from vsafsm.symbolic import SymbolicMachine

TABLE_SUFFIX = ".names.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to read, where to write, and in which formats."""
    parser.add_argument("input", metavar="IN", help="a spec, or a program (.npz)")
    parser.add_argument("out", metavar="OUT", nargs="?", help="the same as -o OUT")
    add_output(parser, "OUT", "the file to write", required=False)
    add_format(parser)
    parser.add_argument(
        "--to", metavar="FORMAT", help="format of OUT, where its suffix does not say"
    )
    parser.add_argument(
        "--minimize", action="store_true", help="write the fewest states that give the same outputs"
    )
    parser.add_argument(
        "--rename",
        action="store_true",
        help="give other names to what OUT cannot hold, and list them in OUT.names.csv",
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
        lambda path: _is_in(path, args.to),
        sources=(args.input,),
        force=args.force,
    )
    source = machine_of(args.input, args.format)
    machine = minimized(source) if args.minimize else source
    names = renaming(machine, chosen.fits) if args.rename else Renaming({}, {}, {})
    table = names.table()
    if table:
        _check_table(output, args)
    text = written(names.applied(machine), chosen)
    back = chosen.guards if isinstance(source, SymbolicMachine) else chosen.read
    assert back is not None  # noqa: S101 - such a format has not written the text
    _check_same(source, names.inverse().applied(back(text, output).machine), chosen.name)
    if table:
        write_atomically(output + TABLE_SUFFIX, table.encode())
    write_atomically(output, text.encode())
    fewer = f" of {len(source.states)}" if args.minimize else ""
    inputs = f"{len(machine.inputs)} inputs"
    if isinstance(machine, SymbolicMachine):
        inputs = f"{machine.width} input bits"
    print_line(f"wrote {output}: {len(machine.states)}{fewer} states, {inputs}, equivalent")
    if table:
        print_line(f"wrote {output}{TABLE_SUFFIX}: {names.size} renamed")
    return OK


def _is_in(path: str, format_name: str | None) -> bool:
    """Whether a file has the syntax of a format, whatever the machine in it."""
    try:
        read(path, format_name)
    except (FileError, SyntaxSpecError, TooLargeError):
        return False
    except VsafsmError:
        return True
    return True


def _check_table(output: str, args: argparse.Namespace) -> None:
    """Refuse a table of names where there is no place for it beside `output`."""
    if Path(output).exists() and not Path(output).is_file():
        raise FileError(
            f'cannot write a table of names beside "{output}", which is no file; expected a file'
        )
    check_output(
        output + TABLE_SUFFIX,
        "a table of names",
        is_kind=is_table,
        sources=(args.input,),
        force=args.force,
    )


def _check_same(machine: Machine, written: Machine, name: str) -> None:
    """Refuse a text that is read back as another machine."""
    word = distinguishing_word(machine, written)
    if word is not None:
        raise NotExpressibleError(
            f'format {name} does not hold "{machine.name}": read back, it does something else on'
            " the word "
            f"{' '.join(word)}; expected another format"
        )
