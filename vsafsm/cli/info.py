"""``vsafsm info``: sizes, options and norms of a program."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from vsafsm.backend import Usage
from vsafsm.cli.arguments import (
    Choices,
    add_json,
    add_options,
    add_picture,
    add_program,
    add_target,
    choices,
)
from vsafsm.cli.exits import OK
from vsafsm.cli.results import sizes, tolerated
from vsafsm.cli.sources import compiled_of
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.errors import UsageError
from vsafsm.plotting.canvas import check_drawable, check_picture
from vsafsm.plotting.style import theme_of
from vsafsm.plotting.usage import draw_usage
from vsafsm.program import Program
from vsafsm.running import check
from vsafsm.systems import SystemProgram


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, a backend whose resources are added, and compile options."""
    add_program(parser)
    add_target(parser, "--backend", "add what the program takes on this backend", default=None)
    add_picture(parser, "what the program takes of that backend, beside what there is")
    add_json(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    chosen = choices(args)
    if args.picture is not None:
        _check_picture(args, chosen)
    found = compiled_of(args, chosen, allow_unproven=True)
    if not isinstance(found, SystemProgram):
        described = _described(found, args, chosen)
        if args.json:
            print_json(described)
        else:
            _print(described)
        if args.picture is not None:
            _draw(args, chosen, found)
        return OK
    if args.picture is not None:
        raise UsageError("a picture is of one program, and this is a system; expected a part of it")
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


def _check_picture(args: argparse.Namespace, chosen: Choices) -> None:
    if args.target is None or not hasattr(chosen.backend, "usage"):
        raise UsageError(
            "--picture draws what a program takes of a chip or an array; expected a --backend that"
            " tells it, such as loihi2 or memristor"
        )
    check_drawable(Path(args.picture))
    check_picture(args.picture, sources=(args.spec,))


def _draw(args: argparse.Namespace, chosen: Choices, program: Program) -> None:
    usage: Callable[..., Sequence[Usage]] = chosen.backend.usage  # type: ignore[attr-defined]
    found = usage(program, **chosen.of_target)
    title = f"{program.machine.name} on {args.target}: {program.network.neurons} neurons"
    draw_usage(title, found, Path(args.picture), theme_of(args.theme))
    if not args.json:
        print_line(f"wrote {args.picture}")


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
