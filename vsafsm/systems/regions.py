"""The regions of a statechart as machines of their own: a system, whose cost adds up.

What a region raises, others get one round later. Nothing else may pass between regions: a guard
over another region's states, data that two of them use, or a target in another region would need
them in one machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from vsafsm.errors import Location, NotExpressibleError
from vsafsm.statecharts.chart import DONE, Statechart
from vsafsm.statecharts.expressions import Expression, In, Name, parts_of
from vsafsm.statecharts.flattening import MOST_CONFIGURATIONS, flatten
from vsafsm.statecharts.parts import (
    Action,
    Actions,
    Assign,
    Block,
    Choice,
    Fail,
    History,
    Output,
    Raise,
    Send,
    State,
    Transition,
    actions_of,
    durations_of,
    transitions_of,
    walk,
)
from vsafsm.systems.system import System


def system_of(chart: Statechart, most: int = MOST_CONFIGURATIONS) -> System:
    """A machine for each region of a chart.

    Parameters
    ----------
    chart
        One with a single parallel state at the top.
    most
        Most configurations of each region.

    Raises
    ------
    NotExpressibleError
        If something but raised events passes between regions; with its place.
    SpecError
        As `vsafsm.statecharts.flatten` does.

    Examples
    --------
    >>> from vsafsm.statecharts import Raise, State, Statechart, Transition
    >>> opened = Transition(("handle",), ("open",), actions=(Raise("opened"),))
    >>> door = State("door", (State("shut", transitions=(opened,)), State("open")))
    >>> lit = Transition(("opened",), ("on",))
    >>> lamp = State("lamp", (State("off", transitions=(lit,)), State("on")))
    >>> house = system_of(Statechart("house", (State("house", (door, lamp), kind="parallel"),)))
    >>> house.run(["handle"]).states
    (('door.shut', 'lamp.off'), ('door.open', 'lamp.on'))
    """
    regions = [_Region(chart, state) for state in _top(chart).states]
    _check_shared(chart, regions)
    _check_data(regions)
    machines = []
    for region in regions:
        others = [each for each in regions if each is not region]
        region.check(others)
        machines.append(flatten(region.alone(others), most))
    return System(chart.name, tuple(machines))


def _top(chart: Statechart) -> State:
    """The parallel state that all regions are in."""
    found = chart.states[0]
    if len(chart.states) > 1 or not isinstance(found, State) or found.kind != "parallel":
        raise NotExpressibleError(
            f'chart "{chart.name}" is no parallel state at the top; expected regions to keep apart',
            chart.place,
        )
    for what, has in (
        ("transitions", found.transitions),
        ("entry actions", found.entry),
        ("exit actions", found.exit),
        ("outputs", found.outputs),
        ("a history", [child for child in found.children if isinstance(child, History)]),
    ):
        if has:
            raise NotExpressibleError(
                f'state "{found.id}" around the regions has {what}, which belong to no region;'
                " expected them in a region",
                found.place,
            )
    return found


@dataclass(frozen=True, eq=False)
class _Region:
    chart: Statechart
    state: State

    @cached_property
    def ids(self) -> frozenset[str]:
        return frozenset(node.id for node, _ in walk(self.state))

    @cached_property
    def shared(self) -> tuple[Transition, ...]:
        """The transitions of every state that lead to this region."""
        return tuple(
            each
            for each in self.chart.transitions
            if each.targets and self.ids.issuperset(each.targets)
        )

    @cached_property
    def body(self) -> State:
        """The region below a root that has the transitions of every state."""
        return State("", (self.state,), transitions=self.shared)

    @cached_property
    def events(self) -> frozenset[str]:
        """Events that it has transitions for."""
        return frozenset(event for _, each in transitions_of(self.body) for event in each.events)

    @cached_property
    def raised(self) -> frozenset[str]:
        """Events that it raises."""
        kinds = Raise | Send | Fail
        return frozenset(a.event for a in actions_of(self.body) if isinstance(a, kinds))

    @cached_property
    def variables(self) -> frozenset[str]:
        names = {a.variable for a in actions_of(self.body) if isinstance(a, Assign)}
        declared = {each.name for each in self.chart.data}
        for expression, _ in self._expressions():
            names |= {part.name for part in parts_of(expression) if isinstance(part, Name)}
        return frozenset(names & declared)

    def check(self, others: list[_Region]) -> None:
        """Raise `NotExpressibleError` for what passes to another region."""
        for _, each in transitions_of(self.state):
            for target in each.targets:
                if target not in self.ids:
                    raise NotExpressibleError(
                        f'a transition leads to "{target}" in another region; expected a target in'
                        f' "{self.state.called}"',
                        each.target_place or each.place,
                    )
            for event in each.events:
                if event.startswith(DONE) and event.removeprefix(DONE) not in self.ids:
                    raise NotExpressibleError(
                        f'"{event}" is of another region; expected an event that this one raises',
                        each.place,
                    )
        for expression, place in self._expressions():
            for part in parts_of(expression):
                if isinstance(part, In) and part.state not in self.ids:
                    raise NotExpressibleError(
                        f'a guard looks at "{part.state}" in another region; expected one over'
                        f' "{self.state.called}", or regions in one machine',
                        place,
                    )
        theirs = frozenset().union(*(region.events for region in others))
        for action in actions_of(self.body):
            if isinstance(action, Output) and action.name in theirs:
                raise NotExpressibleError(
                    f'the output "{action.name}" is an event of another region; expected another'
                    " name, or that it is raised",
                    action.place,
                )

    def alone(self, others: list[_Region]) -> Statechart:
        """A chart of the region alone, which puts out what it raises for others."""
        theirs = frozenset().union(*(region.events for region in others))
        from_others = frozenset().union(*(region.raised for region in others))
        body = _rewritten(self.body, self.events, theirs)
        named = [event for event in self.chart.named_events if event in self.events]
        inputs = tuple(
            event
            for event in named
            if event in self.chart.events or (event in from_others and event != self.chart.tick)
        )
        timed = any(True for _ in durations_of(self.body))
        return Statechart(
            self.state.called,
            body.children,
            transitions=body.transitions,
            data=tuple(each for each in self.chart.data if each.name in self.variables),
            clock=self.chart.period if timed else None,
            inputs=inputs,
            tick=self.chart.tick,
            compile_options=self.chart.compile_options,
            place=self.state.place,
        )

    def _expressions(self) -> Iterator[tuple[Expression, Location | None]]:
        for _, each in transitions_of(self.body):
            if each.guard is not None:
                yield each.guard, each.place
        for action in actions_of(self.body):
            if isinstance(action, Assign):
                yield action.value, action.place
            if isinstance(action, Choice):
                for guard, _ in action.branches:
                    if guard is not None:
                        yield guard, action.place


def _check_shared(chart: Statechart, regions: list[_Region]) -> None:
    for each in chart.transitions:
        if not each.targets:
            raise NotExpressibleError(
                "a transition of every state leads nowhere, so that it belongs to no region;"
                " expected a target",
                each.place,
            )
        if not any(region.ids.issuperset(each.targets) for region in regions):
            raise NotExpressibleError(
                "a transition of every state leads to several regions; expected one for each",
                each.place,
            )


def _check_data(regions: list[_Region]) -> None:
    owner: dict[str, str] = {}
    for region in regions:
        for name in sorted(region.variables):
            before = owner.setdefault(name, region.state.called)
            if before != region.state.called:
                raise NotExpressibleError(
                    f'"{name}" is data of the regions "{before}" and "{region.state.called}";'
                    " expected data of one region, or regions in one machine",
                    region.state.place,
                )


def _rewritten(state: State, own: frozenset[str], theirs: frozenset[str]) -> State:
    """A state in which what is raised for other regions is put out."""

    def actions(several: Actions) -> Actions:
        return tuple(new for each in several for new in _passed_on(each, own, theirs))

    def transitions(several: tuple[Transition, ...]) -> tuple[Transition, ...]:
        return tuple(replace(each, actions=actions(each.actions)) for each in several)

    return replace(
        state,
        children=tuple(
            _rewritten(child, own, theirs)
            if isinstance(child, State)
            else replace(child, actions=actions(child.actions))
            for child in state.children
        ),
        initial_actions=actions(state.initial_actions),
        entry=actions(state.entry),
        exit=actions(state.exit),
        transitions=transitions(state.transitions),
    )


def _passed_on(action: Action, own: frozenset[str], theirs: frozenset[str]) -> Iterator[Action]:
    if isinstance(action, Choice):
        branches = tuple(
            (guard, tuple(new for each in several for new in _passed_on(each, own, theirs)))
            for guard, several in action.branches
        )
        yield replace(action, branches=branches)
        return
    if isinstance(action, Block):
        inner = tuple(new for each in action.actions for new in _passed_on(each, own, theirs))
        yield replace(action, actions=inner)
        return
    if isinstance(action, Fail) and action.event in theirs:
        yield Output(action.event, action.place)
    at_once = isinstance(action, Raise) or (isinstance(action, Send) and not action.delay)
    if not (isinstance(action, Raise | Send) and action.event in theirs):
        yield action
        return
    if not at_once:
        raise NotExpressibleError(
            f'"{action.event}" is sent to another region after a delay; expected an event that is'
            " raised at once",
            action.place,
        )
    if action.event in own:
        yield action
    yield Output(action.event, action.place)
