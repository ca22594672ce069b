"""How many neurons a machine is expected to need, and how many of them active: laws fitted to
measurements.
"""

from __future__ import annotations

from dataclasses import replace

from vsafsm.codebook import classes_needed, needed_for_guards
from vsafsm.conditions import cared_shares, conditions
from vsafsm.lowering import Lowered
from vsafsm.options import Options

LAW = (7.0, 0.57)
"""Smallest N = 7 C ** 0.57 for C conditions per neuron, sparse codes and 5 bits or more; fitted in
benchmarks/.
"""
COARSER = {2: 2.2, 3: 1.35, 4: 1.15}
"""Times as many neurons for weights of few bits."""
DENSE_PER_CONDITION, ONE_SHOT_PER_CONDITION = 1.3, 10.0
"""Neurons per condition, for dense codes, and for weights that are not refined."""
NEURONS_PER_CLASS = 5
"""Fewest neurons in each class of the masks with which a size is predicted."""
DENSER = 2.25
"""Times as many active neurons as a code would have otherwise that it may have to be balanced over
all classes.
"""
PAIRED = 2.0
"""Times as many neurons as the law for codes of pairs, whose conditions are of the kinds of input.
"""
ACTIVE_PER_KIND = 1.5
"""Active neurons that a state needs at least for each kind of input that it tells apart."""
DENSEST = {2: 1 / 8, 3: 1 / 16}
"""Share of active neurons at which weights of few bits still have enough of them to add up."""


def predicted_neurons(lowered: Lowered, options: Options) -> int:
    """Neurons at which a network of these options is expected to prove."""
    predicted = max(_predicted(lowered, options), NEURONS_PER_CLASS * classes_needed(lowered.masks))
    if options.code == "dense" or _divides(predicted**0.5, lowered, predicted):
        return predicted
    predicted = round(PAIRED * _predicted(_of_kinds(lowered), options))
    return max(predicted, needed_for_guards(lowered.targets)[1]) if lowered.guarded else predicted


def active_for(neurons: int, lowered: Lowered, bits: int = 8, least: int = 1) -> int:
    """Active neurons in a code: about the square root of N, fewer at high load, more where weights
    are coarse.
    """
    wanted = _wanted(neurons, lowered, bits)
    if not _divides(max(wanted, least), lowered, neurons):
        wanted = _wanted(neurons, _of_kinds(lowered), bits)
    return split_active(wanted, lowered, neurons, least)


def split_active(wanted: float, lowered: Lowered, neurons: int, least: int) -> int:
    """The nearest number of active neurons that masks can split: whole classes, or where those are
    too many, pairs.
    """
    if _divides(max(wanted, least), lowered, neurons):
        classes = classes_needed(lowered.masks)
        return classes * max(1, -(-least // classes), round(wanted / classes))
    if lowered.guarded:
        least = max(least, needed_for_guards(lowered.targets)[0])
    kinds = max(len(set(targets)) for targets in lowered.targets)
    return 2 * max(2, -(-least // 2), round(wanted / 2), round(ACTIVE_PER_KIND * kinds / 2))


def conditions_per_neuron(lowered: Lowered) -> float:
    """How many conditions a neuron has to meet, one that half of the neurons have counting half."""
    return float(cared_shares(conditions(lowered), lowered.masks).sum())


def _of_kinds(lowered: Lowered) -> Lowered:
    """The machine with one input for each kind that a state tells apart.

    Codes of pairs give the inputs of one kind the same signs there, so that they are one condition.
    """
    first = {(move.source, move.target): move for move in reversed(lowered.moves)}
    return replace(lowered, moves=tuple(first.values()))


def _predicted(lowered: Lowered, options: Options) -> int:
    found = conditions_per_neuron(lowered)
    factor, exponent = LAW
    wanted = factor * float(found**exponent) * COARSER.get(options.bits, 1.0)
    if options.code == "dense":
        wanted = max(wanted, DENSE_PER_CONDITION * found)
    if options.rule == "one-shot":
        wanted = ONE_SHOT_PER_CONDITION * found
    return round(wanted)


def _wanted(neurons: int, lowered: Lowered, bits: int) -> float:
    # Few active neurons suffice until each has more conditions than it has room for; beyond that,
    # fewer active neurons mean fewer conditions per weight.
    load = conditions_per_neuron(lowered) / neurons
    return float(max(neurons**0.5 * min(1.0, 2.5 / load), neurons * DENSEST.get(bits, 0.0)))


def _divides(active: float, lowered: Lowered, neurons: int) -> bool:
    """Whether a code of about so many neurons can have the same number in each class of the
    masks.
    """
    if lowered.guarded:
        return False
    return classes_needed(lowered.masks) <= min(DENSER * active, neurons // 4)
