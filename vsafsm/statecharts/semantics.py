"""What a statechart does: the algorithm of W3C SCXML 1.0, appendix D.

An event is taken by the innermost state that has a transition for it whose guard holds, the first
in document order. In parallel regions each takes its own, unless two of them leave a common state:
then that of the inner state, or else the earlier one, is taken alone. Eventless transitions, and
the internal events that actions raise, follow until nothing is left; then what the chart has sent
itself. All of that is one `step`.

A step is taken from one `Snapshot` to another. What leaving and entering does depends on little,
and is kept: the states left on what was active inside the transition's domain, those entered on the
transition and what histories remember.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from vsafsm.errors import Location, SpecError, UnknownInputError, did_you_mean
from vsafsm.machine import Outputs, listed
from vsafsm.statecharts.chart import ACCEPT, DONE, Statechart
from vsafsm.statecharts.evaluation import Evaluation
from vsafsm.statecharts.expressions import MAX_NUMBER, Value
from vsafsm.statecharts.parts import (
    Action,
    Actions,
    Assign,
    Block,
    Cancel,
    Choice,
    Fail,
    Output,
    Raise,
    Send,
    Variable,
)
from vsafsm.statecharts.tables import ROOT, Arc, Tables

MOST_MICROSTEPS = 1000
"""Most microsteps of one step."""
MOST_PENDING = 100
"""Most delayed events that wait at once."""
FEW_MICROSTEPS = 50
"""Microsteps of one step from which on a cycle is looked for."""

_Histories = tuple[tuple[int, ...], ...]
Pending = tuple[int, str, str | None]
"""Ticks until an event comes, its name, and what it can be cancelled by."""


class Snapshot(NamedTuple):
    """All that a chart is between two events.

    Attributes
    ----------
    leaves
        Numbers of the innermost active states, in document order.
    histories
        For each history the states that it remembers; none where it stands for its default.
    data
        The value of each variable.
    ticks
        What each timer shows; 0 while its state is not active.
    pending
        Delayed events, the next one first.
    """

    leaves: tuple[int, ...]
    histories: tuple[tuple[int, ...], ...]
    data: tuple[Value, ...]
    ticks: tuple[int, ...]
    pending: tuple[Pending, ...]


class _SkippedError(Exception):
    """The rest of a block of actions is skipped."""


class _Run:
    """What changes during a step."""

    __slots__ = (
        "active",
        "data",
        "done",
        "entering",
        "external",
        "histories",
        "internal",
        "kept",
        "leaves",
        "outputs",
        "pending",
        "ticks",
    )

    def __init__(self, snapshot: Snapshot) -> None:
        self.leaves = snapshot.leaves
        self.histories = snapshot.histories
        self.data: list[Value] = [*snapshot.data]
        self.ticks = [*snapshot.ticks]
        self.pending = [*snapshot.pending]
        self.internal: deque[str] = deque()
        self.external: deque[str] = deque()
        self.outputs: list[str] = []
        self.done = False
        self.active: Sequence[int] = snapshot.leaves  # what actions see, where some look
        self.kept: tuple[int, ...] = ()  # innermost states that a microstep does not leave
        self.entering: tuple[int, ...] = ()  # and those that it enters


class _Domain(NamedTuple):
    """What a transition leaves: the active states from `first` to `last`. Those `around` stay."""

    first: int
    last: int
    around: int


_Work = tuple[tuple[int, tuple[Callable[[_Run], None], ...]], ...]
"""States in the order in which they are left or entered, each with what is run then."""


@dataclass(frozen=True, slots=True)
class _Exit:
    states: tuple[int, ...]
    work: _Work
    remembered: tuple[tuple[int, tuple[int, ...]], ...]
    timers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    states: tuple[int, ...]
    leaves: tuple[int, ...]
    work: _Work
    forgotten: tuple[int, ...]
    timers: tuple[int, ...]
    defaults: frozenset[int]


class Semantics:
    """The steps of one chart.

    Parameters
    ----------
    chart
        The chart.

    Examples
    --------
    >>> from vsafsm.statecharts import Output, State, Statechart, Transition
    >>> on = State("on", exit=(Output("click"),), transitions=(Transition(("press",), ("off",)),))
    >>> off = State("off", transitions=(Transition(("press",), ("on",)),))
    >>> steps = Semantics(Statechart("lamp", (off, on)))
    >>> start, _ = steps.start()
    >>> lit, _ = steps.step(start, "press")
    >>> steps.active(lit), steps.step(lit, "press")[1]
    (('on',), ('click',))
    """

    def __init__(self, chart: Statechart) -> None:
        self.chart = chart
        self.tables = Tables(chart)
        self._eventless = self.tables.arcs.get(None, {})
        self._exits: dict[tuple[_Domain, tuple[int, ...]], _Exit] = {}
        self._entries: dict[tuple[tuple[int, ...], _Domain, _Histories], _Entry] = {}
        self._all = _Domain(ROOT + 1, self.tables.last[ROOT], ROOT)
        self._domains: dict[tuple[int, _Histories], _Domain] = {}
        self._running: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._actions: dict[int, tuple[Callable[[_Run], None], ...]] = {}
        self._same: dict[tuple[int, tuple[int, ...]], bool] = {}
        self._within: dict[int, list[int]] = {}
        self._inputs = frozenset(chart.events)

    # ---- whole steps

    def start(self) -> tuple[Snapshot, Outputs]:
        """What the chart is at the start, and what it puts out on the way there.

        Raises
        ------
        SpecError
            As `step`.
        """
        tables = self.tables
        run = _Run(
            Snapshot(
                (),
                ((),) * len(tables.histories),
                tuple(each.initial for each in self.chart.data),
                (0,) * len(tables.timers),
                (),
            )
        )
        self._enter(run, [self._entry(tables.initial[ROOT], self._all, run.histories)])
        for action in self._compiled(self.chart.root.initial_actions):
            action(run)
        self._settle(run)
        return self._snapshot(run)

    def step(self, snapshot: Snapshot, event: str) -> tuple[Snapshot, Outputs]:
        """Where an input leads, and the Mealy outputs in the order in which they are put out.

        Raises
        ------
        UnknownInputError
            If the chart has no such input.
        SpecError
            If the step never ends, or a variable leaves its range.
        """
        if event not in self._inputs:
            known = self.chart.events
            hint = did_you_mean(event, known)
            raise UnknownInputError(f'unknown input "{event}"; expected {listed(known)}{hint}')
        if self.ended(snapshot):
            return snapshot, ()
        if event == self.chart.tick and self.chart.durations:
            return self._tick(snapshot)
        arcs = self.tables.arcs.get(event)
        if arcs is None or arcs.keys().isdisjoint(snapshot.leaves):
            return snapshot, ()
        run = _Run(snapshot)
        selected = self._selected(run, arcs)
        if not selected:
            return snapshot, ()
        self._microstep(run, selected)
        self._settle(run)
        return self._snapshot(run)

    def ended(self, snapshot: Snapshot) -> bool:
        """Whether a final state at the top is active."""
        return len(snapshot.leaves) == 1 and self.tables.ends(snapshot.leaves[0])

    def active(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Ids of the active states in document order."""
        tables = self.tables
        found = {*snapshot.leaves}
        for leaf in snapshot.leaves:
            found.update(tables.around(leaf))
        return tuple(tables.states[each].id for each in sorted(found - {ROOT}))

    def leaves(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Ids of the innermost active states in document order."""
        return tuple(self.tables.states[leaf].id for leaf in snapshot.leaves)

    def outputs(self, snapshot: Snapshot) -> Outputs:
        """Moore outputs of the active states in document order, each once."""
        tables = self.tables
        found = {*snapshot.leaves}
        for leaf in snapshot.leaves:
            found.update(tables.around(leaf))
        return tuple(
            dict.fromkeys(name for each in sorted(found) for name in tables.states[each].outputs)
        )

    def entered(self) -> frozenset[int]:
        """Numbers of the states that some step up to now has entered."""
        return frozenset(state for entry in self._entries.values() for state in entry.states)

    def running(self, leaves: tuple[int, ...]) -> tuple[int, ...]:
        """The timers of the active states."""
        found = self._running.get(leaves)
        if found is None:
            last = self.tables.last
            found = tuple(
                timer
                for timer, state in enumerate(self.tables.timers)
                if any(state <= leaf <= last[state] for leaf in leaves)
            )
            self._running[leaves] = found
        return found

    def _snapshot(self, run: _Run) -> tuple[Snapshot, Outputs]:
        if run.done:
            tables = self.tables
            histories, ticks = ((),) * len(tables.histories), (0,) * len(tables.timers)
            return Snapshot(run.leaves, histories, tuple(run.data), ticks, ()), tuple(run.outputs)
        return (
            Snapshot(
                run.leaves, run.histories, tuple(run.data), tuple(run.ticks), tuple(run.pending)
            ),
            tuple(run.outputs),
        )

    def _tick(self, snapshot: Snapshot) -> tuple[Snapshot, Outputs]:
        run = _Run(snapshot)
        for timer in self.running(snapshot.leaves):
            run.ticks[timer] = min(run.ticks[timer] + 1, self.tables.caps[timer])
        run.pending = [(ticks - 1, event, key) for ticks, event, key in snapshot.pending]
        if not run.pending or run.pending[0][0]:
            self._settle(run)
        while run.pending and run.pending[0][0] == 0 and not run.done:
            self._hear(run, run.pending.pop(0)[1])
            self._settle(run)
        return self._snapshot(run)

    def _settle(self, run: _Run) -> None:
        """Take microsteps until nothing is left to do."""
        arcs, count = self.tables.arcs, 0
        trail: dict[object, int] = {}
        fired: list[list[Arc]] = []
        while not run.done:
            selected = self._selected(run, self._eventless) if self._eventless else []
            if not selected:
                queue = run.internal or run.external
                if not queue:
                    break
                selected = self._selected(run, arcs.get(queue.popleft(), {}))
                if not selected:
                    continue
            self._microstep(run, selected)
            count += 1
            if count > FEW_MICROSTEPS:
                fired.append(selected)
                now = self._snapshot(run)[0], tuple(run.internal), tuple(run.external)
                if now in trail:
                    raise self._endless(fired[trail[now] + 1 :])
                trail[now] = len(fired) - 1
                if count > MOST_MICROSTEPS:
                    raise self._endless(fired[-FEW_MICROSTEPS:])

    def _endless(self, fired: list[list[Arc]]) -> SpecError:
        """The error for a step that takes these transitions for ever."""
        states, place = self.tables.states, None
        sources: dict[str, None] = {}
        for selected in fired:
            for arc in selected:
                sources[states[arc.source].id] = None
                place = place or arc.transition.place
        shown = " -> ".join(f'"{each}"' for each in [*sources, next(iter(sources))][:10])
        return SpecError(
            f"transitions follow each other by themselves without end: those of {shown}; expected"
            " one that waits for an event",
            place,
        )

    # ---- microsteps

    def _selected(self, run: _Run, arcs: dict[int, tuple[Arc, ...]]) -> list[Arc]:
        """The transitions that are taken: enabled, without conflicts."""
        found: list[Arc] = []
        for leaf in run.leaves:
            for arc in arcs.get(leaf, ()):
                if arc.guard is None or arc.guard(run.leaves, run.data, run.ticks):
                    if arc not in found:
                        found.append(arc)
                    break
        if len(found) < 2:
            return found
        if self.chart.inner_rules_out:
            inside, enabled = self.tables.inside, found
            found = [
                arc
                for arc in enabled
                if not any(inside(other.source, arc.source) for other in enabled)
            ]
        return self._without_conflicts(run, found)

    def _without_conflicts(self, run: _Run, enabled: list[Arc]) -> list[Arc]:
        inside = self.tables.inside
        kept: list[tuple[Arc, _Domain | None]] = []
        for arc in enabled:
            domain = self._domain(arc, run.histories) if arc.targets else None
            beaten: list[Arc] = []
            for other, its in kept:
                if domain is None or its is None:
                    continue
                if domain.first <= its.last and its.first <= domain.last:
                    if not inside(arc.source, other.source):
                        break
                    beaten.append(other)
            else:
                kept = [each for each in kept if each[0] not in beaten]
                kept.append((arc, domain))
        return [arc for arc, _ in kept]

    def _domain(self, arc: Arc, histories: _Histories) -> _Domain:
        """What a transition leaves, to enter its targets there."""
        key = (arc.number, histories if min(arc.targets) < 0 else ())
        found = self._domains.get(key)
        if found is None:
            found = self._domains[key] = self._found_domain(arc, histories)
        return found

    def _found_domain(self, arc: Arc, histories: _Histories) -> _Domain:
        tables, leaves = self.tables, arc.transition.leaves
        targets = self._effective(arc.targets, histories)
        around = tables.around(arc.source)
        if arc.transition.internal and tables.children[arc.source]:
            around = chain((arc.source,), around)
        inner = arc.source
        for each in around:
            parallel = tables.parallel(each)
            stays = not parallel or leaves != "state" or each == arc.source
            if stays and all(tables.inside(target, each) for target in targets):
                if parallel and leaves == "region" and each != arc.source:
                    last = tables.last[inner]
                    if all(inner <= target <= last for target in targets):
                        return _Domain(inner, last, each)
                return _Domain(each + 1, tables.last[each], each)
            inner = each
        return self._all

    def _effective(self, targets: tuple[int, ...], histories: _Histories) -> list[int]:
        """States in place of histories."""
        found: list[int] = []
        for each in targets:
            if each >= 0:
                found.append(each)
                continue
            history = self.tables.history_target(each)
            found += histories[history] or self._effective(
                self.tables.history_targets[history], histories
            )
        return found

    def _microstep(self, run: _Run, selected: list[Arc]) -> None:
        tables = self.tables
        moves = [
            (self._domain(arc, run.histories), arc.number, arc) for arc in selected if arc.targets
        ]
        if len(moves) > 1:
            moves.sort()
        if tables.watched:
            run.active = self._all_active(run.leaves)
        self._leave(run, [domain for domain, _, _ in reversed(moves)])
        for arc in selected:
            for action in self._of_arc(arc):
                action(run)
        if tables.timers:
            for arc in selected:
                if arc.source in tables.idle_of:
                    run.ticks[tables.idle_of[arc.source]] = 0
        if moves:
            histories = run.histories
            self._enter(
                run, [self._entry(arc.targets, domain, histories) for domain, _, arc in moves]
            )

    def _leave(self, run: _Run, domains: list[_Domain]) -> None:
        """Leave `domains`, none of which is inside another."""
        exits = []
        kept = run.leaves
        for domain in domains:
            first, last, _ = domain
            left = tuple([leaf for leaf in kept if first <= leaf <= last])
            kept = tuple([leaf for leaf in kept if not first <= leaf <= last])
            found = self._exits.get((domain, left))
            if found is None:
                found = self._exits[domain, left] = self._exit(domain, left)
            exits.append(found)
        run.leaves = kept
        for each in exits:
            if each.remembered:
                histories = [*run.histories]
                for history, states in each.remembered:
                    histories[history] = states
                run.histories = tuple(histories)
            for timer in each.timers:
                run.ticks[timer] = 0
        for each in exits:
            self._work(run, each.states, each.work, entering=False)

    def _enter(self, run: _Run, entries: list[_Entry]) -> None:
        run.kept = run.leaves
        for entry in entries:
            run.entering = run.entering + entry.leaves if len(entries) > 1 else entry.leaves
        for entry in entries:
            if entry.forgotten:
                histories = [*run.histories]
                for history in entry.forgotten:
                    histories[history] = ()
                run.histories = tuple(histories)
            for timer in entry.timers:
                run.ticks[timer] = 0
            self._work(run, entry.states, entry.work, entering=True)
        run.leaves = tuple(sorted(run.kept + run.entering)) if run.kept else run.entering
        run.entering = ()

    def _work(self, run: _Run, states: tuple[int, ...], work: _Work, entering: bool) -> None:
        if not self.tables.watched:
            for _, actions in work:
                for action in actions:
                    action(run)
            return
        by_state = dict(work)
        active = {*run.active}
        for state in states:
            if entering:
                active.add(state)
            run.active = sorted(active)
            for action in by_state.get(state, ()):
                action(run)
            if not entering:
                active.discard(state)
        run.active = sorted(active)

    def _all_active(self, leaves: tuple[int, ...]) -> list[int]:
        found = {*leaves}
        for leaf in leaves:
            found.update(self.tables.around(leaf))
        return sorted(found)

    # ---- what is left

    def _exit(self, domain: _Domain, leaves: tuple[int, ...]) -> _Exit:
        tables = self.tables
        found = {*leaves}
        for leaf in leaves:
            for each in tables.around(leaf):
                if each == domain.around:
                    break
                found.add(each)
        states = tuple(sorted(found, reverse=True))
        remembered = []
        for state in states:
            for history in tables.histories_of.get(state, ()):
                if tables.histories[history].deep:
                    inside = tuple(leaf for leaf in leaves if tables.inside(leaf, state))
                else:
                    inside = tuple(each for each in tables.children[state] if each in found)
                remembered.append((history, self._canonical(history, inside)))
        work = tuple(
            (state, actions)
            for state in states
            if (actions := self._compiled(tables.states[state].exit))
        )
        timers = [timer for state in states for timer in tables.timers_of.get(state, ())]
        return _Exit(states, work, tuple(remembered), tuple(timers))

    def _canonical(self, history: int, states: tuple[int, ...]) -> tuple[int, ...]:
        """Nothing in place of `states` where entering the default comes to the same."""
        tables = self.tables
        key = (history, states)
        if key not in self._same:
            self._same[key] = (
                tables.forgettable[history]
                and not tables.histories[history].actions
                and self._enters_alike(history, states)
            )
        return () if self._same[key] else states

    def _enters_alike(self, history: int, states: tuple[int, ...]) -> bool:
        tables = self.tables
        parent = tables.history_parent[history]
        if any(tables.inside(each, parent) for each in tables.histories_of):
            return tables.history_targets[history] == states and not tables.histories[history].deep
        target, empty = (tables.history_target(history),), [()] * len(tables.histories)
        remembering: list[tuple[int, ...]] = [*empty]
        remembering[history] = states
        domain = _Domain(parent + 1, tables.last[parent], parent)
        one, other = (
            self._made_entry(target, domain, tuple(each)) for each in (empty, remembering)
        )
        by_default = one.defaults ^ other.defaults
        return one.states == other.states and not any(
            tables.states[each].initial_actions for each in by_default
        )

    # ---- what is entered

    def _entry(self, targets: tuple[int, ...], domain: _Domain, histories: _Histories) -> _Entry:
        key = (targets, domain, self._relevant(domain.around, histories))
        found = self._entries.get(key)
        if found is None:
            found = self._entries[key] = self._made_entry(targets, domain, histories)
        return found

    def _relevant(self, around: int, histories: _Histories) -> _Histories:
        """What histories remember that can make a difference when states inside `around` are
        entered.
        """
        if not histories:
            return ()
        found = self._within.get(around)
        if found is None:
            end, parents = self.tables.last[around], self.tables.history_parent
            found = [h for h, parent in enumerate(parents) if around <= parent <= end]
            self._within[around] = found
        return tuple([histories[history] for history in found])

    def _made_entry(
        self, targets: tuple[int, ...], domain: _Domain, histories: _Histories
    ) -> _Entry:
        tables = self.tables
        entered = _Entered(tables, histories)
        for target in targets:
            entered.descendants(target)
        for target in self._effective(targets, histories):
            entered.ancestors(target, domain.around)
        around = domain.around
        if domain[:2] == (around + 1, tables.last[around]) and tables.parallel(around):
            entered.regions(around)
        states = tuple(sorted(entered.states))
        work = []
        for state in states:
            actions = [*self._compiled(tables.states[state].entry)]
            if tables.ends(state):
                actions.insert(0, _end)
            if state in entered.defaults:
                actions += self._compiled(tables.states[state].initial_actions)
            actions += self._compiled(entered.content.get(state, ()))
            if tables.final(state) and not tables.ends(state):
                actions += self._done(state)
            if actions:
                work.append((state, tuple(actions)))
        forgotten = [
            history
            for state in states
            for history in tables.histories_of.get(state, ())
            if tables.forgettable[history]
        ]
        return _Entry(
            states,
            tuple(state for state in states if not tables.children[state]),
            tuple(work),
            tuple(forgotten),
            tuple(timer for state in states for timer in tables.timers_of.get(state, ())),
            frozenset(entered.defaults),
        )

    def _done(self, final: int) -> list[Callable[[_Run], None]]:
        """What entering a final state inside others raises."""
        tables = self.tables
        parent = tables.parent[final]
        around = tables.parent[parent]
        one, other = (DONE + tables.states[each].id for each in (parent, around))
        found: list[Callable[[_Run], None]] = []
        if one in tables.arcs:
            found.append(lambda run: run.internal.append(one))
        if other in tables.arcs and tables.parallel(around):

            def done(run: _Run) -> None:
                leaves = {*run.kept, *(leaf for leaf in run.entering if leaf <= final)}
                if self._is_done(around, leaves):
                    run.internal.append(other)

            found.append(done)
        return found

    def _is_done(self, state: int, leaves: set[int]) -> bool:
        tables = self.tables
        children = tables.children[state]
        if tables.parallel(state):
            return all(self._is_done(child, leaves) for child in children)
        return any(child in leaves and tables.final(child) for child in children)

    # ---- actions

    def _of_arc(self, arc: Arc) -> tuple[Callable[[_Run], None], ...]:
        found = self._actions.get(arc.number)
        if found is None:
            found = self._actions[arc.number] = self._compiled(arc.transition.actions)
        return found

    def _compiled(self, actions: Actions) -> tuple[Callable[[_Run], None], ...]:
        return tuple(map(self._action, actions))

    def _action(self, action: Action) -> Callable[[_Run], None]:
        if isinstance(action, Output):
            name = action.name
            return lambda run: run.outputs.append(name)
        if isinstance(action, Assign):
            variable = self.chart.data[self.tables.variables[action.variable]]
            number = self.tables.variables[action.variable]
            value = self.tables.evaluation(action.value)
            return lambda run: _assign(run, number, variable, value, action.place)
        if isinstance(action, Choice):
            return self._choice(action)
        if isinstance(action, Cancel):
            key = action.id
            return lambda run: _cancel(run, key)
        if isinstance(action, Block):
            return self._block(action)
        if isinstance(action, Fail):
            return self._fail(action)
        return self._event(action)

    def _choice(self, action: Choice) -> Callable[[_Run], None]:
        branches = [
            (None if guard is None else self.tables.evaluation(guard), self._compiled(actions))
            for guard, actions in action.branches
        ]

        def choose(run: _Run) -> None:
            for guard, actions in branches:
                if guard is None or guard(run.active, run.data, run.ticks):
                    for each in actions:
                        each(run)
                    return

        return choose

    def _block(self, action: Block) -> Callable[[_Run], None]:
        actions = self._compiled(action.actions)

        def block(run: _Run) -> None:
            with suppress(_SkippedError):
                for each in actions:
                    each(run)

        return block

    def _fail(self, action: Fail) -> Callable[[_Run], None]:
        event, heard = action.event, action.event in self.tables.arcs

        def fail(run: _Run) -> None:
            if heard:
                run.internal.append(event)
            raise _SkippedError

        return fail

    def _event(self, action: Raise | Send) -> Callable[[_Run], None]:
        event = action.event
        if isinstance(action, Send) and action.delay:
            pending = (self.tables.ticks(action.delay), event, action.id)

            def send(run: _Run) -> None:
                if len(run.pending) >= MOST_PENDING:
                    raise SpecError(
                        f'event "{event}" is sent with a delay while {MOST_PENDING} others wait;'
                        " expected fewer",
                        action.place,
                    )
                run.pending.append(pending)
                run.pending.sort(key=_when)

            return send
        if event not in self.tables.arcs:
            return lambda run: run.outputs.append(event)
        if isinstance(action, Send):
            return lambda run: run.external.append(event)
        return lambda run: run.internal.append(event)

    def _hear(self, run: _Run, event: str) -> None:
        """An event whose delay has passed."""
        (run.external if event in self.tables.arcs else run.outputs).append(event)


class _Entered:
    """The states that a transition enters, as the algorithm adds them."""

    def __init__(self, tables: Tables, histories: _Histories) -> None:
        self.tables, self.histories = tables, histories
        self.states: set[int] = set()
        self.defaults: set[int] = set()
        self.content: dict[int, Actions] = {}

    def descendants(self, target: int) -> None:
        """Add a target and what is entered inside it."""
        tables = self.tables
        if target < 0:
            history = tables.history_target(target)
            parent, remembered = tables.history_parent[history], self.histories[history]
            if not remembered:
                remembered = tables.history_targets[history]
                self.content[parent] = tables.histories[history].actions
            self._all(remembered, parent)
            return
        self.states.add(target)
        if tables.states[target].compound:
            self.defaults.add(target)
            self._all(tables.initial[target], target)
        elif tables.parallel(target):
            self.regions(target)

    def _all(self, targets: Sequence[int], around: int) -> None:
        for each in targets:
            self.descendants(each)
        for each in targets:
            self.ancestors(each, around)

    def ancestors(self, target: int, domain: int) -> None:
        """Add the states around one up to `domain`, and the other regions of parallel ones."""
        tables = self.tables
        path = tables.around(target)
        if target < 0:
            parent = tables.history_parent[tables.history_target(target)]
            path = chain((parent,), tables.around(parent))
        for each in path:
            if each == domain:
                return
            self.states.add(each)
            if tables.parallel(each):
                self.regions(each)

    def regions(self, parallel: int) -> None:
        """Add the regions in which nothing is entered yet."""
        tables = self.tables
        for child in tables.children[parallel]:
            if not any(tables.inside(each, child) for each in self.states):
                self.descendants(child)


def _end(run: _Run) -> None:
    run.done = True
    run.outputs.append(ACCEPT)


def _when(pending: Pending) -> int:
    return pending[0]


def _cancel(run: _Run, key: str) -> None:
    run.pending = [each for each in run.pending if each[2] != key]


def _assign(
    run: _Run, number: int, variable: Variable, value: Evaluation, place: Location | None
) -> None:
    found = value(run.active, run.data, run.ticks)
    if variable.kind == "number" and abs(int(found)) > MAX_NUMBER:
        raise SpecError(
            f'variable "{variable.name}" grows without end; expected at most {MAX_NUMBER}', place
        )
    if variable.values is not None and found not in variable.values:
        shown = found if variable.kind == "number" else f'"{found}"'
        raise SpecError(
            f'variable "{variable.name}" becomes {shown}; expected {variable.expected}', place
        )
    run.data[number] = found
