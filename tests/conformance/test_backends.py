"""Every backend that is there, on every example and on random words, against the interpreter.

No backend may consult the interpreter: a program whose machine lies has to run like the network
that it carries.
"""

from __future__ import annotations

import math
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


def quarters(rng: np.random.Generator, machine: Machine, most: int) -> list[tuple[int, str]]:
    """A random train: times in quarters of the time that an input and its gap take. Every second
    wait is short, so that inputs overlap, come at once, and come just when the gap is over.
    """
    waits = np.where(rng.random(most) < 0.5, rng.integers(0, 5, most), rng.integers(3, 9, most))
    return list(
        zip(np.cumsum(waits).tolist(), rng.choice(machine.inputs, most).tolist(), strict=True)
    )


def taken_of(train: list[tuple[int, str]], overlap: str) -> list[tuple[int, int]]:
    """Which events are taken, and in which quarter each begins, one quarter after the other."""
    found, waiting, busy = [], [], 0
    for now in range(10 * len(train) + 10):
        waiting += [n for n, (time, _) in enumerate(train) if time == now]
        if not busy and waiting:
            found.append((waiting.pop(0), now))
            busy = 4
        if overlap == "drop":
            waiting = []
        busy = max(0, busy - 1)
    return found


@pytest.mark.parametrize("overlap", ["drop", "queue"])
def test_trains_are_read_alike(
    overlap: str, backend: Backend, compiled: Compiled, examples: dict[str, Machine]
) -> None:
    machine = examples["vending_machine"]
    program, rng = compiled(machine, target=backend.name), np.random.default_rng(3)
    trains = [quarters(rng, machine, 12) for _ in range(5)]
    assert len({len(taken_of(train, overlap)) for train in trains}) > (overlap == "drop")
    with vsafsm.open(program, backend=backend.name) as session:
        pace = session.pace
        period = pace.hold + pace.gap
        for train in trains:
            session.reset()
            # Rounded up, so that less than a period stays less: in no backend is a quarter short.
            events = [(math.ceil(time * period / 4) * pace.one, each) for time, each in train]
            played = session.play(events, overlap)
            right = taken_of(train, overlap)
            assert [n for n, a in enumerate(played.arrivals) if not a.dropped] == [
                n for n, _ in right
            ]
            for n, quarter in right:
                begins = played.arrivals[n].begins
                assert begins is not None
                assert 0 <= begins - quarter * period / 4 < 1
            word = [train[n][1] for n, _ in right]
            assert list(played.word) == word
            assert Run(played.states, played.outputs) == expected(machine, word)


def test_a_train_takes_the_time_that_it_says(
    backend: Backend, compiled: Compiled, turnstile: Machine
) -> None:
    with vsafsm.open(compiled(turnstile, target=backend.name), backend=backend.name) as session:
        pace, before = session.pace, session.counts["steps"]
        session.rest(pace.hold * pace.one)
        one = session.counts["steps"] - before  # steps of a hold
        before = session.counts["steps"]
        late = 10 * pace.hold
        session.play([(0 * pace.one, "coin"), (late * pace.one, "push")])
        lasting = late + pace.hold + pace.gap
        assert session.counts["steps"] - before == pytest.approx(lasting / pace.hold * one)


@pytest.mark.parametrize(
    ("train", "overlap", "told"),
    [
        ([(0, "coim")], "drop", 'did you mean "coin"'),
        ([(0, "coin"), (1, "coim")], "drop", 'did you mean "coin"'),
        ([(9, "coin"), (8, "coin")], "drop", "in the order of their times"),
        ([(0, "coin"), (-1, "coin")], "queue", "expected a"),
        ([(float("nan"), "coin")], "drop", "expected a"),
        ([(0, "coin")], "quue", 'did you mean "queue"'),
    ],
)
def test_a_train_that_makes_no_sense_is_refused_before_it_begins(
    train: list[tuple[float, str]],
    overlap: str,
    told: str,
    backend: Backend,
    compiled: Compiled,
    turnstile: Machine,
) -> None:
    with vsafsm.open(compiled(turnstile, target=backend.name), backend=backend.name) as session:
        before = dict(session.counts)
        with pytest.raises(e.VsafsmError, match=told):
            session.play([(time * session.pace.one, each) for time, each in train], overlap)
        assert session.counts == before


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
