"""``vsafsm rig check``: who a rig is, and whether it keeps the rules; what a log says.

Unarmed it applies no voltage. Armed it writes a few cells, reads them, and writes them again.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from vsafsm.cli.arguments import add_json
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.errors import OptionError
from vsafsm_memristor.deploy.rig_access import guarded_rig
from vsafsm_memristor.deploy.rig_arguments import add_address, add_token_and_log
from vsafsm_memristor.deploy.rig_results import json_of_identity
from vsafsm_memristor.rig.address import open_rig
from vsafsm_memristor.rig.conformance import (
    Pattern,
    check_programming,
    check_read_only,
    check_reading,
    few_cells,
)
from vsafsm_memristor.rig.errors import RefusedError, RigError
from vsafsm_memristor.rig.findings import Finding, passed
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.history import check_log, read_history
from vsafsm_memristor.rig.protocol import Closable, Rig
from vsafsm_memristor.rig.scpi import ScpiRig

_KEPT = {True: "yes", False: "NO", None: "-"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """An address, a log, and what arms."""
    add_address(parser, nargs="?")
    add_token_and_log(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0 where the rig and the log keep every rule, 1 where one is broken."""
    if args.address is None:
        return _run_on_log(args)
    findings, said = _looked(args) if args.arm is None else _tried(args)
    if args.log:
        findings += check_log(read_history(args.log))
    keeps_all = passed(findings)
    if args.json:
        print_json(
            {
                "address": args.address,
                "passed": keeps_all,
                "findings": [vars(finding) for finding in findings],
                **said,
            }
        )
        return OK if keeps_all else WRONG
    _print(findings)
    if not keeps_all:
        print_line("Not a rig to arm.")
    elif args.arm is not None:
        print_line("The rig keeps every rule.")
    else:
        print_line("The rig keeps every rule that can be looked at without a voltage.")
        if said.get("token"):
            print_line(
                f"To write {said['cells']} cells too and read them back, run the same command with"
                f" --arm {said['token']}"
            )
    return OK if keeps_all else WRONG


def _run_on_log(args: argparse.Namespace) -> int:
    if args.log is None or args.arm is not None:
        raise OptionError("no rig to check; expected an ADDRESS, or --log FILE alone to read a log")
    findings = check_log(read_history(args.log))
    keeps_all = passed(findings)
    if args.json:
        content = {"log": args.log, "findings": [vars(finding) for finding in findings]}
        print_json({**content, "passed": keeps_all})
    else:
        _print(findings)
        print_line("The log keeps every rule." if keeps_all else "The log breaks a rule.")
    return OK if keeps_all else WRONG


def _print(findings: list[Finding]) -> None:
    print_table(("rule", "kept", ""), [(f.rule, _KEPT[f.kept], f.detail) for f in findings])


def _looked(args: argparse.Namespace) -> tuple[list[Finding], dict[str, Any]]:
    """Without a voltage: -> findings, and what else is said."""
    with guarded_rig(args) as guarded:
        findings = _read_only(args)
        said = json_of_identity(guarded.identify())
        with suppress(RefusedError):  # a rig with nothing to try
            pattern = few_cells(guarded.identify())
            plan = guarded.plan(pattern, corrections=_cells(pattern))
            said |= {"token": plan.token, "cells": plan.cells}
    return findings, said


def _tried(args: argparse.Namespace) -> tuple[list[Finding], dict[str, Any]]:
    """With a few cells: -> findings, and what else is said."""
    findings = _read_only(args)
    with guarded_rig(args) as guarded:
        pattern = few_cells(guarded.identify())
        guarded.arm(pattern, args.arm, corrections=_cells(pattern))
        findings += check_programming(guarded, pattern)
        findings += _reading(guarded)
        return findings, json_of_identity(guarded.identify())


def _reading(guarded: GuardedRig) -> list[Finding]:
    """Nothing more of a rig that has failed: it is not used any more."""
    try:
        return check_reading(guarded)
    except RigError as error:
        return [Finding("read works", False, f"{type(error).__name__}: {error}")]


def _read_only(args: argparse.Namespace) -> list[Finding]:
    rig = open_rig(args.address, args.timeout_s)
    another: Callable[[], Rig] | None = None
    if isinstance(rig, ScpiRig) and args.address.upper().endswith("::SOCKET"):
        another = partial(open_rig, args.address, args.timeout_s)
    try:
        return check_read_only(rig, another)
    finally:
        if isinstance(rig, Closable):
            rig.close()


def _cells(pattern: Pattern) -> int:
    return int(np.count_nonzero(pattern.siemens[0]))
