"""The laws of the algebra."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vsafsm.vsa import bind, bundle, centre, outer, similarity

whole = st.integers(-1000, 1000)
sizes = st.integers(1, 24)
relaxed = settings(deadline=None, max_examples=60)


def vectors(draw: st.DrawFn, n: int, elements: st.SearchStrategy[int] = whole) -> NDArray[np.int64]:
    return np.array(draw(st.lists(elements, min_size=n, max_size=n)), np.int64)


@st.composite
def patterns_and_signs(draw: st.DrawFn) -> tuple[NDArray[np.int64], ...]:
    n = draw(sizes)
    signs = st.sampled_from([-1, 1])
    return vectors(draw, n), vectors(draw, n), vectors(draw, n, signs), vectors(draw, n, signs)


@given(patterns_and_signs())
@relaxed
def test_binding_is_its_own_inverse_commutes_and_keeps_norms(
    given: tuple[NDArray[np.int64], ...],
) -> None:
    x, y, s, t = given
    assert (bind(bind(x, s), s) == x).all()
    assert (bind(bind(x, s), t) == bind(bind(x, t), s)).all()
    assert bind(x, s) @ bind(y, s) == x @ y


@given(patterns_and_signs())
@relaxed
def test_binding_distributes_over_bundling(given: tuple[NDArray[np.int64], ...]) -> None:
    x, y, s, _ = given
    assert (bind(bundle(x, y), s) == bundle(bind(x, s), bind(y, s))).all()
    assert (bundle(x, y) == x + y).all()
    assert (bundle(x) == x).all()


@given(patterns_and_signs())
@relaxed
def test_a_mask_unbinds_what_its_own_signs_bound(given: tuple[NDArray[np.int64], ...]) -> None:
    x, _, s, _ = given
    mask = s > 0
    assert (bind(x, s)[mask] == x[mask]).all()
    assert (bind(x, s)[~mask] == -x[~mask]).all()


def test_through_another_balanced_mask_a_bound_pattern_leaves_nothing() -> None:
    s = np.array([1, 1, -1, -1] * 2)
    t = np.array([1, -1, 1, -1] * 2)
    x = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    assert bind(x, s)[t > 0].sum() == 0
    assert bind(x, s)[s > 0].sum() == 2


def test_binding_works_on_many_patterns_at_once() -> None:
    x, s = np.arange(6).reshape(2, 3), np.array([1, -1, 1])
    assert (bind(x, s) == [[0, -1, 2], [3, -4, 5]]).all()


@given(st.data())
@relaxed
def test_outer_is_a_sum_of_outer_products(data: st.DataObject) -> None:
    pairs, n, m = data.draw(sizes), data.draw(sizes), data.draw(sizes)
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    post, pre = rng.integers(-9, 9, (pairs, n)), rng.integers(-9, 9, (pairs, m))
    assert (outer(post, pre) == sum(np.outer(y, x) for y, x in zip(post, pre, strict=True))).all()


@given(
    st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=1, max_size=4),
    st.integers(1, 9),
)
@relaxed
def test_centring_takes_away_the_share_of_active_neurons(
    rows: list[list[bool]], scale: int
) -> None:
    codes = np.array(rows)
    centred = centre(codes, scale)
    np.testing.assert_allclose(centred, scale * (codes - codes.mean(1, keepdims=True)), atol=1e-12)
    np.testing.assert_allclose(centred.sum(1), 0, atol=1e-9)
    exact = centre(codes, 7)
    assert (exact == np.rint(exact)).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 31))
@relaxed
def test_similarity_is_1_to_itself_0_to_silence_and_minus_1_to_the_complement(
    seed: int, k: int
) -> None:
    rng = np.random.default_rng(seed)
    code = rng.permutation(np.arange(32) < k)[None]
    mask = rng.random(32) < 0.6
    mask[[code[0].argmax(), (~code[0]).argmax()]] = True
    assert similarity(code, code & mask, mask)[0, 0] == 1
    assert similarity(code, np.zeros_like(code), mask)[0, 0] == 0
    assert similarity(code, ~code & mask, mask)[0, 0] == -1
    half = similarity(code, np.ones_like(code), mask)[0, 0]
    assert half == 0, "everything at once says nothing"


@given(st.integers(0, 2**32 - 1), st.sampled_from([16, 64, 512]))
@relaxed
def test_similarity_of_unrelated_codes_is_about_0_at_any_sparsity(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.permutation(np.arange(4096) < k) for _ in range(2)])
    found = similarity(codes, codes, np.ones(4096, np.bool_))
    assert (found.diagonal() == 1).all()
    assert abs(found[0, 1]) < 6 / k**0.5


@given(st.integers(0, 2**32 - 1))
@relaxed
def test_similarity_is_the_hit_rate_less_the_false_alarm_rate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes, activity = rng.random((3, 20)) < 0.4, rng.random((4, 20)) < 0.4
    masks = rng.random((4, 20)) < 0.5
    found = similarity(codes, activity, masks)
    for b in range(4):
        for c in range(3):
            own, other = codes[c] & masks[b], ~codes[c] & masks[b]
            hits, alarms = (activity[b] & own).sum(), (activity[b] & other).sum()
            expected = hits / max(own.sum(), 1) - alarms / max(other.sum(), 1)
            assert abs(found[b, c] - expected) < 1e-6
