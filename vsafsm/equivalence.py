"""When two machines do the same: for every word, and as few states as that takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from vsafsm.cubes import Cube, common, meet, size
from vsafsm.errors import NotComparableError
from vsafsm.machine import Machine, Transition, listed
from vsafsm.symbolic import SymbolicMachine, symbolic_machine
from vsafsm.tours import word_to

_Pair = tuple[str, str]
_Step = tuple[str, Transition, Transition]
"""An input, and what each of two machines does on it."""


def distinguishing_word(one: Machine, other: Machine) -> tuple[str, ...] | None:
    """A shortest word whose last input has other outputs in the two machines, or None: they are
    equivalent.

    Outputs of a transition and of the state that it reaches count together, each once. What the
    initial state puts out before any input does not count: not every format can say it. Inputs are
    told apart by their order, since a format may have to name them anew; those of machines with
    guards are vectors, and the same in both.

    Raises
    ------
    NotComparableError
        If one machine has more inputs than the other, or only one of them has guards.
    """
    _check_comparable(one, other)
    start = (one.initial, other.initial)
    before: dict[_Pair, tuple[_Pair, str] | None] = {start: None}
    queue = [start]
    for pair in queue:
        for symbol, left, right in _steps(one, other, pair):
            if {*left.outputs, *one.outputs_of(left.to)} != {
                *right.outputs,
                *other.outputs_of(right.to),
            }:
                return (*word_to(pair, before), symbol)
            reached = (left.to, right.to)
            if reached not in before:
                before[reached] = (pair, symbol)
                queue.append(reached)
    return None


def _check_comparable(one: Machine, other: Machine) -> None:
    if isinstance(one, SymbolicMachine) and isinstance(other, SymbolicMachine):
        mine, others = one.cubes, other.cubes
        total = sum(size(cube, one.width) for cube in mine)
        same = one.width == other.width and total == sum(size(c, one.width) for c in others)
        if not same or common(mine, others, one.width) != total:
            raise NotComparableError(
                f'"{one.name}" and "{other.name}" have other vectors as inputs; expected the same'
            )
        return
    for machine in (one, other):
        if isinstance(machine, SymbolicMachine):
            raise NotComparableError(
                f'machine "{machine.name}" has guards over {machine.width} input bits, and the'
                " other has a flat alphabet; expected two of one kind"
            )
    if len(one.inputs) != len(other.inputs):
        raise NotComparableError(
            f'"{one.name}" has {len(one.inputs)} inputs and "{other.name}" {len(other.inputs)}:'
            f" {listed(one.inputs)} and {listed(other.inputs)}; expected as many"
        )


def _steps(one: Machine, other: Machine, pair: _Pair) -> Iterator[_Step]:
    """What two states do on each input, or on a vector of each two guards that can hold
    together.
    """
    if isinstance(one, SymbolicMachine) and isinstance(other, SymbolicMachine):
        for mine in one.guarded[one.state_index(pair[0])]:
            for others in other.guarded[other.state_index(pair[1])]:
                both = _meeting(mine.guard, others.guard)
                if both is not None:
                    yield one.text(both[1]), mine.taken, others.taken
        return
    for symbol, alias in zip(one.inputs, other.inputs, strict=True):
        yield symbol, one.transition(pair[0], symbol), other.transition(pair[1], alias)


def _meeting(one: Iterable[Cube], other: Sequence[Cube]) -> Cube | None:
    return next((both for a in one for b in other if (both := meet(a, b))), None)


def minimized(machine: Machine) -> Machine:
    """The smallest machine with the same outputs for every word: states that no word tells apart
    become one.

    Each class of states has the name of its first one. Guards that then lead to the same become
    one guard.
    """
    class_of = classes(machine)
    first: dict[int, str] = {}
    for state, one in class_of.items():
        first.setdefault(one, state)
    name = {state: first[one] for state, one in class_of.items()}
    kept = tuple(state for state in machine.states if name.get(state) == state)
    initial = name[machine.initial]
    moore = tuple(machine.outputs_of(state) for state in kept)
    if isinstance(machine, SymbolicMachine):
        guarded = [
            [
                (each.guard, replace(each.taken, to=name[each.taken.to]))
                for each in machine.guarded[machine.state_index(state)]
            ]
            for state in kept
        ]
        smaller = symbolic_machine(machine.name, machine.width, kept, initial, guarded)
        return replace(smaller, moore=moore, compile_options=machine.compile_options)
    rows = dict(zip(machine.states, machine.table, strict=True))
    table = tuple(
        tuple(replace(taken, to=name[taken.to]) for taken in rows[state]) for state in kept
    )
    return replace(machine, states=kept, initial=initial, table=table, moore=moore)


def classes(machine: Machine) -> dict[str, int]:
    """The class of each reachable state: states of one class have the same outputs on every word.

    States are in order of discovery; numbers of classes have no meaning.
    """
    states = machine.reachable
    numbers = {state: x for x, state in enumerate(states)}
    rows = [machine.table[machine.state_index(state)] for state in states]
    kinds = [
        (machine.outputs_of(state), tuple(taken.outputs for taken in row))
        for state, row in zip(states, rows, strict=True)
    ]
    # Representatives of vectors have every two kinds of two states, and so tell apart what any
    # vector does.
    found = _classes([[numbers[taken.to] for taken in row] for row in rows], kinds)
    return dict(zip(states, found, strict=True))


def _classes(following: Sequence[Sequence[int]], kinds: Sequence[object]) -> list[int]:
    """The class of each state: two are in one where they are of one kind, and after every word
    still are.

    Classes are split by what leads into another, and of the parts of a class the smaller splits
    others (Hopcroft 1971): S A log S steps for S states and A inputs.
    """
    # For each input, the states that lead to a state.
    sources: list[dict[int, list[int]]] = [defaultdict(list) for _ in following[0]]
    for state, row in enumerate(following):
        for into, to in zip(sources, row, strict=True):
            into[to].append(state)
    numbered: dict[object, int] = {}
    class_of = [numbered.setdefault(kind, len(numbered)) for kind in kinds]
    members: list[set[int]] = [set() for _ in numbered]
    for state, one in enumerate(class_of):
        members[one].add(state)
    waiting = dict.fromkeys(range(len(members)))
    while waiting:
        splitter = [*members[waiting.popitem()[0]]]
        for into in sources:
            touched: dict[int, list[int]] = defaultdict(list)
            for state in splitter:
                for source in into.get(state, ()):
                    touched[class_of[source]].append(source)
            for one, part in touched.items():
                if len(part) == len(members[one]):
                    continue
                new = len(members)
                members[one].difference_update(part)
                members.append(set(part))
                for state in part:
                    class_of[state] = new
                smaller = one if len(members[one]) < len(part) else new
                waiting[new if one in waiting else smaller] = None
    return class_of
