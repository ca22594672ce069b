"""The search for noise beside random search and fixed noise: what `senses.py against` prints.

Searches have equal trials, and score on the same drawn arrays and frames held back. What each
chooses is trained and measured on other arrays and on frames for tests. Fixed noise is one share
for all layers, the best of `GRID` in hindsight: on average, on what is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from drawn_senses import FIRST_ARRAY, LARGE_TILES, array_score, digits, drawn

from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.sense.data import Frames
from vsafsm.sense.margins import split
from vsafsm.sense.search import Score, Space, Trial, best, random_search, search
from vsafsm.sense.train import Recipe, train

DEVICE, OPTIONS = "perovskite-mean", LARGE_TILES
MOST_NOISE = 1.0
GRID = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8)
Search = Callable[[Frames, Recipe, Space, Score], tuple[Trial, ...]]
MEASURED = 20
"""Other arrays."""


HEADER = (
    *("set", "seeds", "search", "random search", "search - random", "search ahead"),
    *("best fixed noise", "search - fixed"),
)


class Setting(NamedTuple):
    """What is searched: frames to train on (0 for all), a recipe, trials, and seeds."""

    name: str
    frames: int
    recipe: Recipe
    trials: int
    seeds: int


CHEAP = Setting(
    *("300 frames, 64-32-10, 8 epochs", 300),
    Recipe(hidden=(32,), epochs=8, batch=32, rate=0.04),
    *(20, 50),
)
EXPENSIVE = Setting("1,347 frames, 64-128-10, 30 epochs", 0, Recipe((128,), epochs=30), 20, 5)


class Found(NamedTuple):
    """Shares that are correct: of the search, of random search, and of each noise of the grid."""

    searched: float
    drawn: float
    fixed: tuple[float, ...]


def against_table(seeds: int) -> None:
    """The cheap setting with so many seeds, and the expensive one with a tenth of them."""
    print_line(f"shares correct on {MEASURED} other arrays, mean over seeds and its 95 % interval")
    kept, test = digits()
    for setting in (
        CHEAP._replace(seeds=seeds),
        EXPENSIVE._replace(seeds=max(2, seeds // 10)),
    ):
        found = [_found(setting, kept, test, seed) for seed in range(setting.seeds)]
        print_table(HEADER, [_row(setting, found)])


def _found(setting: Setting, kept: Frames, test: Frames, seed: int) -> Found:
    """Everything with frames, trainings and arrays of one seed."""
    if setting.frames:
        order = np.random.default_rng([seed, 4]).permutation(len(kept.values))
        kept = kept.taken(np.sort(order[: setting.frames]))
    used, held = split(kept, 0.4, np.random.default_rng([seed, 5]))
    score = array_score(held, DEVICE, **OPTIONS)
    space = Space(0.0, MOST_NOISE, setting.trials, seed=seed)
    first = FIRST_ARRAY + MEASURED * seed

    def measured(recipe: Recipe) -> float:
        model = train(used, recipe, np.random.default_rng([seed, 0]))
        arrays = drawn(model, test, DEVICE, range(first, first + MEASURED), **OPTIONS)
        return float(np.mean([each.correct for each in arrays]))

    def chosen(way: Search) -> float:
        return measured(best(way(used, setting.recipe, space, score)).recipe(setting.recipe))

    fixed = tuple(measured(replace(setting.recipe, noise=(noise,))) for noise in GRID)
    return Found(chosen(search), chosen(random_search), fixed)


def _row(setting: Setting, found: list[Found]) -> tuple[str, ...]:
    searched = np.array([each.searched for each in found])
    drawn_ones = np.array([each.drawn for each in found])
    fixed = np.array([each.fixed for each in found])
    which = int(fixed.mean(0).argmax())
    return (
        *(setting.name, str(len(found)), interval(searched), interval(drawn_ones)),
        interval(searched - drawn_ones),
        f"{(searched > drawn_ones).sum()}, behind {(searched < drawn_ones).sum()}",
        f"{GRID[which]:g}: {interval(fixed[:, which])}",
        interval(searched - fixed[:, which]),
    )


def interval(values: np.ndarray) -> str:
    """A mean over seeds, and 1.96 standard errors around it."""
    mean, error = float(values.mean()), float(values.std(ddof=1)) / np.sqrt(len(values))
    return f"{mean:.4f} ({mean - 1.96 * error:.4f} to {mean + 1.96 * error:.4f})"
