"""How far each transition of a network that is not proven is from being correct.

The walk of such a network ends at its first wrong word, so that it has no margins. Its transitions
are judged by the conditions that refinement works on instead: what each step is to do, from the
codes themselves. A margin below 0 says by how much a neuron falls short.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vsafsm.conditions import Conditions, conditions
from vsafsm.lowering import REST, Move
from vsafsm.margins import Margins, MinimumMargin, TransitionMargin
from vsafsm.network import Network
from vsafsm.program import Program

CHUNK = 256
"""Conditions that are judged together, at most."""
MOST_ELEMENTS = 2**22
"""Drives that are held together."""


def shortfalls(program: Program, sigma: float = 0.0) -> Margins:
    """Margins from the conditions of refinement, below 0 where one is not met.

    Parameters
    ----------
    program
    sigma
        Standard deviation of Gaussian noise on every weight, in LSBs, for the failure bounds.
    """
    machine, network, lowered = program.machine, program.network, program.lowered
    all_of_them = conditions(lowered)
    judged = list(_judge(network, all_of_them, sigma))
    moves = {(move.source, move.mask): move for move in lowered.moves}
    transitions = []
    for state in machine.reachable:
        source = network.states.index(state)
        for a, symbol in enumerate(machine.inputs):
            move = moves[source, a + 1]
            steps = [judged[p] for p in _steps(all_of_them, move, network.no_mask)]
            minimum = min((minimum for minimum, _ in steps), key=lambda each: each.margin)
            bound = min(1.0, sum(tail for _, tail in steps))
            to = machine.transition(state, symbol).to
            transitions.append(TransitionMargin(state, symbol, to, minimum, bound))
    at_rest = (all_of_them.source == network.start) & (all_of_them.open1 == REST)
    resets = [judged[p][0] for p in np.flatnonzero(at_rest).tolist()]
    return Margins(tuple(transitions), min(resets, key=lambda each: each.margin))


def _steps(all_of_them: Conditions, move: Move, no_mask: int) -> list[int]:
    """Conditions on the steps of a transition, hand-overs included."""
    masks = np.isin(all_of_them.open1, (move.mask, REST, no_mask))
    codes = np.isin(all_of_them.source, (move.source, move.target))
    return [int(p) for p in np.flatnonzero(masks & codes)]


def _judge(
    network: Network, all_of_them: Conditions, sigma: float
) -> Iterator[tuple[MinimumMargin, float]]:
    """For each condition its minimum margin, and the sum of all its neurons' chances to be on the
    wrong side of threshold.
    """
    opened = network.opened(np.arange(network.no_mask + 1))
    together = max(1, min(CHUNK, MOST_ELEMENTS // network.neurons))
    for i in range(0, len(all_of_them), together):
        rows = slice(i, i + together)
        active, wanted = (
            network.code_activities(codes[rows].tolist()).bits(network.neurons)
            for codes in (all_of_them.source, all_of_them.want)
        )
        active &= opened[all_of_them.open1[rows]] & opened[all_of_them.open2[rows]]
        cared = opened[all_of_them.care1[rows]] | opened[all_of_them.care2[rows]]
        distance = np.where(wanted, 1, -1) * network.drive(active)
        for p, (activity, care, signed) in enumerate(zip(active, cared, distance, strict=True)):
            count = max(int(activity.sum()), 1)
            neuron = int(np.where(care, signed, np.iinfo(np.int64).max).argmin())
            on = (int(all_of_them.open1[i + p]), int(all_of_them.open2[i + p]))
            masks = tuple(sorted({mask for mask in on if mask != network.no_mask}))
            minimum = MinimumMargin(
                float(signed[neuron]) / count / network.scale,
                "held" if any(mask != REST for mask in masks) else "gap",
                masks,
                neuron,
                bool(wanted[p, neuron]),
                np.flatnonzero(activity).astype(np.int32),
            )
            yield minimum, _tails(signed[care], count, sigma)


def _tails(distance: NDArray[np.int64], count: int, sigma: float) -> float:
    """Sum of the chances that noise on the weights of so many active neurons carries a neuron
    over.
    """
    if sigma <= 0:
        return float((distance <= 0).sum())
    values, numbers = np.unique(distance, return_counts=True)
    scaled = values / (sigma * math.sqrt(2 * count))
    return float(
        sum(n * 0.5 * math.erfc(x) for x, n in zip(scaled.tolist(), numbers.tolist(), strict=True))
    )
