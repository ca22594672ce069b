"""``vsafsm report``: one page about a program."""

from __future__ import annotations

import argparse
from pathlib import Path

from vsafsm.cli.arguments import add_options, add_output, add_program, choices
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.senses import add_senses, seen_by, sense_of
from vsafsm.cli.sources import program_of
from vsafsm.cli.terminal import print_line
from vsafsm.files import write_atomically
from vsafsm.overwriting import check_output
from vsafsm.report.curves import USUAL
from vsafsm.report.frames import Seen
from vsafsm.report.page import check_jinja, page
from vsafsm.signatures import begins_as_named

DRAWS = 50
SLOW = f"measuring noise takes most of the time; --trials {DRAWS // 5} is a quick look"
"""Said where the draws take long."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, where to, what noise to measure, and compile options."""
    add_program(parser)
    add_output(parser, "PAGE", "the page to write (.html)")
    parser.add_argument(
        "--noise",
        action="append",
        metavar="RANGE",
        help="noise to measure, NAME:START:STOP:STEP; may be repeated (default: three kinds)",
    )
    parser.add_argument(
        "--trials",
        type=int,
        default=DRAWS,
        metavar="COUNT",
        help=f"draws at each strength (default {DRAWS})",
    )
    parser.add_argument(
        "--noise-seed", type=int, default=0, metavar="SEED", help="seed of the draws (default 0)"
    )
    add_senses(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0 written, 1 written of a program that is not proven; bad input is raised."""
    output = Path(args.output)
    check_output(
        output,
        "a page",
        (".html", ".htm"),
        begins_as_named,
        sources=(args.spec, args.sense, args.frames),
        force=args.force,
    )
    check_jinja()
    sense = sense_of(args) if args.sense is not None or args.frames is not None else None
    chosen = choices(args)
    program = program_of(args, chosen, allow_unproven=True)
    seen = None
    if sense is not None:
        seen = Seen(sense.frames, seen_by(sense, program.machine, chosen))
    hint = SLOW if args.trials > DRAWS // 5 else None
    with ProgressBar("writing the page", hint) as progress:
        text = page(program, args.noise or USUAL, args.trials, args.noise_seed, progress, seen)
    write_atomically(output, text.encode())
    print_line(f"wrote {output}: {len(text.encode()) / 1024:.0f} KiB")
    return OK if program.claim.holds else WRONG
