"""How far each transition of a network that is not proven is from being correct.

The walk of such a network ends at its first wrong word, so that it has no margins. Its transitions
are judged by the conditions that refinement works on instead: what each step is to do, from the
codes themselves. A margin below 0 says by how much a neuron falls short.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.codebook import Codebook
from vsafsm.conditions import Conditions, conditions
from vsafsm.lowering import REST
from vsafsm.margins import Margins, MinimumMargin, TransitionMargin
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.situations import synchronous
from vsafsm.vsa import Bits

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
    robust = program.options.settled_rule == "robust"
    asked = _of_robust(program) if robust else _of_steps(network, conditions(lowered))
    places: list[tuple[int, tuple[int, ...]]] = []
    judged: list[tuple[MinimumMargin, float]] = []
    for some in asked:
        places += zip(some.sources, some.masks, strict=True)
        judged += _judge(network, some, sigma)
    moves = {(move.source, move.mask): move for move in lowered.moves}
    transitions = []
    for state in machine.reachable:
        source = network.states.index(state)
        for a, symbol in enumerate(machine.inputs):
            move = moves[source, a + 1]
            steps = [
                each
                for each, (code, masks) in zip(judged, places, strict=True)
                if code in (move.source, move.target) and set(masks) <= {move.mask, REST}
            ]
            minimum = min((minimum for minimum, _ in steps), key=lambda each: each.margin)
            bound = min(1.0, sum(tail for _, tail in steps))
            to = machine.transition(state, symbol).to
            transitions.append(TransitionMargin(state, symbol, to, minimum, bound))
    resets = [
        minimum
        for (minimum, _), (code, masks) in zip(judged, places, strict=True)
        if code == network.start and masks == (REST,)
    ]
    return Margins(tuple(transitions), min(resets, key=lambda each: each.margin))


@dataclass(frozen=True, eq=False)
class _Asked:
    """Some conditions: activities, wanted and cared for neurons (P, N); the code that each starts
    from, and the masks that are on.
    """

    active: Bits
    wanted: Bits
    cared: Bits
    sources: list[int]
    masks: list[tuple[int, ...]]


def _of_robust(program: Program) -> Iterator[_Asked]:
    """Those of the rule ``robust``."""
    network = program.network
    found = synchronous(program.lowered, Codebook(network.masks, network.codes))
    for i in range(0, len(found.activity), CHUNK):
        rows = slice(i, i + CHUNK)
        yield _Asked(
            *(found.activity[rows], found.want[rows], found.care[rows]),
            found.place[rows, 0].tolist(),
            [(mask,) for mask in found.place[rows, 2].tolist()],
        )


def _of_steps(network: Network, all_of_them: Conditions) -> Iterator[_Asked]:
    """Those of the other rules; network codes lie in modules."""
    opened = network.opened(np.arange(network.no_mask + 1))
    together = max(1, min(CHUNK, MOST_ELEMENTS // network.neurons))
    for i in range(0, len(all_of_them), together):
        some = all_of_them.take(np.arange(i, min(i + together, len(all_of_them))))
        active, wanted = (
            network.code_activities(codes.tolist()).bits(network.neurons)
            for codes in (some.source, some.want)
        )
        on = zip(some.open1.tolist(), some.open2.tolist(), strict=True)
        yield _Asked(
            active & opened[some.open1] & opened[some.open2],
            wanted,
            opened[some.care1] | opened[some.care2],
            some.source.tolist(),
            [tuple(sorted({mask for mask in each if mask != network.no_mask})) for each in on],
        )


def _judge(network: Network, asked: _Asked, sigma: float) -> Iterator[tuple[MinimumMargin, float]]:
    """For each condition its minimum margin, and the sum of all its neurons' chances to be on the
    wrong side of threshold.
    """
    distance = np.where(asked.wanted, 1, -1) * network.drive(asked.active)
    for p, (activity, care, signed) in enumerate(
        zip(asked.active, asked.cared, distance, strict=True)
    ):
        count, masks = max(int(activity.sum()), 1), asked.masks[p]
        neuron = int(np.where(care, signed, np.iinfo(np.int64).max).argmin())
        minimum = MinimumMargin(
            float(signed[neuron]) / count / network.scale,
            "held" if any(mask != REST for mask in masks) else "gap",
            masks,
            neuron,
            bool(asked.wanted[p, neuron]),
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
