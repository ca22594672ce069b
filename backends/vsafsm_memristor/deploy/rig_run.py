"""``vsafsm rig run``: a word on a rig, each state beside the one of the interpreter."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from vsafsm.backend import Run
from vsafsm.cli.arguments import add_json
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.results import is_correct
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.program import Program, load_program
from vsafsm_memristor.crossbar.trimming import TrimmedCrossbar
from vsafsm_memristor.deploy.loop import ClosedLoopSession
from vsafsm_memristor.deploy.maps import RigMaps
from vsafsm_memristor.deploy.rig_access import corrections_for, guarded_rig, maps_for, write
from vsafsm_memristor.deploy.rig_arguments import (
    add_address,
    add_arming,
    add_calibration,
    check_calibration,
)
from vsafsm_memristor.deploy.rig_calibration import trim_on
from vsafsm_memristor.deploy.rig_correction import correct_cells
from vsafsm_memristor.deploy.rig_results import json_of_plan, print_correction
from vsafsm_memristor.rig.errors import RefusedError
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.plans import WritePlan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A program, an address, a word, calibration, and what arms."""
    parser.add_argument(
        "program", metavar="PROGRAM", help="a program (.npz) compiled for the backend memristor"
    )
    add_address(parser)
    parser.add_argument("inputs", metavar="INPUT", nargs="*", help="the word")
    add_calibration(parser, "none", "trim", "loop")
    add_arming(parser)
    parser.add_argument(
        "--written", action="store_true", help="the rig holds this program already: write nothing"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0 where every state and output is the interpreter's, 1 where one is not."""
    check_calibration(args, written=args.written)
    program = load_program(args.program)  # before a rig is touched
    with guarded_rig(args) as guarded:
        maps = maps_for(args, program, guarded)
        for symbol in args.inputs:
            program.machine.input_index(symbol)
        plan = guarded.plan(maps, corrections=corrections_for(args, maps))
        _require_token(args, plan)
        guarded.arm(maps, args.arm, written=args.written, corrections=plan.corrections)
        replies = {} if args.written else write(guarded, maps)
        calibration: dict[str, Any] = {}
        trim: TrimmedCrossbar | None = None
        if args.calibration == "loop":
            calibration["correction"] = correct_cells(program, maps, guarded, replies, plan)
        elif args.calibration == "trim":
            trim = trim_on(program, maps, guarded)
            calibration["trim"] = {"largest_offset_lsb": float(abs(trim.offset).max())}
        ran = _run_word(program, maps, guarded, args.inputs, trim)
    return _print(args, program, ran, plan, guarded, calibration)


def _require_token(args: argparse.Namespace, plan: WritePlan) -> None:
    if args.arm is None:
        raise RefusedError(
            "running a word puts voltages on the rig, and it is not armed; expected --arm"
            f" TOKEN with the token that `vsafsm rig program {args.program} {args.address}`"
            " prints with the same limits" + (" and --calibration loop" if plan.corrections else "")
        )


def _run_word(
    program: Program,
    maps: RigMaps,
    guarded: GuardedRig,
    word: Sequence[str],
    trim: TrimmedCrossbar | None,
) -> Run:
    session = ClosedLoopSession(program, maps, guarded, trim)
    try:
        states, outputs = [session.state], [tuple(session.outputs)]
        for symbol in word:
            states.append(session.send(symbol))
            outputs.append(tuple(session.outputs))
    finally:
        session.close()
    return Run(tuple(states), tuple(outputs))


def _print(
    args: argparse.Namespace,
    program: Program,
    ran: Run,
    plan: WritePlan,
    guarded: GuardedRig,
    calibration: dict[str, Any],
) -> int:
    expected = program.machine.run(tuple(args.inputs))
    correct = is_correct(ran, expected)
    if args.json:
        print_json(
            {
                **json_of_plan(plan, guarded),
                "inputs": list(args.inputs),
                "states": list(ran.states),
                "expected": list(expected.states),
                "outputs": [list(each) for each in ran.outputs],
                "correct": correct,
                **calibration,
            }
        )
        return OK if correct else WRONG
    if "correction" in calibration:
        print_correction(calibration["correction"])
    rows = [
        (
            str(i),
            symbol,
            state or "(none)",
            ", ".join(out),
            "" if state == wanted else f"expected {wanted}",
        )
        for i, (symbol, state, out, wanted) in enumerate(
            zip(("", *args.inputs), ran.states, ran.outputs, expected.states, strict=True)
        )
    ]
    print_table(("step", "input", "state", "outputs", ""), rows)
    identity = guarded.identify()
    verdict = (
        "Each state and output is the interpreter's" if correct else "Not all is the interpreter's"
    )
    print_line(f"{verdict} (rig {identity.model}, serial {identity.serial}).")
    return OK if correct else WRONG
