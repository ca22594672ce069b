"""Masks and codes: exact balance, orthogonal arrays, a user's own hypervectors, and what is
refused.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import codebook as cb
from vsafsm import errors as e
from vsafsm.lowering import lower
from vsafsm.machine import Machine

ORDERS = [1, 2, 4, 8, 12, 16, 20, 24, 32, 40, 44, 48, 60, 64, 68, 72, 80, 128]


def layout(codes: int, inputs: int, neurons: int, active: int) -> cb.Layout:
    return cb.Layout(np.ones(codes), codes, inputs, neurons, active)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# ---- orthogonal arrays


@pytest.mark.parametrize("order", ORDERS)
def test_hadamard_rows_are_orthogonal_and_its_first_column_is_all_ones(order: int) -> None:
    matrix = cb.hadamard(order).astype(int)
    assert set(np.unique(matrix)) <= {-1, 1}
    assert (matrix @ matrix.T == order * np.eye(order)).all()
    assert (matrix[:, 0] == 1).all()


@pytest.mark.parametrize("factors", range(1, 66))
def test_the_array_has_strength_3(factors: int) -> None:
    array = cb.orthogonal_array(factors)
    assert array.shape == (cb.classes_needed(factors), factors)
    chosen = range(factors) if factors <= 12 else rng(factors).permutation(factors)[:12].tolist()
    for strength in (1, 2, 3):
        for columns in combinations(chosen, strength):
            seen = dict.fromkeys(product([-1, 1], repeat=strength), 0)
            for row in array[:, columns].tolist():
                seen[tuple(row)] += 1
            assert len(set(seen.values())) == 1


@pytest.mark.parametrize("factors", range(1, 66))
def test_no_more_classes_than_the_next_power_of_two_asks_for(factors: int) -> None:
    assert 2 * factors <= cb.classes_needed(factors) <= 2 * max(2, 1 << (factors - 1).bit_length())


# ---- balance


@pytest.mark.parametrize("inputs", range(1, 65))
def test_masks_split_codes_in_half_and_pairs_of_masks_in_quarters(inputs: int) -> None:
    active = cb.classes_needed(inputs + 1)
    book = cb.sparse(layout(6, inputs, 6 * active, active), rng(inputs))
    codes, masks = book.codes.astype(int), book.masks.astype(int)
    assert (codes.sum(1) == active).all()
    assert (masks.sum(1) == 3 * active).all()
    assert (codes @ masks.T == active // 2).all()
    for code in codes:
        pairs = (masks * code) @ masks.T
        np.fill_diagonal(pairs, active // 4)
        assert (pairs == active // 4).all()
    signs = book.signs.astype(int)
    assert not (codes @ signs.T).any(), "an input leaks nothing into a code that it has no part in"


@given(st.integers(1, 9), st.integers(1, 12), st.integers(1, 3), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_balance_holds_at_any_multiple_and_any_size(
    inputs: int, codes: int, multiple: int, seed: int
) -> None:
    active = multiple * cb.classes_needed(inputs + 1)
    neurons = 4 * active + seed
    book = cb.sparse(layout(codes, inputs, neurons, active), rng(seed))
    assert (book.codes.astype(int) @ book.masks.T.astype(int) == active // 2).all()
    assert len(np.unique(book.codes, axis=0)) == codes


@pytest.mark.parametrize("inputs", [1, 5, 30, 64])
def test_where_the_classes_do_not_divide_k_the_masks_are_halves_and_the_codes_have_k(
    inputs: int,
) -> None:
    book = cb.sparse(layout(5, inputs, 300, 17), rng())
    assert (book.codes.sum(1) == 17).all()
    assert (book.masks.sum(1) == 150).all()


@given(st.data(), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_codes_of_pairs_are_split_in_half_and_see_kinds_of_input(
    data: st.DataObject, seed: int
) -> None:
    states, inputs = data.draw(st.integers(1, 5)), data.draw(st.integers(9, 40))
    kinds = st.lists(st.integers(0, 3), min_size=inputs, max_size=inputs).map(tuple)
    targets = tuple(data.draw(st.lists(kinds, min_size=states, max_size=states)))
    book = cb.sparse(cb.Layout(np.ones(states + 3), states, inputs, 600, 10, targets), rng(seed))
    split = book.codes[:, None] & book.masks
    assert (book.codes.sum(1) == 10).all()
    assert (split.sum(2) == 5).all()
    assert (book.masks.sum(1) == 300).all()
    for state, row in enumerate(targets):
        for kind in set(row):
            (same,) = np.nonzero(np.array(row) == kind)
            assert (split[state, same + 1] == split[state, same[0] + 1]).all()
        seen = {split[state, row.index(kind) + 1].tobytes() for kind in set(row)}
        assert len(seen) == len(set(row))


@pytest.mark.parametrize("neurons", [64, 100, 128])
def test_dense_codes_hold_half_of_the_neurons(neurons: int) -> None:
    book = cb.dense(layout(5, 3, neurons, 7), rng())
    assert (book.codes.sum(1) == neurons // 2).all()
    if neurons // 2 % cb.classes_needed(4) == 0:
        assert (book.codes.astype(int) @ book.masks.T.astype(int) == neurons // 4).all()


def test_neurons_share_the_load() -> None:
    loads = np.linspace(1, 3, 128)
    book = cb.sparse(cb.Layout(loads, len(loads), 2, 512, 32), rng())
    used = loads @ book.codes
    drawn = loads @ np.stack([rng(i).permutation(512) < 32 for i in range(128)])
    assert used.std() < 0.75 * drawn.std()


# ---- draws


@pytest.mark.parametrize("maker", cb.MAKERS.values(), ids=cb.MAKERS)
def test_the_same_seed_gives_the_same_codebook_and_another_does_not(
    maker: cb.CodebookMaker,
) -> None:
    one, same, other = (maker(layout(6, 3, 128, 16), rng(seed)) for seed in (1, 1, 2))
    assert (one.codes == same.codes).all()
    assert (one.masks == same.masks).all()
    assert (one.codes != other.codes).any()
    assert (one.masks != other.masks).any()


def test_a_codebook_cannot_be_written_to() -> None:
    book = cb.sparse(layout(2, 1, 64, 8), rng())
    with pytest.raises(ValueError, match="read-only"):
        book.codes[0, 0] = True


# ---- what is refused


def test_too_many_active_neurons_are_refused() -> None:
    with pytest.raises(e.CodebookError, match="cannot be balanced"):
        cb.sparse(layout(2, 1, 10, 12), rng())


def test_equal_codes_are_refused() -> None:
    masks = np.ones((2, 4), np.bool_)
    with pytest.raises(e.CodebookError, match="two codes are equal"):
        cb.Codebook(masks, np.array([[1, 1, 0, 0], [1, 1, 0, 0]], np.bool_))


def test_a_code_that_a_mask_silences_is_refused() -> None:
    masks = np.array([[1, 1, 1, 1], [0, 0, 1, 1]], np.bool_)
    with pytest.raises(e.CodebookError, match="code 1 has no neuron"):
        cb.Codebook(masks, np.array([[0, 1, 1, 0], [1, 1, 0, 0]], np.bool_))


@pytest.mark.parametrize(
    ("masks", "codes"),
    [
        (np.ones((2, 4), np.int8), np.ones((1, 4), np.bool_)),
        (np.ones((2, 4), np.bool_), np.ones((1, 4))),
        (np.ones((2, 5), np.bool_), np.ones((1, 4), np.bool_)),
        (np.ones(4, np.bool_), np.ones((1, 4), np.bool_)),
        (np.ones((2, 4), np.bool_), np.ones((1, 1, 4), np.bool_)),
    ],
)
def test_shapes_and_types_that_do_not_fit_are_refused(masks: np.ndarray, codes: np.ndarray) -> None:
    with pytest.raises(e.CodebookError, match="must be a boolean matrix"):
        cb.Codebook(masks, codes)


# ---- hypervectors that a user brings


def own(machine: Machine, neurons: int, active: int, seed: int = 5) -> cb.Codebook:
    lowered = lower(machine)
    return cb.sparse(layout(len(lowered.codes), lowered.inputs, neurons, active), rng(seed))


@pytest.mark.parametrize("given_parts", ["states", "states and pending", "everything"])
@pytest.mark.parametrize("form", ["binary", "bipolar", "real"])
def test_a_users_hypervectors_work_end_to_end(
    turnstile: Machine, given_parts: str, form: str
) -> None:
    book = own(turnstile, 128, 16)
    brought = {
        "binary": book.codes,
        "bipolar": np.where(book.codes, 1, -1).astype(np.int8),
        "real": np.where(book.codes, 0.5, -2.0),
    }[form]
    pending = None if given_parts == "states" else brought[2:]
    masks = book.masks.astype(int) if given_parts == "everything" else None
    program = vsafsm.compile(
        turnstile, dimension=128, codebook=cb.Given(brought[:2], pending, masks)
    )
    assert program.prove().holds
    assert (program.network.codes[:2] == book.codes[:2]).all()
    if pending is not None:
        assert (program.network.codes == book.codes).all()
    if masks is not None:
        assert (program.network.masks == book.masks).all()
    with vsafsm.open(program) as session:
        assert [session.send(symbol) for symbol in ("coin", "push")] == ["unlocked", "locked"]


def test_a_users_hypervectors_of_a_large_alphabet_work_end_to_end(
    random_machines: Callable[..., Machine],
) -> None:
    machine = random_machines(4, 24, 0)
    states = rng().choice([-1, 1], (4, 512))
    program = vsafsm.compile(machine, dimension=512, codebook=cb.Given(states))
    assert program.prove().holds


def test_dense_random_bipolar_hypervectors_work_end_to_end(turnstile: Machine) -> None:
    states = rng().choice([-1, 1], (2, 512))
    program = vsafsm.compile(turnstile, dimension=512, codebook=cb.Given(states))
    assert program.prove().holds
    assert (program.network.codes[:2] == (states > 0)).all()


@pytest.mark.parametrize(
    ("states", "pending", "masks", "message"),
    [
        (np.eye(2, 64), None, None, r"2 codes|no neuron"),
        (np.ones((2, 64)), None, None, "two codes are equal"),
        (np.ones((2, 63)), None, None, "64 columns"),
        (np.ones(64), None, None, "64 columns"),
        (np.full((2, 64), np.nan), None, None, "finite"),
        (np.full((2, 64), "x"), None, None, "numeric"),
        ("three", None, None, "3 states are given; expected 2"),
        ("one", None, None, "1 states are given; expected 2"),
        ("two", np.eye(1, 64), None, "3 codes are given; expected 4"),
        ("two", np.eye(2, 65), None, "pending"),
        ("two", None, np.ones((2, 64)), "2 masks are given; expected 3"),
        ("two", None, np.ones((3, 65)), "masks"),
        ("two", None, np.zeros((3, 64)), "no neuron"),
    ],
)
def test_hypervectors_that_do_not_fit_are_refused(
    turnstile: Machine,
    states: object,
    pending: np.ndarray | None,
    masks: np.ndarray | None,
    message: str,
) -> None:
    drawn = own(turnstile, 64, 8).codes
    vectors = (
        {"one": drawn[:1], "two": drawn[:2], "three": drawn[:3]}.get(states)
        if isinstance(states, str)
        else states
    )
    if isinstance(states, str) and states == "three":
        pending = drawn[:2]
    with pytest.raises(e.CodebookError, match=message):
        vsafsm.compile(turnstile, dimension=64, codebook=cb.Given(vectors, pending, masks))


def test_hypervectors_of_another_width_than_the_dimension_are_refused_by_name(
    turnstile: Machine,
) -> None:
    with pytest.raises(e.CodebookError, match="128 columns"):
        vsafsm.compile(turnstile, dimension=128, codebook=cb.Given(own(turnstile, 64, 8).codes[:2]))


def test_hypervectors_say_the_dimension_where_it_is_not_given(turnstile: Machine) -> None:
    codes = own(turnstile, 128, 16).codes[:2]
    program = vsafsm.compile(turnstile, codebook=cb.Given(codes))
    assert program.network.neurons == 128
    assert (program.network.codes[:2] == codes).all()
    assert program.prove().holds


def test_a_codebook_maker_of_ones_own(turnstile: Machine, compiled: Callable[..., object]) -> None:
    asked = []

    def maker(wanted: cb.Layout, generator: np.random.Generator) -> cb.Codebook:
        asked.append(wanted)
        return cb.sparse(wanted, generator)

    program = vsafsm.compile(turnstile, dimension=128, codebook=maker)
    assert program.prove().holds
    assert {(x.neurons, x.inputs, len(x.loads)) for x in asked} == {(128, 2, 4)}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"layout": "modules"}, "layout is modules, and a codebook is given"),
        ({"module_neurons": 256}, "module_neurons is an option of modules"),
    ],
)
def test_codes_are_those_of_one_matrix(
    turnstile: Machine, asked: dict[str, Any], told: str
) -> None:
    codes = own(turnstile, 128, 16).codes[:2]
    with pytest.raises(e.CompileError, match=told):
        vsafsm.compile(turnstile, codebook=cb.Given(codes), **asked)
