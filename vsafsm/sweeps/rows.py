"""Points summed up: shares with intervals, and what was predicted beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from vsafsm.intervals import over_draws, wilson
from vsafsm.noise import Additive, Noise
from vsafsm.prediction import predicted_neurons
from vsafsm.proof import Proof
from vsafsm.sweeps.plan import Subject, Trials
from vsafsm.sweeps.trial import Outcome


@dataclass(frozen=True)
class Row:
    """One point. Shares come with Wilson's 95 % interval over draws; None where there is nothing to
    say.

    Attributes
    ----------
    machine, backend, options
        What was perturbed, on which backend, with which of its options.
    noise, amount
        The noise, and the amount of its first model.
    neurons, active, bits, rule, code, inhibition, trigger, seed
        Of the program.
    proven, margin, radius
        What the proof found on the unperturbed network: margin in units, radius in LSBs.
    trials
        Draws of noise.
    correct, correct_share, correct_low, correct_high
        Draws in which every pair of state and input is correct.
    always, always_share, always_low, always_high
        Draws in which every word of any length is run correct: decided by a walk, not sampled.
    transitions, transitions_share, transitions_low, transitions_high
        Pairs of state and input tried in all draws, and the share that is correct.
    words, words_share, words_low, words_high
        Random words run in all draws, and the share that is correct from the reset to the end.
    failure_bound
        Union bound of the proof on the share of draws in which any step changes: additive noise
        alone and real weights; at most 1.
    predicted_neurons
        Smallest network that the capacity law expects to prove without noise.
    """

    machine: str
    backend: str
    options: str
    noise: str
    amount: float
    neurons: int
    active: int
    bits: int
    rule: str
    code: str
    inhibition: str
    trigger: str
    seed: int
    proven: bool
    margin: float
    radius: float
    trials: int
    correct: int
    correct_share: float
    correct_low: float
    correct_high: float
    always: int | None
    always_share: float | None
    always_low: float | None
    always_high: float | None
    transitions: int
    transitions_share: float
    transitions_low: float
    transitions_high: float
    words: int
    words_share: float | None
    words_low: float | None
    words_high: float | None
    failure_bound: float | None
    predicted_neurons: int


COLUMNS = tuple(field.name for field in fields(Row))


def varied(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """Those columns of some that tell rows apart, but for k where it follows from N."""
    found = [name for name in names if len({getattr(row, name) for row in rows}) > 1]
    follows = len({(row.neurons, row.active) for row in rows}) == len({row.neurons for row in rows})
    return [name for name in found if not (name == "active" and follows)]


class Count:
    """The draws of a point counted in their order, until they make it done.

    Attributes
    ----------
    draws
        How many are counted; those that came after a gap, or after the point was done, are not.
    done
        Whether no more are needed.
    """

    def __init__(self, pairs: int, trials: Trials) -> None:
        self.draws, self.done = 0, False
        self._pairs, self._trials, self._correct = pairs, trials, 0

    def go_on(self, kept: Mapping[int, Outcome]) -> None:
        """Count on through the outcomes that are kept, by the number of the draw."""
        while not self.done and self.draws in kept:
            self._correct += kept[self.draws].is_correct(self._pairs)
            self.draws += 1
            low, high = wilson(self._correct, self.draws)
            narrow = self._trials.width > 0 and high - low <= self._trials.width
            self.done = narrow or self.draws >= self._trials.most


def row(
    trials: Trials, subject: Subject, proof: Proof, noise: Noise, outcomes: Sequence[Outcome]
) -> Row:
    """A point that is done."""
    program, n = subject.program, len(outcomes)
    pairs = program.machine.reachable_transitions
    always = None if outcomes[0].always is None else [int(bool(each.always)) for each in outcomes]
    options = {
        name: getattr(program.options, name)
        for name in ("rule", "code", "inhibition", "trigger", "seed")
    }
    network = {name: getattr(program.network, name) for name in ("neurons", "active", "bits")}
    return Row(
        machine=program.machine.name,
        backend=subject.backend,
        options=",".join(f"{name}={value}" for name, value in subject.options.items()),
        noise=str(noise),
        amount=noise.amount,
        proven=proof.holds,
        margin=proof.margin,
        radius=proof.radius,
        trials=n,
        failure_bound=failure_bound(subject, proof, noise),
        predicted_neurons=predicted_neurons(program.lowered, program.options),
        **options,
        **network,
        **_single("correct", [int(each.is_correct(pairs)) for each in outcomes]),
        **_single("always", always),
        **_many("transitions", [each.pairs for each in outcomes], pairs),
        **_many("words", [each.words for each in outcomes], trials.words),
    )


def _single(name: str, correct: Sequence[int] | None) -> dict[str, Any]:
    """How many draws were correct, their share and its interval."""
    values = (
        (None,) * 4
        if correct is None
        else (n := sum(correct), n / len(correct), *wilson(n, len(correct)))
    )
    return dict(zip((name, *_interval(name)), values, strict=True))


def _many(name: str, correct: Sequence[int], each: int) -> dict[str, Any]:
    """How many were tried in all draws, the share that was correct and its interval."""
    total = each * len(correct)
    values = (
        (sum(correct) / total, *over_draws([one / each for one in correct]))
        if total
        else (None,) * 3
    )
    return {name: total, **dict(zip(_interval(name), values, strict=True))}


def _interval(name: str) -> tuple[str, str, str]:
    return f"{name}_share", f"{name}_low", f"{name}_high"


def failure_bound(subject: Subject, proof: Proof, noise: Noise) -> float | None:
    """The proof's union bound for additive Gaussian noise on what is deployed; None for anything
    else.
    """
    network = subject.deployed
    if not isinstance(noise, Additive) or network is None or subject.rounded or not proof.holds:
        return None
    return min(
        1.0,
        proof.tally.failure_bound(noise.std * (network.weight_std if noise.unit == "std" else 1.0)),
    )
