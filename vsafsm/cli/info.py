"""``vsafsm info``: sizes, options and norms of a program."""

from __future__ import annotations

import argparse
from dataclasses import asdict

import numpy as np

from vsafsm.cli.arguments import add_json, add_options, add_target, choices
from vsafsm.cli.exits import OK
from vsafsm.cli.results import sizes
from vsafsm.cli.sources import program_of
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.running import check


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, a backend whose resources are added, and compile options."""
    parser.add_argument("spec", metavar="SPEC|PROGRAM")
    add_target(parser, "--backend", "add what the program takes on this backend", default=None)
    add_json(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    chosen = choices(args)
    program = program_of(args, chosen, allow_unproven=True)
    machine, network = program.machine, program.network
    norms = {}
    if network.modules == 1:
        parts = program.parts()
        norms = {name: float(np.linalg.norm(getattr(parts, name))) for name in asdict(parts)}
    described = {
        "machine": machine.name,
        **sizes(program),
        "inputs": len(machine.inputs),
        "transitions": machine.reachable_transitions,
        "pending": program.lowered.pending,
        "gain": network.gain,
        "scale": network.scale,
        **({"norms": norms} if norms else {}),
        "options": dict(program.options.items()),
        "target": program.target,
        "claim": asdict(program.claim),
        "smallest": program.smallest,
        "content_hash": program.content_hash,
    }
    if args.target is not None:
        check(program, chosen.backend, chosen.of_target)
        described["backend"] = dict(chosen.backend.describe(program, **chosen.of_target))
    if args.json:
        print_json(described)
    else:
        width = max(len(key) for key in described)
        for key, value in described.items():
            print_line(f"{key:{width}}  {_text(value)}")
    return OK


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
