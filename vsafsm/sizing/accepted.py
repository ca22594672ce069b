"""The search for the fewest neurons with a network that a target accepts."""

from __future__ import annotations

from dataclasses import replace

from vsafsm.acceptance import Acceptance
from vsafsm.errors import CodebookError
from vsafsm.options import MOST_NEURONS
from vsafsm.sizing.ladder import rung_of, sizes
from vsafsm.sizing.search import PROBE_MARGIN, Search, Sized, Trial
from vsafsm.sizing.trials import Trials
from vsafsm.sizing.usual import MARGINS, margins
from vsafsm.tolerance import CONFIDENCE, FEW_DRAWS, Journal, Tolerated

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


def accepted(search: Search, acceptance: Acceptance, trials: Trials) -> Sized:
    """Find the fewest neurons with a network that the target accepts, from the smallest size
    that proves.
    """
    if search.options.dimension != "auto":
        tried, smallest = [int(search.options.dimension)], None
    else:
        ceiling = search.ceiling
        smallest = search.smallest(ceiling)
        if smallest is None:
            return none_fits(search, ceiling, acceptance)
        most = min(ceiling, MOST_TIMES_ACCEPTED * smallest)
        tried = sizes(rung_of(smallest), most)
    reached = [(-1.0, "none was proven")]
    too_few = 0
    for neurons in tried:
        if found := _accepted_at(search, neurons, acceptance, trials, reached):
            break
        too_few = neurons
    else:
        return search.given_up(
            f"no network of up to {tried[-1]} neurons ({acceptance.room(tried[-1])}) is"
            f" accepted: {max(reached)[1]}"
        )
    enough = neurons
    # Sizes are multiples of 8; the limit of a target may be none.
    while too_few and (middle := 8 * ((too_few + enough) // 16)) > too_few:
        if fewer := _accepted_at(search, middle, acceptance, trials, reached):
            found, enough = fewer, middle
        else:
            too_few = middle
    trial, shown = found
    return replace(search.sized(trial, smallest), tolerated=shown)


def none_fits(search: Search, ceiling: int, acceptance: Acceptance) -> Sized:
    """Nothing proved in the room that there is: more codes are tried where that is small, or
    how much the smallest network takes is found.
    """
    found = _squeezed(search, ceiling) if ceiling <= MOST_SQUEEZED else []
    reached: list[tuple[float, str]] = []
    for trial in sorted(found, key=lambda each: -each.proof.margin):
        if acceptance.share is None:
            return search.sized(trial, None)
        predicted = acceptance.predicted(search.machine, trial.network)
        nothing = Trials((), CONFIDENCE, Journal(None), search.options.seed, FEW_DRAWS)
        if taken := _accepted_of(search, predicted, trial, acceptance, nothing, reached):
            return replace(search.sized(trial, None), tolerated=taken[1])
    if reached:
        return search.given_up(
            f"no network of {ceiling} neurons ({acceptance.room(ceiling)}) is accepted:"
            f" {max(reached)[1]}"
        )
    best, attempts = search.best, list(search.attempts)
    smallest = search.smallest(MOST_NEURONS)
    search.best, search.attempts = best, attempts
    why = f"nothing up to {ceiling} neurons ({acceptance.room(ceiling)}) proved"
    if smallest is not None:
        why += f", and the smallest found that does has {smallest} ({acceptance.room(smallest)})"
    if best is None:
        raise CodebookError(f'machine "{search.machine.name}": {why}')
    return search.given_up(why)


def _squeezed(search: Search, neurons: int) -> list[Trial]:
    """Networks of a few neurons that are proven, of any density."""
    actives = range(4, 3 * neurons // 4, 2)
    if search.options.active != "auto":
        actives = range(int(search.options.active), int(search.options.active) + 1)
    found = (
        search.tried(neurons, active, PROBE_MARGIN, draw, rule, 1.0)
        for rule in dict.fromkeys((search.rule, "refined"))
        for active in actives
        for draw in range(DRAWS_TO_ACCEPT)
    )
    return [trial for trial in found if trial and trial.proof.holds and not trial.unmet]


def _accepted_at(
    search: Search,
    neurons: int,
    acceptance: Acceptance,
    trials: Trials,
    reached: list[tuple[float, str]],
) -> tuple[Trial, tuple[Tolerated, ...]] | None:
    """A network of this size that the target accepts, and what trials showed; what others came
    to is appended to `reached`.
    """
    share = acceptance.share or 0.0
    for draw in range(DRAWS_TO_ACCEPT):
        most = 0.0
        for predicted, trial in _expected(search, neurons, draw, acceptance):
            most = max(most, predicted)
            if found := _accepted_of(search, predicted, trial, acceptance, trials, reached):
                return found
        if most < HOPELESS * share:
            break
    return None


def _expected(
    search: Search, neurons: int, draw: int, acceptance: Acceptance
) -> list[tuple[float, Trial]]:
    """Networks of a size, whose codes are drawn anew for each draw, and the shares of correct
    trials that are predicted: the largest first.
    """
    asked = margins(search, MARGINS[:1])
    margin = asked[draw % len(asked)]
    actives = _actives(search, neurons)
    found = [search.tried(neurons, each, margin, draw, search.rule, 1.0) for each in actives]
    proven = [trial for trial in found if trial and trial.proof.holds and not trial.unmet]
    expected = [(acceptance.predicted(search.machine, each.network), each) for each in proven]
    return sorted(expected, key=lambda each: -each[0])


def _actives(search: Search, neurons: int) -> list[int]:
    """Active neurons to try in turn. They are closer to each other than whole classes of masks
    are, which decides on large alphabets.
    """
    density = search.requirements.density
    if search.lowered.guarded or density is None or search.options.active != "auto":
        return search.actives(neurons, density)[:1]
    least = max(LEAST_TO_ACCEPT, search.requirements.least_active or 1)
    wanted = (neurons * density * share for share in SHARES_TO_ACCEPT)
    return list(dict.fromkeys(max(least, 2 * round(each / 2)) for each in wanted))


def _accepted_of(
    search: Search,
    predicted: float,
    trial: Trial,
    acceptance: Acceptance,
    trials: Trials,
    reached: list[tuple[float, str]],
) -> tuple[Trial, tuple[Tolerated, ...]] | None:
    """As `_accepted_at`, of one network."""
    share, network = acceptance.share or 0.0, trial.network
    best = f"the best, N={network.neurons} k={network.active}"
    if predicted < HOPEFUL * share:
        reached.append((predicted, f"{best}: a share of {predicted:.2f} is predicted"))
        return None
    what = f"N={network.neurons} k={network.active}, trials of the target"
    shown = acceptance.tried(
        *(search.machine, search.lowered, network),
        lambda done: search.progress(what, done),
    )
    if shown.interval[0] > share:
        tolerated = trials.shown(search.machine, network, search.progress)
        if all(each.interval[0] > trials.confidence for each in tolerated):
            return trial, (shown, *tolerated)
        shown = tolerated[-1]
    reached.append((shown.correct / shown.draws, f"{best}: {shown}"))
    return None
