"""Refinement towards the worst order of updates, after a program is compiled.

Of all that may fire on the way from one code to the next, each neuron is corrected where its drive
is worst, found by sorting its weights, until nothing is left to correct: a relaxation perceptron,
as in `vsafsm.weights`, whose conditions are the bounds of `vsafsm.order_bounds`.

The old code stays on until more of the new one is up than any further mask leaves open of it. Only
then may it go off. A code that is half up with the old one still on is thereby told from the same
half with nothing else, which is where the next phase begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import NetworkError
from vsafsm.machine import Machine
from vsafsm.network import MOST_STEPS, Contract, Network
from vsafsm.order_changes import Changes, parts
from vsafsm.proof import Proof, prove
from vsafsm.situations import Arc
from vsafsm.vsa import Bits

if TYPE_CHECKING:
    from vsafsm.program import Program

Real = NDArray[np.float64]
Rows = NDArray[np.intp]


def for_any_order(
    program: Program,
    distance_lsb: int = 8,
    passes: int = 200,
    progress: Callable[[float], None] = lambda share: None,
) -> Program:
    """A program refined towards the worst order of updates. Whether it holds then is for
    `vsafsm.prove_any_order` to say.

    It is best compiled with ``rule="robust"``. Its margin in synchronous steps gets smaller; the
    claim is that of a new proof, and noises that were tolerated are tolerated no longer for sure.

    Parameters
    ----------
    distance_lsb
        Distance from threshold that is asked for, in LSBs of drive. What is not reached costs
        passes and nothing else.
    passes
        Over all changes of the mask, at most.
    progress
        Called with the share of the passes that are done.

    Raises
    ------
    NetworkError
        If the network has several modules, or the machine has guards.

    Examples
    --------
    >>> import vsafsm
    >>> from vsafsm.order_refinement import for_any_order
    >>> machine = vsafsm.load("specs/turnstile.yaml")
    >>> program = for_any_order(vsafsm.compile(machine, dimension=256, rule="robust"))
    >>> vsafsm.prove_any_order(machine, program.network)
    <OrderProof holds: 9 of 9 changes of the mask>
    """
    rng = np.random.default_rng(program.options.seed)
    network, proof = refined_and_proven(
        program.machine, program.network, rng, distance_lsb, passes, progress
    )
    claim = replace(
        program.claim,
        verdict=proof.verdict,
        fixed_points=proof.fixed_points,
        radius=proof.radius,
        margin=proof.margin,
    )
    return replace(program, network=network, claim=claim, smallest=None, tolerated=())


def refined_and_proven(
    machine: Machine,
    network: Network,
    rng: np.random.Generator,
    distance_lsb: int = 8,
    passes: int = 200,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[Network, Proof]:
    """As `refined`, with the proof of synchronous steps, and its contract where it holds."""
    network = refined(machine, network, rng, distance_lsb, passes, progress)
    # More steps may be needed than before.
    network = replace(network, contract=Contract(MOST_STEPS, MOST_STEPS))
    proof = prove(machine, network)
    return (replace(network, contract=proof.contract) if proof.holds else network), proof


def refined(
    machine: Machine,
    network: Network,
    rng: np.random.Generator,
    distance_lsb: int = 8,
    passes: int = 200,
    progress: Callable[[float], None] = lambda share: None,
) -> Network:
    """The same network with other weights: see `for_any_order`. Its contract stays as it was, and
    may be too short. From `rng` comes the order in which changes of the mask are looked at.

    Raises
    ------
    NetworkError
        If the network has several modules, real weights, or other states or inputs than the
        machine; or if the machine has guards.
    """
    changes = Changes(machine, network)
    if not network.whole:
        raise NetworkError("the weights of the network are real; expected whole numbers")
    weights = _Refiner(changes, distance_lsb).run(passes, rng, progress)
    return network.with_weights(weights.astype(network.weights.dtype))


class _Missing(NamedTuple):
    """Drive that some neurons lack (positive) or have too much: (R,), each in an activity (R, N) of
    its own.
    """

    rows: Rows
    activity: Bits
    drive: Real


class _Refiner:
    def __init__(self, changes: Changes, distance_lsb: int) -> None:
        self.network, self.distance = changes.network, distance_lsb
        self.tasks = [_Task.of(changes, arc) for arc in changes.arcs]

    def run(self, passes: int, rng: np.random.Generator, progress: Callable[[float], None]) -> Real:
        """Whole weights (N, N)."""
        network = self.network
        limit = 2 ** (network.bits - 1) - 1
        fine = network.weights.astype(np.float64)
        # Neurons are independent of each other: one that met all of its conditions is done.
        left = np.ones(network.neurons, np.bool_)
        for n in range(passes):
            progress(n / passes)
            short = np.zeros_like(left)
            for i in rng.permutation(len(self.tasks)).tolist():
                rows = np.flatnonzero(self.tasks[i].opened & left)
                received = np.rint(fine[rows]) - network.gain
                for missing in self.tasks[i].missing(rows, received, self.distance):
                    step = missing.drive / np.maximum(missing.activity.sum(1), 1)
                    changed = fine[missing.rows] + missing.activity * step[:, None]
                    fine[missing.rows] = np.clip(changed, -limit, limit)
                    short[missing.rows] = True
            left = short
            if not left.any():
                break
        return np.rint(fine)


@dataclass(frozen=True, eq=False)
class _Task:
    """What is asked at one change of the mask; `further` and `free` are neurons of the new code
    that are off at first, and of the old code.

    The old code is on for sure (`sure`) until `until` of the former are up.
    """

    opened: Bits
    come: Bits
    is_free: Bits
    up: Rows
    further: Rows
    free: Rows
    sure: Bits
    until: int

    @staticmethod
    def of(changes: Changes, arc: Arc) -> _Task:
        """The neurons of a change of the mask, and until when the old code stays."""
        network = changes.network
        found = parts(network, arc)
        first, most = int(found.up.sum()), int(found.come.sum())
        after = changes.after(arc)
        # The largest part of the new code from which a third code comes up.
        masks = network.masks[[each.mask for each in after if each.target != arc.source]]
        part = int((found.come & masks).sum(1).max(initial=0))
        until = (part + most) // 2 + 1 if part else first + max(1, (most - first) // 4)
        free = np.flatnonzero(found.free)
        return _Task(
            found.opened,
            found.come,
            found.free,
            np.flatnonzero(found.up),
            np.flatnonzero(found.come & ~found.up),
            free,
            found.core[free],
            max(min(until, most) - first, 1),
        )

    def missing(self, rows: Rows, received: Real, distance: float) -> Iterator[_Missing]:
        """What some neurons lack in the worst activities of each kind."""
        if not len(rows):
            return
        own = _Own(self, rows, received)
        come, free = self.come[rows], self.is_free[rows]
        every, begun = range(len(self.further) + 1), range(min(self.until, len(self.further) + 1))
        kinds = (
            (come, every, True),
            (free, begun, True),
            (~come & ~free, every, False),
            (free, every[-1:], False),
        )
        for some, numbers, up in kinds:
            if some.any():
                found = own.missing(np.flatnonzero(some), numbers, up, distance)
                if len(found.rows):
                    yield found


class _Own:
    """The extreme drives of some neurons: one row each."""

    def __init__(self, task: _Task, rows: Rows, received: Real) -> None:
        self.task, self.rows, self.neurons = task, rows, received.shape[1]
        self.of_free = received[:, task.free]
        of_further = received[:, task.further]
        # The place of each further neuron in the order of what it sends, the least first.
        order = np.argsort(of_further, axis=1, kind="stable")
        self.place = np.argsort(order, axis=1)
        ranked = np.take_along_axis(of_further, order, axis=1)
        self.begun = received[:, task.up].sum(1)
        self.sums = {True: _sums(ranked), False: _sums(ranked[:, ::-1])}

    def missing(self, some: Rows, numbers: range, up: bool, distance: float) -> _Missing:
        """Those of `some` rows that are short of the distance in their worst activity, with so many
        further neurons up; `up` where they should be on.
        """
        task, of_free = self.task, self.of_free[some]
        helps = of_free < 0 if up else of_free > 0
        # The old code is on in part, its core for sure up to some number; any of it from there on.
        loose = (of_free * helps).sum(1)
        kept = (of_free * (helps | task.sure)).sum(1)
        n = np.array(numbers)
        drive = self.begun[some, None] + self.sums[up][np.ix_(some, n)]
        drive = drive + np.where(n < task.until, kept[:, None], loose[:, None])
        at = drive.argmin(1) if up else drive.argmax(1)
        worst = drive[np.arange(len(some)), at]
        lacks = distance - worst if up else -distance - worst
        short = lacks > 0 if up else lacks < 0
        some, number, lacks, helps = some[short], n[at[short]], lacks[short], helps[short]
        activity = np.zeros((len(some), self.neurons), np.bool_)
        activity[:, task.up] = True
        place = self.place[some]
        if not up:
            place = place.shape[1] - 1 - place
        activity[:, task.further] = place < number[:, None]
        activity[:, task.free] = helps | (task.sure & (number < task.until)[:, None])
        return _Missing(self.rows[some], activity, lacks)


def _sums(columns: NDArray[Any]) -> Real:
    """Sums of the first n columns, n = 0, 1, ...: (rows, n + 1)."""
    return np.concatenate([np.zeros((len(columns), 1)), np.cumsum(columns, axis=1)], axis=1)
