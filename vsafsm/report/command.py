"""``vsafsm report``. Heavy rooms are imported when used."""

from __future__ import annotations

import argparse

OK, WRONG = 0, 1
DRAWS = 50


class ReportCommand:
    """The command, as `vsafsm.commands` wants it."""

    name = "report"
    help = (
        "write one page about a program: machine, proof, weak points, robustness, a run to step"
        " through"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """A spec or program, where to, what noise to measure, and compile options."""
        from vsafsm.arguments import add_options

        parser.add_argument("spec", metavar="SPEC|PROGRAM")
        parser.add_argument(
            "-o", "--output", metavar="PAGE", required=True, help="the page to write (.html)"
        )
        parser.add_argument(
            "--noise",
            action="append",
            metavar="RANGE",
            help="NAME:START:STOP:STEP, again for others (default: three)",
        )
        parser.add_argument(
            "--trials",
            type=int,
            default=DRAWS,
            metavar="COUNT",
            help=f"draws at each strength (default {DRAWS})",
        )
        parser.add_argument(
            "--noise-seed", type=int, default=0, metavar="SEED", help="of the draws (default 0)"
        )
        add_options(parser, ())
        parser.set_defaults(target=None)

    def run(self, args: argparse.Namespace) -> int:
        """-> 0 written, 1 written of a program that is not proven; bad input is raised."""
        from pathlib import Path

        from vsafsm.arguments import choices
        from vsafsm.errors import FileError, ReportError
        from vsafsm.files import write_atomically
        from vsafsm.report.curves import USUAL
        from vsafsm.report.page import check_jinja, page
        from vsafsm.sources import program_of
        from vsafsm.terminal import ProgressBar, print_line

        output = Path(args.output)
        if output.suffix not in (".html", ".htm"):
            raise ReportError(f'"{output}" is no page; expected a name that ends in .html')
        if not output.resolve().parent.is_dir() or output.is_dir():
            raise FileError(
                f'cannot write "{output}"; expected the name of a file in a folder that is there'
            )
        check_jinja()
        program = program_of(args, choices(args), allow_unproven=True)
        with ProgressBar() as progress:
            text = page(program, args.noise or USUAL, args.trials, args.noise_seed, progress)
        write_atomically(output, text.encode())
        print_line(f"wrote {output}: {len(text.encode()) / 1024:.0f} KiB")
        return OK if program.claim.holds else WRONG


COMMAND = ReportCommand()
