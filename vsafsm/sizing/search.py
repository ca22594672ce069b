"""Networks of given sizes, tried one by one: what the searches for a size have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.arrivals import arriving
from vsafsm.asynchronous import Runs, Timing
from vsafsm.codebook import Codebook, CodebookMaker, Layout
from vsafsm.conditions import loads
from vsafsm.errors import CodebookError
from vsafsm.lowering import Lowered
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.options import MOST_NEURONS, Options, Rule
from vsafsm.prediction import active_for, predicted_neurons, split_active
from vsafsm.proof import Proof, prove
from vsafsm.requirements import Requirements
from vsafsm.situations import Asked
from vsafsm.sizing.ladder import rung_of, rung_size
from vsafsm.tolerance import Tolerated
from vsafsm.visited import failed, visited
from vsafsm.weights import ROUNDS, Grid, Refinement, build, grid_for

PROBE_MARGIN = 0.1
"""Asked for in the search for the smallest size that proves at all."""
DRAWS = 2
"""Codebooks drawn before a size is given up, each with twice the range of weights of the one
before.
"""
LEAST_CEILING, MOST_TIMES_PREDICTED = 1024, 6
"""Where the search for a size gives up: this many neurons, or this many times the prediction."""
SLOW_ROUNDS = 20
"""Of refinement, where masks arrive over a while or axons have delays."""
FURTHER_ROUNDS = 2
"""Of refinement, on runs that failed."""
MOST_RUNS = 10_000
"""Of one input each, that are made to find some that fail."""


@dataclass(frozen=True)
class Attempt:
    """One network that was tried: its size, the margin asked for, and what came of it."""

    neurons: int
    active: int
    asked: float
    verdict: str
    margin: float
    violations: int

    def __str__(self) -> str:
        outcome = (
            f"margin {self.margin:.3f}"
            if self.verdict == "holds"
            else f"{self.violations} conditions short"
        )
        return (
            f"N={self.neurons} k={self.active} margin {self.asked:g} asked: {self.verdict},"
            f" {outcome}"
        )


@dataclass(frozen=True)
class Sized:
    """What sizing arrived at.

    Attributes
    ----------
    smallest
        Fewest neurons that proved, of the sizes that were tried; None where the dimension was
        given.
    gave_up
        Why the search stopped short of a network that is proven and meets the requirements; empty
        where it did not.
    tolerated
        What draws of the noises that it is to tolerate showed.
    """

    network: Network
    proof: Proof
    attempts: tuple[Attempt, ...]
    smallest: int | None
    gave_up: str = ""
    tolerated: tuple[Tolerated, ...] = ()


Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Trial:
    """A network that was tried.

    Attributes
    ----------
    unmet
        What of the requirements it does not meet.
    asked
        The margin that was asked for.
    book, grid
        What its weights are made of and laid over.
    failures
        What is wanted where runs of it, or of the networks that it comes from, failed.
    """

    network: Network
    proof: Proof
    refinement: Refinement
    unmet: tuple[str, ...]
    asked: float
    book: Codebook
    grid: Grid
    failures: tuple[Asked, ...] = ()

    @property
    def rank(self) -> tuple[bool, bool, float]:
        return self.proof.holds, not self.unmet, self.proof.margin


class Search:
    """What is searched for, and what was tried so far.

    Attributes
    ----------
    slow
        Timings to refine on, of masks that arrive over a while and axons with delays.
    best
        Of the networks that were tried.
    """

    def __init__(
        self,
        machine: Machine,
        lowered: Lowered,
        options: Options,
        requirements: Requirements,
        maker: CodebookMaker,
        progress: Progress,
        slow: tuple[Timing, ...] = (),
    ) -> None:
        self.machine, self.lowered, self.options, self.maker = machine, lowered, options, maker
        self.requirements, self.progress, self.slow = requirements, progress, slow
        self.loads, self.rule = loads(lowered), options.settled_rule
        self.attempts: list[Attempt] = []
        self.best: Trial | None = None

    @property
    def ceiling(self) -> int:
        """Most neurons that there may be."""
        return min(self.requirements.most_neurons or MOST_NEURONS, MOST_NEURONS)

    def smallest(self, ceiling: int) -> int | None:
        """Fewest neurons, on a ladder of sizes, that prove: walk up to the first that does, or down
        to the last.

        What a target aims at does not count here, so that the smallest says the same of a machine
        for every target.
        """
        predicted = predicted_neurons(self.lowered, self.options)
        ceiling = min(ceiling, max(LEAST_CEILING, MOST_TIMES_PREDICTED * predicted))
        # Up to the first rung that proves, then down while the rung below proves too: the smallest
        # costs a few compilations near the prediction, and none of the large sizes.
        rung = rung_of(min(predicted, ceiling))
        while not self._proves(min(rung_size(rung), ceiling)):
            if rung_size(rung) >= ceiling:
                return None
            rung += 1
        if rung_size(rung) > ceiling:
            return ceiling
        while rung > 0 and self._proves(rung_size(rung - 1), draws=1):
            rung -= 1
        return rung_size(rung)

    def _proves(self, neurons: int, draws: int = DRAWS) -> bool:
        rule: Rule = "one-shot" if self.options.rule == "one-shot" else "refined"
        active = self.actives(neurons, density=None)[0]
        trials = (self.tried(neurons, active, PROBE_MARGIN, draw, rule) for draw in range(draws))
        return any(trial is not None and trial.proof.holds for trial in trials)

    def actives(self, neurons: int, density: float | None) -> list[int]:
        """Active neurons to try in turn: of a density, or of the law where there is none."""
        if self.options.code == "dense":
            return [neurons // 2]
        if self.options.active != "auto":
            return [int(self.options.active)]
        least = self.requirements.least_active or 1
        if density is None:
            first = active_for(neurons, self.lowered, self.options.bits, least)
        else:
            first = split_active(neurons * density, self.lowered, neurons, least)
        fewer = [
            k
            for k in (first * 3 // 4, first // 2)
            if self.options.dimension != "auto" and k >= max(least, 6)
        ]
        return list(
            dict.fromkeys([first, *(split_active(k, self.lowered, neurons, least) for k in fewer)])
        )

    def tried(
        self,
        neurons: int,
        active: int,
        margin: float,
        draw: int,
        rule: Rule,
        stretch: float | None = None,
    ) -> Trial | None:
        """One network; None where codes of this size cannot be told apart by the masks.

        Its weights have `stretch` times the usual range; by default twice that of the draw before.
        """
        if stretch is None:
            stretch = 2.0**draw
        self.progress(f"N={neurons} k={active}", 0.0)
        # A generator per attempt: the same network whatever was tried before it.
        rng = np.random.default_rng([self.options.seed, neurons, active, draw])
        try:
            trial = _compile(self, neurons, active, margin, stretch, rng, rule)
        except CodebookError:
            if self.options.dimension != "auto" or neurons >= MOST_NEURONS:
                raise
            return None
        self._note(trial)
        return trial

    def mended(self, trial: Trial, timing: Timing) -> Trial | None:
        """A network of the rule ``robust``, refined further on runs that fail under a timing; None
        if none of many fails.
        """
        network, book = trial.network, trial.book
        what = f"N={network.neurons} k={network.active} on runs that failed"
        self.progress(what, 0.0)
        rng = np.random.default_rng(
            [self.options.seed, network.neurons, network.active, 0, 1 + len(trial.failures)]
        )
        new = failed(Runs(self.machine, network, timing, rng), self.lowered, book, MOST_RUNS)
        if new is None:
            return None
        failures = Asked.joined([*trial.failures, new])
        weights, refinement = build(
            *(self.lowered, book, trial.grid, "robust", trial.asked, rng),
            progress=lambda share: self.progress(what, share),
            more=lambda weights: failures,
            rounds=FURTHER_ROUNDS,
            begun=network.weights.astype(trial.grid.dtype),
        )
        found = _proven(self, weights, refinement, trial.asked, book, trial.grid)
        found = replace(found, failures=(*trial.failures, new))
        self._note(found)
        return found

    def _note(self, trial: Trial) -> None:
        if self.best is None or trial.rank > self.best.rank:
            self.best = trial
        network, proof = trial.network, trial.proof
        self.attempts.append(
            Attempt(
                network.neurons,
                network.active,
                trial.asked,
                proof.verdict,
                proof.margin,
                trial.refinement.violations,
            )
        )

    def sized(self, trial: Trial, smallest: int | None, gave_up: str = "") -> Sized:
        """A network as what the search arrived at."""
        return Sized(trial.network, trial.proof, tuple(self.attempts), smallest, gave_up)

    def given_up(self, why: str) -> Sized:
        """The best attempt, and why there is none better."""
        if self.best is None:
            raise CodebookError(
                f'machine "{self.machine.name}": no codes can be drawn at these sizes'
            )
        unmet = "; ".join(self.best.unmet) if self.best.proof.holds else ""
        return self.sized(self.best, None, f"requirements not met: {unmet}" if unmet else why)


def _compile(
    search: Search,
    neurons: int,
    active: int,
    margin: float,
    stretch: float,
    rng: np.random.Generator,
    rule: Rule,
) -> Trial:
    """Codebook, weights and proof of one size."""
    lowered, machine, options = search.lowered, search.machine, search.options
    layout = Layout(
        search.loads, len(machine.states), lowered.inputs, neurons, active, lowered.targets
    )
    book = search.maker(layout, rng)
    grid = grid_for(lowered, book, options.bits, options.inhibition == "folded", rule, stretch)
    what = f"N={neurons} k={active}"

    def slowly(weights: NDArray[Any]) -> Asked:
        now = assembled(machine, lowered, book, grid, weights)
        seen = [visited(Runs(machine, now, each, rng), lowered, book) for each in search.slow]
        return Asked.joined([arriving(lowered, book, rng), *seen])

    weights, refinement = build(
        lowered,
        book,
        grid,
        rule,
        margin,
        rng,
        progress=lambda share: search.progress(what, share),
        more=slowly if search.slow else None,
        rounds=SLOW_ROUNDS if search.slow else ROUNDS,
    )
    return _proven(search, weights, refinement, margin, book, grid)


def _proven(
    search: Search,
    weights: NDArray[Any],
    refinement: Refinement,
    margin: float,
    book: Codebook,
    grid: Grid,
) -> Trial:
    network = assembled(search.machine, search.lowered, book, grid, weights)
    proof = prove(search.machine, network)
    if proof.holds:
        network = replace(network, contract=proof.contract)
    unmet = search.requirements.unmet(network, proof.margin)
    return Trial(network, proof, refinement, unmet, margin, book, grid)


def assembled(
    machine: Machine,
    lowered: Lowered,
    book: Codebook,
    grid: Grid,
    weights: NDArray[Any],
) -> Network:
    """The network of one matrix of these weights, with the usual contract."""
    return Network.dense(
        weights,
        grid.gain,
        grid.scale,
        grid.bits,
        book.masks,
        book.codes,
        lowered.codes,
        lowered.start,
        machine.states,
        machine.inputs,
        machine.moore,
    )
