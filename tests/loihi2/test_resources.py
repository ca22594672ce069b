"""What a network takes of the chip: cores and chips, and what is counted in the integers."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import ceil, log2
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.activities import starts_of
from vsafsm.errors import RequirementError
from vsafsm.options import MOST_NEURONS
from vsafsm.synapses import Synapses, none_between
from vsafsm_loihi2 import ChipNetwork
from vsafsm_loihi2.placement import Placement, place
from vsafsm_loihi2.resources import (
    activity_per_transition,
    boards,
    fan_outs,
    most_neurons,
    partition,
    report,
)

ChipOf = Callable[..., ChipNetwork]


@pytest.mark.parametrize(("neurons", "cores"), [(512, 3), (1024, 10), (2048, 38), (4096, 164)])
def test_cores_by_hand(neurons: int, cores: int) -> None:
    assert partition(neurons).cores == cores
    assert partition(neurons).chips == (1 if cores <= 128 else 2)


def eighties_of_words(neurons: int, held: int) -> int:
    """64-bit words of a core with so many of N neurons: their weights and a tenth, half an axon,
    one a neuron.
    """
    return held * neurons * 11 + neurons * 40 + held * 80


def test_narrower_weights_take_fewer_cores() -> None:
    # Of 1,024 neurons: 1,024 weights of 1.1 times the bits and a word each; 16,384 - 512 words.
    for bits, held in ((8, 111), (6, 148), (4, 222)):
        assert partition(1024, bits).neurons_per_core == held


def test_a_core_is_as_full_as_it_can_be_and_no_fuller() -> None:
    room = 2**14 * 80
    for neurons in range(1, MOST_NEURONS + 1):
        held = partition(neurons).neurons_per_core
        assert 1 <= held <= 4096
        assert eighties_of_words(neurons, held) <= room
        assert held == 4096 or eighties_of_words(neurons, held + 1) > room


@given(st.integers(1, MOST_NEURONS), st.integers(1, MOST_NEURONS))
def test_more_neurons_never_take_less(one: int, other: int) -> None:
    fewer, more = sorted((one, other))
    assert partition(fewer).cores <= partition(more).cores
    assert partition(fewer).chips <= partition(more).chips
    assert partition(fewer).neurons_per_core >= partition(more).neurons_per_core


def test_cores_hold_every_neuron() -> None:
    for neurons in range(1, 3000, 7):
        parts = partition(neurons)
        assert (
            (parts.cores - 1) * parts.neurons_per_core
            < neurons
            <= parts.cores * parts.neurons_per_core
        )
        assert (parts.chips - 1) * 128 < parts.cores <= parts.chips * 128


@pytest.mark.parametrize("chips", [1, 2, 3, 4, 7, 16, 50])
def test_the_most_neurons_are_the_last_that_fit(chips: int) -> None:
    most = most_neurons(chips)
    assert partition(most).chips <= chips < partition(most + 1).chips


def test_more_chips_hold_more_and_never_less() -> None:
    found = [most_neurons(chips) for chips in range(1, 1153)]
    assert all(fewer <= more for fewer, more in pairwise(found))
    assert found[0] < found[1] < found[2]


# ---- modules on cores


def words_by_hand(
    network: tuple[int, int, Synapses], channels: int, bits: int, first: int, last: int
) -> tuple[Fraction, int]:
    """Words and axons of the neurons from a first up to a last, one synapse after the other."""
    modules, n, between = network
    senders = set()
    words = Fraction(0)
    for i in range(first, last):
        words += 1 + Fraction((n + channels) * bits * 11, 640)
        senders |= {("own", j) for j in range(i // n * n, i // n * n + n)}
    for j in range(modules * n):
        for e in range(between.starts[j], between.starts[j + 1]):
            if first <= between.targets[e] < last:
                words += Fraction((bits + 10) * 11, 640)
                senders.add(("other", j))
    axons = len(senders) + channels
    return words + Fraction(axons, 2), axons


@st.composite
def some_modules(draw: st.DrawFn) -> tuple[int, int, Synapses]:
    """Modules that take about a core, and synapses between them."""
    modules, n = draw(st.integers(1, 5)), draw(st.sampled_from([40, 130, 330, 420]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size, most = modules * n, draw(st.sampled_from([0, 3, 40]))
    rows = [np.unique(rng.integers(0, size, rng.integers(most + 1))) for _ in range(size)]
    rows = [row[row // n != j // n] for j, row in enumerate(rows)]
    targets = np.concatenate(rows).astype(np.int32)
    starts = starts_of(np.array([len(row) for row in rows]))
    return modules, n, Synapses(starts, targets, np.ones(len(targets), np.int8))


@given(some_modules(), st.integers(2, 9), st.integers(5, 8))
@settings(deadline=None, max_examples=25)
def test_cores_are_as_full_as_they_can_be_and_no_fuller(
    network: tuple[int, int, Synapses], channels: int, bits: int
) -> None:
    modules, n, between = network
    found = place(modules, n, between, channels, bits)
    ends = found.first.tolist()
    assert (ends[0], ends[-1]) == (0, modules * n)
    assert ends == sorted(set(ends))
    alone = [words_by_hand(network, channels, bits, m * n, m * n + n)[0] for m in range(modules)]
    for c, (first, last) in enumerate(pairwise(ends)):
        words, axons = words_by_hand(network, channels, bits, first, last)
        assert words <= 2**14
        assert (found.words[c], found.axons[c]) == (ceil(words), axons)
        # It is full, or ends where a module begins that has a core of its own.
        if last < modules * n and (last % n or alone[last // n] > 2**14):
            assert words_by_hand(network, channels, bits, first, last + 1)[0] > 2**14
    for m in range(modules):
        if alone[m] <= 2**14:
            assert sum(first < m * n + n and last > m * n for first, last in pairwise(ends)) == 1


def test_modules_of_few_neurons_share_a_core() -> None:
    found = place(100, 16, none_between(16 * 100, np.dtype(np.int8)), 3)
    # 16 neurons, 16 x 19 weights and 8 words of axons each, and 1.5 for the lines. A sparse synapse
    # can name 1,024 neurons of a core, which is 64 modules.
    words = [m * (16 + Fraction(16 * 19 * 11, 80) + 8) + Fraction(3, 2) for m in (64, 36)]
    assert found.words.tolist() == [ceil(each) for each in words]
    assert (found.cores, found.chips, found.neurons_per_core) == (2, 1, 1024)


def test_a_neuron_of_too_many_synapses_is_refused() -> None:
    size = 2 * 50_000
    targets = np.zeros(50_000, np.int32)
    starts = np.concatenate([np.zeros(50_000), np.arange(50_001)]).astype(np.intp)
    between = Synapses(starts, targets, np.ones(50_000, np.int8))
    assert len(starts) == size + 1
    with pytest.raises(RequirementError, match="neuron 0 has more synapses than fit on a core"):
        place(2, 50_000, between, 3)


# ---- the partition in words


def chips_told(text: str) -> list[tuple[int, int, int]]:
    return [
        tuple(map(int, found)) for found in re.findall(r"chip (\d+): neurons (\d+) to (\d+)", text)
    ]  # type: ignore[misc]


def evenly(neurons: int, per_core: int) -> Placement:
    """Cores that hold so many neurons each."""
    first = np.append(np.arange(0, neurons, per_core), neurons)
    return Placement(first, np.ones(len(first) - 1, int), np.ones(len(first) - 1, int))


@pytest.mark.parametrize(("neurons", "per_core"), [(1, 4096), (5000, 16), (6000, 12), (8192, 16)])
def test_the_partition_names_the_neurons_of_each_chip(neurons: int, per_core: int) -> None:
    parts = evenly(neurons, per_core)
    told = chips_told(str(parts))
    assert [chip for chip, _, _ in told] == list(range(parts.chips))
    covered = [n for _, first, last in told for n in range(first, last + 1)]
    assert covered == list(range(neurons))
    assert all(last - first < 128 * per_core for _, first, last in told)


def test_a_partition_of_many_chips_is_told_by_its_ends() -> None:
    parts = evenly(10_000, 16)
    assert (parts.cores, parts.chips) == (625, 5)
    assert (
        str(parts)
        == "chip 0: neurons 0 to 2047; chip 1: neurons 2048 to 4095; ...; chip 4: neurons 8192 to"
        " 9999"
    )


def test_the_limit_that_binds_is_named() -> None:
    full, few = np.array([0, 4000, 8000]), np.array([400, 500])
    assert Placement(full, few, few).binding_limit == (
        "neurons per core (of a core, 3 % of the memory and 98 % of the neurons)"
    )
    assert Placement(few - 400, np.array([16000]), few[:1]).binding_limit == (
        "synaptic memory (of a core, 98 % of the memory and 2 % of the neurons)"
    )


@pytest.mark.parametrize(
    ("chips", "expected"),
    [
        (1, (1, "Oheo Gulch (1 chip each)")),
        (2, (1, "Kapoho Point (8 chips each)")),
        (8, (1, "Kapoho Point (8 chips each)")),
        (9, (2, "Kapoho Point (8 chips each)")),
        (1152, (144, "Kapoho Point (8 chips each)")),
    ],
)
def test_boards_hold_the_chips(chips: int, expected: tuple[int, str]) -> None:
    assert boards(chips) == expected


# ---- the report


def test_the_report_counts_what_is_there(chip_of: ChipOf) -> None:
    chip = chip_of("vending_machine", hold_steps=4)
    found = report(chip)
    weights, parts = chip.weights.tolist(), partition(len(chip.bias))
    synapses = sum(w != 0 for row in weights for w in row)
    neurons, latch_neurons = (
        len(weights),
        2 * chip.latch.channels + chip.hold_steps + chip.gap_steps - 2,
    )
    axons = neurons + chip.latch.channels
    counted = {
        "neurons": neurons,
        "modules": 1,
        "module_neurons": neurons,
        "constant_inhibition": 0,
        "boards": 1,
        "board": "Oheo Gulch (1 chip each)",
        "latch_neurons": latch_neurons,
        "weight_bits": 8,
        "synapses": synapses,
        "weights_not_zero": round(synapses / neurons**2, 3),
        "mask_drive": chip.bounds.mask_drive,
        "reset_drive": chip.bounds.reset_drive,
        "largest_accumulator": chip.bounds.accumulator,
        "accumulator_limit": 32767,
        "accumulator_headroom_bits": round(log2(32767 / chip.bounds.accumulator), 2),
        "largest_weight": max(abs(w) for row in weights for w in row),
        "weight_limit": 254,
        "residue_share": round(chip.bounds.residue, 5),
        **{"du": 4095, "dv": 4095, "proof": "carries over"},
        "largest_recurrent_drive": 2 * chip.bounds.reach.up,
        "smallest_recurrent_drive": 2 * chip.bounds.reach.down,
        "most_active": chip.bounds.reach.active,
        "hold_steps": 4,
        "gap_steps": chip.gap_steps,
        "steps_per_transition": 4 + chip.gap_steps + 3,
        "cores": parts.cores,
        "chips": parts.chips,
        "neurons_per_core": min(neurons, parts.neurons_per_core),
        "partition": f"chip 0: neurons 0 to {neurons - 1}",
        "synaptic_memory_kib": round(neurons**2 * 1.1 / 1024, 1),
        "input_axons_per_core": axons,
        "output_axons": axons * parts.cores,
    }
    assert {name: found[name] for name in counted} == counted
    rest = {
        *("spikes_per_transition", "synaptic_operations_per_transition", "counted", "estimated"),
        "binding_limit",
    }
    assert set(found) == set(counted) | rest
    assert "estimate from public figures" in str(found["estimated"])
    assert "cores" in str(found["estimated"])
    assert "counted in the integers" in str(found["counted"])


def test_the_report_of_modules(chip_of: ChipOf, plain_chip: Any) -> None:
    chip = chip_of("modules 0")
    network, found = chip.network, report(chip)
    parts = place(network.modules, network.module_neurons, chip.between, chip.latch.channels)
    weights = plain_chip(chip.arrays()).arrays["weights"]
    dense, sparse = network.blocks.size, len(network.between)
    expected = {
        "neurons": len(weights),
        "modules": network.modules,
        "module_neurons": 64,
        "synapses": int(np.count_nonzero(weights)),
        "weights_not_zero": round(np.count_nonzero(weights) / (dense + sparse), 3),
        "constant_inhibition": network.gain * network.active,
        "most_active": network.active // 2,
        "cores": parts.cores,
        "chips": parts.chips,
        "binding_limit": parts.binding_limit,
        "neurons_per_core": parts.neurons_per_core,
        "synaptic_memory_kib": round((dense * 8 + sparse * 18) * 1.1 / 8 / 1024, 1),
        "input_axons_per_core": max(parts.axons),
        "output_axons": sum(parts.axons),
    }
    assert {name: found[name] for name in expected} == expected


def test_fan_outs_are_counted_by_hand(chip_of: ChipOf) -> None:
    chip = chip_of("turnstile")
    neurons, lines = fan_outs(chip)
    assert neurons.tolist() == [sum(w != 0 for w in column) for column in chip.weights.T.tolist()]
    assert lines.tolist() == [sum(w != 0 for w in column) for column in chip.masks.T.tolist()]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("vending_machine", {}),
        ("turnstile", {"hold_steps": 6}),
        ("random 0", {}),
        ("modules 1", {}),
    ],
)
def test_spikes_and_operations_per_transition_are_those_of_plain_loops(
    name: str, more: dict[str, int], chip_of: ChipOf, plain_chip: Any
) -> None:
    chip = chip_of(name, **more)
    plain, width, neurons = plain_chip(chip.arrays()), chip.latch.channels, len(chip.bias)
    reached = np.count_nonzero(plain.synapses, axis=0).tolist()
    channels = np.random.default_rng(0).integers(1, width, 64).tolist()
    for _ in range(chip.ready_steps):
        plain.step([])
    spikes = operations = 0
    for channel in channels:
        for t in range(chip.hold_steps + chip.gap_steps):
            fired = plain.step([channel] if t == 0 else [])
            spikes += len(fired)
            operations += sum(reached[i] for i in fired)
            operations += sum(
                reached[neurons + i] for i in plain.latch.spikes if width <= i < 2 * width
            )
    while plain.latch.spikes or plain.channels:  # the last line goes on
        plain.step([])
        operations += sum(
            reached[neurons + i] for i in plain.latch.spikes if width <= i < 2 * width
        )
    assert activity_per_transition(chip) == (spikes / 64, operations / 64)
    found = report(chip)
    assert found["spikes_per_transition"] == round(spikes / 64, 1)
    assert found["synaptic_operations_per_transition"] == round(operations / 64, 1)


def test_each_further_step_of_the_hold_costs_the_same(chip_of: ChipOf) -> None:
    found = [activity_per_transition(chip_of("turnstile", hold_steps=hold)) for hold in (2, 6, 18)]
    for shortest, longer, longest in zip(*found, strict=True):
        assert longest - longer == 3 * (longer - shortest) > 0
