"""Trials that the search for a recipe takes in a simulated fab, beside random search.

Usage: python benchmarks/recipes.py [SEEDS [CSV]]
       python benchmarks/recipes.py random TRIALS CSV

The fab has four settings of four kinds, one best recipe, and figures with 3 % of noise. What is
counted is how many trials it takes until one is really worth 95 % of the best. CSV is written with
the trials of the first seed. Trials at random, for a picture of what is learnt, need no Optuna.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.recipes.plan import Column, Plan, Setting, Value, texts_of
from vsafsm.recipes.suggest import suggest
from vsafsm.recipes.table import append

PLAN = Plan(
    (
        Setting("salt", "categorical", values=("iodide", "bromide", "chloride")),
        Setting("length_um", "integer", 20, 100),
        Setting("minutes", "log", 1, 100),
        Setting("molar", "continuous", 0.1, 2.0),
    ),
    Column("usability", True),
)
BEST = {"iodide": (1.0, 1.2), "bromide": (0.85, 0.7), "chloride": (0.6, 0.4)}
"""What a salt is worth, and at what concentration."""
LENGTH, MINUTES, WIDTH = 62, 14.0, 0.5
NOISE = 0.03
ENOUGH = 0.95
MOST, MOST_RANDOM = 100, 100_000


def really(settings: dict[str, Value]) -> float:
    """What a recipe is worth without noise: 1 at the best one."""
    factor, molar = BEST[str(settings["salt"])]
    targets = {"length_um": LENGTH, "minutes": MINUTES, "molar": molar}
    units = {setting.name: setting for setting in PLAN.settings}
    apart = [
        units[name].unit(settings[name]) - units[name].unit(best) for name, best in targets.items()
    ]
    return factor * math.exp(-sum((each / WIDTH) ** 2 for each in apart))


def searched(seed: int) -> list[tuple[dict[str, Value], float]]:
    """Trials of the Gaussian process until one is worth enough."""
    rng = np.random.default_rng([seed, 0])
    trials: list[tuple[dict[str, Value], float]] = []
    while len(trials) < MOST:
        settings = suggest(PLAN, [s for s, _ in trials], [v for _, v in trials], 1, seed)[0]
        trials.append((settings, really(settings) * (1 + NOISE * rng.standard_normal())))
        if really(settings) >= ENOUGH:
            break
    return trials


def random_settings(rng: np.random.Generator) -> dict[str, Value]:
    """A recipe at random."""
    draws: dict[str, Callable[[], Value]] = {
        "salt": lambda: str(rng.choice(PLAN.settings[0].values)),
        "length_um": lambda: int(rng.integers(20, 101)),
        "minutes": lambda: float(10 ** rng.uniform(0, 2)),
        "molar": lambda: float(rng.uniform(0.1, 2.0)),
    }
    return {name: draw() for name, draw in draws.items()}


def at_random(seed: int) -> int:
    """Trials at random until one is worth enough."""
    rng = np.random.default_rng([seed, 1])
    for count in range(1, MOST_RANDOM):
        if really(random_settings(rng)) >= ENOUGH:
            return count
    return MOST_RANDOM


def row(name: str, counts: Sequence[int]) -> tuple[str, ...]:
    """Mean with its 95 % interval, median and most."""
    mean, error = np.mean(counts), np.std(counts, ddof=1) / math.sqrt(len(counts))
    interval = f"{mean - 1.96 * error:.1f} to {mean + 1.96 * error:.1f}"
    return (name, f"{mean:.1f}", interval, f"{np.median(counts):g}", str(max(counts)))


def main(arguments: Sequence[str]) -> None:
    """Print the table, or write trials."""
    if arguments[:1] == ["random"]:
        rng = np.random.default_rng(0)
        chosen = [random_settings(rng) for _ in range(int(arguments[1]))]
        keep([(s, really(s) * (1 + NOISE * rng.standard_normal())) for s in chosen], arguments[2])
        return
    seeds = int(arguments[0]) if arguments else 50
    runs = []
    for seed in range(seeds):
        runs.append(searched(seed))
        print(f"seed {seed}: {len(runs[-1])} trials", file=sys.stderr, flush=True)
    missed = sum(really(trials[-1][0]) < ENOUGH for trials in runs)
    print_line(f"{seeds} seeds; trials until one is worth 95 % of the best recipe")
    print_table(
        ("", "mean", "95 % interval", "median", "most"),
        [
            row("Gaussian process", [len(trials) for trials in runs]),
            row("random search", [at_random(seed) for seed in range(seeds)]),
        ],
    )
    print_line(f"{missed} searches did not get there in {MOST} trials")
    if len(arguments) > 1:
        keep(runs[0], arguments[1])


def keep(trials: Sequence[tuple[dict[str, Value], float]], path: str) -> None:
    """Write trials as a table of recipes."""
    for settings, value in trials:
        append(Path(path), PLAN, {**texts_of(settings), "usability": f"{value:.4f}"})


if __name__ == "__main__":
    main(sys.argv[1:])
