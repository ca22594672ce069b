"""Leaky neurons on the chip: transitions that go right, for several decays, in the integer
simulator.

Usage: python benchmarks/loihi2_leaky.py [FOLDER]

FOLDER holds KISS2 files; bbara, lion and dk27 are taken from it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from random_machines import random_machine

import vsafsm
from vsafsm.cli.tables import print_table
from vsafsm.compiler import compile_machine
from vsafsm.errors import VsafsmError
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm.tours import tours

SPECS = Path(__file__).parent.parent / "specs"
DECAYS = (
    *((du, 4095) for du in (4000, 3584, 3072, 2560, 2048, 1536, 1024)),
    *((4095, dv) for dv in (4000, 3584, 3072, 2560, 2048)),
    *((d, d) for d in (3584, 3072, 2560, 2048)),
)


def main() -> None:
    """Print a row for each pair of decays, a column for each machine."""
    machines = [
        vsafsm.load(SPECS / f"{name}.yaml")
        for name in ("turnstile", "vending_machine", "traffic_light")
    ]
    for folder in sys.argv[1:]:
        machines += [
            vsafsm.load(Path(folder) / f"{name}.kiss2") for name in ("bbara", "lion", "dk27")
        ]
    machines += [random_machine(8, 4, seed) for seed in range(4)]
    programs = [compile_machine(m, target="loihi2", target_options={"du": 4000}) for m in machines]
    rows = []
    for du, dv in DECAYS:
        scores = [_scored(program.machine, program, du, dv) for program in programs]
        rows.append((f"{du}", f"{dv}", scores[0][2], *(f"{r} of {t}" for r, t, _ in scores)))
    print_table(
        ("du", "dv", "hold, gap", *(f"{p.machine.name} (N={p.network.neurons})" for p in programs)),
        rows,
    )


def _scored(machine: Machine, program: Program, du: int, dv: int) -> tuple[int, int, str]:
    right = taken = 0
    steps = ""
    for word in tours(machine):
        try:
            session = vsafsm.open(program, backend="loihi2", du=du, dv=dv)
        except VsafsmError:
            return 0, 0, "refused"
        with session:
            steps = f"{session.chip.hold_steps}, {session.chip.gap_steps}"
            trace = machine.run(word)
            for symbol, state, outputs in zip(word, trace.states[1:], trace.outputs, strict=True):
                taken += 1
                right += session.send(symbol) == state and session.outputs == outputs
    return right, taken, steps


if __name__ == "__main__":
    main()
