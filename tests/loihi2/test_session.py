"""A session on the integers: states and outputs, what it counts, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm import errors as e
from vsafsm.activities import from_bits
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm_loihi2 import ChipNetwork
from vsafsm_loihi2.session import ChipSession, IntegerEngine

ProgramOf = Callable[[str], Program]
ChipOf = Callable[..., ChipNetwork]


def opened(chip: ChipNetwork) -> ChipSession:
    return ChipSession(chip, IntegerEngine(chip))


@pytest.mark.parametrize(
    "name",
    [
        *("vending_machine", "turnstile", "tcp_connection", "dense door_lock", "random 0"),
        *("level", "apart door_lock", "modules 1", "modules elevator"),
    ],
)
@pytest.mark.parametrize("more", [{}, {"hold_steps": 7}, {"gap_steps": 6}], ids=str)
def test_states_and_outputs_are_the_interpreters(
    name: str, more: dict[str, int], program_of: ProgramOf, chip_of: ChipOf
) -> None:
    machine = program_of(name).machine
    word = np.random.default_rng(0).choice(machine.inputs, 25).tolist()
    trace = machine.run(word)
    with opened(chip_of(name, **more)) as session:
        assert (session.state, session.outputs) == (machine.initial, trace.initial_outputs)
        for symbol, state, outputs in zip(word, trace.states[1:], trace.outputs, strict=True):
            assert session.send(symbol) == session.state == state
            assert session.outputs == outputs


def test_mealy_outputs_last_until_the_next_input_or_reset(chip_of: ChipOf) -> None:
    with opened(chip_of("turnstile")) as session:
        session.send("coin")
        session.send("push")
        assert session.outputs == ("click", "barrier_closed")
        session.rest(30)
        assert session.outputs == ("click", "barrier_closed")
        assert session.reset() == "locked"
        assert session.outputs == ("barrier_closed",)
        session.send("push")
        assert session.outputs == ("barrier_closed",)


@pytest.mark.parametrize("name", ["traffic_light", "modules elevator"])
def test_a_reset_leads_back_from_every_state_and_leaves_no_trace(
    name: str, program_of: ProgramOf, chip_of: ChipOf
) -> None:
    machine = program_of(name).machine
    with opened(chip_of(name)) as session:
        fresh = session.activity
        word: list[str] = []
        for symbol in machine.demonstration(12):
            word.append(symbol)
            for sent in word:
                session.send(sent)
            assert session.state == machine.run(word).states[-1]
            assert session.reset() == session.state == machine.initial
            assert (session.activity == fresh).all()


class Unseen(IntegerEngine):
    """The integers, of which every step is run."""

    def state(self) -> Any:
        return None


@pytest.mark.parametrize("name", ["turnstile", "modules elevator"])
def test_a_long_rest_is_as_its_steps(name: str, program_of: ProgramOf, chip_of: ChipOf) -> None:
    chip, machine = chip_of(name), program_of(name).machine
    with opened(chip) as session, ChipSession(chip, Unseen(chip)) as stepping:
        for symbol, steps in zip(machine.demonstration(5), (1, 2, 7, 5000, 30), strict=True):
            for each in (session, stepping):
                each.send(symbol)
                each.rest(steps)
            assert session.counts == stepping.counts
            assert (session.activity == stepping.activity).all()
            assert session.state == stepping.state


def test_a_rest_of_any_length_ends(chip_of: ChipOf) -> None:
    chip = chip_of("turnstile")
    with opened(chip) as session:
        before = session.counts["steps"]
        session.rest(10**12)
        assert session.counts["steps"] == before + 10**12
        assert session.play([(10**12, "coin")]).states == ("locked", "unlocked")
    with ChipSession(chip, Given(chip)) as session:
        for refused in (lambda: session.rest(10**12), lambda: session.play([(10**12, "coin")])):
            with pytest.raises(e.SessionError, match="expected at most 10000000"):
                refused()
        assert session.counts["steps"] == chip.ready_steps


@pytest.mark.parametrize("steps", [0, 1, 5, 100])
def test_waiting_changes_no_state(steps: int, chip_of: ChipOf) -> None:
    with opened(chip_of("turnstile")) as session:
        session.send("coin")
        before = session.counts["steps"]
        session.rest(steps)
        assert session.counts["steps"] == before + steps
        assert session.state == "unlocked"
        assert session.send("push") == "locked"


@pytest.mark.parametrize("name", ["turnstile", "random 0", "modules 0"])
@pytest.mark.parametrize("more", [{}, {"hold_steps": 4, "gap_steps": 3}], ids=str)
def test_counts_are_those_of_plain_loops(
    name: str, more: dict[str, int], chip_of: ChipOf, plain_chip: Any
) -> None:
    chip, rng = chip_of(name, **more), np.random.default_rng(5)
    plain, lines = plain_chip(chip.arrays()), range(chip.latch.channels, 2 * chip.latch.channels)
    neurons = len(chip.bias)
    reached = np.count_nonzero(plain.synapses, axis=0).tolist()
    counted = {"steps": 0, "spikes": 0, "synaptic_operations": 0}

    def advance(channels: list[int], steps: int) -> None:
        for t in range(steps):
            spikes = plain.step(channels if t == 0 else [])
            counted["steps"] += 1
            counted["spikes"] += len(spikes)
            counted["synaptic_operations"] += sum(reached[i] for i in spikes)
            counted["synaptic_operations"] += sum(
                reached[neurons + i] for i in plain.latch.spikes if i in lines
            )

    advance([], chip.gap_steps + 2)
    with opened(chip) as session:
        assert session.counts == counted
        for _ in range(15):
            kind, a = int(rng.integers(5)), int(rng.integers(len(chip.network.inputs)))
            if kind == 0:
                session.reset()
                advance([0], chip.gap_steps + 4)
            elif kind == 1:
                session.rest(a)
                advance([], a)
            else:
                session.send(chip.network.inputs[a])
                advance([a + 1], chip.hold_steps + chip.gap_steps + 3)
            assert session.counts == counted
            assert np.flatnonzero(session.activity).tolist() == plain.network.spikes


def test_an_activity_is_the_callers_own(chip_of: ChipOf) -> None:
    with opened(chip_of("turnstile")) as session:
        session.activity[:] = False
        assert session.activity.any()
        assert session.state == "locked"


# ---- other engines


class Given:
    """An engine that answers every run with what it is given, and notes what it was asked."""

    def __init__(self, chip: ChipNetwork, activity: Any = None) -> None:
        self.asked: list[tuple[int | None, int]] = []
        self.activity = np.zeros(len(chip.bias), np.bool_) if activity is None else activity
        self.closed = 0
        self.broken: BaseException | None = None

    def run(self, channel: int | None, steps: int) -> Any:
        self.asked.append((channel, steps))
        if self.broken:
            raise self.broken
        return from_bits(np.repeat(self.activity[None], steps, axis=0))

    def state(self) -> None:
        return None

    def close(self) -> None:
        self.closed += 1


def test_the_state_is_the_engines_not_the_machines(chip_of: ChipOf) -> None:
    chip = chip_of("turnstile")
    network = chip.network
    with ChipSession(chip, Given(chip)) as session:
        assert (session.state, session.outputs) == (None, ())
        assert (session.send("coin"), session.reset(), session.outputs) == (None, None, ())
    unlocked = network.states.index("unlocked")
    with ChipSession(chip, Given(chip, network.codes[unlocked])) as session:
        assert (session.send("push"), session.reset()) == ("unlocked", "unlocked")


def test_the_engine_is_asked_for_the_channels_and_as_many_steps_as_it_takes(
    chip_of: ChipOf,
) -> None:
    chip = chip_of("turnstile", hold_steps=5, gap_steps=4)
    engine = Given(chip)
    with ChipSession(chip, engine) as session:
        session.send("push")
        session.reset()
        session.rest(3)
        session.rest(0)
    assert engine.asked == [(None, 6), (2, 12), (0, 8), (None, 3)]


def test_a_long_wait_is_asked_for_in_parts(chip_of: ChipOf) -> None:
    chip = chip_of("turnstile")
    engine = Given(chip)
    with ChipSession(chip, engine) as session:
        session.rest(10_000)
        assert session.counts["steps"] == chip.ready_steps + 10_000
    waits = engine.asked[1:]
    assert sum(steps for _, steps in waits) == 10_000
    assert len(waits) > 1
    assert {channel for channel, _ in waits} == {None}


def test_what_is_interrupted_is_over(chip_of: ChipOf) -> None:
    chip = chip_of("turnstile")
    engine = Given(chip)
    session = ChipSession(chip, engine)
    engine.broken = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        session.send("coin")
    engine.broken = None
    with pytest.raises(e.SessionError, match="closed"):
        session.send("coin")


def test_closing_frees_the_engine(chip_of: ChipOf) -> None:
    chip = chip_of("turnstile")
    engine = Given(chip)
    with pytest.raises(ZeroDivisionError), ChipSession(chip, engine):
        raise ZeroDivisionError
    assert engine.closed == 1


# ---- what is refused


@pytest.mark.parametrize("hold", [0, 1, 3, -2, 2.5, "2"])
def test_another_hold_than_the_latchs_is_refused_and_nothing_happens(
    hold: Any, chip_of: ChipOf
) -> None:
    with opened(chip_of("turnstile", hold_steps=2)) as session:
        before = session.counts
        says = (
            f"a hold of {hold!r} steps is asked for; the latch holds every input for 2: expected"
            " the option hold_steps"
        )
        with pytest.raises(e.SessionError, match=says):
            session.send("coin", hold=hold)
        assert (session.counts, session.state) == (before, "locked")
        assert session.send("coin", hold=2) == "unlocked"


@pytest.mark.parametrize("steps", [-1, True, 1.5, "3", None])
def test_waiting_takes_whole_numbers_of_steps(steps: Any, chip_of: ChipOf) -> None:
    with opened(chip_of("turnstile")) as session:
        with pytest.raises(
            e.SessionError, match="not possible; expected a whole number of at least 0"
        ):
            session.rest(steps)
        assert session.send("coin") == "unlocked"


def test_an_unknown_input_is_refused_and_nothing_happens(chip_of: ChipOf) -> None:
    with opened(chip_of("turnstile")) as session:
        before = session.counts
        with pytest.raises(e.UnknownInputError, match='did you mean "coin"'):
            session.send("coim")
        assert session.counts == before


def test_a_closed_session_refuses_everything(chip_of: ChipOf) -> None:
    session = opened(chip_of("turnstile"))
    session.send("coin")
    session.close()
    session.close()
    uses: list[Callable[[], object]] = [
        lambda: session.send("coin"),
        session.reset,
        lambda: session.rest(1),
        lambda: session.rest(0),
    ]
    for use in uses:
        with pytest.raises(e.SessionError, match="closed"):
            use()
    assert session.state == "unlocked"


# ---- leaky neurons


@pytest.mark.parametrize(
    "options", [{"dv": 3000}, {"du": 3500, "dv": 3500}, {"du": 2048, "dv": 2048}], ids=str
)
def test_a_program_for_leaky_neurons_runs_at_the_default_timing(
    options: dict[str, int], turnstile: Machine
) -> None:
    program = vsafsm.compile(turnstile, target="loihi2", target_options=options)
    word = np.random.default_rng(1).choice(turnstile.inputs, 20).tolist()
    with vsafsm.open(program, backend="loihi2", **options) as session:
        assert [session.send(symbol) for symbol in word] == list(turnstile.run(word).states[1:])
