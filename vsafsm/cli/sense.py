"""``vsafsm sense``: its subcommands, a file for each."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from vsafsm.cli import (
    sense_emit,
    sense_recover,
    sense_remember,
    sense_search,
    sense_test,
    sense_train,
)
from vsafsm.cli.plugins import CommandFile

SUBCOMMANDS: Mapping[str, tuple[CommandFile, str]] = {
    "train": (sense_train, "train a classifier of labelled frames"),
    "test": (sense_test, "measure a classifier: exactly, on drawn arrays, and what is certified"),
    "emit": (sense_emit, "write the conductances of a classifier's layers"),
    "search": (sense_search, "search for the noise of training that does best on drawn arrays"),
    "remember": (sense_remember, "learn or store images, to recover damaged ones"),
    "recover": (sense_recover, "recover damaged images, in software and on drawn arrays"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A parser for each."""
    parts = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="sense_command", required=True
    )
    for name, (file, text) in SUBCOMMANDS.items():
        file.add_arguments(parts.add_parser(name, help=text, description=text, allow_abbrev=False))


def run(args: argparse.Namespace) -> int:
    """-> 0 done, 1 below ``--least``; bad input is raised."""
    file, _ = SUBCOMMANDS[args.sense_command]
    return file.run(args)
