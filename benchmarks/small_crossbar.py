"""Classifiers on one array of 10 x 10 cells: what `senses.py crossbar` prints.

One layer without a hidden one, in one tile: a row per value of a frame, a pair of columns per
class. So there are 10 values and 5 classes at most. Biases are added digitally, as everywhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from drawn_senses import (
    FIRST_ARRAY,
    PEROVSKITES,
    drawn,
    floating,
    of_draws,
    searched,
    share,
    told,
)
from numpy.typing import NDArray
from sklearn.datasets import load_digits, load_iris

from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.sense.arrays import outcome
from vsafsm.sense.data import Frames
from vsafsm.sense.margins import split
from vsafsm.sense.model import Floats
from vsafsm.sense.search import best
from vsafsm.sense.train import Recipe, train

ROWS, COLUMNS = 10, 10
TESTED = 0.25
"""Of the frames of each class."""
MOST_NOISE = 2.0
MOST_DROPOUT = 0.5
SMALL = Recipe(hidden=(), batch=16, rate=0.03)
"""Of one layer: there are few frames, so that batches are small."""
PLAIN = replace(SMALL, noise=(0.0,), clip=1000.0)
"""Without noise, and full scale at the largest weight."""


class Task(NamedTuple):
    """Frames to train on, and to test with."""

    name: str
    kept: Frames
    test: Frames


def tasks() -> list[Task]:
    """Digits of 3 x 3, three of them, and irises, whose four values are in two rows each."""
    images, labels = load_digits(return_X_y=True)
    # Means of 2 x 2 pixels of the middle 6 x 6.
    middle = images.reshape(-1, 8, 8)[:, 1:7, 1:7].reshape(-1, 3, 2, 3, 2).mean((2, 4))
    iris = load_iris()
    flowers = np.array(iris.target_names)[iris.target]
    return [
        _task("digits 0 to 2", middle[labels < 3], labels[labels < 3]),
        _task("irises", np.stack([iris.data, iris.data], 1), flowers),
    ]


def _task(name: str, values: Floats, labels: NDArray[Any]) -> Task:
    names = tuple(f"{name}, {i}" for i in range(len(values)))
    frames = Frames(values.astype(float), names, tuple(map(str, labels.tolist())))
    kept, test = split(frames, TESTED, np.random.default_rng(0))
    # Each value of a frame from its least in training to its largest.
    low, high = kept.values.min(0), kept.values.max(0)
    spread = np.where(high > low, high - low, 1.0)
    ranged = [Frames((f.values - low) / spread, f.names, f.labels) for f in (kept, test)]
    return Task(name, *ranged)


def crossbar_table(arrays: int) -> None:
    """Each task at both spreads: floating point, exact, and on drawn arrays."""
    rows = []
    seeds = range(FIRST_ARRAY, FIRST_ARRAY + arrays)
    for task in tasks():
        count = len(task.test.values)
        inputs, classes = int(np.prod(task.kept.shape)), len(task.kept.classes)
        if inputs > ROWS or 2 * classes > COLUMNS:
            raise SystemExit(f"{task.name} takes more than one tile")
        cells = f"{task.name}: {inputs} x {2 * classes} cells, {count} frames"
        real = share(floating(task.kept, task.test, SMALL, 0), count)
        for device, options in PEROVSKITES:
            options = {"rows": ROWS, "columns": COLUMNS, **options}
            used, held = split(task.kept, 0.2, np.random.default_rng(2))
            found = best(searched(used, held, device, MOST_NOISE, SMALL, MOST_DROPOUT, **options))
            recipes = (("plainly", PLAIN), ("noise 0.2", SMALL), (told(found), found.recipe(SMALL)))
            for name, recipe in recipes:
                model = train(task.kept, recipe, np.random.default_rng(0))
                exact = outcome(model, task.test).correct
                measured = drawn(model, task.test, device, seeds, **options)
                shares = [each.correct for each in measured]
                sigma = str(options.get("sigma", 0.456))
                rows.append(
                    (
                        *(cells, sigma, name, real, share(exact, count)),
                        *(of_draws(shares), f"{min(shares):.4f}"),
                    )
                )
    print_line(f"{arrays} arrays of {ROWS} x {COLUMNS} cells each, a day after programming")
    header = ("task", "sigma", "trained", "floating point", "4 bits, exact")
    print_table((*header, "arrays, mean", "worst"), rows)
