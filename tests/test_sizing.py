"""Sizing: how near the smallest, which requirements are met, and what is said where nothing
proves.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import errors as e
from vsafsm.lowering import lower
from vsafsm.machine import Machine, Transition
from vsafsm.options import MOST_NEURONS, Options
from vsafsm.prediction import active_for, conditions_per_neuron, predicted_neurons
from vsafsm.program import Program
from vsafsm.requirements import Requirements, largest_sum
from vsafsm.sizing import rung_of, rung_size, size

Compiled = Callable[..., Program]
Install = Callable[..., None]
Randoms = Callable[[int, int, int], Machine]
T = Transition


def check_sized(program: Program) -> None:
    assert program.prove().holds
    assert program.smallest is not None
    assert program.smallest <= program.network.neurons <= 4 * program.smallest


@pytest.mark.parametrize("code", ["sparse", pytest.param("dense", marks=pytest.mark.slow)])
def test_every_example_proves_within_four_times_of_the_smallest(
    compiled: Compiled, examples: dict[str, Machine], code: str
) -> None:
    for machine in examples.values():
        check_sized(compiled(machine, code=code))


@pytest.mark.parametrize("bits", [2, 3, 4, 6, 12, 16])
@pytest.mark.parametrize("inhibition", ["folded", "separate"])
def test_every_width_is_sized(
    compiled: Compiled, turnstile: Machine, bits: int, inhibition: str
) -> None:
    program = compiled(turnstile, bits=bits, inhibition=inhibition)
    check_sized(program)
    assert program.network.bits == bits
    assert (program.network.gain == 0) == (inhibition == "folded" or bits == 2)


@pytest.mark.parametrize("states", [1, 2, 16, 48])
def test_random_machines_are_sized(
    compiled: Compiled, random_machines: Randoms, states: int
) -> None:
    check_sized(compiled(random_machines(states, 2, 1)))


@given(data=st.data())
@settings(deadline=None, max_examples=15)
def test_any_small_machine_is_sized(
    data: st.DataObject, small_machine_strategy: Callable[..., st.SearchStrategy[Machine]]
) -> None:
    machine = data.draw(small_machine_strategy(states=6, inputs=5))
    check_sized(vsafsm.compile(machine, tolerate="none"))


def test_the_smallest_is_the_smallest_that_was_tried_and_proved(turnstile: Machine) -> None:
    sized = size(turnstile, lower(turnstile), Options(), Requirements())
    proved = [attempt.neurons for attempt in sized.attempts if attempt.verdict == "holds"]
    assert sized.smallest == min(proved)
    assert sized.proof.holds
    assert sized.network.contract == sized.proof.contract


def test_a_given_dimension_is_kept_and_has_no_smallest(
    compiled: Compiled, turnstile: Machine
) -> None:
    for neurons in (101, 256):
        program = compiled(turnstile, dimension=neurons)
        assert (program.network.neurons, program.smallest) == (neurons, None)


def test_active_neurons_and_margins_that_are_asked_for(
    compiled: Compiled, turnstile: Machine
) -> None:
    assert compiled(turnstile, dimension=200, active=24).network.active == 24
    assert compiled(turnstile, dimension=400, margin=0.4).claim.margin >= 0.36
    assert compiled(turnstile, dimension=200, code="dense").network.active == 100


# ---- requirements


@pytest.mark.parametrize(
    "requirements",
    [
        Requirements(bits=4),
        Requirements(bits=3, folded=False),
        Requirements(folded=False),
        Requirements(folded=True),
        Requirements(least_active=40),
        Requirements(least_margin=0.25),
        Requirements(least_margin=0.35),
        Requirements(most_neurons=100),
        Requirements(most_neurons=45),
        Requirements(largest_sum=1000),
        Requirements(
            bits=6,
            folded=False,
            least_active=20,
            least_margin=0.2,
            largest_sum=3000,
            most_neurons=300,
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("dimension", ["auto", 96])
def test_what_a_target_asks_for_is_met_or_refused(
    install: Install, turnstile: Machine, requirements: Requirements, dimension: Any
) -> None:
    install("target", requirements)
    try:
        program = vsafsm.compile(turnstile, target="target", dimension=dimension)
    except (e.NotProvenError, e.RequirementError):
        if dimension == "auto":
            raise
        return
    network, proof = program.network, program.prove()
    assert proof.holds
    assert requirements.unmet(network, proof.margin) == ()
    assert network.bits <= (requirements.bits or 16)
    assert requirements.folded is None or (network.gain == 0) == requirements.folded
    assert proof.margin >= (requirements.least_margin or 0)
    assert network.codes.sum(1).min() >= (requirements.least_active or 0)
    assert network.neurons <= (requirements.most_neurons or network.neurons)
    assert largest_sum(network) <= (requirements.largest_sum or 10**9)
    assert program.requirements == requirements
    with vsafsm.open(program, backend="target") as session:
        assert session.send("coin") == "unlocked"


@pytest.mark.parametrize(
    ("requirements", "options", "message"),
    [
        (Requirements(most_neurons=16), {}, "a target for more than 16 neurons"),
        (Requirements(most_neurons=16), {"dimension": 96}, "96 neurons, at most 16"),
        (Requirements(least_active=90), {"dimension": 96}, "two codes are equal"),
        (Requirements(largest_sum=5), {}, "sums of up to"),
        (Requirements(largest_sum=5), {"dimension": 96}, "sums of up to"),
        (Requirements(bits=4), {"bits": 8, "dimension": 96}, "weights of 8 bits"),
        (
            Requirements(folded=False),
            {"inhibition": "folded", "dimension": 96},
            "inhibition must be separate",
        ),
        (Requirements(least_margin=20.0), {"dimension": 96}, "no proof at 96 neurons|a margin of"),
    ],
    ids=str,
)
def test_what_cannot_be_met_is_refused_and_says_why(
    install: Install,
    turnstile: Machine,
    requirements: Requirements,
    options: dict[str, Any],
    message: str,
) -> None:
    install("target", requirements)
    with pytest.raises((e.NotProvenError, e.RequirementError, e.CodebookError), match=message):
        vsafsm.compile(turnstile, target="target", **options)


def test_where_nothing_proves_it_says_what_was_tried(
    install: Install, random_machines: Randoms
) -> None:
    install("tiny", Requirements(most_neurons=64))
    with pytest.raises(
        e.NotProvenError, match=r'machine "random": nothing up to 64 neurons proved; expected'
    ) as caught:
        vsafsm.compile(random_machines(32, 2, 0), target="tiny")
    *tried, last = caught.value.attempts
    assert all(re.match(r"N=\d+ k=\d+ margin .* asked: ", each) for each in tried)
    assert "conditions short" in tried[0]
    assert "refuted" in last
    with pytest.raises(e.NotProvenError, match="no proof at 64 neurons; expected a dimension of"):
        vsafsm.compile(random_machines(32, 2, 0), dimension=64, active=8)


# ---- the ladder and the prediction


def test_the_ladder_doubles_in_four_rungs() -> None:
    sizes = [rung_size(rung) for rung in range(40)]
    assert sizes[0] == 16
    assert all(one <= two for one, two in pairwise(sizes))
    assert all(size % 8 == 0 for size in sizes)
    assert all(1.9 < sizes[i + 4] / sizes[i] < 2.1 for i in range(12, 36))
    for neurons in (1, 16, 17, 100, 4096, 5000):
        rung = rung_of(neurons)
        assert rung_size(rung) >= neurons
        assert rung == 0 or rung_size(rung - 1) < neurons


def test_more_work_is_predicted_to_need_more_neurons(random_machines: Randoms) -> None:
    lowered = [lower(random_machines(states, 2, 0)) for states in (2, 8, 32, 128)]
    for grow in (conditions_per_neuron, lambda x: predicted_neurons(x, Options())):
        found = [grow(x) for x in lowered]
        assert found == sorted(found)
    machine = lowered[2]
    assert predicted_neurons(machine, Options(bits=2)) > predicted_neurons(machine, Options())
    assert predicted_neurons(machine, Options(rule="one-shot")) > predicted_neurons(
        machine, Options()
    )
    assert predicted_neurons(machine, Options(code="dense")) >= predicted_neurons(
        machine, Options()
    )


@pytest.mark.parametrize("neurons", [16, 64, 512, 4096])
@pytest.mark.parametrize("inputs", [1, 4, 20])
def test_active_neurons_are_at_least_what_is_asked_and_at_most_what_there_is(
    random_machines: Randoms, neurons: int, inputs: int
) -> None:
    lowered = lower(random_machines(4, inputs, 0))
    for least in (1, 5, neurons // 8):
        assert least <= active_for(neurons, lowered, 8, least) <= max(least + 64, neurons // 2)


# ---- the ends of the range


@pytest.mark.parametrize(
    "options", [{}, {"code": "dense"}, {"trigger": "level"}, {"inhibition": "separate"}], ids=str
)
def test_one_state_and_one_input(compiled: Compiled, options: dict[str, str]) -> None:
    check_sized(compiled(Machine("m", ("x",), ("a",), "x", ((T("x"),),), ((),)), **options))


def test_a_machine_of_many_inputs(compiled: Compiled, random_machines: Randoms) -> None:
    check_sized(compiled(random_machines(3, 16, 0)))


@pytest.mark.parametrize("inputs", [64, 200])
def test_many_inputs_of_which_a_state_tells_few_kinds_apart(
    compiled: Compiled, random_machines: Randoms, inputs: int
) -> None:
    """What a state sees of an input is its kind: three states, at most three kinds, however many
    inputs.
    """
    program = compiled(random_machines(3, inputs, 0))
    check_sized(program)
    assert program.network.neurons <= 512
    masks, codes = program.network.masks, program.network.codes
    assert (2 * (codes[:, None] & masks).sum(2) == codes.sum(1)[:, None]).all()


def test_the_best_attempt_is_returned_where_unproven_is_allowed(turnstile: Machine) -> None:
    options = {"bits": 2, "rule": "one-shot"}
    with pytest.raises(
        e.NotProvenError, match=r"nothing up to \d+ neurons proved; expected rule refined"
    ) as caught:
        vsafsm.compile(turnstile, **options)
    assert re.match(r"(refuted|undecided) at N=.*: expected", caught.value.attempts[-1])
    program = vsafsm.compile(turnstile, allow_unproven=True, **options)
    assert not program.claim.holds
    assert program.smallest is None


@pytest.mark.parametrize("most", [33, 40, 79])
def test_the_ceiling_of_a_target_is_kept(install: Install, turnstile: Machine, most: int) -> None:
    install("small", Requirements(most_neurons=most))
    program = vsafsm.compile(turnstile, target="small")
    assert program.smallest is not None
    assert program.smallest <= program.network.neurons <= most


def test_the_search_ends_where_no_codes_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def attempt(search: object, neurons: int, *rest: object) -> None:
        tried.append(neurons)
        raise e.CodebookError("none")

    monkeypatch.setattr("vsafsm.sizing.search._compile", attempt)
    with pytest.raises(e.CodebookError):
        vsafsm.compile(Machine("m", ("x",), ("a",), "x", ((T("x"),),), ((),)))
    assert max(tried) <= MOST_NEURONS


@pytest.mark.parametrize("headroom", [2.0, 3.0, 4.0])
def test_a_target_s_headroom_density_and_rule_are_aimed_at(
    install: Install, turnstile: Machine, headroom: float
) -> None:
    install("roomy", Requirements(rule="small", headroom=headroom, density=1 / 10))
    program, usual = vsafsm.compile(turnstile, target="roomy"), vsafsm.compile(turnstile)
    network = program.network
    assert program.smallest == usual.smallest
    assert headroom * program.smallest <= network.neurons <= 4 * program.smallest
    assert network.neurons <= 1.25 * headroom * program.smallest
    assert 0.07 <= network.active / network.neurons <= 0.13
    assert program.options.rule == "small"
    assert vsafsm.compile(turnstile, target="roomy", rule="refined").options.rule == "refined"


def test_fewer_active_neurons_are_taken_where_noise_is_not_borne(
    install: Install, random_machines: Randoms
) -> None:
    machine = random_machines(12, 4, 0)

    def sized(name: str, tolerance: float) -> tuple[int, float]:
        install(name, Requirements(rule="small", headroom=4.0, density=2 / 11, tolerance=tolerance))
        program = vsafsm.compile(machine, target=name)
        network = program.network
        tolerance_ratio = (
            program.claim.margin
            * network.active**0.5
            * network.scale
            / float(network.weights.std())
        )
        assert program.requirements.noise_tolerance_ratio(
            network, program.claim.margin
        ) == pytest.approx(tolerance_ratio / tolerance)
        return network.active, tolerance_ratio

    dense, sparse, sparsest = sized("calm", 0.1), sized("rough", 2.2), sized("impossible", 100.0)
    assert dense[0] > sparsest[0]
    assert dense[0] >= sparse[0] >= sparsest[0]
    assert sparsest[1] > dense[1]
    assert dense[0] <= 2.5 * sparsest[0]
