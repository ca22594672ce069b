"""The lowering: read back, it is the network; its masks, its reset and its bounds hold in every
activity reached.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.errors import BackendError, OptionError, RequirementError
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.proof import prove
from vsafsm_loihi2 import ChipNetwork, ChipSimulator, Settings, lower
from vsafsm_loihi2.backend import REQUIREMENTS
from vsafsm_loihi2.integers import proven_form
from vsafsm_loihi2.neuron import fire

EXAMPLES = [
    *(
        "door_lock",
        "elevator",
        "gesture_control",
        "junction",
        "keyword_dialogue",
        "modulo_counter",
        "robot_arbiter",
        "robot_arm",
    ),
    *(
        "sequence_detector",
        "tcp_connection",
        "traffic_light",
        "turnstile",
        "vending_machine",
        "wake_word",
        "working_memory",
    ),
]
OTHERS = ["dense turnstile", "dense door_lock", "random 0", "random 1", "random 2", "level"]
FEW = ["turnstile", "vending_machine", "dense turnstile", "random 0", "level"]
ProgramOf = Callable[[str], Program]
ChipOf = Callable[..., ChipNetwork]
HandMade = Callable[..., Network]


def test_every_example_is_here(examples: dict[str, Machine]) -> None:
    assert sorted(examples) == EXAMPLES


# ---- read back


@pytest.mark.parametrize("name", [*EXAMPLES, *OTHERS])
def test_read_back_it_is_the_network_and_the_proof_holds(name: str, program_of: ProgramOf) -> None:
    program = program_of(name)
    chip = lower(program.network)
    decoded = chip.decoded()
    assert (decoded.weights == program.network.weights).all()
    assert (decoded.masks == program.network.masks).all()
    assert decoded.gain == 0
    proof = prove(program.machine, decoded)
    assert proof.holds
    assert proof.contract == program.prove().contract
    assert proven_form(chip).weights.tolist() == decoded.weights.tolist()


@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_a_proof_of_any_small_machine_holds_of_its_integers(
    data: st.DataObject, compiled: Callable[..., Program], small_machine_strategy: Any
) -> None:
    machine = data.draw(small_machine_strategy())
    network = compiled(machine, target="loihi2").network
    decoded = lower(network).decoded()
    assert (decoded.weights == network.weights).all()
    assert (decoded.masks == network.masks).all()
    assert prove(machine, decoded).holds


@pytest.mark.parametrize("part", ["blocks", "masks", "bias"])
def test_what_is_read_back_comes_from_the_integers(
    part: str, program_of: ProgramOf, chip_of: ChipOf
) -> None:
    chip = chip_of("vending_machine")
    decoded = replace(chip, **{part: np.zeros_like(getattr(chip, part))}).decoded()
    changed = "weights" if part == "blocks" else "masks"
    assert (getattr(decoded, changed) != getattr(chip.network, changed)).any()
    assert not prove(program_of("vending_machine").machine, decoded).holds


@pytest.mark.parametrize("name", ["modules 0", "modules 1", "modules elevator", "modules words"])
def test_modules_are_read_back_and_the_proof_holds(name: str, program_of: ProgramOf) -> None:
    program, network = program_of(name), program_of(name).network
    assert network.modules > 1
    decoded = lower(network).decoded()
    assert (decoded.blocks == network.blocks).all()
    assert (decoded.between.values == network.between.values).all()
    every = np.arange(network.no_mask)
    assert (decoded.opened(every) == network.opened(every)).all()
    assert decoded.gain == network.gain > 0
    proof = prove(program.machine, decoded)
    assert (proof.holds, proof.margin) == (True, program.claim.margin)
    assert prove(program.machine, decoded.to_dense()).holds


@pytest.mark.parametrize("part", ["blocks", "between", "bias"])
def test_what_is_read_back_of_modules_comes_from_the_integers(
    part: str, program_of: ProgramOf, chip_of: ChipOf
) -> None:
    chip = chip_of("modules 0")
    if part == "between":
        changed: Any = replace(chip.between, values=-chip.between.values)
    else:
        # All neurons are inhibited more.
        changed = -chip.blocks if part == "blocks" else chip.bias - 4 * chip.network.active
    decoded = replace(chip, **{part: changed}).decoded()
    assert not prove(program_of("modules 0").machine, decoded).holds


def test_a_bias_that_no_inhibition_gives_makes_no_network(chip_of: ChipOf) -> None:
    chip = chip_of("modules 0")
    with pytest.raises(BackendError, match="no multiple of the active neurons"):
        replace(chip, bias=chip.bias - 1).decoded()


# ---- what the integers are


@pytest.mark.parametrize("name", [*EXAMPLES, *OTHERS])
def test_every_integer_is_one_that_the_chip_has(name: str, chip_of: ChipOf) -> None:
    chip = chip_of(name)
    for weights in (chip.weights, chip.masks, chip.latch.arrivals, chip.latch.recurrent):
        assert (weights % 2 == 0).all()
        assert np.abs(weights).max() <= 254
    assert chip.bias.max() <= 0
    assert chip.bias.min() >= -4095
    assert 0 <= chip.mask_exp <= 7
    assert 0 <= chip.bias_exp <= 7
    assert chip.bounds.accumulator < 2**15
    at_rest = chip.network.codes[: len(chip.network.states)] & chip.network.masks[0]
    assert chip.readout.tolist() == at_rest.astype(int).tolist()
    assert (chip.du, chip.dv) == (4095, 4095)
    contract = chip.network.contract
    assert (chip.hold_steps, chip.gap_steps) == (contract.hold_steps, contract.gap_steps)


def test_arrays_are_what_is_said_of_them(chip_of: ChipOf) -> None:
    chip = chip_of("turnstile", hold_steps=3, gap_steps=5)
    arrays = chip.arrays()
    lines = chip.latch.lines
    assert (arrays["masks"][:, lines] == chip.masks).all()
    assert np.count_nonzero(arrays["masks"]) == np.count_nonzero(chip.masks)
    assert (arrays["hold_steps"], arrays["gap_steps"]) == (3, 5)
    assert (chip.event_steps, chip.ready_steps) == (3 + 5 + 3, 5 + 2)


# ---- masks and reset, in every activity reached


def rows_of(chip: ChipNetwork) -> list[list[int]]:
    """The chip's weights, as one matrix."""
    return (2 * chip.decoded().to_dense().weights.astype(int)).tolist()  # type: ignore[no-any-return]


def drive_of(
    chip: ChipNetwork, rows: list[list[int]], z: frozenset[int], channel: int | None
) -> list[int]:
    """What is added to each membrane in a step, in Python's integers, without what is left of the
    membrane.
    """
    line = [0] * len(chip.bias) if channel is None else chip.masks[:, channel].tolist()
    return [
        64 * (sum(row[j] for j in z) + m * 2**chip.mask_exp) + b * 2**chip.bias_exp
        for row, m, b in zip(rows, line, chip.bias.tolist(), strict=True)
    ]


@pytest.mark.parametrize("name", [*FEW, "modules 0"])
def test_a_closed_neuron_never_fires_and_an_open_one_has_its_own_drive(
    name: str, chip_of: ChipOf, plain_walk: Any
) -> None:
    chip = chip_of(name)
    rows, masks = rows_of(chip), chip.network.to_dense().masks.tolist()
    for z, drives in plain_walk(chip.network).drives.items():
        for channel in (None, *range(1, len(masks))):
            driven, opened = drive_of(chip, rows, z, channel), masks[channel or 0]
            for own, found, is_open in zip(drives, driven, opened, strict=True):
                assert found == 128 * own if is_open else found <= 0


@pytest.mark.parametrize("name", [*FEW, "modules 0"])
def test_a_reset_drives_exactly_the_start_code_from_every_activity(
    name: str, chip_of: ChipOf, plain_walk: Any
) -> None:
    chip, rows = chip_of(name), rows_of(chip_of(name))
    started = plain_walk(chip.network).start
    code = [i in started for i in range(len(chip.bias))]
    left = chip.bounds.residue * 2 * chip.bounds.reach.least * 64
    for z in [frozenset(), *plain_walk(chip.network).drives]:
        for found, fires in zip(drive_of(chip, rows, z, 0), code, strict=True):
            assert found > left if fires else found <= 0


@pytest.mark.parametrize("name", ["turnstile", "door_lock", "dense turnstile", "random 0", "level"])
def test_a_reset_in_any_step_of_any_event_starts_again(
    name: str, chip_of: ChipOf, spikes_in: Any
) -> None:
    chip = chip_of(name, hold_steps=4, gap_steps=3)
    code = chip.network.codes[chip.network.start].tolist()
    simulator, width = ChipSimulator(chip), chip.latch.channels
    for _ in range(10):
        simulator.step(spikes_in([], width))
    for later in range(chip.event_steps + 1):
        for a in range(1, width):
            for t in range(later + 1):
                simulator.step(spikes_in([a] * (t == 0), width))
            for channels in ([0], [], []):
                simulator.step(spikes_in(channels, width))
            assert simulator.step(spikes_in([], width)).tolist() == code
            for _ in range(chip.gap_steps):
                simulator.step(spikes_in([], width))


# ---- bounds


@pytest.mark.parametrize(
    "name",
    [
        *("turnstile", "vending_machine", "tcp_connection", "dense turnstile", "random 1"),
        *("apart turnstile", "modules 0", "modules elevator"),
    ],
)
def test_bounds_are_those_of_the_plain_walk(name: str, chip_of: ChipOf, plain_walk: Any) -> None:
    chip = chip_of(name)
    found, bounds = plain_walk(chip.network).extremes, chip.bounds
    assert asdict(bounds.reach) == found
    assert bounds.mask_drive >= 2 * found["up"]
    assert bounds.reset_drive > bounds.mask_drive - 2 * found["down"]
    assert bounds.accumulator == max(
        2 * found["rise"] + bounds.reset_drive, bounds.mask_drive - 2 * found["fall"]
    )
    assert bounds.residue < 1


@pytest.mark.parametrize(
    "name", ["turnstile", "vending_machine", "dense turnstile", "random 1", "modules 1"]
)
def test_no_sum_and_no_residue_is_ever_beyond_the_bounds(
    name: str, chip_of: ChipOf, plain_chip: Any
) -> None:
    chip, rng = chip_of(name), np.random.default_rng(3)
    plain = plain_chip(chip.arrays())
    for _ in range(300):
        plain.step([int(rng.integers(chip.latch.channels))] if rng.random() < 0.25 else [])
    bounds = chip.bounds
    least = 2 * bounds.reach.least * 64
    assert 0.5 * bounds.accumulator < max(plain.high, -plain.low) <= bounds.accumulator
    assert 0 < plain.network.residue <= bounds.residue * least < least


# ---- residues never matter


def memoryless(network: Network, lines: list[int | None], naive: Any) -> list[list[int]]:
    """Which neurons fire in each step without any memory but the activity: line on in step t acts
    in step t + 1.
    """
    network = network.to_dense()
    plain, z = naive(network), np.zeros(network.neurons, np.bool_)
    start = network.codes[network.start] & (network.masks[0] | (network.gain == 0))
    fired = []
    for line in [None, *lines[:-1]]:
        z = start if line == 0 else plain.step(z, network.masks[line or 0])
        fired.append(np.flatnonzero(z).tolist())
    return fired


@pytest.mark.parametrize(
    "name",
    ["vending_machine", "tcp_connection", "dense door_lock", "random 2", "level", "modules 0"],
)
@given(data=st.data())
@settings(deadline=None, max_examples=15)
def test_with_its_membranes_it_takes_the_very_steps_of_the_memoryless_network(
    data: st.DataObject,
    name: str,
    chip_of: ChipOf,
    trains: Any,
    plain_latch: Any,
    naive: Any,
    spikes_in: Any,
) -> None:
    contract = chip_of(name).network.contract
    hold, gap = (
        contract.hold_steps + data.draw(st.integers(0, 4)),
        contract.gap_steps + data.draw(st.integers(0, 4)),
    )
    chip = chip_of(name, hold_steps=hold, gap_steps=gap)
    train = data.draw(trains(chip.latch.channels, 9, 12))
    steps = len(train) + hold + gap + 4
    train = [*train, *([[]] * (steps - len(train)))]
    simulator = ChipSimulator(chip)
    found = [
        np.flatnonzero(simulator.step(spikes_in(channels, chip.latch.channels))).tolist()
        for channels in train
    ]
    assert found == memoryless(chip.network, plain_latch(hold, gap).lines(train, steps), naive)


def lopsided(hand_made: HandMade, awake: int) -> Network:
    """Neurons that keep themselves awake by the smallest drive, and one that each of them inhibits
    by the largest.
    """
    weights = np.eye(awake + 1, dtype=int)
    weights[awake, :awake] = -127
    return hand_made(weights, range(awake))


def test_a_residue_that_would_silence_a_neuron_is_refused(hand_made: HandMade) -> None:
    def fires_after(inhibition: int) -> bool:
        state = np.zeros(1, np.int32)
        u, v, _ = fire(state, state, np.array([-inhibition], np.int32), state, 4095, 4095)
        return bool(fire(u, v, np.array([2], np.int32), state, 4095, 4095)[2][0])

    borne = lower(lopsided(hand_made, 31)).bounds
    assert (borne.reach.down, borne.reach.least, borne.mask_drive) == (-127 * 31, 1, 64)
    assert 0.9 < borne.residue < 1
    assert fires_after(2 * 127 * 31 + 64)
    with pytest.raises(
        RequirementError,
        match=r"fires at a drive of 2, and up to 2\.02 may be left of its membrane",
    ):
        lower(lopsided(hand_made, 32))
    assert not fires_after(2 * 127 * 32 + 128)


def test_leaky_neurons_are_not_held_against_their_residue(hand_made: HandMade) -> None:
    assert lower(lopsided(hand_made, 33), Settings(dv=4000)).bounds.residue > 1


# ---- what does not fit


def test_leaky_neurons_refuse_an_inhibition_apart(
    compiled: Callable[..., Program], turnstile: Machine
) -> None:
    network = compiled(turnstile, inhibition="separate").network
    assert lower(network).decoded().gain == network.gain > 0
    with pytest.raises(RequirementError, match=r"kept apart, .*layout=dense"):
        lower(network, Settings(dv=4000))


def test_a_weight_of_too_many_bits_is_refused(hand_made: HandMade) -> None:
    assert lower(hand_made([[127]], [0])).weights.tolist() == [[254]]
    assert lower(hand_made([[1, 0], [-127, 0]], [0])).weights.tolist() == [[2, 0], [-254, 0]]
    for weight in (130, -130):
        with pytest.raises(
            RequirementError, match="the largest weight is 130, at most 127 is possible: 3 too much"
        ):
            lower(hand_made([[1, 0], [weight, 1]], [0]))


def fan(hand_made: HandMade, positive: int, negative: int) -> Network:
    """Neurons that keep themselves awake, and a closed one that they drive by so many of the
    largest weights.
    """
    awake = positive + negative
    weights = 100 * np.eye(awake + 1, dtype=int)
    weights[awake, :positive], weights[awake, positive:awake] = 127, -127
    masks = np.ones((2, awake + 1))
    masks[:, awake] = 0
    return hand_made(weights, range(awake), masks)


def test_a_bias_that_does_not_outweigh_what_drives_a_closed_neuron_is_refused(
    hand_made: HandMade,
) -> None:
    assert lower(fan(hand_made, 31, 0)).bounds.mask_drive >= 2 * 127 * 31
    with pytest.raises(RequirementError) as told:
        lower(fan(hand_made, 40, 0))
    says = re.match(
        r"the largest bias is (\d+), at most 4095 is possible: (\d+) too much", str(told.value)
    )
    assert says
    assert int(says[1]) == 4095 + int(says[2]) >= 127 * 40


def test_sums_on_the_way_that_are_too_large_are_refused(hand_made: HandMade) -> None:
    found = lower(fan(hand_made, 120, 120)).bounds
    assert (found.reach.up, found.reach.rise, found.reach.fall) == (100, 15240, -15240)
    with pytest.raises(
        RequirementError,
        match="the largest accumulator is 32970, at most 32767 is possible: 203",
    ):
        lower(fan(hand_made, 129, 129))


def test_a_reset_that_nothing_can_make_is_refused(hand_made: HandMade) -> None:
    with pytest.raises(RequirementError) as told:
        lower(fan(hand_made, 0, 130))
    text = str(told.value)
    assert "recurrent drives from -33020 to 200 are reached" in text
    says = re.search(
        r"a reset of (\d+) is needed, and at most 32512 is possible: (\d+) too much", text
    )
    assert says
    assert int(says[1]) == 32512 + int(says[2]) > 33020 + 200


@pytest.mark.parametrize("awake", [(40, 0), (129, 129), (0, 130)])
def test_sums_that_do_not_fit_are_told_with_a_command_that_makes_smaller_ones(
    awake: tuple[int, int],
    hand_made: HandMade,
    compiled: Callable[..., Program],
    turnstile: Machine,
) -> None:
    with pytest.raises(
        RequirementError,
        match=r'`vsafsm.compile\(machine, target="loihi2", bits=6\)`',
    ):
        lower(fan(hand_made, *awake))
    found = [
        lower(compiled(turnstile, target="loihi2", **more).network).bounds
        for more in ({}, {"bits": 6})
    ]
    assert found[1].accumulator < found[0].accumulator / 2


def test_a_bias_that_slow_currents_add_up_to_is_refused(chip_of: ChipOf) -> None:
    with pytest.raises(RequirementError, match="the largest bias is"):
        chip_of("turnstile", du=10, hold_steps=1000, gap_steps=1000)


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_whatever_is_not_refused_has_masks_and_resets_that_hold(
    data: st.DataObject, hand_made: HandMade
) -> None:
    positive, negative = data.draw(st.integers(0, 40)), data.draw(st.integers(0, 130))
    if not positive + negative:
        return
    network = fan(hand_made, positive, negative)
    try:
        chip = lower(network)
    except RequirementError:
        assert 127 * max(positive, negative, abs(positive - negative)) > 3000
        return
    z = frozenset(range(positive + negative))
    rows = rows_of(chip)
    assert drive_of(chip, rows, z, None)[-1] <= 0
    assert drive_of(chip, rows, z, 1)[-1] <= 0
    assert drive_of(chip, rows, z, 0)[-1] <= 0
    assert min(drive_of(chip, rows, z, 0)[:-1]) > 0


@pytest.mark.parametrize("name", ["hold_steps", "gap_steps"])
def test_less_than_the_contract_is_refused(name: str, hand_made: HandMade) -> None:
    network = hand_made([[5]], [0], contract=(4, 4))
    assert getattr(lower(network, Settings(**{name: 4})), name) == 4
    with pytest.raises(
        OptionError, match=f"{name} is 3; expected at least the 4 of the program's contract"
    ):
        lower(network, Settings(**{name: 3}))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *(
            (name, value, "from 1 to 1024")
            for name in ("hold_steps", "gap_steps")
            for value in (0, -1, 1025, 2.0, "2")
        ),
        *(
            (name, value, "from 0 to 4095")
            for name in ("du", "dv")
            for value in (-1, 4096, 1.5, "1", None, True)
        ),
        ("hold_steps", True, "from 1 to 1024"),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: Any, expected: str) -> None:
    with pytest.raises(OptionError) as told:
        Settings(**{name: value})
    assert str(told.value) == f"{name} is {value!r}; expected a whole number {expected}"


def test_settings_at_the_edges_are_taken() -> None:
    for given_ in (
        {"hold_steps": 1, "gap_steps": 1024},
        {"hold_steps": None, "gap_steps": np.int64(7)},
        {"du": 3000},
    ):
        assert Settings(**given_).leaky == ("du" in given_)  # type: ignore[arg-type]


# ---- leaky neurons


@pytest.mark.parametrize(("du", "dv"), [(4094, 4095), (4095, 4094), (2048, 2048)])
def test_leaky_neurons_have_no_proof(du: int, dv: int, chip_of: ChipOf) -> None:
    chip = chip_of("turnstile", du=du, dv=dv)
    with pytest.raises(
        BackendError, match=f"du is {du} and dv is {dv}: .*expected both at 4095 for a proof"
    ):
        proven_form(chip)
    assert issubclass(BackendError, BackendError)


def test_the_slower_the_neurons_forget_the_longer_is_the_default(chip_of: ChipOf) -> None:
    contract = chip_of("turnstile").network.contract
    for name in ("du", "dv"):
        found = [chip_of("turnstile", **{name: value}) for value in (4095, 4000, 3000, 2048, 1024)]
        for part in ("hold_steps", "gap_steps"):
            steps = [getattr(chip, part) for chip in found]
            assert steps[0] == getattr(contract, part)
            assert steps == sorted(steps)
            assert steps[-1] > 5 * steps[0]
    assert chip_of("turnstile", dv=1024, hold_steps=9).hold_steps == 9


def test_a_bias_balances_the_line_of_leaky_neurons_in_the_long_run(
    chip_of: ChipOf, plain_fire: Any
) -> None:
    chip = chip_of("turnstile", du=1500, dv=1500)
    arriving, bias = chip.bounds.mask_drive, int(chip.bias.min()) * 2**chip.bias_exp
    u = 0
    for _ in range(400):
        u, *_ = plain_fire(u, 0, arriving, bias, chip.du, chip.dv)
    assert abs(u + bias) < 0.02 * abs(bias)


# ---- requirements


def test_sums_as_large_as_the_requirements_allow_fit_where_they_balance(
    hand_made: HandMade,
) -> None:
    assert REQUIREMENTS.bits == 8
    assert REQUIREMENTS.folded is None
    assert REQUIREMENTS.largest_sum is not None
    awake = REQUIREMENTS.largest_sum // 127 // 2
    network = fan(hand_made, awake, awake)
    assert not [told for told in REQUIREMENTS.unmet(network, 1.0) if "sums" in told]
    lower(network)
