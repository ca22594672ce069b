"""How much noise on its weights a machine of 8 states and 2 inputs survives, and what was
predicted.

Usage: python benchmarks/robustness.py survival|bound|cost [DRAWS] [TABLE]

survival  draws that are right at N = 1,024: what is asked of the compiler, and how far it goes
bound     the proof's union bound beside what was measured, over noise and size
          (TABLE is a .csv for it, which ``benchmarks/pictures.py`` draws)
cost      a trial beside the drawing of its noise, N = 512
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from random_machines import random_machine

from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.compiler import compile_machine
from vsafsm.noise import parse_noise, perturb
from vsafsm.program import Program
from vsafsm.sweeps.executors import processes
from vsafsm.sweeps.journal import Journal
from vsafsm.sweeps.plan import Plan, Trials, subject
from vsafsm.sweeps.ranges import noises
from vsafsm.sweeps.rows import Row
from vsafsm.sweeps.run import measure
from vsafsm.sweeps.table import Table, write_table
from vsafsm.walk import Walk

FIRST = ("additive:2", "lognormal:0.5", "missing:0.3", "additive:3", "lognormal:1", "missing:0.5")
KINDS = ({}, {"margin": 0.45}, {"rule": "small"}, {"rule": "small", "margin": 0.45})
SIZES = (128, 256, 512, 1024)
JOBS, SEED, ROUNDS = 2, 5000, 200
Draw = Callable[[np.random.Generator], None]


def main() -> None:
    """Print one table."""
    draws = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    {"survival": survival, "bound": bound, "cost": lambda draws: cost()}[sys.argv[1]](draws)


def measured(programs: list[Program], noise: tuple[str, ...], draws: int) -> list[Row]:
    """A sweep to its end, without stopping early."""
    plan = Plan(
        tuple(subject(p, "reference") for p in programs), noise, Trials(draws, 0.0, 0, 1, SEED)
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        Journal(Path(folder) / "t.csv", plan.described()) as journal,
    ):
        return measure(plan, journal, processes(JOBS))


def survival(draws: int) -> None:
    machine = random_machine(8, 2, 0)
    programs = [compile_machine(machine, dimension=1024, **kind) for kind in KINDS]
    rows = measured(programs, FIRST, draws)
    table = []
    for i, row in enumerate(rows):
        kind = KINDS[i // len(FIRST)]
        always = f"{row.always} ({row.always_low:.4f} to {row.always_high:.4f})"
        told = ", ".join(f"{name} {value}" for name, value in kind.items()) or "as by default"
        right = f"{row.correct} of {row.trials} ({row.correct_low:.4f} to {row.correct_high:.4f})"
        table.append((told, f"{row.margin:.3f}", str(row.active), row.noise, right, always))
    print_table(("compiled", "margin", "k", "noise", "every pair right", "every word right"), table)


def bound(draws: int) -> None:
    machine = random_machine(8, 2, 0)
    programs = [compile_machine(machine, dimension=n) for n in SIZES]
    stds = [program.network.weight_std for program in programs]
    rows = measured(programs, noises("additive:0.25:3:0.25"), draws)
    table, below, vacuous = [], 0, 0
    for i, row in enumerate(rows):
        steps = row.amount * stds[i // (len(rows) // len(SIZES))]
        depth = row.radius * row.active**0.5 / steps
        least, failing = 1 - row.always_high, 1 - row.always_share
        below += row.failure_bound < least
        vacuous += depth > 6 and row.failure_bound >= 1
        over = f"{row.failure_bound / failing:.3g}" if failing else ""
        table.append(
            (
                str(row.neurons),
                row.noise,
                f"{depth:.2f}",
                f"{row.failure_bound:.3g}",
                f"{failing:.4f}",
                f"{least:.4f} to {1 - row.always_low:.4f}",
                over,
            )
        )
    header = (
        "N",
        "noise",
        "radius sqrt(k) / sigma",
        "bound",
        "measured",
        "95 % interval",
        "bound / measured",
    )
    print_table(header, table)
    print_line(f"bound below the measured lower limit: {below} of {len(rows)} points")
    print_line(f"bound of 1 where radius sqrt(k) / sigma is above 6: {vacuous} points")
    if len(sys.argv) > 3:
        write_table(Path(sys.argv[3]), Table(tuple(rows), {}))


def cost() -> None:
    program = compile_machine(random_machine(8, 2, 0), dimension=512)
    table = []
    for text, drawing in (
        ("additive:1", normal),
        ("additive:2", normal),
        ("lognormal:0.5", normal),
        ("missing:0.3", uniform),
        ("stuck:0.05", uniform),
    ):
        for told, words in (("every pair", False), ("every word", True)):
            own, gaussian, ms = np.median(ratios(trial_of(program, text, words), drawing), axis=0)
            table.append((text, told, f"{own:.2f}", f"{gaussian:.2f}", f"{1e3 * ms:.1f}"))
    print_table(
        ("noise", "decides", "trial / its own draws", "trial / Gaussian draws", "trial, ms"), table
    )


def ratios(trial: Draw, drawing: Draw) -> np.ndarray:
    """A trial beside the drawing of its own noise and of Gaussian noise, and its seconds: a row a
    round.
    """
    rng = np.random.default_rng(0)
    found = []
    for _ in range(ROUNDS):
        own, spent, gaussian = timed(drawing, rng), timed(trial, rng), timed(normal, rng)
        found.append((spent / own, spent / gaussian, spent))
    return np.array(found)


def trial_of(program: Program, text: str, words: bool) -> Draw:
    noise = parse_noise(text)

    def trial(rng: np.random.Generator) -> None:
        walk = Walk(program.machine, perturb(program.network, noise, rng))
        if walk.correct_pairs().all() and words:
            walk.shortest_wrong()

    return trial


def normal(rng: np.random.Generator) -> None:
    rng.standard_normal((512, 512), np.float32)


def uniform(rng: np.random.Generator) -> None:
    rng.random((512, 512), np.float32)


def timed(call: Draw, rng: np.random.Generator) -> float:
    start = time.perf_counter()
    call(rng)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
