"""The search for a network that tolerates noises, from the size that a law expects to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vsafsm.asynchronous import Timing, timing_of
from vsafsm.noise import parts
from vsafsm.order_refinement import refined_and_proven
from vsafsm.prediction import split_active
from vsafsm.sizing.ladder import rung_of, rung_size, sizes
from vsafsm.sizing.search import Search, Sized, Trial
from vsafsm.sizing.trials import Trials
from vsafsm.sizing.usual import ENOUGH
from vsafsm.tolerance import ANY_ORDER, AnyOrder, Tolerance, Tolerated

ROBUST_MARGIN = 0.2
"""Asked for by default where something is to be tolerated."""
SLOW_MARGIN, SLOW_DENSITIES = 0.1, (1 / 8, 1 / 16)
"""The same where masks arrive over a while, or axons have delays: the margin, and the shares of
active neurons.
"""
LEAST_TOLERANT, TOLERANT_DENSITIES = 16, (1 / 16, 1 / 11)
"""Fewest active neurons, and shares of them, that are tried where something is to be tolerated."""
STRENGTHS = {
    "additive": (2.5, 2.0),
    "jitter": (2.5, 1.2),
    "missing": (3.0, 16.0),
    "lognormal": (3.0, 8.0),
    "stuck": (3.0, 30.0),
    "flips": (3.0, 40.0),
    "timing:async": (4.0, 0.0),
    "timing:masks": (4.0, 0.1),
    "timing:delays": (4.0, 0.0),
    ANY_ORDER: (4.0, 0.0),
}
"""For each kind of noise a factor of the smallest size, and what it grows by per amount."""
MENDINGS = 3
"""How often a network is refined on runs that failed before another takes its place."""
MOST_RUNGS = 8
"""Where the search for a size that tolerates gives up, in rungs above what the law expects: four
times as many neurons.
"""


def tolerant(search: Search, trials: Trials) -> Sized:
    """Find a size that tolerates what is wanted, from the one that a law expects to."""
    if search.options.dimension != "auto":
        tried, smallest = [int(search.options.dimension)], None
    else:
        ceiling = search.ceiling
        smallest = search.smallest(ceiling)
        if smallest is None:
            return search.given_up("nothing proved")
        first = rung_of(min(strength(trials.wanted) * smallest, ceiling))
        tried = sizes(first, min(ceiling, rung_size(first + MOST_RUNGS)))
    best: tuple[float, str] = (-1.0, "none was proven")
    for neurons in tried:
        for trial, found in _tried(search, trials, neurons):
            last = found[-1]
            if last.interval[0] > trials.confidence:
                told = {each.noise: each for each in found}
                shown = tuple(told[str(noise)] for noise in trials.wanted)
                return replace(search.sized(trial, smallest), tolerated=shown)
            done = len(found) - 1 + last.correct / last.draws
            best = max(best, (done, f"the best, N={neurons}: {last}"))
    # The proof of the best trial may hold; but it does not tolerate what it should.
    return search.given_up(
        f"no network of up to {tried[-1]} neurons tolerates"
        f" {', '.join(map(str, trials.wanted))}: {best[1]}"
    )


def _tried(search: Search, trials: Trials, neurons: int) -> Iterator[tuple[Trial, list[Tolerated]]]:
    """Networks of a size that are proven, and what draws show of each: first one per sparsity, then
    the best of those that missed a timing, refined on runs that failed.
    """
    missed: list[tuple[float, Trial, Timing]] = []
    for active in _actives(search, neurons):
        trial = search.tried(neurons, active, _margin(search), 0, search.rule)
        if trial and AnyOrder() in trials.wanted:
            trial = _in_any_order(search, trial)
        if trial is None or not trial.proof.holds or trial.unmet:
            continue
        found = trials.shown(search.machine, trial.network, search.progress)
        yield trial, found
        if timing := trials.timing(found[-1]):
            missed.append((found[-1].correct / found[-1].draws, trial, timing))
    if not missed:
        return
    _, trial, timing = max(missed, key=lambda each: each[0])
    for _ in range(MENDINGS):
        mended = search.mended(trial, timing)
        if mended is None or not mended.proof.holds or mended.unmet:
            return
        trial = mended
        if trial.proof.margin < ENOUGH * trial.asked:
            continue  # What failed is learnt, but not yet together with the rest.
        found = trials.shown(search.machine, trial.network, search.progress)
        yield trial, found
        if (missed_again := trials.timing(found[-1])) is None:
            return
        timing = missed_again


def _in_any_order(search: Search, trial: Trial) -> Trial:
    """The trial refined towards the worst order of updates, and proven anew."""
    what = f"N={trial.network.neurons} {ANY_ORDER}"
    network, proof = refined_and_proven(
        search.machine,
        trial.network,
        np.random.default_rng(search.options.seed),
        progress=lambda share: search.progress(what, share),
    )
    found = replace(
        trial,
        network=network,
        proof=proof,
        unmet=search.requirements.unmet(network, proof.margin),
    )
    if search.best is trial:
        search.best = found
    return found


def _margin(search: Search) -> float:
    least = search.requirements.least_margin or 0.0
    asked = search.options.margin
    usual = SLOW_MARGIN if search.slow else ROBUST_MARGIN
    return max(usual if isinstance(asked, str) else float(asked), least)


def _actives(search: Search, neurons: int) -> list[int]:
    """Active neurons to try in turn: few tolerate noise on weights, many tolerate missing
    synapses, and masks that arrive over a while.
    """
    if search.options.active != "auto":
        return [int(search.options.active)]
    densities = SLOW_DENSITIES if search.slow else TOLERANT_DENSITIES
    wanted = [max(LEAST_TOLERANT, neurons * share) for share in densities]
    least = search.requirements.least_active or 1
    return list(
        dict.fromkeys(split_active(each, search.lowered, neurons, least) for each in wanted)
    )


def strength(wanted: Sequence[Tolerance]) -> float:
    """How many times the smallest network that proves is expected to tolerate some noises: a law
    with factors that sufficed for most of five machines of ``specs/``.
    """
    factors = [1.0]
    for noise in wanted:
        for part in (noise,) if isinstance(noise, AnyOrder) else parts(noise):
            base, slope = STRENGTHS.get(part.kind.partition(",")[0], (4.0, 0.0))
            factors.append(base + slope * part.amount)
    return max(factors)


def slow_timings(wanted: Sequence[Tolerance]) -> tuple[Timing, ...]:
    """Of what is to be tolerated, masks that arrive over a while and axons with delays."""
    noises = (noise for noise in wanted if not isinstance(noise, AnyOrder))
    timings = (timing_of(noise) for noise in noises)
    return tuple(each for each in timings if each and (each.spread or each.delay > 1))
