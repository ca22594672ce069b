"""``vsafsm rig``: its subcommands, a file for each."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from vsafsm.cli.plugins import CommandFile
from vsafsm_memristor.deploy import rig_check, rig_program, rig_run

SUBCOMMANDS: Mapping[str, tuple[CommandFile, str]] = {
    "check": (
        rig_check,
        "ask a rig who it is and what it keeps to, without a voltage; with --arm try a few cells;"
        " without ADDRESS read the log of --log",
    ),
    "program": (
        rig_program,
        "say what writing a program would do (a dry run), or write it with --arm",
    ),
    "run": (rig_run, "write a program and run a word on it, or only run it with --written"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``check``, ``program`` and ``run``."""
    parts = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="rig_command", required=True
    )
    for name, (file, text) in SUBCOMMANDS.items():
        file.add_arguments(parts.add_parser(name, help=text, description=text, allow_abbrev=False))


def run(args: argparse.Namespace) -> int:
    """-> 0 done and correct, 1 wrong; bad input and faults are raised."""
    file, _ = SUBCOMMANDS[args.rig_command]
    return file.run(args)
