"""A statechart as numbers, for `semantics`.

States are numbered in document order, the root first, so that those inside a state follow it: they
are the numbers behind its own up to its `last`. A configuration is the tuple of its innermost
states, which is all of it: the others are those around them. Histories have numbers of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from vsafsm.statecharts.chart import Statechart
from vsafsm.statecharts.evaluation import Evaluation, evaluation
from vsafsm.statecharts.expressions import After, And, Expression, Idle, In, parts_of, resolved
from vsafsm.statecharts.parts import (
    Assign,
    Choice,
    History,
    State,
    Transition,
    actions_of,
    transitions_of,
    walk,
)

ROOT = 0


@dataclass(frozen=True, eq=False, slots=True)
class Arc:
    """A transition as numbers.

    Attributes
    ----------
    source
        Its state.
    targets
        States, and histories as `Tables.history_target` of their numbers.
    guard
        None where it always holds.
    transition
        What it was made from.
    """

    number: int
    source: int
    targets: tuple[int, ...]
    guard: Evaluation | None
    transition: Transition


class Tables:
    """What `semantics` looks up, for one chart.

    Attributes
    ----------
    states, histories
        By their numbers.
    parent, last, children
        For each state: the one around it, the last one inside it, those directly inside it.
    history_parent, history_targets
        For each history.
    forgettable
        For each history: whether what it remembers makes no difference while its parent is active.
    arcs
        For each event, for each innermost state: the transitions to try in order, those of its own
        first. Under None, the eventless ones.
    timers, caps
        For each timer the state that it belongs to, and the ticks from which more make no
        difference.
    timers_of, idle_of
        For each state that has some: all its timers; the one that its transitions start anew.
    watched
        Whether some action asks which states are active.
    """

    def __init__(self, chart: Statechart) -> None:
        self.chart = chart
        self.states: list[State] = []
        self.histories: list[History] = []
        self.parent: list[int] = []
        self.last: list[int] = []
        self.children: list[list[int]] = []
        self.history_parent: list[int] = []
        self.number: dict[str, int] = {}
        self._number_all()
        self.history_targets = [self._targets(each.targets) for each in self.histories]
        self.histories_of: dict[int, list[int]] = {}
        for history, parent in enumerate(self.history_parent):
            self.histories_of.setdefault(parent, []).append(history)
        self.initial = [self._initial(state) for state in range(len(self.states))]
        self.variables = {each.name: i for i, each in enumerate(chart.data)}
        self.spans = {s.id: (i, self.last[i]) for i, s in enumerate(self.states) if i != ROOT}
        self.spans |= {each.id: (1, 0) for each in self.histories}
        self.timers: list[int] = []
        self.caps: list[int] = []
        self._timer: dict[tuple[int, type], int] = {}
        self.timers_of: dict[int, list[int]] = {}
        self.idle_of: dict[int, int] = {}
        self.arcs = self._arcs()
        self.forgettable = [self._forgettable(each) for each in range(len(self.histories))]
        self.watched = self._watched()

    # ---- numbers

    def _number_all(self) -> None:
        numbers: dict[int, int] = {}
        for node, parent in walk(self.chart.root):
            around = ROOT if parent is None else numbers[id(parent)]
            if isinstance(node, History):
                self.number[node.id] = self.history_target(len(self.histories))
                self.histories.append(node)
                self.history_parent.append(around)
                continue
            number = numbers[id(node)] = self.number[node.id] = len(self.states)
            self.states.append(node)
            self.parent.append(around)
            self.last.append(number)
            self.children.append([])
            if number != ROOT:
                self.children[around].append(number)
        for number in range(len(self.states) - 1, ROOT, -1):
            around = self.parent[number]
            self.last[around] = max(self.last[around], self.last[number])

    @staticmethod
    def history_target(history: int) -> int:
        """A history as a target: below 0, and its own opposite."""
        return -history - 1

    def _targets(self, targets: Iterable[str]) -> tuple[int, ...]:
        return tuple(self.number[each] for each in targets)

    def _initial(self, number: int) -> tuple[int, ...]:
        state = self.states[number]
        if not state.compound:
            return ()
        return self._targets(state.initial) or (self.children[number][0],)

    def inside(self, one: int, other: int) -> bool:
        """Whether a state is inside another."""
        return other < one <= self.last[other]

    def around(self, number: int) -> Iterator[int]:
        """The states around one, from the inside out, the root last."""
        while number != ROOT:
            number = self.parent[number]
            yield number

    def final(self, number: int) -> bool:
        """Whether a state is final."""
        return self.states[number].kind == "final"

    def parallel(self, number: int) -> bool:
        """Whether a state is parallel."""
        return self.states[number].kind == "parallel"

    def ends(self, number: int) -> bool:
        """Whether the chart is done when it is in this state."""
        return self.final(number) and self.parent[number] == ROOT

    # ---- transitions

    def _arcs(self) -> dict[str | None, dict[int, tuple[Arc, ...]]]:
        by_state: dict[str | None, dict[int, list[Arc]]] = {}
        for number, (state, transition) in enumerate(transitions_of(self.chart.root)):
            arc = self._arc(number, self.number[state.id], transition)
            events: tuple[str | None, ...] = transition.events or (None,)
            for event in dict.fromkeys(events):
                by_state.setdefault(event, {}).setdefault(arc.source, []).append(arc)
        return {event: self._by_leaf(arcs) for event, arcs in by_state.items()}

    def _arc(self, number: int, source: int, transition: Transition) -> Arc:
        guards: list[Expression] = []
        if transition.after is not None:
            guards.append(After(transition.after))
        if transition.idle is not None:
            guards.append(Idle(transition.idle))
        if transition.guard is not None:
            guards.append(transition.guard)
        guard = self.evaluation(And(tuple(guards)), source) if guards else None
        if len(guards) == 1:
            guard = self.evaluation(guards[0], source)
        targets = self._targets(transition.targets)
        return Arc(number, source, targets, guard, transition)

    def _by_leaf(self, arcs: dict[int, list[Arc]]) -> dict[int, tuple[Arc, ...]]:
        found: dict[int, tuple[Arc, ...]] = {}
        for source in arcs:
            for leaf in range(source, self.last[source] + 1):
                if not self.children[leaf] and leaf not in found:
                    path = (leaf, *self.around(leaf))
                    found[leaf] = tuple(arc for each in path for arc in arcs.get(each, ()))
        return found

    def evaluation(self, expression: Expression, source: int = ROOT) -> Evaluation:
        """An expression as a function; of the timers of `source`."""
        found, _ = resolved(expression, self.chart.names)
        return evaluation(found, self.variables, self.spans, lambda each: self._timed(each, source))

    def _timed(self, each: After | Idle, source: int) -> tuple[int, int]:
        ticks = self.ticks(each.seconds)
        key = (source, type(each))
        if key not in self._timer:
            self._timer[key] = len(self.timers)
            self.timers_of.setdefault(source, []).append(len(self.timers))
            self.timers.append(source)
            self.caps.append(0)
            if isinstance(each, Idle):
                self.idle_of[source] = self._timer[key]
        number = self._timer[key]
        self.caps[number] = max(self.caps[number], ticks)
        return number, ticks

    def ticks(self, seconds: Fraction) -> int:
        """A duration of the chart, in ticks."""
        return int(seconds / (self.chart.period or 1))

    # ---- what makes no difference

    def _forgettable(self, history: int) -> bool:
        parent, target = self.history_parent[history], self.history_target(history)
        return not any(
            target in self._targets(transition.targets)
            and (state.id == self.states[parent].id or self.inside(self.number[state.id], parent))
            for state, transition in transitions_of(self.chart.root)
        )

    def _watched(self) -> bool:
        asked: list[Expression] = []
        for each in actions_of(self.chart.root):
            if isinstance(each, Assign):
                asked.append(each.value)
            elif isinstance(each, Choice):
                asked += [guard for guard, _ in each.branches if guard is not None]
        return any(isinstance(part, In) for each in asked for part in parts_of(each))
