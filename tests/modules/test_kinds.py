"""Kinds of input of modules, and masks in which codes are balanced over them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.lowering import lower
from vsafsm.machine import Machine
from vsafsm.modules.kinds import joined, kinds_of, masks_for, most_kinds, targets_of
from vsafsm.network import Network

Built = tuple[Machine, Network]


def test_targets_are_the_moves(words_machine: Callable[..., Machine]) -> None:
    lowered = lower(words_machine(5, 4))
    targets = targets_of(lowered)
    for move in lowered.moves:
        assert targets[move.source, move.mask - 1] == move.target


@given(st.data())
def test_inputs_are_of_one_kind_where_no_state_tells_them_apart(data: st.DataObject) -> None:
    states, inputs = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 9))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    targets = rng.integers(0, data.draw(st.integers(1, 4)), (states, inputs))
    homes = rng.integers(0, 3, states)
    members = [np.flatnonzero(homes == m) for m in range(3) if (homes == m).any()]
    found = kinds_of(targets, members)
    for module, each in enumerate(members):
        grown = np.zeros(inputs, np.intp)
        for state in each.tolist():
            grown = joined(grown, targets[state])
        for a, b in product(range(inputs), repeat=2):
            same = all(targets[x, a] == targets[x, b] for x in each)
            assert (found[module, a] == found[module, b]) == same
            assert (grown[a] == grown[b]) == same
        # Numbered in the order of the inputs.
        assert list(dict.fromkeys(found[module].tolist())) == [*range(int(found[module].max()) + 1)]


@pytest.mark.parametrize(("active", "kinds"), [(8, 3), (16, 7), (24, 11), (32, 15), (64, 31)])
def test_codes_are_balanced_over_so_many_kinds(active: int, kinds: int) -> None:
    assert most_kinds(active) == kinds


@pytest.mark.parametrize(("active", "few", "most"), [(16, 7, 7), (16, 7, 12), (32, 15, 26)])
def test_every_mask_halves_a_code_and_that_at_rest_halves_it_again(
    active: int, few: int, most: int
) -> None:
    numbers = np.array([1, few, most])
    masks = masks_for(numbers, few, active, 8 * active, np.random.default_rng(0))
    for kinds in numbers.tolist():
        classes, patterns = masks.of(kinds)
        assert len(patterns) == kinds + 1
        first = masks.first(kinds)
        assert (masks.masks[first : first + kinds + 1] == patterns).all()
        # A code takes as many neurons of each class.
        count = int(classes.max()) + 1
        code = np.concatenate(
            [np.flatnonzero(classes == c)[: active // count] for c in range(count)]
        )
        seen = patterns[:, code].astype(int)
        assert (seen.sum(1) == active // 2).all()
        assert (seen[1:] @ seen[0] == active // 4).all()
        for one, other in combinations(seen[1:], 2):
            shared = int(one @ other)
            # At most a quarter of a code further than orthogonal signs.
            assert (
                shared == active // 4 if kinds <= few else abs(shared - active // 4) <= active // 8
            )


def test_inputs_of_one_kind_have_one_mask(words: Built) -> None:
    machine, network = words
    targets = targets_of(lower(machine))
    states = network.homes[: len(machine.states)]
    for module in range(network.modules):
        opens = network.opens[1:, module]
        assert network.opens[0, module] not in opens
        for a, b in product(range(len(machine.inputs)), repeat=2):
            same = (targets[states == module, a] == targets[states == module, b]).all()
            assert (opens[a] == opens[b]) == same
