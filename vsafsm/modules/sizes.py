"""Neurons of a module, active neurons of a code, and states per module, for an asked margin.

The law was measured with random machines of 1 to 16 inputs (``benchmarks/scale.py``): modules of
these sizes reach the margin at the first try, and are loaded alike. At most about a quarter more
states would still reach it, and at a margin of 0.4 a third to two thirds more. Their weights would
then have to be much larger, and the same margin would be worth less against noise on the weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from vsafsm.codebook import classes_needed
from vsafsm.lowering import Lowered
from vsafsm.modules.kinds import most_kinds
from vsafsm.options import Rule

FEWEST_ACTIVE = 16
"""Active neurons of a code, where the classes of the masks do not need more."""
MOST_KINDS = 7
"""Kinds of input that so few active neurons are balanced over."""
FEWEST_RATIO, MOST_RATIO = 8, 32
"""Neurons of a module per active neuron: the fewest, and the most that a large margin is given."""
SHARE_OF_INHIBITION = 0.92
"""The most of the inhibition that the margin may be. What an active neuron takes from every drive
is 1/2 - 1/ratio units, and a silent neuron without synapses is no further from threshold.
"""
PATTERNS, PATTERNS_PER_MARGIN = 135.0, 130.0
"""Patterns that a module of 128 neurons with 16 active ones holds at margin 0, and how many fewer
per unit of margin.
"""
GROWTH = 1.6
"""Power of the ratio that the patterns of a module grow with; with active neurons they grow in
proportion.
"""
HOLDS: dict[Rule, float] = {"refined": 1.0, "small": 0.65}
"""Share of those patterns that a module holds with weights of a rule."""


@dataclass(frozen=True)
class Sizes:
    """What modules are like.

    Attributes
    ----------
    module_neurons, active
        Neurons of a module, and active neurons of a code.
    states
        States per module, at most.
    patterns
        Outer products per module, at most.
    kinds
        Kinds of input per module, where no state has more.
    """

    module_neurons: int
    active: int
    states: int
    patterns: int
    kinds: int


def usual_sizes(
    lowered: Lowered,
    margin: float,
    *,
    rule: Rule = "refined",
    load: float = 1.0,
    module_neurons: int | None = None,
    active: int | None = None,
    states: int | None = None,
) -> Sizes:
    """Sizes that reach a margin, by a law that was measured; those that are given stay. With a load
    of less than 1, modules get that share of the states.

    Examples
    --------
    >>> import vsafsm
    >>> from vsafsm.lowering import lower
    >>> from vsafsm.modules.sizes import usual_sizes
    >>> lowered = lower(vsafsm.load("specs/turnstile.yaml"))
    >>> usual_sizes(lowered, 0.2)
    Sizes(module_neurons=128, active=16, states=18, patterns=109, kinds=2)
    """
    kinds = min(lowered.inputs, max(MOST_KINDS, most_kinds(active or 0)))
    classes = classes_needed(kinds + 1)
    active = active or classes * -(-FEWEST_ACTIVE // classes)
    # Outer products that the one-shot weights add up: memories, moves and releases.
    patterns = len(lowered.codes) + kinds * len(lowered.targets) + lowered.pending
    per_state = patterns / len(lowered.targets)
    at_fewest = (PATTERNS - PATTERNS_PER_MARGIN * margin) * active / 16
    at_fewest = max(1.0, at_fewest * HOLDS[rule] * load)
    if not module_neurons:
        ratio = float(_fewest_ratio(margin))
        if states:
            loaded = max(states, 1) * per_state / at_fewest
            ratio = max(ratio, FEWEST_RATIO * loaded ** (1 / GROWTH))
        module_neurons = classes * int(-(-ratio * active // classes))
    ratio = max(module_neurons, 1) / max(active, 1)
    most = at_fewest * (ratio / FEWEST_RATIO) ** GROWTH
    if not states:
        # Where modules have fewer kinds than they could, more states may have room.
        states = max(1, int(most / per_state if kinds == lowered.inputs else most))
    return Sizes(module_neurons, active, states, max(1, int(most)), kinds)


def _fewest_ratio(margin: float) -> int:
    ratio = FEWEST_RATIO
    while ratio < MOST_RATIO and margin > SHARE_OF_INHIBITION * (0.5 - 1 / ratio):
        ratio *= 2
    return ratio
