"""``vsafsm sense emit``: a classifier's layers as conductances of tiles."""

from __future__ import annotations

import argparse
from pathlib import Path

from vsafsm.cli.exits import OK
from vsafsm.cli.sense_arguments import add_arrays, arrays_of
from vsafsm.cli.terminal import print_line
from vsafsm.overwriting import check_manifest, check_place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A classifier, a folder, and for which arrays."""
    parser.add_argument("classifier", metavar="CLASSIFIER", help="a file of `vsafsm sense train`")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="the folder")
    add_arrays(parser, "--to")


def run(args: argparse.Namespace) -> int:
    """-> 0; bad input is raised."""
    from vsafsm.sense.arrays import matrices_of
    from vsafsm.sense.artefact import load_model

    check_place(args.output)
    check_manifest(args.output)
    model = load_model(args.classifier)
    backend, options = arrays_of(args)
    written = backend.emit_layers(matrices_of(model), Path(args.output), **options)
    print_line(f"wrote {', '.join(map(str, written))}")
    return OK
