"""A statechart: frozen, checked when built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm

from vsafsm.errors import Location, SyntaxSpecError
from vsafsm.machine import check_name
from vsafsm.statecharts.checks import (
    check_actions,
    check_data,
    check_inputs,
    check_time,
    check_tree,
)
from vsafsm.statecharts.expressions import Names
from vsafsm.statecharts.parts import (
    Fail,
    History,
    Raise,
    Send,
    State,
    Transition,
    Variable,
    actions_of,
    durations_of,
    transitions_of,
    walk,
)

DONE = "done.state."
"""What the event begins with that says that a state is done; its id follows."""
ACCEPT = "accept"
"""What a final state at the top puts out when it is entered."""


@dataclass(frozen=True)
class Statechart:
    """A statechart with bounded data and time.

    Parameters
    ----------
    name
        Its name.
    states
        The states at the top, in order; one of them is active. A chart of regions has one, of kind
        ``"parallel"``.
    initial
        Ids of what is entered at the start; by default the first state.
    transitions
        Those that every state has that has none of its own for the event: they are tried last.
    data
        Its variables.
    clock
        Seconds between two ticks; by default the greatest common divisor of all durations.
    inputs
        Events from outside, in order. By default those that some transition names, in order of
        appearance, but for ``done.state.ID`` and what the chart raises or sends itself.
    tick
        The input by which time passes, where there are durations.
    inner_rules_out
        Whether a transition rules out those of all states around its own, as in sismic and XState.
        In SCXML a state around several regions is asked for each of them that has none.
    between_regions
        Whether a transition may lead from one region of a parallel state to another one, which
        leaves that state and enters it anew, as in SCXML.
    compile_options
        Compile options that its machine gets.
    separate
        Whether its regions are meant as machines of their own: `vsafsm.systems.system_of`.
    place, initial_place
        Where it begins, and where `initial` stands, for errors.

    Raises
    ------
    SpecError
        One of its subclasses, for the first thing that does not fit, with its place.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from vsafsm.statecharts import State, Statechart, Transition
    >>> dim = State("dim", transitions=(Transition(("more",), ("bright",)),))
    >>> bright = State(
    ...     "bright", transitions=(Transition((), ("dim",), after=Fraction(1, 2)),)
    ... )
    >>> on = State("on", (dim, bright), transitions=(Transition(("power",), ("off",)),))
    >>> off = State("off", transitions=(Transition(("power",), ("on",)),))
    >>> lamp = Statechart("lamp", (off, on))
    >>> lamp.events, lamp.period
    (('power', 'more', 'tick'), Fraction(1, 2))
    """

    name: str
    states: tuple[State | History, ...]
    initial: tuple[str, ...] = ()
    transitions: tuple[Transition, ...] = ()
    data: tuple[Variable, ...] = ()
    clock: Fraction | None = None
    inputs: tuple[str, ...] | None = None
    tick: str = "tick"
    inner_rules_out: bool = False
    between_regions: bool = False
    compile_options: tuple[tuple[str, str | int | float], ...] = ()
    separate: bool = False
    place: Location | None = None
    initial_place: Location | None = None

    def __post_init__(self) -> None:
        check_name("machine", self.name)
        if not any(isinstance(child, State) for child in self.states):
            raise SyntaxSpecError("there is no state; expected at least one", self.place)
        check_tree(self.root, self.between_regions)
        check_data(self.data)
        check_actions(self.root, self.data, self.names)
        check_time(self.root, self.clock, self.tick)
        check_inputs(self.events, self.place)

    @cached_property
    def root(self) -> State:
        """The state around all others, which no configuration names."""
        return State(
            "",
            self.states,
            initial=self.initial,
            transitions=self.transitions,
            place=self.place,
            initial_place=self.initial_place,
        )

    @cached_property
    def nodes(self) -> Mapping[str, State | History]:
        """All states and histories by id, in document order."""
        return {node.id: node for node, _ in walk(self.root) if node is not self.root}

    @cached_property
    def named_events(self) -> tuple[str, ...]:
        """Every event that some transition names, in order of appearance."""
        return tuple(
            dict.fromkeys(event for _, each in transitions_of(self.root) for event in each.events)
        )

    @cached_property
    def events(self) -> tuple[str, ...]:
        """The inputs in order, with the tick last where there are durations."""
        ticks = (self.tick,) if self.durations else ()
        if self.inputs is not None:
            return self.inputs + ticks
        raised = Raise | Send | Fail
        own = {each.event for each in actions_of(self.root) if isinstance(each, raised)}
        own |= {DONE + each for each in self.nodes}
        return tuple(event for event in self.named_events if event not in own) + ticks

    @cached_property
    def durations(self) -> tuple[Fraction, ...]:
        """Every duration of the chart, in seconds."""
        return tuple(dict.fromkeys(seconds for seconds, _ in durations_of(self.root)))

    @cached_property
    def period(self) -> Fraction | None:
        """Seconds between two ticks; None where there are no durations."""
        if not self.durations:
            return None
        if self.clock is not None:
            return self.clock
        denominator = lcm(*(each.denominator for each in self.durations))
        return Fraction(gcd(*(int(each * denominator) for each in self.durations)), denominator)

    @cached_property
    def flat(self) -> bool:
        """Whether its states are all there is to know: no tree, data, time or eventless
        transitions.
        """
        nested = any(isinstance(s, History) or s.children for s in self.states)
        eventless = any(not each.events for _, each in transitions_of(self.root))
        return not (nested or eventless or self.data or self.durations)

    @cached_property
    def names(self) -> Names:
        """What the names of its expressions stand for."""
        return Names(
            {each.name: each.kind for each in self.data},
            {each.name: texts for each in self.data if (texts := each.texts) is not None},
            dict.fromkeys(self.nodes),
        )
