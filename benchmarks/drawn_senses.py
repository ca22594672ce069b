"""What the tables of classifiers share: digits, drawn arrays, and how shares are printed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from sklearn.datasets import load_digits

from vsafsm.discovery import find
from vsafsm.intervals import over_draws, wilson
from vsafsm.sense.arrays import Outcome, array_backend, matrices_of, outcome, outcomes
from vsafsm.sense.data import Frames
from vsafsm.sense.margins import split
from vsafsm.sense.model import Model
from vsafsm.sense.search import Score, Space, Trial, search
from vsafsm.sense.train import Recipe
from vsafsm.sense.tune import tuned_outcomes

KEPT = 450
FIRST_ARRAY = 1000
LARGE_TILES: dict[str, object] = {"rows": 128, "columns": 128}
PEROVSKITES: tuple[tuple[str, dict[str, object]], ...] = (
    ("perovskite-mean", {}),
    ("perovskite-mean", {"sigma": 1.0}),
)


def digits() -> tuple[Frames, Frames]:
    """Frames to train on, and frames to test with."""
    loaded = load_digits()
    names = tuple(f"digit {i}" for i in range(len(loaded.target)))
    frames = Frames(
        loaded.images.astype(float), names, tuple(str(label) for label in loaded.target)
    )
    order = np.random.default_rng(0).permutation(len(names))
    return frames.taken(np.sort(order[KEPT:])), frames.taken(np.sort(order[:KEPT]))


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


def searched(
    used: Frames,
    held: Frames,
    device: str,
    most: float,
    recipe: Recipe | None = None,
    most_dropout: float = 0.0,
    **options: object,
) -> tuple[Trial, ...]:
    """Trials of the noise of each layer, and of dropout where there is some to be, each scored on
    20 arrays and on frames held back.
    """
    space = Space(0.0, most, 20, 20, most_dropout=most_dropout)
    return search(used, recipe or Recipe(), space, array_score(held, device, **options))


def array_score(held: Frames, device: str, **options: object) -> Score:
    """The share that a drawn array has correct of frames that are held back."""
    backend = array_backend(find("memristor"))

    def score(model: Model, rng: np.random.Generator) -> float:
        products = backend.draw_layers(matrices_of(model), rng, device=device, **options)
        return outcome(model, held, products).correct

    return score


def told(trial: Trial) -> str:
    """What a search chose."""
    noise = ", ".join(f"{each:.2f}" for each in trial.noise)
    dropout = ", ".join(f"{zero:.2f}:{half:.2f}" for zero, half in trial.dropout)
    return f"search: noise {noise}{f'; dropout {dropout}' if dropout else ''}"
