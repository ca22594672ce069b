"""Chip in the loop, as ``vsafsm rig`` does it: within what a plan allows, with a progress bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vsafsm.cli.progress import ProgressBar
from vsafsm.program import Program
from vsafsm_memristor.deploy.maps import RigMaps
from vsafsm_memristor.deploy.rig_calibration import correct_on
from vsafsm_memristor.deploy.rig_results import json_of_correction
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.plans import WritePlan
from vsafsm_memristor.rig.protocol import ProgramReply


def correct_cells(
    program: Program,
    maps: RigMaps,
    guarded: GuardedRig,
    replies: Mapping[int, ProgramReply],
    plan: WritePlan,
) -> dict[str, Any]:
    """Correct what was written: -> what came of it, as `json_of_correction` says it."""
    before = guarded.budget_left
    with ProgressBar("measuring") as progress:
        found = correct_on(
            program, maps, guarded, guarded.identify(), replies, plan.corrections, progress
        )
    return json_of_correction(found, plan.corrections, before - guarded.budget_left)
