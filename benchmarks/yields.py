"""Cells that a yield of 0.99 takes, beside four times the smallest N, and the yield measured.

Usage: python benchmarks/yields.py [ARRAYS] [MACHINE ...]

Seeds of arrays start at 1000; compilation draws arrays of other seeds. An array is correct when
every reachable pair of state and input is.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import vsafsm
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.compiler import compile_machine
from vsafsm.errors import VsafsmError
from vsafsm.intervals import wilson
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm_memristor.deploy.yields import outcomes

SPECS = sorted((Path(__file__).parent.parent / "specs").glob("*.yaml"))
SHARE = 0.99
FIRST_SEED = 1000
DEVICES: tuple[dict[str, Any], ...] = (
    {"device": "pcm"},
    {"device": "neurram"},
    {"device": "perovskite-mean", "rows": 128, "columns": 128},
)
HEADER = ("machine", "device", "N", "k", "cells", "usual", "share", "correct", "95 % interval")


def main() -> None:
    """Print a row per device and machine."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    chosen = sys.argv[2:]
    machines = [vsafsm.load(path) for path in SPECS if path.stem in (chosen or (path.stem,))]
    usual = [compile_machine(machine, target="memristor") for machine in machines]
    rows = []
    for options in DEVICES:
        for machine, before in zip(machines, usual, strict=True):
            rows.append(_row(machine, before, options, number))
            print_line(" | ".join(rows[-1]))
            sys.stdout.flush()
    print_table(HEADER, rows)


def _row(machine: Machine, usual: Program, options: dict[str, Any], number: int) -> tuple[str, ...]:
    before = 2 * usual.network.neurons**2
    try:
        asked = {**options, "yield_": SHARE}
        program = compile_machine(machine, target="memristor", target_options=asked)
    except VsafsmError as error:
        return (machine.name, options["device"], "", "", "", f"{before:,}", "", "", str(error))
    seeds = range(FIRST_SEED, FIRST_SEED + number)
    correct = sum(each.wrong is None for each in outcomes(program, options, seeds))
    low, high = wilson(correct, number)
    cells = 2 * program.network.neurons**2
    return (
        machine.name,
        options["device"],
        str(program.network.neurons),
        str(program.network.active),
        f"{cells:,}",
        f"{before:,}",
        f"{cells / before:.2f}",
        f"{correct} of {number}",
        f"{low:.4f} to {high:.4f}",
    )


if __name__ == "__main__":
    main()
