"""Walks through perturbed networks, against the network itself run word by word and against the
proof.
"""

from __future__ import annotations

import tracemalloc
from itertools import product
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from vsafsm.compiler import compile_machine
from vsafsm.errors import UnknownInputError
from vsafsm.formats import load
from vsafsm.lowering import Code
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.noise import Additive, perturb
from vsafsm.program import Program
from vsafsm.walk import Walk, _Taken
from vsafsm_memristor.deploy.trials import first_wrong


@pytest.fixture(scope="module", params=["turnstile", "vending_machine", "sequence_detector"])
def program(request: pytest.FixtureRequest) -> Program:
    return compile_machine(load(f"specs/{request.param}.yaml"), dimension=128)


def draws(program: Program, std: float, count: int = 12) -> list[Walk]:
    rng = np.random.default_rng(7)
    return [
        Walk(program.machine, perturb(program.network, Additive(std), rng)) for _ in range(count)
    ]


def is_correct(walk: Walk, word: tuple[str, ...]) -> bool:
    """The perturbed network run in plain matrix products, held against the interpreter in and after
    each input.
    """
    machine, network = walk.machine, walk.network
    weights = network.weights.astype(np.float64)

    def settled(activity: Any, mask: int, steps: int) -> Any:
        for _ in range(steps):
            activity = (weights @ activity - network.gain * activity.sum() > 0) & network.masks[
                mask
            ]
        return activity

    def shown(activity: Any, mask: int) -> Any:
        code = int(network.decode(activity[None], mask)[0])
        return (
            (network.states[network.labels[code].state], network.labels[code].outputs)
            if code >= 0
            else None
        )

    def state(activity: Any) -> str | None:
        code = int(network.decode(activity[None])[0])
        return network.states[code] if 0 <= code < len(network.states) else None

    activity = settled(network.codes[network.start], 0, network.contract.gap_steps)
    right = state(activity) == machine.initial
    for before, symbol in zip(machine.run(word).states, word, strict=False):
        taken = machine.transition(before, symbol)
        mask = network.mask_of(symbol)
        activity = settled(activity, mask, network.contract.hold_steps)
        right &= shown(activity, mask) == (taken.to, taken.outputs)
        activity = settled(activity, 0, network.contract.gap_steps)
        right &= state(activity) == taken.to
    return right


def test_an_unperturbed_network_is_right(program: Program) -> None:
    walk = Walk(program.machine, program.network)
    assert walk.correct_pairs().all()
    assert walk.shortest_wrong() is None
    assert walk.correct_words([[0] * 5, [], [1, 0]]).all()


@pytest.mark.parametrize("std", [1.0, 2.0, 3.0, 5.0])
def test_the_shortest_wrong_word_is_wrong_and_no_shorter_one_is(
    program: Program, std: float
) -> None:
    inputs = program.machine.inputs
    for walk in draws(program, std):
        wrong = walk.shortest_wrong()
        length = 4 if wrong is None else len(wrong.word) - 1
        assert all(
            is_correct(walk, word)
            for n in range(length + 1)
            for word in product(inputs, repeat=min(n, 4))
        )
        if wrong is not None:
            assert not is_correct(walk, wrong.word)
            states = program.machine.run(wrong.word).states
            assert wrong.expected == states[-1]
            assert not wrong.word or wrong.state == states[-2]


@pytest.mark.parametrize("std", [1.0, 2.0, 3.0])
def test_words_are_as_right_as_matrix_products_say(program: Program, std: float) -> None:
    rng = np.random.default_rng(1)
    inputs = program.machine.inputs
    for walk in draws(program, std, 6):
        words = [rng.integers(len(inputs), size=rng.integers(12)).tolist() for _ in range(20)]
        expected = [is_correct(walk, tuple(inputs[a] for a in word)) for word in words]
        assert walk.correct_words(words).tolist() == expected


def test_pairs_are_right_in_some_draws_and_wrong_in_others() -> None:
    program = compile_machine(load("specs/turnstile.yaml"), dimension=64)
    found = np.zeros((2, 2), int)
    for walk in draws(program, 2.5, 40):
        right = walk.correct_pairs()
        found += right
        if walk.shortest_wrong() is None:
            assert (
                first_wrong(program.machine, walk.network, lambda z, w=walk: z @ w.network.rows)
                is None
            )
    assert ((found > 0) & (found < 40)).all()


def test_much_noise_leaves_nothing(program: Program) -> None:
    for walk in draws(program, 30.0, 4):
        assert walk.shortest_wrong() is not None
        assert not walk.correct_pairs().all()


def test_a_wrong_word_is_told_in_a_line(program: Program) -> None:
    told = [str(walk.shortest_wrong()) for walk in draws(program, 4.0)]
    assert any("expected" in line and "found" in line for line in told)
    assert all("\n" not in line for line in told)


@pytest.mark.parametrize("std", [1.0, 2.0, 3.0])
def test_pairs_agree_with_words_and_with_states_entered_by_their_first_way(
    program: Program, std: float
) -> None:
    for walk in draws(program, std, 20):
        right = bool(walk.correct_pairs().all())
        weights = walk.network.weights.astype(np.float64)
        first = first_wrong(program.machine, walk.network, lambda z, w=weights: z @ w.T)
        assert right == (first is None)
        if walk.shortest_wrong() is None:
            assert right


def test_the_first_wrong_part_of_a_word_is_where_it_goes_wrong(program: Program) -> None:
    rng = np.random.default_rng(2)
    inputs = program.machine.inputs
    found = []
    for walk in draws(program, 3.0, 6):
        for _ in range(20):
            word = tuple(inputs[a] for a in rng.integers(len(inputs), size=rng.integers(12)))
            wrong = walk.first_wrong(word)
            found.append(wrong)
            if wrong is None:
                assert is_correct(walk, word)
            else:
                part = wrong.word
                assert part == word[: len(part)]
                assert not is_correct(walk, part)
                assert not part or is_correct(walk, part[:-1])
                assert wrong.expected == program.machine.run(part).states[-1]
    assert None in found
    assert len(set(found)) > 2


def test_an_input_that_there_is_not_is_refused(program: Program) -> None:
    with pytest.raises(UnknownInputError, match="expected one of"):
        Walk(program.machine, program.network).first_wrong(["no such input"])


class Ring(Walk):
    """A walk around so many states, of which the last is left wrongly; nothing is simulated."""

    def __init__(self, count: int) -> None:
        names = [f"s{x}" for x in range(count)]
        rows = {name: {"on": names[(x + 1) % count]} for x, name in enumerate(names)}
        self.machine = Machine.from_dict({"transitions": rows})
        labels = tuple(Code(x) for x in range(count))
        self.network = cast(Network, SimpleNamespace(labels=labels, states=tuple(names)))
        self._start, self._states = 0, [*names]
        after = [*range(1, count), 1]
        self._taken = {(x, 0): _Taken(to, to) for x, to in enumerate(after)}


def test_a_long_word_that_goes_wrong_is_kept_once() -> None:
    walk = Ring(2000)
    tracemalloc.start()
    try:
        wrong = walk.shortest_wrong()
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert wrong is not None
    assert (wrong.word, wrong.expected, wrong.found) == (("on",) * 2000, "s0", "s1")
