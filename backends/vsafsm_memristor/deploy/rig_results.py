"""What the subcommands of ``vsafsm rig`` say of a rig, and of a correction."""

from __future__ import annotations

from typing import Any

from vsafsm.cli.tables import print_table
from vsafsm_memristor.deploy.rig_calibration import RigCorrection
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.plans import WritePlan
from vsafsm_memristor.rig.protocol import Identity


def json_of_identity(identity: Identity) -> dict[str, Any]:
    """Of a rig, for ``--json``."""
    return {
        "model": identity.model,
        "serial": identity.serial,
        "watchdog_s": identity.watchdog_s,
        "limits": vars(identity.limits),
    }


def json_of_plan(plan: WritePlan, guarded: GuardedRig) -> dict[str, Any]:
    """Of a dry run, for ``--json``."""
    return {"rig": json_of_identity(guarded.identify()), "plan": vars(plan)}


def json_of_correction(found: RigCorrection, at_most: int, pulses: int) -> dict[str, Any]:
    """Of chip in the loop, for ``--json``."""
    correction = found.correction
    return {
        "cells_at_most": at_most,
        "cells_rewritten": correction.rewritten,
        "writes": correction.writes,
        "rounds": correction.rounds,
        "short_before": correction.short_before,
        "short_after": correction.short_after,
        "wrong_after": found.wrong,
        "pulses": pulses,
    }


def print_correction(said: dict[str, Any]) -> None:
    """Print what `json_of_correction` says, as a table."""
    rows = (
        ("cells rewritten", f"{said['cells_rewritten']}, at most {said['cells_at_most']}"),
        ("writes", f"{said['writes']} in {said['rounds']} rounds, {said['pulses']} pulses"),
        (
            "(situation, neuron) pairs short of the margin",
            f"{said['short_before']} before, {said['short_after']} after",
        ),
        ("pairs on the wrong side of the threshold", f"{said['wrong_after']} after"),
    )
    print_table(("chip in the loop", ""), rows)
