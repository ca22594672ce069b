"""Symbolic machines: representatives, guards, codes, masks of every vector, and the proof over all
of them, held against machines with every vector as an input of its own.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm.codebook import Layout, guarded, sparse
from vsafsm.covering import joint_kinds, kinds_of, pairwise_covering
from vsafsm.cubes import Cube, meet, parse_cube, size, split, union
from vsafsm.encoder import Encoder, Sight
from vsafsm.equivalence import distinguishing_word, minimized
from vsafsm.errors import (
    CodebookError,
    NetworkError,
    NotComparableError,
    NotExpressibleError,
    SpecError,
    UnknownInputError,
)
from vsafsm.lowering import lower
from vsafsm.machine import Machine, Transition
from vsafsm.margins import margins
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.proof import Proof, prove
from vsafsm.running import with_inputs
from vsafsm.symbolic import SymbolicMachine, symbolic_machine
from vsafsm.weights import build, grid_for, loads


def cubes_of(vectors: set[int], width: int) -> list[Cube]:
    """Some disjoint cubes that hold exactly these vectors."""
    return list(union([((1 << width) - 1, vector) for vector in sorted(vectors)], width))


def random_machine(
    rng: np.random.Generator, width: int, states: int, bits: int = 2, covered: float = 1.0
) -> SymbolicMachine:
    """Each state looks at `bits` bits of its own choice; what they lead to is drawn."""
    names = tuple(f"s{i}" for i in range(states))
    inputs = [v for v in range(2**width) if rng.random() < covered] or [0]
    rows = []
    for x in range(states):
        seen = rng.choice(width, bits, replace=False)
        choices: dict[tuple[int, ...], Transition] = {}
        for key in product((0, 1), repeat=bits):
            to = names[(x + 1) % states] if not any(key) else names[int(rng.integers(states))]
            choices[key] = Transition(to, ("out",) if rng.random() < 0.3 else ())
        vectors: dict[tuple[int, ...], set[int]] = {}
        for v in inputs:
            vectors.setdefault(tuple(v >> int(b) & 1 for b in seen), set()).add(v)
        rows.append([(cubes_of(of, width), choices[key]) for key, of in vectors.items()])
    return symbolic_machine("random", width, names, "s0", rows)


def every_vector(machine: SymbolicMachine) -> list[str]:
    found = []
    for v in range(2**machine.width):
        try:
            machine.vector(machine.text(v))
        except UnknownInputError:
            continue
        found.append(machine.text(v))
    return found


def network_of(
    machine: SymbolicMachine, neurons: int, active: int, seed: int = 0, maker=guarded
) -> Network:
    lowered, rng = lower(machine), np.random.default_rng(seed)
    layout = Layout(
        loads(lowered), len(machine.states), lowered.inputs, neurons, active, lowered.targets
    )
    book = maker(layout, rng)
    grid = grid_for(lowered, book, 8, True)
    weights, _ = build(lowered, book, grid, "refined", 0.2, rng)
    return Network.dense(
        weights,
        grid.gain,
        grid.scale,
        grid.bits,
        book.masks,
        book.codes,
        lowered.codes,
        lowered.start,
        machine.states,
        machine.inputs,
        machine.moore,
    )


def exhaustive(machine: SymbolicMachine, network: Network) -> Proof:
    """The plain proof with every vector as an input."""
    vectors = every_vector(machine)
    return prove(machine.over(vectors), Encoder(machine, network).over(vectors))


@pytest.fixture(scope="module")
def machine() -> SymbolicMachine:
    return random_machine(np.random.default_rng(3), 6, 5)


@pytest.fixture(scope="module")
def program(machine: SymbolicMachine) -> Program:
    return vsafsm.compile(machine)


# ---- cubes and coverings


def texts(width: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.text("01-", min_size=width, max_size=width), min_size=1, max_size=8)


def held(cubes: list[Cube] | tuple[Cube, ...], width: int) -> list[int]:
    return [v for v in range(2**width) for care, value in cubes if v & care == value]


@given(st.integers(1, 6).flatmap(texts))
@settings(max_examples=200, deadline=None)
def test_a_union_holds_each_vector_once(found: list[str]) -> None:
    width, cubes = len(found[0]), [parse_cube(text) for text in found]
    united = held(union(cubes, width), width)
    assert sorted(united) == sorted(set(held(cubes, width)))
    assert len(united) == sum(size(cube, width) for cube in union(cubes, width))


@given(st.text("01-", min_size=5, max_size=5), st.text("01-", min_size=5, max_size=5))
def test_two_cubes_meet_in_the_vectors_of_both(one: str, other: str) -> None:
    both = meet(parse_cube(one), parse_cube(other))
    common = set(held([parse_cube(one)], 5)) & set(held([parse_cube(other)], 5))
    assert set(held([both] if both else [], 5)) == common


@given(st.lists(texts(5), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_a_covering_has_every_pair_of_kinds_that_any_vector_has(groups: list[list[str]]) -> None:
    partitions = [
        tuple(one.cubes for one in split([*map(parse_cube, dict.fromkeys(group)), (0, 0)], 5))
        for group in groups
    ]
    every = [kinds_of(partitions, v) for v in range(32)]
    chosen = [kinds_of(partitions, v) for v in pairwise_covering(partitions)]
    for p, q in product(range(len(partitions)), repeat=2):
        assert {(k[p], k[q]) for k in chosen} == {(k[p], k[q]) for k in every}
    joint = dict(joint_kinds(partitions))
    assert set(joint) == set(map(tuple, every))
    assert all(kinds_of(partitions, vector) == list(kinds) for kinds, vector in joint.items())


def test_a_covering_grows_with_the_kinds_of_two_states_and_not_with_their_product() -> None:
    partitions = [
        (((1 << i, 0),), ((1 << i, 1 << i),)) for i in range(24)
    ]  # 2 ** 24 classes of vectors
    assert len(pairwise_covering(partitions)) <= 24


# ---- the machine


def test_every_vector_takes_the_transition_of_its_guard(machine: SymbolicMachine) -> None:
    flat = machine.over(every_vector(machine))
    assert len(flat.inputs) == 64
    for state, symbol in product(machine.states, flat.inputs):
        (taken,) = [
            each.taken
            for each in machine.guarded[machine.state_index(state)]
            for cube in each.guard
            if int(symbol, 2) & cube[0] == cube[1]
        ]
        assert machine.transition(state, symbol) == taken == flat.transition(state, symbol)
    assert machine.run(flat.inputs).states == flat.run(flat.inputs).states


@pytest.mark.parametrize("symbol", ["", "01", "0101012", "01010x", "٠٠٠٠٠٠", " 10101"])
def test_what_is_no_vector_is_refused(machine: SymbolicMachine, symbol: str) -> None:
    with pytest.raises(UnknownInputError, match="6 characters, each 0 or 1"):
        machine.transition("s0", symbol)


def test_vectors_that_no_guard_holds_are_no_inputs() -> None:
    on = parse_cube("1-")
    machine = symbolic_machine("half", 2, ("a",), "a", [[([on], Transition("a"))]])
    assert every_vector(machine) == ["10", "11"]
    with pytest.raises(UnknownInputError, match="a vector that a row covers"):
        machine.run(["01"])


def test_guards_that_do_not_fit_are_refused(machine: SymbolicMachine) -> None:
    with pytest.raises(SpecError, match="guards"):
        replace(machine, guarded=machine.guarded[1:])
    with pytest.raises(SpecError, match="guards"):
        replace(machine, guarded=(machine.guarded[1], machine.guarded[0], *machine.guarded[2:]))
    with pytest.raises(SpecError, match="each state"):
        symbolic_machine("m", 1, ("a", "b"), "a", [[([(0, 0)], Transition("a"))]])


def test_what_needs_a_flat_alphabet_says_so(machine: SymbolicMachine, tmp_path: object) -> None:
    with pytest.raises(NotExpressibleError, match="guards over 6 input bits"):
        vsafsm.save(machine, f"{tmp_path}/machine.yaml")
    with pytest.raises(NotComparableError, match="guards"):
        distinguishing_word(machine, machine)
    with pytest.raises(NotComparableError, match="guards"):
        minimized(machine)


# ---- codes and masks


@pytest.mark.parametrize(("neurons", "active"), [(160, 16), (161, 16), (240, 21)])
def test_codes_of_guarded_pairs_are_halved_by_every_mask(
    machine: SymbolicMachine, neurons: int, active: int
) -> None:
    network = network_of(machine, neurons, active)
    assert (network.codes.sum(1) == active // 2 * 2).all()
    for mask in Encoder(machine, network).over(every_vector(machine)).masks:
        assert ((network.codes & mask).sum(1) == active // 2).all()


def test_masks_agree_wherever_a_state_cannot_tell_vectors_apart(
    machine: SymbolicMachine, program: Program
) -> None:
    network = with_inputs(program, every_vector(machine)).network
    pending = network.codes[len(network.states) :]
    assert len({(pending & mask).tobytes() for mask in network.masks[1:]}) == 1
    for state, code in zip(machine.states, network.codes, strict=False):
        seen: dict[Transition, set[bytes]] = {}
        for symbol in network.inputs:
            mask = network.masks[network.mask_of(symbol)]
            seen.setdefault(machine.transition(state, symbol), set()).add((code & mask).tobytes())
        assert all(len(one) == 1 for one in seen.values())
        assert len({one for group in seen.values() for one in group}) == len(seen)


def test_the_masks_of_representatives_are_the_networks(
    machine: SymbolicMachine, program: Program
) -> None:
    again = with_inputs(program, machine.inputs)
    assert (again.network.masks == program.network.masks).all()
    assert type(again.machine) is Machine


def test_too_few_neurons_for_guards(machine: SymbolicMachine) -> None:
    with pytest.raises(CodebookError, match="expected fewer, or more neurons"):
        network_of(machine, 24, 20)
    with pytest.raises(CodebookError, match="expected code sparse"):
        vsafsm.compile(machine, code="dense")


def test_masks_that_no_state_explains_are_refused(machine: SymbolicMachine) -> None:
    network = network_of(machine, 160, 16)
    masks = network.masks.copy()
    masks[1:, 7] = np.arange(len(masks) - 1) == 0
    with pytest.raises(NetworkError, match="neuron 7 depends on more of the input"):
        prove(machine, replace(network, masks=masks))


# ---- the proof


@pytest.mark.parametrize("seed", range(6))
def test_the_proof_is_that_of_every_vector(seed: int) -> None:
    machine = random_machine(
        np.random.default_rng(seed), 6, 4 + seed % 3, 2 + seed % 2, covered=[1.0, 0.7][seed % 2]
    )
    network = network_of(machine, 240, 20, seed)
    proof = prove(machine, network)
    assert proof.holds
    expected = exhaustive(machine, network)
    assert (proof.radius, proof.margin, proof.contract, proof.fixed_points) == (
        expected.radius,
        expected.margin,
        expected.contract,
        expected.fixed_points,
    )
    for name in ("active", "distance", "pairs"):
        assert (getattr(proof.tally, name) == getattr(expected.tally, name)).all()


@pytest.mark.parametrize("seed", range(12))
def test_the_proof_of_a_damaged_network_is_that_of_every_vector(seed: int) -> None:
    rng = np.random.default_rng(seed)
    machine = random_machine(rng, 6, 4)
    # Codes of the flat kind: pending codes see what all states see, so that more has to be walked.
    network = network_of(machine, 320, 22, seed, maker=[guarded, sparse][seed % 2])
    damage = rng.normal(0, seed // 2, network.weights.shape)
    weights = np.clip(np.rint(network.weights + damage), -127, 127).astype(np.int8)
    damaged = network.with_weights(weights)
    proof, expected = prove(machine, damaged), exhaustive(machine, damaged)
    assert proof.holds == expected.holds
    assert proof.radius == expected.radius


def test_walks_go_on_to_vectors_that_representatives_do_not_stand_for() -> None:
    machine = random_machine(np.random.default_rng(2), 6, 6)
    network = network_of(machine, 240, 18, maker=sparse)
    encoder, plain = Encoder(machine, network), machine.over(machine.inputs)
    sight = Sight(encoder, plain)
    assert prove(plain, network, observers=(sight,)).holds
    missing = sight.missing()
    assert missing
    assert not set(missing) & set(machine.inputs)
    proof, expected = prove(machine, network), exhaustive(machine, network)
    assert proof.holds
    assert proof.radius == expected.radius


def test_margins_are_those_of_the_proof(program: Program) -> None:
    assert margins(program.machine, program.network).minimum.margin == program.prove().margin


# ---- running


@given(words=st.lists(st.integers(0, 63), max_size=12))
@settings(max_examples=25, deadline=None)
def test_any_word_runs_as_the_interpreter_says(
    machine: SymbolicMachine, program: Program, words: list[int]
) -> None:
    word = [machine.text(v) for v in words]
    expected = machine.run(word)
    assert vsafsm.run(program, word).states == expected.states
    assert vsafsm.run(program, word).outputs[1:] == expected.outputs


def test_another_backend_runs_them_too(machine: SymbolicMachine, program: Program) -> None:
    word = [machine.text(v) for v in (63, 5, 40, 17)]
    assert vsafsm.run(program, word, "loihi2").states == machine.run(word).states


def test_a_session_takes_the_vectors_it_was_opened_for(
    machine: SymbolicMachine, program: Program
) -> None:
    word = [machine.text(v) for v in (63, 5)]
    with vsafsm.open(with_inputs(program, word)) as session:
        assert [session.send(symbol) for symbol in word] == list(machine.run(word).states[1:])


def test_a_file_holds_the_representatives(
    machine: SymbolicMachine, program: Program, tmp_path: object
) -> None:
    path = f"{tmp_path}/program.npz"
    program.save(path)
    loaded = vsafsm.load_program(path)
    assert loaded.machine.inputs == machine.inputs
    assert loaded.prove().holds
    again = replace(loaded, machine=machine)
    assert vsafsm.run(again, ["111111"]).states == machine.run(["111111"]).states
