"""What libraries do otherwise than SCXML where there are parallel regions, said in SCXML's terms: a
transition of a state waits while one inside it is taken, in whichever region, where SCXML takes
both if one of them leaves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from vsafsm.errors import Location, NotImportableError
from vsafsm.statecharts import History, State, Transition
from vsafsm.statecharts.expressions import After, And, Expression, Idle, In, Not, Or, parts_of


class Tree:
    """Which state is around which.

    Parameters
    ----------
    parents
        For each id the id of the state around it, "" for those at the top.
    parallel
        Ids of the parallel states.
    """

    def __init__(self, parents: Mapping[str, str], parallel: Iterable[str]) -> None:
        self.parents = parents
        self.parallel = frozenset(parallel)

    def around(self, state: str) -> list[str]:
        """Ids of the states around one, from the inside out; "" last."""
        found = []
        while state:
            state = self.parents[state]
            found.append(state)
        return found

    def common(self, one: str, other: str) -> str:
        """The innermost state that is around both."""
        outer = {*self.around(other)}
        return next((each for each in self.around(one) if each in outer), "")

    def within(self, state: str, outer: str) -> bool:
        """Whether a state is another or inside it."""
        return not outer or state == outer or outer in self.around(state)

    def child(self, state: str, outer: str) -> str:
        """The child of `outer` that is, or has inside, a state inside `outer`."""
        path = [state, *self.around(state)]
        return path[path.index(outer) - 1]

    def partly(self, target: str, stays: str) -> str:
        """A parallel state that is entered on the way from `stays` to `target`, or ""; libraries
        enter no other region of it.
        """
        for each in self.around(target):
            if each == stays:
                break
            if each in self.parallel:
                return each
        return ""


def inner_first(
    states: tuple[State | History, ...], top: tuple[Transition, ...], *, eventless: bool
) -> tuple[tuple[State | History, ...], tuple[Transition, ...]]:
    """States and the transitions around them all, where each transition waits while one inside is
    taken in some region; `eventless` where those without events do so too.

    Raises
    ------
    NotImportableError
        If one would wait for a guard on time.
    """
    work = _InnerFirst(eventless)
    found = tuple(work.node(each) for each in states)
    inner = [one for _, its in found for one in its]
    return tuple(state for state, _ in found), work.waiting(top, inner)


@dataclass(frozen=True, slots=True)
class _Inner:
    """A transition inside; `beside` where a parallel state lies between."""

    source: str
    transition: Transition
    beside: bool


class _InnerFirst:
    def __init__(self, eventless: bool) -> None:
        self.eventless = eventless

    def node(self, node: State | History) -> tuple[State | History, list[_Inner]]:
        if isinstance(node, History):
            return node, []
        children = [self.node(child) for child in node.children]
        inner = [each for _, its in children for each in its]
        if node.kind == "parallel":
            inner = [replace(each, beside=True) for each in inner]
        transitions = self.waiting(node.transitions, inner)
        found = replace(
            node, children=tuple(child for child, _ in children), transitions=transitions
        )
        return found, [*inner, *(_Inner(node.id, each, False) for each in node.transitions)]

    def waiting(
        self, transitions: tuple[Transition, ...], inner: list[_Inner]
    ) -> tuple[Transition, ...]:
        beside: dict[str, list[_Inner]] = {}
        for each in inner:
            if each.beside:
                events = each.transition.events or (("",) if self.eventless else ())
                for event in events:
                    beside.setdefault(event, []).append(each)
        if not beside:
            return transitions
        return tuple(one for each in transitions for one in self.split(each, beside))

    def split(self, each: Transition, beside: dict[str, list[_Inner]]) -> Iterator[Transition]:
        """A transition by the events for which it waits for the same ones."""
        groups: dict[tuple[int, ...], tuple[list[str], list[_Inner]]] = {}
        for event in each.events or ("",):
            waits = [
                one
                for one in beside.get(event, ())
                if not each.targets or not one.transition.targets
            ]
            key = tuple(id(one) for one in waits)
            groups.setdefault(key, ([], waits))[0].append(event)
        for events, waits in groups.values():
            kept = replace(each, events=tuple(events) if each.events else ())
            if waits:
                guards = [_none_taken(waits, each.place)]
                guards += [each.guard] if each.guard is not None else []
                kept = replace(kept, guard=_all(guards))
            yield kept


def _none_taken(waits: list[_Inner], place: Location | None) -> Expression:
    """A guard that none of these is taken."""
    by_source: dict[str, list[Expression | None]] = {}
    for each in waits:
        by_source.setdefault(each.source, []).append(_without_time(each.transition, place))
    parts: list[Expression] = []
    for source, guards in by_source.items():
        found = [guard for guard in guards if guard is not None]
        if len(found) < len(guards):
            parts.append(Not(In(source)))
        else:
            held = found[0] if len(found) == 1 else Or(tuple(found))
            parts.append(Not(And((In(source), held))))
    return _all(parts)


def _all(parts: list[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _without_time(each: Transition, place: Location | None) -> Expression | None:
    timed = each.after is not None or each.idle is not None
    if timed or (
        each.guard is not None
        and any(isinstance(part, After | Idle) for part in parts_of(each.guard))
    ):
        raise NotImportableError(
            "a transition waits while one with a time-out is taken in a region inside; expected"
            " one without a time-out, or with targets",
            place,
        )
    return each.guard
