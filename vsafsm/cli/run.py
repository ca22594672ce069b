"""``vsafsm run``: a word, each state beside the one of the interpreter."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from vsafsm.backend import Run
from vsafsm.cli.arguments import add_json, add_options, add_target, add_word, choices, word_of
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.results import is_correct, print_verdict
from vsafsm.cli.sources import program_of
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_json
from vsafsm.running import run_word


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, a word, a backend, and compile options."""
    add_word(parser)
    add_target(parser, "--backend", "where to run")
    add_json(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    chosen = choices(args)
    word = word_of(args)
    program = program_of(args, chosen, allow_unproven=True)
    machine = program.machine
    expected = machine.run(word)
    ran = run_word(program, word, chosen.target, **chosen.of_target)
    correct = is_correct(ran, expected)
    if args.json:
        print_json(
            {
                "machine": machine.name,
                "backend": chosen.target,
                "inputs": list(word),
                "states": list(ran.states),
                "expected": list(expected.states),
                "initial_outputs": list(ran.outputs[0]),
                "outputs": [list(o) for o in ran.outputs[1:]],
                "correct": correct,
            }
        )
    else:
        _print_trace(word, ran, expected.states)
        print_verdict(program, chosen.target, ran.states, expected.states, correct)
    return OK if correct else WRONG


def _print_trace(word: Sequence[str], ran: Run, expected: Sequence[str]) -> None:
    rows = []
    for i, (symbol, state, out, correct) in enumerate(
        zip(("", *word), ran.states, ran.outputs, expected, strict=True)
    ):
        shown = state if state is not None else "(none)"
        rows.append(
            (
                str(i),
                symbol,
                shown,
                ", ".join(out),
                "" if state == correct else f"expected {correct}",
            )
        )
    print_table(("step", "input", "state", "outputs", ""), rows)
