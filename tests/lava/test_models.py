"""Both models of `AttractorFSM` against the integer simulator, step by step, alone and among other
Processes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm_loihi2 import ChipNetwork, ChipSimulator, Settings, lower

pytest.importorskip("lava.magma.core.process.process", reason="Lava is not installed")
from lava.magma.core.run_conditions import RunSteps
from lava.proc.dense.process import Dense
from lava.proc.io.sink import RingBuffer as Sink

from vsafsm_lava import AttractorFSM, run_config

Bits = NDArray[np.bool_]
Fixture = Callable[..., Any]
LEAKY = Settings(du=3000, dv=3500)
SIMULATORS = ("sim", "sim-stock")


@pytest.fixture(params=SIMULATORS)
def target(request: pytest.FixtureRequest) -> str:
    """The fused model, or the one of stock parts."""
    return request.param


# ---- against the integer simulator


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["turnstile", "vending_machine", "door_lock", "modulo_counter", "tcp_connection"]
)
def test_every_step_is_the_simulator_s(
    target: str,
    name: str,
    examples: dict[str, Machine],
    chip_of: Fixture,
    recorded: Fixture,
    simulated: Fixture,
    train: Fixture,
) -> None:
    chip = chip_of(examples[name])
    channels = train(chip, 150)
    found, expected = recorded(chip, channels, target), simulated(chip, channels)
    assert (found.spikes == expected.spikes).all()
    assert (found.scores == expected.scores).all()
    assert (found.u == expected.u).all()
    assert (found.v == expected.v).all()
    assert len({row.tobytes() for row in expected.spikes}) > 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "options"),
    [
        (Settings(hold_steps=3), {}),
        (Settings(hold_steps=9, gap_steps=5), {}),
        (LEAKY, {}),
        (replace(LEAKY, hold_steps=2, gap_steps=2), {}),
        (Settings(du=4095, dv=3000), {}),
        (Settings(du=3500, dv=4095), {}),
        (Settings(), {"code": "dense"}),
        (Settings(), {"rule": "small"}),
        (Settings(), {"dimension": 83}),
    ],
    ids=str,
)
def test_at_any_setting_and_of_any_code(
    target: str,
    settings: Settings,
    options: dict[str, Any],
    turnstile: Machine,
    chip_of: Fixture,
    recorded: Fixture,
    simulated: Fixture,
    train: Fixture,
) -> None:
    chip = chip_of(turnstile, settings, **options)
    channels = train(chip, 120, 1)
    assert recorded(chip, channels, target).same(simulated(chip, channels))


@pytest.mark.slow
def test_of_a_random_machine(
    target: str,
    random_machines: Callable[[int, int, int], Machine],
    chip_of: Fixture,
    recorded: Fixture,
    simulated: Fixture,
    train: Fixture,
) -> None:
    chip = chip_of(random_machines(7, 4, 0))
    for seed in range(2):
        channels = train(chip, 120, seed)
        assert recorded(chip, channels, target).same(simulated(chip, channels))


def test_with_decays_for_which_it_was_compiled(
    target: str,
    turnstile: Machine,
    compiled: Callable[..., Program],
    recorded: Fixture,
    simulated: Fixture,
) -> None:
    import vsafsm

    leaky = vsafsm.compile(turnstile, target="lava", target_options={"du": 3000, "dv": 3500})
    chip = lower(leaky.network, LEAKY)
    channels = np.zeros((5 * chip.event_steps, chip.latch.channels), np.bool_)
    word = np.array([1, 2, 2, 1, 0])
    channels[np.arange(5) * chip.event_steps + chip.ready_steps, word] = True
    found = recorded(chip, channels, target)
    assert found.same(simulated(chip, channels))
    assert set(np.argmax(found.scores[chip.ready_steps + 1 :], axis=1).tolist()) == {0, 1}


def test_an_event_counts_once_it_is_free_and_is_dropped_a_step_before(
    target: str, chip: ChipNetwork, recorded: Fixture, simulated: Fixture
) -> None:
    period, first = chip.hold_steps + chip.gap_steps, chip.ready_steps
    for second, unlocked in ((period, False), (period - 1, True)):
        channels = np.zeros((first + second + chip.event_steps, chip.latch.channels), np.bool_)
        channels[first, 1] = channels[first + second, 2] = True
        found = recorded(chip, channels, target)
        assert found.same(simulated(chip, channels))
        assert found.scores[-1].argmax() == unlocked


def test_of_channels_that_spike_together_the_lowest_counts(
    target: str, chip: ChipNetwork, recorded: Fixture, simulated: Fixture
) -> None:
    channels = np.zeros((chip.ready_steps + 2 * chip.event_steps, chip.latch.channels), np.bool_)
    channels[chip.ready_steps, 1:] = True
    found = recorded(chip, channels, target)
    assert found.same(simulated(chip, channels))
    assert found.scores[-1].argmax() == 1


def test_a_reset_always_counts(
    target: str, chip: ChipNetwork, recorded: Fixture, simulated: Fixture
) -> None:
    since, rest = np.arange(chip.event_steps + 1), 2 * chip.event_steps
    starts = chip.ready_steps + rest * since
    channels = np.zeros((starts[-1] + rest, chip.latch.channels), np.bool_)
    channels[starts, 1] = channels[starts + since, 0] = True
    found = recorded(chip, channels, target)
    assert found.same(simulated(chip, channels))
    assert not found.scores[starts + since + chip.gap_steps + 4].argmax(1).any()
    assert found.scores[starts[-1] + chip.event_steps].argmax() == 1


def test_scores_count_the_spikes_of_the_step_before(
    target: str, vending: Program, recorded: Fixture, train: Fixture
) -> None:
    chip = lower(vending.network)
    found = recorded(chip, train(chip, 60), target)
    codes = vending.network.codes[: len(vending.network.states)] & vending.network.masks[0]
    by_hand = [[int((fired & code).sum()) for code in codes] for fired in found.spikes[:-1] > 0]
    assert found.scores[0].tolist() == [0] * len(codes)
    assert found.scores[1:].tolist() == by_hand


# ---- Vars


def quiet(chip: ChipNetwork, steps: int) -> Bits:
    return np.zeros((steps, chip.latch.channels), np.bool_)


def steps_of(simulator: ChipSimulator, steps: int) -> NDArray[np.bool_]:
    return np.stack(
        [simulator.step(np.zeros(simulator.chip.latch.channels, np.bool_)) for _ in range(steps)]
    )


def test_vars_can_be_read(target: str, chip: ChipNetwork, bench: Fixture, train: Fixture) -> None:
    with bench(chip, train(chip, 20), target) as made:
        made.run(20)
        given = chip.arrays()
        for name in ("weights", "masks", "readout"):
            assert (getattr(made.fsm, name).get() == given[name]).all()
        found = [getattr(made.fsm, name).get().tolist() for name in ("vth", "du", "dv")]
        assert found == [[0], [4095], [4095]]


def test_a_membrane_that_is_set_fires(
    target: str, turnstile: Machine, chip_of: Fixture, bench: Fixture
) -> None:
    chip = chip_of(turnstile, Settings(dv=3500))
    simulator = ChipSimulator(chip)
    silent = int(np.flatnonzero(~steps_of(simulator, 10)[-1] & (chip.bias == 0))[0])
    with bench(chip, quiet(chip, 16), target) as made:
        made.run(10)
        assert not made.spikes[-1, silent]
        membranes = made.fsm.v.get().astype(np.int32)
        membranes[silent] = simulator.v[silent] = 2**23 - 1
        made.fsm.v.set(membranes)
        made.run(6)
        assert made.spikes[10, silent]
        assert (made.spikes[10:] == steps_of(simulator, 6)).all()


def test_membranes_that_are_set_decay_towards_zero(
    target: str, chip: ChipNetwork, bench: Fixture
) -> None:
    without = replace(chip, blocks=np.zeros_like(chip.blocks))
    edges = [
        1,
        4095,
        4096,
        4097,
        300_000,
        2**22 + 1,
        2**23 - 1,
        0,
        -1,
        -4095,
        -4096,
        -4097,
        1 - 2**23,
    ]
    membranes = np.resize(edges, len(chip.bias)).astype(np.int32)
    simulator = ChipSimulator(without)
    steps_of(simulator, 8)
    with bench(without, quiet(chip, 14), target) as made:
        made.run(8)
        made.fsm.v.set(membranes)
        simulator.v[:] = membranes
        made.run(6)
        expected = steps_of(simulator, 6)
        assert (made.spikes[8:] == expected).all()
        assert (made.fsm.v.get() == simulator.v).all()
        assert expected.any()


def test_membranes_that_just_cancel_a_current_do_not_fire(
    target: str, chip: ChipNetwork, bench: Fixture
) -> None:
    simulator = ChipSimulator(chip)
    steps_of(simulator, 10)
    with bench(chip, quiet(chip, 14), target) as made:
        made.run(10)
        cancelling = np.clip(
            -(simulator.u + (chip.bias.astype(np.int32) << chip.bias_exp)) * 4096 + 1, 0, 2**23 - 1
        )
        made.fsm.v.set(cancelling.astype(np.int32))
        simulator.v[:] = cancelling
        made.run(4)
        assert (made.spikes[10:] == steps_of(simulator, 4)).all()


def test_currents_that_are_set_count_where_they_are_remembered(
    target: str, turnstile: Machine, chip_of: Fixture, bench: Fixture
) -> None:
    chip = chip_of(turnstile, LEAKY)
    simulator = ChipSimulator(chip)
    steps_of(simulator, 10)
    currents = np.random.default_rng(0).integers(-(2**20), 2**20, len(chip.bias)).astype(np.int32)
    with bench(chip, quiet(chip, 25), target) as made:
        made.run(10)
        made.fsm.u.set(currents)
        simulator.u[:] = currents
        made.run(15)
        assert (made.spikes[10:] == steps_of(simulator, 15)).all()
        assert (made.fsm.u.get() == simulator.u).all()


def test_weights_that_are_set_act_on_the_spikes_from_then_on(
    target: str, chip: ChipNetwork, bench: Fixture
) -> None:
    simulator = ChipSimulator(chip)
    steps_of(simulator, 8)
    with bench(chip, quiet(chip, 14), target) as made:
        made.run(8)
        made.fsm.weights.set(np.zeros_like(made.fsm.weights.init))
        made.run(6)
        under_way = simulator.step(np.zeros(chip.latch.channels, np.bool_))
        assert under_way.any()
        assert (made.spikes[8] == under_way).all()
        assert not made.spikes[9:].any()


def test_other_weights_are_the_same_to_both_models(
    chip: ChipNetwork, bench: Fixture, train: Fixture
) -> None:
    rng = np.random.default_rng(3)
    weights = 2 * rng.integers(-40, 41, chip.weights.shape).astype(np.int32)
    masks = np.where(
        np.asarray(chip.arrays()["masks"]) != 0, 2 * rng.integers(-127, 128), 0
    ).astype(np.int32)
    found = []
    for target in SIMULATORS:
        with bench(chip, train(chip, 60), target) as made:
            made.run(30)
            made.fsm.weights.set(weights)
            made.run(10)
            made.fsm.masks.set(masks)
            made.run(20)
            found.append(made.recording)
    fused, stock = found
    assert (fused.spikes == stock.spikes).all()
    assert (fused.scores == stock.scores).all()
    assert (fused.u == stock.u).all()
    assert (fused.v == stock.v).all()


def test_a_readout_that_is_set_counts_the_spikes_from_then_on(
    target: str, chip: ChipNetwork, bench: Fixture
) -> None:
    with bench(chip, quiet(chip, 14), target) as made:
        made.run(8)
        made.fsm.readout.set(1 - made.fsm.readout.init)
        made.run(6)
        found = made.recording
    before, after = chip.readout.astype(int), 1 - chip.readout.astype(int)
    assert found.spikes[7].any()
    assert found.scores[8].tolist() == (before @ found.spikes[7]).tolist()
    assert (found.scores[9:] == found.spikes[8:-1] @ after.T).all()


def test_a_threshold_from_the_start_silences(
    target: str, chip: ChipNetwork, bench: Fixture
) -> None:
    with bench(chip, quiet(chip, 10), target) as made:
        made.fsm.vth.init = np.array([2**17 - 1], np.int32)
        made.run(10)
        assert not made.spikes.any()


def test_a_threshold_that_not_all_reach_is_the_same_to_both_models(
    chip: ChipNetwork, bench: Fixture, train: Fixture, simulated: Fixture
) -> None:
    channels = train(chip, 60)
    found = []
    for target in SIMULATORS:
        with bench(chip, channels, target) as made:
            made.fsm.vth.init = np.array([40], np.int32)
            made.run(60)
            found.append(made.recording)
    assert found[0].same(found[1])
    assert found[0].spikes.any()
    assert not found[0].same(simulated(chip, channels))


def test_a_threshold_that_is_raised_silences_the_fused_model(
    chip: ChipNetwork, bench: Fixture
) -> None:
    with bench(chip, quiet(chip, 14), "sim") as made:
        made.run(8)
        assert made.spikes[-1].any()
        made.fsm.vth.set(np.array([2**17 - 1], np.int32))
        made.run(6)
        assert not made.spikes[8:].any()
        assert made.fsm.vth.get().tolist() == [2**17 - 1]


# ---- among other Processes


def test_between_processes_of_a_user_s_own(
    target: str, turnstile: Machine, chip: ChipNetwork, neighbours: ModuleType
) -> None:
    steps, first = 60, chip.ready_steps + 1
    fsm = AttractorFSM(**chip.arrays())
    clock = neighbours.Metronome(fsm.input_in.shape[0], chip.event_steps, first)
    teller = neighbours.Teller(fsm.state_out.shape[0], fsm.input_in.shape[0], steps)
    clock.out.connect(fsm.input_in)
    fsm.state_out.connect(teller.scores_in)
    try:
        fsm.run(RunSteps(steps), run_config(target))
        seen = teller.seen.get().astype(int)
    finally:
        fsm.stop()
    word = ["coin", "push"] * 20
    states = turnstile.run(word).states
    for n, state in enumerate(states[: (steps - first) // chip.event_steps + 1]):
        assert turnstile.states[seen[first + n * chip.event_steps]] == state
    assert set(seen.tolist()) == {0, 1}


def test_one_machine_drives_another_through_a_process(
    target: str, chip: ChipNetwork, neighbours: ModuleType
) -> None:
    steps = 80
    one, other = AttractorFSM(**chip.arrays()), AttractorFSM(**chip.arrays())
    clock = neighbours.Metronome(3, chip.event_steps + 1, chip.ready_steps + 1)
    teller, last = neighbours.Teller(2, 3, steps), neighbours.Teller(2, 3, steps)
    clock.out.connect(one.input_in)
    one.state_out.connect(teller.scores_in)
    teller.out.connect(other.input_in)
    other.state_out.connect(last.scores_in)
    spikes = Sink(shape=other.s_out.shape, buffer=steps)
    other.s_out.connect(spikes.a_in)
    try:
        one.run(RunSteps(steps), run_config(target))
        found, told = spikes.data.get().T, teller.seen.get().astype(int)
    finally:
        one.stop()
    first, second = ChipSimulator(chip), ChipSimulator(chip)
    best, before = 0, np.zeros(len(chip.bias), np.bool_)
    for t in range(steps):
        since = t - chip.ready_steps
        ticking = since >= 0 and since % (chip.event_steps + 1) == 0
        channels = np.zeros(3, np.bool_)
        channels[1 + since // (chip.event_steps + 1) % 2] = ticking
        scores = chip.readout @ before
        now = int(scores.argmax()) if scores.any() else best
        assert now == told[t]
        telling = np.zeros(3, np.bool_)
        telling[1 + now % 2] = now != best
        best, before = now, first.step(channels)
        assert (found[t] == second.step(telling)).all()


@pytest.mark.slow
def test_two_that_drive_each_other_are_two_simulators(
    target: str, examples: dict[str, Machine], chip: ChipNetwork, chip_of: Fixture
) -> None:
    steps, rng = 120, np.random.default_rng(84)
    chips = [chip, chip_of(examples["vending_machine"], Settings(hold_steps=4))]
    synapses = []
    for receiver, sender in ((0, 1), (1, 0)):
        weights = np.zeros((chips[receiver].latch.channels, len(chips[sender].bias)), np.int32)
        chosen = rng.integers(0, weights.shape[1], (weights.shape[0], 2))
        np.put_along_axis(weights, chosen, 2, axis=1)
        synapses.append(weights)
    fsms = [AttractorFSM(**each.arrays()) for each in chips]
    sinks = [Sink(shape=fsm.s_out.shape, buffer=steps) for fsm in fsms]
    for receiver, sender in ((0, 1), (1, 0)):
        dense = Dense(weights=synapses[receiver])
        fsms[sender].s_out.connect(dense.s_in)
        dense.a_out.connect(fsms[receiver].input_in)
        fsms[sender].s_out.connect(sinks[sender].a_in)
    try:
        fsms[0].run(RunSteps(steps), run_config(target))
        found = [sink.data.get().T for sink in sinks]
    finally:
        fsms[0].stop()
    simulators = [ChipSimulator(each) for each in chips]
    spikes = [np.zeros(len(each.bias), np.bool_) for each in chips]
    for t in range(steps):
        channels = [synapses[0] @ spikes[1] > 0, synapses[1] @ spikes[0] > 0]
        spikes = [
            simulator.step(given) for simulator, given in zip(simulators, channels, strict=True)
        ]
        assert (found[0][t] == spikes[0]).all()
        assert (found[1][t] == spikes[1]).all()
    assert all(len({row.tobytes() for row in each}) > 4 for each in found)


def test_ports_may_be_left_open(target: str, chip: ChipNetwork) -> None:
    fsm = AttractorFSM(**chip.arrays())
    sink = Sink(shape=fsm.state_out.shape, buffer=10)
    fsm.state_out.connect(sink.a_in)
    simulator = ChipSimulator(chip)
    try:
        fsm.run(RunSteps(10), run_config(target))
        found = sink.data.get().T
    finally:
        fsm.stop()
    assert (found[1:] == steps_of(simulator, 9) @ chip.readout.T.astype(int)).all()
