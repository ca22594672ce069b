"""``vsafsm plot``: a picture of a run, or of the program itself."""

from __future__ import annotations

import argparse
from itertools import chain
from pathlib import Path

from vsafsm.cli.arguments import (
    add_options,
    add_output,
    add_picture,
    add_target,
    add_word,
    choices,
    word_of,
)
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.results import is_correct, print_verdict, wrong_states
from vsafsm.cli.sources import program_of
from vsafsm.cli.terminal import print_line
from vsafsm.clocked import expanded
from vsafsm.errors import UsageError
from vsafsm.plotting.canvas import check_drawable, check_picture, write
from vsafsm.plotting.kinds import KINDS, OF_PROGRAMS, OF_RUNS, check_kind, plot
from vsafsm.running import plot_word, run_word


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, a word, which picture, where to, and compile options."""
    add_word(parser)
    parser.add_argument(
        "--what",
        metavar="KIND",
        help=f"of a run: {', '.join(OF_RUNS)}; of the program, without inputs:"
        f" {', '.join(OF_PROGRAMS)} (default {KINDS[0]})",
    )
    add_target(parser, "--backend", "let this backend draw its own run", default=None)
    add_output(parser, "FILE", "the picture (.png, .pdf or .svg)")
    add_picture(parser, flag=None)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    chosen = choices(args)
    kind = args.what or "overlaps"
    if args.target is None:
        check_kind(kind)
        check_drawable(Path(args.output))
    elif args.what is not None:
        raise UsageError(
            f"--what {kind} is drawn from the built-in simulator; expected it without --backend"
        )
    word = _word(args, kind)
    check_picture(args.output, sources=(args.spec, args.word_file), force=args.force)
    program = program_of(args, chosen, allow_unproven=True)
    if word is not None:
        word = tuple(chain.from_iterable(expanded(word, program.machine)))
    if args.target is None:
        with ProgressBar("drawing"):
            write(plot(program, word or (), what=kind, theme=args.theme), Path(args.output))
    correct = True
    if word is not None:
        with ProgressBar(f"running on {chosen.target}"):
            ran = (
                run_word(program, word)
                if args.target is None
                else plot_word(
                    program,
                    word,
                    Path(args.output),
                    chosen.target,
                    args.theme,
                    **chosen.of_target,
                )
            )
        expected = program.machine.run(word)
        correct = is_correct(ran, expected)
        wrong = wrong_states(ran.states, expected.states)
        print_verdict(program, chosen.target, len(ran.states), wrong, correct)
    print_line(f"wrote {args.output}")
    return OK if correct else WRONG


def _word(args: argparse.Namespace, kind: str) -> tuple[str, ...] | None:
    """The word of a picture of a run; None for a picture that shows none."""
    if args.target is not None or kind in OF_RUNS:
        return word_of(args)
    if args.inputs or args.word_file:
        raise UsageError(f'the picture "{kind}" shows no run; expected no inputs')
    return None
