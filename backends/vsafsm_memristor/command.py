"""``vsafsm yield``: the share of simulated arrays that run a machine right. Heavy rooms are
imported when used.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vsafsm.cli.plugins import Command

if TYPE_CHECKING:
    from vsafsm.program import Program
    from vsafsm_memristor.yields import Outcome

OK, WRONG = 0, 1
ARRAYS = 100


class YieldCommand:
    """The command, as `vsafsm.cli.plugins` wants it."""

    name = "yield"
    help = "measure how many simulated memristor arrays run a machine right"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """A spec or program, how many arrays, and the options of compiling and of the backend."""
        from vsafsm.cli.arguments import add_options
        from vsafsm_memristor.parameters import OPTIONS

        parser.add_argument("spec", metavar="SPEC|PROGRAM")
        parser.add_argument(
            "--arrays",
            type=int,
            default=ARRAYS,
            metavar="COUNT",
            help=f"arrays to draw (default {ARRAYS})",
        )
        parser.add_argument(
            "--jobs", type=int, default=1, metavar="COUNT", help="processes (default 1)"
        )
        parser.add_argument(
            "--compare", action="store_true", help="the same arrays with every kind of calibration"
        )
        parser.add_argument(
            "--least",
            type=float,
            metavar="SHARE",
            help="exit with 1 where the 95 %% interval begins below this",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        add_options(parser, OPTIONS)
        parser.set_defaults(target="memristor")

    def run(self, args: argparse.Namespace) -> int:
        """-> 0 measured, 1 where the yield is below ``--least``; bad input is raised."""
        return _run(args)


COMMAND = Command(YieldCommand.name, YieldCommand.help, YieldCommand)


def _run(args: argparse.Namespace) -> int:
    from vsafsm.cli.arguments import choices
    from vsafsm.cli.sources import program_of
    from vsafsm.cli.terminal import print_json
    from vsafsm_memristor.calibration import CALIBRATIONS
    from vsafsm_memristor.parameters import settings

    _check(args)
    chosen = choices(args)
    program = program_of(args, chosen, allow_unproven=False)
    kinds: tuple[str, ...] = (
        CALIBRATIONS if args.compare else (settings(chosen.of_target).calibration,)
    )
    measured: dict[str, list[Outcome]] = {
        kind: _outcomes(args, program, {**chosen.of_target, "calibration": kind}) for kind in kinds
    }
    rows = [_row(program, kind, found) for kind, found in measured.items()]
    if args.json:
        print_json({**_described(program, chosen.of_target), "arrays": args.arrays, "yields": rows})
    else:
        _print(program, chosen.of_target, rows, measured)
    enough = args.least is None or all(row["low"] >= args.least for row in rows)
    return OK if enough else WRONG


def _check(args: argparse.Namespace) -> None:
    from vsafsm.errors import OptionError

    for name in ("arrays", "jobs"):
        if getattr(args, name) < 1:
            raise OptionError(f"{name} is {getattr(args, name)}; expected at least 1")
    if args.least is not None and not 0 <= args.least <= 1:
        raise OptionError(f"least is {args.least}; expected a share, 0 to 1")


def _outcomes(args: argparse.Namespace, program: Program, options: dict[str, Any]) -> list[Outcome]:
    from vsafsm.cli.progress import ProgressBar
    from vsafsm_memristor.parameters import settings
    from vsafsm_memristor.yields import outcomes

    first = settings(options).device_seed
    found = []
    with ProgressBar() as progress:
        for each in outcomes(program, options, range(first, first + args.arrays), args.jobs):
            found.append(each)
            progress(
                f"{len(found)} of {args.arrays} arrays, {options['calibration']}",
                len(found) / args.arrays,
            )
    return found


def _row(program: Program, calibration: str, found: Sequence[Outcome]) -> dict[str, Any]:
    from vsafsm.intervals import wilson

    right = sum(each.wrong is None for each in found)
    low, high = wilson(right, len(found))
    cells = 2 * program.network.neurons**2
    row: dict[str, Any] = {
        "calibration": calibration,
        "right": right,
        "share": right / len(found),
        "low": low,
        "high": high,
    }
    if calibration == "loop":
        row["rewritten_mean"] = sum(each.rewritten for each in found) / len(found) / cells
        row["rewritten_most"] = max(each.rewritten for each in found) / cells
        row["writes_a_rewritten_cell"] = sum(each.writes for each in found) / max(
            1, sum(e.rewritten for e in found)
        )
        row["short_before"] = sum(each.short_before for each in found) / len(found)
        row["short_after"] = sum(each.short_after for each in found) / len(found)
    return row


def _described(program: Program, options: dict[str, Any]) -> dict[str, Any]:
    from vsafsm_memristor.backend import BACKEND

    described = BACKEND.describe(program, **options)
    network = program.network
    return {
        "machine": program.machine.name,
        "neurons": network.neurons,
        "active": network.active,
        "smallest": program.smallest,
        "device": described["device"],
        "cells": described["cells"],
    }


def _print(
    program: Program,
    options: dict[str, Any],
    rows: Sequence[dict[str, Any]],
    measured: Mapping[str, list[Outcome]],
) -> None:
    from vsafsm.cli.tables import print_table
    from vsafsm.cli.terminal import print_line

    what = _described(program, options)
    print_line(
        f"{what['machine']}: N={what['neurons']} neurons, k={what['active']} active,"
        f" {what['cells']:,} cells of {what['device']}"
    )
    header = (
        "calibration",
        "arrays right",
        "95 % interval",
        "cells rewritten",
        "most",
        "pairs short before",
        "after",
    )
    shown = []
    for row in rows:
        total = len(measured[row["calibration"]])
        more = ("", "", "", "")
        if "rewritten_mean" in row:
            shares = (f"{100 * row[name]:.2f} %" for name in ("rewritten_mean", "rewritten_most"))
            more = (*shares, f"{row['short_before']:.0f}", f"{row['short_after']:.0f}")  # type: ignore[assignment]
        shown.append(
            (
                row["calibration"],
                f"{row['right']} of {total}",
                f"{row['low']:.4f} to {row['high']:.4f}",
                *more,
            )
        )
    used = [i for i in range(len(header)) if i < 3 or any(row[i] for row in shown)]
    print_table([header[i] for i in used], [[row[i] for i in used] for row in shown])
    for kind, found in measured.items():
        if text := _most_wrong(found):
            print_line(f"{kind}: {text}")


def _most_wrong(found: Sequence[Outcome]) -> str:
    """Where arrays go wrong first most often; empty where none does."""
    counted = Counter(
        (each.wrong.state, each.wrong.input) for each in found if each.wrong is not None
    )
    if not counted:
        return ""
    (state, symbol), times = counted.most_common(1)[0]
    place = f'in state "{state}" with input "{symbol}"' if symbol is not None else "at reset"
    return f"{sum(counted.values())} arrays go wrong, most often first {place} ({times})"
