"""What calibration and chip in the loop win back, on lognormal devices with stuck cells.

Usage: python benchmarks/memristor_loop.py loop|spread|stuck [DEVICES] [PICTURE]

A random machine of 6 states and 2 inputs at fixed N. A device is right when every pair of state and input is. Seeds
start at 1000; nothing was tuned on these.
"""

from __future__ import annotations

import sys

import numpy as np
from memristor_figures import FIRST_SEED, JOBS
from random_machines import random_machine

from vsafsm.compiler import compile_machine
from vsafsm.intervals import wilson
from vsafsm.program import Program
from vsafsm.terminal import print_line, print_table
from vsafsm_memristor.calibration import CALIBRATIONS
from vsafsm_memristor.yields import outcomes

SIGMAS = (0.5, 1.0, 1.5, 2.0, 2.35)
STUCK = (0.0, 0.05, 0.1, 0.15, 0.2)
SIZES = (512, 1024, 2048)
HEADER = ("N", "sigma", "stuck", "as programmed", "trimmed", "chip in the loop", "rewritten", "short before", "after")


def main() -> None:
    """Print one table."""
    devices = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    if sys.argv[1] == "loop":
        points = [(1024, sigma, 0.05) for sigma in (1.0, 1.5, 2.0, 2.35)]
    elif sys.argv[1] == "spread":
        points = [(n, sigma, 0.01) for n in SIZES for sigma in SIGMAS]
    else:
        points = [(n, 0.456, stuck) for n in SIZES for stuck in STUCK]
    programs: dict[int, Program] = {}
    found = []
    for neurons, sigma, stuck in points:
        if neurons not in programs:
            machine = random_machine(6, 2, 0)
            programs[neurons] = compile_machine(machine, target="memristor", dimension=neurons)
        found.append((neurons, sigma, stuck, measured(programs[neurons], sigma, stuck, devices)))
        print_line(" ".join(_row(*found[-1])))
        sys.stdout.flush()
    print_table(HEADER, [_row(*each) for each in found])
    if len(sys.argv) > 3:
        draw(found, sys.argv[1], sys.argv[3])


def measured(program: Program, sigma: float, stuck: float, devices: int) -> np.ndarray:
    """For each device (D, 6): right as programmed, trimmed, corrected; share rewritten; short before and after."""
    options = {"device": "lognormal", "sigma": sigma, "stuck_off": stuck / 2, "stuck_on": stuck / 2}
    seeds = range(FIRST_SEED, FIRST_SEED + devices)
    found = {kind: list(outcomes(program, {**options, "calibration": kind}, seeds, JOBS)) for kind in CALIBRATIONS}
    right = [[each.wrong is None for each in found[kind]] for kind in CALIBRATIONS]
    cells = 2 * program.network.neurons**2
    loop = found["loop"]
    more = [[e.rewritten / cells for e in loop], [e.short_before for e in loop], [e.short_after for e in loop]]
    return np.array([*right, *more], float).T


def _row(neurons: int, sigma: float, stuck: float, found: np.ndarray) -> tuple[str, ...]:
    shares = []
    for column in range(3):
        right = int(found[:, column].sum())
        low, high = wilson(right, len(found))
        shares.append(f"{right} of {len(found)} ({low:.3f} to {high:.3f})")
    before, after = found[:, 4].mean(), found[:, 5].mean()
    rewritten = f"{found[:, 3].mean():.4f} (most {found[:, 3].max():.4f})"
    return (str(neurons), f"{sigma:g}", f"{stuck:g}", *shares, rewritten, f"{before:.0f}", f"{after:.0f}")


def draw(found: list[tuple[int, float, float, np.ndarray]], kind: str, path: str) -> None:
    """Share of right devices against what was varied, a panel for each N."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    column, label = (1, "lognormal sigma") if kind == "spread" else (2, "share of cells that are stuck")
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, neurons in zip(figure.subplots(1, len(SIZES), sharey=True), SIZES, strict=True):
        rows = [each for each in found if each[0] == neurons]
        x = [each[column] for each in rows]
        for i, (name, marker) in enumerate((("as programmed", "o"), ("trimmed", "s"), ("chip in the loop", "^"))):
            shares = np.array([each[3][:, i].mean() for each in rows])
            bounds = np.array([wilson(int(each[3][:, i].sum()), len(each[3])) for each in rows])
            apart = np.abs(bounds.T - shares)
            axes.errorbar(np.array(x) + 0.01 * (i - 1) * max(x), shares, apart, marker=marker, capsize=2, label=name)
        axes.set(title=f"N = {neurons}", xlabel=label, ylim=(-0.03, 1.03))
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("share of devices that are right")
    figure.axes[0].legend(loc="lower left", fontsize=8)
    figure.savefig(path, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
