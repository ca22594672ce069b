"""``vsafsm rig program``: what writing a program would do, or, armed, the writing."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from vsafsm.cli.arguments import add_json
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.program import load_program
from vsafsm_memristor.deploy.maps import RigMaps
from vsafsm_memristor.deploy.rig_access import corrections_for, guarded_rig, maps_for, write
from vsafsm_memristor.deploy.rig_arguments import (
    add_address,
    add_arming,
    add_calibration,
    check_calibration,
)
from vsafsm_memristor.deploy.rig_correction import correct_cells
from vsafsm_memristor.deploy.rig_results import json_of_plan, print_correction
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.plans import WritePlan
from vsafsm_memristor.rig.protocol import UNTOUCHED, ProgramReply

ENOUGH = 0.99
"""Share of the cells that have to be within tolerance for the exit code 0."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A program, an address, calibration, and what arms."""
    parser.add_argument(
        "program", metavar="PROGRAM", help="a program (.npz) compiled for the backend memristor"
    )
    add_address(parser)
    add_calibration(parser, "none", "loop")
    add_arming(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0 for a dry run, or where enough cells are within tolerance; 1 where they are not."""
    check_calibration(args, written=False)
    program = load_program(args.program)  # before a rig is touched
    with guarded_rig(args) as guarded:
        maps = maps_for(args, program, guarded)
        plan = guarded.plan(maps, corrections=corrections_for(args, maps))
        if args.arm is None:
            _print_plan(args, plan, guarded)
            return OK
        guarded.arm(maps, args.arm, corrections=plan.corrections)
        replies = write(guarded, maps)
        correction = (
            correct_cells(program, maps, guarded, replies, plan)
            if args.calibration == "loop"
            else None
        )
    counts = _count(maps, replies)
    if args.json:
        more = {} if correction is None else {"correction": correction}
        print_json({**json_of_plan(plan, guarded), "armed": True, **counts, **more})
    else:
        _print_counts(counts, plan, guarded)
        if correction is not None:
            print_correction(correction)
    if correction is not None:
        return WRONG if correction["wrong_after"] else OK
    return OK if counts["share"] >= ENOUGH else WRONG


def _count(maps: RigMaps, replies: Mapping[int, ProgramReply]) -> dict[str, Any]:
    """Cells that programming brought to their targets, and pulses."""
    cells = reached = pulses = 0
    for tile, reply in replies.items():
        touched = maps.siemens[tile] != UNTOUCHED
        cells += int(touched.sum())
        reached += int(reply.ok[touched].sum())
        pulses += int(reply.pulses.sum())
    return {
        "cells_within_tolerance": reached,
        "share": reached / cells if cells else 1.0,
        "pulses": pulses,
    }


def _print_counts(counts: Mapping[str, Any], plan: WritePlan, guarded: GuardedRig) -> None:
    identity = guarded.identify()
    print_line(
        f"{counts['cells_within_tolerance']} of {plan.cells} cells are within tolerance "
        f"({100 * counts['share']:.2f} %), {counts['pulses']} pulses, rig {identity.model}, "
        f"serial {identity.serial}"
    )


def _print_plan(args: argparse.Namespace, plan: WritePlan, guarded: GuardedRig) -> None:
    if args.json:
        print_json({**json_of_plan(plan, guarded), "armed": False})
        return
    identity, limits = guarded.identify(), guarded.limits
    watchdog = f"{identity.watchdog_s:g} s" if identity.watchdog_s else "none"
    again = (
        (("cells that may be rewritten", f"at most {plan.corrections}"),)
        if args.calibration == "loop"
        else ()
    )
    rows = (
        ("rig", f"{identity.model}, serial {identity.serial}, watchdog {watchdog}"),
        ("tiles written", f"{plan.tiles} of {identity.limits.tiles}"),
        ("cells written", f"{plan.cells}, to {plan.g_least_s:.4g} to {plan.g_most_s:.4g} S"),
        *again,
        ("pulses", f"at most {plan.pulses_at_most}, of a budget of {guarded.budget_left}"),
        ("programming voltage", f"at most {limits.v_program_max_v:g} V"),
        ("read voltage", f"{plan.v_read_v:g} V, at most {limits.v_read_max_v:g} V"),
        (
            "line current",
            f"{plan.line_current_a:.4g} A with every row active, at most {limits.i_line_max_a:g} A",
        ),
        ("token", plan.token),
    )
    print_table(("dry run", "nothing was sent"), rows)
    print_line(f"To do it, run the same command with --arm {plan.token}")
