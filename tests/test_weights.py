"""The weights: each part against a naive formula, and every condition against plain int64
arithmetic.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import weights as building
from vsafsm.codebook import MAKERS, Codebook, Layout
from vsafsm.conditions import Conditions, conditions, loads
from vsafsm.lowering import REST, Lowered, lower
from vsafsm.machine import Machine, Transition
from vsafsm.options import Options, Rule
from vsafsm.program import Program
from vsafsm.weights import (
    ERASE,
    Grid,
    Refinement,
    autoassociative,
    build,
    grid_for,
    transition,
)

Compiled = Callable[..., Program]
Randoms = Callable[[int, int, int], Machine]


def drawn(
    machine: Machine, neurons: int, active: int, code: str = "sparse", seed: int = 0
) -> tuple[Lowered, Codebook]:
    lowered = lower(machine)
    layout = Layout(loads(lowered), len(machine.states), lowered.inputs, neurons, active)
    return lowered, MAKERS[code](layout, np.random.default_rng(seed))


# ---- the one-shot rule against loops


@pytest.mark.parametrize("code", ["sparse", "dense"])
def test_the_autoassociative_part_is_symmetric_and_the_naive_sum(
    turnstile: Machine, code: str
) -> None:
    _, book = drawn(turnstile, 32, 8, code)
    found = autoassociative(book)
    assert (found == found.T).all()
    f = book.codes.sum(1)[0] / 32
    for i in range(32):
        for j in range(32):
            total = sum((float(x[i]) - f) * (float(x[j]) - f) for x in book.codes)
            assert found[i, j] == pytest.approx(total / (1 - f), abs=1e-12)


@pytest.mark.parametrize("code", ["sparse", "dense"])
def test_the_transition_part_is_the_naive_sum_of_bound_outer_products(
    turnstile: Machine, code: str
) -> None:
    lowered, book = drawn(turnstile, 32, 8, code)
    f = book.codes.sum(1)[0] / 32
    x = book.codes.astype(float) - f
    expected = np.zeros((32, 32))
    arcs = [(m.source, m.mask, m.target) for m in lowered.moves if m.source != m.target]
    arcs += [(c, REST, to) for c, to in enumerate(lowered.releases) if c != to]
    assert len(arcs) == 4, "coin and push move, and each of their two pending codes is released"
    for source, mask, target in arcs:
        for i in range(32):
            for j in range(32):
                sign = 1 if book.masks[mask, j] else -1
                expected[i, j] += (
                    (x[target, i] - ERASE * x[source, i]) * x[source, j] * sign / (1 - f)
                )
    np.testing.assert_allclose(transition(lowered, book, "refined"), expected, atol=1e-12)


def test_a_stored_pattern_drives_its_own_neurons_by_one_unit_more_than_the_others() -> None:
    x = np.arange(40) < 10
    found = autoassociative(Codebook(np.ones((1, 40), np.bool_), x[None])) @ x / x.sum()
    assert found[x] == pytest.approx(found[x][0])
    assert found[x][0] - found[~x][0] == pytest.approx(1)


def test_blocks_of_rows_are_rows_of_the_whole(turnstile: Machine) -> None:
    lowered, book = drawn(turnstile, 48, 8)
    for rows in (slice(0, 16), slice(16, 48), slice(47, 48)):
        assert (autoassociative(book, rows) == autoassociative(book)[rows]).all()
        assert (
            transition(lowered, book, "refined", rows) == transition(lowered, book, "refined")[rows]
        ).all()


def test_a_machine_that_never_moves_has_no_transition_part() -> None:
    machine = Machine("m", ("x",), ("a",), "x", ((Transition("x"),),), ((),))
    lowered, book = drawn(machine, 32, 8)
    assert transition(lowered, book, "refined").shape == (32, 32)
    assert not transition(lowered, book, "refined").any()
    assert transition(lowered, book, "refined", slice(0, 5)).shape == (5, 32)


@pytest.mark.parametrize(
    "options", [{}, {"code": "dense"}, {"inhibition": "separate"}, {"trigger": "level"}], ids=str
)
def test_the_parts_of_a_program_add_up_to_its_weights_and_the_first_is_symmetric(
    compiled: Compiled, examples: dict[str, Machine], options: dict[str, str]
) -> None:
    x, y = Transition("x"), Transition("y")
    latch = Machine("latch", ("x", "y"), ("a", "b"), "x", ((x, y), (x, y)), ((), ()))
    program = compiled(latch if "trigger" in options else examples["traffic_light"], **options)
    parts, network = program.parts(), program.network
    assert (parts.autoassociative == parts.autoassociative.T).all()
    total = parts.autoassociative + parts.transition + parts.correction
    np.testing.assert_allclose(total * network.scale, network.weights, atol=1e-9 * network.scale)
    assert (parts.transition != parts.transition.T).any()


# ---- what an event passes through


def test_the_situations_of_a_toggle() -> None:
    machine = Machine(
        "m", ("x", "y"), ("a",), "x", ((Transition("y"),), (Transition("x"),)), ((), ())
    )
    given = conditions(lower(machine))
    x, y, to_y, to_x, held, every = 0, 1, 2, 3, 1, 2
    found = set(zip(*(column.tolist() for column in list(vars(given).values())[:6]), strict=True))
    expected = set()
    for source, pending, target in ((x, to_y, y), (y, to_x, x)):
        expected |= {
            (source, every, every, source, every, every),  # the state, at rest or just unmasked
            (source, REST, every, source, every, every),  # the state masked at rest
            (source, held, every, pending, held, held),  # the input has come
            (source, held, REST, pending, held, held),  # both masks were on for a step
            (pending, every, every, pending, every, every),  # neither mask was on for a step
            (pending, held, every, pending, every, every),  # the input is held
            (pending, held, REST, target, REST, REST),  # both masks were on for a step
            (pending, REST, every, target, REST, REST),  # the input has gone
        }
    assert found == expected
    assert len(given) == len(expected)


@given(data=st.data())
@settings(deadline=None, max_examples=50)
def test_loads_count_the_situations_in_which_a_code_is_wanted(
    data: st.DataObject, small_machine_strategy: Callable[..., st.SearchStrategy[Machine]]
) -> None:
    lowered = lower(data.draw(small_machine_strategy()))
    given = conditions(lowered)
    counted = np.bincount(given.want, minlength=len(lowered.codes))
    assert (loads(lowered) <= counted).all()
    assert (loads(lowered) >= counted / 2).all()
    assert len(given) == len(
        set(zip(*(column.tolist() for column in list(vars(given).values())[:6]), strict=True))
    )


# ---- refinement


def shortfall(given: Conditions, book: Codebook, grid: Grid, weights: np.ndarray) -> float:
    """The smallest right-signed drive per active neuron, in units, over all conditions, in plain
    int64.
    """
    opened = np.vstack([book.masks, np.ones(book.codes.shape[1], np.bool_)])
    wide, least = weights.astype(np.int64), np.inf
    for p in range(len(given)):
        z = book.codes[given.source[p]] & opened[given.open1[p]] & opened[given.open2[p]]
        drive = wide @ z.astype(np.int64) - grid.gain * int(z.sum())
        cared = opened[given.care1[p]] | opened[given.care2[p]]
        right = np.where(book.codes[given.want[p]], drive, -drive)[cared]
        if z.any():
            least = min(least, right.min() / int(z.sum()) / grid.scale)
    return least


@pytest.mark.parametrize("bits", range(2, 17))
@pytest.mark.parametrize("folded", [True, False], ids=["folded", "separate"])
def test_refined_weights_keep_to_their_bits_and_meet_every_condition_when_they_say_so(
    turnstile: Machine, bits: int, folded: bool
) -> None:
    neurons, active, margin = (256, 32, 0.1) if bits < 4 else (128, 16, 0.3)
    lowered, book = drawn(turnstile, neurons, active)
    grid = grid_for(lowered, book, bits, folded, "refined")
    weights, refinement = build(lowered, book, grid, "refined", margin, np.random.default_rng(0))
    assert weights.dtype == (np.int8 if bits <= 8 else np.int16)
    assert np.abs(weights.astype(int)).max() <= 2 ** (bits - 1) - 1
    least = shortfall(conditions(lowered), book, grid, weights)
    if bits >= 4:
        assert refinement.violations == 0
    if refinement.violations == 0:
        assert least >= margin


@given(data=st.data())
@settings(deadline=None, max_examples=25)
def test_no_violations_means_that_every_condition_holds_by_the_margin(
    data: st.DataObject, small_machine_strategy: Callable[..., st.SearchStrategy[Machine]]
) -> None:
    code = data.draw(st.sampled_from(["sparse", "dense"]))
    lowered, book = drawn(
        data.draw(small_machine_strategy()), 96, 16, code, data.draw(st.integers(0, 9))
    )
    grid = grid_for(
        lowered, book, data.draw(st.integers(3, 10)), data.draw(st.booleans()), "refined"
    )
    margin = data.draw(st.sampled_from([0.0, 0.05, 0.2, 0.4]))
    weights, refinement = build(lowered, book, grid, "refined", margin, np.random.default_rng(0))
    least = shortfall(conditions(lowered), book, grid, weights)
    if refinement.violations == 0:
        assert least >= margin
    if least < margin:
        assert refinement.violations > 0


def test_an_overloaded_refinement_gives_up_and_says_how_many_conditions_are_short(
    random_machines: Randoms,
) -> None:
    lowered, book = drawn(random_machines(32, 2, 0), 48, 8)
    grid = grid_for(lowered, book, 8, True, "refined")
    weights, refinement = build(lowered, book, grid, "refined", 0.3, np.random.default_rng(0))
    assert refinement.violations > 0
    assert 0 < refinement.passes <= 60
    assert shortfall(conditions(lowered), book, grid, weights) < 0.3


@pytest.mark.parametrize("bits", [2, 3, 4, 8, 12, 16])
@pytest.mark.parametrize("folded", [True, False], ids=["folded", "separate"])
def test_the_one_shot_rule_is_the_rounded_matrix(
    turnstile: Machine, bits: int, folded: bool
) -> None:
    lowered, book = drawn(turnstile, 64, 8)
    grid = grid_for(lowered, book, bits, folded, "refined")
    weights, refinement = build(lowered, book, grid, "one-shot", 0.3, np.random.default_rng(0))
    units = (
        autoassociative(book)
        + transition(lowered, book, "refined")
        - (grid.inhibition if folded else 0)
    )
    wanted = np.clip(units * grid.scale, -grid.limit, grid.limit)
    assert np.abs(weights - wanted).max() <= 0.5 + 1 / 32
    assert (refinement.passes, refinement.violations) == (0, 0)
    assert grid.gain == (0 if folded else max(int(bits > 2), round(grid.inhibition * grid.scale)))


def test_progress_goes_from_above_0_to_1(turnstile: Machine) -> None:
    lowered, book = drawn(turnstile, 1024, 16)
    shares: list[float] = []
    grid = grid_for(lowered, book, 8, True, "refined")
    build(lowered, book, grid, "one-shot", 0.3, np.random.default_rng(0), progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1


# ---- the same bytes


@pytest.mark.parametrize("code", ["sparse", "dense"])
def test_the_same_generator_gives_the_same_bytes(random_machines: Randoms, code: str) -> None:
    machine = random_machines(8, 2, 3)
    lowered, book = drawn(machine, 128, 16, code)
    grid = grid_for(lowered, book, 8, True, "refined")
    one, same, other = (
        build(lowered, book, grid, "refined", 0.3, np.random.default_rng(seed))[0].tobytes()
        for seed in (4, 4, 5)
    )
    assert one == same
    assert one != other


THREADED = """
import sys, numpy as np, vsafsm
from vsafsm import Machine, Transition
rng = np.random.default_rng(0)
names = tuple(f"s{i}" for i in range(24))
table = tuple(tuple(Transition(names[t]) for t in row) for row in rng.integers(0, 24, (24, 2)))
machine = Machine("m", names, ("a", "b"), "s0", table, ((),) * 24)
for options in ({}, {"code": "dense"}, {"bits": 12}, {"inhibition": "separate", "bits": 4}):
    program = vsafsm.compile(machine, dimension=768, margin=0.2, allow_unproven=True, **options)
    print(program.content_hash, program.claim)
"""


@pytest.mark.slow
def test_any_number_of_threads_gives_the_same_program() -> None:
    found = []
    for threads in ("1", "2"):
        counts = {
            f"{library}_NUM_THREADS": threads
            for library in ("OPENBLAS", "MKL", "OMP", "VECLIB_MAXIMUM")
        }
        done = subprocess.run(
            [sys.executable, "-c", THREADED],
            env={**os.environ, **counts},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(done.stdout)
    assert found[0] == found[1]
    assert len(set(found[0].splitlines())) == 4


def test_options_and_grid_agree_on_bits() -> None:
    for bits in range(2, 17):
        grid = Grid(Options(bits=bits).bits, 1.0, 0.45, True)
        assert grid.limit == 2 ** (bits - 1) - 1
        assert np.iinfo(grid.dtype).max >= grid.limit


@pytest.mark.parametrize("seed", range(3))
def test_robust_weights_are_smaller_for_the_same_margin(
    random_machines: Randoms, seed: int
) -> None:
    def spread(rule: str) -> float:
        program = vsafsm.compile(
            random_machines(8, 2, seed),
            dimension=256,
            active=16,
            margin=0.3,
            inhibition="separate",
            rule=rule,
        )
        assert program.claim.holds
        assert program.claim.margin >= 0.29
        return float(program.network.weights.std() / program.network.scale)

    assert spread("small") < 0.85 * spread("refined")


# ---- threads


@pytest.mark.parametrize("rule", ["refined", "robust"])
def test_threads_change_no_weight(
    monkeypatch: pytest.MonkeyPatch, examples: dict[str, Machine], rule: Rule
) -> None:
    lowered, book = drawn(examples["door_lock"], 560, 16)
    grid = grid_for(lowered, book, 8, False, rule)

    def found() -> tuple[bytes, Refinement]:
        weights, refinement = build(
            *(lowered, book, grid, rule, 0.3, np.random.default_rng(0)), passes=4, rounds=2
        )
        return weights.tobytes(), refinement

    monkeypatch.setattr(building, "cores", lambda: 1)
    alone = found()
    monkeypatch.setattr(building, "cores", lambda: 3)
    assert found() == alone
    monkeypatch.setattr(building, "WORTH_LEAVING_OUT", 0.0)
    assert found() == alone
