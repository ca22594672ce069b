"""What a statechart is made of: actions, states, histories, transitions, variables; and walks over
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal as OneOf

from vsafsm.errors import Location
from vsafsm.machine import listed
from vsafsm.statecharts.expressions import (
    KINDS,
    After,
    Expression,
    Idle,
    Kind,
    Value,
    kind_of,
    parts_of,
)

# ---- actions


@dataclass(frozen=True, slots=True)
class Output:
    """Put out a name; the chart itself does not hear it."""

    name: str
    place: Location | None = None


@dataclass(frozen=True, slots=True)
class Raise:
    """Put an event on the internal queue, which is taken before the macrostep ends. One that no
    transition of the chart names is an output.
    """

    event: str
    place: Location | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Put an event on the external queue, which is taken when the macrostep has ended, `delay`
    seconds later. One that no transition of the chart names is an output. `id` is what `Cancel`
    knows it by.
    """

    event: str
    delay: Fraction = Fraction(0)
    id: str | None = None
    place: Location | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Forget the events of one `Send.id` whose delay has not passed."""

    id: str
    place: Location | None = None


@dataclass(frozen=True, slots=True)
class Assign:
    """Give a variable a value."""

    variable: str
    value: Expression
    place: Location | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The actions of the first branch whose guard holds; a guard of None always does."""

    branches: tuple[tuple[Expression | None, Actions], ...]
    place: Location | None = None


@dataclass(frozen=True, slots=True)
class Fail:
    """Put an error event on the internal queue, and skip the rest of the `Block`. One that no
    transition of the chart names is forgotten.
    """

    event: str
    place: Location | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Actions of which a `Fail` among them skips the rest, also from inside a `Choice`."""

    actions: Actions
    place: Location | None = None


Action = Output | Raise | Send | Cancel | Assign | Choice | Fail | Block
Actions = tuple[Action, ...]

# ---- states


@dataclass(frozen=True, slots=True)
class Transition:
    """A transition of the state that has it.

    Parameters
    ----------
    events
        The events that it is taken on, as they are written; none for one that is taken as soon as
        its guard holds.
    targets
        Ids of states or histories; none stays, without leaving or entering anything. Several lie
        in different regions.
    guard
        A truth value; None always holds.
    actions
        Run after the exit actions of the states that are left, before the entry actions of those
        that are entered.
    internal
        Whether targets inside the state are entered without leaving that state.
    leaves
        What is left where the nearest state around the source and the targets is parallel: that
        ``"state"`` too (SCXML), all its ``"regions"`` (XState), or the source's ``"region"`` alone
        (sismic).
    after
        Seconds that the state has to have been active for.
    idle
        Seconds since the state was entered or last took a transition of its own.
    place, target_place
        Where it stands, for errors.
    """

    events: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    guard: Expression | None = None
    actions: Actions = ()
    internal: bool = False
    leaves: OneOf["state", "regions", "region"] = "state"
    after: Fraction | None = None
    idle: Fraction | None = None
    place: Location | None = None
    target_place: Location | None = None


@dataclass(frozen=True, slots=True)
class History:
    """Stands for the states inside its parent that were active when that was left last.

    Parameters
    ----------
    id
        Unique in the chart.
    targets
        What is entered where the parent was never left: at least one id.
    deep
        Whether the innermost states are remembered, or the parent's children.
    actions
        Run when `targets` are entered.
    place
        Where it stands, for errors.
    """

    id: str
    targets: tuple[str, ...] = ()
    deep: bool = False
    actions: Actions = ()
    place: Location | None = None


@dataclass(frozen=True, slots=True)
class State:
    """A state: atomic without children, else compound, or parallel with a region for each child.

    Parameters
    ----------
    id
        Unique in the chart: what targets and ``in(...)`` say.
    children
        States and histories, in order.
    kind
        ``"state"``, ``"parallel"`` or ``"final"``. A final state is never left by itself; that of
        a compound state makes ``done.state.ID`` of it.
    name
        What configurations call it; by default its id.
    initial
        Ids of what is entered with a compound state: descendants at any depth, by default its
        first child.
    initial_actions
        Run when `initial` is entered.
    entry, exit
        Actions.
    outputs
        Moore outputs: names that are put out while it is active.
    transitions
        In order: the first that holds is taken, before those of states around it.
    place, initial_place
        Where it stands, for errors.
    """

    id: str
    children: tuple[State | History, ...] = ()
    kind: OneOf["state", "parallel", "final"] = "state"
    name: str = ""
    initial: tuple[str, ...] = ()
    initial_actions: Actions = ()
    entry: Actions = ()
    exit: Actions = ()
    outputs: tuple[str, ...] = ()
    transitions: tuple[Transition, ...] = ()
    place: Location | None = None
    initial_place: Location | None = None

    @property
    def states(self) -> tuple[State, ...]:
        """Its children that are states."""
        return tuple(child for child in self.children if isinstance(child, State))

    @property
    def compound(self) -> bool:
        """Whether one of its children is active with it."""
        return self.kind == "state" and bool(self.states)

    @property
    def called(self) -> str:
        """What configurations call it."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable and the values that it can have.

    Parameters
    ----------
    name
        Unique in the chart.
    initial
        A whole number, a truth value or a text.
    values
        A `range` of whole numbers, or a tuple of texts or truth values. None stands for all that
        are reached.
    place
        Where it is declared, for errors.
    """

    name: str
    initial: Value
    values: range | tuple[Value, ...] | None = None
    place: Location | None = None

    @property
    def kind(self) -> Kind:
        """``"number"``, ``"truth"`` or ``"text"``."""
        return kind_of(self.initial)

    @property
    def texts(self) -> tuple[str, ...] | None:
        """The declared values of a variable of texts."""
        if self.kind != "text" or self.values is None:
            return None
        return tuple(map(str, self.values))

    def can_be(self, value: Value) -> bool:
        """Whether it can have `value`."""
        return kind_of(value) == self.kind and (self.values is None or value in self.values)

    @property
    def expected(self) -> str:
        """Its values, for an error."""
        if isinstance(self.values, range):
            return f"{self.values.start}..{self.values.stop - 1}"
        if self.kind == "truth" or self.values is None:
            return KINDS[self.kind]
        return listed([str(each) for each in self.values])


# ---- walks


def walk(root: State) -> Iterator[tuple[State | History, State | None]]:
    """Each state and history with its parent, in document order; first the root."""
    pending: list[tuple[State | History, State | None]] = [(root, None)]
    while pending:
        node, parent = pending.pop()
        yield node, parent
        if isinstance(node, State):
            pending += [(child, node) for child in reversed(node.children)]


def transitions_of(root: State) -> Iterator[tuple[State, Transition]]:
    """Every transition with its state, in document order; those of every state last."""
    for node, _ in walk(root):
        if isinstance(node, State) and node is not root:
            for each in node.transitions:
                yield node, each
    for each in root.transitions:
        yield root, each


def blocks_of(root: State) -> Iterator[Actions]:
    """Every sequence of actions, except those inside others."""
    for node, _ in walk(root):
        if isinstance(node, State):
            yield from (node.initial_actions, node.entry, node.exit)
            yield from (each.actions for each in node.transitions)
        else:
            yield node.actions


def actions_of(root: State) -> Iterator[Action]:
    """Every action, those inside choices too."""
    pending = [each for block in blocks_of(root) for each in block]
    pending.reverse()
    while pending:
        each = pending.pop()
        yield each
        if isinstance(each, Block):
            pending += reversed(each.actions)
        elif isinstance(each, Choice):
            inner = [action for _, actions in each.branches for action in actions]
            pending += reversed(inner)


def durations_of(root: State) -> Iterator[tuple[Fraction, Location | None]]:
    """Every duration in seconds, with its place."""
    for _, each in transitions_of(root):
        for seconds in (each.after, each.idle):
            if seconds is not None:
                yield seconds, each.place
        if each.guard is not None:
            for part in parts_of(each.guard):
                if isinstance(part, After | Idle):
                    yield part.seconds, each.place
    for action in actions_of(root):
        if isinstance(action, Send) and action.delay:
            yield action.delay, action.place
