"""An assertion that a program is robust; where it fails it says where the network is weak, and what
may help.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from numbers import Real

import numpy as np

from vsafsm.activities import activities_of
from vsafsm.errors import RobustnessError
from vsafsm.explanation.weakest import margins_of
from vsafsm.lowering import REST
from vsafsm.margins import MinimumMargin
from vsafsm.network import Network
from vsafsm.noise import Noise
from vsafsm.options import MOST_NEURONS
from vsafsm.program import Program
from vsafsm.running import with_inputs
from vsafsm.testing.robust import Failure, Robustness, Word, network_of_trial, robustness
from vsafsm.walk import WrongWord

MOST_LISTED = 8
"""So many of the trials that went wrong are listed."""
WIDE_MARGIN = 0.4
"""The largest margin that is recommended, in units; little more can be had."""


class NotRobustError(AssertionError):
    """Too few draws are correct. `robustness` has what was found."""

    def __init__(self, message: str, robustness: Robustness) -> None:
        self.robustness = robustness
        super().__init__(message)


def assert_robust(
    program: Program,
    noise: Noise | str,
    *,
    words: Sequence[Word] | None = None,
    trials: int | None = None,
    seed: int = 0,
    least: float = 1.0,
) -> Robustness:
    """Assert that a program stays correct when its weights are perturbed: -> what was found.

    Parameters
    ----------
    program
        What is perturbed, before each trial anew.
    noise
        A model of `vsafsm.noise`, or its text, such as ``"additive:2"``.
    words
        Words that must be correct, each from the reset. None stands for every word of any length,
        which is decided and not sampled; of a machine with guards, for every word of its
        representatives.
    trials
        Number of draws; `default_trials` by default.
    seed
        Of the draws: trial t draws from ``numpy.random.default_rng([seed, t])``.
    least
        Share of the draws that must be correct.

    Raises
    ------
    NotRobustError
        If fewer are: an `AssertionError` with the smallest word that goes wrong, the margin where
        it does, and how to repeat it.
    NoiseError
        If there is no such noise.
    UnknownInputError
        If a word has an input that the machine has not.
    RobustnessError
        If there are no trials or no words, or seed or share are out of range.
    """
    __tracebackhide__ = True
    if isinstance(least, bool) or not isinstance(least, Real) or not 0 <= least <= 1:
        raise RobustnessError(f"least is {least!r}; expected a share from 0 to 1")
    found = robustness(program, noise, words=words, trials=trials, seed=seed)
    if found.smallest is not None and found.share < least:
        program = with_inputs(program, chain.from_iterable(words or ()))
        raise NotRobustError(_message(program, found, found.smallest, float(least)), found)
    return found


def _message(program: Program, found: Robustness, smallest: Failure, least: float) -> str:
    noisy = network_of_trial(program, found.noise, found.seed, smallest.trial)
    expected = "all" if least == 1 else f"a share of {least:g}"
    trials = [failure.trial for failure in found.failures]
    more = f", ... ({len(trials)} in all)" if len(trials) > MOST_LISTED else ""
    repeat = (
        f'vsafsm.testing.network_of_trial(program, "{found.noise}", seed={found.seed},'
        f" trial={smallest.trial})"
    )
    return "\n".join(
        (
            f"{program.machine.name} is not robust: {found}; expected {expected}",
            f"smallest word that goes wrong, in trial {smallest.trial}: {smallest.wrong}",
            _weak_step(program, noisy, smallest.wrong),
            f"trials that went wrong: {', '.join(map(str, trials[:MOST_LISTED]))}{more}",
            f"the network of trial {smallest.trial}: {repeat}",
            f"what usually helps: {', '.join(_advice(program, found.noise))}",
        )
    )


def _weak_step(program: Program, noisy: Network, wrong: WrongWord) -> str:
    network, symbol = program.network, wrong.word[-1] if wrong.word else None
    minimum = margins_of(program).of(wrong.state, symbol)
    phase = {"held": "while the input is held", "gap": "in the gap after the input"}
    place = "at rest" if symbol is None else phase[minimum.phase]
    moved = _moved(network, noisy, minimum)
    return (
        f"margin there without noise: {minimum.margin:.3f} units (neuron {minimum.neuron},"
        f" {place}); the noise moves drives by {moved:.3f} units (root mean square); neurons that"
        f" differ from the run without noise: at most {_differing(network, noisy, wrong.word)} per"
        f" step, where {network.active} should fire"
    )


def _moved(network: Network, noisy: Network, minimum: MinimumMargin) -> float:
    """What the noise adds to the drives of all neurons at a place: root mean square, in units."""
    activity = activities_of([minimum.activity])
    drives = [each.drives(activity).dense(each.modules) for each in (noisy, network)]
    moved = np.asarray(drives[0] - drives[1], np.float64)
    return float(np.sqrt(np.mean(moved**2))) / (max(len(minimum.activity), 1) * network.scale)


def _differing(network: Network, noisy: Network, word: Sequence[str]) -> int:
    """The most neurons by which the runs of a word with and without noise differ in a step."""
    hold, gap = network.contract.hold_steps, network.contract.gap_steps
    masks = [REST] * gap
    for symbol in word:
        masks += [network.mask_of(symbol)] * hold + [REST] * gap
    most, exact = 0, network.code_activities([network.start])
    perturbed = exact
    for mask in masks:
        exact = network.step(exact, np.array([mask]))
        perturbed = noisy.step(perturbed, np.array([mask]))
        most = max(most, len(np.setxor1d(exact.neurons, perturbed.neurons)))
    return most


def _advice(program: Program, noise: Noise) -> list[str]:
    neurons, margin, rule = program.network.neurons, program.claim.margin, program.options.rule
    advice = [
        f'a size for this noise (tolerate="{noise}")',
        f"more neurons (dimension={min(2 * neurons, MOST_NEURONS)} instead of {neurons})",
    ]
    if rule not in ("small", "robust"):
        advice.append('smaller weights (rule="small")')
    if rule != "robust" and margin < WIDE_MARGIN:
        advice.append(f"a larger margin (margin={WIDE_MARGIN} instead of {margin:.2f})")
    return advice
