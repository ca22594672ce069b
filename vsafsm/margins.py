"""How far each transition of a network is from going wrong: the narrowest place that it passes
through.

A transition passes through the same steps as in the proof: hand-overs between masks included, at
the onset of the input and at its end. So the least margin of all transitions is the margin of the
proof, but for a start code that settles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsafsm.lowering import REST
from vsafsm.machine import Machine
from vsafsm.network import MOST_STEPS, Network
from vsafsm.synchronous import settle
from vsafsm.vsa import Bits

Phase = Literal["held", "gap"]


@dataclass(frozen=True, eq=False)
class Narrow:
    """The narrowest place of a transition.

    Attributes
    ----------
    margin
        Distance of a neuron from threshold, in units of drive an active neuron.
    phase
        While the input is held, or in the gap after it.
    neuron
        Which neuron it is.
    fires
        Whether that neuron is to fire in the next step.
    activity : (N,)
        What drives it.
    """

    margin: float
    phase: Phase
    neuron: int
    fires: bool
    activity: Bits


@dataclass(frozen=True, eq=False)
class TransitionMargin:
    """A transition and the narrowest place that it passes through."""

    state: str
    input: str
    to: str
    narrow: Narrow


def transition_margins(machine: Machine, network: Network) -> list[TransitionMargin]:
    """The narrowest place of every transition from a reachable state, in the order of states and
    inputs.

    States are taken as their codes settle. What a network that is not proven does in between is not
    judged.
    """
    codes = network.codes[[network.states.index(state) for state in machine.reachable]]
    points, _ = settle(network, codes, REST)
    found = []
    for state, point in zip(machine.reachable, points, strict=True):
        for a, symbol in enumerate(machine.inputs):
            narrow = _narrowest(network, point, a + 1)
            found.append(
                TransitionMargin(state, symbol, machine.transition(state, symbol).to, narrow)
            )
    return found


def narrowest(network: Network, state: str, symbol: str | None) -> Narrow:
    """The narrowest place of the transition from a state on an input, or of the state at rest where
    that is None.

    The state is taken as its code settles. Raises `UnknownInputError`.
    """
    points, _ = settle(network, network.codes[[network.states.index(state)]], REST)
    if symbol is None:
        return _narrow(network, points, network.masks[REST], "gap")
    return _narrowest(network, points[0], network.mask_of(symbol))


def _narrowest(network: Network, point: Bits, mask: int) -> Narrow:
    held, within = _handed_over(network, point[None], mask, mask, "held")
    left = _handed_over(network, held, mask, REST, "gap")[1]
    return min((*within, *left), key=lambda narrow: narrow.margin)


def _handed_over(
    network: Network, start: Bits, mask: int, following: int, phase: Phase
) -> tuple[Bits, list[Narrow]]:
    """Where activities settle: handed over at once, after a step with both masks on, after one with
    neither.
    """
    opened = network.masks[following]
    between = (network.masks[mask] & network.masks[REST], np.ones(network.neurons, np.bool_))
    narrow = [_narrow(network, start, one, phase) for one in between]
    fires = network.drive(start) > 0
    current = np.concatenate([start, *(fires & one for one in between)])
    for _ in range(MOST_STEPS):
        current = np.unique(current, axis=0)
        narrow.append(_narrow(network, current, opened, phase))
        after = network.advance(current, opened)
        if (after == current).all():
            break
        current = after
    return current, narrow


def _narrow(network: Network, activity: Bits, opened: Bits, phase: Phase) -> Narrow:
    drive = network.drive(activity)
    distance = np.abs(drive) / (np.maximum(activity.sum(1, keepdims=True), 1) * network.scale)
    row, neuron = np.unravel_index(np.where(opened, distance, np.inf).argmin(), distance.shape)
    fires = bool(drive[row, neuron] > 0)
    return Narrow(float(distance[row, neuron]), phase, int(neuron), fires, activity[row])


def margin_table(machine: Machine, found: list[TransitionMargin]) -> NDArray[np.float64]:
    """Margins as a table, one row a reachable state, one column an input: (S, A), in units."""
    return np.array([each.narrow.margin for each in found]).reshape(
        len(machine.reachable), len(machine.inputs)
    )
