"""``vsafsm rig``: ask a rig who it is, write a program to it, run a word on it. Heavy rooms are
imported when used.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vsafsm.cli.plugins import Command

if TYPE_CHECKING:
    from vsafsm.backend import Run
    from vsafsm.program import Program
    from vsafsm_memristor.rig.guard import Guarded, Plan
    from vsafsm_memristor.rig.protocol import Identity, Limits, Programmed, TargetMaps

OK, WRONG = 0, 1
LIMIT_FLAGS: Mapping[str, tuple[type, str]] = {
    "g_min_s": (float, "least conductance (siemens)"),
    "g_max_s": (float, "largest conductance (siemens)"),
    "v_read_max_v": (float, "largest read voltage (volts)"),
    "v_program_max_v": (float, "largest programming voltage (volts)"),
    "i_line_max_a": (float, "largest current of a row or column (amperes)"),
    "pulses_a_cell": (int, "most pulses that a cell may take in one command"),
    "write_budget": (int, "most pulses in all"),
}
ENOUGH = 0.99
"""Share of the cells that have to be within tolerance for `program` to call it done."""
REWRITE = 0.02
"""Share of the cells of the maps that chip in the loop may write again, unless asked for otherwise.
"""


class RigCommand:
    """The command, as `vsafsm.cli.plugins` wants it."""

    name = "rig"
    help = "check a rig, write a program to it, run a word on it"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """``check``, ``program`` and ``run``."""
        parts = parser.add_subparsers(
            title="commands", metavar="COMMAND", dest="rig_command", required=True
        )
        _add_check(parts)
        _add_program(parts)
        _add_run(parts)

    def run(self, args: argparse.Namespace) -> int:
        """-> 0 done and right, 1 wrong; bad input and faults are raised."""
        return {"check": _check, "program": _program, "run": _run}[args.rig_command](args)


COMMAND = Command(RigCommand.name, RigCommand.help, RigCommand)


# ---- arguments


def _add_check(parts: Any) -> None:
    parser = _part(parts, "check", "ask a rig who it is and what it bears; applies no voltage")
    _add_address(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_program(parts: Any) -> None:
    parser = _part(
        parts, "program", "say what writing a program would do (a dry run), or write it with --arm"
    )
    parser.add_argument("program", metavar="PROGRAM")
    _add_address(parser)
    _add_calibration(parser, "none", "loop")
    _add_arming(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_run(parts: Any) -> None:
    parser = _part(
        parts, "run", "write a program and run a word on it, or only run it with --written"
    )
    parser.add_argument("program", metavar="PROGRAM")
    _add_address(parser)
    parser.add_argument("inputs", metavar="INPUT", nargs="*", help="the word")
    _add_calibration(parser, "none", "trim", "loop")
    _add_arming(parser)
    parser.add_argument(
        "--written", action="store_true", help="the rig holds this program already: write nothing"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _part(parts: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = parts.add_parser(
        name, help=text, description=text, allow_abbrev=False
    )
    return parser


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="a VISA resource name, or ARC2::FILE")
    parser.add_argument(
        "--timeout-s", type=float, default=2.0, help="seconds that an answer may take (default 2)"
    )


def _add_calibration(parser: argparse.ArgumentParser, *kinds: str) -> None:
    meant = {
        "none": "none (default)",
        "trim": "trim (an offset a neuron, measured first)",
        "loop": "loop (cells written again: chip in the loop)",
    }
    parser.add_argument(
        "--calibration",
        choices=kinds,
        default="none",
        help=", ".join(text for kind, text in meant.items() if kind in kinds),
    )
    parser.add_argument(
        "--rewrite",
        type=float,
        metavar="SHARE",
        help=f"cells that may be written again, of all (default {REWRITE})",
    )


def _add_arming(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--arm", metavar="TOKEN", help="really do it; TOKEN is what the dry run prints"
    )
    parser.add_argument(
        "--log", metavar="FILE", help="append every command, voltage and reply to this file"
    )
    parser.add_argument(
        "--allow-no-watchdog", action="store_true", help="arm a rig that has no watchdog"
    )
    parser.add_argument(
        "-O",
        dest="assign",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of the memristor backend",
    )
    group = parser.add_argument_group(
        "limits", "the tighter of these and the rig's own are in force"
    )
    for name, (kind, text) in LIMIT_FLAGS.items():
        group.add_argument(
            f"--{name.replace('_', '-')}", dest=name, type=kind, metavar="LIMIT", help=text
        )


# ---- check


def _check(args: argparse.Namespace) -> int:
    from vsafsm.cli.tables import print_table
    from vsafsm.cli.terminal import print_json, print_line
    from vsafsm_memristor.rig.address import open_rig
    from vsafsm_memristor.rig.conformance import check_read_only, passed
    from vsafsm_memristor.rig.protocol import Closable

    rig = open_rig(args.address, args.timeout_s)
    try:
        findings = check_read_only(rig)
        right = passed(findings)
        if args.json:
            content = [vars(finding) for finding in findings]
            print_json(
                {
                    "address": args.address,
                    "passed": right,
                    "findings": content,
                    **_shown(rig.identify()),
                }
            )
        else:
            shown = {True: "yes", False: "NO", None: "-"}
            print_table(("rule", "kept", ""), [(f.rule, shown[f.kept], f.detail) for f in findings])
            print_line(
                "The rig keeps every rule that can be looked at without a voltage."
                if right
                else "Not a rig to arm."
            )
    finally:
        if isinstance(rig, Closable):
            rig.close()
    return OK if right else WRONG


def _shown(identity: Identity) -> dict[str, Any]:
    limits = vars(identity.limits)
    return {
        "model": identity.model,
        "serial": identity.serial,
        "watchdog_s": identity.watchdog_s,
        "limits": limits,
    }


# ---- program


def _program(args: argparse.Namespace) -> int:
    from vsafsm.cli.terminal import print_json

    _check_calibration(args, written=False)
    with _guarded(args) as guarded:
        program, maps = _maps(args, guarded)
        plan = guarded.plan(maps, corrections=_corrections(args, maps))
        if args.arm is None:
            _print_plan(args, plan, guarded)
            return OK
        guarded.arm(maps, args.arm, corrections=plan.corrections)
        replies = _write(guarded, maps)
        correction = (
            _correct(program, maps, guarded, replies, plan) if args.calibration == "loop" else None
        )
    written = _written(maps, replies)
    if args.json:
        print_json(
            {
                **_planned(plan, guarded),
                "armed": True,
                **written,
                **_calibrated(correction=correction),
            }
        )
    else:
        _print_written(written, correction, plan, guarded)
    if correction is not None:
        return WRONG if correction["wrong_after"] else OK
    return OK if written["share"] >= ENOUGH else WRONG


def _write(guarded: Guarded, maps: TargetMaps) -> dict[int, Programmed]:
    """Write all tiles that have something to write: -> the rig's replies by tile."""
    from vsafsm_memristor.rig.protocol import UNTOUCHED

    return {
        tile: guarded.program(tile, g)
        for tile, g in enumerate(maps.siemens)
        if (g != UNTOUCHED).any()
    }


def _written(maps: TargetMaps, replies: Mapping[int, Programmed]) -> dict[str, Any]:
    from vsafsm_memristor.rig.protocol import UNTOUCHED

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


def _print_written(
    written: Mapping[str, Any], correction: Mapping[str, Any] | None, plan: Plan, guarded: Guarded
) -> None:
    from vsafsm.cli.terminal import print_line

    identity = guarded.identify()
    print_line(
        f"{written['cells_within_tolerance']} of {plan.cells} cells are within tolerance "
        f"({100 * written['share']:.2f} %), {written['pulses']} pulses, rig {identity.model}, "
        f"serial {identity.serial}"
    )
    if correction is not None:
        _print_correction(correction)


def _print_plan(args: argparse.Namespace, plan: Plan, guarded: Guarded) -> None:
    from vsafsm.cli.tables import print_table
    from vsafsm.cli.terminal import print_json, print_line

    if args.json:
        print_json({**_planned(plan, guarded), "armed": False})
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


def _planned(plan: Plan, guarded: Guarded) -> dict[str, Any]:
    return {"rig": _shown(guarded.identify()), "plan": vars(plan)}


# ---- run


def _run(args: argparse.Namespace) -> int:
    from vsafsm_memristor.rig.errors import NotArmedError

    _check_calibration(args, written=args.written)
    with _guarded(args) as guarded:
        program, maps = _maps(args, guarded)
        for symbol in args.inputs:
            program.machine.input_index(symbol)
        plan = guarded.plan(maps, corrections=_corrections(args, maps))
        if args.arm is None:
            raise NotArmedError(
                "running a word puts voltages on the rig, and it is not armed; expected --arm"
                f" TOKEN with the token that `vsafsm rig program {args.program} {args.address}`"
                " prints with the same limits"
                + (" and --calibration loop" if plan.corrections else "")
            )
        guarded.arm(maps, args.arm, written=args.written, corrections=plan.corrections)
        replies = {} if args.written else _write(guarded, maps)
        found: dict[str, Any] = {}
        if args.calibration == "loop":
            found["correction"] = _correct(program, maps, guarded, replies, plan)
        elif args.calibration == "trim":
            found["trimmed"] = importlib.import_module("vsafsm_memristor.rig_array").trimmed_on(
                program, maps, guarded
            )
        ran = _run_word(program, maps, guarded, args.inputs, **found)
    return _print_run(args, program, ran, plan, guarded, _calibrated(**found))


def _run_word(
    program: Program,
    maps: TargetMaps,
    guarded: Guarded,
    word: Sequence[str],
    trimmed: Any = None,
    correction: Mapping[str, Any] | None = None,
) -> Run:
    from vsafsm.backend import Run

    loop = importlib.import_module("vsafsm_memristor.loop")
    session = loop.ClosedLoopSession(program, maps, guarded, trimmed)
    try:
        states, outputs = [session.state], [tuple(session.outputs)]
        for symbol in word:
            states.append(session.send(symbol))
            outputs.append(tuple(session.outputs))
    finally:
        session.close()
    return Run(tuple(states), tuple(outputs))


def _print_run(
    args: argparse.Namespace,
    program: Program,
    ran: Run,
    plan: Plan,
    guarded: Guarded,
    calibrated: dict[str, Any],
) -> int:
    from vsafsm.cli.tables import print_table
    from vsafsm.cli.terminal import print_json, print_line

    expected = program.machine.run(tuple(args.inputs))
    right = (ran.states, ran.outputs) == (
        expected.states,
        (expected.initial_outputs, *expected.outputs),
    )
    identity = guarded.identify()
    if args.json:
        print_json(
            {
                **_planned(plan, guarded),
                "inputs": list(args.inputs),
                "states": list(ran.states),
                "expected": list(expected.states),
                "outputs": [list(each) for each in ran.outputs],
                "correct": right,
                **calibrated,
            }
        )
    else:
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
        if "correction" in calibrated:
            _print_correction(calibrated["correction"])
        print_table(("step", "input", "state", "outputs", ""), rows)
        verdict = (
            "Each state and output is the interpreter's"
            if right
            else "Not all is the interpreter's"
        )
        print_line(f"{verdict} (rig {identity.model}, serial {identity.serial}).")
    return OK if right else WRONG


# ---- calibration


def _check_calibration(args: argparse.Namespace, written: bool) -> None:
    """Raise `OptionError` for what does not go together, before a rig is touched."""
    from vsafsm.errors import OptionError

    if args.calibration == "loop" and written:
        raise OptionError(
            "--calibration loop has to know what each cell is, as programming reports it, and"
            " --written programs nothing; expected --calibration trim or none, or no --written"
        )
    if args.rewrite is None:
        return
    if args.calibration != "loop" and not written:
        raise OptionError(
            f"--rewrite is given, and --calibration is {args.calibration}, which rewrites no cell;"
            " expected --calibration loop, or --written for a rig that was corrected"
        )
    if not 0 < args.rewrite <= 1:
        raise OptionError(f"--rewrite is {args.rewrite:g}; expected a share above 0 and at most 1")


def _corrections(args: argparse.Namespace, maps: TargetMaps) -> int:
    """Cells that may be, or may have been, written again."""
    if args.calibration != "loop" and args.rewrite is None:
        return 0
    room = importlib.import_module("vsafsm_memristor.rig_array")
    if args.calibration == "loop":
        room.check_correctable(maps)
    corrections: int = room.corrections_of(maps, REWRITE if args.rewrite is None else args.rewrite)
    return corrections


def _correct(
    program: Program,
    maps: TargetMaps,
    guarded: Guarded,
    replies: Mapping[int, Programmed],
    plan: Plan,
) -> dict[str, Any]:
    """Correct what was written, and say what came of it."""
    from vsafsm.cli.progress import ProgressBar

    room, before = importlib.import_module("vsafsm_memristor.rig_array"), guarded.budget_left
    with ProgressBar() as progress:
        outcome = room.corrected_on(
            program, maps, guarded, guarded.identify(), replies, plan.corrections, progress
        )
    found = outcome.correction
    counts = {
        name: getattr(found, name) for name in ("writes", "rounds", "short_before", "short_after")
    }
    return {
        "cells_at_most": plan.corrections,
        "cells_rewritten": found.rewritten,
        **counts,
        "wrong_after": outcome.wrong,
        "pulses": before - guarded.budget_left,
    }


def _calibrated(correction: Mapping[str, Any] | None = None, trimmed: Any = None) -> dict[str, Any]:
    """What `--json` says of a calibration."""
    found: dict[str, Any] = {}
    if correction is not None:
        found["correction"] = dict(correction)
    if trimmed is not None:
        found["trim"] = {"largest_offset_steps": float(abs(trimmed.offset).max())}
    return found


def _print_correction(correction: Mapping[str, Any]) -> None:
    from vsafsm.cli.tables import print_table

    pairs = f"{correction['short_before']} before, {correction['short_after']} after"
    rows = (
        (
            "cells rewritten",
            f"{correction['cells_rewritten']}, at most {correction['cells_at_most']}",
        ),
        (
            "writes",
            (
                f"{correction['writes']} in {correction['rounds']} rounds, {correction['pulses']}"
                " pulses"
            ),
        ),
        ("(situation, neuron) pairs short of the margin", pairs),
        ("pairs on the wrong side of the threshold", f"{correction['wrong_after']} after"),
    )
    print_table(("chip in the loop", ""), rows)


# ---- what all need


@contextmanager
def _guarded(args: argparse.Namespace) -> Iterator[Guarded]:
    """The rig at the address, behind the user's limits; closed, and the log with it, whatever
    happens.
    """
    from vsafsm.program import load_program
    from vsafsm_memristor.rig.address import open_rig
    from vsafsm_memristor.rig.guard import Guarded
    from vsafsm_memristor.rig.log import RigLog
    from vsafsm_memristor.rig.protocol import Closable

    load_program(args.program)  # before a rig is touched
    log = RigLog(args.log) if args.log else None
    try:
        rig = open_rig(args.address, args.timeout_s)
        try:
            own = rig.identify().limits
            guarded = Guarded(
                rig, _limits(args, own), log=log, allow_no_watchdog=args.allow_no_watchdog
            )
        except BaseException:
            with suppress(Exception):
                if isinstance(rig, Closable):
                    rig.close()
            raise
        with guarded:
            yield guarded
    finally:
        if log is not None:
            log.close()


def _limits(args: argparse.Namespace, own: Limits) -> Limits:
    given = {name: getattr(args, name) for name in LIMIT_FLAGS if getattr(args, name) is not None}
    return replace(own, **given)


def _maps(args: argparse.Namespace, guarded: Guarded) -> tuple[Program, TargetMaps]:
    from vsafsm.program import load_program

    program = load_program(args.program)
    room = importlib.import_module("vsafsm_memristor.maps")
    maps: TargetMaps = room.maps_of(program, guarded.identify(), **_options(args.assign))
    return program, maps


def _options(assigned: Sequence[str]) -> dict[str, object]:
    if not assigned:
        return {}
    from vsafsm.backend_options import read_options
    from vsafsm.discovery import find
    from vsafsm.options import parse_assignments

    return read_options(find("memristor"), parse_assignments(assigned))
