"""Searching for the noise of training, layer by layer, by Bayesian optimisation: Optuna's Gaussian
process over the mean score of drawn arrays. The shares of dropout may be searched with it, as in
BayesMulti (Ye et al.).

Each trial trains a classifier and scores it on the same draws, at least `LEAST_DRAWS`: with fewer,
the luck of the draws decides. Trials are kept in a journal, one JSON object per line, as they come;
a search that was interrupted goes on from there, and gives what it would have given.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vsafsm import npz
from vsafsm.errors import SenseError
from vsafsm.json_lines import JsonLines
from vsafsm.sense.data import Frames
from vsafsm.sense.extra import imported, optuna_quietly
from vsafsm.sense.model import Model
from vsafsm.sense.train import Recipe, train

Score = Callable[[Model, np.random.Generator], float]
"""How good a classifier is on one drawn array: 0 to 1."""
Progress = Callable[[str, float], None]
LEAST_DRAWS = 20
MOST_DROPOUT = 0.5
"""Of inputs that are multiplied by 0, and of those multiplied by 1/2: some are left as they are."""


@dataclass(frozen=True)
class Space:
    """What is searched.

    Attributes
    ----------
    low, high
        Of the noise of each layer, as a share of its largest weight.
    trials
        Classifiers to train.
    draws
        Arrays that each is scored on, at least `LEAST_DRAWS`.
    seed
        Of training, draws and the search.
    most_dropout
        Of the shares of inputs that are multiplied by 0, and by 1/2, before each layer: at most
        `MOST_DROPOUT`. 0 searches for noise alone, with the dropout of the recipe.
    """

    low: float = 0.0
    high: float = 0.5
    trials: int = 20
    draws: int = LEAST_DRAWS
    seed: int = 0
    most_dropout: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 10:
            raise SenseError(f"noise from {self.low} to {self.high}; expected 0 <= low < high")
        if self.draws < LEAST_DRAWS:
            raise SenseError(
                f"{self.draws} draws; expected at least {LEAST_DRAWS}: fewer do not tell recipes"
                " apart"
            )
        if self.trials < 1:
            raise SenseError(f"{self.trials} trials; expected at least 1")
        if not 0 <= self.most_dropout <= MOST_DROPOUT:
            raise SenseError(
                f"dropout up to {self.most_dropout}; expected shares from 0 to {MOST_DROPOUT}"
            )

    def bounds(self, depth: int) -> tuple[tuple[float, float], ...]:
        """Of the numbers of a trial for so many layers, in the order of `Trial.numbers`."""
        shares = 2 * depth if self.most_dropout else 0
        return ((self.low, self.high),) * depth + ((0.0, self.most_dropout),) * shares


@dataclass(frozen=True)
class Trial:
    """One classifier: the noise of its layers, its scores on the draws, and the dropout before each
    layer where that is searched.
    """

    noise: tuple[float, ...]
    scores: tuple[float, ...]
    dropout: tuple[tuple[float, float], ...] = ()

    @property
    def mean(self) -> float:
        """Of the scores."""
        return float(np.mean(self.scores))

    @property
    def numbers(self) -> tuple[float, ...]:
        """What was searched: noise, then the shares times 0 and times 1/2 of each layer."""
        return (*self.noise, *(share for pair in self.dropout for share in pair))

    def recipe(self, of: Recipe) -> Recipe:
        """A recipe with what this trial was trained with."""
        return replace(of, noise=self.noise, dropout=self.dropout or of.dropout)


def search(
    frames: Frames,
    recipe: Recipe,
    space: Space,
    score: Score,
    journal: Path | None = None,
    about: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> tuple[Trial, ...]:
    """Train and score classifiers, each with noise that the trials before suggest.

    Parameters
    ----------
    recipe
        All but the noise, and the dropout where the space has some.
    score
        Called with each draw's generator.
    journal
        Where trials are kept, and taken from.
    about
        What the score depends on, such as the device and the frames that it is taken on: a journal
        of something else is refused.

    Returns
    -------
    tuple of Trial
        In the order of the search. `best` has the best one.

    Raises
    ------
    SenseError
        If optuna or torch is not installed, the journal is of another search, or dropout is both
        given and searched.
    FileError
        If the journal cannot be read or written.
    """
    if recipe.dropout and space.most_dropout:
        raise SenseError("dropout is both given and searched; expected one of them")
    optuna = imported("optuna", "a search")
    imported("torch", "a search")
    described = _described(frames, recipe, space, about or {})
    bounds = space.bounds(recipe.depth)
    with _Journal(journal, described) as kept:
        with optuna_quietly(optuna):
            study = optuna.create_study(direction="maximize")
        names = parameters(recipe.depth, len(bounds) > recipe.depth)
        over = {
            name: optuna.distributions.FloatDistribution(*ends)
            for name, ends in zip(names, bounds, strict=True)
        }
        for trial in kept.trials[: space.trials]:
            _tell(optuna, study, over, trial)
        while len(kept.trials) < space.trials:
            number = len(kept.trials)
            numbers = _suggested(optuna, study, over, space.seed + number)
            if numbers in {trial.numbers for trial in kept.trials}:
                # It would score the same again.
                numbers = drawn(bounds, np.random.default_rng([space.seed, 2, number]))
            trial = tried(frames, recipe, space, score, numbers)
            _tell(optuna, study, over, trial)
            kept.add(trial)
            if progress is not None:
                progress(f"trial {number + 1} of {space.trials}", (number + 1) / space.trials)
        return tuple(kept.trials[: space.trials])


def random_search(frames: Frames, recipe: Recipe, space: Space, score: Score) -> tuple[Trial, ...]:
    """The same trials at numbers that are drawn evenly: what a search is measured against.

    Raises
    ------
    SenseError
        If torch is not installed.
    """
    rng, bounds = np.random.default_rng([space.seed, 3]), space.bounds(recipe.depth)
    return tuple(
        tried(frames, recipe, space, score, drawn(bounds, rng)) for _ in range(space.trials)
    )


def tried(
    frames: Frames, recipe: Recipe, space: Space, score: Score, numbers: Sequence[float]
) -> Trial:
    """Train with some numbers, in the order of `Trial.numbers`, and score on the space's draws."""
    noise, shares = tuple(numbers[: recipe.depth]), numbers[recipe.depth :]
    trial = Trial(noise, (), tuple(zip(shares[::2], shares[1::2], strict=True)))
    model = train(frames, trial.recipe(recipe), np.random.default_rng([space.seed, 0]))
    draws = (np.random.default_rng([space.seed, 1, draw]) for draw in range(space.draws))
    return replace(trial, scores=tuple(float(score(model, rng)) for rng in draws))


def parameters(depth: int, dropout: bool) -> tuple[str, ...]:
    """Names of the numbers of a trial."""
    layers = range(1, depth + 1)
    noise = tuple(f"noise of layer {i}" for i in layers)
    shares = (f"share times {factor}, layer {i}" for i in layers for factor in ("0", "1/2"))
    return (*noise, *shares) if dropout else noise


def drawn(bounds: Sequence[tuple[float, float]], rng: np.random.Generator) -> tuple[float, ...]:
    """Numbers between bounds, each as likely as another."""
    return tuple(float(rng.uniform(*ends)) for ends in bounds)


def best(trials: Sequence[Trial]) -> Trial:
    """That of the largest mean; of equal ones the first."""
    return max(trials, key=lambda trial: trial.mean)


def _suggested(optuna: Any, study: Any, over: Mapping[str, Any], seed: int) -> tuple[float, ...]:
    """What a sampler of this seed takes next, given the trials so far: the same after a restart."""
    with optuna_quietly(optuna):
        study.sampler = optuna.samplers.GPSampler(seed=seed)
        trial = study.ask(dict(over))
    numbers = tuple(float(trial.params[name]) for name in over)
    study.tell(trial, state=optuna.trial.TrialState.FAIL)  # told with its score afterwards
    return numbers


def _tell(optuna: Any, study: Any, over: Mapping[str, Any], trial: Trial) -> None:
    params = dict(zip(over, trial.numbers, strict=True))
    study.add_trial(
        optuna.trial.create_trial(params=params, distributions=dict(over), value=trial.mean)
    )


def identity(frames: Frames) -> str:
    """SHA-256 of values, shape and labels, in their order: what tells sets of frames apart."""
    labels = np.array(frames.labels, np.str_)
    return npz.digest({"values": frames.values, "labels": labels}).hex()


def _described(
    frames: Frames, recipe: Recipe, space: Space, about: Mapping[str, Any]
) -> dict[str, Any]:
    """What trials depend on; not how many there are to be."""
    text = repr(replace(recipe, noise=(0.0,)))
    return {
        "search": 1,
        "frames": identity(frames),
        "recipe": text,
        "noise": [space.low, space.high],
        **({"dropout": space.most_dropout} if space.most_dropout else {}),
        "draws": space.draws,
        "seed": space.seed,
        "about": dict(about),
    }


class _Journal:
    """Trials so far, in a file where there is one."""

    def __init__(self, path: Path | None, described: Mapping[str, Any]) -> None:
        self.trials: list[Trial] = []
        self._described = json.loads(json.dumps(described))
        self._lines = None if path is None else JsonLines(path, self._described)

    def __enter__(self) -> _Journal:
        if self._lines is not None:
            try:
                self._take_in(self._lines.read(), self._lines.path)
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
                raise SenseError(
                    f'"{self._lines.path}" is no journal of a search; expected another file'
                ) from None
            self._lines.open()
        return self

    def __exit__(self, *details: object) -> None:
        if self._lines is not None:
            self._lines.close()

    def add(self, trial: Trial) -> None:
        """Keep a trial."""
        self.trials.append(trial)
        if self._lines is not None:
            dropout = {"dropout": trial.dropout} if trial.dropout else {}
            self._lines.add({"noise": trial.noise, "scores": trial.scores, **dropout})

    def _take_in(self, entries: list[Any], path: Path) -> None:
        if entries and entries[0] != self._described:
            raise SenseError(f'"{path}" is the journal of another search; expected another file')
        self.trials = [_read_trial(each) for each in entries[1:]]


def _read_trial(entry: Mapping[str, Any]) -> Trial:
    """Raises `ValueError`, `KeyError`, `TypeError`, `AttributeError` and `OverflowError`."""
    dropout = tuple((float(zero), float(half)) for zero, half in entry.get("dropout", ()))
    return Trial(tuple(map(float, entry["noise"])), tuple(map(float, entry["scores"])), dropout)
