"""Words that take every transition, against plain loops over the machine."""

from __future__ import annotations

import tracemalloc
from itertools import product

from hypothesis import given, settings

from vsafsm.machine import Machine
from vsafsm.testing import machines
from vsafsm.tours import _to_nearest, shortest_ways, tours

LAW = settings(deadline=None, max_examples=100)


@LAW
@given(machine=machines((1, 6), (1, 3)))
def test_tours_take_every_transition(machine: Machine) -> None:
    taken = set[tuple[str, str]]()
    for word in tours(machine):
        taken |= {*zip(machine.run(word).states[:-1], word, strict=True)}
    assert taken == set(product(machine.reachable, machine.inputs))


@LAW
@given(machine=machines((1, 5), (1, 2)))
def test_a_tour_goes_on_by_a_shortest_word_to_what_is_left(machine: Machine) -> None:
    left = set(product(machine.states, machine.inputs))
    for tour in tours(machine):
        states, n = machine.run(tour).states, 0
        while n < len(tour):
            length = next(
                length
                for length in range(1, len(machine.states) + 1)
                for word in product(machine.inputs, repeat=length)
                if (end_of(machine, states[n], word[:-1]), word[-1]) in left
            )
            passed = list(zip(states[n : n + length], tour[n : n + length], strict=True))
            assert [pair in left for pair in passed] == [False] * (length - 1) + [True]
            left.discard(passed[-1])
            n += length
    assert not left


def end_of(machine: Machine, state: str, word: tuple[str, ...]) -> str:
    for symbol in word:
        state = machine.transition(state, symbol).to
    return state


@LAW
@given(machine=machines((1, 6), (1, 3)))
def test_ways_lead_to_each_state_and_none_is_shorter(machine: Machine) -> None:
    ways = shortest_ways(machine)
    assert ways.keys() == set(machine.reachable)
    for state, way in ways.items():
        assert end_of(machine, machine.initial, way) == state
        shorter = product(machine.inputs, repeat=max(len(way) - 1, 0))
        assert not way or all(end_of(machine, machine.initial, word) != state for word in shorter)


def test_a_search_far_from_its_start_keeps_no_word_for_each_state() -> None:
    deep, wide = 1000, 1024
    rows = {f"c{x}": {"a": f"c{x + 1}", "b": f"c{x + 1}"} for x in range(deep)}
    rows[f"c{deep}"] = {"a": "t1", "b": "t1"}
    rows |= {f"t{x}": {"a": f"t{2 * x}", "b": f"t{2 * x + 1}"} for x in range(1, wide)}
    rows |= {f"t{x}": {} for x in range(wide, 2 * wide)}
    machine = Machine.from_dict({"transitions": rows})
    assert len(machine.reachable) == deep + 2 * wide
    tracemalloc.start()
    try:
        assert _to_nearest(machine, machine.initial, set()) is None
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
