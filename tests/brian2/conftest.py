"""What the tests of the Brian2 backend share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import vsafsm
from vsafsm.machine import Machine
from vsafsm.program import Program


@pytest.fixture(scope="session")
def program(turnstile: Machine, compiled: Callable[..., Program]) -> Program:
    """The turnstile, compiled for Brian2."""
    return compiled(turnstile, target="brian2")


@pytest.fixture(scope="session")
def vending(examples: dict[str, Machine], compiled: Callable[..., Program]) -> Program:
    """The vending machine, with transition outputs."""
    return compiled(examples["vending_machine"], target="brian2")


@pytest.fixture(scope="session")
def modular(
    random_machines: Callable[[int, int, int], Machine], compiled: Callable[..., Program]
) -> Program:
    """A random machine of 40 states in three modules."""
    return compiled(random_machines(40, 2, 0), target="brian2", layout="modules")


@pytest.fixture(scope="session")
def words(words_machine: Callable[..., Machine], compiled: Callable[..., Program]) -> Program:
    """A machine of nine inputs in modules whose masks differ."""
    machine = words_machine(6, 9)
    return compiled(machine, target="brian2", layout="modules", active=16)


@pytest.fixture(scope="session")
def truth() -> Callable[[Program, list[str]], vsafsm.Run]:
    """What the interpreter makes of a word."""

    def expected(program: Program, word: list[str]) -> vsafsm.Run:
        trace = program.machine.run(word)
        return vsafsm.Run(trace.states, (trace.initial_outputs, *trace.outputs))

    return expected


@pytest.fixture(scope="session")
def lamp(compiled: Callable[..., Program], ticking_lamp: Callable[[str], Machine]) -> Program:
    """A lamp that goes out after 3 ticks of 250 ms."""
    return compiled(ticking_lamp("250 ms"), target="brian2")
