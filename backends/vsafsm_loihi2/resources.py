"""How much of a chip a network takes: what is counted, and what is an estimate from public
figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from vsafsm.backend import Description, Usage
from vsafsm_loihi2.integers import ChipNetwork
from vsafsm_loihi2.limits import (
    ACCUMULATOR,
    BOARDS,
    CORES_PER_CHIP,
    DECAY,
    MANTISSA,
    NEURONS_PER_CORE,
    SOURCE,
    WORDS_PER_CORE,
)
from vsafsm_loihi2.placement import (
    BITS_PER_WORD,
    WORDS_PER_AXON,
    WORDS_PER_NEURON,
    Placement,
    place,
    synaptic_words,
)
from vsafsm_loihi2.reach import constant_inhibition
from vsafsm_loihi2.simulator import ChipSimulator

EVENTS = 64
"""Inputs over which spikes and synaptic operations are counted."""


@dataclass(frozen=True)
class Partition:
    """Cores and chips that hold N fully connected neurons, `neurons_per_core` in each."""

    neurons: int
    neurons_per_core: int

    @property
    def cores(self) -> int:
        """Cores, the last one perhaps not full."""
        return ceil(self.neurons / self.neurons_per_core)

    @property
    def chips(self) -> int:
        """Chips."""
        return ceil(self.cores / CORES_PER_CHIP)


def partition(neurons: int, bits: int = 8) -> Partition:
    """The fewest cores for N fully connected neurons, with weights of so many bits."""
    words = synaptic_words(neurons, 0, bits) + WORDS_PER_NEURON
    left = WORDS_PER_CORE - neurons * WORDS_PER_AXON
    return Partition(neurons, max(1, min(NEURONS_PER_CORE, int(left / words))))


def most_neurons(chips: int) -> int:
    """The largest N that fits onto so many chips."""
    low, high = 1, 1 << 20
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if partition(middle).chips <= chips else (low, middle - 1)
    return low


def placed(chip: ChipNetwork) -> Placement:
    """Which neurons lie on which core. One matrix is divided evenly, modules are kept together."""
    network = chip.network
    if network.modules > 1:
        return place(
            network.modules,
            network.module_neurons,
            chip.between,
            chip.latch.channels,
            network.bits,
        )
    neurons = network.neurons
    parts = partition(neurons, network.bits)
    first = np.append(np.arange(0, neurons, parts.neurons_per_core), neurons)
    weights = synaptic_words(neurons, 0, network.bits)
    axons = neurons * WORDS_PER_AXON
    words = [ceil(held * (weights + WORDS_PER_NEURON) + axons) for held in np.diff(first).tolist()]
    return Placement(first, np.array(words), np.full(len(words), neurons + chip.latch.channels))


def boards(chips: int) -> tuple[int, str]:
    """Boards that hold so many chips, and their kind: the smallest one that holds all, or else the
    largest board, several times.
    """
    name, held = next((each for each in BOARDS if chips <= each[1]), BOARDS[-1])
    return ceil(chips / held), f"{name} ({held} chip{'s' * (held > 1)} each)"


def report(chip: ChipNetwork) -> Description:
    """What the network takes, by name."""
    bounds, network, parts = chip.bounds, chip.network, placed(chip)
    spikes, operations = activity_per_transition(chip)
    weights, synapses = network.synapses, int(network.fan_out.sum())
    words = float(synaptic_words(network.blocks.size, len(network.between), network.bits))
    count, board = boards(parts.chips)
    return {
        "neurons": network.neurons,
        "modules": network.modules,
        "module_neurons": network.module_neurons,
        "latch_neurons": len(chip.latch.membrane),
        "weight_bits": network.bits,
        "synapses": synapses,
        "weights_not_zero": round(synapses / weights, 3),
        "mask_drive": bounds.mask_drive,
        "reset_drive": bounds.reset_drive,
        "largest_accumulator": bounds.accumulator,
        "accumulator_limit": ACCUMULATOR,
        "accumulator_headroom_bits": round(log2(ACCUMULATOR / bounds.accumulator), 2),
        "largest_weight": 2 * int(network.largest_weight),
        "weight_limit": 2 * MANTISSA,
        "constant_inhibition": 2 * constant_inhibition(network),
        "residue_share": round(bounds.residue, 5),
        "du": chip.du,
        "dv": chip.dv,
        "proof": (
            "carries over"
            if chip.du == chip.dv == DECAY
            else "none: leaky neurons are measured, not proven"
        ),
        "largest_recurrent_drive": 2 * bounds.reach.up,
        "smallest_recurrent_drive": 2 * bounds.reach.down,
        "most_active": bounds.reach.active,
        "hold_steps": chip.hold_steps,
        "gap_steps": chip.gap_steps,
        "steps_per_transition": chip.event_steps,
        **(
            {}
            if chip.clock is None
            else {"clock_neurons": 1, "steps_per_tick": chip.clock.period_steps}
        ),
        "spikes_per_transition": round(spikes, 1),
        "synaptic_operations_per_transition": round(operations, 1),
        "counted": (
            "all figures above are counted in the integers that the chip would get; spikes and"
            f" synaptic operations are a mean over {EVENTS} random inputs in the integer simulator"
        ),
        "cores": parts.cores,
        "chips": parts.chips,
        "boards": count,
        "board": board,
        "binding_limit": parts.binding_limit,
        "neurons_per_core": parts.neurons_per_core,
        "partition": str(parts),
        "synaptic_memory_kib": round(words * BITS_PER_WORD / 8 / 1024, 1),
        "input_axons_per_core": int(parts.axons.max()),
        "output_axons": int(parts.axons.sum()),
        "estimated": (
            "cores, chips, boards, the binding limit, neurons_per_core, partition,"
            f" synaptic_memory_kib and axons are an {SOURCE}; the latch and the clock are taken to"
            " fit beside the last core"
        ),
    }


def usage(chip: ChipNetwork) -> tuple[Usage, ...]:
    """What the network takes of cores and chips, beside what there is."""
    parts = placed(chip)
    s = "s" * (parts.chips > 1)
    return (
        Usage(f"cores of {parts.chips} chip{s}", parts.cores, parts.chips * CORES_PER_CHIP),
        Usage("neurons on the fullest core", parts.neurons_per_core, NEURONS_PER_CORE),
        Usage("memory of the fullest core (words)", int(parts.words.max()), WORDS_PER_CORE),
        Usage("neurons on these cores", chip.network.neurons, parts.cores * NEURONS_PER_CORE),
        Usage(
            "memory of these cores (words)", int(parts.words.sum()), parts.cores * WORDS_PER_CORE
        ),
        Usage("range of synaptic sums", chip.bounds.accumulator, ACCUMULATOR),
    )


def activity_per_transition(chip: ChipNetwork) -> tuple[float, float]:
    """Spikes of the network, and synaptic operations they and the lines cause, a transition:
    means.
    """
    # Without ticks of its own: inputs follow each other without a pause.
    simulator, rng = ChipSimulator(replace(chip, clock=None)), np.random.default_rng(0)
    fan_out, of_lines = fan_outs(chip)
    channels = rng.integers(1, chip.latch.channels, EVENTS)
    period = chip.hold_steps + chip.gap_steps
    arriving = np.zeros((chip.ready_steps + EVENTS * period, chip.latch.channels), np.bool_)
    arriving[chip.ready_steps + np.arange(EVENTS) * period, channels] = True
    fired = np.concatenate([simulator.advance(row) for row in arriving][chip.ready_steps :])
    operations = int(fan_out[fired].sum()) + int(of_lines[channels].sum()) * chip.hold_steps
    return len(fired) / EVENTS, operations / EVENTS


def fan_outs(chip: ChipNetwork) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Neurons that each neuron reaches (N,), and each line (A + 1,), over a weight that is not
    0.
    """
    return chip.network.fan_out, np.count_nonzero(chip.masks, axis=0)
