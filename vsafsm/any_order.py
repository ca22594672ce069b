"""The proof for any order of updates: neurons are updated one at a time, again and again, in any
order that leaves none out for ever; masks change at once, and what they close falls silent at once.

The rest is a search for an order that ends wrong. What neither the bounds show nor the search
refutes is undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from vsafsm.lowering import REST
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.order_bounds import Bounds, Shortfall
from vsafsm.order_changes import Changes
from vsafsm.order_search import Course, Orders
from vsafsm.proof import Verdict
from vsafsm.situations import Arc
from vsafsm.vsa import Bits

MOST_SEARCHED = 512
"""Changes of the mask from which the search tries orders, at most."""
MOST_TOLD = 24
"""Neurons of an order that a message names, at most."""


@dataclass(frozen=True)
class Phase:
    """What happens under one mask.

    Attributes
    ----------
    input
        The input that is held, or None at rest.
    updated
        The neurons that change, in the order in which they are updated; between two of them, all
        others may be updated and do not change.
    """

    input: str | None
    updated: tuple[int, ...]


@dataclass(frozen=True)
class WrongOrder:
    """An order of updates that ends wrong.

    Attributes
    ----------
    word
        The inputs; the last is still held where the last phase has it.
    phases
        From the reset on: at rest, then for each input while it is held and at rest.
    expected, found
        What the last phase should end in, and what it ends in.
    repeats
        0 where nothing changes any more in the end; otherwise the last so many updates bring the
        same activity back, and the run goes on like that for ever.
    """

    word: tuple[str, ...]
    phases: tuple[Phase, ...]
    expected: str
    found: str
    repeats: int = 0

    def __str__(self) -> str:
        word = " ".join(self.word) if self.word else "(the start)"
        updated = self.phases[-1].updated
        order = " ".join(map(str, updated[:MOST_TOLD]))
        more = f" ... ({len(updated)} in all)" if len(updated) > MOST_TOLD else ""
        when = "at rest" if self.phases[-1].input is None else "while the input is held"
        return (
            f"{word}: expected {self.expected} {when}, found {self.found}, where neurons change in"
            f" the order {order}{more}"
        )


@dataclass(frozen=True, repr=False)
class OrderProof:
    """What is known of a network whose neurons are updated in any order.

    Attributes
    ----------
    verdict
        ``"holds"``: every order ends right, after every word; ``"refuted"``: an order ends wrong;
        ``"undecided"``: neither was found.
    changes
        Changes of the mask that words reach: each input in each state, the end of each, and the
        reset.
    shown
        How many of them end right in every order.
    shortfall
        The first bound that does not hold, and where, in words; empty where all hold.
    wrong
        The order that ends wrong.

    Examples
    --------
    >>> import vsafsm
    >>> program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"), dimension=64)
    >>> proof = vsafsm.prove_any_order(program.machine, program.network)
    >>> proof.verdict, proof.changes
    ('refuted', 9)
    """

    verdict: Verdict
    changes: int
    shown: int
    shortfall: str = ""
    wrong: WrongOrder | None = None

    @property
    def holds(self) -> bool:
        """Whether every order ends right."""
        return self.verdict == "holds"

    def __repr__(self) -> str:
        return f"<OrderProof {self.verdict}: {self.shown} of {self.changes} changes of the mask>"


def prove_any_order(
    machine: Machine, network: Network, progress: Callable[[float], None] = lambda share: None
) -> OrderProof:
    """Decide, as far as bounds and a search go, whether `network` runs `machine` correctly on every
    input word when its neurons are updated one at a time in any order, each again and again, and
    every input and every gap last until nothing changes any more.

    Parameters
    ----------
    progress
        Called with the share of the work that is done.

    Raises
    ------
    NetworkError
        If the network has other states or inputs than the machine, or several modules, or the
        machine has guards.

    Examples
    --------
    >>> import vsafsm
    >>> program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"), dimension=256, rule="robust")
    >>> vsafsm.prove_any_order(program.machine, program.network)
    <OrderProof refuted: 5 of 9 changes of the mask>
    """
    return _OrderProof(Changes(machine, network)).run(progress)


def shown_by_bounds(machine: Machine, network: Network) -> tuple[int, int]:
    """How many changes of the mask bounds show, and how many there are; no order is searched for.
    Raises `NetworkError` as `prove_any_order`.
    """
    proof = _OrderProof(Changes(machine, network))
    proof.bound()
    return len(proof.changes.arcs) - len(proof.open), len(proof.changes.arcs)


class _OrderProof:
    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.machine, self.network = changes.machine, changes.network
        self.orders = Orders(changes.network)
        self.open: dict[Arc, str] = {}
        """Changes of the mask that no bounds show, and why."""

    def bound(self, progress: Callable[[float], None] = lambda share: None) -> None:
        """Find the changes of the mask that no bounds show."""
        arcs, bounds = self.changes.arcs, Bounds(self.network)
        for n, arc in enumerate(arcs):
            progress(n / len(arcs) / 2)
            if why := self._why_open(arc, bounds):
                self.open[arc] = why

    def run(self, progress: Callable[[float], None]) -> OrderProof:
        arcs = self.changes.arcs
        self.bound(progress)
        shown = len(arcs) - len(self.open)
        if not self.open:
            return OrderProof("holds", len(arcs), shown)
        first = next(iter(self.open.values()))
        wrong = next(self._wrong(progress), None)
        return OrderProof("refuted" if wrong else "undecided", len(arcs), shown, first, wrong)

    # ---- what is to be shown

    def _why_open(self, arc: Arc, bounds: Bounds) -> str:
        """Why it is open what a change of the mask leads to; empty where it is not."""
        found: str | Shortfall | None = self._unread(arc.target, arc.mask) or bounds.shortfall(arc)
        if not found:
            return ""
        network = self.network
        name = "at rest" if arc.mask == REST else f"under {network.inputs[arc.mask - 1]}"
        source, target = network.code_name(arc.source), network.code_name(arc.target)
        return f'from "{source}" to "{target}" {name}: {found}'

    def _unread(self, code: int, mask: int) -> str:
        """What is wrong with how a code reads under a mask, where all is as it should be."""
        network = self.network
        activity = network.codes[[code]] & network.masks[mask]
        if int(network.decode(activity, mask)[0]) != code:
            return "the code itself does not stand for it"
        label = network.labels[code]
        expected = self.machine.outputs_of(network.states[label.state])
        if not label.pending and network.moore[label.state] != expected:
            return "the outputs of the state are others"
        return ""

    # ---- the search

    def _wrong(self, progress: Callable[[float], None]) -> Iterator[WrongOrder]:
        """Orders that end wrong: breadth first over states, by words whose updates are made in
        turn.
        """
        network, machine, start = self.network, self.machine, self.changes.start
        path = _Path((), (), network.codes[start.source])
        yield from self._tried(path, start)
        course = self.orders.in_turn(path.activity, REST)
        # Inputs and gaps last until nothing changes any more; where that never is, words end.
        queue = [(machine.initial, path.then(None, course))] if course.ends else []
        met = {machine.initial}
        searched = 0
        while queue:
            state, path = queue.pop(0)
            for mask, symbol in enumerate(machine.inputs, 1):
                held, after = self.changes.of(state, mask)
                going = path.of(symbol)
                yield from self._tried(going, held)
                course = self.orders.in_turn(going.activity, mask)
                searched += 2
                progress(0.5 + min(searched / len(self.changes.arcs), 1) / 2)
                if searched > MOST_SEARCHED:
                    return
                if not course.ends:
                    continue
                going = going.then(symbol, course)
                yield from self._tried(going, after)
                target = network.states[after.target]
                if target not in met:
                    met.add(target)
                    course = self.orders.in_turn(going.activity, REST)
                    if course.ends:
                        queue.append((target, going.then(None, course)))

    def _tried(self, path: _Path, arc: Arc) -> Iterator[WrongOrder]:
        """All neurons in turn, and, where bounds do not show that all orders are right, others."""
        network, orders = self.network, self.orders
        courses = [orders.in_turn(path.activity, arc.mask)]
        code = network.codes[arc.source]
        begun = code if not path.phases else code & network.masks[arc.before]
        if arc in self.open or (path.activity != begun).any():
            courses += orders.tried(path.activity, arc, self._aims(arc))
        label = network.labels[arc.target]
        bad_outputs = not label.pending and (
            network.moore[label.state] != self.machine.outputs_of(network.states[label.state])
        )
        for course in courses:
            if not course.ends and not course.repeats:
                continue
            read = network.decode(_last(course), arc.mask).tolist()
            found = next((code for code in read if code != arc.target), arc.target)
            if (found != arc.target or bad_outputs) and self._is_so(path, arc, course):
                yield self._told(path, arc, course, found)

    def _aims(self, arc: Arc) -> list[int]:
        """Codes that may come up instead: those that follow the new code or the old one, then
        those that have most in common with the new one.
        """
        network, found = self.network, [arc.source]
        for code in (arc.target, arc.source):
            label = network.labels[code]
            found.append(label.state)
            if not label.pending:
                state = network.states[label.state]
                every = range(1, len(self.machine.inputs) + 1)
                found += [self.changes.of(state, mask)[0].target for mask in every]
        alike = network.codes.astype(np.int64) @ network.codes[arc.target]
        found += np.argsort(-alike, kind="stable").tolist()
        return [code for code in dict.fromkeys(found) if code != arc.target]

    def _is_so(self, path: _Path, arc: Arc, course: Course) -> bool:
        """Made once more, the drives added up anew at each update: sums of real weights depend on
        their order.
        """
        network = self.network
        weights = network.weights.astype(self.orders.kind)
        opened, active = network.masks[arc.mask], path.activity & network.masks[arc.mask]

        def wanted(neurons: slice | int) -> Bits:
            drive = weights[neurons] @ active - network.gain * int(active.sum())
            return np.asarray((drive > 0) & opened[neurons])

        again = len(course.updated) - course.repeats
        for n, neuron in enumerate(course.updated):
            if n == again:
                before = active.copy()
            if bool(wanted(neuron)) == bool(active[neuron]):
                return False
            active[neuron] ^= True
        if course.repeats:
            return bool((active == before).all())
        return bool((wanted(slice(None)) == active).all())

    def _told(self, path: _Path, arc: Arc, course: Course, found: int) -> WrongOrder:
        network = self.network
        symbol = None if arc.mask == REST else network.inputs[arc.mask - 1]
        phases = (*path.phases, Phase(symbol, course.updated))
        outcome = "no code" if found < 0 else f'"{network.code_name(found)}"'
        if course.repeats:
            outcome += ", again and again without end"
        elif found == arc.target:
            outcome += f" with outputs {', '.join(network.moore[found]) or 'none'}"
        expected = f'"{network.code_name(arc.target)}"'
        return WrongOrder(path.word, phases, expected, outcome, course.repeats)


def _last(course: Course) -> Bits:
    """What fires in the end, or in turn where it never ends: (B, N)."""
    activity = course.activity.copy()
    found = [activity.copy()]
    for neuron in course.updated[len(course.updated) - course.repeats :]:
        activity[neuron] ^= True
        found.append(activity.copy())
    return np.array(found)


@dataclass(frozen=True, eq=False)
class _Path:
    """A word, what was updated on it, and the activity that it ends in."""

    word: tuple[str, ...]
    phases: tuple[Phase, ...]
    activity: Bits

    def of(self, symbol: str) -> _Path:
        """The same with an input that begins."""
        return _Path((*self.word, symbol), self.phases, self.activity)

    def then(self, symbol: str | None, course: Course) -> _Path:
        """The same after a phase."""
        return _Path(self.word, (*self.phases, Phase(symbol, course.updated)), course.activity)
