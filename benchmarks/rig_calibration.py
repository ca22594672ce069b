"""Calibration over TCP with *simulated rigs* of which a share of the cells is stuck and the rest is
written coarsely.

Usage: python benchmarks/rig_calibration.py [RIGS]

turnstile, compiled for the backend, on so many rigs (20), each with a seed of its own and started
anew for each calibration. A rig is right if every pair of state and input is. Pairs of (situation,
neuron) short of the margin, pairs on the wrong side of the threshold after it and seconds of chip
in the loop are means.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from simulated_rig import simulated_rig

import vsafsm
from vsafsm.cli.tables import print_table
from vsafsm.compiler import compile_machine
from vsafsm.intervals import wilson
from vsafsm.program import Program
from vsafsm.tours import tours
from vsafsm_memristor.crossbar.protocol import Crossbar
from vsafsm_memristor.deploy.loop import ClosedLoopSession
from vsafsm_memristor.deploy.maps import RigMaps, maps_of
from vsafsm_memristor.deploy.rig_calibration import correct_on, corrections_of, trim_on
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.scpi import ScpiRig

SPEC = Path(__file__).parent.parent / "specs" / "turnstile.yaml"
FLAWS = ("--tiles", "6", "--stuck", "0.25", "--tolerance-us", "5")
KINDS = (("none", 0.0), ("trim", 0.0), ("loop", 0.02), ("loop", 0.1))
COLUMNS = (
    "calibration",
    "rewritten at most",
    "rigs right",
    "95 %",
    "short before",
    "short after",
    "wrong after",
    "s",
)


def main() -> None:
    """Print the table."""
    rigs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    program = compile_machine(vsafsm.load(SPEC), target="memristor")
    print_table(COLUMNS, [_row(program, kind, share, rigs) for kind, share in KINDS])


def _row(program: Program, kind: str, share: float, rigs: int) -> tuple[str, ...]:
    found = [_one(program, kind, share, seed) for seed in range(rigs)]
    right = sum(each[0] for each in found)
    low, high = wilson(right, rigs)
    means = ("",) * 4
    if kind == "loop":
        values = np.mean([each[1:] for each in found], axis=0)
        means = (*(f"{value:.0f}" for value in values[:3]), f"{values[3]:.1f}")
    return (kind, f"{share:.0%}", f"{right} of {rigs}", f"{low:.3f} to {high:.3f}", *means)


def _one(program: Program, kind: str, share: float, seed: int) -> tuple[bool, int, int, int, float]:
    with simulated_rig("--seed", seed, *FLAWS) as address, GuardedRig(ScpiRig(address)) as guarded:
        maps = maps_of(program, guarded.identify())
        corrections = corrections_of(maps, share)
        guarded.arm(
            maps, guarded.plan(maps, corrections=corrections).token, corrections=corrections
        )
        replies = {tile: guarded.program(tile, g) for tile, g in enumerate(maps.siemens) if g.any()}
        if kind != "loop":
            crossbar = trim_on(program, maps, guarded) if kind == "trim" else None
            return _right(program, maps, guarded, crossbar), 0, 0, 0, 0.0
        began = time.perf_counter()
        outcome = correct_on(program, maps, guarded, guarded.identify(), replies, corrections)
        took, done = time.perf_counter() - began, outcome.correction
        return (
            _right(program, maps, guarded, None),
            done.short_before,
            done.short_after,
            outcome.wrong,
            took,
        )


def _right(program: Program, maps: RigMaps, guarded: GuardedRig, crossbar: Crossbar | None) -> bool:
    with ClosedLoopSession(program, maps, guarded, crossbar) as session:
        for word in tours(program.machine):
            session.reset()
            trace = program.machine.run(word)
            for symbol, state, outputs in zip(word, trace.states[1:], trace.outputs, strict=True):
                if session.send(symbol) != state or session.outputs != outputs:
                    return False
    return True


if __name__ == "__main__":
    main()
