"""Sizing: how many neurons, how sparse, how far from threshold, until a proof holds and the
requirements are met.

Requirements are plain numbers; who asked for them is not known here. The search starts at a
prediction, finds the smallest rung of a ladder of sizes that proves, and then takes about twice as
many neurons, never more than four times.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.acceptance import Acceptance
from vsafsm.any_order import shown_by_bounds
from vsafsm.arrivals import arriving
from vsafsm.asynchronous import Timing, timing_of
from vsafsm.codebook import MAKERS, Codebook, CodebookMaker, Layout, guarded
from vsafsm.conditions import loads
from vsafsm.errors import CodebookError
from vsafsm.lowering import Lowered
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.noise import Noise, parts
from vsafsm.options import MOST_NEURONS, Options, Rule
from vsafsm.order_refinement import refined_and_proven
from vsafsm.prediction import active_for, predicted_neurons, split_active
from vsafsm.proof import Proof, prove
from vsafsm.requirements import Requirements
from vsafsm.situations import Asked
from vsafsm.tolerance import (
    ANY_ORDER,
    CONFIDENCE,
    FEW_DRAWS,
    MOST_DRAWS,
    AnyOrder,
    Journal,
    Tolerance,
    Tolerated,
    tried,
)
from vsafsm.visited import visited
from vsafsm.weights import ROUNDS, Grid, Refinement, build, grid_for

MARGINS = (0.3, 0.2, 0.1, 0.03)
"""Asked for in turn by default, in units of drive per active neuron; the last at a dimension that
the user fixed.
"""
ENOUGH = 0.6
"""Share of a margin asked for by default that is good enough; a user's own margin is to be reached.
"""
PROBE_MARGIN = 0.1
"""Asked for in the search for the smallest size that proves at all."""
HEADROOM, MOST_HEADROOM = 2.0, 4.0
"""Neurons to take, as a multiple of the smallest number that proves: aimed at, and at most."""
DRAWS = 2
"""Codebooks drawn before a size is given up, each with twice the range of weights of the one
before.
"""
LEAST_CEILING, MOST_TIMES_PREDICTED = 1024, 6
"""Where the search for a size gives up: this many neurons, or this many times the prediction."""
ROBUST_MARGIN = 0.2
"""Asked for by default where something is to be tolerated."""
SLOW_MARGIN, SLOW_DENSITIES, SLOW_ROUNDS = 0.1, (1 / 8, 1 / 16), 20
"""The same where masks arrive over a while, or axons have delays: the margin, the shares of active
neurons, and the rounds of refinement.
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
MOST_TIMES_EXPECTED = 4
"""Where the search for a size that tolerates gives up, as a multiple of what the law expects."""
MOST_TIMES_ACCEPTED = 16
"""Where the search for a size that a target accepts gives up, as a multiple of the smallest."""
HOPEFUL = 0.9
"""Of the share of correct trials that a target asks for: what has to be predicted before any is
made.
"""
HOPELESS = 0.5
"""The same, of which no network of a size may have as much, for further codes to be drawn at it."""
DRAWS_TO_ACCEPT = 3
"""Codebooks that are drawn at a size before a target that accepts none of their networks is given
more neurons.
"""
LEAST_TO_ACCEPT, SHARES_TO_ACCEPT = 6, (0.9, 0.75, 0.6)
"""Fewest active neurons, and shares of the density that is aimed at, that are tried there."""
MOST_SQUEEZED = 64
"""Room for so many neurons is small: codes of any density are tried in it."""
JOURNAL = "draws.json"
DENSITY_SHARES = (1.0, 0.75, 0.5)
"""Of a density that is aimed at, tried in turn until the noise that is aimed at is tolerated."""


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


def size(
    machine: Machine,
    lowered: Lowered,
    options: Options,
    requirements: Requirements,
    maker: CodebookMaker | None = None,
    progress: Progress = lambda what, share: None,
    wanted: Sequence[Tolerance] = (),
    confidence: float = CONFIDENCE,
    resume: Path | None = None,
    acceptance: Acceptance | None = None,
) -> Sized:
    """Find a network that is proven to run the machine, meets the requirements, and tolerates some
    noises.

    Where none does, the best attempt is returned with its verdict, and why the search gave up.

    Parameters
    ----------
    wanted, confidence
        What is to be tolerated, and in which share of draws.
    resume
        A folder that keeps draws that are done.
    acceptance
        What the target tries on networks, if anything.

    Raises
    ------
    CodebookError
        If no codes could be drawn at all.
    RobustnessError
        If draws would take more than a day.
    """
    search = _Search(
        *(machine, lowered, options, requirements, maker or _maker(lowered, options), progress),
        acceptance,
    )
    trials = _Trials(tuple(wanted), confidence, Journal(resume and resume / JOURNAL))
    if acceptance is not None and acceptance.share is not None:
        return search.accepted(acceptance, trials)
    if not wanted:
        return search.at_dimension() if options.dimension != "auto" else search.auto()
    return search.tolerant(trials)


def _maker(lowered: Lowered, options: Options) -> CodebookMaker:
    if not lowered.guarded:
        return MAKERS[options.code]
    if options.code != "sparse":
        raise CodebookError(
            f"{options.code} codes have no neurons that only one state's guards decide on; expected"
            " code sparse"
        )
    return guarded


@dataclass(frozen=True)
class _Trial:
    network: Network
    proof: Proof
    refinement: Refinement
    unmet: tuple[str, ...]

    @property
    def rank(self) -> tuple[bool, bool, float]:
        return self.proof.holds, not self.unmet, self.proof.margin


@dataclass(frozen=True)
class _Trials:
    """What is to be tolerated, in which share of draws, and the draws that are done."""

    wanted: tuple[Tolerance, ...]
    confidence: float
    journal: Journal


class _Search:
    def __init__(
        self,
        machine: Machine,
        lowered: Lowered,
        options: Options,
        requirements: Requirements,
        maker: CodebookMaker,
        progress: Progress,
        acceptance: Acceptance | None = None,
    ) -> None:
        self.acceptance = acceptance
        self.machine, self.lowered, self.options, self.maker = machine, lowered, options, maker
        self.requirements, self.progress = requirements, progress
        self.loads, self.rule = loads(lowered), options.settled_rule
        self.slow: tuple[Timing, ...] = ()
        self.missed: Noise | None = None
        self.attempts: list[Attempt] = []
        self.best: _Trial | None = None

    def at_dimension(self) -> Sized:
        """The dimension is the user's: try margins, sparsities and draws until the proof holds."""
        neurons = int(self.options.dimension)
        actives = self._sparsity_candidates(neurons)
        for margin in self._margins(MARGINS):
            for active in actives:
                # A further draw doubles the range of the weights: where the first refinement left
                # conditions short, weights were clipped.
                for draw in range(DRAWS):
                    trial = self._try(neurons, active, margin, draw, self.rule)
                    if trial and trial.proof.holds and not trial.unmet:
                        if active == actives[-1] or self._tolerates(trial):
                            return self._sized(trial, None)
                        break
        return self._given_up(f"no proof at {neurons} neurons")

    def auto(self) -> Sized:
        """Find the smallest size that proves, then give it headroom."""
        ceiling = min(self.requirements.most_neurons or MOST_NEURONS, MOST_NEURONS)
        # The smallest size is probed with a small margin and without the target's aims, so that it
        # is a property of the machine alone.
        smallest = self._smallest(ceiling)
        if smallest is None and self.acceptance is not None and ceiling < MOST_NEURONS:
            return self._none_fits(ceiling, self.acceptance)
        if smallest is None:
            return self._given_up(
                f"nothing up to {max((t.neurons for t in self.attempts), default=0)} neurons proved"
            )
        for neurons in self._sizes_beyond(smallest, ceiling):
            if trial := self._best_margin(neurons):
                return self._sized(trial, smallest)
        if self.best is None or self.best.unmet:
            return self._given_up("requirements not met")
        return self._sized(self.best, smallest)

    def tolerant(self, trials: _Trials) -> Sized:
        """Find a size that tolerates what is wanted, from the one that a law expects to."""
        self.slow = _slow_timings(trials.wanted)
        if self.options.dimension != "auto":
            sizes, smallest = [int(self.options.dimension)], None
        else:
            ceiling = min(self.requirements.most_neurons or MOST_NEURONS, MOST_NEURONS)
            smallest = self._smallest(ceiling)
            if smallest is None:
                return self._given_up("nothing proved")
            first = rung_of(min(strength(trials.wanted) * smallest, ceiling))
            most = min(ceiling, MOST_TIMES_EXPECTED * rung_size(first))
            sizes = [*takewhile(lambda neurons: neurons <= most, _rungs(first))] or [most]
        best: tuple[float, str] = (-1.0, "none was proven")
        for neurons in sizes:
            for active in self._tolerant_actives(neurons):
                trial = self._try(neurons, active, self._tolerant_margin, 0, self.rule)
                if trial and AnyOrder() in trials.wanted:
                    trial = self._in_any_order(trial)
                if trial is None or not trial.proof.holds or trial.unmet:
                    continue
                found = self._tried(trial.network, trials)
                failed = found[-1]
                if failed.interval[0] > trials.confidence:
                    told = {each.noise: each for each in found}
                    shown = tuple(told[str(noise)] for noise in trials.wanted)
                    return replace(self._sized(trial, smallest), tolerated=shown)
                done = len(found) - 1 + failed.correct / failed.draws
                best = max(best, (done, f"the best, N={neurons}: {failed}"))
        # The proof of the best trial may hold; but it does not tolerate what it should.
        return self._given_up(
            f"no network of up to {sizes[-1]} neurons tolerates"
            f" {', '.join(map(str, trials.wanted))}: {best[1]}"
        )

    def accepted(self, acceptance: Acceptance, trials: _Trials) -> Sized:
        """Find the fewest neurons with a network that the target accepts, from the smallest size
        that proves.
        """
        if self.options.dimension != "auto":
            sizes, smallest = [int(self.options.dimension)], None
        else:
            ceiling = min(self.requirements.most_neurons or MOST_NEURONS, MOST_NEURONS)
            smallest = self._smallest(ceiling)
            if smallest is None:
                return self._none_fits(ceiling, acceptance)
            most = min(ceiling, MOST_TIMES_ACCEPTED * smallest)
            rungs = _rungs(rung_of(smallest))
            sizes = [*dict.fromkeys(takewhile(lambda neurons: neurons < most, rungs)), most]
        reached = [(-1.0, "none was proven")]
        too_few = 0
        for neurons in sizes:
            if found := self._accepted_at(neurons, acceptance, trials, reached):
                break
            too_few = neurons
        else:
            return self._given_up(
                f"no network of up to {sizes[-1]} neurons ({acceptance.room(sizes[-1])}) is"
                f" accepted: {max(reached)[1]}"
            )
        enough = neurons
        while too_few and enough - too_few > 8:
            middle = 8 * ((too_few + enough) // 16)
            if fewer := self._accepted_at(middle, acceptance, trials, reached):
                found, enough = fewer, middle
            else:
                too_few = middle
        trial, shown = found
        return replace(self._sized(trial, smallest), tolerated=shown)

    def _none_fits(self, ceiling: int, acceptance: Acceptance) -> Sized:
        """Nothing proved in the room that there is: more codes are tried where that is small, or
        how much the smallest network takes is found.
        """
        found = self._squeezed(ceiling) if ceiling <= MOST_SQUEEZED else []
        reached: list[tuple[float, str]] = []
        for trial in sorted(found, key=lambda each: -each.proof.margin):
            if acceptance.share is None:
                return self._sized(trial, None)
            predicted = acceptance.predicted(self.machine, trial.network)
            trials = _Trials((), CONFIDENCE, Journal(None))
            if accepted := self._accepted_of(predicted, trial, acceptance, trials, reached):
                return replace(self._sized(trial, None), tolerated=accepted[1])
        if reached:
            return self._given_up(
                f"no network of {ceiling} neurons ({acceptance.room(ceiling)}) is accepted:"
                f" {max(reached)[1]}"
            )
        best, attempts = self.best, list(self.attempts)
        smallest = self._smallest(MOST_NEURONS)
        self.best, self.attempts = best, attempts
        why = f"nothing up to {ceiling} neurons ({acceptance.room(ceiling)}) proved"
        if smallest is not None:
            why += (
                f", and the smallest found that does has {smallest} ({acceptance.room(smallest)})"
            )
        if best is None:
            raise CodebookError(f'machine "{self.machine.name}": {why}')
        return self._given_up(why)

    def _squeezed(self, neurons: int) -> list[_Trial]:
        """Networks of a few neurons that are proven, of any density."""
        actives = range(4, 3 * neurons // 4, 2)
        if self.options.active != "auto":
            actives = range(int(self.options.active), int(self.options.active) + 1)
        found = (
            self._try(neurons, active, PROBE_MARGIN, draw, rule, 1.0)
            for rule in dict.fromkeys((self.rule, "refined"))
            for active in actives
            for draw in range(DRAWS_TO_ACCEPT)
        )
        return [trial for trial in found if trial and trial.proof.holds and not trial.unmet]

    def _accepted_at(
        self,
        neurons: int,
        acceptance: Acceptance,
        trials: _Trials,
        reached: list[tuple[float, str]],
    ) -> tuple[_Trial, tuple[Tolerated, ...]] | None:
        """A network of this size that the target accepts, and what trials showed; what others came
        to is appended to `reached`.
        """
        share = acceptance.share or 0.0
        for draw in range(DRAWS_TO_ACCEPT):
            most = 0.0
            for predicted, trial in self._expected(neurons, draw, acceptance):
                most = max(most, predicted)
                if found := self._accepted_of(predicted, trial, acceptance, trials, reached):
                    return found
            if most < HOPELESS * share:
                break
        return None

    def _expected(
        self, neurons: int, draw: int, acceptance: Acceptance
    ) -> list[tuple[float, _Trial]]:
        """Networks of a size, whose codes are drawn anew for each draw, and the shares of correct
        trials that are predicted: the largest first.
        """
        margins = self._margins(MARGINS[:1])
        margin = margins[draw % len(margins)]
        actives = self._actives_to_accept(neurons)
        found = [self._try(neurons, each, margin, draw, self.rule, 1.0) for each in actives]
        proven = [trial for trial in found if trial and trial.proof.holds and not trial.unmet]
        expected = [(acceptance.predicted(self.machine, each.network), each) for each in proven]
        return sorted(expected, key=lambda each: -each[0])

    def _actives_to_accept(self, neurons: int) -> list[int]:
        """Active neurons to try in turn. They are closer to each other than whole classes of masks
        are, which decides on large alphabets.
        """
        density = self.requirements.density
        if self.lowered.guarded or density is None or self.options.active != "auto":
            return self._actives(neurons, density)[:1]
        least = max(LEAST_TO_ACCEPT, self.requirements.least_active or 1)
        wanted = (neurons * density * share for share in SHARES_TO_ACCEPT)
        return list(dict.fromkeys(max(least, 2 * round(each / 2)) for each in wanted))

    def _accepted_of(
        self,
        predicted: float,
        trial: _Trial,
        acceptance: Acceptance,
        trials: _Trials,
        reached: list[tuple[float, str]],
    ) -> tuple[_Trial, tuple[Tolerated, ...]] | None:
        """As `_accepted_at`, of one network."""
        share, network = acceptance.share or 0.0, trial.network
        best = f"the best, N={network.neurons} k={network.active}"
        if predicted < HOPEFUL * share:
            reached.append((predicted, f"{best}: a share of {predicted:.2f} is predicted"))
            return None
        what = f"N={network.neurons} k={network.active}, trials of the target"
        shown = acceptance.tried(
            *(self.machine, self.lowered, network),
            lambda done: self.progress(what, done),
        )
        if shown.interval[0] > share:
            tolerated = self._tried(network, trials)
            if all(each.interval[0] > trials.confidence for each in tolerated):
                return trial, (shown, *tolerated)
            shown = tolerated[-1]
        reached.append((shown.correct / shown.draws, f"{best}: {shown}"))
        return None

    def _in_any_order(self, trial: _Trial) -> _Trial:
        """The trial refined towards the worst order of updates, and proven anew."""
        what = f"N={trial.network.neurons} {ANY_ORDER}"
        network, proof = refined_and_proven(
            self.machine,
            trial.network,
            np.random.default_rng(self.options.seed),
            progress=lambda share: self.progress(what, share),
        )
        found = replace(
            trial,
            network=network,
            proof=proof,
            unmet=self.requirements.unmet(network, proof.margin),
        )
        if self.best is trial:
            self.best = found
        return found

    def _tried(self, network: Network, trials: _Trials) -> list[Tolerated]:
        """What draws of each noise show, up to the first that is not tolerated."""
        found: list[Tolerated] = []
        drawn = hashlib.sha256(network.blocks.tobytes()).hexdigest()
        # What is proven comes first: it takes no draws. Then what the networks before did not
        # tolerate: this one may not either.
        order = sorted(
            trials.wanted, key=lambda each: (not isinstance(each, AnyOrder), each != self.missed)
        )
        for noise in order:
            if isinstance(noise, AnyOrder):
                found.append(Tolerated(ANY_ORDER, *shown_by_bounds(self.machine, network)))
                if found[-1].interval[0] < 1:
                    break
                continue
            what = f"N={network.neurons} {noise}"
            found.append(
                tried(
                    self.machine,
                    network,
                    noise,
                    trials.confidence,
                    self.options.seed,
                    trials.journal,
                    f"{drawn} {noise}",
                    lambda share, what=what: self.progress(what, share),  # type: ignore[misc]
                    FEW_DRAWS if self.options.dimension == "auto" else MOST_DRAWS,
                )
            )
            if found[-1].interval[0] <= trials.confidence:
                self.missed = noise
                break
        return found

    @property
    def _tolerant_margin(self) -> float:
        least = self.requirements.least_margin or 0.0
        asked = self.options.margin
        usual = SLOW_MARGIN if self.slow else ROBUST_MARGIN
        return max(usual if isinstance(asked, str) else float(asked), least)

    def _tolerant_actives(self, neurons: int) -> list[int]:
        """Active neurons to try in turn: few tolerate noise on weights, many tolerate missing
        synapses, and masks that arrive over a while.
        """
        if self.options.active != "auto":
            return [int(self.options.active)]
        densities = SLOW_DENSITIES if self.slow else TOLERANT_DENSITIES
        wanted = [max(LEAST_TOLERANT, neurons * share) for share in densities]
        least = self.requirements.least_active or 1
        return list(
            dict.fromkeys(split_active(each, self.lowered, neurons, least) for each in wanted)
        )

    def _best_margin(self, neurons: int) -> _Trial | None:
        """A network that satisfies: the first that tolerates the noise aimed at, or else the one
        that tolerates most.
        """
        satisfying: list[_Trial] = []
        for margin in self._margins(MARGINS[:3]):
            trial = self._best_candidate(neurons, margin)
            if trial and self._tolerates(trial):
                return trial
            satisfying += [trial] if trial else []
        return max(satisfying, key=self._tolerance_ratio, default=None)

    def _best_candidate(self, neurons: int, margin: float) -> _Trial | None:
        """A network that satisfies: the densest one that tolerates the noise aimed at, or else the
        sparsest.
        """
        found = None
        for active in self._sparsity_candidates(neurons, fewer=False):
            trials = (self._try(neurons, active, margin, draw, self.rule) for draw in range(DRAWS))
            satisfying = next(
                (trial for trial in trials if trial and self._satisfies(trial, margin)), None
            )
            found = satisfying or found
            if satisfying and self._tolerates(satisfying):
                break
        return found

    def _tolerates(self, trial: _Trial) -> bool:
        return self._tolerance_ratio(trial) >= 1

    def _tolerance_ratio(self, trial: _Trial) -> float:
        return self.requirements.noise_tolerance_ratio(trial.network, trial.proof.margin)

    def _sizes_beyond(self, smallest: int, ceiling: int) -> list[int]:
        """The rungs from the headroom aimed at to the most there may be, which is the last."""
        headroom = self.requirements.headroom or HEADROOM
        most = min(ceiling, int(max(MOST_HEADROOM, headroom) * smallest))
        first = rung_of(headroom * smallest)
        return [*takewhile(lambda neurons: neurons < most, _rungs(first)), most]

    def _satisfies(self, trial: _Trial, margin: float) -> bool:
        share = ENOUGH if self.options.margin == "auto" else 0.9
        reached = trial.proof.margin >= share * margin or self.options.rule == "one-shot"
        return trial.proof.holds and not trial.unmet and reached

    def _smallest(self, ceiling: int) -> int | None:
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
        active = self._actives(neurons, density=None)[0]
        trials = (self._try(neurons, active, PROBE_MARGIN, draw, rule) for draw in range(draws))
        return any(trial is not None and trial.proof.holds for trial in trials)

    def _margins(self, usual: tuple[float, ...]) -> tuple[float, ...]:
        least = self.requirements.least_margin or 0.0
        if self.options.margin != "auto":
            return (max(float(self.options.margin), least),)
        if self.options.rule == "one-shot":
            return usual[:1]
        required = () if self.requirements.margin is None else (self.requirements.margin,)
        return tuple(dict.fromkeys(max(margin, least * 1.05) for margin in (*required, *usual)))

    def _sparsity_candidates(self, neurons: int, fewer: bool = True) -> list[int]:
        """Active neurons to try in turn: what is aimed at, and `fewer` where the dimension is
        given.
        """
        density, asked = self.requirements.density, self.requirements
        if density is None or (asked.tolerance is None and asked.tolerance_lsb is None):
            return self._actives(neurons, density)[: None if fewer else 1]
        return list(
            dict.fromkeys(self._actives(neurons, density * share)[0] for share in DENSITY_SHARES)
        )

    def _actives(self, neurons: int, density: float | None) -> list[int]:
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

    def _try(
        self,
        neurons: int,
        active: int,
        margin: float,
        draw: int,
        rule: Rule,
        stretch: float | None = None,
    ) -> _Trial | None:
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
        if self.best is None or trial.rank > self.best.rank:
            self.best = trial
        self.attempts.append(
            Attempt(
                neurons,
                active,
                margin,
                trial.proof.verdict,
                trial.proof.margin,
                trial.refinement.violations,
            )
        )
        return trial

    def _sized(self, trial: _Trial, smallest: int | None, gave_up: str = "") -> Sized:
        return Sized(trial.network, trial.proof, tuple(self.attempts), smallest, gave_up)

    def _given_up(self, why: str) -> Sized:
        """The best attempt, and why there is none better."""
        if self.best is None:
            raise CodebookError(
                f'machine "{self.machine.name}": no codes can be drawn at these sizes'
            )
        unmet = "; ".join(self.best.unmet) if self.best.proof.holds else ""
        return self._sized(self.best, None, f"requirements not met: {unmet}" if unmet else why)


def _compile(
    search: _Search,
    neurons: int,
    active: int,
    margin: float,
    stretch: float,
    rng: np.random.Generator,
    rule: Rule,
) -> _Trial:
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
        seen = [visited(machine, lowered, book, now, each, rng) for each in search.slow]
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
    network = assembled(machine, lowered, book, grid, weights)
    proof = prove(machine, network)
    if proof.holds:
        network = replace(network, contract=proof.contract)
    return _Trial(network, proof, refinement, search.requirements.unmet(network, proof.margin))


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


def _slow_timings(wanted: Sequence[Tolerance]) -> tuple[Timing, ...]:
    """Of what is to be tolerated, masks that arrive over a while and axons with delays."""
    noises = (noise for noise in wanted if not isinstance(noise, AnyOrder))
    timings = (timing_of(noise) for noise in noises)
    return tuple(each for each in timings if each and (each.spread or each.delay > 1))


# ---- the ladder of sizes, the prediction and the sparsity


def rung_size(rung: int) -> int:
    """Neurons of a rung: four rungs double, in multiples of 8, from 16 on."""
    return 8 * round(2 ** (1 + rung / 4))


def rung_of(neurons: float) -> int:
    """The first rung of at least `neurons`."""
    rung = 0
    while rung_size(rung) < neurons:
        rung += 1
    return rung


def _rungs(first: int) -> Iterator[int]:
    while True:
        yield rung_size(first)
        first += 1
