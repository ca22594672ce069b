"""The proof: a walk over every fixed point that some word reaches, holding each against the
machine.

The network is synchronous and deterministic, so correctness for all words can be decided, not
sampled. From the start code, settled at rest, and from each fixed point reached, every input is
applied; the held point must decode to the transition's target and Mealy outputs, the point after
the gap to the target and its Moore outputs. If the walk closes, fixed points and machine are
bisimilar and every word of any length is run correctly. The hand-over between masks is walked as
well: with the masks of input and rest both on for a step, and with neither, at the onset and at the
end of an input. A reset drives the same code from everywhere, so it is covered by the start.

Not covered: a hold or gap below the contract, and inputs that overlap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Activities, Neurons, activities_of, ranges
from vsafsm.encoder import Encoder, Sight
from vsafsm.errors import NetworkError, TooLargeError
from vsafsm.hand_overs import Arrivals, HandOver, Observer, StepBatch, Walker
from vsafsm.lowering import REST
from vsafsm.machine import Machine, Transition
from vsafsm.network import MOST_STEPS, Contract, Network
from vsafsm.seen import NOTHING, Pairs, Seen
from vsafsm.symbolic import SymbolicMachine
from vsafsm.vsa import Numbers

Verdict = Literal["holds", "refuted", "undecided"]
PAIRS = 128
"""(Fixed point, input) pairs walked together."""

Timing = tuple[HandOver, HandOver]
"""The hand-overs at the onset and at the end of an input."""
AT_ONCE: Timing = ("at once", "at once")


@dataclass(frozen=True)
class Counterexample:
    """The shortest word that goes wrong (empty for a wrong start), with what was expected and what
    was found.

    ``timings`` has the hand-overs of each input with which it does; an input still held has ``"at
    once"`` for its end.
    """

    word: tuple[str, ...]
    expected: str
    found: str
    timings: tuple[Timing, ...] = ()

    def __str__(self) -> str:
        word = " ".join(self.word) if self.word else "(the start)"
        unusual = [
            f"{masks} masks on for a step at the {end} of input {i}"
            for i, timing in enumerate(self.timings, 1)
            for end, masks in zip(("onset", "end"), timing, strict=True)
            if masks != "at once"
        ]
        when = (
            f" (with {' and '.join(unusual)})".replace("neither masks", "neither mask")
            if unusual
            else ""
        )
        return f"{word}{when}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True)
class Tally:
    """How far every (activity, neuron) pair of the walk is from threshold.

    Attributes
    ----------
    active : (n,)
        Neurons active in the activity.
    distance : (n,)
        |drive| in whole LSBs (rounded down in a real-valued network).
    pairs : (n,)
        Number of distinct pairs with these two.
    """

    active: NDArray[np.int64]
    distance: NDArray[np.int64]
    pairs: NDArray[np.int64]

    def failure_bound(self, sigma: float) -> float:
        """Union bound on the probability that independent Gaussian noise changes any step.

        Noise of standard deviation `sigma` (LSBs) on every weight gives a sum of n of them
        the deviation ``sigma sqrt(n)``; the bound adds up the tails of all pairs, and may exceed 1.
        """
        if sigma <= 0:
            return 0.0
        scaled = self.distance / (sigma * np.sqrt(np.maximum(self.active, 1) * 2.0))
        return float(
            sum(
                n * 0.5 * math.erfc(x)
                for n, x in zip(self.pairs.tolist(), scaled.tolist(), strict=True)
            )
        )


@dataclass(frozen=True, repr=False)
class Proof:
    """What the walk found.

    Attributes
    ----------
    verdict
        ``"holds"``; ``"refuted"``, with the shortest word that goes wrong; or ``"undecided"``,
        where an activity would not settle within the network's contract or the walk would not
        close.
    fixed_points
        Distinct fixed points at rest that words reach.
    contract
        The longest settling under an input, and at rest, in steps.
    radius
        In LSBs: no change of the weights in which each moves by less than this can change any
        step walked.
    margin
        The same in units (radius / scale): the smallest \\|drive\\| per active neuron of any open
        neuron in any step.
    tally
        Distances of all (activity, neuron) pairs, for the failure bound.
    counterexample
        Where the verdict is not ``"holds"``.

    Examples
    --------
    >>> import vsafsm
    >>> proof = vsafsm.compile(vsafsm.load("specs/turnstile.yaml")).prove()
    >>> proof.verdict, proof.margin >= 0.2
    ('holds', True)
    """

    verdict: Verdict
    fixed_points: int
    contract: Contract
    radius: float
    margin: float
    tally: Tally
    counterexample: Counterexample | None = None

    def __repr__(self) -> str:
        if not self.holds:
            return f"<Proof {self.verdict}: {self.counterexample}>"
        return (
            f"<Proof holds: {self.fixed_points} fixed points, margin {self.margin:.3f},"
            f" hold {self.contract.hold_steps}, gap {self.contract.gap_steps} steps>"
        )

    @property
    def holds(self) -> bool:
        """Whether every word is run correctly."""
        return self.verdict == "holds"


def prove(
    machine: Machine,
    network: Network,
    progress: Callable[[int], None] = lambda points: None,
    observers: Sequence[Observer] = (),
) -> Proof:
    """Decide whether `network` runs `machine` correctly on every input word, at the timing of its
    contract or slower. The words of a symbolic machine are those of all its vectors.

    Parameters
    ----------
    progress
        Called with the number of fixed points walked so far.
    observers
        Told of every step of the walk. The owner of a step is its transition: the index of the
        state in ``machine.states``, times the number of inputs, plus the index of the input; -1 for
        the reset.

    Raises
    ------
    NetworkError
        If the network has other states or inputs than the machine.

    Examples
    --------
    >>> import vsafsm
    >>> program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"))
    >>> vsafsm.prove(program.machine, program.network).holds
    True
    """
    if network.inputs != machine.inputs or sorted(network.states) != sorted(machine.states):
        raise NetworkError("the network's states and inputs are not the machine's")
    if isinstance(machine, SymbolicMachine):
        return _prove_every_vector(machine, network, progress, observers)
    return _ProofWalk(machine, network, observers).run(progress)


def _prove_every_vector(
    machine: SymbolicMachine,
    network: Network,
    progress: Callable[[int], None],
    observers: Sequence[Observer],
) -> Proof:
    """Walk the representatives, and where neurons on the way see more of the input than those tell
    apart, further vectors, until what was walked stands for every vector.
    """
    encoder = Encoder(machine, network)
    walked: Machine = machine
    while True:
        sight = Sight(encoder, walked)
        proof = _ProofWalk(walked, network, (sight, *observers)).run(progress)
        try:
            missing = sight.missing() if proof.holds else ()
        except TooLargeError as error:
            unknown = Counterexample((), "a walk over every input vector", error.message)
            return replace(
                proof, verdict="undecided", radius=0.0, margin=0.0, counterexample=unknown
            )
        if not missing:
            return proof
        # Observers count transitions by the machine's own inputs, so that they watch no others.
        observers = ()
        walked = machine.over((*walked.inputs, *missing))
        network = encoder.over(walked.inputs)


class _Stop(Exception):  # noqa: N818 - it ends the walk, it is not an error
    def __init__(self, verdict: Verdict, counterexample: Counterexample) -> None:
        self.verdict: Verdict = verdict
        self.counterexample = counterexample


class _ProofWalk:
    """Breadth first over fixed points at rest, so that the first wrong word is a shortest one.

    A point is an activity together with the state that it stands for. ``paths`` has, for each, the
    point that it was reached from, the input, and how the masks changed.
    """

    def __init__(self, machine: Machine, network: Network, observers: Sequence[Observer]) -> None:
        self.machine, self.network = machine, network
        self.points: list[Neurons] = []
        self.states: list[str] = []
        self.paths: list[tuple[int, str, Timing]] = []
        self.index: dict[bytes, int] = {}
        self.most_points = 64 + 16 * len(machine.states)
        self.hold = self.gap = 1
        self.late: _Stop | None = None
        self.distances = _Distances(network)
        self.walker = Walker(network, (self.distances, *observers))

    def run(self, progress: Callable[[int], None]) -> Proof:
        verdict: Verdict = "holds"
        counterexample = None
        try:
            self._start()
            done = 0
            while done < len(self.points):
                wave = range(done, len(self.points))
                self._wave(wave, progress)
                done = wave.stop
                progress(done)
            # Too slow for the contract is no proof; a wrong state would have been worse.
            if self.late:
                raise self.late
        except _Stop as stop:
            verdict, counterexample = stop.verdict, stop.counterexample
        radius = self.distances.radius if verdict == "holds" else 0.0
        return Proof(
            verdict,
            len(self.points),
            Contract(self.hold, self.gap),
            radius,
            radius / self.network.scale,
            self.distances.tally(),
            counterexample,
        )

    # ---- the walk

    def _start(self) -> None:
        """The reset: the start code settles at rest."""
        code = self.network.code_activities([self.network.start])
        settled, steps, moving = self.walker.settle(code, np.array([REST]), np.array([-1]), "gap")
        self.gap = max(self.gap, int(steps.max()))
        self._note_late(None, "the start code", self.gap, self.network.contract.gap_steps)
        if moving.any():
            expected, outcome = "the start code to settle", "an activity that does not"
            raise _Stop("undecided", Counterexample((), expected, outcome))
        self._check_rest(settled, [self.machine.initial], [(-1, "")], [AT_ONCE])

    def _wave(self, wave: range, progress: Callable[[int], None]) -> None:
        """Apply every input to every point of the wave, in the order of words.

        All words of a wave are of one length. A refutation among them ends the walk at once; an
        undecided one waits until the wave is done, since a refutation says more.
        """
        pairs = [(point, a) for point in wave for a in range(len(self.machine.inputs))]
        undecided: _Stop | None = None
        for i in range(0, len(pairs), PAIRS):
            progress(pairs[i][0])
            try:
                self._apply(pairs[i : i + PAIRS])
            except _Stop as stop:
                if stop.verdict == "refuted":
                    raise
                undecided = undecided or stop
        if undecided:
            raise undecided

    def _apply(self, pairs: list[tuple[int, int]]) -> None:
        """Hold an input at each point until the activity settles, check it, then do the same for
        the gap.
        """
        points = activities_of([self.points[point] for point, _ in pairs])
        masks = np.array([a + 1 for _, a in pairs])
        owners = np.array([self._owner(pair) for pair in pairs])
        contract = self.network.contract
        held = self.walker.hand_over(points, masks, masks, owners, "held")
        self.hold = max(self.hold, held.steps)
        slowest = pairs[held.slowest]
        self._note_late(slowest, "the input held", held.steps, contract.hold_steps)
        undecided = self._unsettled(pairs, held, "the input held")
        codes = self.network.codes_of(held.activity, masks[held.rows])
        for i in np.flatnonzero(~held.moving).tolist():
            self._check_held(int(codes[i]), pairs[held.rows[i]], (held.manner[i], "at once"))
        held = held.settled
        if not len(held.rows):
            assert undecided  # noqa: S101 - every row is moving
            raise undecided
        rest = np.full(len(held.rows), REST)
        after = self.walker.hand_over(
            held.activity, masks[held.rows], rest, owners[held.rows], "gap"
        )
        self.gap = max(self.gap, after.steps)
        self._note_late(pairs[held.rows[after.slowest]], "the gap", after.steps, contract.gap_steps)
        # Rows of `after` count among those that settled; from here on they count among the pairs.
        onsets = [held.manner[row] for row in after.rows.tolist()]
        after = replace(after, rows=held.rows[after.rows])
        undecided = undecided or self._unsettled(pairs, after, "the gap")
        at_rest = np.flatnonzero(~after.moving)
        reached = [pairs[row] for row in after.rows[at_rest].tolist()]
        self._check_rest(
            after.activity.take(at_rest),
            [self._transition(*pair).to for pair in reached],
            [(point, self.machine.inputs[a]) for point, a in reached],
            [(onsets[i], after.manner[i]) for i in at_rest.tolist()],
        )
        if undecided:
            raise undecided

    def _owner(self, pair: tuple[int, int]) -> int:
        state = self.machine.state_index(self.states[pair[0]])
        return state * len(self.machine.inputs) + pair[1]

    # ---- the checks

    def _note_late(
        self, pair: tuple[int, int] | None, phase: str, steps: int, allowed: int
    ) -> None:
        """Remember the first word that needs more than the contract's steps; None is the start."""
        if steps > allowed and not self.late:
            word = self._word_of(pair) if pair else ()
            expected = f"{phase} to settle within the {allowed} of the contract"
            self.late = _Stop("undecided", Counterexample(word, expected, f"{steps} steps"))

    def _transition(self, point: int, a: int) -> Transition:
        return self.machine.transition(self.states[point], self.machine.inputs[a])

    def _check_held(self, code: int, pair: tuple[int, int], timing: Timing) -> None:
        """Compare what an activity stands for while an input is held with the transition."""
        point, a = pair
        transition = self._transition(point, a)
        label = self.network.labels[code] if code >= 0 else None
        state = self.network.states[label.state] if label else ""
        if label and (state, label.outputs) == (transition.to, transition.outputs):
            return
        outcome = _describe(state, label.outputs) if label else "no code"
        expected = f"{_describe(transition.to, transition.outputs)} while the input is held"
        timings = (*self._timings(point), timing)
        raise _Stop("refuted", Counterexample(self._word_of(pair), expected, outcome, timings))

    def _check_rest(
        self,
        points: Activities,
        states: list[str],
        origins: list[tuple[int, str]],
        timings: list[Timing],
    ) -> None:
        """Compare fixed points at rest with the states that they should stand for, and remember
        those that are new. An origin is the point before, or -1 for the reset, and the input.
        """
        keys = points.keys
        new = [i for i, key in enumerate(keys) if not self._is_known(key, states[i])]
        rest = np.full(len(new), REST)
        codes = self.network.codes_of(points.take(np.array(new, np.intp)), rest)
        for i, code in zip(new, codes.tolist(), strict=True):
            # The same point may have come up twice in this batch.
            if not self._is_known(keys[i], states[i]):
                self._check_state(code, states[i], origins[i], timings[i])
                self.index[keys[i]] = len(self.points)
                self.points.append(points[i].copy())
                self.states.append(states[i])
                self.paths.append((*origins[i], timings[i]))

    def _is_known(self, key: bytes, state: str) -> bool:
        point = self.index.get(key)
        return point is not None and self.states[point] == state

    def _check_state(self, code: int, state: str, origin: tuple[int, str], timing: Timing) -> None:
        parent, symbol = origin

        def stop(verdict: Verdict, expected: str, outcome: str) -> _Stop:
            word = (*self._word(parent), symbol) if parent >= 0 else ()
            timings = (*self._timings(parent), timing) if parent >= 0 else ()
            return _Stop(verdict, Counterexample(word, expected, outcome, timings))

        outputs = self.machine.outputs_of(state)
        expected = _describe(state, outputs)
        reached = self.network.state_of(code)
        if reached is None:
            outcome = "no state" if code < 0 else "a transition still under way"
            raise stop("refuted", expected, outcome)
        moore = self.network.moore[code]
        if (reached, moore) != (state, outputs):
            raise stop("refuted", expected, _describe(reached, moore))
        if len(self.points) >= self.most_points:
            outcome = f"over {len(self.points)} fixed points"
            raise stop("undecided", "the walk to close", outcome)

    def _unsettled(
        self, pairs: list[tuple[int, int]], arrivals: Arrivals, phase: str
    ) -> _Stop | None:
        """The first pair whose activity would not settle, as a reason to stop."""
        for row in arrivals.rows[arrivals.moving].tolist():
            word = self._word_of(pairs[row])
            outcome = f"an activity that still changes after {MOST_STEPS} steps"
            return _Stop("undecided", Counterexample(word, f"{phase} to settle", outcome))
        return None

    # ---- from a point back to the word that reaches it

    def _word_of(self, pair: tuple[int, int]) -> tuple[str, ...]:
        return (*self._word(pair[0]), self.machine.inputs[pair[1]])

    def _word(self, point: int) -> tuple[str, ...]:
        return tuple(reversed([symbol for symbol, _ in self._backwards(point)]))

    def _timings(self, point: int) -> tuple[Timing, ...]:
        return tuple(reversed([timing for _, timing in self._backwards(point)]))

    def _backwards(self, point: int) -> Iterator[tuple[str, Timing]]:
        while point > 0:
            point, symbol, timing = self.paths[point]
            yield symbol, timing


def _describe(state: str, outputs: tuple[str, ...]) -> str:
    return f'"{state}"' + (f" with outputs {', '.join(outputs)}" if outputs else "")


class _Distances:
    """Smallest distance from threshold, and the tally of all, each (activity, neuron) pair counted
    once.
    """

    def __init__(self, network: Network) -> None:
        self.seen, self.n = Seen(network), network.module_neurons
        self.radius = math.inf
        # The pairs of masks that were on under each activity.
        self.counted: dict[bytes, Pairs] = {}
        self.counts: dict[int, NDArray[np.int64]] = {}

    def observe(self, batch: StepBatch) -> None:
        """Count the open neurons of each activity that were not counted yet."""
        drives, active = batch.drives, batch.activity.counts
        on: list[set[tuple[int, int]]] = [set() for _ in batch.keys]
        steps = zip(batch.row.tolist(), batch.masks.tolist(), batch.also.tolist(), strict=True)
        for row, one, other in steps:
            on[row].add((one, other))
        # Activities that are counted alike.
        alike: dict[tuple[Pairs, Pairs, int], list[int]] = {}
        for row, (key, pairs) in enumerate(zip(batch.keys, on, strict=True)):
            before = self.counted.get(key, NOTHING)
            after = self.counted[key] = self.seen.joined(before, frozenset(pairs))
            if after != before:
                alike.setdefault((before, after, int(active[row])), []).append(row)
        pair_counts, reached = np.diff(drives.starts), drives.reached
        for (before, after, k), group in alike.items():
            rows = np.array(group, np.intp)
            pairs_of = ranges(drives.starts[rows], pair_counts[rows])
            modules = drives.modules[pairs_of]
            fresh = self.seen.open_in(after, modules) & ~self.seen.open_in(before, modules)
            self._count(k, np.abs(drives.values[pairs_of][fresh]))
            entries = ranges(reached.starts[rows], reached.counts[rows])
            neurons = reached.neurons[entries]
            near = self.seen.open_at(after, neurons) & ~self.seen.open_at(before, neurons)
            self._count(k, np.abs(drives.reached_values[entries][near]))
            # All other neurons have the inhibition alone, which is that of k active neurons.
            total = len(rows) * (self.seen.number(after) - self.seen.number(before))
            if others := total - int(fresh.sum()) - int(near.sum()):
                self._count(k, np.abs(drives.elsewhere[rows[:1]]), others)

    def _count(self, n: int, distances: Numbers, times: int = 1) -> None:
        if not len(distances):
            return
        self.radius = min(self.radius, float(distances.min()) / max(n, 1))
        counts = times * np.bincount(distances.astype(np.int64))
        before = self.counts.get(n, np.zeros(0, np.int64))
        total = np.zeros(max(len(before), len(counts)), np.int64)
        total[: len(before)] += before
        total[: len(counts)] += counts
        self.counts[n] = total

    def tally(self) -> Tally:
        columns = [
            (n, d, int(c[d]))
            for n, c in sorted(self.counts.items())
            for d in np.flatnonzero(c).tolist()
        ]
        table = np.array(columns, np.int64).reshape(-1, 3)
        return Tally(table[:, 0], table[:, 1], table[:, 2])
