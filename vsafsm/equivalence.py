"""When two machines do the same: for every word, and as few states as that takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vsafsm.errors import NotComparableError
from vsafsm.machine import Machine, listed
from vsafsm.symbolic import SymbolicMachine

_Pair = tuple[str, str]


def distinguishing_word(one: Machine, other: Machine) -> tuple[str, ...] | None:
    """A shortest word whose last input has other outputs in the two machines, or None: they are
    equivalent.

    Outputs of a transition and of the state that it reaches count together, each once. What the
    initial state puts out before any input does not count: not every format can say it. Inputs are
    told apart by their order, since a format may have to name them anew.

    Raises
    ------
    NotComparableError
        If one machine has more inputs than the other, or guards in place of a flat alphabet.
    """
    for machine in (one, other):
        _check_flat(machine)
    if len(one.inputs) != len(other.inputs):
        raise NotComparableError(
            f'"{one.name}" has {len(one.inputs)} inputs and "{other.name}" {len(other.inputs)}:'
            f" {listed(one.inputs)} and {listed(other.inputs)}; expected as many"
        )
    start = (one.initial, other.initial)
    before: dict[_Pair, tuple[_Pair, str] | None] = {start: None}  # the pair before, and the input
    queue = [start]
    for pair in queue:
        for symbol, alias in zip(one.inputs, other.inputs, strict=True):
            left, right = one.transition(pair[0], symbol), other.transition(pair[1], alias)
            if {*left.outputs, *one.outputs_of(left.to)} != {
                *right.outputs,
                *other.outputs_of(right.to),
            }:
                return (*_word(before, pair), symbol)
            reached = (left.to, right.to)
            if reached not in before:
                before[reached] = (pair, symbol)
                queue.append(reached)
    return None


def _word(before: Mapping[_Pair, tuple[_Pair, str] | None], pair: _Pair) -> tuple[str, ...]:
    """The word that leads to a pair of states."""
    word = []
    while step := before[pair]:
        pair, symbol = step
        word.append(symbol)
    return tuple(reversed(word))


def minimized(machine: Machine) -> Machine:
    """The smallest machine with the same outputs for every word: states that no word tells apart
    become one.

    Classes of states are split until all states of a class go to the same classes (Moore 1956).
    Each class has the name of its first state.

    Raises
    ------
    NotComparableError
        If the machine has guards in place of a flat alphabet.
    """
    _check_flat(machine)
    states = machine.reachable
    index = {state: machine.table[machine.state_index(state)] for state in states}
    kinds = {
        state: (machine.outputs_of(state), tuple(taken.outputs for taken in index[state]))
        for state in states
    }
    classes, count = _numbered(kinds), 0
    while len(set(classes.values())) > count:
        count = len(set(classes.values()))
        classes = _numbered(
            {s: (classes[s], tuple(classes[taken.to] for taken in index[s])) for s in states}
        )
    first: dict[int, str] = {}
    for state in states:
        first.setdefault(classes[state], state)
    named = set(first.values())
    kept = tuple(state for state in machine.states if state in named)
    table = tuple(
        tuple(replace(taken, to=first[classes[taken.to]]) for taken in index[state])
        for state in kept
    )
    return replace(
        machine,
        states=kept,
        initial=first[classes[machine.initial]],
        table=table,
        moore=tuple(machine.outputs_of(state) for state in kept),
    )


def _check_flat(machine: Machine) -> None:
    if isinstance(machine, SymbolicMachine):
        raise NotComparableError(
            f'machine "{machine.name}" has guards over {machine.width} input bits; expected one'
            " with a flat alphabet"
        )


def _numbered(kinds: Mapping[str, object]) -> dict[str, int]:
    """States of one kind have one number."""
    numbers: dict[object, int] = {}
    return {state: numbers.setdefault(kind, len(numbers)) for state, kind in kinds.items()}
