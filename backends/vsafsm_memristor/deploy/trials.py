"""One trial of a network that is not quite what was proven: is every pair of state and input
correct?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsafsm.lowering import REST
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.vsa import Bits

Drive = Callable[[Bits], NDArray[Any]]
"""Recurrent drive ``W z`` of every neuron for each activity, (B, N) -> (B, N), as the disturbed
weights give it.
"""


class WrongPair(NamedTuple):
    """A state and an input with which it went wrong; the input is None where reset did.

    `expected` and `found` are states; `found` is None where the activity stands for none. Where
    both are equal the outputs are wrong, or the state while the input was held.
    """

    state: str
    input: str | None
    expected: str
    found: str | None


def first_wrong(machine: Machine, network: Network, drive: Drive) -> WrongPair | None:
    """The first pair of state and input that is wrong; None where all are correct: the first of
    `wrong_pairs`.
    """
    return next(wrong_pairs(machine, network, drive), None)


def wrong_pairs(machine: Machine, network: Network, drive: Drive) -> Iterator[WrongPair]:
    """Take every input in every reachable state, at the network's contract: those that go wrong.

    States are entered by the first way found to them, with the activity that this way leaves. A
    pair is correct when the activity stands for the transition and its outputs while the input is
    held, and for the state afterwards. Where the reset goes wrong, nothing else is tried; pairs of
    states that no correct way leads to come last, with nothing found.
    """

    def run(activity: Bits, masks: NDArray[np.intp], steps: int) -> Bits:
        for _ in range(steps):
            net = drive(activity) - network.gain * activity.sum(1, keepdims=True)
            activity = (net > 0) & network.masks[masks]
        return activity

    start = run(network.codes[network.start][None], np.full(1, REST), network.contract.gap_steps)
    (first,) = _states(network, start)
    if first != machine.initial:
        yield WrongPair(machine.initial, None, machine.initial, first)
        return
    known, new = {machine.initial: start[0]}, [machine.initial]
    while new:
        pairs = [(state, a) for state in new for a in range(len(machine.inputs))]
        masks = np.array([a + 1 for _, a in pairs])
        held = run(
            np.stack([known[state] for state, _ in pairs]), masks, network.contract.hold_steps
        )
        left = run(held, np.full(len(pairs), REST), network.contract.gap_steps)
        new = []
        for (state, a), code, at, activity in zip(
            pairs, network.decode(held, masks), _states(network, left), left, strict=True
        ):
            taken = machine.transition(state, machine.inputs[a])
            label = network.labels[code] if code >= 0 else None
            end = None if label is None else (network.states[label.state], label.outputs)
            if end != (taken.to, taken.outputs) or at != taken.to:
                yield WrongPair(state, machine.inputs[a], taken.to, at)
            elif taken.to not in known:
                known[taken.to] = activity
                new.append(taken.to)
    for state in machine.reachable:
        if state not in known:
            for symbol in machine.inputs:
                yield WrongPair(state, symbol, machine.transition(state, symbol).to, None)


def _states(network: Network, activity: Bits) -> list[str | None]:
    return [network.state_of(c) for c in network.decode(activity).tolist()]
