"""From codes and moves to integer weights: the one-shot rule, and its refinement in the integers
themselves.

The one-shot matrix is in *units*: one stored pattern drives its own neurons by 1 more than the
others, per active neuron::

    autoassociative   sum over all codes x
                      (x - f) (x - f)^T / (1 - f)                       symmetric
    transition        sum over all moves x -> y under the mask of s
                      ((y - f) - e (x - f)) ((x - f) o s)^T / (1 - f)   asymmetric

Moves that the code of x does not tell apart, because their masks leave the same of it open, are one
move.

Refinement starts there. All activities that an event passes through are known in advance, so each
neuron has a list of conditions: drive above threshold by a margin, or below it by a margin. Passes
of a relaxation perceptron (Agmon 1954; Motzkin and Schoenberg 1954) over the violated ones meet
them, evaluated on the weights as they will be deployed, rounded and clipped to the target's grid,
while the corrections add up in a finer integer. Every sum is of whole numbers below what the
floating-point type holds exactly, so the result does not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.codebook import Codebook
from vsafsm.conditions import Conditions, conditions
from vsafsm.lowering import REST, Lowered
from vsafsm.options import Rule
from vsafsm.recurrent import GATHER, gathered, listed
from vsafsm.situations import Asked, sampled
from vsafsm.threads import Map, cores, shared_by
from vsafsm.vsa import Bits, Numbers, Real, bind, centre, outer

ERASE = 0.5
"""e: how much of the old code a transition takes away. Half keeps the activity alive in continuous
time.
"""
START = {"refined": 1.0, "small": 0.25, "robust": 0.3, "one-shot": 1.0}
"""Share of the one-shot weights that a rule starts from."""
RELAXATION = {"refined": 2.0, "small": 1.0, "robust": 1.0}
"""How far past the missing drive a correction goes: 1 just meets the margin, 2 mirrors what is
missing.
"""
BLOCK = 512
"""Neurons refined together; each neuron's conditions are independent of every other's."""
BATCH = 512
"""Most conditions taken into account between two updates."""
ROUNDS, PASSES_PER_ROUND = 10, 10
"""Rounds of the rule ``robust``, each with samples of its own, and most passes over them."""
PATIENCE = 6
"""Passes without headway after which a block of neurons is given up."""
WORTH_LEAVING_OUT = 0.9
"""Neurons that met every situation are left out where fewer than this share did not."""
LEAST_PART = 128
"""Fewest neurons for which a thread of their own is worth it."""
Whole = np.signedinteger[Any]


# ---- the one-shot rule


@dataclass(frozen=True)
class Parts:
    """What a weight matrix is made of, in units; ``autoassociative + transition + correction`` is
    the whole, (N, N).

    The correction holds what refinement added, the rounding, and the inhibition where it is folded
    in.
    """

    autoassociative: NDArray[np.float64]
    transition: NDArray[np.float64]
    correction: NDArray[np.float64]


def autoassociative(book: Codebook, rows: slice = slice(None)) -> NDArray[np.float64]:
    """``sum (x - f) (x - f)^T / (1 - f)`` over all codes, for some rows (postsynaptic neurons).
    Symmetric, in units.
    """
    neurons = book.codes.shape[1]
    total = _summed(
        book.codes, lambda codes: outer(centre(codes, neurons)[:, rows], centre(codes, neurons))
    )
    return np.asarray(total / (neurons**2 * (1 - book.codes.mean())))


def transition(
    lowered: Lowered, book: Codebook, rule: Rule, rows: slice = slice(None)
) -> NDArray[np.float64]:
    """The bound terms of all moves and releases, for some rows, in units: ``sum ((y - f) - e (x -
    f)) ((x - f) o s)^T / (1 - f)``.

    For the rule ``robust`` the new code takes the old one away, and not the old one itself: ``sum
    ((y - f) ((x - f) o s)^T - e (x - f) ((y - f) o t)^T) / (1 - f)``. There t binds to the phase:
    ``(1 + s_0) / 2`` for a release, ``1 - s_0`` for a move while an input is held, whichever it is.
    """
    neurons = book.codes.shape[1]
    arcs = _arcs(lowered, book)
    if not len(arcs):
        return np.zeros((len(range(*rows.indices(neurons))), neurons))
    signs = book.signs  # made anew at each access

    def term(chunk: NDArray[np.intp]) -> Real:
        x, mask, y = chunk.T
        source, target = centre(book.codes[x], neurons), centre(book.codes[y], neurons)
        left = 0.0 if rule == "robust" else ERASE * source
        return outer((target - left)[:, rows], bind(source, signs[mask]))

    def taken_away(chunk: NDArray[np.intp]) -> Real:
        x, y, at_rest = chunk.T
        source, target = centre(book.codes[x], neurons), centre(book.codes[y], neurons)
        phase = np.where(at_rest[:, None] > 0, (1 + signs[REST]) / 2, 1 - signs[REST])
        return outer(ERASE * source[:, rows], bind(target, phase))

    total = _summed(arcs, term)
    if rule == "robust":
        pairs = np.unique(np.stack([arcs[:, 0], arcs[:, 2], arcs[:, 1] == REST], axis=1), axis=0)
        total = total - _summed(pairs, taken_away)
    return np.asarray(total / (neurons**2 * (1 - book.codes.mean())))


def _arcs(lowered: Lowered, book: Codebook) -> NDArray[np.intp]:
    """Source, mask and target of what leaves a code (T, 3); the first of masks that leave the same
    of it open.
    """
    arcs = [(m.source, m.mask, m.target) for m in lowered.moves if m.source != m.target]
    arcs += [(code, REST, to) for code, to in enumerate(lowered.releases) if code != to]
    first: dict[tuple[int, int, bytes], tuple[int, int, int]] = {}
    for x, mask, y in arcs:
        seen = np.packbits(book.codes[x] & book.masks[mask]).tobytes()
        first.setdefault((x, y, seen), (x, mask, y))
    return np.array(list(first.values()), np.intp)


def _summed(rows: Real, term: Callable[[Real], Real], chunk: int = 256) -> NDArray[np.float64]:
    total = term(rows[:chunk])
    for start in range(chunk, len(rows), chunk):
        total += term(rows[start : start + chunk])
    return np.asarray(total, np.float64)


# ---- the integers


@dataclass(frozen=True)
class Grid:
    """The integers that a network's weights may take, and how units are laid over them.

    Attributes
    ----------
    bits
        Width of a signed weight; it holds the whole numbers from ``-limit`` to ``limit``.
    scale
        LSBs per unit.
    inhibition
        What an active neuron takes from every neuron's drive, in units.
    folded
        Whether the inhibition is folded into the weights.
    """

    bits: int
    scale: float
    inhibition: float
    folded: bool

    @property
    def limit(self) -> int:
        """Largest magnitude of a weight."""
        return int(2 ** (self.bits - 1) - 1)

    @property
    def gain(self) -> int:
        """The network's own inhibition in whole LSBs per active neuron: 0 where it is folded
        in.

        Kept apart it is at least 1, but for weights of 2 bits: no sum of them would get past it.
        """
        return 0 if self.folded else max(int(self.limit > 1), round(self.inhibition * self.scale))

    @property
    def shift(self) -> int:
        """Bits of the finer integer below an LSB: up to 12 bits in all, so that a whole fine weight
        and its sums stay within int16 for weights of 8 bits.
        """
        return max(0, min(4, 12 - self.bits))

    def deployed(self, fine: NDArray[Whole]) -> NDArray[Whole]:
        """Fine weights as the target holds them: rounded half up to whole LSBs."""
        return (fine + ((1 << self.shift) >> 1)) >> self.shift

    def fine(self, deployed: NDArray[Whole]) -> NDArray[Whole]:
        """Fine weights that are deployed as these whole ones."""
        shifted = deployed.astype(np.int32) << self.shift
        return np.ascontiguousarray(shifted, np.int16 if self.bits <= 8 else np.int32)

    @property
    def dtype(self) -> type[Whole]:
        """The narrowest NumPy integer that holds a weight."""
        return np.int8 if self.bits <= 8 else np.int16


CLIP = {2: 1.2, 3: 2.0, 4: 3.0, 5: 4.0}
"""Standard deviations of the one-shot weights that the largest integer stands for, where it is not
8.
"""
LEAST_RANGE = {2: 4.0, 3: 4.0, 4: 4.0, 5: 4.0}
"""Units not to clip however few the weights, where it is not 8: what a neuron needs to tell inputs
apart.
"""
SAMPLE_ROWS = 64


def grid_for(
    lowered: Lowered, book: Codebook, bits: int, folded: bool, rule: Rule, stretch: float = 1.0
) -> Grid:
    """Lay units over integers: the more weights superimpose, the wider their spread, the fewer
    LSBs that a unit has.

    Parameters
    ----------
    stretch
        Widens the range and so coarsens the steps, for machines whose weights would be clipped too
        much.
    """
    rows = slice(0, min(SAMPLE_ROWS, book.codes.shape[1]))
    spread = float(np.std(_one_shot(lowered, book, rule, rows)))
    largest = stretch * max(CLIP.get(bits, 8.0) * spread, LEAST_RANGE.get(bits, 8.0))
    return Grid(bits, (2 ** (bits - 1) - 1) / largest, float(0.5 - book.codes.mean()), folded)


@dataclass(frozen=True)
class Refinement:
    """How a refinement went: passes over all conditions, and (condition, neuron) pairs still short
    of the margin.
    """

    passes: int
    violations: int


def build(
    lowered: Lowered,
    book: Codebook,
    grid: Grid,
    rule: Rule,
    margin: float,
    rng: np.random.Generator,
    passes: int = 60,
    progress: Callable[[float], None] = lambda share: None,
    more: Callable[[NDArray[Whole]], Asked] | None = None,
    rounds: int = ROUNDS,
    begun: NDArray[Whole] | None = None,
) -> tuple[NDArray[Whole], Refinement]:
    """Integer weights (N, N), postsynaptic neuron first.

    Parameters
    ----------
    rule
        ``"one-shot"``: the rounded one-shot matrix; ``"refined"``: refined until every condition
        holds by `margin`; ``"small"``: the same from a quarter of the one-shot matrix in smaller
        steps, which ends at smaller weights; ``"robust"``: refined on situations that are sampled
        anew in each round (`vsafsm.situations`).
    margin
        Asked distance from threshold, in units of drive per active neuron. Activities of fewer than
        half of a code's neurons are asked for more, so that noise is as unlikely to carry them over
        as the others.
    passes
        Most passes over all conditions; a block that makes no more headway stops sooner.
    progress
        Called with the share of the neurons that are done.
    more
        Of the rule ``"robust"``: situations that each round asks for besides, given the weights so
        far.
    rounds
        Of the rule ``"robust"``.
    begun
        Weights to go on from, in place of the one-shot matrix.
    """
    neurons = book.codes.shape[1]
    blocks = [slice(i, min(i + BLOCK, neurons)) for i in range(0, neurons, BLOCK)]
    generators = rng.spawn(len(blocks))
    rounds, passes = (rounds, min(passes, PASSES_PER_ROUND)) if rule == "robust" else (1, passes)
    relaxation = RELAXATION.get(rule, 0.0)
    threads = min(cores(), max(1, min(neurons, BLOCK) // LEAST_PART))
    fine: list[NDArray[Whole]] = []
    if begun is not None:
        fine = [grid.fine(begun[rows].T) for rows in blocks]
    used = left = 0
    for n in range(rounds):
        if rule == "robust":
            samples = sampled(lowered, book, rng)
            if more is not None and fine:
                samples = Asked.joined([samples, more(_weights(fine, grid))])
            asked = samples.conditions()
        else:
            asked = conditions(lowered), book.codes, book.masks
        task = BlockRefiner(*asked, grid, margin, relaxation)
        if not fine:
            fine = [
                task.start(START[rule] * _one_shot(lowered, book, rule, rows)) for rows in blocks
            ]
        used, left = 0, 0
        for rows, block, generator in zip(blocks, fine, generators, strict=True):
            if rule in RELAXATION:
                took, short = task.refine(block, rows, generator, passes, rule == "robust", threads)
                used, left = max(used, took), left + short
            progress((n + rows.stop / neurons) / rounds)
    return _weights(fine, grid), Refinement(used, left)


def _weights(fine: list[NDArray[Whole]], grid: Grid) -> NDArray[Whole]:
    """Blocks of fine weights, transposed, as the matrix that is deployed."""
    deployed = np.concatenate([grid.deployed(block).T for block in fine])
    return np.ascontiguousarray(deployed, grid.dtype)


def _one_shot(lowered: Lowered, book: Codebook, rule: Rule, rows: slice) -> NDArray[np.float64]:
    return autoassociative(book, rows) + transition(lowered, book, rule, rows)


def _merged(situations: Conditions, codes: Bits, masks: Bits) -> tuple[Conditions, Bits, Bits]:
    """Situations of the same activity that want the same, as one that cares for all neurons that
    any of them does.

    -> (situations, their activity, the masks that they count in: those given, and then what several
    care for)
    """
    masks = np.vstack([masks, np.ones(masks.shape[1], np.bool_)])
    active = codes[situations.source]
    active &= masks[situations.open1]
    active &= masks[situations.open2]
    place: dict[tuple[int, bytes], list[int]] = {}
    for i, (want, row) in enumerate(
        zip(situations.want.tolist(), np.packbits(active, axis=1), strict=True)
    ):
        place.setdefault((want, row.tobytes()), []).append(i)
    if len(place) == len(situations):
        return situations, active, masks
    groups = list(place.values())
    kept = np.array([group[0] for group in groups], np.intp)
    merged = situations.take(kept)
    several = [(n, group) for n, group in enumerate(groups) if len(group) > 1]
    cared = np.stack(
        [
            (masks[situations.care1[group]] | masks[situations.care2[group]]).any(0)
            for _, group in several
        ]
    )
    for row, (n, _) in enumerate(several, len(masks)):
        merged.care1[n] = merged.care2[n] = row
    return merged, active[kept], np.vstack([masks, cared])


class BlockRefiner:
    """What all blocks of neurons share: the situations, and the grid with its finer integer.

    `fine` is the transposed block (N, rows) of weights in steps of 1 / 2**shift of a weight.

    Parameters
    ----------
    situations
        What the network is to do, as indices of `codes` and `masks`.
    codes : (C, N)
        Those of the situations; a row without an active neuron stands for silence.
    masks : (A + 1, N)
    grid, margin, relaxation
        As `build` takes them.
    """

    def __init__(
        self,
        situations: Conditions,
        codes: Bits,
        masks: Bits,
        grid: Grid,
        margin: float,
        relaxation: float,
    ) -> None:
        neurons = codes.shape[1]
        # `active` has the activity of each situation: (P, N).
        self.situations, self.active, self.masks = _merged(situations, codes, masks)
        self.codes, self.grid, self.relaxation = codes, grid, relaxation
        indices, self.count = listed(self.active)
        # Noise on n weights adds up as sqrt(n), so a target of n units would leave a small activity
        # less safe than a large one. From half of the largest activity down, the target falls as
        # sqrt(n) instead.
        apart = np.maximum(self.count, np.sqrt(self.count * self.count.max() / 2))
        share = 1.0 if self.situations.share is None else self.situations.share
        self.target = np.ceil(margin * share * grid.scale * apart).astype(np.int32)
        # Corrections of less than one LSB add up in `shift` further bits.
        self.shift = grid.shift
        # Where codes are dense, silent neurons say as much as active ones: they are corrected with
        # the opposite sign.
        self.contrast = bool(codes.mean() >= 0.25)
        # No sum of a step exceeds this, so the type chosen here adds without rounding or overflow:
        # float32 is exact below 2**24, and results do not depend on the order of additions.
        largest = 2 * (grid.limit + grid.gain) * int(self.count.max()) + int(self.target.max())
        self.whole: type[Whole] = np.int16 if largest < 2**15 else np.int32
        self.real: type[np.floating[Any]] = np.float32 if largest < 2**24 else np.float64
        self.largest = largest
        self.listed = indices if GATHER * int(self.count.max()) < neurons else None

    def start(self, units: NDArray[np.float64]) -> NDArray[Whole]:
        """Fine weights, transposed, from weights in units (rows, N)."""
        folded = self.grid.inhibition if self.grid.folded else 0.0
        fine = np.rint((units.T - folded) * (self.grid.scale * 2**self.shift))
        fine = np.clip(fine, -self.edge, self.edge, out=fine)
        return np.ascontiguousarray(fine, self.whole if self.grid.bits <= 8 else np.int32)

    @property
    def edge(self) -> int:
        """The largest fine weight that still rounds to the largest weight of the grid."""
        return (self.grid.limit << self.shift) + max(0, (1 << self.shift) // 2 - 1)

    def refine(
        self,
        fine: NDArray[Whole],
        rows: slice,
        rng: np.random.Generator,
        passes: int,
        samples: bool = False,
        threads: int = 1,
    ) -> tuple[int, int]:
        """Refine `fine` in place; -> (passes over all conditions, pairs violated in the last).

        Parameters
        ----------
        samples
            Whether situations are samples, few of which are violated after the first rounds.
        threads
            That refine a part of the neurons each. They change no result.
        """
        neurons = np.arange(rows.start, rows.stop)
        columns = np.array_split(np.arange(len(neurons)), threads)
        split = [_Part(self, fine[:, some], neurons[some]) for some in columns]
        refined = self._refined_on_samples if samples else self._refined
        with shared_by(threads) as each:
            taken, short = refined(split, rng, passes, each)
        fine[:] = np.concatenate([part.whole() for part in split], axis=1)
        return taken, short

    def _refined(
        self, parts: list[_Part], rng: np.random.Generator, passes: int, each: Map
    ) -> tuple[int, int]:
        everything = np.arange(len(self.situations))
        best, stale, short = np.inf, 0, 0
        for n in range(passes):
            again, short = self._sweep(parts, rng.permutation(everything), each)
            if not short:
                return n + 1, 0
            stale = 0 if short < 0.9 * best else stale + 1
            best = min(best, short)
            if stale >= PATIENCE:
                return n + 1, short
            for part in parts:
                part.leave_out()
            # Most situations hold after a few passes. The few that do not are swept by themselves,
            # which is cheaper than a whole pass, before all are looked at again.
            for _ in range(3):
                if 8 * len(again) > len(everything):
                    break
                again, _ = self._sweep(parts, rng.permutation(again), each)
        return passes, short

    def _refined_on_samples(
        self, parts: list[_Part], rng: np.random.Generator, passes: int, each: Map
    ) -> tuple[int, int]:
        """All are looked at in large batches, and those that are violated corrected in small
        ones.
        """
        every = [self._largest_first(some) for some in _cut(np.arange(len(self.situations)))]
        short = 0
        for n in range(passes):
            violated, short = self._passed(parts, every, each, correct=False)
            if not short:
                return n + 1, 0
            for part in parts:
                part.leave_out()
            self._sweep(parts, rng.permutation(violated), each)
        return passes, short

    def _sweep(
        self, parts: list[_Part], order: NDArray[np.intp], each: Map
    ) -> tuple[NDArray[np.intp], int]:
        """One pass over the situations in `order`; -> (those violated, number of violated
        pairs).
        """
        return self._passed(parts, list(self._batches(order)), each, correct=True)

    def _passed(
        self,
        parts: list[_Part],
        batches: list[NDArray[np.intp]],
        each: Map,
        correct: bool,
    ) -> tuple[NDArray[np.intp], int]:
        found = list(each(lambda part: part.passed(batches, correct), parts))
        order = np.concatenate([np.zeros(0, np.intp), *batches])
        violated = np.any([violated for violated, _ in found], axis=0)
        return order[violated[order]], sum(short for _, short in found)

    def _batches(self, order: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
        """The order cut into batches, each with its largest activities first, and no group twice
        in a batch.

        Situations of one group share neurons: corrected together, they would overshoot.
        """
        # `turn` counts, along the order, how often a situation's group came before: situations of
        # one turn all have different groups.
        group = self.situations.group
        sources = (self.situations.source if group is None else group)[order]
        by_code = np.argsort(sources, kind="stable")
        first = np.searchsorted(sources[by_code], sources[by_code])
        turn = np.empty(len(order), np.intp)
        turn[by_code] = np.arange(len(order)) - first
        by_turn = order[np.argsort(turn, kind="stable")]
        for group in np.split(by_turn, np.flatnonzero(np.diff(np.sort(turn))) + 1):
            yield from (self._largest_first(some) for some in _cut(group))

    def _largest_first(self, batch: NDArray[np.intp]) -> NDArray[np.intp]:
        return batch[np.argsort(-self.count[batch], kind="stable")]


def _cut(order: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    return (order[i : i + BATCH] for i in range(0, len(order), BATCH))


class _Part:
    """Some neurons that are refined together: their fine weights (N, n), one column per neuron.

    A neuron that met every situation in a pass over all of them still has the weights that it began
    the pass with. It meets them for good, and the passes that follow leave it out.
    """

    def __init__(self, task: BlockRefiner, fine: NDArray[Whole], neurons: NDArray[np.intp]) -> None:
        self.task = task
        self.all, self.place = fine, np.arange(len(neurons))
        self.fine = np.ascontiguousarray(fine)
        self.codes = np.ascontiguousarray(task.codes[:, neurons])
        self.masks = np.ascontiguousarray(task.masks[:, neurons])
        # Which columns were violated in the last pass.
        self.violated = np.ones(len(neurons), np.bool_)

    def whole(self) -> NDArray[Whole]:
        """The weights of all neurons, those that are left out too."""
        self.all[:, self.place] = self.fine
        return self.all

    def leave_out(self) -> None:
        """Go on with the neurons that were violated in the last pass, which was over all
        situations.
        """
        if self.violated.sum() < WORTH_LEAVING_OUT * len(self.violated):
            self.whole()
            self.place = self.place[self.violated]
            self.fine, self.codes, self.masks = (
                np.ascontiguousarray(each[:, self.violated])
                for each in (self.fine, self.codes, self.masks)
            )

    def passed(
        self, batches: list[NDArray[np.intp]], correct: bool
    ) -> tuple[NDArray[np.bool_], int]:
        """One pass over batches of situations: -> (which are violated (P,), number of violated
        pairs).
        """
        found, short = np.zeros(len(self.task.situations), np.bool_), 0
        self.violated = np.zeros(len(self.place), np.bool_)
        weights = self._deployed(self.fine)
        for batch in batches if len(self.place) else ():
            missing = self._missing(weights, batch)
            there = missing != 0
            violated, columns = there.any(1), np.flatnonzero(there.any(0))
            if not len(columns):
                continue
            found[batch[violated]] = True
            self.violated[columns] = True
            short += int(np.count_nonzero(there))
            if correct:
                changed = self._corrected(
                    columns, missing[np.ix_(violated, columns)], batch[violated]
                )
                self.fine[:, columns] = changed
                weights[:, columns] = self._deployed(changed)
        return found, short

    def _deployed(self, fine: NDArray[Whole]) -> Numbers:
        """Weights as the target holds them, of a type that products are fast in."""
        deployed: Numbers = self.task.grid.deployed(fine)
        return deployed.astype(self.task.real) if self.task.listed is None else deployed

    def _missing(self, weights: Numbers, batch: NDArray[np.intp]) -> Numbers:
        """Drive that each neuron lacks in each situation (b, n), in whole LSBs: positive to come
        up, negative to go down, or 0.
        """
        task, situations = self.task, self.task.situations
        drive: NDArray[Any]
        if task.listed is None:
            drive = (task.active[batch].astype(task.real) @ weights).astype(np.int32)
        else:
            drive = gathered(weights, task.listed[batch], task.count[batch], task.whole)
        if task.grid.gain:
            drive -= (task.grid.gain * task.count[batch, None]).astype(drive.dtype)
        target = task.target[batch, None].astype(drive.dtype)
        up = np.maximum(target - drive, 0)
        down = np.minimum(-target - drive, 0)
        wanted = self.codes[situations.want[batch]]
        cared = self.masks[situations.care1[batch]] | self.masks[situations.care2[batch]]
        return np.asarray(np.where(wanted, up, down) * cared)

    def _corrected(
        self, columns: NDArray[np.intp], missing: Numbers, batch: NDArray[np.intp]
    ) -> NDArray[Whole]:
        """Some columns (N, c) of the weights, with what is missing (b, c) added."""
        # A change of every weight of n active neurons by `missing / n` brings the drive to its
        # target; relaxation 2 goes as far beyond it. Rounded up, so that no pass changes nothing.
        task, situations = self.task, self.task.situations
        step = np.asarray(task.relaxation * 2**task.shift / task.count[batch, None], task.real)
        change = np.clip(
            np.copysign(np.ceil(np.abs(missing) * step), missing), -(2**15), 2**15
        ).astype(task.real)
        active = task.active[batch]
        pattern: NDArray[Any] = active.astype(task.real)
        if task.contrast:
            pattern -= (
                task.masks[situations.open1[batch]] & task.masks[situations.open2[batch]] & ~active
            )
        total: NDArray[Any] = pattern.T @ change
        total += self.fine[:, columns]
        return np.clip(total, -task.edge, task.edge, out=total).astype(self.fine.dtype)
