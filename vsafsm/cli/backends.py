"""``vsafsm backends``: what is installed, and what can run here."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from vsafsm.cli.arguments import add_json
from vsafsm.cli.exits import OK
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_json
from vsafsm.discovery import backends


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Only ``--json``."""
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    listed = backends()
    if args.json:
        print_json({"backends": [asdict(listing) for listing in listed]})
    else:
        print_table(("backend", "here"), [(b.name, b.unavailable or "runs") for b in listed])
    return OK
