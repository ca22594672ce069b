"""`Network`: the frozen, checked representation that every backend gets. It does not know where it
will run.

The network is synchronous and deterministic. A neuron fires in the next step where its mask is open
and its drive beats the inhibition, which is proportional to the total activity:

    z' = m AND ( W z > g sum(z) )
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import NetworkError, UnknownInputError, did_you_mean
from vsafsm.lowering import REST, Code
from vsafsm.machine import Outputs, listed
from vsafsm.recurrent import sums
from vsafsm.vsa import Bits, Numbers, similarity

THRESHOLD = 0.5
"""Least similarity (hit rate minus false-alarm rate) at which an activity stands for a code."""
LEAD = 0.25
"""Least distance in similarity to the runner-up; below it the activity stands for nothing."""
MOST_STEPS = 32
"""Steps after which an activity that still changes counts as one that never settles; no contract
asks for more.
"""


@dataclass(frozen=True)
class Contract:
    """How long an input must be held, and how long the gap after it must last, in steps."""

    hold_steps: int
    gap_steps: int


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """An attractor network that runs a state machine. N neurons, C codes, A inputs.

    Attributes
    ----------
    weights : (N, N)
        Recurrent weights in LSBs, ``weights[i, j]`` from neuron j to neuron i; int8 or
        int16. A perturbed network may hold real numbers.
    gain
        g, in LSBs per active neuron; 0 where the inhibition is folded into the weights.
    scale
        LSBs per unit; a unit is how much more one stored pattern drives its own neurons than
        the others.
    bits
        Width of a weight.
    masks : (A + 1, N)
        Which neurons may fire: row 0 at rest, row a + 1 while input a is held.
    codes : (C, N)
        What activity is decoded with.
    labels
        What each code stands for; the states come first.
    start
        Code of the initial state. The reset line drives exactly its neurons for one step.
    states, inputs, moore
        Names, and the Moore outputs of each state.
    contract
        Steps to hold and to leave: what the proof found, or before it the most there can be.

    Examples
    --------
    >>> import vsafsm
    >>> network = vsafsm.compile(vsafsm.load("specs/turnstile.yaml")).network
    >>> activity = network.codes[[network.start]]
    >>> mask = network.mask_of("coin")
    >>> for _ in range(network.contract.hold_steps):
    ...     activity = network.advance(activity, network.masks[mask])
    >>> network.code_name(int(network.decode(activity, mask)[0]))
    '→ unlocked'
    """

    weights: Numbers
    gain: int
    scale: float
    bits: int
    masks: Bits
    codes: Bits
    labels: tuple[Code, ...]
    start: int
    states: tuple[str, ...]
    inputs: tuple[str, ...]
    moore: tuple[Outputs, ...]
    contract: Contract = Contract(MOST_STEPS, MOST_STEPS)

    def __post_init__(self) -> None:
        neurons = self.weights.shape[0]
        fits = {
            "weights": (self.weights.shape, (neurons, neurons)),
            "masks": (self.masks.shape, (len(self.inputs) + 1, neurons)),
            "codes": (self.codes.shape, (len(self.labels), neurons)),
            "moore": (len(self.moore), len(self.states)),
        }
        for name, (got, expected) in fits.items():
            if got != expected:
                raise NetworkError(f"{name} of the network have shape {got}; expected {expected}")
        if self.masks.dtype != np.bool_ or self.codes.dtype != np.bool_:
            raise NetworkError("masks and codes of the network must be boolean")
        if not np.isfinite(self.weights).all() or not 0 < self.scale < np.inf:
            raise NetworkError("weights and scale of the network must be finite, the scale above 0")
        if not 2 <= self.bits <= 16 or not 0 <= self.gain < 2**15:
            raise NetworkError(
                f"bits are {self.bits} and the gain is {self.gain}; expected 2 to 16, and 0 to"
                f" {2**15 - 1}"
            )
        if self.whole and max(int(self.weights.max()), -int(self.weights.min())) >= 2 ** (
            self.bits - 1
        ):
            raise NetworkError(f"a weight of the network does not fit into {self.bits} bits")
        if any(not 0 <= label.state < len(self.states) for label in self.labels):
            raise NetworkError("the network's labels name a state that it does not have")
        for kind, names in (("state", self.states), ("input", self.inputs)):
            if len(set(names)) != len(names):
                raise NetworkError(f"two {kind}s of the network have one name")
        first, others = self.labels[: len(self.states)], self.labels[len(self.states) :]
        if [(x.state, x.pending) for x in first] != [(i, False) for i in range(len(self.states))]:
            raise NetworkError("the network's first labels must be its states, in order")
        if not all(x.pending for x in others):
            raise NetworkError(
                "a label of the network after its states stands for no pending transition"
            )
        if not 0 <= self.start < len(self.states):
            raise NetworkError(
                f"the network starts in code {self.start}; expected one of its {len(self.states)}"
                " states"
            )
        if not (
            1 <= self.contract.hold_steps <= MOST_STEPS
            and 1 <= self.contract.gap_steps <= MOST_STEPS
        ):
            raise NetworkError(
                f"a contract of {self.contract}; expected at least one step, at most {MOST_STEPS}"
            )
        for array in (self.weights, self.masks, self.codes):
            array.setflags(write=False)

    def __repr__(self) -> str:
        return (
            f"<Network: {self.neurons} neurons, {self.active} active, {self.bits} bits,"
            f" {len(self.states)} states, {len(self.inputs)} inputs>"
        )

    @property
    def neurons(self) -> int:
        """N."""
        return int(self.weights.shape[0])

    @property
    def active(self) -> int:
        """k: neurons in a code (the most, where a user's own codes differ)."""
        return int(self.codes.sum(1).max())

    @property
    def whole(self) -> bool:
        """Whether the weights are whole numbers, so that every step is exact."""
        return self.weights.dtype.kind == "i"

    @cached_property
    def transposed(self) -> Numbers:
        """``weights.T``, contiguous: row j is what neuron j sends."""
        return np.ascontiguousarray(self.weights.T)

    @cached_property
    def weight_std(self) -> float:
        """Standard deviation of all N x N weights, in LSBs."""
        return float(self.weights.std(dtype=np.float64))

    @cached_property
    def fan_out(self) -> NDArray[np.intp]:
        """For each neuron (N,), how many neurons it reaches over a weight that is not 0."""
        return np.asarray(np.count_nonzero(self.weights, axis=0))

    def mask_of(self, symbol: str) -> int:
        """Index of an input's mask; raises `UnknownInputError`."""
        return mask_index(self.inputs, symbol)

    def drive(self, activity: Bits) -> Numbers:
        """Net drive ``W z - g sum(z)`` of every neuron for each activity.

        Parameters
        ----------
        activity : (B, N)

        Returns
        -------
        (B, N)
            In LSBs; whole numbers (int32) for whole weights.
        """
        total: NDArray[Any] = sums(self.transposed, activity)
        if self.gain:
            total -= np.asarray(self.gain * activity.sum(1, keepdims=True), total.dtype)
        return total

    def advance(self, activity: Bits, opened: Bits) -> Bits:
        """One step of each activity: -> which neurons fire next.

        Parameters
        ----------
        activity : (B, N)
        opened : (N,) or (B, N)
            Which neurons the masks leave open.

        Returns
        -------
        (B, N)
        """
        return np.asarray((self.drive(activity) > 0) & opened)

    def state_of(self, code: int) -> str | None:
        """Name of the state that a code stands for; None for a pending code, and for -1."""
        return self.states[code] if 0 <= code < len(self.states) else None

    def code_name(self, code: int) -> str:
        """Name of a code: its state, with an arrow and the outputs before it arrives there.

        ``unlocked`` for the state, ``→ unlocked`` for a pending transition to it, and ``→ unlocked
        / beep`` for one with the output ``beep``.
        """
        label = self.labels[code]
        name = self.states[label.state]
        if not label.pending:
            return name
        return f"→ {name}" + (f" / {', '.join(label.outputs)}" if label.outputs else "")

    @property
    def code_names(self) -> tuple[str, ...]:
        """Names of all codes, in order."""
        return tuple(map(self.code_name, range(len(self.labels))))

    def decode(self, activity: Bits, mask: int | NDArray[np.intp] = REST) -> NDArray[np.intp]:
        """The code that each activity (B, N) stands for under a mask (one for all, or B of them):
        (B,), -1 for none.

        An activity stands for a code that is similar enough and clearly ahead of every other;
        silence and ties stand for nothing.
        """
        if not len(activity):
            return np.zeros(0, np.intp)
        found = similarity(self.codes, activity, self.masks[mask])
        best = found.argmax(1)
        first = found[np.arange(len(found)), best]
        found[np.arange(len(found)), best] = -np.inf
        second = found.max(1, initial=-1.0)
        return np.where((first > THRESHOLD) & (first - second > LEAD), best, -1)


def mask_index(inputs: tuple[str, ...], symbol: str) -> int:
    """Index of the mask of an input; raises `UnknownInputError`."""
    if symbol not in inputs:
        hint = did_you_mean(symbol, inputs)
        raise UnknownInputError(f'unknown input "{symbol}"; expected {listed(inputs)}{hint}')
    return inputs.index(symbol) + 1
