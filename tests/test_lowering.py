"""Lowering, held against a brute-force reading of the machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm import errors as e
from vsafsm.lowering import REST, Code, Lowered, lower
from vsafsm.machine import Machine, Transition

T = Transition
relaxed = settings(deadline=None, max_examples=100)


def machine(*rows: tuple[Transition, ...], moore: bool = False) -> Machine:
    states = tuple("xyzuvw"[: len(rows)])
    inputs = tuple("ab"[: len(rows[0])])
    return Machine("m", states, inputs, "x", rows, tuple((s,) if moore else () for s in states))


def followed(lowered: Lowered, code: int, a: int) -> tuple[int, int]:
    """The code held while input a is on, and the code after it."""
    targets = [m.target for m in lowered.moves if (m.source, m.mask) == (code, a + 1)]
    assert len(targets) == 1, "each state has exactly one move for each input"
    return targets[0], lowered.releases[targets[0]]


@given(data=st.data())
@relaxed
def test_every_pair_goes_where_the_machine_goes(
    data: st.DataObject, small_machine_strategy: Callable[..., st.SearchStrategy[Machine]]
) -> None:
    m = data.draw(small_machine_strategy())
    lowered = lower(m)
    assert lowered.codes[: len(m.states)] == tuple(Code(x) for x in range(len(m.states)))
    assert all(code.pending for code in lowered.codes[len(m.states) :])
    assert lowered.start == m.state_index(m.initial)
    assert (lowered.inputs, lowered.masks) == (len(m.inputs), len(m.inputs) + 1)
    assert len(lowered.moves) == len(m.states) * len(m.inputs)
    for x, state in enumerate(m.states):
        assert lowered.releases[x] == x
        for a, symbol in enumerate(m.inputs):
            taken = m.transition(state, symbol)
            held, after = followed(lowered, x, a)
            assert (m.states[lowered.codes[held].state], lowered.codes[held].outputs) == (
                taken.to,
                taken.outputs,
            )
            assert m.states[after] == taken.to


@given(data=st.data())
@relaxed
def test_one_pending_code_for_each_target_and_output_set_and_none_for_what_changes_nothing(
    data: st.DataObject, small_machine_strategy: Callable[..., st.SearchStrategy[Machine]]
) -> None:
    m = data.draw(small_machine_strategy())
    lowered = lower(m)
    expected = set()
    for state, row in zip(m.states, m.table, strict=True):
        expected |= {(t.to, t.outputs) for t in row if t.to != state or t.outputs}
    found = [(m.states[c.state], c.outputs) for c in lowered.codes if c.pending]
    assert len(found) == len(set(found)) == lowered.pending
    assert set(found) == expected
    assert lowered.pending <= len(m.states) * len(m.inputs)


@given(data=st.data())
@relaxed
def test_no_pending_code_moves_on_an_input(
    data: st.DataObject, small_machine_strategy: Callable[..., st.SearchStrategy[Machine]]
) -> None:
    m = data.draw(small_machine_strategy())
    lowered = lower(m)
    assert {move.source for move in lowered.moves} == set(range(len(m.states)))
    assert REST not in {move.mask for move in lowered.moves}


def test_a_self_loop_with_outputs_has_a_pending_code_and_one_without_has_none() -> None:
    silent, loud = lower(machine((T("x"),))), lower(machine((T("x", ("o",)),)))
    assert (silent.pending, loud.pending) == (0, 1)
    assert loud.codes[1] == Code(0, True, ("o",))
    assert followed(loud, 0, 0) == (1, 0)
    assert followed(silent, 0, 0) == (0, 0)


def test_two_ways_into_a_state_share_a_code_unless_their_outputs_differ() -> None:
    assert lower(machine((T("y"), T("y")), (T("y"), T("y")))).pending == 1
    assert lower(machine((T("y"), T("y", ("o",))), (T("y"), T("y")))).pending == 2
    assert lower(machine((T("y", ("o", "p")), T("y", ("p", "o"))), (T("y"), T("y")))).pending == 2


# ---- trigger: level


def test_level_moves_from_state_to_state() -> None:
    lowered = lower(machine((T("y"), T("x")), (T("y"), T("x")), moore=True), "level")
    assert lowered.pending == 0
    assert [(m.source, m.mask, m.target) for m in lowered.moves] == [
        (0, 1, 1),
        (0, 2, 0),
        (1, 1, 1),
        (1, 2, 0),
    ]
    assert lowered.releases == (0, 1)


def test_level_refuses_a_machine_that_would_run_on_and_names_the_chain() -> None:
    m = machine((T("y"), T("x")), (T("z"), T("y")), (T("z"), T("z")))
    with pytest.raises(e.CompileError, match=r'while "a" is held: "x" -> "y" -> "z"'):
        lower(m, "level")


def test_level_refuses_a_machine_that_would_swing_back() -> None:
    with pytest.raises(e.CompileError, match='"x" -> "y" -> "x"'):
        lower(machine((T("y"),), (T("x"),)), "level")


def test_level_refuses_outputs_of_transitions() -> None:
    with pytest.raises(e.CompileError, match='"x" on "a" has outputs o'):
        lower(machine((T("y", ("o",)),), (T("y"),)), "level")
    with pytest.raises(e.CompileError, match='"x" on "a" has outputs o'):
        lower(machine((T("x", ("o",)),)), "level")


@given(data=st.data())
@relaxed
def test_level_accepts_exactly_the_machines_in_which_a_second_step_under_an_input_changes_nothing(
    data: st.DataObject, small_machine_strategy: Callable[..., st.SearchStrategy[Machine]]
) -> None:
    m = data.draw(small_machine_strategy(states=3, inputs=2, outputs=False))
    stays = all(
        m.transition(m.transition(s, a).to, a).to == m.transition(s, a).to
        for s in m.states
        for a in m.inputs
    )
    if not stays:
        with pytest.raises(e.CompileError):
            lower(m, "level")
        return
    lowered = lower(m, "level")
    assert lowered.pending == 0
    for x, state in enumerate(m.states):
        for a, symbol in enumerate(m.inputs):
            to = m.state_index(m.transition(state, symbol).to)
            assert followed(lowered, x, a) == (to, to)
