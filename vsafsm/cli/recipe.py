"""``vsafsm recipe``: the next settings of a fabrication to try, and what became of them."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsafsm.cli.arguments import add_json, add_picture
from vsafsm.cli.exits import OK
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.errors import UsageError
from vsafsm.plotting.style import theme_of

if TYPE_CHECKING:
    from vsafsm.recipes.plan import Plan, Value
    from vsafsm.recipes.table import Table

ASK = "suggest the next settings to try"
TELL = "add a trial to the table"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``ask`` and ``tell``."""
    parts = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="recipe_command", required=True
    )
    ask = parts.add_parser("ask", help=ASK, description=ASK, allow_abbrev=False)
    tell = parts.add_parser("tell", help=TELL, description=TELL, allow_abbrev=False)
    for part in (ask, tell):
        part.add_argument("table", metavar="TABLE", help="a .csv with a line per trial")
        part.add_argument(
            "--plan",
            metavar="FILE",
            help="settings and objective (default: the table's name with .yaml)",
        )
    ask.add_argument(
        "--count", type=int, default=1, metavar="COUNT", help="settings to suggest (default 1)"
    )
    ask.add_argument(
        "--seed", type=int, default=0, metavar="SEED", help="seed of every random draw (default 0)"
    )
    add_picture(ask, "what was learnt")
    add_json(ask)
    tell.add_argument(
        "cells", metavar="COLUMN=VALUE", nargs="+", help="every setting, and what was measured"
    )


def run(args: argparse.Namespace) -> int:
    """-> 0; bad input is raised, and nothing is written then."""
    from vsafsm.recipes.plan import load_plan

    path = Path(args.table)
    if path.suffix != ".csv":
        raise UsageError(f'"{args.table}" is no table; expected a name that ends in .csv')
    plan = load_plan(args.plan or path.with_suffix(".yaml"))
    return _ask(args, plan) if args.recipe_command == "ask" else _tell(args, plan)


def _ask(args: argparse.Namespace, plan: Plan) -> int:
    from vsafsm.plotting.canvas import check_picture
    from vsafsm.recipes.picture import draw_learnt
    from vsafsm.recipes.suggest import suggest
    from vsafsm.recipes.table import load_table
    from vsafsm.recipes.values import values

    if args.picture is not None:
        check_picture(args.picture, sources=(args.table, args.plan))
    if args.count < 1 or args.seed < 0:
        raise UsageError("--count is to be 1 or more, and --seed 0 or more")
    table = load_table(args.table, plan)
    worth = values(plan, table.trials, args.table)
    tried = [trial.settings for trial in table.trials]
    found = suggest(plan, tried, worth, args.count, args.seed)
    if args.picture is not None:
        draw_learnt(plan, tried, worth, Path(args.picture), theme_of(args.theme))
    if args.json:
        print_json({"trials": len(tried), "best": _best(plan, table, worth), "settings": found})
    else:
        _print(args, plan, table, worth, found)
    return OK


def _best(plan: Plan, table: Table, worth: Sequence[float | None]) -> dict[str, Any] | None:
    known = [(value, i) for i, value in enumerate(worth) if value is not None]
    if not known:
        return None
    aim = max if plan.objective.maximise else min
    value, place = aim(known, key=lambda each: each[0])
    trial = table.trials[place]
    return {"line": trial.line, "value": value, "settings": trial.settings}


def _print(
    args: argparse.Namespace,
    plan: Plan,
    table: Table,
    worth: Sequence[float | None],
    found: Sequence[dict[str, Value]],
) -> None:
    from vsafsm.recipes.plan import texts_of

    best = _best(plan, table, worth)
    print_line(f"{len(table.trials)} trials, {sum(v is not None for v in worth)} measured")
    if best is not None:
        print_line(f"best: line {best['line']}, {best['value']:g}")
    names = [setting.name for setting in plan.settings]
    texts = [texts_of(each) for each in found]
    print_table(names, [[each[name] for name in names] for each in texts])
    plan_flag = f" --plan {shlex.quote(args.plan)}" if args.plan else ""
    for each in texts:
        cells = " ".join(shlex.quote(f"{name}={text}") for name, text in each.items())
        empty = " ".join(shlex.quote(f"{name}=...") for name in plan.measured)
        print_line(f"vsafsm recipe tell {shlex.quote(args.table)}{plan_flag} {cells} {empty}")


def _tell(args: argparse.Namespace, plan: Plan) -> int:
    from vsafsm.recipes.table import append

    cells: dict[str, str] = {}
    for text in args.cells:
        name, equals, value = text.partition("=")
        if not equals or name in cells:
            problem = "is given twice" if equals else "says nothing of a column"
            raise UsageError(f'"{text}" {problem}; expected COLUMN=VALUE, each column once')
        cells[name] = value
    after = append(args.table, plan, cells)
    print_line(f"line {after.trials[-1].line} of {args.table}")
    return OK
