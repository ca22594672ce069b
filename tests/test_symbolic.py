"""Symbolic machines: representatives, guards, codes, masks of every vector, and the proof over all
of them, held against machines with every vector as an input of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import npz
from vsafsm.codebook import Layout, guarded, sparse
from vsafsm.conditions import loads
from vsafsm.covering import joint_kinds, kinds_of, pairwise_covering
from vsafsm.cubes import Cube, meet, parse_cube, size, split, union
from vsafsm.encoder import Encoder, Sight
from vsafsm.equivalence import distinguishing_word, minimized
from vsafsm.errors import (
    CodebookError,
    NetworkError,
    NotComparableError,
    NotExpressibleError,
    ProgramError,
    SpecError,
    UnknownInputError,
)
from vsafsm.formats import formats, written
from vsafsm.lowering import lower
from vsafsm.machine import Machine, Transition
from vsafsm.margins import margins
from vsafsm.network import Network
from vsafsm.program import Program, _members
from vsafsm.proof import Proof, prove
from vsafsm.running import with_inputs
from vsafsm.sizing import assembled
from vsafsm.symbolic import Guarded, SymbolicMachine, symbolic_machine
from vsafsm.testing import NotRobustError, assert_robust, words
from vsafsm.weights import build, grid_for


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
    grid = grid_for(lowered, book, 8, True, "refined")
    weights, _ = build(lowered, book, grid, "refined", 0.2, rng)
    return assembled(machine, lowered, book, grid, weights)


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


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: {"inputs": ("0b0", *m.inputs[1:])}, "no vectors of 6 bits"),
        (lambda m: {"width": 7}, "no vectors of 7 bits"),
        (lambda m: {"inputs": m.inputs[:4], "table": tuple(r[:4] for r in m.table)}, "miss two"),
        (lambda m: {"guarded": (m.guarded[0][1:], *m.guarded[1:])}, "other vectors than those"),
        (lambda m: {"guarded": ((*m.guarded[0], m.guarded[0][0]), *m.guarded[1:])}, "same vector"),
        (lambda m: {"guarded": (widened(m.guarded[0]), *m.guarded[1:])}, "same vector"),
        (lambda m: {"guarded": ((), *m.guarded[1:])}, "without cubes"),
        (lambda m: {"guarded": (emptied(m.guarded[0]), *m.guarded[1:])}, "without cubes"),
        (lambda m: {"guarded": (lifted(m.guarded[0]), *m.guarded[1:])}, "none of 6 bits"),
        (lambda m: {"guarded": (divided(m.guarded[0]), *m.guarded[1:])}, "out of order"),
    ],
)
def test_guards_that_the_proof_could_not_rest_on_are_refused(
    machine: SymbolicMachine,
    change: Callable[[SymbolicMachine], dict[str, Any]],
    told: str,
) -> None:
    with pytest.raises(SpecError, match=told):
        replace(machine, **change(machine))


def widened(row: tuple[Guarded, ...]) -> tuple[Guarded, ...]:
    """The first guard holds vectors of another as well."""
    return (replace(row[0], guard=((0, 0),)), *row[1:])


def emptied(row: tuple[Guarded, ...]) -> tuple[Guarded, ...]:
    return (replace(row[0], guard=()), *row[1:])


def lifted(row: tuple[Guarded, ...]) -> tuple[Guarded, ...]:
    """The first cube looks at a bit that no vector has."""
    return (replace(row[0], guard=tuple((care | 64, v) for care, v in row[0].guard)), *row[1:])


def divided(row: tuple[Guarded, ...]) -> tuple[Guarded, ...]:
    """The first cube in two halves, the upper one first."""
    ((care, value), *others) = row[0].guard
    bit = next(1 << i for i in range(6) if not care >> i & 1)
    halves = ((care | bit, value | bit), (care | bit, value))
    return (replace(row[0], guard=(*halves, *others)), *row[1:])


# ---- formats, equivalence, minimal machines


def test_other_formats_cannot_hold_guards(machine: SymbolicMachine, tmp_path: Path) -> None:
    told = "guards over 6 input bits, which the format yaml cannot hold; expected kiss2 or blif"
    with pytest.raises(NotExpressibleError, match=told):
        vsafsm.save(machine, tmp_path / "machine.yaml")
    with pytest.raises(NotComparableError, match="the other has a flat alphabet"):
        distinguishing_word(machine, machine.over(machine.inputs))
    other = symbolic_machine("half", 6, ("a",), "a", [[([(1, 1)], Transition("a"))]])
    with pytest.raises(NotComparableError, match="other vectors as inputs"):
        distinguishing_word(machine, other)


@pytest.mark.parametrize("name", ["kiss2", "blif"])
@pytest.mark.parametrize("seed", range(4))
def test_guards_are_written_and_read_back(name: str, seed: int, tmp_path: Path) -> None:
    machine = random_machine(np.random.default_rng(seed), 5, 4, covered=[1.0, 0.6][seed % 2])
    text = written(machine, formats()[name])
    assert "is s" not in text
    reader = formats()[name].guards
    assert reader is not None
    again = reader(text, "random.kiss2").machine
    assert isinstance(again, SymbolicMachine)
    assert distinguishing_word(machine, again) is None
    flat, vectors = formats()[name].read(text, "random.kiss2").machine, every_vector(machine)
    assert every_vector(again) == vectors
    for state, vector in product(machine.states, vectors):
        expected = machine.transition(state, vector)
        assert again.transition(state, vector) == expected
        (one,) = [a for a in flat.inputs if any(agrees(c, vector) for c in a.split("|"))]
        assert flat.transition(state, one) == expected


def agrees(cube: str, vector: str) -> bool:
    return all(c in ("x", v) for c, v in zip(cube, vector, strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_a_distinguishing_word_is_a_shortest_one_over_all_vectors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = random_machine(rng, 4, 3)
    row = list(one.guarded[2])
    row[0] = replace(row[0], taken=Transition("s0", ("new",)))
    rows = [[(each.guard, each.taken) for each in row] for row in (*one.guarded[:2], tuple(row))]
    other = symbolic_machine("other", 4, one.states, "s0", rows)
    vectors = every_vector(one)
    flat = distinguishing_word(one.over(vectors), other.over(vectors))
    found = distinguishing_word(one, other)
    assert found is not None
    assert flat is not None
    assert len(found) == len(flat)
    assert one.run(found).outputs[:-1] == other.run(found).outputs[:-1]
    assert one.run(found).outputs[-1] != other.run(found).outputs[-1]


@pytest.mark.parametrize("seed", range(12))
def test_a_minimal_machine_is_that_of_every_vector(seed: int) -> None:
    """States that are copies of others, some with one vector that goes elsewhere."""
    rng = np.random.default_rng(seed)
    base = random_machine(rng, 4, 3)
    copies = {f"t{s}": s for s in base.states}

    def moved(taken: Transition) -> Transition:
        return replace(taken, to=f"t{taken.to}" if rng.random() < 0.5 else taken.to)

    rows = [
        [([cube], moved(each.taken)) for each in base.guarded[x % 3] for cube in each.guard]
        for x in range(6)
    ]
    if seed % 3 == 0:  # one of the copies is none
        cubes, taken = rows[4][0]
        rows[4][0] = (cubes, replace(taken, outputs=("other",)))
    states = (*base.states, *copies)
    machine = symbolic_machine("copied", 4, states, "s0", rows)
    small = minimized(machine)
    assert isinstance(small, SymbolicMachine)
    assert small.states == minimized(machine.over(every_vector(machine))).states
    assert seed % 3 == 0 or len(small.states) == 3
    assert distinguishing_word(machine, small) is None
    assert minimized(small) == small


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


def test_a_session_takes_every_vector_as_it_comes(
    machine: SymbolicMachine, program: Program
) -> None:
    word = [machine.text(v) for v in np.random.default_rng(0).integers(64, size=40).tolist()]
    expected = machine.run(word)
    with vsafsm.open(program) as session:
        for symbol, state, outputs in zip(word, expected.states[1:], expected.outputs, strict=True):
            assert (session.send(symbol), session.outputs) == (state, outputs)
        with pytest.raises(UnknownInputError, match="6 characters"):
            session.send("1")
        assert session.state == expected.states[-1]
        assert session.reset() == machine.initial
        assert session.counts["synaptic_operations"] > 0


def test_a_backend_of_known_words_takes_the_vectors_it_was_opened_for(
    machine: SymbolicMachine, program: Program
) -> None:
    word = [machine.text(v) for v in (63, 5)]
    with vsafsm.open(with_inputs(program, word), "loihi2") as session:
        assert [session.send(symbol) for symbol in word] == list(machine.run(word).states[1:])


def test_crossbars_take_every_vector(machine: SymbolicMachine) -> None:
    program = vsafsm.compile(machine, target="memristor")
    word = [machine.text(v) for v in (63, 5, 40, 17, 0, 22)]
    assert vsafsm.run(program, word, "memristor").states == machine.run(word).states


def test_words_of_all_vectors_are_drawn_and_asserted(
    machine: SymbolicMachine, program: Program
) -> None:
    word = tuple(machine.text(v) for v in range(64))
    assert not set(word) <= set(machine.inputs)
    found = assert_robust(program, "additive:0.05", words=[word], trials=2)
    assert found.correct == 2
    with pytest.raises(NotRobustError, match="margin there without noise"):
        assert_robust(program, "additive:2", words=[word], trials=2)
    with pytest.raises(UnknownInputError, match="6 characters"):
        assert_robust(program, "additive:2", words=[["1"]], trials=2)


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_words_are_of_vectors_that_guards_hold(data: st.DataObject) -> None:
    machine = random_machine(np.random.default_rng(1), 5, 3, covered=0.6)
    for symbol in data.draw(words(machine)):
        machine.vector(symbol)


# ---- program files


def test_a_file_gives_the_guards_back(
    machine: SymbolicMachine, program: Program, tmp_path: Path
) -> None:
    program.save(tmp_path / "p.npz")
    loaded = vsafsm.load_program(tmp_path / "p.npz")
    assert loaded.machine == machine
    assert loaded == program
    assert loaded.to_bytes() == (tmp_path / "p.npz").read_bytes()
    proof, expected = loaded.prove(), exhaustive(machine, program.network)
    assert proof.holds
    assert (proof.radius, proof.contract) == (expected.radius, expected.contract)
    assert vsafsm.run(loaded, ["111111"]).states == machine.run(["111111"]).states


def test_wide_vectors_come_back(tmp_path: Path) -> None:
    """Cubes of more bits than an integer of the machine, and no whole number of bytes."""
    on, off = (1 << 69 | 1, 1 << 69 | 1), (1 << 69 | 1, 1 << 69)
    rest = (1 << 69, 0)
    rows = [
        [([on], Transition("b", ("x",))), ([off, rest], Transition("a"))],
        [([on, off], Transition("a")), ([rest], Transition("b"))],
    ]
    machine = symbolic_machine("wide", 70, ("a", "b"), "a", rows)
    vsafsm.compile(machine).save(tmp_path / "p.npz")
    assert vsafsm.load_program(tmp_path / "p.npz").machine == machine


def resaved(program: Program, path: Path, **arrays: Any) -> None:
    """The program's file with other arrays (None leaves one out), and the hash that fits them."""
    members = {**_members(program), **arrays}
    with path.open("wb") as file:
        npz.write({name: array for name, array in members.items() if array is not None}, file)


@given(data=st.data())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_damage_to_guards_is_refused_or_harmless(
    data: st.DataObject, program: Program, tmp_path: Path
) -> None:
    """What comes back is proven over its own vectors."""
    name = data.draw(st.sampled_from(["guards", "cubes"]))
    array = _members(program)[name].copy()
    values = st.integers(-2, 90) if name == "guards" else st.integers(0, 255)
    if data.draw(st.booleans()):
        array.reshape(-1)[data.draw(st.integers(0, array.size - 1))] = data.draw(values) % 256
    else:
        order = data.draw(st.permutations(range(len(array))))
        array = array[list(order)[: data.draw(st.integers(0, len(array)))]]
    resaved(program, tmp_path / "p.npz", **{name: array})
    try:
        found = vsafsm.load_program(tmp_path / "p.npz")
    except ProgramError:
        return
    assert isinstance(found.machine, SymbolicMachine)
    assert found.prove().holds == exhaustive(found.machine, found.network).holds


@pytest.mark.parametrize(
    "arrays",
    [
        {"guards": None},
        {"cubes": None},
        {"guards": np.zeros((0, 4), np.int32)},
        {"cubes": np.zeros((0, 2, 1), np.uint8)},
        {"guards": np.zeros((0, 4), np.int32), "cubes": np.zeros((0, 2, 1), np.uint8)},
        {"guards": np.zeros(4, np.int32)},
        {"cubes": np.zeros(2, np.uint8)},
    ],
)
def test_guards_that_are_cut_off_are_refused(
    program: Program, tmp_path: Path, arrays: dict[str, Any]
) -> None:
    resaved(program, tmp_path / "p.npz", **arrays)
    with pytest.raises(ProgramError):
        vsafsm.load_program(tmp_path / "p.npz")


def test_a_file_without_its_guards_is_the_machine_of_its_representatives(
    machine: SymbolicMachine, program: Program, tmp_path: Path
) -> None:
    resaved(program, tmp_path / "p.npz", guards=None, cubes=None)
    assert vsafsm.load_program(tmp_path / "p.npz").machine == machine.over(machine.inputs)
