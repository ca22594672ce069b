"""What an array can be told after it was programmed: a trim for each neuron, and corrections of single cells.

Both read the array with activities that are known beforehand, those of the codes, and use no machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vsafsm.lowering import Lowered
from vsafsm.network import Network
from vsafsm.vsa import Bits
from vsafsm.weights import Conditions, conditions
from vsafsm_memristor.array import Plan
from vsafsm_memristor.crossbar import Crossbar, Drive, Faults, Pair, SimulatedCrossbar
from vsafsm_memristor.errors import MappingError

CHUNK = 256


# ---- trim


@dataclass(frozen=True)
class Trimmed:
    """A crossbar with an offset for each neuron, in proportion to the activity: ``drive - offset sum(z)``.

    Attributes
    ----------
    offset : (N,)
        Weight steps an active neuron.
    """

    crossbar: Crossbar
    offset: NDArray[np.float32]

    def drive(self, activity: Bits, rng: np.random.Generator) -> Drive:
        """As `vsafsm_memristor.crossbar.Crossbar` says."""
        count = activity.sum(1, keepdims=True).astype(np.float32)
        return np.asarray(self.crossbar.drive(activity, rng) - self.offset * count, np.float32)


def trimmed(network: Network, crossbar: Crossbar, rng: np.random.Generator, reads: int = 8) -> Trimmed:
    """Read each code a few times, and fit ``measured = gain expected + offset sum(z)`` for each neuron.

    The threshold is 0, so that only the offset matters.
    """
    codes = network.codes
    measured = np.mean([crossbar.drive(codes, rng) for _ in range(reads)], axis=0)
    expected = codes.astype(np.float32) @ network.weights.T.astype(np.float32)
    count = codes.sum(1).astype(np.float32)
    ee, en, nn = (expected**2).sum(0), (expected * count[:, None]).sum(0), float((count**2).sum())
    em, nm = (expected * measured).sum(0), (measured * count[:, None]).sum(0)
    determinant = ee * nn - en**2
    offset = np.where(determinant > 1e-6 * ee * nn, (ee * nm - en * em) / np.maximum(determinant, 1e-9), (nm - en) / nn)
    return Trimmed(crossbar, np.asarray(offset, np.float32))


# ---- chip in the loop


@dataclass(frozen=True)
class Correction:
    """What came of correcting an array.

    Attributes
    ----------
    crossbar
        The array as it is now.
    rewritten
        Cells that were programmed again, each counted once.
    rounds
        Rounds of reading and programming.
    short_before, short_after
        (Situation, neuron) pairs short of the margin, of those that the machine passes through.
    """

    crossbar: SimulatedCrossbar
    rewritten: int
    rounds: int
    short_before: int
    short_after: int


@dataclass(frozen=True)
class Effort:
    """How far a correction may go.

    Attributes
    ----------
    margin
        Distance from threshold to reach, in units.
    rounds
        At most.
    cells_a_round
        Pairs of cells that a neuron may have changed in a round.
    budget
        Share of all cells that may be rewritten.
    reads
        Reads that are averaged.
    """

    margin: float = 0.3
    rounds: int = 30
    cells_a_round: int = 8
    budget: float = 0.1
    reads: int = 4


def corrected(
    planned: Plan,
    lowered: Lowered,
    crossbar: SimulatedCrossbar,
    faults: Faults,
    rng: np.random.Generator,
    effort: Effort = Effort(),
) -> Correction:
    """Read what the array really computes, and reprogram the cells that bring short neurons past the threshold.

    In each round every neuron that is short somewhere has a few pairs changed: those that take part in most of what it
    lacks, and that work. A pair is changed by half of the range, from what it is read to be.

    Raises
    ------
    MappingError
        In the offset scheme, where pairs share a reference.
    """
    if crossbar.layout.scheme != "differential":
        raise MappingError(
            f'scheme is "{crossbar.layout.scheme}", where pairs share a reference; expected "differential"'
        )
    network = planned.network
    task = _Task(network, conditions(lowered), effort)
    written = np.zeros((2, network.neurons, network.neurons), np.bool_)
    allowed = effort.budget * written.size
    missing = task.missing(crossbar, rng)
    before = after = int(np.count_nonzero(missing))
    rounds = 0
    while after and rounds < effort.rounds and (pairs := int(allowed - written.sum()) // 2) > 0:
        chosen, up = task.chosen(missing, faults, pairs)
        crossbar, changed = _changed(planned, crossbar, faults, chosen, up, rng)
        written |= changed
        rounds += 1
        missing = task.missing(crossbar, rng)
        after = int(np.count_nonzero(missing))
    return Correction(crossbar, int(written.sum()), rounds, before, after)


class _Task:
    def __init__(self, network: Network, given: Conditions, effort: Effort) -> None:
        opened = np.vstack([network.masks, np.ones(network.neurons, np.bool_)])
        self.active = network.codes[given.source] & opened[given.open1] & opened[given.open2]
        self.wanted = network.codes[given.want]
        self.cared = opened[given.care1] | opened[given.care2]
        count = self.active.sum(1)
        self.target = (effort.margin * network.scale * count)[:, None].astype(np.float32)
        self.share = (self.active / np.maximum(count, 1)[:, None]).astype(np.float32)
        self.effort = effort

    def missing(self, crossbar: Crossbar, rng: np.random.Generator) -> Drive:
        """Drive that each neuron lacks in each situation (P, N): positive to come up, negative to go down, or 0."""
        parts = []
        for i in range(0, len(self.active), CHUNK):
            rows = slice(i, i + CHUNK)
            reads = [crossbar.drive(self.active[rows], rng) for _ in range(self.effort.reads)]
            drive, target = np.mean(reads, axis=0), self.target[rows]
            lacking = np.where(self.wanted[rows], np.maximum(target - drive, 0), np.minimum(-target - drive, 0))
            parts.append(lacking * self.cared[rows])
        return np.asarray(np.concatenate(parts), np.float32)

    def chosen(
        self, missing: Drive, faults: Faults, pairs: int
    ) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], Bits]:
        """Pairs to change, as (post, pre), and whether upwards: for each short neuron those that lack most.

        No more than so many pairs in all, again those that lack most.
        """
        push = missing.T @ self.share
        push[faults.any[0] & faults.any[1]] = 0
        most = min(self.effort.cells_a_round, push.shape[1] - 1)
        pre = np.argpartition(-np.abs(push), most, axis=1)[:, :most]
        post = np.repeat(np.arange(len(push)), most)
        kept = push[post, pre.ravel()] != 0
        post, pre = post[kept], pre.ravel()[kept]
        if len(post) > pairs:
            most_lacking = np.argsort(-np.abs(push[post, pre]), kind="stable")[:pairs]
            post, pre = post[most_lacking], pre[most_lacking]
        return (post, pre), push[post, pre] > 0


def _changed(
    planned: Plan,
    crossbar: SimulatedCrossbar,
    faults: Faults,
    chosen: tuple[NDArray[np.intp], NDArray[np.intp]],
    up: Bits,
    rng: np.random.Generator,
) -> tuple[SimulatedCrossbar, Bits]:
    """Program the chosen pairs to half of the range more or less than they are, and let them age as the others did."""
    model, age = planned.settings.model, crossbar.seconds
    half = (model.g_max_us - model.g_min_us) / 2
    now = [g[chosen] for g in crossbar.cells]
    wanted = now[0] - now[1] + np.where(up, half, -half)
    changed = np.zeros((2, *crossbar.cells.positive.shape), np.bool_)
    cells = []
    for polarity, g in enumerate(crossbar.cells):
        own, other = now[polarity], now[1 - polarity]
        stuck = faults.any[polarity][chosen]
        partner_stuck = faults.any[1 - polarity][chosen]
        sign = 1 - 2 * polarity
        base = np.where(partner_stuck, other, model.g_min_us)
        target = np.clip(base + np.maximum(sign * wanted, 0) + np.where(partner_stuck, np.minimum(sign * wanted, 0), 0),
                         model.g_min_us, model.g_max_us).astype(np.float32)  # fmt: skip
        worth = ~stuck & (np.abs(target - own) > 0.05 * half)
        new = model.relax(model.program(target, rng), age, rng)
        g = g.copy()
        g[chosen[0][worth], chosen[1][worth]] = new[worth]
        changed[polarity][chosen[0][worth], chosen[1][worth]] = True
        cells.append(g)
    return replace(crossbar, cells=Pair(*cells)), changed
