"""What lines with resistance leave of a tile's far corner, and how many devices run a machine right
on them.

Usage: python benchmarks/memristor_ir_drop.py [DEVICES]

NeuRRAM devices a day after programming, on square tiles. Far corner: share of its conductance that
a read sees of the cell farthest from its driver and from its output, in a full tile whose cells all
have the mean conductance of the machine's targets; exact, and as `vsafsm info` estimates it. A
device is right when every reachable pair of state and input is. Seeds of devices start at 1000;
nothing was tuned on these.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from memristor_figures import FIRST_SEED

import vsafsm
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.compiler import compile_machine
from vsafsm.intervals import wilson
from vsafsm_memristor.crossbar.array import plan_array
from vsafsm_memristor.crossbar.parameters import settings
from vsafsm_memristor.deploy.yields import outcomes
from vsafsm_memristor.device.lines import effective, ir_drop

SPECS = Path(__file__).parent.parent / "specs"
MACHINES = ("turnstile", "vending_machine")
SIDES = (32, 64, 128, 256)
OHMS = (0.0, 1.0, 5.0, 50.0)
HEADER = (
    "machine",
    "N",
    "tile",
    "ohm a segment",
    "far corner",
    "estimate",
    "right",
    "95 % interval",
    "s a device",
)


def main() -> None:
    """Print the table."""
    devices = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    rows = []
    for name in MACHINES:
        machine = vsafsm.load(SPECS / f"{name}.yaml")
        program = compile_machine(machine, target="memristor")
        for side in SIDES:
            for ohm in OHMS:
                options = {"rows": side, "columns": side, "ir_drop": True, "segment_ohm": ohm}
                plan = plan_array(program.network, settings(options))
                mean = float(np.mean(plan.target))
                left = effective(np.full((side, side), mean), ohm)[0, -1] / mean
                start = time.perf_counter()
                seeds = range(FIRST_SEED, FIRST_SEED + devices)
                right = sum(each.wrong is None for each in outcomes(program, options, seeds))
                seconds = (time.perf_counter() - start) / devices
                low, high = wilson(right, devices)
                corner = (f"{left:.3f}", f"{ir_drop(side, side, mean, ohm):.3f}")
                found = (f"{right} of {devices}", f"{low:.3f} to {high:.3f}", f"{seconds:.2f}")
                rows.append(
                    (
                        name,
                        str(program.network.neurons),
                        f"{side} x {side}",
                        f"{ohm:g}",
                        *corner,
                        *found,
                    )
                )
                print_line(" ".join(rows[-1]))
                sys.stdout.flush()
    print_table(HEADER, rows)


if __name__ == "__main__":
    main()
