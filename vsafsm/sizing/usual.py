"""The usual search: the smallest size that proves, and then headroom for what a target asks for."""

from __future__ import annotations

from vsafsm.sizing.ladder import rung_of, sizes
from vsafsm.sizing.search import DRAWS, Search, Sized, Trial

MARGINS = (0.3, 0.2, 0.1, 0.03)
"""Asked for in turn by default, in units of drive per active neuron; the last at a dimension that
the user fixed.
"""
ENOUGH = 0.6
"""Share of a margin asked for by default that is good enough; a user's own margin is to be reached.
"""
HEADROOM, MOST_HEADROOM = 2.0, 4.0
"""Neurons to take, as a multiple of the smallest number that proves: aimed at, and at most."""
DENSITY_SHARES = (1.0, 0.75, 0.5)
"""Of a density that is aimed at, tried in turn until the noise that is aimed at is tolerated."""


def at_dimension(search: Search) -> Sized:
    """The dimension is the user's: try margins, sparsities and draws until the proof holds."""
    neurons = int(search.options.dimension)
    actives = _sparsity_candidates(search, neurons)
    for margin in margins(search, MARGINS):
        for active in actives:
            # A further draw doubles the range of the weights: where the first refinement left
            # conditions short, weights were clipped.
            for draw in range(DRAWS):
                trial = search.tried(neurons, active, margin, draw, search.rule)
                if trial and trial.proof.holds and not trial.unmet:
                    if active == actives[-1] or _tolerates(search, trial):
                        return search.sized(trial, None)
                    break
    return search.given_up(f"no proof at {neurons} neurons")


def auto(search: Search, smallest: int | None) -> Sized:
    """Give the smallest size that proves headroom."""
    if smallest is None:
        return search.given_up(
            f"nothing up to {max((t.neurons for t in search.attempts), default=0)} neurons proved"
        )
    for neurons in _sizes_beyond(search, smallest, search.ceiling):
        if trial := _best_margin(search, neurons):
            return search.sized(trial, smallest)
    if search.best is None or search.best.unmet:
        return search.given_up("requirements not met")
    return search.sized(search.best, smallest)


def _best_margin(search: Search, neurons: int) -> Trial | None:
    """A network that satisfies: the first that tolerates the noise aimed at, or else the one
    that tolerates most.
    """
    satisfying: list[Trial] = []
    for margin in margins(search, MARGINS[:3]):
        trial = _best_candidate(search, neurons, margin)
        if trial and _tolerates(search, trial):
            return trial
        satisfying += [trial] if trial else []
    return max(satisfying, key=lambda trial: _tolerance_ratio(search, trial), default=None)


def _best_candidate(search: Search, neurons: int, margin: float) -> Trial | None:
    """A network that satisfies: the densest one that tolerates the noise aimed at, or else the
    sparsest.
    """
    found = None
    for active in _sparsity_candidates(search, neurons, fewer=False):
        trials = (search.tried(neurons, active, margin, draw, search.rule) for draw in range(DRAWS))
        satisfying = next(
            (trial for trial in trials if trial and _satisfies(search, trial, margin)), None
        )
        found = satisfying or found
        if satisfying and _tolerates(search, satisfying):
            break
    return found


def _tolerates(search: Search, trial: Trial) -> bool:
    return _tolerance_ratio(search, trial) >= 1


def _tolerance_ratio(search: Search, trial: Trial) -> float:
    return search.requirements.noise_tolerance_ratio(trial.network, trial.proof.margin)


def _sizes_beyond(search: Search, smallest: int, ceiling: int) -> list[int]:
    """The rungs from the headroom aimed at to the most there may be, which is the last."""
    headroom = search.requirements.headroom or HEADROOM
    most = min(ceiling, int(max(MOST_HEADROOM, headroom) * smallest))
    return sizes(rung_of(headroom * smallest), most)


def _satisfies(search: Search, trial: Trial, margin: float) -> bool:
    share = ENOUGH if search.options.margin == "auto" else 0.9
    reached = trial.proof.margin >= share * margin or search.options.rule == "one-shot"
    return trial.proof.holds and not trial.unmet and reached


def margins(search: Search, usual: tuple[float, ...]) -> tuple[float, ...]:
    """Margins to ask for in turn: the usual ones where neither options nor a target name others."""
    least = search.requirements.least_margin or 0.0
    if search.options.margin != "auto":
        return (max(float(search.options.margin), least),)
    if search.options.rule == "one-shot":
        return usual[:1]
    required = () if search.requirements.margin is None else (search.requirements.margin,)
    return tuple(dict.fromkeys(max(margin, least * 1.05) for margin in (*required, *usual)))


def _sparsity_candidates(search: Search, neurons: int, fewer: bool = True) -> list[int]:
    """Active neurons to try in turn: what is aimed at, and `fewer` where the dimension is
    given.
    """
    density, asked = search.requirements.density, search.requirements
    if density is None or (asked.tolerance is None and asked.tolerance_lsb is None):
        return search.actives(neurons, density)[: None if fewer else 1]
    return list(
        dict.fromkeys(search.actives(neurons, density * share)[0] for share in DENSITY_SHARES)
    )
