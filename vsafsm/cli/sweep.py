"""``vsafsm sweep``: how much noise a machine tolerates."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

from vsafsm.cli.arguments import COMPILE_OPTIONS, add_options, add_picture, add_program, choices
from vsafsm.cli.exits import OK
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.sources import program_of
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import note, print_line
from vsafsm.options import parse_assignments
from vsafsm.overwriting import check_output
from vsafsm.plotting.canvas import check_drawable, check_picture
from vsafsm.plotting.style import theme_of
from vsafsm.sweeps.journal import journal_path
from vsafsm.sweeps.picture import draw
from vsafsm.sweeps.plan import Subject, Trials, subject
from vsafsm.sweeps.ranges import values
from vsafsm.sweeps.rows import Row, varied
from vsafsm.sweeps.sweep import DEFAULT_NOISE, sweep
from vsafsm.sweeps.table import Table, check_suffix, holds_table

COLUMNS = ("active", "bits", "rule", "code", "inhibition", "trigger", "seed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, noises, how to measure, where to, and compile options, each with a
    list of values.
    """
    usual = Trials()
    add_program(parser)
    parser.add_argument(
        "--noise",
        action="append",
        metavar="NOISE",
        help="noise to measure, NAME:AMOUNT or NAME:START:STOP:STEP with both ends; may be"
        f" repeated (default {DEFAULT_NOISE})",
    )
    parser.add_argument(
        "--backend",
        default="reference",
        metavar="LIST",
        help="where to run: one or more names between commas (default reference)",
    )
    for name, of, text in (
        ("trials", "most", "draws of noise per point, at most"),
        ("words", "words", "random words that each draw runs"),
        ("length", "length", "inputs of such a word"),
        ("noise-seed", "seed", "seed of the draws"),
    ):
        parser.add_argument(
            f"--{name}",
            type=int,
            default=getattr(usual, of),
            metavar="COUNT" if name != "noise-seed" else "SEED",
            help=f"{text} (default {getattr(usual, of)})",
        )
    parser.add_argument(
        "--width",
        type=float,
        default=usual.width,
        metavar="SHARE",
        help=(
            "a point is done once its 95 %% interval is no wider; 0 for never (default"
            f" {usual.width})"
        ),
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="COUNT", help="processes (default 1)"
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="measure on the workers of this Dask scheduler"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="TABLE",
        required=True,
        help="the table (.csv or .parquet); what one of this very sweep has is not measured again",
    )
    add_picture(parser, "the table")
    parser.add_argument(
        "--restart",
        action="store_true",
        help="forget what TABLE, or a sweep that was interrupted, has",
    )
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0 measured; bad input is raised."""
    output = Path(args.output)
    check_suffix(output)
    check_output(output, "a table of a sweep", is_kind=holds_table, sources=(args.spec,))
    if args.picture is not None:
        check_drawable(Path(args.picture))
        check_picture(args.picture, sources=(args.spec,))
    table = _measure(args, output)
    _print(table.rows)
    print_line(f"wrote {output}")
    if args.picture is not None:
        draw(table, Path(args.picture), theme_of(args.theme))
        print_line(f"wrote {args.picture}")
    return OK


def _measure(args: argparse.Namespace, output: Path) -> Table:
    there = output.exists() and not args.restart
    try:
        with ProgressBar("measuring") as progress:
            table = sweep(
                _subjects(args),
                args.noise or DEFAULT_NOISE,
                trials=args.trials,
                width=args.width,
                words=args.words,
                length=args.length,
                seed=args.noise_seed,
                output=output,
                restart=args.restart,
                jobs=args.jobs,
                scheduler=args.scheduler,
                progress=progress,
            )
    except KeyboardInterrupt:
        kept = journal_path(output)
        if kept.exists():
            note("note", f"what was measured is kept in {kept}; the same command goes on")
        raise
    if there:
        note("note", f"{output} is there already, from this very sweep; nothing is measured again")
    return table


def _subjects(args: argparse.Namespace) -> list[Subject]:
    """Every program that is asked for, on every backend; the last option varies fastest."""
    flags = {f"compile_{name}": getattr(args, f"compile_{name}") for name in COMPILE_OPTIONS}
    texts = {name: text for name, text in flags.items() if text is not None}
    # A flag overrides -O, as in `choices`: a list there would measure one program again and again.
    for name, text in parse_assignments(args.assign).items():
        if f"compile_{name}" not in texts:
            texts[name] = text
    # Noises that are to be tolerated have commas of their own: flags ask for one set of them.
    axes = {
        name: (" ".join(dict.fromkeys(text)),)
        if isinstance(text, list)
        else values(name.removeprefix("compile_"), text)
        for name, text in texts.items()
    }
    backends = values("backend", args.backend)
    return [
        _subject(args, backend, dict(zip(axes, each, strict=True)))
        for backend in backends
        for each in product(*axes.values())
    ]


def _subject(args: argparse.Namespace, backend: str, chosen: Mapping[str, str]) -> Subject:
    flags = {name: text for name, text in chosen.items() if name.startswith("compile_")}
    assigned = [f"{name}={text}" for name, text in chosen.items() if name not in flags]
    one = argparse.Namespace(**{**vars(args), **flags, "assign": assigned, "target": backend})
    found = choices(one)
    return subject(program_of(one, found, allow_unproven=True), backend, found.of_target)


def _print(rows: Sequence[Row]) -> None:
    print_line(
        f"{rows[0].machine}: share of correct draws, with its 95 % interval over draws (Wilson)"
    )
    names = varied(rows, ("backend", "options", *COLUMNS))
    columns = {"noise": "noise", "neurons": "N", **{name: name for name in names}}
    cells = [(*(str(getattr(row, name)) for name in columns), *_shares(row)) for row in rows]
    header = (
        *columns.values(),
        "draws",
        "every pair correct",
        "every word correct",
        "proven bound",
    )
    kept = [i for i in range(len(header)) if any(each[i] for each in cells)]
    print_table([header[i] for i in kept], [[each[i] for i in kept] for each in cells])


def _shares(row: Row) -> tuple[str, ...]:
    always = (
        ""
        if row.always_share is None
        else _share(row.always_share, row.always_low, row.always_high)
    )
    bound = "" if row.failure_bound is None else f"{1 - row.failure_bound:.4g}"
    return (
        str(row.trials),
        _share(row.correct_share, row.correct_low, row.correct_high),
        always,
        bound,
    )


def _share(share: float, low: float | None, high: float | None) -> str:
    return f"{share:.3f} ({low:.3f} to {high:.3f})"
