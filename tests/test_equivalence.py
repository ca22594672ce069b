"""Equivalence and minimal machines, against all short words and an independent table of pairs that
differ.
"""

from __future__ import annotations

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
