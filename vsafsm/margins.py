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

from vsafsm.activities import Neurons
from vsafsm.errors import NotProvenError
from vsafsm.hand_overs import Phase, StepBatch
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.proof import prove
from vsafsm.seen import NOTHING, Pairs, Seen


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
    activity : (k,)
        The neurons that drive it.
    """

    margin: float
    phase: Phase
    masks: tuple[int, ...]
    neuron: int
    fires: bool
    activity: Neurons


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
        self.network, self.sigma = network, sigma
        self.seen = Seen(network)
        self.least: dict[int, float] = {}
        self.steps: dict[int, tuple[Phase, tuple[int, ...], int, bool, Neurons]] = {}
        self.bounds: defaultdict[int, float] = defaultdict(float)
        # The pairs of masks of each (owner, activity) that are in the bound already.
        self.counted: dict[tuple[int, bytes], Pairs] = {}

    def minimum(self, owner: int) -> MinimumMargin:
        return MinimumMargin(self.least[owner] / self.network.scale, *self.steps[owner])

    def observe(self, batch: StepBatch) -> None:
        judged = [_Judged(self.network, batch, row) for row in range(len(batch.keys))]
        for i, (owner, row) in enumerate(
            zip(batch.owners.tolist(), batch.row.tolist(), strict=True)
        ):
            one, on = judged[row], (int(batch.masks[i]), int(batch.also[i]))
            distance, neuron, drive = one.nearest(*on)
            # The proof's radius divides the same way, so that the two are equal to the last bit.
            distance /= max(len(one.activity), 1)
            if distance < self.least.get(owner, math.inf):
                masks = tuple(sorted({mask for mask in on if mask != self.network.no_mask}))
                self.least[owner] = distance
                self.steps[owner] = (batch.phase, masks, neuron, drive > 0, one.activity.copy())
            if self.sigma > 0:
                # Each pair of an activity and a neuron counts once per owner.
                before = self.counted.get((owner, batch.keys[row]), NOTHING)
                after = self.seen.joined(before, frozenset({on}))
                self.counted[owner, batch.keys[row]] = after
                if after != before:
                    self.bounds[owner] += one.tails(self.seen, before, after, self.sigma)


class _Judged:
    """One activity: how far from threshold it drives each neuron. Neurons that no synapse reaches
    have the inhibition alone.
    """

    def __init__(self, network: Network, batch: StepBatch, row: int) -> None:
        drives, self.n = batch.drives, network.module_neurons
        pairs = slice(int(drives.starts[row]), int(drives.starts[row + 1]))
        reached = slice(int(drives.reached.starts[row]), int(drives.reached.starts[row + 1]))
        self.activity = batch.activity[row]
        self.network = network
        self.modules, self.values = drives.modules[pairs], drives.values[pairs]
        self.neurons, self.reached = drives.reached[row], drives.reached_values[reached]
        self.elsewhere = drives.elsewhere[row]

    def nearest(self, one: int, other: int) -> tuple[float, int, float]:
        """The neuron nearest to threshold that two masks leave open: its distance, its number and
        its drive.
        """
        found: list[tuple[float, int, float]] = []
        if len(self.modules):
            opened = self.network.open_in(one, other, self.modules)
            distance = np.where(opened, np.abs(self.values), np.inf)
            pair, local = divmod(int(distance.argmin()), self.n)
            neuron = int(self.modules[pair]) * self.n + local
            found.append((float(distance[pair, local]), neuron, float(self.values[pair, local])))
        if len(self.neurons):
            opened = self.network.open_at(one, other, self.neurons)
            distance = np.where(opened, np.abs(self.reached), np.inf)
            at = int(distance.argmin())
            found.append((float(distance[at]), int(self.neurons[at]), float(self.reached[at])))
        unreached = self._unreached(one, other)
        if unreached is not None:
            found.append((float(abs(self.elsewhere)), unreached, float(self.elsewhere)))
        return min(found, default=(math.inf, -1, 0.0))

    def _unreached(self, one: int, other: int) -> int | None:
        """The first open neuron that no synapse reaches."""
        seen, reached = set(self.modules.tolist()), set(self.neurons.tolist())
        for module in range(self.network.modules):
            if module not in seen:
                opened = self.network.open_in(one, other, np.array([module]))[0]
                for local in np.flatnonzero(opened).tolist():
                    if module * self.n + local not in reached:
                        return int(module * self.n + local)
        return None

    def tails(self, seen: Seen, before: Pairs, after: Pairs, sigma: float) -> float:
        """Sum of the chances that noise carries over a neuron that is open after and was not
        before.

        A sum of k weights, each with noise of deviation sigma, has the deviation sigma sqrt(k).
        """
        fresh = seen.open_in(after, self.modules) & ~seen.open_in(before, self.modules)
        near = seen.open_at(after, self.neurons) & ~seen.open_at(before, self.neurons)
        distances = np.concatenate([self.values[fresh], self.reached[near]])
        values, numbers = np.unique(np.abs(distances), return_counts=True)
        others = seen.number(after) - seen.number(before) - int(fresh.sum()) - int(near.sum())
        terms = [*zip(values.tolist(), numbers.tolist(), strict=True)]
        terms.append((float(abs(self.elsewhere)), others))
        deviation = sigma * math.sqrt(2.0 * max(len(self.activity), 1))
        return math.fsum(number * 0.5 * math.erfc(value / deviation) for value, number in terms)
