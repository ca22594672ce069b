"""What strategies draw, against definitions in plain loops, and what it shrinks to."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from vsafsm.errors import NoiseError, RobustnessError
from vsafsm.machine import Machine, Transition
from vsafsm.noise import MODELS, Additive, Composed, Missing, Noise, Quantised, parse_noise
from vsafsm.testing import machines, noises, words

FIXED = settings(
    database=None,
    derandomize=True,
    deadline=None,
    max_examples=2000,
    phases=[Phase.generate, Phase.shrink],
)

ONE = Machine("one", ("s",), ("a",), "s", ((Transition("s"),),), ((),))


def reached(machine: Machine) -> set[str]:
    """The states that words of up to S - 1 inputs lead to, word by word for a few states."""
    found = {machine.initial}
    for _ in machine.states:
        found |= {
            machine.transition(state, symbol).to for state in found for symbol in machine.inputs
        }
    return found


def differ(machine: Machine, one: str, other: str) -> bool:
    """Whether some word puts out something else from two states: over all pairs of states that
    words lead to.
    """
    seen, queue = {(one, other)}, [(one, other)]
    for x, y in queue:
        if machine.outputs_of(x) != machine.outputs_of(y):
            return True
        for symbol in machine.inputs:
            left, right = machine.transition(x, symbol), machine.transition(y, symbol)
            if left.outputs != right.outputs:
                return True
            if (left.to, right.to) not in seen:
                seen.add((left.to, right.to))
                queue.append((left.to, right.to))
    return False


def emits(machine: Machine) -> bool:
    return any(taken.outputs for row in machine.table for taken in row)


# ---- machines


@given(
    data=st.data(),
    options=st.fixed_dictionaries({n: st.booleans() for n in ("mealy", "moore", "partial")}),
)
def test_machines_are_connected_and_as_large_as_asked_for(
    data: st.DataObject, options: dict[str, bool]
) -> None:
    least, most = sorted(data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6))))
    fewest, widest = sorted(data.draw(st.tuples(st.integers(1, 4), st.integers(1, 4))))
    machine = data.draw(machines((least, most), (fewest, widest), **options))
    assert least <= len(machine.states) <= most
    assert fewest <= len(machine.inputs) <= widest
    assert reached(machine) == set(machine.states)
    assert options["mealy"] or not emits(machine)
    assert options["moore"] or not any(machine.moore)


@given(machine=machines(4, 2))
def test_a_number_is_exact(machine: Machine) -> None:
    assert (len(machine.states), len(machine.inputs)) == (4, 2)


@given(
    data=st.data(),
    outputs=st.sampled_from([(True, True), (True, False), (False, True)]),
    partial=st.booleans(),
)
def test_states_of_minimal_machines_all_differ(
    data: st.DataObject, outputs: tuple[bool, bool], partial: bool
) -> None:
    mealy, moore = outputs
    machine = data.draw(machines((1, 6), minimal=True, mealy=mealy, moore=moore, partial=partial))
    assert all(differ(machine, x, y) for x, y in product(machine.states, repeat=2) if x != y)
    assert reached(machine) == set(machine.states)
    assert mealy or not emits(machine)
    assert moore or not any(machine.moore)


def test_every_machine_of_two_states_and_two_inputs_is_drawn() -> None:
    drawn = set()

    @settings(FIXED, suppress_health_check=list(HealthCheck))
    @given(machine=machines(2, 2, mealy=False, moore=False))
    def collect(machine: Machine) -> None:
        drawn.add((machine.initial, machine.table))

    collect()
    rows = list(product([Transition("s0"), Transition("s1")], repeat=2))
    tables = {("s0", (row, other)) for row, other in product(rows, rows) if Transition("s1") in row}
    tables |= {
        ("s1", (other, row)) for row, other in product(rows, rows) if Transition("s0") in row
    }
    assert drawn == tables


@pytest.mark.parametrize("partial", [False, True])
def test_unlisted_pairs_stay(partial: bool) -> None:
    stays = []

    @settings(FIXED, max_examples=200)
    @given(machine=machines(5, 4, partial=partial))
    def count(machine: Machine) -> None:
        rows = zip(machine.states, machine.table, strict=True)
        stays.append(sum(taken == Transition(state) for state, row in rows for taken in row) / 20)

    count()
    assert (sum(stays) / len(stays) > 0.35) == partial


@pytest.mark.parametrize(
    ("condition", "options", "states", "inputs"),
    [
        (lambda m: len(m.states) >= 3, {}, 3, 1),
        (lambda m: len(m.states) >= 3, {"states": (2, 6), "inputs": (2, 4)}, 3, 2),
        (lambda m: len(m.states) >= 3, {"minimal": True}, 3, 1),
        (lambda m: len(m.states) >= 3, {"partial": True}, 3, 1),
        (lambda m: len(m.inputs) >= 2, {}, 1, 2),
        (emits, {}, 1, 1),
        (lambda m: any(m.moore), {}, 1, 1),
        (lambda m: m.initial != m.states[0], {}, 2, 1),
        (lambda m: len(m.states) > 1 and m.self_loops > 1, {}, 2, 2),
        (lambda m: len(m.states) > 1 and all(map(any, m.table)) and not m.self_loops, {}, 2, 1),
        (lambda m: set(m.moore) >= {("p",), ("q",)}, {}, 2, 1),
        (lambda m: len(set(m.run([m.inputs[0]] * 4).states)) == 4, {"states": (1, 6)}, 4, 1),
    ],
)
def test_machines_shrink_to_the_smallest_with_a_feature(
    condition: Callable[[Machine], bool], options: dict[str, Any], states: int, inputs: int
) -> None:
    machine = find(machines(**options), condition, settings=FIXED)
    assert (len(machine.states), len(machine.inputs)) == (states, inputs)


def test_what_a_feature_does_not_need_shrinks_to_nothing() -> None:
    def stays_and_emits(machine: Machine) -> bool:
        rows = zip(machine.states, machine.table, strict=True)
        return len(machine.states) > 1 and any(
            t.to == state and t.outputs for state, row in rows for t in row
        )

    machine = find(machines(), stays_and_emits, settings=FIXED)
    assert machine.states == ("s0", "s1")
    assert machine.table == ((Transition("s1"),), (Transition("s1", ("p",)),))
    assert machine.moore == ((), ())


# ---- words


@given(data=st.data(), machine=machines())
def test_words_are_over_the_inputs(data: st.DataObject, machine: Machine) -> None:
    word = data.draw(words(machine, (2, 5)))
    assert 2 <= len(word) <= 5
    assert set(word) <= set(machine.inputs)
    assert len(data.draw(words(machine, 3))) == 3


def test_words_shrink_to_what_is_needed(turnstile: Machine) -> None:
    assert find(words(turnstile), lambda word: word.count("push") >= 2, settings=FIXED) == (
        "push",
        "push",
    )
    assert find(words(turnstile), lambda word: True, settings=FIXED) == ()


# ---- noise


@given(noise=noises(composed=3))
def test_noise_is_of_the_models_and_its_text_comes_back(noise: Noise) -> None:
    assert parse_noise(str(noise)) == noise
    some = noise.noises if isinstance(noise, Composed) else (noise,)
    assert 1 <= len(some) <= 3
    assert all(type(one) in MODELS.values() for one in some)


@given(noise=noises(additive=(0.5, 1.25), missing=0.1))
def test_amounts_lie_within_bounds(noise: Noise) -> None:
    assert noise == Missing(0.1) or (
        isinstance(noise, Additive) and 0.5 <= noise.std <= 1.25 and noise.unit == "std"
    )


@pytest.mark.parametrize("name", MODELS)
def test_every_model_and_both_ends_are_drawn(name: str) -> None:
    whole = name in ("quantised", "timing:masks", "timing:delays")
    low, high = (3, 9) if whole else (0.125, 0.75)

    def amount(noise: Any) -> float:
        return float(next(iter(vars(noise).values())))

    for end in (low, high):
        noise = find(
            noises(**{name: (low, high)}),
            lambda noise, end=end: amount(noise) == end,
            settings=FIXED,
        )
        assert type(noise) is MODELS[name]
    assert (
        type(find(noises(), lambda noise: type(noise) is MODELS[name], settings=FIXED))
        is MODELS[name]
    )


def test_noise_shrinks_to_the_least_that_does() -> None:
    assert find(
        noises(additive=(0, 2)), lambda noise: noise.std >= 1.37, settings=FIXED
    ) == Additive(1.38)
    assert find(
        noises(quantised=(2, 8)), lambda noise: noise.bits <= 5, settings=FIXED
    ) == Quantised(5)
    assert find(noises(composed=3), lambda noise: True, settings=FIXED) == Additive(0)
    two = find(
        noises(composed=3, missing=(0, 0.5)), lambda noise: "+" in str(noise), settings=FIXED
    )
    assert two == Composed((Missing(0), Missing(0)))


# ---- bounds that leave nothing


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: machines(0), r"states are 0; expected a whole number of at least 1"),
        (lambda: machines((3, 2)), r"states are \(3, 2\); expected .* the least and the most"),
        (lambda: machines(2.5), "states are 2.5"),
        (lambda: machines(True), "states are True"),
        (lambda: machines((1, 2, 3)), "states are"),
        (lambda: machines(inputs=(0, 2)), "inputs are"),
        (
            lambda: machines(minimal=True, mealy=False, moore=False),
            "up to 5 states .* expected mealy or moore",
        ),
        (lambda: words(ONE, (-1, 2)), r"lengths are \(-1, 2\)"),
        (lambda: noises(composed=0), "composed are 0"),
    ],
)
def test_bounds_that_leave_nothing_are_refused_at_once(
    ask: Callable[[], object], told: str
) -> None:
    with pytest.raises(RobustnessError, match=told):
        ask()


@pytest.mark.parametrize(
    ("amounts", "told"),
    [
        ({"aditive": 1}, 'did you mean "additive"'),
        ({"missing": (0, 2)}, "from 0 to 1"),
        ({"additive": -1}, "at least 0"),
        ({"additive": (1, 2, 3)}, "expected a number"),
        ({"additive": (2, 1)}, "expected the least, then the most"),
        ({"quantised": (2.5, 8)}, "whole number"),
    ],
)
def test_amounts_that_are_none_are_refused_at_once(amounts: dict[str, Any], told: str) -> None:
    with pytest.raises(NoiseError, match=told):
        noises(**amounts)
