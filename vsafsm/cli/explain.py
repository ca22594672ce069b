"""``vsafsm explain``: the weakest transitions, why they are weak, and what would help."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from vsafsm.cli.arguments import add_json, add_options, add_program, choices
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.sources import program_of
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.errors import UsageError
from vsafsm.explanation.explain import Explanation, explain
from vsafsm.explanation.remedies import Remedy
from vsafsm.explanation.terms import strongest
from vsafsm.lowering import REST
from vsafsm.margins import MinimumMargin, TransitionMargin
from vsafsm.network import Network
from vsafsm.statecharts.columns import short_names

MOST = 5
QUICK_NEURONS = 512
"""Up to this size other options are tried without being asked for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, how many transitions, whether to try other options, and compile
    options.
    """
    add_program(parser)
    parser.add_argument(
        "--most",
        type=int,
        default=MOST,
        metavar="COUNT",
        help=f"transitions to list (default {MOST})",
    )
    parser.add_argument(
        "--try",
        dest="trying",
        action=argparse.BooleanOptionalAction,
        help=(
            "compile with more neurons, margin or bits, or another rule, and prove (default: up to"
            f" {QUICK_NEURONS} neurons)"
        ),
    )
    add_json(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0 proven, 1 not; bad input is raised."""
    if args.most < 1:
        raise UsageError(f"most is {args.most}; expected a whole number of at least 1")
    program = program_of(args, choices(args), allow_unproven=True)
    small = program.network.neurons <= QUICK_NEURONS
    with ProgressBar("explaining") as progress:
        found = explain(
            program,
            try_options=small if args.trying is None else args.trying,
            progress=progress,
        )
    if args.json:
        _print_json(found, args.most)
    else:
        _print(found, args.most)
    return OK if found.proof.holds else WRONG


def _print(found: Explanation, most: int) -> None:
    """With states as in the table of a run: what is common to all paths of a region is left out."""
    short = short_names(found.program.machine.states)
    names = tuple(short[state] for state in found.program.network.states)
    network, noise = replace(found.program.network, states=names), found.tolerated_noise
    found = replace(found, program=replace(found.program, network=network))
    modules = f" in {network.modules} modules" if network.modules > 1 else ""
    print_line(
        f"{found.program.machine.name}: N={network.neurons} neurons{modules}, k={network.active}"
        f" active, {network.bits} bits"
    )
    for line in _summary(found):
        print_line(line)
    print_line()
    header = ("", "state", "input", "to", "margin", "wrong at that noise")
    rows = [
        (
            str(n),
            short[each.state],
            each.input,
            short[each.to],
            f"{each.minimum.margin:.3f}",
            f"at most {100 * each.failure_bound:.2g} %",
        )
        for n, each in enumerate(found.transitions[:most], 1)
    ]
    columns = len(header) if noise else len(header) - 1
    print_table(header[:columns], [row[:columns] for row in rows])
    print_line()
    for n, each in enumerate(found.transitions[:most], 1):
        _print_why(found, n, each)
    _print_compiled(found.compiled)


def _summary(found: Explanation) -> list[str]:
    proof, transitions, noise = found.proof, found.transitions, found.tolerated_noise
    if not proof.holds:
        return [
            f"{proof.verdict}: {proof.counterexample}",
            "margins are those of the codes; below 0, a neuron is on the wrong side of threshold",
        ]
    least = transitions[0].minimum.margin
    near = sum(each.minimum.margin <= 1.1 * least for each in transitions)
    lines = [
        f"proven, margin {proof.margin:.3f}; {near} of {len(transitions)} transitions come within a"
        " tenth of the least"
    ]
    if noise:
        lines.append(
            f"additive noise of {noise:.2f} standard deviations of the weights goes wrong in at"
            " most 1 % of draws"
        )
    return lines


def _step_name(network: Network, minimum: MinimumMargin) -> str:
    """Which step of a transition it is: what is active, and which masks are on."""
    source = network.code_name(network.nearest_code(minimum.activity))
    if not minimum.masks:
        return f"{source}, no mask on"
    masks = ["rest" if mask == REST else f'"{network.inputs[mask - 1]}"' for mask in minimum.masks]
    return f"{source}, {' and '.join(masks)} on"


def _print_why(found: Explanation, n: int, weak: TransitionMargin) -> None:
    minimum = weak.minimum
    wanted = "to fire" if minimum.fires else "to stay silent"
    print_line(
        f"{n}. {_step_name(found.program.network, minimum)}: neuron {minimum.neuron} is {wanted},"
        f" driven by {len(minimum.activity)} active neurons:"
    )
    for term in strongest(found.terms(weak)):
        shared = "" if term.shared is None else f" ({term.shared} of them are of its code)"
        print_line(f"   {term.towards:+.3f}  {term.name}{shared}")


def _print_compiled(compiled: Sequence[Remedy]) -> None:
    print_line()
    print_line("what would help, compiled and proven:")
    header = ("options", "N", "k", "bits", "proof", "margin", "noise tolerated (std of weights)")
    print_table(
        header,
        [
            (
                each.changed or "as it is",
                str(each.neurons),
                str(each.active),
                str(each.bits),
                each.verdict,
                f"{each.margin:.3f}",
                f"{each.noise:.2f}",
            )
            for each in compiled
        ],
    )
    if len(compiled) == 1:
        print_line("add --try to compile with other options, and see what helps")


def _print_json(found: Explanation, most: int) -> None:
    program, proof = found.program, found.proof

    def entry(each: TransitionMargin) -> dict[str, Any]:
        minimum = each.minimum
        return {
            "state": each.state,
            "input": each.input,
            "to": each.to,
            "margin": minimum.margin,
            "failure_bound": each.failure_bound if proof.holds else None,
            "where": _step_name(program.network, minimum),
            "neuron": minimum.neuron,
            "fires": minimum.fires,
            "active": len(minimum.activity),
            "terms": [asdict(term) for term in found.terms(each)],
        }

    print_json(
        {
            "machine": program.machine.name,
            "holds": proof.holds,
            "margin": proof.margin,
            "counterexample": None if proof.counterexample is None else str(proof.counterexample),
            "transitions": [entry(each) for each in found.transitions[:most]],
            "compiled": [asdict(each) for each in found.compiled],
        }
    )
