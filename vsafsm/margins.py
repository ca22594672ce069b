"""How far each transition of a proven network is from going wrong.

Every step of the proof's walk belongs to one transition, or to the reset. The margin of a
transition is the least of its steps, hand-overs and transients included. So the least margin of all
transitions and the reset is the proof's margin, by construction.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import NotProvenError
from vsafsm.hand_overs import Phase, StepBatch
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.proof import prove
from vsafsm.vsa import Bits, Numbers


@dataclass(frozen=True, eq=False)
class MinimumMargin:
    """The neuron that comes nearest to threshold, and the step in which it does.

    Attributes
    ----------
    margin
        Distance of its drive from threshold, in units of drive per active neuron.
    phase
        While an input is held, or in the gap after it; a reset counts as a gap.
    masks
        Masks that are on in the step, by index: one, two, or none.
    neuron
        Which neuron it is.
    fires
        Whether that neuron is to fire in the next step.
    activity : (N,)
        What drives it.
    """

    margin: float
    phase: Phase
    masks: tuple[int, ...]
    neuron: int
    fires: bool
    activity: Bits


@dataclass(frozen=True, eq=False)
class TransitionMargin:
    """A transition and its minimum margin.

    Attributes
    ----------
    state, input, to
        The transition.
    minimum
        Where it comes nearest to going wrong.
    failure_bound
        Bound on the probability that noise changes any of its steps, at most 1.
    """

    state: str
    input: str
    to: str
    minimum: MinimumMargin
    failure_bound: float


@dataclass(frozen=True, eq=False)
class Margins:
    """Margins of all transitions from reachable states, in the order of states and inputs.

    Attributes
    ----------
    transitions
        One per reachable state and input.
    reset
        That of the reset.
    """

    transitions: tuple[TransitionMargin, ...]
    reset: MinimumMargin

    @property
    def minimum(self) -> MinimumMargin:
        """The least of all."""
        each = (self.reset, *(transition.minimum for transition in self.transitions))
        return min(each, key=lambda minimum: minimum.margin)

    def of(self, state: str, symbol: str | None) -> MinimumMargin:
        """The margin of a transition, or of the reset where the input is None.

        Raises
        ------
        KeyError
            If the state is not reachable or the input unknown.
        """
        if symbol is None:
            return self.reset
        for each in self.transitions:
            if (each.state, each.input) == (state, symbol):
                return each.minimum
        raise KeyError((state, symbol))

    def table(self) -> NDArray[np.float64]:
        """Margins as a table with one row per reachable state and one column per input: (S, A), in
        units.
        """
        states = len(dict.fromkeys(each.state for each in self.transitions))
        return np.array([each.minimum.margin for each in self.transitions]).reshape(states, -1)


def margins(
    machine: Machine,
    network: Network,
    sigma: float = 0.0,
    progress: Callable[[int], None] = lambda points: None,
) -> Margins:
    """The minimum margin of every transition, from the steps of the proof's walk.

    Parameters
    ----------
    machine, network
        A machine, and a network that runs it correctly.
    sigma
        Standard deviation of independent Gaussian noise on every weight, in LSBs, for the failure
        bounds.
    progress
        Called with the number of fixed points walked so far.

    Raises
    ------
    NotProvenError
        If the network is not proven: the walk then ends before all transitions are seen.
    NetworkError
        If the network has other states or inputs than the machine.

    Examples
    --------
    >>> import vsafsm
    >>> program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"))
    >>> found = margins(program.machine, program.network)
    >>> found.minimum.margin == program.prove().margin
    True
    """
    recorder = _Recorder(network, sigma)
    proof = prove(machine, network, progress, (recorder,))
    if not proof.holds:
        raise NotProvenError(
            f"the network has no margins: {proof.verdict}: {proof.counterexample}; expected"
            " a proven one"
        )
    transitions = []
    for state in machine.reachable:
        for a, symbol in enumerate(machine.inputs):
            owner = machine.state_index(state) * len(machine.inputs) + a
            to = machine.transition(state, symbol).to
            bound = min(1.0, recorder.bounds[owner])
            minimum = recorder.minimum(owner)
            transitions.append(TransitionMargin(state, symbol, to, minimum, bound))
    return Margins(tuple(transitions), recorder.minimum(-1))


class _Recorder:
    """An observer of the proof's walk: the least distance from threshold of each owner of steps,
    and a sum of the tails of Gaussian noise over its (activity, neuron) pairs.
    """

    def __init__(self, network: Network, sigma: float) -> None:
        self.scale, self.sigma = network.scale, sigma
        self.no_mask = len(network.masks)
        self.opened = np.vstack([network.masks, np.ones(network.neurons, np.bool_)])
        self.least: dict[int, float] = {}
        self.steps: dict[int, tuple[Phase, tuple[int, ...], int, bool, Bits]] = {}
        self.bounds: defaultdict[int, float] = defaultdict(float)
        # Neurons of each (owner, activity) that are in the bound already, as packed bits.
        self.counted: dict[tuple[int, bytes], NDArray[np.uint8]] = {}

    def minimum(self, owner: int) -> MinimumMargin:
        return MinimumMargin(self.least[owner] / self.scale, *self.steps[owner])

    def observe(self, batch: StepBatch) -> None:
        opened = self.opened[batch.masks] & self.opened[batch.also]
        active = np.maximum(batch.activity.sum(1), 1)
        # The proof's radius divides the same way, so that the two are equal to the last bit.
        distance = np.abs(batch.drive) / active[:, None]
        nearest = np.where(opened, distance[batch.row], np.inf)
        neurons = nearest.argmin(1)
        for i, (owner, neuron) in enumerate(
            zip(batch.owners.tolist(), neurons.tolist(), strict=True)
        ):
            if nearest[i, neuron] < self.least.get(owner, math.inf):
                row = int(batch.row[i])
                on = (int(batch.masks[i]), int(batch.also[i]))
                masks = tuple(sorted({mask for mask in on if mask != self.no_mask}))
                fires = bool(batch.drive[row, neuron] > 0)
                self.least[owner] = float(nearest[i, neuron])
                self.steps[owner] = (batch.phase, masks, neuron, fires, batch.activity[row].copy())
        if self.sigma > 0:
            self._add_tails(batch, opened, active)

    def _add_tails(self, batch: StepBatch, opened: Bits, active: Numbers) -> None:
        """Add up the chances that noise carries a neuron over, each pair once per owner.

        A sum of n weights, each with noise of deviation sigma, has the deviation sigma sqrt(n).
        """
        scaled = np.abs(batch.drive) / (self.sigma * np.sqrt(2.0 * active))[:, None]
        values, where = np.unique(scaled, return_inverse=True)
        tails = np.array([0.5 * math.erfc(value) for value in values.tolist()])
        tails = tails[where.reshape(scaled.shape)]
        packed = np.packbits(opened, axis=1)
        for i, (owner, row) in enumerate(
            zip(batch.owners.tolist(), batch.row.tolist(), strict=True)
        ):
            pair, fresh = (owner, batch.keys[row]), packed[i]
            before = self.counted.get(pair)
            if before is not None:
                fresh = fresh & ~before
            if fresh.any():
                self.counted[pair] = fresh if before is None else before | fresh
                chosen = np.unpackbits(fresh, count=tails.shape[1]).astype(np.bool_)
                self.bounds[owner] += float(tails[row, chosen].sum())
