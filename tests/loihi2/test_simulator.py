"""The integer simulator against plain loops, against the interpreter, and against the synchronous
network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm.synchronous import step
from vsafsm.trains import arrivals
from vsafsm_loihi2 import ChipNetwork, ChipSimulator

ChipOf = Callable[..., ChipNetwork]
EXAMPLES = [
    *(
        "door_lock",
        "elevator",
        "gesture_control",
        "keyword_dialogue",
        "modulo_counter",
        "robot_arbiter",
    ),
    *(
        "sequence_detector",
        "tcp_connection",
        "traffic_light",
        "turnstile",
        "vending_machine",
        "working_memory",
    ),
]
MODULES = ["modules 0", "modules elevator"]


class Driven:
    """A simulator that is given one channel a time; `activity` is its network's last one."""

    def __init__(self, chip: ChipNetwork, naive: Any) -> None:
        self.simulator = ChipSimulator(chip)
        self.chip, self.network = chip, chip.network.to_dense()
        self.naive = naive(self.network)
        self.advance(None, chip.ready_steps)

    def advance(self, channel: int | None, steps: int) -> list[Any]:
        """Activities of so many steps, the channel spiking in the first."""
        width = self.chip.latch.channels
        self.activities = [
            self.simulator.step(np.arange(width) == (channel if t == 0 else None))
            for t in range(steps)
        ]
        return self.activities

    def send(self, a: int) -> tuple[Any, Any]:
        """-> (what stands for the transition while the input is held, the state)."""
        activities = self.advance(a + 1, self.chip.event_steps)
        masks, network = self.network.masks, self.network
        held = self.naive.decode(activities[self.chip.hold_steps + 2], masks[a + 1])
        label = network.labels[held] if held >= 0 else None
        return label and (network.states[label.state], label.outputs), self.state

    @property
    def state(self) -> str | None:
        code = self.naive.decode(self.activities[-1], self.network.masks[0])
        return self.network.states[code] if 0 <= code < len(self.network.states) else None


def words_to(machine: Machine) -> dict[str, tuple[int, ...]]:
    """A shortest word to each reachable state."""
    words: dict[str, tuple[int, ...]] = {machine.initial: ()}
    for state in (queue := [machine.initial]):
        for a, symbol in enumerate(machine.inputs):
            to = machine.transition(state, symbol).to
            if to not in words:
                words[to] = (*words[state], a)
                queue.append(to)
    return words


def check_every_pair(machine: Machine, chip: ChipNetwork, naive: Any) -> None:
    driven = Driven(chip, naive)
    assert driven.state == machine.initial
    for state, word in words_to(machine).items():
        for a, symbol in enumerate(machine.inputs):
            driven.advance(0, chip.gap_steps + 4)
            assert driven.state == machine.initial
            for b in word:
                driven.send(b)
            assert driven.state == state
            taken = machine.transition(state, symbol)
            assert driven.send(a) == ((taken.to, taken.outputs), taken.to)


@pytest.mark.parametrize(
    "name", [*EXAMPLES, "dense turnstile", "random 0", "level", "apart turnstile", *MODULES]
)
def test_every_input_in_every_state_is_the_interpreters(
    name: str, program_of: Callable[[str], Program], chip_of: ChipOf, naive: Any
) -> None:
    check_every_pair(program_of(name).machine, chip_of(name), naive)


@pytest.mark.parametrize("name", ["turnstile", "vending_machine"])
def test_every_hold_from_the_contracts_on_will_do(
    name: str, program_of: Callable[[str], Program], chip_of: ChipOf, naive: Any
) -> None:
    contract = chip_of(name).network.contract
    for hold in range(contract.hold_steps, 21):
        chip = chip_of(name, hold_steps=hold)
        assert (chip.hold_steps, chip.gap_steps) == (hold, contract.gap_steps)
        check_every_pair(program_of(name).machine, chip, naive)


@pytest.mark.parametrize("gap", [3, 7, 20])
def test_longer_gaps_will_do(
    gap: int, program_of: Callable[[str], Program], chip_of: ChipOf, naive: Any
) -> None:
    check_every_pair(program_of("turnstile").machine, chip_of("turnstile", gap_steps=gap), naive)


@pytest.mark.parametrize("name", ["vending_machine", "dense turnstile", "random 1", *MODULES])
@pytest.mark.parametrize("extra", [0, 1, 5])
def test_its_spikes_are_those_of_the_synchronous_network_three_steps_later(
    name: str, extra: int, chip_of: ChipOf, spikes_in: Any
) -> None:
    chip = chip_of(name)
    chip = chip_of(name, hold_steps=chip.hold_steps + extra, gap_steps=chip.gap_steps + extra)
    network, rng, width = chip.network.to_dense(), np.random.default_rng(extra), chip.latch.channels
    period = chip.hold_steps + chip.gap_steps
    waits = rng.integers(0, 4, 30).tolist()
    simulator = ChipSimulator(chip)
    for _ in range(chip.ready_steps):
        found = simulator.step(spikes_in([], width))
    active = np.flatnonzero(found)
    masks, channels = [0, 0, 0], []
    for a, wait in zip(rng.integers(1, width, 30).tolist(), waits, strict=True):
        channels += [[a], *([[]] * (period - 1 + wait))]
        masks += [a] * chip.hold_steps + [0] * (chip.gap_steps + wait)
    for mask, spikes in zip(masks, [*channels, [], [], []], strict=True):
        active = step(network, active, mask)
        assert np.flatnonzero(simulator.step(spikes_in(spikes, width))).tolist() == active.tolist()


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("turnstile", {}),
        ("turnstile", {"hold_steps": 5, "gap_steps": 3}),
        ("turnstile", {"du": 1500, "dv": 3000, "hold_steps": 9}),
        ("turnstile", {"du": 4095, "dv": 600, "hold_steps": 4, "gap_steps": 4}),
        ("level", {}),
        ("apart vending_machine", {}),
        ("modules 0", {}),
        ("modules elevator", {"hold_steps": 5, "gap_steps": 3}),
    ],
    ids=str,
)
@given(data=st.data())
@settings(deadline=None, max_examples=8)
def test_its_steps_are_those_of_plain_loops_over_the_arrays(
    data: st.DataObject,
    name: str,
    more: dict[str, int],
    chip_of: ChipOf,
    trains: Any,
    plain_chip: Any,
    spikes_in: Any,
) -> None:
    chip = chip_of(name, **more)
    simulator, plain = ChipSimulator(chip), plain_chip(chip.arrays())
    train = [*data.draw(trains(chip.latch.channels)), *([[]] * 6)]
    for channels in train:
        spikes = simulator.step(spikes_in(channels, chip.latch.channels))
        assert np.flatnonzero(spikes).tolist() == plain.step(set(channels))
        assert (simulator.spikes == spikes).all()
        assert (simulator.u.tolist(), simulator.v.tolist()) == (plain.network.u, plain.network.v)
        assert np.flatnonzero(simulator.latched).tolist() == plain.latch.spikes


def test_the_line_is_the_one_that_is_on(chip_of: ChipOf, plain_latch: Any, spikes_in: Any) -> None:
    chip = chip_of("door_lock", hold_steps=3)
    train = [[], [], [], [], [2], [], [], [], [], [], [5, 4], [], [0], *([[]] * 6)]
    simulator = ChipSimulator(chip)
    assert simulator.line == -1
    found = []
    for channels in train:
        simulator.step(spikes_in(channels, chip.latch.channels))
        found.append(simulator.line)
    expected = plain_latch(3, chip.gap_steps).lines(train, len(train))
    assert found == [-1 if line is None else line for line in expected]
    assert {0, 2, 4} <= set(found)


def test_it_keeps_nothing_that_the_caller_may_change(chip_of: ChipOf) -> None:
    chip = chip_of("turnstile")
    reused, fresh = ChipSimulator(chip), ChipSimulator(chip)
    channels = np.zeros(chip.latch.channels, np.bool_)
    for t in range(30):
        channels[:] = False
        channels[1 + t // 10 % 2] = t % 10 == 8
        found = reused.step(channels)
        assert found.tolist() == fresh.step(channels.copy()).tolist()
        channels[:] = True
    assert chip.latch.membrane.tolist() == chip_of("turnstile").latch.membrane.tolist()


def test_two_simulators_of_one_chip_do_not_meet(chip_of: ChipOf, naive: Any) -> None:
    chip = chip_of("turnstile")
    one, other = Driven(chip, naive), Driven(chip, naive)
    one.send(0)
    assert (one.state, other.state) == ("unlocked", "locked")


@pytest.mark.parametrize("name", ["vending_machine", "tcp_connection", "modules elevator"])
@pytest.mark.parametrize("more", [{}, {"hold_steps": 7, "gap_steps": 5}], ids=str)
def test_raw_spikes_that_overlap_lead_where_those_that_are_taken_lead(
    name: str, more: dict[str, int], chip_of: ChipOf, program_of: Callable[[str], Program]
) -> None:
    """After each spike that the rule for trains takes, the state is that of the interpreter."""
    machine, chip, rng = program_of(name).machine, chip_of(name, **more), np.random.default_rng(5)
    inputs, spacing = chip.network.inputs, chip.hold_steps + chip.gap_steps
    times = np.cumsum(rng.integers(0, spacing + 3, 60)).tolist()
    channels_of = rng.integers(0, len(inputs), len(times)).tolist()
    events = sorted(zip(times, channels_of, strict=True))
    train = [(time, inputs[channel]) for time, channel in events]
    found = arrivals(train, chip.hold_steps, chip.gap_steps)
    taken = [each for each in found if not each.dropped]
    assert 10 < len(taken) < 50
    simulator = ChipSimulator(chip)
    fired = []
    for t in range(-chip.ready_steps, times[-1] + chip.event_steps):
        channels = np.zeros(chip.latch.channels, np.bool_)
        channels[[1 + channel for time, channel in events if time == t]] = True
        fired.append(simulator.step(channels))
    states = machine.run([each.symbol for each in taken]).states[1:]
    for each, state in zip(taken, states, strict=True):
        settled = fired[chip.ready_steps + int(each.time) + chip.event_steps - 1]
        code = int(chip.network.decode(settled[None], 0)[0])
        assert chip.network.state_of(code) == state
