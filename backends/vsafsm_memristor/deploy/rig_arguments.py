"""Flags that the subcommands of ``vsafsm rig`` share, and what they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace

from vsafsm.backend_options import read_options
from vsafsm.discovery import find
from vsafsm.errors import OptionError
from vsafsm.options import parse_assignments
from vsafsm_memristor.rig.protocol import Limits

LIMIT_FLAGS: Mapping[str, tuple[type, str]] = {
    "g_min_s": (float, "least conductance (siemens)"),
    "g_max_s": (float, "largest conductance (siemens)"),
    "v_read_max_v": (float, "largest read voltage (volts)"),
    "v_program_max_v": (float, "largest programming voltage (volts)"),
    "i_line_max_a": (float, "largest current of a row or column (amperes)"),
    "pulses_per_cell": (int, "most pulses that a cell may take in one command"),
    "write_budget": (int, "most pulses in all"),
}
REWRITE = 0.02
"""Share of the cells of the maps that chip in the loop may write again, unless asked for otherwise.
"""
_CALIBRATIONS = {
    "none": "none (default)",
    "trim": "trim (an offset per neuron, measured first)",
    "loop": "loop (cells written again: chip in the loop)",
}


def add_address(parser: argparse.ArgumentParser, nargs: str | None = None) -> None:
    """Add an address, and how long an answer may take."""
    parser.add_argument(
        "address", metavar="ADDRESS", nargs=nargs, help="a VISA resource name, or ARC2::FILE"
    )
    parser.add_argument(
        "--timeout-s",
        type=float,
        default=2.0,
        metavar="S",
        help="seconds that an answer may take, that of a write as much longer as its pulses can"
        " take (default 2)",
    )


def add_calibration(parser: argparse.ArgumentParser, *kinds: str) -> None:
    """Add ``--calibration`` of these kinds, and ``--rewrite``."""
    parser.add_argument(
        "--calibration",
        choices=kinds,
        default="none",
        help=", ".join(_CALIBRATIONS[kind] for kind in kinds),
    )
    parser.add_argument(
        "--rewrite",
        type=float,
        metavar="SHARE",
        help="share of the cells of the program that loop may write again, or, with --written, may"
        f" have written again (default {REWRITE})",
    )


def add_arming(parser: argparse.ArgumentParser) -> None:
    """Add the token, the log, options of the backend, and limits."""
    add_token_and_log(parser)
    parser.add_argument(
        "-O",
        dest="assign",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of the memristor backend; may be repeated",
    )


def add_token_and_log(parser: argparse.ArgumentParser) -> None:
    """Add the token, the log, what is done without, and limits."""
    parser.add_argument(
        "--arm", metavar="TOKEN", help="really do it; TOKEN is what the dry run prints"
    )
    parser.add_argument(
        "--log",
        metavar="FILE",
        help="append every command, voltage and reply to this file, which check reads",
    )
    parser.add_argument(
        "--allow-no-watchdog", action="store_true", help="arm a rig that has no watchdog"
    )
    parser.add_argument(
        "--allow-shared",
        action="store_true",
        help="arm a rig that does not keep other clients out",
    )
    group = parser.add_argument_group(
        "limits", "the tighter of these and the rig's own are in force"
    )
    for name, (kind, text) in LIMIT_FLAGS.items():
        group.add_argument(
            f"--{name.replace('_', '-')}", dest=name, type=kind, metavar="LIMIT", help=text
        )


def check_calibration(args: argparse.Namespace, written: bool) -> None:
    """Raise `OptionError` for what does not go together, before a rig is touched."""
    if args.calibration == "loop" and written:
        raise OptionError(
            "--calibration loop has to know what each cell is, as programming reports it, and"
            " --written programs nothing; expected --calibration trim or none, or no --written"
        )
    if args.rewrite is None:
        return
    if args.calibration != "loop" and not written:
        raise OptionError(
            f"--rewrite is {args.rewrite:g}, and --calibration is {args.calibration}, which"
            " rewrites no cell; expected --calibration loop, or --written for a rig that was"
            " corrected"
        )
    if not 0 < args.rewrite <= 1:
        raise OptionError(f"--rewrite is {args.rewrite:g}; expected a share above 0 and at most 1")


def limits_of(args: argparse.Namespace, own: Limits) -> Limits:
    """The rig's own limits, with those of the flags in their place."""
    return replace(
        own,
        **{name: getattr(args, name) for name in LIMIT_FLAGS if getattr(args, name) is not None},
    )


def backend_options_of(args: argparse.Namespace) -> dict[str, object]:
    """Options of the backend, by ``-O``."""
    if not args.assign:
        return {}
    return read_options(find("memristor"), parse_assignments(args.assign))
