"""Where each transition is narrowest: of all situations that it passes through, the neuron nearest
to the wrong side.

Situations are those that refinement works on: what the network is to do, from the codes themselves.
So they are there for a network that is not proven too. A margin below 0 says that a neuron is on
the wrong side there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.lowering import REST, Move
from vsafsm.program import Program
from vsafsm.vsa import Bits
from vsafsm.weights import Conditions, conditions

CHUNK = 256


@dataclass(frozen=True, eq=False)
class Place:
    """A neuron in a situation.

    Attributes
    ----------
    source
        Code that is active, as far as the masks `opened` (one or two, by index; A + 1 for none) let
        it be.
    want
        Code that is to be active next.
    neuron, fires
        The neuron, and whether it is to fire.
    margin
        Its distance from threshold on the right side, in units of drive an active neuron.
    activity : (N,)
        What drives it.
    """

    source: int
    opened: tuple[int, ...]
    want: int
    neuron: int
    fires: bool
    margin: float
    activity: Bits


@dataclass(frozen=True, eq=False)
class Weak:
    """A transition, its narrowest place, and how likely noise is to change any of its steps, at
    most.
    """

    state: str
    input: str
    to: str
    place: Place
    failure_bound: float


def weakest(program: Program, sigma: float) -> list[Weak]:
    """All transitions from reachable states, the weakest first.

    Parameters
    ----------
    sigma
        Standard deviation of Gaussian noise on every weight, in LSBs, for the bound.
    """
    machine, network, lowered = program.machine, program.network, program.lowered
    given = conditions(lowered)
    found = list(_places(program, given, sigma))
    weak = []
    for move in lowered.moves:
        state, symbol = network.states[move.source], network.inputs[move.mask - 1]
        if state not in machine.reachable:
            continue
        passed = [found[p] for p in _passed(given, move, network.masks.shape[0])]
        place = min((place for place, _ in passed), key=lambda place: place.margin)
        bound = min(1.0, sum(tail for _, tail in passed))
        weak.append(Weak(state, symbol, machine.transition(state, symbol).to, place, bound))
    return sorted(weak, key=lambda each: (round(each.place.margin, 6), -each.failure_bound))


def _passed(given: Conditions, move: Move, every: int) -> list[int]:
    """Situations that a transition passes through, hand-overs included."""
    masks = np.isin(given.open1, (move.mask, REST, every))
    return [
        int(p) for p in np.flatnonzero(masks & np.isin(given.source, (move.source, move.target)))
    ]


def _places(program: Program, given: Conditions, sigma: float) -> Iterator[tuple[Place, float]]:
    """For each situation the narrowest place, and the sum of all its neurons' chances to be on the
    wrong side.
    """
    network = program.network
    opened = np.vstack([network.masks, np.ones(network.neurons, np.bool_)])
    for i in range(0, len(given), CHUNK):
        rows = slice(i, i + CHUNK)
        active = (
            network.codes[given.source[rows]]
            & opened[given.open1[rows]]
            & opened[given.open2[rows]]
        )
        cared = opened[given.care1[rows]] | opened[given.care2[rows]]
        wanted = network.codes[given.want[rows]]
        distance = np.where(wanted, 1, -1) * network.drive(active)
        for p, (z, care, right) in enumerate(zip(active, cared, distance, strict=True), i):
            count = max(int(z.sum()), 1)
            neuron = int(np.where(care, right, np.iinfo(np.int64).max).argmin())
            masks = tuple(
                m for m in (int(given.open1[p]), int(given.open2[p])) if m < len(network.masks)
            )
            margin = float(right[neuron]) / count / network.scale
            fires = bool(wanted[p - i, neuron])
            place = Place(int(given.source[p]), masks, int(given.want[p]), neuron, fires, margin, z)
            yield place, _tails(right[care], count, sigma)


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
