"""Searching for the noise of training, layer by layer, by Bayesian optimisation: Optuna's Gaussian
process over the mean score of drawn arrays.

Each trial trains a classifier and scores it on the same draws, at least `LEAST_DRAWS`: with fewer,
the luck of the draws decides. Trials are kept in a journal, one JSON object per line, as they come;
a search that was interrupted goes on from there, and gives what it would have given.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from vsafsm.errors import FileError, SenseError
from vsafsm.files import reason, write_atomically
from vsafsm.sense.data import Frames
from vsafsm.sense.extra import imported, optuna_quietly
from vsafsm.sense.model import Model
from vsafsm.sense.train import Recipe, train

Score = Callable[[Model, np.random.Generator], float]
"""How good a classifier is on one drawn array: 0 to 1."""
Progress = Callable[[str, float], None]
LEAST_DRAWS = 20
SUFFIXES = (".png", ".pdf", ".svg")


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
    """

    low: float = 0.0
    high: float = 0.5
    trials: int = 20
    draws: int = LEAST_DRAWS
    seed: int = 0

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


@dataclass(frozen=True)
class Trial:
    """One classifier: the noise of its layers, and its scores on the draws."""

    noise: tuple[float, ...]
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of the scores."""
        return float(np.mean(self.scores))


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
        All but the noise.
    score
        Called with each draw's generator.
    journal
        Where trials are kept, and taken from.
    about
        What the score depends on, such as the device: a journal of something else is refused.

    Returns
    -------
    tuple of Trial
        In the order of the search. `best` has the best one.

    Raises
    ------
    SenseError
        If optuna or torch is not installed, or the journal is of another search.
    FileError
        If the journal cannot be read or written.
    """
    optuna = imported("optuna", "a search")
    imported("torch", "a search")
    described = _described(frames, recipe, space, about or {})
    with _Journal(journal, described) as kept:
        with optuna_quietly(optuna):
            study = optuna.create_study(direction="maximize")
        names = [f"noise_{i}" for i in range(recipe.depth)]
        over = {
            name: optuna.distributions.FloatDistribution(space.low, space.high) for name in names
        }
        for trial in kept.trials[: space.trials]:
            _tell(optuna, study, over, trial)
        while len(kept.trials) < space.trials:
            number = len(kept.trials)
            noise = _suggested(optuna, study, over, space.seed + number)
            if noise in {trial.noise for trial in kept.trials}:
                # It would score the same again.
                again = np.random.default_rng([space.seed, 2, number])
                noise = tuple(again.uniform(space.low, space.high, recipe.depth).tolist())
            trial = _tried(frames, recipe, space, score, noise)
            _tell(optuna, study, over, trial)
            kept.add(trial)
            if progress is not None:
                progress(f"trial {number + 1} of {space.trials}", (number + 1) / space.trials)
        return tuple(kept.trials[: space.trials])


def best(trials: Sequence[Trial]) -> Trial:
    """That of the largest mean; of equal ones the first."""
    return max(trials, key=lambda trial: trial.mean)


def _suggested(optuna: Any, study: Any, over: Mapping[str, Any], seed: int) -> tuple[float, ...]:
    """What a sampler of this seed takes next, given the trials so far: the same after a restart."""
    with optuna_quietly(optuna):
        study.sampler = optuna.samplers.GPSampler(seed=seed)
        trial = study.ask(dict(over))
    noise = tuple(float(trial.params[name]) for name in over)
    study.tell(trial, state=optuna.trial.TrialState.FAIL)  # told with its score afterwards
    return noise


def _tell(optuna: Any, study: Any, over: Mapping[str, Any], trial: Trial) -> None:
    params = dict(zip(over, trial.noise, strict=True))
    study.add_trial(
        optuna.trial.create_trial(params=params, distributions=dict(over), value=trial.mean)
    )


def _tried(
    frames: Frames, recipe: Recipe, space: Space, score: Score, noise: tuple[float, ...]
) -> Trial:
    model = train(frames, replace(recipe, noise=noise), np.random.default_rng([space.seed, 0]))
    draws = (np.random.default_rng([space.seed, 1, draw]) for draw in range(space.draws))
    return Trial(noise, tuple(float(score(model, rng)) for rng in draws))


def _described(
    frames: Frames, recipe: Recipe, space: Space, about: Mapping[str, Any]
) -> dict[str, Any]:
    """What trials depend on; not how many there are to be."""
    text = repr(replace(recipe, noise=(0.0,)))
    return {
        "search": 1,
        "frames": [len(frames.values), *frames.shape, float(np.sum(frames.values))],
        "recipe": text,
        "noise": [space.low, space.high],
        "draws": space.draws,
        "seed": space.seed,
        "about": dict(about),
    }


class _Journal:
    """Trials so far, in a file where there is one. A last line that was cut off is left out."""

    def __init__(self, path: Path | None, described: Mapping[str, Any]) -> None:
        self.path, self.trials = path, list[Trial]()
        self._described = json.loads(json.dumps(described))
        self._file: TextIO | None = None

    def __enter__(self) -> _Journal:
        if self.path is None:
            return self
        try:
            whole = self._read(self.path) if self.path.exists() else 0
            self._file = self.path.open("a", encoding="utf-8")
            self._file.truncate(whole)
            if not whole:
                self._write(self._described)
        except OSError as error:
            raise FileError(f'cannot write "{self.path}": {reason(error)}') from None
        return self

    def __exit__(self, *details: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, trial: Trial) -> None:
        """Keep a trial."""
        self.trials.append(trial)
        self._write({"noise": trial.noise, "scores": trial.scores})

    def _write(self, content: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(content) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise FileError(f'cannot write "{self.path}": {reason(error)}') from None

    def _read(self, path: Path) -> int:
        """Take in what is there: -> bytes up to the last whole line."""
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        try:
            entries = [json.loads(line) for line in data[:whole].splitlines()]
            if entries and entries[0] != self._described:
                raise SenseError(
                    f'"{path}" is the journal of another search; expected another file'
                )
            if not entries and data:
                raise ValueError("no whole line")
            self.trials = [
                Trial(tuple(map(float, each["noise"])), tuple(map(float, each["scores"])))
                for each in entries[1:]
            ]
        except (ValueError, KeyError, TypeError):
            raise SenseError(f'"{path}" is no journal of a search; expected another file') from None
        return whole


def draw_search(trials: Sequence[Trial], path: Path) -> None:
    """Trials in their order with the best so far, and each layer's noise against the score.

    Raises
    ------
    SenseError
        If Matplotlib is not installed, or the name does not say what to draw.
    FileError
        If the file cannot be written.
    """
    if path.suffix not in SUFFIXES:
        raise SenseError(
            f'"{path}" does not say what to draw; expected a name that ends in'
            f" {', '.join(SUFFIXES)}"
        )
    imported("matplotlib", "a picture")
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    layers, means = len(trials[0].noise), [trial.mean for trial in trials]
    figure = Figure(figsize=(3.4 * (layers + 1), 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels: Any = figure.subplots(1, layers + 1, sharey=True, squeeze=False)[0]
    numbers = np.arange(1, len(trials) + 1)
    panels[0].plot(numbers, means, "o", color="#3b4cc0", label="trial")
    panels[0].plot(numbers, np.maximum.accumulate(means), color="#d1495b", label="best so far")
    panels[0].set(xlabel="trial", ylabel=f"mean score of {len(trials[0].scores)} arrays")
    panels[0].legend(fontsize=8)
    for layer, axes in enumerate(panels[1:]):
        shown = axes.scatter([t.noise[layer] for t in trials], means, c=numbers, cmap="viridis")
        axes.set(xlabel=f"noise of layer {layer + 1}")
    figure.colorbar(shown, ax=panels[-1], label="trial")
    for axes in panels:
        axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    dated = {".png": "Software", ".pdf": "CreationDate", ".svg": "Date"}[path.suffix]
    with rc_context({"svg.hashsalt": "vsafsm"}):
        figure.savefig(buffer, format=path.suffix[1:], dpi=140, metadata={dated: None})
    write_atomically(path, buffer.getvalue())
