"""How robust a program is: in how many draws of noise every word, or each of some words, is run
correct.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from numbers import Integral

import numpy as np

from vsafsm.argument_checks import check_program, checked_word
from vsafsm.asynchronous import Runs, timing_of
from vsafsm.errors import RobustnessError
from vsafsm.intervals import wilson
from vsafsm.network import Network
from vsafsm.noise import Noise, noise_of, perturb
from vsafsm.program import Program
from vsafsm.running import with_inputs
from vsafsm.walk import Walk, WrongWord

TRIALS = 100
"""Trials where neither a call nor the environment gives a number."""
VARIABLE = "VSAFSM_TRIALS"
"""Environment variable with a number of trials for calls that give none; the pytest plugin sets it.
"""

Word = Sequence[str]


@dataclass(frozen=True)
class Failure:
    """A trial that went wrong, and its shortest word that does."""

    trial: int
    wrong: WrongWord


@dataclass(frozen=True)
class Robustness:
    """What trials with perturbed weights found.

    Attributes
    ----------
    noise, seed, trials
        What was drawn. Trial t draws from ``numpy.random.default_rng([seed, t])``.
    failures
        The trials that went wrong, in order.
    """

    noise: Noise
    seed: int
    trials: int
    failures: tuple[Failure, ...]

    @property
    def correct(self) -> int:
        """Trials in which nothing went wrong."""
        return self.trials - len(self.failures)

    @property
    def share(self) -> float:
        """Share of the trials that were correct."""
        return self.correct / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share."""
        return wilson(self.correct, self.trials)

    @property
    def smallest(self) -> Failure | None:
        """The trial with the smallest wrong word, the first of several; None where nothing went
        wrong.
        """
        return min(self.failures, key=lambda failure: len(failure.wrong.word), default=None)

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.correct} of {self.trials} draws of {self.noise} are correct (95 % interval"
            f" {low:.3f} to {high:.3f}, seed {self.seed})"
        )


def robustness(
    program: Program,
    noise: Noise | str,
    *,
    words: Sequence[Word] | None = None,
    trials: int | None = None,
    seed: int = 0,
) -> Robustness:
    """Measure in how many draws of noise a program is correct.

    Parameters
    ----------
    program
        What is perturbed, before each trial anew.
    noise
        A model of `vsafsm.noise`, or its text, such as ``"additive:2"``.
    words
        Words that must be correct, each from the reset. None stands for every word of any length,
        which is decided and not sampled; of a machine with guards, for every word of its
        representatives. Where the noise is one of timing, None stands for every input in every
        state, once per draw.
    trials
        Number of draws; `default_trials` by default.
    seed
        Of the draws.

    Raises
    ------
    ArgumentError
        If `program` is none.
    NoiseError
        If there is no such noise.
    UnknownInputError
        If a word has an input that the machine has not.
    RobustnessError
        If there are no trials or no words, or the seed is no whole number from 0.
    """
    check_program(program, "robustness")
    noise, count, seed = (
        noise_of(noise),
        _whole("trials", _or_default(trials), 1),
        _whole("seed", seed, 0),
    )
    if words is not None:
        _check_words(program, words)
        program = with_inputs(program, chain.from_iterable(words))
    found = ((trial, _wrong_of_trial(program, noise, seed, trial, words)) for trial in range(count))
    failures = tuple(Failure(trial, wrong) for trial, wrong in found if wrong is not None)
    return Robustness(noise, seed, count, failures)


def network_of_trial(program: Program, noise: Noise | str, seed: int, trial: int) -> Network:
    """The network of one trial."""
    return perturb(program.network, noise_of(noise), np.random.default_rng([seed, trial]))


def default_trials() -> int:
    """Trials of a call that gives no number: ``--vsafsm-trials`` under pytest, else
    ``VSAFSM_TRIALS``, else 100.

    Raises
    ------
    RobustnessError
        If the environment variable is no whole number of at least 1.
    """
    text = os.environ.get(VARIABLE, str(TRIALS))
    return _whole(f"environment variable {VARIABLE}", int(text) if text.isdecimal() else text, 1)


def _or_default(trials: int | None) -> int:
    return default_trials() if trials is None else trials


def _wrong_of_trial(
    program: Program, noise: Noise, seed: int, trial: int, words: Sequence[Word] | None
) -> WrongWord | None:
    timing = timing_of(noise)
    if timing is None:
        return _wrong(program, network_of_trial(program, noise, seed, trial), words)
    # One generator for the weights and then for the runs.
    rng = np.random.default_rng([seed, trial])
    network = perturb(program.network, noise, rng)
    return Runs(program.machine, network, timing, rng).shortest_wrong(words)


def _wrong(program: Program, network: Network, words: Sequence[Word] | None) -> WrongWord | None:
    walk = Walk(program.machine, network)
    if words is None:
        return walk.shortest_wrong()
    wrong = (walk.first_wrong(word) for word in words)
    return min(
        (one for one in wrong if one is not None), key=lambda one: len(one.word), default=None
    )


# ---- what is asked


def _whole(what: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise RobustnessError(f"{what} is {value!r}; expected a whole number of at least {least}")
    return int(value)


def _check_words(program: Program, words: Sequence[Word]) -> None:
    if isinstance(words, str) or not isinstance(words, Collection) or not len(words):
        raise RobustnessError(f"words are {words!r}; expected at least one, or None for every word")
    for word in words:
        if not isinstance(word, Collection):
            raise RobustnessError(f"a word is {word!r}; expected its inputs in a list")
        if isinstance(word, str):
            raise RobustnessError(
                f'a word is the text "{word}"; expected its inputs in a list, such as ["{word}"]'
            )
        for symbol in checked_word(word, "robustness"):
            program.machine.check_input(symbol)
