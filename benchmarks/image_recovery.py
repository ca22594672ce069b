"""Recovery of damaged images on drawn arrays: what `senses.py recovery` prints.

Held-out digits by a Boltzmann machine, beside the posterior over the images of training (each with
pixels flipped by a share that is best in hindsight), an estimate without learning or arrays.
Stored digits by an attractor network.

    python benchmarks/image_recovery.py PACKAGE TABLE      some digits, for benchmarks/pictures.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from real_frames import digits
from sklearn.datasets import load_digits

from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.discovery import find
from vsafsm.intervals import over_draws
from vsafsm.sense.arrays import array_backend
from vsafsm.sense.data import Frames
from vsafsm.sense.recovery.arrays import drawn, errors, in_software
from vsafsm.sense.recovery.attractors import store
from vsafsm.sense.recovery.images import Damaged, Restorer, cover, flip, wrong
from vsafsm.sense.recovery.training import BoltzmannRecipe, remember
from vsafsm.vsa import Bits

SHOWN = 450
STORED = 20
SPREADS = (0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2)
FIRST_ARRAY = 1000
RECIPES = {"8 x 8": BoltzmannRecipe(bits=120, batch=50, passes=60), "28 x 28": BoltzmannRecipe()}
PARTS = ("original", "seen", "known", "software", "array")
"""Of what is kept for pictures."""
PLAIN = {"noise": 0.0, "clip": 1000.0}
"""Without noise, and with full scale at the largest weight."""
HEADER = (
    *("images", "damage", "damaged", "guessed", "in software", "arrays, mean", "worst"),
    *("less than damaged", "less than guessed", "posterior"),
)


def small() -> Frames:
    """scikit-learn's digits."""
    loaded = load_digits()
    names = tuple(f"digit {i}" for i in range(len(loaded.images)))
    return Frames(loaded.images.astype(float), names, tuple(map(str, loaded.target.tolist())))


def mixed(frames: Frames) -> Frames:
    """In an order that is drawn with seed 0."""
    return frames.taken(np.random.default_rng(0).permutation(len(frames.values)))


def recovery_table(arrays: int, package: Path | None) -> None:
    """Held-out and stored digits, of 8 x 8, and of 28 x 28 where there is a package of them."""
    rows = []
    sets = {"8 x 8": small(), **({} if package is None else {"28 x 28": digits(package)})}
    for name, unmixed in sets.items():
        frames = mixed(unmixed)
        test, kept = (
            frames.taken(np.arange(SHOWN)),
            frames.taken(np.arange(SHOWN, len(frames.values))),
        )
        learned = remember(kept, RECIPES[name], np.random.default_rng(0))
        stored = kept.taken(np.arange(STORED))
        memory = store(stored, np.random.default_rng(0))
        images = learned.binary.pixels(kept)
        rows += _rows(f"held out, {name}", learned, learned.binary.pixels(test), arrays, images)
        rows += _rows(f"stored, {name}", memory, memory.images, arrays, None)
        plain = remember(kept, replace(RECIPES[name], **PLAIN), np.random.default_rng(0))
        truth = plain.binary.pixels(test)
        rows.append(next(_rows(f"held out, {name}, trained plainly", plain, truth, arrays, None)))
    print_line(f"{SHOWN} digits held out, {STORED} stored; {arrays} arrays of neurram after a day")
    print_table(HEADER, rows)


def _rows(
    name: str, restorer: Restorer, truth: Bits, arrays: int, known: Bits | None
) -> Iterator[tuple[str, ...]]:
    backend = array_backend(find("memristor"))
    rng = np.random.default_rng(1)
    damages = {
        "20 % flipped": flip(truth, 0.2, rng),
        "lower third covered": cover(truth, "bottom", rng),
        "a third covered, scattered": cover(truth, "scattered", rng),
    }
    for damage, seen in damages.items():
        seeds = range(FIRST_ARRAY, FIRST_ARRAY + arrays)
        found = errors(restorer, seen, truth, backend, {"device": "neurram"}, seeds)
        low, high = over_draws(found.arrays.mean(0).tolist())
        mean, before = found.arrays.mean(), (found.damaged.mean(), found.guessed.mean())
        limit = "" if known is None else f"{100 * _posterior(seen, truth, known):.1f} %"
        yield (
            *(name, damage, *(f"{each:.4f}" for each in before), f"{found.exact.mean():.4f}"),
            f"{mean:.4f} ({low:.4f} to {high:.4f})",
            f"{found.arrays.mean(1).max():.4f}",
            *(f"{100 * (1 - mean / each):.1f} %" for each in before),
            limit,
        )


def _posterior(seen: Damaged, truth: Bits, known: Bits) -> float:
    """By how much less is wrong where images are those of training, each pixel flipped by a share,
    and the likelier value of each pixel is taken.
    """
    return max(_less(seen, truth, known * 1.0, spread) for spread in SPREADS)


def _less(seen: Damaged, truth: Bits, known: np.ndarray, spread: float) -> float:
    signs = (2.0 * seen.pixels - 1) * seen.known
    apart = spread + seen.flipped - 2 * spread * seen.flipped
    odds = signs @ (2 * known.T - 1) * (np.log((1 - apart) / apart) / 2)
    weights = np.exp(odds - odds.max(1, keepdims=True))
    lit = weights @ known / weights.sum(1, keepdims=True)
    if not seen.flipped:
        found = np.where(seen.known, seen.pixels, lit > 0.5)
    else:
        evidence = np.where(seen.pixels, 1 - seen.flipped, seen.flipped)
        one, other = (1 - spread) * evidence, spread * (1 - evidence)
        if_lit = one / (one + other)
        one, other = spread * evidence, (1 - spread) * (1 - evidence)
        found = lit * if_lit + (1 - lit) * one / (one + other) > 0.5
    return float(1 - wrong(found, truth).mean() / wrong(seen.pixels, truth).mean())


def keep(package: Path, table: Path) -> None:
    """Write ten held-out digits, one of each class: as they are, damaged, and recovered."""
    frames = mixed(digits(package))
    test, kept = (
        frames.taken(np.arange(SHOWN)),
        frames.taken(np.arange(SHOWN, len(frames.values))),
    )
    restorer = remember(kept, RECIPES["28 x 28"], np.random.default_rng(0))
    chosen = [test.labels.index(str(digit)) for digit in range(10)]
    truth = restorer.binary.pixels(test.taken(np.array(chosen)))
    rng, backend = np.random.default_rng(1), array_backend(find("memristor"))
    damages = {"flipped": flip(truth, 0.2, rng), "covered": cover(truth, "bottom", rng)}
    arrays = {}
    for name, seen in damages.items():
        first = next(drawn(restorer, seen, backend, {"device": "neurram"}, (FIRST_ARRAY,)))
        shown = (truth, seen.pixels, seen.known, in_software(restorer, seen, 0), first)
        for part, pixels in zip(PARTS, shown, strict=True):
            arrays[f"{name}_{part}"] = pixels
    np.savez_compressed(table, **arrays)


if __name__ == "__main__":
    keep(Path(sys.argv[1]), Path(sys.argv[2]))
