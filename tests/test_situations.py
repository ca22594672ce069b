"""What the rule ``robust`` asks for, held against the machine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.codebook import Codebook
from vsafsm.lowering import REST, Lowered, lower
from vsafsm.machine import Machine
from vsafsm.situations import STAYS, arcs, sampled, synchronous

Strategy = Callable[..., st.SearchStrategy[Machine]]
Drawn = Callable[[Machine], tuple[Lowered, Codebook]]


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_arcs_are_the_transitions_of_the_machine(
    small_machine_strategy: Strategy, drawn_codes: Drawn, data: st.DataObject
) -> None:
    machine = data.draw(small_machine_strategy(states=4, inputs=3))
    lowered = lower(machine)
    found = arcs(lowered)
    assert len(found) == len(set(found))
    held = {(arc.source, arc.mask): arc.target for arc in found if arc.mask != REST}
    left = {arc.source: arc.target for arc in found if arc.mask == REST}
    for x, state in enumerate(machine.states):
        for a, symbol in enumerate(machine.inputs):
            taken = machine.transition(state, symbol)
            code = lowered.codes[held[x, a + 1]]
            assert (machine.states[code.state], code.outputs) == (
                taken.to,
                taken.outputs if code.pending else (),
            )
            assert machine.states[lowered.codes[left[held[x, a + 1]]].state] == taken.to


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_what_is_asked_ends_in_the_code_that_is_to_come(
    small_machine_strategy: Strategy, drawn_codes: Drawn, data: st.DataObject
) -> None:
    machine = data.draw(small_machine_strategy(states=4, inputs=3))
    lowered, book = drawn_codes(machine)
    asked = sampled(lowered, book, np.random.default_rng(data.draw(st.integers(0, 99))))
    for active, want, care, place in zip(
        asked.activity, asked.want, asked.care, asked.place, strict=True
    ):
        left, come, mask = place.tolist()
        new, old = book.codes[come], book.codes[left]
        assert active.any()
        # The new code is asked for in every situation, where its mask is open.
        assert (want & care & new == care & new).all()
        # Nothing but the two codes is ever to fire.
        assert not (want & ~(new | old)).any()
        # The old one is to go once most of the new one is up; and stays before.
        risen = (active & new).sum() / max((book.masks[mask] & new).sum(), 1)
        stays = (want & care & old & ~new).any()
        if left != come and risen > STAYS + 0.5:
            assert not stays


def test_samples_are_new_in_each_round_and_exact_ones_the_same(
    turnstile: Machine, drawn_codes: Drawn
) -> None:
    lowered, book = drawn_codes(turnstile)
    exact = synchronous(lowered, book)
    one, other = (sampled(lowered, book, np.random.default_rng(seed)) for seed in (1, 2))
    number = len(exact.activity)
    for each in (one, other):
        assert (each.activity[:number] == exact.activity).all()
        assert (each.share[:number] == 1).all()
        assert (each.share[number:] < 1).all()
    assert (one.activity[number:][:50] != other.activity[number:][:50]).any()
