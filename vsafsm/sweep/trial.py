"""One draw of noise on one network: how much of the machine is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from vsafsm.backend import Backend, Run, find, run_word
from vsafsm.errors import BackendError
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.noise import parse_noise, perturbed
from vsafsm.program import Program
from vsafsm.sweep.plan import Subject, Trials
from vsafsm.tours import tours
from vsafsm.walk import Walk


class Outcome(NamedTuple):
    """What became of a draw.

    `pairs` and `words` are how many were right; `always` says whether every word of any length is, or is None where
    that is not decided: on a backend that is not exact.
    """

    pairs: int
    words: int
    always: bool | None

    def is_right(self, pairs: int) -> bool:
        """Whether all of so many pairs of state and input were right."""
        return self.pairs == pairs


def outcomes(subject: Subject, noise: str, trials: Trials, numbers: Sequence[int]) -> list[Outcome]:
    """What becomes of some draws, each by its number; it does not matter which are asked for together."""
    return [outcome(subject, noise, trials, number) for number in numbers]


def outcome(subject: Subject, noise: str, trials: Trials, number: int) -> Outcome:
    """What becomes of one draw.

    Raises
    ------
    BackendError
        If the backend cannot be used, or takes no disturbed program.
    """
    backend, program = find(subject.backend), subject.program
    rng = np.random.default_rng([trials.seed, number])
    rounds = getattr(backend, "whole_weights", False)
    noisy = replace(program, network=perturbed(program.network, parse_noise(noise), rng, rounds))
    words = np.random.default_rng([trials.seed, number, 1]).integers(
        len(program.machine.inputs), size=(trials.words, trials.length)
    )
    if backend.exact:
        network = backend.lower(noisy, **subject.options)
        if not isinstance(network, Network):
            raise BackendError(f'backend "{subject.backend}" gives no network that noise could be measured on')
        return _walked(program.machine, network, words.tolist())
    return _run(noisy, backend, {**subject.options, **_seeds(subject, backend, number)}, words.tolist())


def _walked(machine: Machine, network: Network, words: list[list[int]]) -> Outcome:
    walk = Walk(machine, network)
    pairs = int(walk.right_pairs().sum())
    return Outcome(pairs, int(walk.right_words(words).sum()), walk.shortest_wrong() is None)


# ---- backends that are not exact: words are run


def _seeds(subject: Subject, backend: Backend, number: int) -> dict[str, int]:
    """Options of the backend that seed draws of its own: every trial has others."""
    seeds = [option for option in backend.options if option.name.endswith("_seed")]
    return {each.name: int(subject.options.get(each.name, each.default)) + number for each in seeds}


def _run(program: Program, backend: Backend, options: dict[str, object], words: list[list[int]]) -> Outcome:
    machine = program.machine
    taken: dict[tuple[str, str], bool] = {}
    for tour in tours(machine):
        _note(machine, tour, run_word(program, tour, backend.name, **options), taken)
    right = 0
    for word in words:
        symbols = [machine.inputs[a] for a in word]
        expected = machine.run(symbols)
        found = run_word(program, symbols, backend.name, **options)
        right += (found.states, found.outputs) == (expected.states, (expected.initial_outputs, *expected.outputs))
    return Outcome(sum(taken.values()), right, None)


def _note(machine: Machine, word: Sequence[str], found: Run, taken: dict[tuple[str, str], bool]) -> None:
    """Hold each step of a run against the machine, from the state that it really was in."""
    for state, symbol, to, outputs in zip(found.states, word, found.states[1:], found.outputs[1:], strict=False):
        if state is None:
            continue
        expected = machine.transition(state, symbol)
        right = (to, outputs) == (expected.to, expected.outputs + machine.outputs_of(expected.to))
        taken[state, symbol] = taken.get((state, symbol), True) and right
