"""One draw of noise on one network: how much of the machine is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from vsafsm.asynchronous import Runs, timing_of
from vsafsm.backend import Backend, Run
from vsafsm.discovery import find
from vsafsm.errors import NoiseError
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.noise import Noise, perturb
from vsafsm.program import Program
from vsafsm.running import run_on
from vsafsm.sweeps.plan import Subject, Trials
from vsafsm.walk import Walk


class Outcome(NamedTuple):
    """What became of a draw.

    `pairs` and `words` are how many were correct; `always` says whether every word of any length
    is, or is None where that is not decided: on a backend that is not exact, and where timing is
    random.
    """

    pairs: int
    words: int
    always: bool | None

    def is_correct(self, pairs: int) -> bool:
        """Whether all of so many pairs of state and input were correct."""
        return self.pairs == pairs


def outcomes(
    subject: Subject, noise: Noise, trials: Trials, numbers: Sequence[int]
) -> list[Outcome]:
    """What becomes of some draws, each by its number; it does not matter which are asked for
    together.

    Raises
    ------
    BackendError
        If the backend cannot be used, or takes no perturbed program.
    """
    backend = find(subject.backend)
    return [_outcome(subject, backend, noise, trials, number) for number in numbers]


def _outcome(
    subject: Subject, backend: Backend, noise: Noise, trials: Trials, number: int
) -> Outcome:
    program, rng = subject.program, np.random.default_rng([trials.seed, number])
    of_words = np.random.default_rng([trials.seed, number, 1])
    words = of_words.integers(
        len(program.machine.inputs), size=(trials.words, trials.length)
    ).tolist()
    network = perturb(subject.deployed or program.network, noise, rng, subject.rounded)
    timing = timing_of(noise)
    if subject.exact and timing is not None:
        return _timed(Runs(program.machine, network, timing, rng), words)
    if subject.exact:
        return _walked(program.machine, network, words)
    if timing is not None:
        raise NoiseError(
            f'noise "{noise}" is about the timing of synchronous networks, which backend'
            f' "{subject.backend}" does not run; expected noise on weights'
        )
    perturbed, options = replace(program, network=network), _seeded(subject, backend, number)
    return _run(perturbed, backend, options, subject.tours, words)


def _walked(machine: Machine, network: Network, words: list[list[int]]) -> Outcome:
    walk = Walk(machine, network)
    correct = walk.correct_pairs()
    pairs, always = int(correct.sum()), bool(correct.all()) and walk.shortest_wrong() is None
    return Outcome(pairs, len(words) if always else int(walk.correct_words(words).sum()), always)


def _timed(runs: Runs, words: list[list[int]]) -> Outcome:
    correct = runs.correct_pairs()
    return Outcome(int(correct.sum()), int(runs.correct_words(words).sum()), None)


# ---- backends that are not exact: words are run


def _seeded(subject: Subject, backend: Backend, number: int) -> dict[str, Any]:
    """Options with those that seed draws of the backend's own counted up: every trial has
    others.
    """
    seeds = [option for option in backend.options if option.name.endswith("_seed")]
    values = {each.name: subject.options.get(each.name, each.default) + number for each in seeds}
    return {**subject.options, **values}


def _run(
    program: Program,
    backend: Backend,
    options: dict[str, Any],
    tours: Sequence[Sequence[str]],
    words: list[list[int]],
) -> Outcome:
    machine = program.machine
    taken: dict[tuple[str, str], bool] = {}
    for tour in tours:
        _note(machine, tour, run_on(backend, program, tour, **options), taken)
    correct = 0
    for word in words:
        symbols = [machine.inputs[a] for a in word]
        expected = machine.run(symbols)
        found = run_on(backend, program, symbols, **options)
        correct += (found.states, found.outputs) == (
            expected.states,
            (expected.initial_outputs, *expected.outputs),
        )
    return Outcome(sum(taken.values()), correct, None)


def _note(
    machine: Machine, word: Sequence[str], found: Run, taken: dict[tuple[str, str], bool]
) -> None:
    """Hold each step of a run against the machine, from the state that it really was in."""
    for state, symbol, to, outputs in zip(
        found.states, word, found.states[1:], found.outputs[1:], strict=False
    ):
        if state is None:
            continue
        expected = machine.transition(state, symbol)
        correct = (to, outputs) == (expected.to, expected.outputs + machine.outputs_of(expected.to))
        taken[state, symbol] = taken.get((state, symbol), True) and correct
