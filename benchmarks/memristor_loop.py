"""What calibration and chip in the loop win back, on lognormal devices with stuck cells.

Usage: python benchmarks/memristor_loop.py loop|spread|stuck|models [DEVICES] [TABLE]

loop    lognormal devices of four spreads, 5 % of the cells stuck, N = 1024
spread  lognormal devices against their spread, 1 % of the cells stuck, at two N
stuck   lognormal devices of sigma 0.456 against the share of stuck cells, at three N
models  each device model against the share of stuck cells, N = 128, until it breaks

TABLE is a file for the shares, in JSON, which ``benchmarks/pictures.py`` draws.

A random machine of 6 states and 2 inputs at fixed N. A device is right when every pair of state and
input is. Seeds start at 1000; nothing was tuned on these.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from memristor_figures import FIRST_SEED, JOBS
from random_machines import random_machine

from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.compiler import compile_machine
from vsafsm.intervals import wilson
from vsafsm.program import Program
from vsafsm_memristor.crossbar.parameters import CALIBRATIONS
from vsafsm_memristor.deploy.yields import outcomes

SIGMAS = (0.25, 0.5, 1.0, 1.5, 2.0)
STUCK = (0.0, 0.05, 0.1, 0.15, 0.2)
SIZES = (128, 256)
OF_MODELS = 128
"""Neurons with which each device model is tried."""
MANY_STUCK = (0.0, 0.02, 0.05, 0.1, 0.2)
MODELS: dict[str, dict[str, Any]] = {
    "NeuRRAM, 1 day": {"device": "neurram"},
    "PCM, 1 day": {"device": "pcm"},
    "perovskite, 0.456": {"device": "perovskite-mean", "rows": 128, "columns": 128},
}
HEADER = (
    "N",
    "sigma",
    "stuck",
    "as programmed",
    "trimmed",
    "chip in the loop",
    "rewritten",
    "short before",
    "after",
)


def main() -> None:
    """Print one table."""
    devices = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    if sys.argv[1] == "models":
        models(devices)
        return
    if sys.argv[1] == "loop":
        points = [(1024, sigma, 0.05) for sigma in (1.0, 1.5, 2.0, 2.35)]
    elif sys.argv[1] == "spread":
        points = [(n, sigma, 0.01) for n in SIZES for sigma in SIGMAS]
    else:
        points = [(n, 0.456, stuck) for n in (512, 1024, 2048) for stuck in STUCK]
    programs: dict[int, Program] = {}
    found = []
    for neurons, sigma, stuck in points:
        if neurons not in programs:
            machine = random_machine(6, 2, 0)
            programs[neurons] = compile_machine(machine, target="memristor", dimension=neurons)
        device = {"device": "lognormal", "sigma": sigma}
        found.append((neurons, sigma, stuck, measured(programs[neurons], device, stuck, devices)))
        print_line(" ".join(_row(*found[-1])))
        sys.stdout.flush()
    print_table(HEADER, [_row(*each) for each in found])
    if len(sys.argv) > 3:
        keep(
            [
                (f"N = {n}", sigma if sys.argv[1] == "spread" else stuck, each)
                for n, sigma, stuck, each in found
            ]
        )


def models(devices: int) -> None:
    """Each device model against stuck cells."""
    program = compile_machine(random_machine(6, 2, 0), target="memristor", dimension=OF_MODELS)
    rows = []
    for name, options in MODELS.items():
        for stuck in MANY_STUCK:
            rows.append((name, stuck, measured(program, options, stuck, devices)))
            _, *told = _row(OF_MODELS, 0.0, *rows[-1][1:])
            print_line(" ".join((name, *told[1:])))
            sys.stdout.flush()
    if len(sys.argv) > 3:
        keep(rows)


def keep(rows: list[tuple[str, float, np.ndarray]]) -> None:
    """Write how many devices of how many are right, by panel and by what was varied."""
    table = [
        {
            "panel": panel,
            "amount": amount,
            "devices": len(found),
            "right": dict(zip(CALIBRATIONS, found[:, :3].sum(0).astype(int).tolist(), strict=True)),
        }
        for panel, amount, found in rows
    ]
    Path(sys.argv[3]).write_text(
        "[\n" + ",\n".join(f"  {json.dumps(each)}" for each in table) + "\n]\n"
    )


def measured(program: Program, device: dict[str, Any], stuck: float, devices: int) -> np.ndarray:
    """For each device (D, 6): right as programmed, trimmed, corrected; share rewritten; short
    before and after.
    """
    options = {**device, "stuck_off": stuck / 2, "stuck_on": stuck / 2}
    seeds = range(FIRST_SEED, FIRST_SEED + devices)
    found = {
        kind: list(outcomes(program, {**options, "calibration": kind}, seeds, JOBS))
        for kind in CALIBRATIONS
    }
    right = [[each.wrong is None for each in found[kind]] for kind in CALIBRATIONS]
    cells = 2 * program.network.neurons**2
    loop = found["loop"]
    more = [
        [e.rewritten / cells for e in loop],
        [e.short_before for e in loop],
        [e.short_after for e in loop],
    ]
    return np.array([*right, *more], float).T


def _row(neurons: int, sigma: float, stuck: float, found: np.ndarray) -> tuple[str, ...]:
    shares = []
    for column in range(3):
        right = int(found[:, column].sum())
        low, high = wilson(right, len(found))
        shares.append(f"{right} of {len(found)} ({low:.3f} to {high:.3f})")
    before, after = found[:, 4].mean(), found[:, 5].mean()
    rewritten = f"{found[:, 3].mean():.4f} (most {found[:, 3].max():.4f})"
    return (
        str(neurons),
        f"{sigma:g}",
        f"{stuck:g}",
        *shares,
        rewritten,
        f"{before:.0f}",
        f"{after:.0f}",
    )


if __name__ == "__main__":
    main()
