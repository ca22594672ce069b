"""``vsafsm rig check``: who a rig is, and whether it keeps the rules; applies no voltage."""

from __future__ import annotations

import argparse

from vsafsm.cli.arguments import add_json
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_json, print_line
from vsafsm_memristor.deploy.rig_arguments import add_address
from vsafsm_memristor.deploy.rig_results import json_of_identity
from vsafsm_memristor.rig.address import open_rig
from vsafsm_memristor.rig.conformance import check_read_only, passed
from vsafsm_memristor.rig.protocol import Closable

_KEPT = {True: "yes", False: "NO", None: "-"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """An address."""
    add_address(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0 where the rig keeps every rule, 1 where it breaks one."""
    rig = open_rig(args.address, args.timeout_s)
    try:
        findings = check_read_only(rig)
        keeps_all = passed(findings)
        if args.json:
            print_json(
                {
                    "address": args.address,
                    "passed": keeps_all,
                    "findings": [vars(finding) for finding in findings],
                    **json_of_identity(rig.identify()),
                }
            )
        else:
            print_table(("rule", "kept", ""), [(f.rule, _KEPT[f.kept], f.detail) for f in findings])
            print_line(
                "The rig keeps every rule that can be looked at without a voltage."
                if keeps_all
                else "Not a rig to arm."
            )
    finally:
        if isinstance(rig, Closable):
            rig.close()
    return OK if keeps_all else WRONG
