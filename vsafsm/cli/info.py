"""``vsafsm info``: sizes, options and norms of a program."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

import numpy as np

from vsafsm.cli.arguments import Choices, add_json, add_options, add_program, add_target, choices
from vsafsm.cli.exits import OK
from vsafsm.cli.results import sizes, tolerated
from vsafsm.cli.sources import compiled_of
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.program import Program
from vsafsm.running import check
from vsafsm.systems import SystemProgram


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, a backend whose resources are added, and compile options."""
    add_program(parser)
    add_target(parser, "--backend", "add what the program takes on this backend", default=None)
    add_json(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    chosen = choices(args)
    found = compiled_of(args, chosen, allow_unproven=True)
    if not isinstance(found, SystemProgram):
        described = _described(found, args, chosen)
        if args.json:
            print_json(described)
        else:
            _print(described)
        return OK
    machines = [_described(program, args, chosen) for program in found.programs]
    whole = {"system": found.system.name, "neurons": found.neurons, "synapses": found.synapses}
    if args.json:
        print_json({**whole, "machines": machines})
        return OK
    _print(whole)
    for each in machines:
        print_line()
        _print(each)
    return OK


def _described(program: Program, args: argparse.Namespace, chosen: Choices) -> dict[str, Any]:
    machine, network = program.machine, program.network
    described: dict[str, Any] = {
        "machine": machine.name,
        **sizes(program),
        "inputs": len(machine.inputs),
        "transitions": machine.reachable_transitions,
        "synapses_per_transition": network.synapses / machine.reachable_transitions,
        "pending": program.lowered.pending,
        "gain": network.gain,
        "scale": network.scale,
        **_inner(program),
        "options": dict(program.options.items()),
        "target": program.target,
        "claim": asdict(program.claim),
        "smallest": program.smallest,
        "tolerated": tolerated(program) if args.json else [str(each) for each in program.tolerated],
        "content_hash": program.content_hash,
    }
    if args.target is not None:
        check(program, chosen.backend, chosen.of_target)
        described["backend"] = dict(chosen.backend.describe(program, **chosen.of_target))
    return described


def _print(described: dict[str, Any]) -> None:
    width = max(len(key) for key in described)
    for key, value in described.items():
        print_line(f"{key:{width}}  {_text(value)}")


def _inner(program: Program) -> dict[str, Any]:
    """What the weights are made of: the terms of one matrix, or blocks and synapses between."""
    network = program.network
    if network.modules > 1:
        return {
            "module_neurons": network.module_neurons,
            "synapses_between_modules": len(network.between),
        }
    parts = program.parts()
    return {"norms": {name: float(np.linalg.norm(getattr(parts, name))) for name in asdict(parts)}}


def _text(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(_text, value)) or "nothing was tried"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
