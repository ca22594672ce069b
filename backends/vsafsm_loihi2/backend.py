"""The backend: the chip's program in plain integers. It needs nothing but NumPy."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from vsafsm.backend import Description, Option, Usage
from vsafsm.errors import CompileCall, OptionError, RequirementError
from vsafsm.files import write_atomically
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.requirements import Requirements
from vsafsm_loihi2.integers import ChipNetwork, Settings, lower, proven_form
from vsafsm_loihi2.limits import DECAY, MOST_CHIPS
from vsafsm_loihi2.resources import most_neurons, placed, report, usage
from vsafsm_loihi2.session import ChipSession, ClockedChipSession, IntegerEngine

REQUIREMENTS = Requirements(bits=8, largest_sum=12_000)
"""Weights of 8 bits, and sums that leave room for masks and reset in the accumulator. Inhibition is
folded into one matrix by default, and kept apart from modules.
"""
LEAKY = replace(
    REQUIREMENTS,
    folded=True,
    least_margin=0.4,
    rule="small",
    headroom=4.0,
    density=2 / 11,
    tolerance=3.0,
)
"""What leaky neurons get on with, measured in ``benchmarks/loihi2_leaky.py``."""

OPTIONS = (
    Option(
        "hold_steps",
        int,
        None,
        "steps",
        "how long the latch holds an input (default: the contract)",
    ),
    Option(
        "gap_steps",
        int,
        None,
        "steps",
        "rest that the latch keeps after an input (default: the contract)",
    ),
    Option(
        "du",
        int,
        DECAY,
        "1/4096 a step",
        "decay of the current; below the default nothing is proven",
    ),
    Option(
        "dv",
        int,
        DECAY,
        "1/4096 a step",
        "decay of the membrane; below the default nothing is proven",
    ),
    Option("chips", int, None, "", "chips that the network may take (default: any number)"),
)


TICK_STEPS = Option(
    "tick_steps",
    int,
    None,
    "steps",
    "period of the machine's clock (default: twice the steps of an input and its gap)",
)


class Loihi2Backend:
    """The chip's program in plain integers, without Lava: exact."""

    name = "loihi2"
    exact = True
    whole_weights = True
    options = (*OPTIONS, TICK_STEPS)

    def unavailable(self) -> str | None:
        """None: it always runs."""
        return None

    def requirements(self, options: Mapping[str, object]) -> Requirements:
        """Weights and sums that fit the integers, and N where the number of chips is given."""
        return requirements(options)

    def lower(self, program: Program, **options: object) -> Network:
        """The network that the chip's integers make, read back from them. Raises `BackendError` for
        leaky neurons.
        """
        return proven_form(clocked(program, options))

    def open(self, program: Program, **options: object) -> ChipSession:
        """Start a session."""
        chip, clock = clocked(program, options), program.machine.clock
        if clock is None:
            return ChipSession(chip, IntegerEngine(chip))
        return ClockedChipSession(chip, IntegerEngine(chip), clock.seconds)

    def emit(self, program: Program, folder: Path, **options: object) -> None:
        """Write ``network.npz``, the chip's integers, and ``manifest.json``, what they mean, into
        `folder`.
        """
        chip = clocked(program, options)
        write_atomically(folder / "network.npz", archive(chip.arrays()))
        write_atomically(
            folder / "manifest.json",
            (json.dumps(manifest(program, chip), indent=2) + "\n").encode(),
        )

    def describe(self, program: Program, **options: object) -> Description:
        """Cores, chips, memory, headroom, spikes and operations."""
        return report(clocked(program, options))

    def usage(self, program: Program, **options: object) -> tuple[Usage, ...]:
        """Cores, neurons and synaptic memory in use, beside what there is."""
        return usage(clocked(program, options))


def settings_of(options: Mapping[str, Any]) -> Settings:
    """The settings among a backend's options. Raises `OptionError`."""
    names = {each.name for each in fields(Settings)}
    return Settings(**{name: value for name, value in options.items() if name in names})


def requirements(options: Mapping[str, Any]) -> Requirements:
    """What the chip asks of a network at these options. Raises `OptionError`."""
    required = LEAKY if settings_of(options).leaky else REQUIREMENTS
    chips = _chips(options)
    return required if chips is None else replace(required, most_neurons=most_neurons(chips))


def clocked(program: Program, options: Mapping[str, Any]) -> ChipNetwork:
    """A program in the chip's integers, with a clock if its machine has one; raises as `on_chip`
    does.
    """
    clock = program.machine.clock
    ticking = None if clock is None else program.network.mask_of(clock.symbol)
    if ticking is None and options.get(TICK_STEPS.name) is not None:
        raise OptionError(
            f'machine "{program.machine.name}" has no clock; expected one, or no tick_steps'
        )
    return on_chip(program, options, ticking)


def on_chip(
    program: Program, options: Mapping[str, Any], ticking: int | None = None
) -> ChipNetwork:
    """A program in the chip's integers, with a clock for the channel `ticking` if that is given.

    Raises
    ------
    RequirementError
        If it does not fit into them, or takes more chips than there may be.
    OptionError
        If an option is out of range.
    """
    chip, chips = lower(program.network, settings_of(options), ticking), _chips(options)
    if chips is None:
        return chip
    taken = placed(chip)
    if taken.chips > chips:
        raise RequirementError(
            f"the network takes {taken.cores} cores on {taken.chips} chips, at most {chips} is"
            " possible",
            CompileCall("loihi2", {"chips": chips}),
            ", or more chips",
        )
    return chip


def archive(arrays: Mapping[str, Any]) -> bytes:
    """Arrays as an .npz without pickle: the same bytes for the same arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, **{name: np.asarray(value) for name, value in arrays.items()})
    return buffer.getvalue()


def manifest(program: Program, chip: ChipNetwork) -> dict[str, Any]:
    """What the arrays mean."""
    network, reset = chip.network, "(reset)"
    while reset in network.inputs:
        reset = f"({reset})"
    clock = program.machine.clock
    ticking: dict[str, dict[str, Any]] = {}
    if clock is not None:
        ticking["clock"] = {"input": clock.symbol, "seconds": str(clock.seconds)}
        if chip.clock is not None:
            ticking["clock"]["tick_steps"] = chip.clock.period_steps
    return {
        "machine": program.machine.name,
        "channels": [reset, *network.inputs],
        "states": list(network.states),
        "initial": network.states[network.start],
        "moore": [list(outputs) for outputs in network.moore],
        "mealy": [list(label.outputs) for label in network.labels],
        "hold_steps": chip.hold_steps,
        "gap_steps": chip.gap_steps,
        "modules": network.modules,
        "content_hash": program.content_hash,
        **ticking,
    }


def _chips(options: Mapping[str, Any]) -> int | None:
    chips: int | None = options.get("chips")
    if chips is not None and not 1 <= chips <= MOST_CHIPS:
        raise OptionError(f"chips is {chips}; expected a whole number from 1 to {MOST_CHIPS}")
    return chips


BACKEND = Loihi2Backend()
