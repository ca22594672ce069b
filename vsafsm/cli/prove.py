"""``vsafsm prove``: is every input word run correctly?"""

from __future__ import annotations

import argparse
from typing import Any

from vsafsm.any_order import OrderProof, prove_any_order
from vsafsm.cli.arguments import Choices, add_json, add_options, add_program, add_target, choices
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.results import size_line
from vsafsm.cli.sources import compiled_of
from vsafsm.cli.systems import Together
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.errors import BackendError, UsageError
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.proof import Counterexample, Proof, prove
from vsafsm.running import check
from vsafsm.symbolic import SymbolicMachine
from vsafsm.systems import SystemProgram


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, a backend whose network is proven, and compile options."""
    add_program(parser)
    add_target(parser, "--backend", "prove what this backend holds of the program", default=None)
    parser.add_argument(
        "--timing",
        choices=("synchronous", "any"),
        default="synchronous",
        help="all neurons at once (default), or one at a time in any order",
    )
    add_json(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    chosen = choices(args)
    if args.target is not None:
        _check_exact(chosen)
    found = compiled_of(args, chosen, allow_unproven=True)
    if isinstance(found, SystemProgram):
        if args.timing == "any":
            raise UsageError("--timing any is for one machine, and the spec has several networks")
        return _prove_system(found, args, chosen)
    if args.timing == "any":
        return _prove_any_order(found, args, chosen)
    network, proof = _proven(found, args, chosen)
    if args.json:
        print_json(_json_of(found, network, proof))
    else:
        _print(found, network, proof)
    return OK if proof.holds else WRONG


def _proven(program: Program, args: argparse.Namespace, chosen: Choices) -> tuple[Network, Proof]:
    """The network of a program, or what a backend holds of it, and its proof."""
    network = _network_of(program, args, chosen)
    with ProgressBar("proving") as progress:
        points = max(1, len(program.machine.states))
        proof = prove(
            program.machine, network, lambda done: progress("proving", min(1.0, done / points))
        )
    return network, proof


def _network_of(program: Program, args: argparse.Namespace, chosen: Choices) -> Network:
    return program.network if args.target is None else _network_on(program, chosen)


def _prove_any_order(program: Program, args: argparse.Namespace, chosen: Choices) -> int:
    network = _network_of(program, args, chosen)
    with ProgressBar("proving") as progress:
        proof = prove_any_order(program.machine, network, lambda share: progress("proving", share))
    if args.json:
        print_json(_json_of_orders(program, network, proof))
    else:
        _print_orders(program, network, proof)
    return OK if proof.holds else WRONG


def _prove_system(found: SystemProgram, args: argparse.Namespace, chosen: Choices) -> int:
    """Each program by itself, then what the machines do together."""
    each = [(program, *_proven(program, args, chosen)) for program in found.programs]
    together = Together.of(found.system)
    holds = together.ends and all(proof.holds for *_, proof in each)
    if args.json:
        print_json(
            {
                "system": found.system.name,
                "holds": holds,
                "machines": [_json_of(*one) for one in each],
                "configurations": together.configurations,
                "endless": together.endless,
            }
        )
    else:
        for one in each:
            _print(*one)
        print_line(f"{found.system.name}: {together.told}")
    return OK if holds else WRONG


def _check_exact(chosen: Choices) -> None:
    if not chosen.backend.exact:
        raise BackendError(
            f'backend "{chosen.target}" is statistical: correct with some probability, which no'
            " proof speaks for; expected an exact backend, or a measurement with `vsafsm run"
            f" --backend {chosen.target}`"
        )


def _network_on(program: Program, chosen: Choices) -> Network:
    """The network that a backend really holds of a program. Raises `BackendError`."""
    check(program, chosen.backend, chosen.of_target)
    network = chosen.backend.lower(program, **chosen.of_target)
    if not isinstance(network, Network):
        raise BackendError(
            f'backend "{chosen.target}" makes a {type(network).__name__} of a program; expected a'
            " Network, the one thing that can be proven"
        )
    return network


def _json_of(program: Program, network: Network, proof: Proof) -> dict[str, Any]:
    machine, wrong = program.machine, proof.counterexample
    return {
        "machine": machine.name,
        "holds": proof.holds,
        "verdict": proof.verdict,
        "fixed_points": proof.fixed_points,
        "hold_steps": proof.contract.hold_steps,
        "gap_steps": proof.contract.gap_steps,
        "margin": proof.margin,
        "radius": proof.radius,
        "neurons": network.neurons,
        "states": len(machine.states),
        "transitions": machine.reachable_transitions,
        "self_loops": machine.self_loops,
        "smallest": program.smallest,
        "counterexample": None if wrong is None else _json_of_wrong(wrong),
    }


def _json_of_orders(program: Program, network: Network, proof: OrderProof) -> dict[str, Any]:
    wrong = proof.wrong
    return {
        "machine": program.machine.name,
        "holds": proof.holds,
        "verdict": proof.verdict,
        "timing": "any",
        "changes": proof.changes,
        "shown": proof.shown,
        "shortfall": proof.shortfall or None,
        "neurons": network.neurons,
        "states": len(program.machine.states),
        "counterexample": None
        if wrong is None
        else {
            "word": list(wrong.word),
            "phases": [
                {"input": phase.input, "updated": list(phase.updated)} for phase in wrong.phases
            ],
            "repeats": wrong.repeats,
            "expected": wrong.expected,
            "found": wrong.found,
        },
    }


def _print_orders(program: Program, network: Network, proof: OrderProof) -> None:
    print_line(
        f"{program.machine.name}: N={network.neurons} neurons, k={network.active} active,"
        f" {network.bits} bits, any order of updates, {proof.verdict}"
    )
    if proof.holds:
        print_line(
            f"holds for every input word and every order: all {proof.changes} changes of the mask"
            " end in the code that they should"
        )
        return
    if proof.wrong:
        print_line(f"refuted: {proof.wrong}")
    print_line(
        f"bounds show {proof.shown} of {proof.changes} changes of the mask; the first that they do"
        f" not is {proof.shortfall}"
    )


def _json_of_wrong(wrong: Counterexample) -> dict[str, Any]:
    return {
        "word": list(wrong.word),
        "timings": [{"onset": onset, "end": end} for onset, end in wrong.timings],
        "expected": wrong.expected,
        "found": wrong.found,
    }


def _print(program: Program, network: Network, proof: Proof) -> None:
    machine = program.machine
    print_line(size_line(program, network, proof))
    if not proof.holds:
        print_line(f"{proof.verdict}: {proof.counterexample}")
        return
    print_line(
        f"holds for every input word: {proof.fixed_points} fixed points stand for"
        f" {len(machine.reachable)} states, {machine.reachable_transitions} transitions,"
        f" {machine.self_loops} of them self-loops"
    )
    if isinstance(machine, SymbolicMachine):
        print_line(
            f"inputs are vectors of {machine.width} bits: the {len(machine.inputs)} that these"
            " transitions are of stand for all"
        )
    contract = proof.contract
    print_line(
        f"contract: hold an input for {contract.hold_steps} steps, leave a gap of"
        f" {contract.gap_steps} steps"
    )
    print_line(
        f"margin {proof.margin:.3f} units; no change of every weight by less than"
        f" {proof.radius:.4g} LSBs can change any step"
    )
