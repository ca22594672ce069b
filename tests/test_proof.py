"""The proof, which must be able to fail: held against a naive simulator, brute force, damage and
perturbation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import errors as e
from vsafsm.hand_overs import HAND_OVERS
from vsafsm.lowering import Code
from vsafsm.machine import Machine, Transition
from vsafsm.network import MOST_STEPS, Contract, Network
from vsafsm.program import Program
from vsafsm.proof import Counterexample, Tally, prove

T = Transition
Compiled = Callable[..., Program]
Machines = Callable[..., st.SearchStrategy[Machine]]
Randoms = Callable[[int, int, int], Machine]

ABSORBING = Machine("absorbing", ("x",), ("a",), "x", ((T("x"),),), ((),))
ABSORBING_2 = Machine("absorbing", ("x", "y"), ("a",), "x", ((T("x"),), (T("y"),)), ((), ()))
TOGGLE = Machine("toggle", ("x", "y"), ("a",), "x", ((T("y"),), (T("x"),)), ((), ()))
LATCH = Machine(
    "latch", ("x", "y"), ("a", "b"), "x", ((T("x"), T("y")), (T("x"), T("y"))), ((), ())
)
VARIANTS: list[dict[str, Any]] = [
    {},
    {"code": "dense"},
    {"inhibition": "separate"},
    {"bits": 4},
    {"bits": 12},
    {"rule": "one-shot", "dimension": 192},
]


PATIENT = Contract(MOST_STEPS, MOST_STEPS)


def hand_built(
    weights: np.ndarray, masks: np.ndarray, code: np.ndarray, machine: Machine
) -> Network:
    """A network of a machine with one state and no outputs."""
    return Network.dense(
        weights.astype(np.int8),
        0,
        1.0,
        8,
        masks.astype(np.bool_),
        code[None].astype(np.bool_),
        (Code(0),),
        0,
        machine.states,
        machine.inputs,
        machine.moore,
    )


def check_against_brute_force(machine: Machine, network: Network, naive: Any, most: int) -> str:
    """Hold the verdict and the word against every word of up to `most` inputs, at any timing; ->
    the verdict.
    """
    proof = prove(machine, replace(network, contract=PATIENT))
    word = None if proof.counterexample is None else proof.counterexample.word
    assert (proof.verdict == "holds") == (word is None)
    if word is not None:
        most = min(most, len(word))
    for tried, verdicts in naive(network).judged(machine, most):
        if word is None or len(tried) < len(word):
            assert verdicts == {"right"}, (
                f"{tried} goes {verdicts}, the proof says {proof.verdict} {word}"
            )
        elif tried == word:
            assert ("wrong" if proof.verdict == "refuted" else "moving") in verdicts
            return proof.verdict
    assert word is None or len(word) > most, f"{word} was never reached"
    return proof.verdict


# ---- silence


@pytest.mark.parametrize(
    "machine", [ABSORBING, ABSORBING_2, TOGGLE], ids=lambda m: f"{m.name}-{len(m.states)}"
)
@pytest.mark.parametrize("real", [False, True], ids=["integer", "real"])
def test_a_network_of_no_weights_is_refuted_at_the_start(
    compiled: Compiled, machine: Machine, real: bool
) -> None:
    network = compiled(machine).network
    assert prove(machine, network).holds
    silent = network.with_weights(
        np.zeros_like(network.weights, dtype=np.float64 if real else np.int8)
    )
    proof = prove(machine, silent)
    assert proof.verdict == "refuted"
    assert proof.counterexample is not None
    assert (proof.counterexample.word, proof.counterexample.found) == ((), "no state")
    assert (proof.radius, proof.margin) == (0, 0)
    assert "(the start)" in str(proof.counterexample)


def test_silence_under_an_input_is_refuted_even_where_the_input_should_change_nothing() -> None:
    """The code {0, 1, 2} holds at rest; the input leaves open only 0, which cannot hold itself."""
    weights = np.array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]])
    masks = np.array([[1, 1, 1, 1], [1, 0, 0, 1]])
    proof = prove(ABSORBING, hand_built(weights, masks, np.array([1, 1, 1, 0]), ABSORBING))
    assert proof.verdict == "refuted"
    assert proof.counterexample is not None
    assert (proof.counterexample.word, proof.counterexample.found) == (("a",), "no code")


# ---- damage with a known outcome


def test_a_wrong_start_is_refuted_with_the_empty_word(
    compiled: Compiled, turnstile: Machine
) -> None:
    proof = prove(turnstile, replace(compiled(turnstile).network, start=1))
    assert proof.verdict == "refuted"
    assert proof.counterexample is not None
    assert proof.counterexample.word == ()
    assert '"locked"' in proof.counterexample.expected
    assert '"unlocked"' in proof.counterexample.found


def test_a_machine_that_starts_elsewhere_is_refuted(compiled: Compiled, turnstile: Machine) -> None:
    elsewhere = replace(turnstile, initial="unlocked")
    assert prove(elsewhere, compiled(turnstile).network).verdict == "refuted"


def test_swapped_output_labels_are_refuted(compiled: Compiled) -> None:
    machine = Machine(
        "m", ("x", "y"), ("a", "b"), "x", ((T("y", ("p",)), T("y", ("q",))),) * 2, ((), ())
    )
    network = compiled(machine).network
    assert prove(machine, network).holds
    first, second = network.labels[2:]
    proof = prove(machine, replace(network, labels=(*network.labels[:2], second, first)))
    assert proof.verdict == "refuted"
    assert proof.counterexample is not None
    assert len(proof.counterexample.word) == 1
    assert "p" in proof.counterexample.expected
    assert "q" in proof.counterexample.found


def test_a_forgotten_output_is_refuted(compiled: Compiled, turnstile: Machine) -> None:
    network = compiled(turnstile).network
    silent = tuple(label._replace(outputs=()) for label in network.labels)
    proof = prove(turnstile, replace(network, labels=silent))
    assert proof.verdict == "refuted"
    assert proof.counterexample is not None
    assert proof.counterexample.word == ("coin", "push")


def test_swapped_moore_outputs_are_refuted(compiled: Compiled, turnstile: Machine) -> None:
    network = compiled(turnstile).network
    proof = prove(turnstile, replace(network, moore=network.moore[::-1]))
    assert proof.verdict == "refuted"
    assert proof.counterexample is not None
    assert proof.counterexample.word == ()


def test_a_moore_output_of_a_state_entered_late_is_refuted_there(
    compiled: Compiled, turnstile: Machine
) -> None:
    network = compiled(turnstile).network
    proof = prove(turnstile, replace(network, moore=(network.moore[0], ("barrier_ajar",))))
    assert proof.verdict == "refuted"
    assert proof.counterexample is not None
    assert proof.counterexample.word == ("coin",)


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 3), (2, 3)])
def test_two_swapped_codes_are_refuted(
    compiled: Compiled, turnstile: Machine, pair: tuple[int, int]
) -> None:
    network = compiled(turnstile).network
    order = np.arange(len(network.codes))
    order[list(pair)] = pair[::-1]
    assert prove(turnstile, replace(network, codes=network.codes[order])).verdict == "refuted"


def test_a_transition_that_stays_under_way_at_rest_is_refuted(compiled: Compiled) -> None:
    level = compiled(LATCH, trigger="level").network
    assert prove(LATCH, level).holds
    codes = np.stack([level.codes[0], ~level.codes[0], level.codes[1]])
    labels, homes = (Code(0), Code(1), Code(1, True)), np.zeros(3, np.intp)
    proof = prove(LATCH, replace(level, codes=codes, labels=labels, homes=homes))
    assert proof.verdict == "refuted"
    assert proof.counterexample is not None
    assert (proof.counterexample.word, proof.counterexample.found) == (
        ("b",),
        "a transition still under way",
    )


@pytest.mark.parametrize("row", [0, 1, 2])
def test_two_swapped_masks_are_refuted(compiled: Compiled, turnstile: Machine, row: int) -> None:
    network = compiled(turnstile).network
    order = np.array([[1, 0, 2], [0, 2, 1], [2, 1, 0]])[row]
    assert not prove(turnstile, replace(network, masks=network.masks[order])).holds


@pytest.mark.parametrize("part", ["rows", "columns", "square"])
def test_a_flipped_block_of_weights_does_not_hold(
    compiled: Compiled, turnstile: Machine, part: str, naive: Any
) -> None:
    network = compiled(turnstile).network
    n = network.neurons
    block = {
        "rows": np.s_[: n // 4],
        "columns": np.s_[:, : n // 4],
        "square": np.s_[: n // 2, : n // 2],
    }[part]
    weights = network.weights.copy()
    weights[block] *= -1
    assert check_against_brute_force(turnstile, network.with_weights(weights), naive, 4) != "holds"


@pytest.mark.parametrize(
    "options",
    [{"dimension": 24}, {"dimension": 32, "bits": 2}, {"dimension": 256, "rule": "one-shot"}],
)
def test_too_few_neurons_do_not_hold(
    random_machines: Randoms, naive: Any, options: dict[str, Any]
) -> None:
    machine = random_machines(24, 2, 1)
    try:
        program = vsafsm.compile(machine, allow_unproven=True, **options)
    except e.CodebookError:
        assert options["dimension"] < 64, "there are not even codes for so many"
        return
    proof = program.prove()
    assert not proof.holds
    assert program.claim.verdict == proof.verdict
    assert check_against_brute_force(machine, program.network, naive, 3) == proof.verdict
    with pytest.raises(e.NotProvenError):
        vsafsm.compile(machine, **options)


def test_a_network_of_another_machine_is_refused_or_refuted(
    compiled: Compiled, turnstile: Machine
) -> None:
    network = compiled(TOGGLE).network
    with pytest.raises(e.NetworkError):
        prove(turnstile, network)
    stays = replace(TOGGLE, table=((T("x"),), (T("y"),)))
    proof = prove(stays, network)
    assert proof.counterexample is not None
    assert (proof.verdict, proof.counterexample.word) == ("refuted", ("a",))


# ---- undecided


def test_an_input_under_which_the_activity_swings_is_undecided() -> None:
    weights = np.zeros((6, 6))
    weights[[0, 1, 2], [2, 2, 0]] = 2, 2, 1  # {0, 1, 2} brings up itself
    weights[[0, 1, 4, 5], [4, 4, 0, 0]] = 1  # and without 2, {0, 1} and {4, 5} bring up each other
    weights[[4, 5], 2] = -5
    masks = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 1, 1]])
    network = hand_built(weights, masks, np.array([1, 1, 1, 0, 0, 0]), ABSORBING)
    proof = prove(ABSORBING, network)
    assert proof.verdict == "undecided"
    assert not proof.holds
    assert proof.counterexample is not None
    assert proof.counterexample.word == ("a",)
    assert str(MOST_STEPS) in proof.counterexample.found
    assert (proof.radius, proof.margin) == (0, 0)


def test_a_start_that_swings_is_undecided() -> None:
    weights = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    proof = prove(ABSORBING, hand_built(weights, np.ones((2, 3)), np.array([1, 0, 0]), ABSORBING))
    assert proof.verdict == "undecided"
    assert proof.counterexample is not None
    assert proof.counterexample.word == ()


def counting(latches: int) -> tuple[Machine, Network]:
    """One state that is 20 neurons; each input leaves one more neuron on for good: 2**latches fixed
    points, all right.

    The input closes one neuron of the code, which else holds its latch down.
    """
    n = 80
    weights, masks = np.zeros((n, n)), np.ones((latches + 1, n))
    weights[:20, 19] = 1
    for j in range(latches):
        masks[j + 1, j] = 0
        weights[20 + j, [19, j, 20 + j]] = 1, -1, 1
    inputs = tuple(f"i{j}" for j in range(latches))
    machine = Machine("counting", ("x",), inputs, "x", (tuple(T("x") for _ in inputs),), ((),))
    return machine, hand_built(weights, masks, np.arange(n) < 20, machine)


def test_many_fixed_points_may_stand_for_one_state() -> None:
    machine, network = counting(6)
    proof = prove(machine, network)
    assert (proof.verdict, proof.fixed_points) == ("holds", 2**6)


def test_a_walk_that_does_not_close_is_undecided() -> None:
    machine, network = counting(9)
    proof = prove(machine, network)
    assert proof.verdict == "undecided"
    assert proof.counterexample is not None
    assert "close" in proof.counterexample.expected


@pytest.mark.parametrize("pairs", [1, 2, 128])
def test_a_refutation_of_the_same_length_comes_before_what_is_undecided(
    pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two inputs: one swings, the other silences the network; walked together or one after the
    other.
    """
    monkeypatch.setattr("vsafsm.proof.PAIRS", pairs)
    weights = np.zeros((6, 6))
    weights[[0, 1, 2], [2, 2, 0]] = 2, 2, 1
    weights[[0, 1, 4, 5], [4, 4, 0, 0]] = 1
    weights[[4, 5], 2] = -5
    masks = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 1, 1], [0, 0, 0, 1, 0, 0]])
    machine = replace(ABSORBING, inputs=("a", "b"), table=((T("x"), T("x")),))
    proof = prove(machine, hand_built(weights, masks, np.array([1, 1, 1, 0, 0, 0]), machine))
    assert proof.verdict == "refuted"
    assert proof.counterexample is not None
    assert proof.counterexample.word == ("b",)


# ---- agreement with brute force


@given(data=st.data())
@settings(deadline=None, max_examples=25)
def test_what_holds_never_fails_a_word(
    data: st.DataObject, small_machine_strategy: Machines, naive: Any
) -> None:
    machine = data.draw(small_machine_strategy())
    program = vsafsm.compile(
        machine, **data.draw(st.sampled_from(VARIANTS[:-1])), seed=data.draw(st.integers(0, 99))
    )
    assert check_against_brute_force(machine, program.network, naive, 6) == "holds"
    proof = program.prove()
    assert proof.fixed_points >= len(machine.reachable)


def damaged(network: Network, rng: np.random.Generator, kind: str, share: float) -> Network:
    weights = network.weights.copy()
    n = network.neurons
    if kind == "rows":
        weights[rng.permutation(n)[: max(1, int(share * n))]] *= -1
    elif kind == "missing":
        weights[rng.random((n, n)) < share] = 0
    elif kind == "noise":
        noisy = weights + rng.normal(0, share * 40, (n, n)).round()
        weights = np.clip(noisy, -127, 127).astype(weights.dtype)
    elif kind == "real noise":
        weights = weights + rng.normal(0, share * 40, (n, n))
    elif kind == "dead neurons":
        weights[rng.random(n) < share / 2] = -100
    else:
        weights = rng.permutation(weights)
    return network.with_weights(weights)


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_damaged_networks_are_refuted_just_where_brute_force_goes_wrong_first(
    data: st.DataObject, small_machine_strategy: Machines, compiled: Compiled, naive: Any
) -> None:
    machine = data.draw(small_machine_strategy(states=3, inputs=2))
    options = data.draw(
        st.sampled_from([{"dimension": 64}, {}, {"dimension": 96, "inhibition": "separate"}])
    )
    network = compiled(machine, **options).network
    kind = data.draw(
        st.sampled_from(["rows", "missing", "noise", "real noise", "dead neurons", "shuffled"])
    )
    share = data.draw(st.sampled_from([0.02, 0.1, 0.3, 0.5, 0.8]))
    harmed = damaged(network, np.random.default_rng(data.draw(st.integers(0, 999))), kind, share)
    check_against_brute_force(machine, harmed, naive, 5)


def test_damage_leads_to_every_verdict(compiled: Compiled, turnstile: Machine, naive: Any) -> None:
    network = compiled(turnstile, dimension=64).network
    verdicts = set()
    for seed, share in ((seed, share) for seed in range(12) for share in (0.1, 0.3, 0.6)):
        harmed = damaged(network, np.random.default_rng(seed), "missing", share)
        verdict = check_against_brute_force(turnstile, harmed, naive, 5)
        word = prove(turnstile, replace(harmed, contract=PATIENT)).counterexample
        verdicts.add((verdict, len(word.word) if word else -1))
    assert ("holds", -1) in verdicts
    assert len({length for verdict, length in verdicts if verdict == "refuted"}) >= 2


@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_what_holds_survives_any_holds_gaps_and_hand_overs(
    data: st.DataObject, small_machine_strategy: Machines, compiled: Compiled, naive: Any
) -> None:
    machine = data.draw(small_machine_strategy(states=3, inputs=2))
    network = compiled(machine, dimension=64).network
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    if data.draw(st.booleans()):
        network = damaged(network, rng, "missing", 0.1)
        assume(prove(machine, network).holds)
    contract, plain = prove(machine, network).contract, naive(network)
    z = network.codes[network.start]
    for _ in range(contract.gap_steps + int(rng.integers(0, 3))):
        z = plain.step(z, network.masks[0])
    state = machine.initial
    for a in rng.integers(0, len(machine.inputs), 12).tolist():
        taken = machine.transition(state, machine.inputs[a])
        for mask, steps in ((a + 1, contract.hold_steps), (0, contract.gap_steps)):
            z = plain.begun(z, a + 1)[int(rng.integers(3))]
            for _ in range(steps + int(rng.integers(0, 4))):
                z = plain.step(z, network.masks[mask])
            if mask:
                label = network.labels[plain.decode(z, network.masks[mask])]
                assert (network.states[label.state], label.outputs) == (taken.to, taken.outputs)
        state = taken.to
        assert plain.right_at_rest(machine, z, state)


# ---- what the proof measures


def cases(examples: dict[str, Machine], compiled: Compiled) -> list[tuple[Machine, Network]]:
    names = ["turnstile", "traffic_light", "vending_machine", "door_lock"]
    found = [(examples[name], compiled(examples[name]).network) for name in names]
    found += [
        (examples["turnstile"], compiled(examples["turnstile"], **options).network)
        for options in VARIANTS[1:]
    ]
    found.append((LATCH, compiled(LATCH, trigger="level").network))
    return found


def test_contract_radius_tally_and_fixed_points_are_those_of_a_naive_walk(
    examples: dict[str, Machine], compiled: Compiled, naive: Any
) -> None:
    for machine, network in cases(examples, compiled):
        proof, plain = prove(machine, network), naive(network)
        assert proof.fixed_points == plain.walk(machine)
        assert proof.contract == Contract(plain.hold, plain.gap)
        assert network.contract == proof.contract
        pairs: dict[bytes, tuple[Any, np.ndarray]] = {}
        for z, opened in plain.visited.values():
            seen = pairs.setdefault(z.tobytes(), (z, np.zeros_like(z)))[1]
            seen |= opened
        counted: dict[tuple[int, int], int] = {}
        for z, opened in pairs.values():
            for distance in np.abs(plain.drive(z))[opened].tolist():
                counted[int(z.sum()), distance] = counted.get((int(z.sum()), distance), 0) + 1
        tally = proof.tally
        columns = zip(
            tally.active.tolist(), tally.distance.tolist(), tally.pairs.tolist(), strict=True
        )
        assert {(n, d): many for n, d, many in columns} == counted
        assert proof.radius == min(d / n for n, d in counted if n)
        assert proof.margin == proof.radius / network.scale


def tightest(network: Network, plain: Any) -> list[tuple[float, np.ndarray, int, float]]:
    """(distance an active neuron, activity, neuron, drive) of each neuron's tightest visited pair,
    tightest first.
    """
    best: dict[int, tuple[float, np.ndarray, int, float]] = {}
    for z, opened in plain.visited.values():
        if not z.any():
            continue
        drive = plain.drive(z)
        for i in np.flatnonzero(opened).tolist():
            distance = abs(float(drive[i])) / int(z.sum())
            if i not in best or distance < best[i][0]:
                best[i] = distance, z, i, float(drive[i])
    return sorted(best.values(), key=lambda found: found[0])


def test_an_adversary_within_the_radius_changes_no_step_and_just_past_it_does(
    examples: dict[str, Machine], compiled: Compiled, naive: Any
) -> None:
    for machine, network in cases(examples, compiled):
        proof, plain = prove(machine, network), naive(network)
        plain.walk(machine)
        assert proof.radius > 0, "where it is 0, nothing can be within"
        pairs = tightest(network, plain)
        assert pairs[0][0] == proof.radius
        rng = np.random.default_rng(0)
        away = rng.choice([-1.0, 1.0], network.weights.shape)
        for _, z, i, drive in pairs:
            away[i, z] = -1.0 if drive > 0 else 1.0
        within = network.with_weights(network.weights + 0.99 * proof.radius * away)
        survived = prove(machine, within)
        assert survived.holds
        assert survived.fixed_points == proof.fixed_points
        assert survived.contract == proof.contract
        assert 0 < survived.radius <= 0.02 * proof.radius

        _, z, i, drive = pairs[0]
        weights = network.weights.astype(np.float64)
        weights[i, z] += 1.02 * proof.radius * (-1.0 if drive > 0 else 1.0)
        opened = np.ones_like(z)
        past = naive(network.with_weights(weights))
        assert past.step(z, opened)[i] != plain.step(z, opened)[i]


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_random_signs_within_the_radius_change_nothing(
    examples: dict[str, Machine], compiled: Compiled, share: float
) -> None:
    for machine, network in cases(examples, compiled):
        proof = prove(machine, network)
        for seed in range(3):
            signs = np.random.default_rng(seed).choice([-1.0, 1.0], network.weights.shape)
            moved = prove(
                machine, network.with_weights(network.weights + share * proof.radius * signs)
            )
            assert moved.holds
            assert (moved.fixed_points, moved.contract) == (proof.fixed_points, proof.contract)
            assert moved.radius >= (1 - share) * proof.radius - 1e-9


# ---- the failure bound


def sigma_at(tally: Tally, bound: float) -> float:
    low, high = 1e-6, 1e6
    for _ in range(100):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if tally.failure_bound(middle) < bound else (low, middle)
    return low


@pytest.mark.parametrize("bound", [0.1, 0.5])
@pytest.mark.parametrize("options", [{}, {"inhibition": "separate"}, {"code": "dense"}], ids=str)
def test_the_failure_bound_is_above_a_monte_carlo_estimate(
    turnstile: Machine, compiled: Compiled, naive: Any, options: dict[str, str], bound: float
) -> None:
    network = compiled(turnstile, **options).network
    proof, plain = prove(turnstile, network), naive(network)
    plain.walk(turnstile)
    sigma = sigma_at(proof.tally, bound)
    z = np.stack([z for z, _ in plain.visited.values()])
    opened = np.stack([opened for _, opened in plain.visited.values()])
    fires = np.stack([plain.drive(x) > 0 for x in z])
    rng, draws, failed = np.random.default_rng(0), 400, 0
    for _ in range(draws):
        noisy = network.weights + rng.normal(0, sigma, network.weights.shape)
        drive = z @ noisy.T - network.gain * z.sum(1, keepdims=True)
        changed = (((drive > 0) != fires) & opened).any()
        failed += int(changed)
        if not changed and not failed % 7:
            assert prove(turnstile, network.with_weights(noisy)).holds
    assert failed > 0
    assert failed / draws <= bound + 3 * (bound * (1 - bound) / draws) ** 0.5
    assert failed / draws > bound / 20, "a bound that is far too loose says nothing"


def test_the_failure_bound_is_below_1_where_radius_times_root_k_is_above_6_sigma(
    examples: dict[str, Machine], compiled: Compiled, random_machines: Randoms
) -> None:
    found = cases(examples, compiled)
    found += [(m, compiled(m).network) for m in [*examples.values(), random_machines(24, 2, 0)]]
    for machine, network in found:
        proof = prove(machine, network)
        sigma = proof.radius * network.active**0.5 / 6.0001
        assert proof.tally.failure_bound(sigma) < 1, (machine.name, network.neurons, network.active)
        assert proof.tally.failure_bound(sigma / 2) < 1e-6


def test_the_failure_bound_grows_with_the_noise(compiled: Compiled, turnstile: Machine) -> None:
    tally = compiled(turnstile).prove().tally
    bounds = [tally.failure_bound(sigma) for sigma in (0, 0.5, 1, 2, 4, 8, 1e6)]
    assert bounds == sorted(bounds)
    assert bounds[0] == 0
    assert bounds[-1] == pytest.approx(tally.pairs.sum() / 2, rel=1e-3)


# ---- the rest


def test_progress_ends_at_the_number_of_fixed_points(
    compiled: Compiled, examples: dict[str, Machine]
) -> None:
    seen: list[int] = []
    proof = compiled(examples["elevator"]).prove(seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == proof.fixed_points == 12


def test_the_walk_takes_more_pairs_than_a_batch_holds(
    compiled: Compiled, random_machines: Randoms, naive: Any
) -> None:
    machine = random_machines(40, 4, 2)
    network = compiled(machine, dimension=512).network
    proof = prove(machine, network)
    assert proof.holds
    assert check_against_brute_force(machine, network, naive, 3) == "holds"
    last = machine.reachable[-1]
    moore = tuple(("late",) if s == last else () for s in machine.states)
    late = prove(machine, replace(network, moore=moore))
    assert late.counterexample is not None
    word = late.counterexample.word
    depth = next(n for n in range(40) if last in reached_in(machine, n))
    assert len(word) == depth
    assert machine.run(word).states[-1] == last


def reached_in(machine: Machine, steps: int) -> set[str]:
    states = {machine.initial}
    for _ in range(steps):
        states = {machine.transition(s, a).to for s in states for a in machine.inputs} | states
    return states


# ---- the contract, and the timing of a counterexample


@pytest.mark.parametrize("short", ["hold_steps", "gap_steps"])
def test_a_contract_that_is_too_short_is_not_proven(
    compiled: Compiled, turnstile: Machine, short: str
) -> None:
    network = compiled(turnstile).network
    tight = replace(network.contract, **{short: 1})
    proof = prove(turnstile, replace(network, contract=tight))
    assert proof.verdict == "undecided"
    assert proof.counterexample is not None
    assert "within the 1 of the contract" in proof.counterexample.expected
    assert not prove(turnstile, replace(network, contract=Contract(1, 1))).holds
    assert prove(turnstile, replace(network, contract=PATIENT)).holds


def replayed(machine: Machine, plain: Any, wrong: Counterexample) -> list[bool]:
    """Whether each phase of each input of a counterexample's word is right, at its timings; ends
    with the first not.
    """
    network, z, state = plain.network, plain.start(), machine.initial
    right = [plain.right_at_rest(machine, z, state)]
    for symbol, timing in zip(wrong.word, wrong.timings, strict=True):
        a = machine.inputs.index(symbol)
        taken = machine.transition(state, symbol)
        for mask, manner in ((a + 1, timing[0]), (0, timing[1])):
            begun = plain.begun(z, a + 1)[HAND_OVERS.index(manner)]
            z, _ = plain.settle(begun, network.masks[mask])
            code = plain.decode(z, network.masks[mask])
            held = code >= 0 and (
                network.states[network.labels[code].state],
                network.labels[code].outputs,
            )
            right.append(
                held == (taken.to, taken.outputs)
                if mask
                else plain.right_at_rest(machine, z, taken.to)
            )
            if not right[-1]:
                return right
        state = taken.to
    return right


def test_a_counterexample_goes_wrong_at_the_timing_that_it_names(
    compiled: Compiled, turnstile: Machine, naive: Any
) -> None:
    network = compiled(turnstile, dimension=64).network
    unusual = 0
    for seed in range(150):
        harmed = damaged(network, np.random.default_rng(seed), "missing", 0.15 + 0.1 * (seed % 4))
        proof = prove(turnstile, replace(harmed, contract=PATIENT))
        wrong = proof.counterexample
        if wrong is None or proof.verdict == "undecided":
            continue
        right = replayed(turnstile, naive(harmed), wrong)
        assert right.count(False) == 1
        assert len(right) >= 2 * len(wrong.word)
        if any(manner != "at once" for timing in wrong.timings for manner in timing):
            unusual += 1
            assert "on for a step at the" in str(wrong)
    assert unusual
