"""``vsafsm examples``: the example specs."""

from __future__ import annotations

import argparse
from textwrap import fill

from vsafsm.cli.exits import OK
from vsafsm.cli.terminal import print_line
from vsafsm.examples import copy_example, examples


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which to copy, and where to."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="the examples to copy")
    parser.add_argument(
        "-o", "--output", metavar="DIR", default=".", help="folder to copy to (default: this one)"
    )
    parser.add_argument("--all", action="store_true", help="copy all of them")
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")


def run(args: argparse.Namespace) -> int:
    names = list(examples()) if args.all else args.names
    if not names:
        for name, text in examples().items():
            print_line(f"{name}\n{fill(text, 96, initial_indent='    ', subsequent_indent='    ')}")
        print_line("\nCopy one into this folder with: vsafsm examples NAME")
    for name in names:
        print_line(f"wrote {copy_example(name, args.output, args.force)}")
    return OK
