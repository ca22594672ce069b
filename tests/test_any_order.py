"""The proof for any order of updates against brute force over all activities that single updates
reach, and its refutations run again in plain loops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import vsafsm
from vsafsm.any_order import OrderProof, prove_any_order
from vsafsm.asynchronous import Runs, Timing
from vsafsm.errors import NetworkError
from vsafsm.lowering import REST, Code, lower
from vsafsm.machine import Machine, Transition
from vsafsm.network import Network
from vsafsm.noise import Additive, perturb
from vsafsm.order_bounds import Bounds
from vsafsm.order_changes import Changes
from vsafsm.order_refinement import for_any_order, refined
from vsafsm.program import Program
from vsafsm.situations import Arc, arcs

Bits = NDArray[np.bool_]
Compiled = Callable[..., Program]
Machines = Callable[[int, int, int], Machine]


# ---- brute force: activities are sets of neurons, as whole numbers


class Brute:
    """A network of a few neurons, every activity looked at."""

    def __init__(self, network: Network, naive: Callable[[Network], Any]) -> None:
        self.network, self.naive = network, naive(network)
        n = network.neurons
        every = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        drive = every @ self.naive.weights.T - network.gain * every.sum(1, keepdims=True)
        self.wanted = ((drive > 0) << np.arange(n)).sum(1)

    def number(self, bits: Bits) -> int:
        return sum(1 << i for i in np.flatnonzero(bits).tolist())

    def updated(self, z: int, neuron: int, opened: int) -> int:
        bit = 1 << neuron
        return (z & ~bit) | (int(self.wanted[z]) & opened & bit)

    def ends(self, z: int, mask: int) -> list[frozenset[int]]:
        """Sets of activities in which some order, fair to every neuron, goes round for ever."""
        opened = self.number(self.network.masks[mask])
        neurons = range(self.network.neurons)
        first = z & opened
        after: dict[int, list[int]] = {}
        queue = [first]
        while queue:
            z = queue.pop()
            if z not in after:
                after[z] = [self.updated(z, i, opened) for i in neurons]
                queue += after[z]
        # In a strongly connected set, each neuron needs an activity in which its update stays in.
        return [
            group
            for group in strongly_connected(after)
            if all(any(after[z][i] in group for z in group) for i in neurons)
        ]

    def reads(self, group: frozenset[int], mask: int) -> set[int]:
        n = self.network.neurons
        every = (np.array([(z >> i) & 1 for i in range(n)], bool) for z in group)
        return {self.naive.decode(z, self.network.masks[mask]) for z in every}

    def is_right(self, machine: Machine) -> bool:
        """Whether every word is run right in every order."""
        network = self.network
        index = {name: x for x, name in enumerate(network.states)}
        labels = {label: code for code, label in enumerate(network.labels)}
        start = self.number(network.codes[network.start])
        seen: set[tuple[str, int]] = set()

        def rest(zs: set[int], mask: int, code: int, state: str | None) -> set[int] | None:
            found = {group for z in zs for group in self.ends(z, mask)}
            if any(self.reads(group, mask) != {code} for group in found):
                return None
            if state is not None and network.moore[code] != machine.outputs_of(state):
                return None
            return {z for group in found for z in group}

        begun = rest({start}, REST, index[machine.initial], machine.initial)
        queue = [(machine.initial, begun)]
        while queue:
            state, zs = queue.pop()
            if zs is None:
                return False
            fresh = {z for z in zs if (state, z) not in seen}
            seen |= {(state, z) for z in fresh}
            for a, symbol in enumerate(machine.inputs):
                if not fresh:
                    break
                taken = machine.transition(state, symbol)
                stays, to = taken.to == state and not taken.outputs, index[taken.to]
                held = to if stays else labels[Code(to, True, taken.outputs)]
                middle = rest(fresh, a + 1, held, state if stays else None)
                if middle is None:
                    return False
                queue.append((taken.to, rest(middle, REST, to, taken.to)))
        return True


def strongly_connected(after: dict[int, list[int]]) -> list[frozenset[int]]:
    """Kosaraju's algorithm."""
    before: dict[int, list[int]] = {z: [] for z in after}
    for z, others in after.items():
        for other in others:
            before[other].append(z)

    def order(graph: dict[int, list[int]], z: int, seen: set[int]) -> Iterator[int]:
        stack = [(z, iter(graph[z]))]
        seen.add(z)
        while stack:
            z, others = stack[-1]
            fresh = next((other for other in others if other not in seen), None)
            if fresh is None:
                stack.pop()
                yield z
            else:
                seen.add(fresh)
                stack.append((fresh, iter(graph[fresh])))

    seen: set[int] = set()
    finished = [z for root in after if root not in seen for z in order(after, root, seen)]
    seen = set()
    return [frozenset(order(before, root, seen)) for root in reversed(finished) if root not in seen]


def small_network(machine: Machine, rng: np.random.Generator, apart: bool) -> Network:
    """Hebbian weights and noise; codes and masks at random, or codes that share no neuron, with
    one for each phase and one for both (for machines of one input).
    """
    lowered = lower(machine)
    number = len(lowered.codes)
    if apart:
        codes = np.repeat(np.eye(number, dtype=np.bool_), 3, axis=1)
        masks = np.array([np.arange(3 * number) % 3 != 1, np.arange(3 * number) % 3 != 2])
    else:
        neurons, active = int(rng.integers(5, 9)), int(rng.integers(2, 4))
        codes = np.zeros((number, neurons), np.bool_)
        for code in codes:
            code[rng.choice(neurons, active, replace=False)] = True
        masks = rng.random((lowered.masks, neurons)) < rng.choice([0.6, 0.9])
    weights = rng.integers(-4, 5, (codes.shape[1],) * 2) + 8 * (codes.T.astype(int) @ codes)
    for arc in arcs(lowered):
        if arc.source != arc.target:
            weights += 6 * np.outer(codes[arc.target], codes[arc.source] & masks[arc.mask])
    return Network.dense(
        np.clip(weights, -127, 127).astype(np.int8),
        int(rng.integers(0, 6)),
        16.0,
        8,
        masks,
        codes,
        lowered.codes,
        lowered.start,
        machine.states,
        machine.inputs,
        machine.moore,
    )


def drawn_network(machine: Machine, rng: np.random.Generator) -> Network:
    """A small network: as it is, refined, or refined and then disturbed."""
    network = small_network(machine, rng, len(machine.inputs) == 1 and len(machine.states) < 3)
    if rng.random() < 0.8:
        network = refined(machine, network, rng, distance_lsb=int(rng.integers(1, 12)), passes=30)
    if rng.random() < 0.5:
        noise = rng.integers(-1, 2, network.weights.shape) * int(rng.integers(1, 12))
        weights = np.clip(network.weights + noise, -127, 127).astype(np.int8)
        network = network.with_weights(weights)
    return network


def step_by_step(network: Network, proof: OrderProof) -> tuple[Bits, Bits]:
    """The order of a refutation, one neuron at a time, in plain sums: what fires in the end, and
    what is open then.
    """
    assert proof.wrong is not None
    weights = network.weights.astype(np.int64 if network.whole else np.float64).tolist()
    active = set(np.flatnonzero(network.codes[network.start]).tolist())
    opened: set[int] = set()

    def fires(i: int) -> bool:
        return i in opened and sum(weights[i][j] - network.gain for j in active) > 0

    for number, phase in enumerate(proof.wrong.phases):
        mask = network.masks[REST if phase.input is None else network.mask_of(phase.input)]
        opened = set(np.flatnonzero(mask).tolist())
        active &= opened
        last = number == len(proof.wrong.phases) - 1
        again = len(phase.updated) - proof.wrong.repeats if last and proof.wrong.repeats else None
        begun: set[int] | None = None
        for n, neuron in enumerate(phase.updated):
            if n == again:
                begun = set(active)
            assert fires(neuron) != (neuron in active)
            active ^= {neuron}
        if again is None:
            assert active == {i for i in range(network.neurons) if fires(i)}
        else:
            assert active == begun
    bits = np.zeros(network.neurons, np.bool_)
    bits[list(active)] = True
    return bits, network.masks[REST if phase.input is None else network.mask_of(phase.input)]


# ---- against brute force


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_never_holds_or_is_refuted_where_brute_force_says_otherwise(
    data: st.DataObject,
    seed: int,
    naive: type[Any],
    small_machine_strategy: Callable[..., st.SearchStrategy[Machine]],
) -> None:
    machine = data.draw(small_machine_strategy(states=2, inputs=2))
    network = drawn_network(machine, np.random.default_rng(seed))
    proof = prove_any_order(machine, network)
    right = Brute(network, naive).is_right(machine)
    assert proof.verdict != ("refuted" if right else "holds")
    if proof.verdict == "refuted":
        step_by_step(network, proof)


def test_brute_force_finds_right_networks_too(naive: type[Any]) -> None:
    """Of small networks, some hold, some are refuted, and of none is the wrong said: the law above
    is about something.
    """
    found: dict[tuple[str, bool], int] = {}
    for seed in range(60):
        network = drawn_network(toggle(), np.random.default_rng(seed))
        verdict = prove_any_order(toggle(), network).verdict
        key = verdict, Brute(network, naive).is_right(toggle())
        found[key] = found.get(key, 0) + 1
    assert set(found) - {("undecided", True), ("undecided", False)} == {
        ("holds", True),
        ("refuted", False),
    }


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), inputs=st.integers(1, 2))
def test_a_change_that_bounds_show_has_one_end(seed: int, inputs: int, naive: type[Any]) -> None:
    """Each change of the mask by itself, so that many are shown."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, (2, inputs)).tolist()
    table = tuple(tuple(Transition("st"[i]) for i in row) for row in targets)
    machine = Machine("two", ("s", "t"), tuple("ab"[:inputs]), "s", table, ((), ()))
    network = drawn_network(machine, rng)
    bounds, brute = Bounds(network), Brute(network, naive)
    for arc in Changes(machine, network).arcs:
        if bounds.shortfall(arc):
            continue
        core = network.codes[arc.source] & network.masks[arc.before]
        end = brute.number(network.codes[arc.target] & network.masks[arc.mask])
        assert brute.ends(brute.number(core), arc.mask) == [frozenset([end])]


def toggle() -> Machine:
    to = (Transition("on"),), (Transition("off"),)
    return Machine("toggle", ("off", "on"), ("press",), "off", to, ((), ("light",)))


# ---- refutations


@pytest.mark.parametrize("dimension", [96, 256])
def test_the_order_of_a_refutation_ends_wrong(
    dimension: int, turnstile: Machine, compiled: Compiled, naive: type[Any]
) -> None:
    program = compiled(turnstile, dimension=dimension, rule="robust", tolerate="none")
    proof = prove_any_order(turnstile, program.network)
    assert proof.verdict == "refuted"
    assert proof.wrong is not None
    activity, opened = step_by_step(program.network, proof)
    code = naive(program.network).decode(activity, opened)
    found = program.network.code_name(code) if code >= 0 else None
    assert proof.wrong.expected.startswith('"')
    assert found != proof.wrong.expected.strip('"')
    assert "order" in str(proof.wrong)


def test_a_run_that_never_ends_is_told(naive: type[Any]) -> None:
    """A neuron that goes off where it is on, and comes back."""
    machine = toggle()
    lowered = lower(machine)
    codes = np.zeros((len(lowered.codes), 8), np.bool_)
    codes[np.arange(4), np.arange(4) * 2] = codes[np.arange(4), np.arange(4) * 2 + 1] = True
    weights = np.zeros((8, 8), np.int8)
    weights[0, 1] = weights[1, 1] = 5
    weights[0, 0] = -10
    masks = np.ones((2, 8), np.bool_)
    network = Network.dense(
        weights, 0, 1.0, 8, masks, codes, lowered.codes, 0, ("off", "on"), ("press",), machine.moore
    )
    proof = prove_any_order(machine, network)
    assert proof.verdict == "refuted"
    assert proof.wrong is not None
    assert proof.wrong.word == ()
    assert proof.wrong.repeats == 2
    step_by_step(network, proof)
    assert not Brute(network, naive).is_right(machine)


def test_outputs_of_states_are_compared(turnstile: Machine, compiled: Compiled) -> None:
    program = for_any_order(compiled(turnstile, dimension=256, rule="robust", tolerate="none"))
    assert prove_any_order(turnstile, program.network).holds
    other = replace(program.network, moore=(("siren",),) * 2)
    proof = prove_any_order(turnstile, other)
    assert proof.verdict == "refuted"
    assert proof.wrong is not None
    assert "siren" in proof.wrong.found


# ---- what holds


@pytest.mark.parametrize("name", ["turnstile", "door_lock", "modulo_counter"])
def test_refined_programs_hold_and_run_in_orders_at_random(
    name: str, examples: dict[str, Machine], compiled: Compiled
) -> None:
    machine = examples[name]
    program = compiled(machine, dimension=256, rule="robust", tolerate="none", margin=0.1)
    refined_program = for_any_order(program)
    network = refined_program.network
    proof = prove_any_order(machine, network)
    assert proof.holds
    assert proof.shown == proof.changes
    assert refined_program.claim.holds
    assert refined_program.prove().contract == network.contract
    assert np.abs(network.weights.astype(int)).max() < 2 ** (network.bits - 1)
    rng = np.random.default_rng(0)
    for n, arc in enumerate(Changes(machine, network).arcs):
        activity = network.codes[arc.source] & network.masks[arc.before] & network.masks[arc.mask]
        expected = network.codes[arc.target] & network.masks[arc.mask]
        for _ in range(3 if n else 1):
            assert (settled(network, activity, network.masks[arc.mask], rng) == expected).all()
    assert Runs(machine, network, Timing(share=0), rng).correct_pairs().all()


def settled(network: Network, activity: Bits, opened: Bits, rng: np.random.Generator) -> Bits:
    """Neurons at random, some often and some seldom, one at a time."""
    weights = network.weights.astype(np.int64)
    often = rng.random(network.neurons) ** 4
    active = activity.copy()
    while True:
        wanted = (weights @ active - network.gain * active.sum() > 0) & opened
        changing = np.flatnonzero(wanted != active)
        if not len(changing):
            return active
        weight = often[changing]
        active[rng.choice(changing, p=weight / weight.sum())] ^= True


def test_a_refined_program_is_kept_in_a_file(
    turnstile: Machine, compiled: Compiled, tmp_path: Any
) -> None:
    program = for_any_order(compiled(turnstile, dimension=256, rule="robust", tolerate="none"))
    program.save(tmp_path / "turnstile.npz")
    again = vsafsm.load_program(tmp_path / "turnstile.npz")
    assert again == program
    assert prove_any_order(again.machine, again.network).holds


def test_inhibition_apart_and_levels(turnstile: Machine, compiled: Compiled) -> None:
    apart = compiled(
        turnstile, dimension=256, rule="robust", tolerate="none", inhibition="separate"
    )
    assert apart.network.gain
    assert prove_any_order(turnstile, for_any_order(apart).network).holds
    to = (Transition("a"), Transition("b")), (Transition("a"), Transition("b"))
    latch = Machine("latch", ("a", "b"), ("set", "clear"), "a", to, ((), ()))
    level = compiled(latch, dimension=256, rule="robust", tolerate="none", trigger="level")
    assert prove_any_order(latch, for_any_order(level).network).holds


def test_weights_that_differ_a_little_hold_and_a_lot_do_not(
    turnstile: Machine, compiled: Compiled
) -> None:
    network = for_any_order(
        compiled(turnstile, dimension=256, rule="robust", tolerate="none")
    ).network
    rng = np.random.default_rng(0)
    little = perturb(network, Additive(0.05, "lsb"), rng)
    assert not little.whole
    assert prove_any_order(turnstile, little).holds
    much = perturb(network, Additive(1.0), rng)
    proof = prove_any_order(turnstile, much)
    assert proof.verdict == "refuted"
    step_by_step(much, proof)


# ---- what is told


def test_each_bound_that_fails_is_named() -> None:
    """Two states of two neurons each, one mask: what the weights of each neuron leave open."""
    codes = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 0]], np.bool_)
    masks = np.ones((2, 5), np.bool_)
    weights = np.zeros((5, 5), np.int8)
    weights[2:4, :2] = 5  # the new code comes up from the old one
    weights[2:4, 2:4] = 1
    weights[:2, :2] = 10
    weights[:2, 2:4] = -30  # and takes it away
    weights[4, :] = -1

    def kind(changed: dict[tuple[int, int], int]) -> str:
        other = weights.copy()
        for place, value in changed.items():
            other[place] = value
        network = Network.dense(
            other, 0, 1.0, 8, masks, codes, (Code(0), Code(1)), 0, ("a", "b"), ("go",), ((), ())
        )
        found = Bounds(network).shortfall(Arc(0, 1, REST, REST))
        assert found is None or str(found.neuron) in str(found)
        return found.kind if found else ""

    assert kind({}) == ""
    assert kind({(2, 0): -9}) == "comes"
    assert kind({(3, 2): -20}) == "comes"
    assert kind({(4, 2): 9}) == "other"
    assert kind({(0, 2): 1, (0, 3): 1}) == "stays"


def test_what_cannot_be_proven_is_refused(
    turnstile: Machine, random_machines: Machines, compiled: Compiled
) -> None:
    network = compiled(turnstile, dimension=64).network
    with pytest.raises(NetworkError, match="not the machine's"):
        prove_any_order(random_machines(2, 2, 0), network)
    modules = compiled(random_machines(12, 2, 0), layout="modules", tolerate="none")
    if modules.network.modules > 1:
        with pytest.raises(NetworkError, match="no single matrix"):
            prove_any_order(modules.machine, modules.network)
    real = perturb(network, Additive(0.1), np.random.default_rng(0))
    with pytest.raises(NetworkError, match="expected whole numbers"):
        refined(turnstile, real, np.random.default_rng(0))


def test_progress_ends_where_the_proof_does(turnstile: Machine, compiled: Compiled) -> None:
    told: list[float] = []
    network = compiled(turnstile, dimension=96, rule="robust", tolerate="none").network
    proof = prove_any_order(turnstile, network, told.append)
    assert told == sorted(told)
    assert all(0 <= share <= 1 for share in told)
    assert repr(proof).startswith("<OrderProof refuted")
