"""``vsafsm yield``: the share of simulated arrays that run a machine correctly."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vsafsm.cli.arguments import add_json, add_options, add_picture, add_program, choices
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.sources import program_of
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.errors import OptionError
from vsafsm.intervals import wilson
from vsafsm.plotting.canvas import check_drawable, check_picture
from vsafsm.plotting.style import theme_of
from vsafsm.program import Program
from vsafsm_memristor.crossbar.parameters import CALIBRATIONS, OPTIONS, settings
from vsafsm_memristor.deploy.yields import ArrayOutcome, outcomes

ARRAYS = 100
HEADER = (
    "calibration",
    "arrays correct",
    "95 % interval",
    "cells rewritten",
    "most",
    "pairs short before",
    "after",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, how many arrays, and the options of compiling and of the backend."""
    add_program(parser)
    parser.add_argument(
        "--arrays",
        type=int,
        default=ARRAYS,
        metavar="COUNT",
        help=f"arrays to draw (default {ARRAYS})",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="COUNT",
        help="processes; more than one needs joblib (default 1)",
    )
    parser.add_argument(
        "--compare",
        action="store_true",
        help="the same arrays as programmed, trimmed, and after chip in the loop",
    )
    parser.add_argument(
        "--least",
        type=float,
        metavar="SHARE",
        help="exit with 1 where the 95 %% interval begins below this",
    )
    add_picture(parser, "the shares with their intervals, and how much goes wrong per array")
    add_json(parser)
    add_options(parser, OPTIONS)
    parser.set_defaults(target="memristor")


def run(args: argparse.Namespace) -> int:
    """-> 0 measured, 1 where the yield is below ``--least``; bad input is raised."""
    _check(args)
    chosen = choices(args)
    program = program_of(args, chosen, allow_unproven=False)
    kinds: tuple[str, ...] = (
        CALIBRATIONS if args.compare else (settings(chosen.of_target).calibration,)
    )
    found = {
        kind: _measure(args, program, {**chosen.of_target, "calibration": kind}) for kind in kinds
    }
    rows = [_row(program, kind, arrays) for kind, arrays in found.items()]
    described = _describe(program, chosen.of_target)
    if args.json:
        print_json({**described, "arrays": args.arrays, "yields": rows})
    else:
        _print(described, rows, found)
    if args.picture is not None:
        _draw(args, program, found)
    enough = args.least is None or all(row["low"] >= args.least for row in rows)
    return OK if enough else WRONG


def _draw(
    args: argparse.Namespace, program: Program, found: Mapping[str, list[ArrayOutcome]]
) -> None:
    from vsafsm_memristor.deploy.yield_picture import draw_yields

    machine = program.machine
    draw_yields(
        machine.name,
        machine.reachable_transitions,
        found,
        args.least,
        Path(args.picture),
        theme_of(args.theme),
    )
    if not args.json:
        print_line(f"wrote {args.picture}")


def _check(args: argparse.Namespace) -> None:
    if args.picture is not None:
        check_drawable(Path(args.picture))
        check_picture(args.picture, sources=(args.spec,))
    for name in ("arrays", "jobs"):
        if getattr(args, name) < 1:
            raise OptionError(f"{name} is {getattr(args, name)}; expected at least 1")
    if args.least is not None and not 0 <= args.least <= 1:
        raise OptionError(f"least is {args.least}; expected a share, 0 to 1")


def _measure(
    args: argparse.Namespace, program: Program, options: dict[str, Any]
) -> list[ArrayOutcome]:
    first = settings(options).device_seed
    found = []
    with ProgressBar("measuring") as progress:
        for each in outcomes(program, options, range(first, first + args.arrays), args.jobs):
            found.append(each)
            progress(
                f"{len(found)} of {args.arrays} arrays, {options['calibration']}",
                len(found) / args.arrays,
            )
    return found


def _row(program: Program, calibration: str, found: Sequence[ArrayOutcome]) -> dict[str, Any]:
    correct = sum(each.wrong is None for each in found)
    low, high = wilson(correct, len(found))
    cells = 2 * program.network.neurons**2
    row: dict[str, Any] = {
        "calibration": calibration,
        "correct": correct,
        "share": correct / len(found),
        "low": low,
        "high": high,
    }
    if calibration == "loop":
        row["rewritten_mean"] = sum(each.rewritten for each in found) / len(found) / cells
        row["rewritten_most"] = max(each.rewritten for each in found) / cells
        row["writes_per_rewritten_cell"] = sum(each.writes for each in found) / max(
            1, sum(e.rewritten for e in found)
        )
        row["short_before"] = sum(each.short_before for each in found) / len(found)
        row["short_after"] = sum(each.short_after for each in found) / len(found)
    return row


def _describe(program: Program, options: dict[str, Any]) -> dict[str, Any]:
    network, chosen = program.network, settings(options)
    return {
        "machine": program.machine.name,
        "neurons": network.neurons,
        "active": network.active,
        "smallest": program.smallest,
        "device": chosen.model.name,
        "cells": chosen.layout(network.neurons).cells,
        "stuck_off": chosen.model.stuck_off,
        "stuck_on": chosen.model.stuck_on,
    }


def _print(
    described: Mapping[str, Any],
    rows: Sequence[dict[str, Any]],
    found: Mapping[str, list[ArrayOutcome]],
) -> None:
    print_line(
        f"{described['machine']}: N={described['neurons']} neurons, k={described['active']} active,"
        f" {described['cells']:,} cells of {described['device']}"
    )
    off, on = (100 * described[name] for name in ("stuck_off", "stuck_on"))
    print_line(f"stuck cells: {off:g} % off, {on:g} % on")
    lines = [_line(row, len(found[row["calibration"]])) for row in rows]
    used = [i for i in range(len(HEADER)) if any(line[i] for line in lines)]
    print_table([HEADER[i] for i in used], [[line[i] for i in used] for line in lines])
    for kind, arrays in found.items():
        if text := _most_wrong(arrays):
            print_line(f"{kind}: {text}")


def _line(row: Mapping[str, Any], total: int) -> tuple[str, ...]:
    """A row of the table, in the order of `HEADER`."""
    line = (
        row["calibration"],
        f"{row['correct']} of {total}",
        f"{row['low']:.4f} to {row['high']:.4f}",
    )
    if "rewritten_mean" not in row:
        return (*line, "", "", "", "")
    return (
        *line,
        f"{100 * row['rewritten_mean']:.2f} %",
        f"{100 * row['rewritten_most']:.2f} %",
        f"{row['short_before']:.0f}",
        f"{row['short_after']:.0f}",
    )


def _most_wrong(found: Sequence[ArrayOutcome]) -> str:
    """Where arrays go wrong first most often; empty where none does."""
    counts = Counter(
        (each.wrong.state, each.wrong.input) for each in found if each.wrong is not None
    )
    if not counts:
        return ""
    (state, symbol), times = counts.most_common(1)[0]
    place = f'in state "{state}" with input "{symbol}"' if symbol is not None else "at reset"
    return f"{sum(counts.values())} arrays go wrong, most often first {place} ({times})"
