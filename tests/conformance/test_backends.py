"""Every backend that is there, on every example and on random words, against the interpreter.

No backend may consult the interpreter: a program whose machine lies has to run like the network
that it carries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vsafsm
from vsafsm import errors as e
from vsafsm.backend import Backend, BackendSession, Option, Run
from vsafsm.discovery import find
from vsafsm.machine import Machine, Transition
from vsafsm.program import Program

BACKENDS = [listing.name for listing in vsafsm.backends() if listing.unavailable is None]
CANNOT = {
    "brian2": {
        "prove": "cells in continuous time have no finite set of activities to walk",
        "run at any hold and gap": (
            "a cell charges over its membrane and synaptic time constants, some 30 ms in all"
        ),
    },
    "memristor": {
        "prove": (
            "each array is another draw: devices vary from cell to cell, drift and are read with"
            " noise"
        ),
    },
}
"""What a backend cannot do, with the physical reason."""
MACHINES = [path.stem for path in sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))]

Compiled = Callable[..., Program]


@pytest.fixture(
    params=[
        pytest.param(name, marks=pytest.mark.slow if name == "brian2" else ()) for name in BACKENDS
    ]
)
def backend(request: pytest.FixtureRequest) -> Backend:
    return find(request.param)


def a_while(backend: Backend) -> object:
    """Fifty of the reference's steps, or so, in the backend's own unit."""
    if backend.name == "brian2":
        import brian2

        return 1 * brian2.second
    return 50


def word_of(machine: Machine, length: int, seed: int = 0) -> list[str]:
    return np.random.default_rng(seed).choice(machine.inputs, length).tolist()


def sent(session: BackendSession, word: list[str]) -> Run:
    """What comes of a word that is sent input by input."""
    with session:
        states, outputs = [session.state], [session.outputs]
        for symbol in word:
            states.append(session.send(symbol))
            assert session.state == states[-1]
            outputs.append(session.outputs)
    return Run(tuple(states), tuple(outputs))


def expected(machine: Machine, word: list[str]) -> Run:
    trace = machine.run(word)
    return Run(trace.states, (trace.initial_outputs, *trace.outputs))


def test_the_reference_is_among_them() -> None:
    assert "reference" in BACKENDS


@pytest.mark.parametrize("name", MACHINES)
def test_it_runs_like_the_interpreter(
    backend: Backend, name: str, compiled: Compiled, examples: dict[str, Machine]
) -> None:
    machine = examples[name]
    program = compiled(machine, target=backend.name)
    for seed in range(3):
        word = word_of(machine, 30, seed)
        assert vsafsm.run(program, word, backend.name) == expected(machine, word)


def test_a_session_runs_like_the_interpreter(
    backend: Backend, compiled: Compiled, examples: dict[str, Machine]
) -> None:
    machine = examples["vending_machine"]
    word = word_of(machine, 20)
    program = compiled(machine, target=backend.name)
    assert sent(vsafsm.open(program, backend=backend.name), word) == expected(machine, word)


def test_it_does_not_ask_the_interpreter(
    backend: Backend,
    compiled: Compiled,
    examples: dict[str, Machine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = examples["vending_machine"]
    word = word_of(machine, 12)
    truth = expected(machine, word)
    lie = Transition(machine.initial, ("lie",))
    table = tuple(tuple(lie for _ in machine.inputs) for _ in machine.states)
    liar = replace(machine, table=table, moore=tuple(("lie",) for _ in machine.states))
    program = replace(compiled(machine, target=backend.name), machine=liar)

    def refuse(*arguments: object) -> None:
        raise AssertionError("a backend asked the machine")

    for name in ("run", "transition", "outputs_of"):
        monkeypatch.setattr(Machine, name, refuse)
    assert sent(backend.open(program), word) == truth
    whole = getattr(backend, "run", None)
    assert whole is None or whole(program, word) == truth


def test_a_reset_from_anywhere_leads_back(
    backend: Backend, compiled: Compiled, examples: dict[str, Machine]
) -> None:
    machine = examples["door_lock"]
    with vsafsm.open(compiled(machine, target=backend.name), backend=backend.name) as session:
        for length in range(4):
            for symbol in word_of(machine, length, length):
                session.send(symbol)
            assert session.reset() == session.state == machine.initial
            assert session.outputs == machine.outputs_of(machine.initial)


def test_waiting_changes_nothing(backend: Backend, compiled: Compiled, turnstile: Machine) -> None:
    with vsafsm.open(compiled(turnstile, target=backend.name), backend=backend.name) as session:
        session.send("coin")
        session.rest(a_while(backend))
        assert session.state == "unlocked"


def test_counts_only_grow(backend: Backend, compiled: Compiled, turnstile: Machine) -> None:
    with vsafsm.open(compiled(turnstile, target=backend.name), backend=backend.name) as session:
        before = dict(session.counts)
        assert set(before) >= {"steps", "spikes", "synaptic_operations"}
        session.send("coin")
        after = session.counts
        assert all(
            after[name] > before[name] for name in ("steps", "spikes", "synaptic_operations")
        )
        assert np.asarray(session.activity).size >= 1


def test_misuse_is_refused_by_name(
    backend: Backend, compiled: Compiled, turnstile: Machine
) -> None:
    session = vsafsm.open(compiled(turnstile, target=backend.name), backend=backend.name)
    with pytest.raises(e.UnknownInputError, match='did you mean "coin"'):
        session.send("coim")
    session.close()
    session.close()
    with pytest.raises(e.SessionError):
        session.send("coin")


def test_what_it_cannot_do_is_declared(backend: Backend) -> None:
    assert backend.exact == ("prove" not in CANNOT.get(backend.name, {}))


def test_it_describes_and_writes_what_it_is(
    backend: Backend, compiled: Compiled, turnstile: Machine, tmp_path: Path
) -> None:
    program = compiled(turnstile, target=backend.name)
    assert all(isinstance(value, int | float | str) for value in backend.describe(program).values())
    backend.emit(program, tmp_path)
    assert list(tmp_path.iterdir())
    assert all(isinstance(option, Option) and option.help for option in backend.options)
    assert isinstance(backend.exact, bool)
    assert backend.lower(program) is not None
