"""From a program to a simulated array: targets, programming, age, faults."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vsafsm.lowering import Lowered
from vsafsm.network import MOST_STEPS, Contract, Network
from vsafsm.synchronous import Stepper
from vsafsm.vsa import Bits
from vsafsm_memristor.crossbar.cells import Pair
from vsafsm_memristor.crossbar.converter import Converter, full_scale_for
from vsafsm_memristor.crossbar.correction import Cells, Correction, correct
from vsafsm_memristor.crossbar.mapping import Scale, TileLayout, scale_for
from vsafsm_memristor.crossbar.parameters import ArraySettings
from vsafsm_memristor.crossbar.placement import order_neurons
from vsafsm_memristor.crossbar.protocol import Crossbar
from vsafsm_memristor.crossbar.simulated import SimulatedCrossbar, on_tiles
from vsafsm_memristor.crossbar.stuck_cells import (
    StuckCells,
    compensate_stuck_cells,
    draw_faults,
    split,
)
from vsafsm_memristor.crossbar.trimming import trim
from vsafsm_memristor.errors import MappingError

SLACK_STEPS = 2
"""Steps more than the contract's that an input is held and left: with noise, an activity takes
longer to settle.
"""


@dataclass(frozen=True)
class ArrayPlan:
    """What an array is to be: targets for its cells, and what an LSB of a weight is.

    Attributes
    ----------
    network
        What is mapped, with a contract that leaves room for noise.
    target
        Conductances of the positive and negative cells.
    layout
        Where they lie.
    """

    network: Network
    settings: ArraySettings
    target: Pair
    scale: Scale
    layout: TileLayout


@dataclass(frozen=True)
class CalibratedArray:
    """An array as it is used, and what correcting it took, where it was corrected."""

    crossbar: Crossbar
    correction: Correction | None = None


def plan_array(network: Network, settings: ArraySettings) -> ArrayPlan:
    """Targets for a network.

    Raises
    ------
    MappingError
        If the network has more levels than the devices are to resolve, or its inhibition apart, or
        takes more tiles than there are.
    """
    largest, levels = int(np.abs(network.weights).max(initial=0)), settings.levels
    if largest > levels - 1:
        raise MappingError(
            f"the network has weights up to {largest}, and {levels} levels per device reach to"
            f" {levels - 1}; expected a program of `vsafsm compile SPEC --for memristor --levels"
            f" {levels} -o PROGRAM`, or more levels"
        )
    check_folded(network)
    most = settings.most_neurons
    if most is not None and network.neurons > most:
        raise MappingError(
            f"the network has {network.neurons} neurons ({settings.room(network.neurons)}), and"
            f" there is room for {most} ({settings.room(most)}); expected a smaller program, or"
            " more tiles or cores"
        )
    layout = settings.layout(network.neurons)
    scale = scale_for(settings.model, network.weights, layout.scheme)
    target = Pair(*scale.pairs(network.weights, layout.scheme))
    return ArrayPlan(with_slack(network), settings, target, scale, layout)


def check_folded(network: Network) -> None:
    """Raise `MappingError` where a network's inhibition is not among its weights."""
    if network.gain:
        raise MappingError(
            "the network's inhibition is apart; expected a program of `vsafsm compile SPEC --for"
            " memristor -o PROGRAM`"
        )


def with_slack(network: Network) -> Network:
    """The network with a contract that leaves room for noise, as far as there may be."""
    contract = network.contract
    hold, gap = (
        min(steps + SLACK_STEPS, MOST_STEPS) for steps in (contract.hold_steps, contract.gap_steps)
    )
    return replace(network, contract=Contract(hold, gap))


def faults_of(plan: ArrayPlan, rng: np.random.Generator) -> StuckCells:
    """The faults of an array, drawn."""
    model = plan.settings.model
    return draw_faults(plan.network.neurons, model.stuck_off, model.stuck_on, rng)


def arrange(plan: ArrayPlan, rng: np.random.Generator) -> tuple[ArrayPlan, StuckCells]:
    """The faults of an array, drawn for all its cells, and the plan with neurons in an order that
    avoids them.

    Raises
    ------
    MappingError, MissingLibraryError
        In the offset scheme, or without SciPy.
    """
    layout, model = plan.layout, plan.settings.model
    down, across = layout.grid
    chance = rng.random((down * across, layout.rows, layout.columns), np.float32)
    off, on = split(chance, model.stuck_off, model.stuck_on)
    held = np.where(on, model.g_max_us, np.where(off, 0.0, np.nan))
    wanted = plan.target.positive - plan.target.negative
    layout = order_neurons(layout, wanted, list(held), model.g_min_us, model.g_max_us)
    faults = StuckCells(*(np.stack(layout.gather(tuple(tiles))) for tiles in (off, on)))
    return replace(plan, layout=layout), faults


def program_array(
    plan: ArrayPlan, faults: StuckCells, rng: np.random.Generator
) -> SimulatedCrossbar:
    """The array right after programming."""
    settings, model, target = plan.settings, plan.settings.model, plan.target
    if settings.stuck_cells != "ignored":
        target = compensate_stuck_cells(faults, target, model.g_min_us, model.g_max_us)
    cells = faults.apply(target.map(lambda g: model.program(g, rng)), model.g_max_us)
    layout, converter = plan.layout, converter_of(plan)
    ohm = settings.segment_ohm if settings.ir_drop else 0.0
    return SimulatedCrossbar(
        on_tiles(layout, cells),
        model,
        layout,
        plan.scale,
        0.0,
        converter,
        settings.read_noise,
        ohm,
    )


def converter_of(plan: ArrayPlan) -> Converter:
    """The converter of each tile's columns, with room for what a code adds to the drive, and a
    quarter more.
    """
    settings, network = plan.settings, plan.network
    scale = full_scale_for(network.weights, network.codes, plan.layout.rows)
    return Converter(settings.adc_bits, 1.25 * scale)


def draw_array(plan: ArrayPlan, rng: np.random.Generator) -> tuple[SimulatedCrossbar, StuckCells]:
    """An array with faults of its own, programmed, at the age that is asked for."""
    if plan.settings.stuck_cells == "avoided":
        plan, faults = arrange(plan, rng)
    else:
        faults = faults_of(plan, rng)
    return program_array(plan, faults, rng).after(plan.settings.seconds, faults, rng), faults


def calibrate(plan: ArrayPlan, lowered: Lowered, rng: np.random.Generator) -> CalibratedArray:
    """An array that is drawn, aged, and calibrated as the settings ask for.

    Raises
    ------
    MappingError
        If cells are to be corrected in the offset scheme.
    """
    crossbar, faults = draw_array(plan, rng)
    if plan.settings.calibration == "trim":
        return CalibratedArray(trim(plan.network, lowered, crossbar, rng))
    if plan.settings.calibration == "loop":
        model = plan.settings.model
        cells = Cells(faults.any, model.g_min_us, model.g_max_us)
        found = correct(plan.network, lowered, crossbar, cells, rng)
        return CalibratedArray(found.array, found)
    return CalibratedArray(crossbar)


def stepper(network: Network, crossbar: Crossbar, rng: np.random.Generator) -> Stepper:
    """Steps of a session whose recurrent product a crossbar computes."""

    def step(active: NDArray[np.intp], opened: Bits) -> NDArray[np.intp]:
        activity = np.zeros((1, network.neurons), np.bool_)
        activity[0, active] = True
        drive = crossbar.drive(activity, rng)[0]
        return np.flatnonzero((drive > network.gain * len(active)) & opened)

    return step
