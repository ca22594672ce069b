"""Whether the parts of a statechart fit each other."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from vsafsm.errors import (
    BadNameError,
    Location,
    SpecError,
    TooLargeError,
    UnknownStateError,
    did_you_mean,
)
from vsafsm.machine import check_name, listed
from vsafsm.statecharts.expressions import (
    KINDS,
    After,
    Expression,
    Idle,
    Names,
    parts_of,
    resolved,
    unknown_variable,
)
from vsafsm.statecharts.parts import (
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
    Variable,
    blocks_of,
    durations_of,
    transitions_of,
    walk,
)

MAX_DEPTH = 64
"""Deepest nesting of states, and of choices among actions."""


def check_tree(root: State, between_regions: bool) -> None:
    """Raise a `SpecError` for the first state, history or target that does not fit; among them,
    unless `between_regions`, a target in another region than its source.
    """
    _Tree(root, between_regions).run()


class _Tree:
    def __init__(self, root: State, between_regions: bool) -> None:
        self.root, self.between_regions = root, between_regions
        self.parents: dict[str, State] = {}
        self.found: dict[str, State | History] = {}

    def run(self) -> None:
        depths = {id(self.root): 0}
        for node, parent in walk(self.root):
            if parent is None:
                continue
            depths[id(node)] = depths[id(parent)] + 1
            if depths[id(node)] > MAX_DEPTH:
                raise TooLargeError(f"states are nested deeper than {MAX_DEPTH} levels", node.place)
            self.node(node, parent)
        for node, _ in walk(self.root):
            if isinstance(node, History):
                self.history(node)
            elif node.initial:
                self.initial(node)
        for state, each in transitions_of(self.root):
            self.transition(state, each)

    def node(self, node: State | History, parent: State) -> None:
        kind = "history" if isinstance(node, History) else "state"
        try:
            check_name(kind, node.id)
            if isinstance(node, State) and node.name:
                check_name(kind, node.name)
        except BadNameError as error:
            raise BadNameError(error.message, node.place) from None
        if node.id in self.found:
            first = self.found[node.id].place
            told = f" (first in line {first.line})" if first else ""
            raise BadNameError(f'{kind} "{node.id}" is declared twice{told}', node.place)
        self.found[node.id] = node
        self.parents[node.id] = parent
        if isinstance(node, History):
            return
        shown = f'state "{node.id}"'
        if parent.kind == "parallel" and node.kind == "final":
            raise SpecError(
                f'{shown} is final, and a region of "{parent.id}"; expected a state that has it'
                " inside",
                node.place,
            )
        if node.kind == "final" and (node.children or node.transitions):
            has = "states inside" if node.children else "transitions"
            raise SpecError(f"{shown} is final and has {has}; expected none", node.place)
        if node.kind == "parallel" and not node.states:
            raise SpecError(f"{shown} is parallel without regions; expected some", node.place)
        if node.kind == "state" and node.children and not node.states:
            raise SpecError(
                f"{shown} has a history and no states; expected some to remember", node.place
            )
        if node.initial and not node.compound:
            raise SpecError(
                f"{shown} has an initial state and no states to choose from; expected none",
                node.initial_place or node.place,
            )
        for output in node.outputs:
            _check_output(output, node.place)

    def history(self, node: History) -> None:
        if not node.targets:
            raise SpecError(
                f'history "{node.id}" has no default; expected the state that it stands for while'
                " there is nothing to remember",
                node.place,
            )
        parent = self.parents[node.id]
        self.targets(node.targets, node.place)
        for target in node.targets:
            if parent.id not in self.around(target):
                raise SpecError(
                    f'history "{node.id}" of state "{parent.id}" stands for "{target}", which is'
                    " not inside it; expected a state inside it",
                    node.place,
                )
            if target == node.id or isinstance(self.found[target], History):
                raise SpecError(
                    f'history "{node.id}" stands for the history "{target}"; expected a state',
                    node.place,
                )

    def initial(self, state: State) -> None:
        place = state.initial_place or state.place
        self.targets(state.initial, place)
        for target in state.initial:
            if state.id not in self.around(target):
                shown = f'state "{state.id}"' if state.id else "the chart"
                raise SpecError(
                    f'the initial state "{target}" of {shown} is not inside it; expected one of its'
                    " states",
                    place,
                )

    def transition(self, state: State, each: Transition) -> None:
        for event in each.events:
            try:
                check_name("input", event)
            except BadNameError as error:
                raise BadNameError(error.message, each.place) from None
        place = each.target_place or each.place
        self.targets(each.targets, place)
        regions = {} if self.between_regions else self.regions(state.id)
        for target in each.targets:
            for parallel, region in self.regions(target).items():
                if regions.get(parallel, region) != region:
                    raise SpecError(
                        f'a transition of state "{state.id}" leads to "{target}" in another region'
                        f' of "{parallel}"; expected a target in its own region, or outside of'
                        f' "{parallel}"',
                        place,
                    )

    def targets(self, targets: tuple[str, ...], place: Location | None) -> None:
        """Whether targets are there and can all be active at once."""
        for target in targets:
            if target not in self.found:
                known = list(self.found)
                hint = did_you_mean(target, known)
                raise UnknownStateError(
                    f'unknown state "{target[:80]}"; expected {listed(known)}{hint}', place
                )
        for i, one in enumerate(targets):
            for other in targets[:i]:
                if not self.apart(one, other):
                    raise SpecError(
                        f'targets "{other}" and "{one}" are not in different regions of one'
                        " parallel state; expected one of them",
                        place,
                    )

    def around(self, node: str) -> list[str]:
        """Ids of the states around one, from the inside out, the root's last."""
        found = []
        parent: State | None = self.parents[node]
        while parent is not None:
            found.append(parent.id)
            parent = self.parents.get(parent.id)
        return found

    def parallel(self, node: str) -> bool:
        found = self.found.get(node)
        return isinstance(found, State) and found.kind == "parallel"

    def regions(self, node: str) -> dict[str, str]:
        """Each parallel state around a node, with the region that the node is in."""
        path = [node, *self.around(node)] if node else []
        return {outer: inner for inner, outer in pairwise(path) if self.parallel(outer)}

    def apart(self, one: str, other: str) -> bool:
        """Whether two nodes are in different regions of one parallel state."""
        around = {other, *self.around(other)}
        common = next(each for each in (one, *self.around(one)) if each in around)
        return common not in (one, other) and self.parallel(common)


def _check_output(name: str, place: Location | None) -> None:
    try:
        check_name("output", name)
    except BadNameError as error:
        raise BadNameError(error.message, place) from None


def check_data(data: tuple[Variable, ...]) -> None:
    """Raise a `SpecError` for the first variable that does not fit."""
    found: set[str] = set()
    for each in data:
        if each.name in found:
            raise BadNameError(f'variable "{each.name}" is declared twice', each.place)
        found.add(each.name)
        if not each.name.isidentifier():
            raise BadNameError(
                f'variable name "{each.name[:80]}" is no word; expected letters, digits and _',
                each.place,
            )
        if each.values is not None and not each.values:
            raise SpecError(f'variable "{each.name}" has no values; expected some', each.place)
        if not each.can_be(each.initial):
            raise SpecError(
                f'variable "{each.name}" is {each.initial!r} at the start; expected'
                f" {each.expected}",
                each.place,
            )


def check_actions(root: State, data: tuple[Variable, ...], names: Names) -> None:
    """Raise a `SpecError` for the first action or guard that does not fit the variables and the
    states.
    """
    _Actions(root, data, names).run()


class _Actions:
    def __init__(self, root: State, data: tuple[Variable, ...], names: Names) -> None:
        self.root, self.names = root, names
        self.variables = {each.name: each for each in data}

    def run(self) -> None:
        for block in blocks_of(self.root):
            self.block(block, 0)
        for _, each in transitions_of(self.root):
            if each.guard is not None:
                self.guard(each.guard, each.place, times=True)

    def guard(self, guard: Expression, place: Location | None, times: bool) -> None:
        _, kind = resolved(guard, self.names, place)
        if kind != "truth":
            raise SpecError(f"a guard is {KINDS[kind]}; expected {KINDS['truth']}", place)
        if not times and any(isinstance(part, After | Idle) for part in parts_of(guard)):
            raise SpecError("after(...) stands in an action; expected it in a guard", place)

    def block(self, actions: Actions, depth: int, inside: bool = False) -> None:
        for each in actions:
            if isinstance(each, Output):
                _check_output(each.name, each.place)
            elif isinstance(each, Raise | Send | Fail):
                _check_output(each.event, each.place)
                if isinstance(each, Fail) and not inside:
                    raise SpecError(
                        f'"{each.event}" fails outside of a block; expected a block around it',
                        each.place,
                    )
            elif isinstance(each, Block):
                self.deeper(each.place, depth)
                self.block(each.actions, depth + 1, inside=True)
            elif isinstance(each, Assign):
                self.assign(each)
            elif isinstance(each, Choice):
                self.deeper(each.place, depth)
                for guard, inner in each.branches:
                    if guard is not None:
                        self.guard(guard, each.place, times=False)
                    self.block(inner, depth + 1, inside)

    def deeper(self, place: Location | None, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise TooLargeError(f"actions are nested deeper than {MAX_DEPTH} levels", place)

    def assign(self, each: Assign) -> None:
        if each.variable not in self.variables:
            raise SpecError(unknown_variable(each.variable, list(self.variables)), each.place)
        variable = self.variables[each.variable]
        value, kind = resolved(each.value, self.names, each.place)
        if any(isinstance(part, After | Idle) for part in parts_of(value)):
            raise SpecError("after(...) is assigned; expected it in a guard", each.place)
        if kind != variable.kind:
            raise SpecError(
                f'variable "{each.variable}" is set to {KINDS[kind]}; expected'
                f" {KINDS[variable.kind]}",
                each.place,
            )


def check_time(root: State, clock: Fraction | None, tick: str) -> None:
    """Raise a `SpecError` for the first duration that is none, or no multiple of the `clock`, or
    for an event that is called as the `tick`.
    """
    if clock is not None and clock <= 0:
        raise SpecError(f"the clock is {_seconds(clock)}; expected more than 0 s", root.place)
    timed = False
    for seconds, place in durations_of(root):
        timed = True
        if seconds <= 0:
            raise SpecError(f"a duration is {_seconds(seconds)}; expected more than 0 s", place)
        if clock is not None and seconds % clock:
            raise SpecError(
                f"a duration is {_seconds(seconds)}, and the clock {_seconds(clock)}; expected a"
                " multiple of the clock",
                place,
            )
    for _, each in transitions_of(root):
        if timed and tick in each.events:
            raise SpecError(
                f'event "{tick}" is the input by which time passes; expected another name',
                each.place,
            )


def check_inputs(inputs: tuple[str, ...], place: Location | None) -> None:
    """Raise a `BadNameError` for the first input that cannot be one, or is there twice."""
    seen: set[str] = set()
    for name in inputs:
        check_name("input", name)
        if name in seen:
            raise BadNameError(f'input "{name}" is declared twice', place)
        seen.add(name)


def _seconds(seconds: Fraction) -> str:
    return f"{float(seconds):g} s"
