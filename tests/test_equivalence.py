"""Equivalence and minimal machines, against all short words and an independent table of pairs that
differ.
"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.equivalence import distinguishing_word, minimized
from vsafsm.errors import NotComparableError
from vsafsm.machine import Machine, Transition
from vsafsm.testing import machines

LAW = settings(deadline=None, max_examples=100)


def shown(machine: Machine, word: tuple[str, ...]) -> list[frozenset[str]]:
    return [frozenset(outputs) for outputs in machine.run(word).outputs]


def differs(one: Machine, other: Machine, word: tuple[str, ...]) -> bool:
    alias = dict(zip(one.inputs, other.inputs, strict=True))
    return shown(one, word) != shown(other, tuple(alias[symbol] for symbol in word))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Machine, Machine]:
    """A machine, and itself with one transition changed."""
    machine = draw(machines(states=(1, 4), inputs=(1, 2)))
    table = [list(row) for row in machine.table]
    i, a = draw(st.integers(0, len(table) - 1)), draw(st.integers(0, len(machine.inputs) - 1))
    table[i][a] = Transition(
        draw(st.sampled_from(machine.states)), draw(st.sampled_from([(), ("new",)]))
    )
    other = Machine(
        "other",
        machine.states,
        machine.inputs,
        machine.initial,
        tuple(map(tuple, table)),
        machine.moore,
    )
    return machine, other


@LAW
@given(both=pairs())
def test_a_distinguishing_word_is_a_shortest_one(both: tuple[Machine, Machine]) -> None:
    one, other = both
    word = distinguishing_word(one, other)
    length = 5 if word is None else len(word) - 1
    for n in range(min(length, 5) + 1):
        assert not any(differs(one, other, each) for each in product(one.inputs, repeat=n))
    if word is not None:
        assert differs(one, other, word)


@LAW
@given(machine=machines(states=(1, 6), inputs=(1, 3), minimal=False))
def test_a_minimal_machine_does_the_same_with_no_two_states_alike(machine: Machine) -> None:
    small = minimized(machine)
    assert distinguishing_word(machine, small) is None
    assert machine.outputs_of(machine.initial) == small.outputs_of(small.initial)
    assert small.reachable == tuple(dict.fromkeys(small.reachable))
    assert set(small.states) == set(small.reachable)
    assert len(told_apart(small)) == len(small.states) * (len(small.states) - 1) // 2
    assert minimized(small) == small


@st.composite
def chains(draw: st.DrawFn) -> Machine:
    """Long machines of few kinds of states, in which classes part one after the other."""
    size, inputs = draw(st.integers(1, 30)), draw(st.integers(1, 2))
    near = st.integers(0, 2)
    ends = draw(st.sets(st.integers(0, size - 1), max_size=2))
    names = [f"s{x}" for x in draw(st.permutations(range(size)))]
    table = tuple(
        tuple(Transition(names[min(x + draw(near), size - 1)]) for _ in range(inputs))
        for x in range(size)
    )
    moore = tuple(("end",) if x in ends else () for x in range(size))
    symbols = tuple("ab"[:inputs])
    return Machine("chain", tuple(names), symbols, names[0], table, moore)


@LAW
@given(machine=machines(states=(1, 8), inputs=(1, 3), minimal=False) | chains())
def test_classes_are_those_of_refinement_until_nothing_changes(machine: Machine) -> None:
    """Moore's refinement (1956): in each round every state by the classes that it goes to."""
    rows = {s: machine.table[machine.state_index(s)] for s in machine.reachable}

    def numbered(kinds: dict[str, object]) -> dict[str, int]:
        order = list(dict.fromkeys(kinds.values()))
        return {state: order.index(kind) for state, kind in kinds.items()}

    classes = numbered(
        {s: (machine.outputs_of(s), *(t.outputs for t in row)) for s, row in rows.items()}
    )
    for _ in rows:
        classes = numbered(
            {s: (classes[s], *(classes[t.to] for t in row)) for s, row in rows.items()}
        )
    first = {one: s for s, one in reversed(classes.items())}
    kept = tuple(s for s in machine.states if s in first.values())
    expected = replace(
        machine,
        states=kept,
        initial=first[classes[machine.initial]],
        table=tuple(tuple(replace(t, to=first[classes[t.to]]) for t in rows[s]) for s in kept),
        moore=tuple(machine.outputs_of(s) for s in kept),
    )
    assert minimized(machine) == expected


def test_a_long_chain_is_minimal_in_good_time() -> None:
    names = tuple(f"s{x}" for x in range(20_000))
    table = tuple((Transition(to), Transition(names[0])) for to in (*names[1:], names[-1]))
    moore = (*((),) * (len(names) - 1), ("end",))
    machine = Machine("chain", names, ("on", "back"), names[0], table, moore)
    before = time.process_time()
    assert minimized(machine) == machine
    assert time.process_time() - before < 5


def told_apart(machine: Machine) -> set[frozenset[str]]:
    """Pairs of states that some word tells apart, by filling a table until nothing is added."""
    pairs = [frozenset((a, b)) for i, a in enumerate(machine.states) for b in machine.states[:i]]

    def at_once(a: str, b: str) -> bool:
        rows = [[machine.transition(s, x).outputs for x in machine.inputs] for s in (a, b)]
        return machine.outputs_of(a) != machine.outputs_of(b) or rows[0] != rows[1]

    found = {pair for pair in pairs if at_once(*pair)}
    while True:
        more = {
            pair
            for pair in pairs
            if pair not in found
            and any(
                frozenset(machine.transition(s, x).to for s in pair) in found
                for x in machine.inputs
            )
        }
        if not more:
            return found
        found |= more


@LAW
@given(machine=machines(states=(2, 6), minimal=True))
def test_a_machine_that_is_minimal_stays(machine: Machine) -> None:
    assert len(minimized(machine).states) == len(machine.states)


def test_machines_of_other_alphabets_are_not_compared() -> None:
    table = ((Transition("s"),),)
    one = Machine("one", ("s",), ("a",), "s", table, ((),))
    two = Machine("two", ("s",), ("a", "b"), "s", ((Transition("s"), Transition("s")),), ((),))
    with pytest.raises(NotComparableError, match='"one" has 1 inputs and "two" 2'):
        distinguishing_word(one, two)
