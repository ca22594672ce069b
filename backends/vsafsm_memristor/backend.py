"""The backend: a program on simulated memristor crossbars, and the maps for real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vsafsm.acceptance import Acceptance
from vsafsm.backend import Description, Usage
from vsafsm.encoder import encoder_for
from vsafsm.errors import OptionError
from vsafsm.program import Program
from vsafsm.requirements import Requirements
from vsafsm.synchronous import Session
from vsafsm_memristor.crossbar.array import ArrayPlan, calibrate, plan_array, stepper
from vsafsm_memristor.crossbar.parameters import OPTIONS, requirements, settings
from vsafsm_memristor.device.lines import ir_drop
from vsafsm_memristor.errors import MappingError

if TYPE_CHECKING:
    from vsafsm.sense.arrays import Matrix, TwoWay


class MemristorBackend:
    """Simulated crossbars: statistical, so that measurements on many devices speak for it."""

    name = "memristor"
    exact = False
    whole_weights = True
    takes_vectors = True
    options = OPTIONS

    def unavailable(self) -> str | None:
        """None: the simulation needs NumPy only."""
        return None

    def requirements(self, options: Mapping[str, Any]) -> Requirements:
        """Few levels, a wide margin, four times the smallest N."""
        return requirements(settings(options))

    def acceptance(self, options: Mapping[str, Any]) -> Acceptance:
        """Draws of arrays that tell whether the yield that is asked for is reached."""
        from vsafsm_memristor.acceptance import ArrayTrials

        return ArrayTrials(settings(options))

    def lower(self, program: Program, **options: Any) -> ArrayPlan:
        """Targets for the cells of an array."""
        return plan_array(program.network, settings(options))

    def open(self, program: Program, **options: Any) -> Session:
        """Start a session on an array that is drawn, programmed, aged and calibrated."""
        plan = self.lower(program, **options)
        if plan.settings.usable is not None:
            raise OptionError(
                "usable is for maps, and a simulated array draws its own cells; expected it with"
                " emit only"
            )
        rng = np.random.default_rng([plan.settings.device_seed, 0])
        crossbar = calibrate(plan, program.lowered, rng).crossbar
        return Session(
            plan.network,
            stepper(plan.network, crossbar, rng),
            encoder_for(program.machine, plan.network),
        )

    def draw_layers(
        self, matrices: Sequence[Matrix], rng: np.random.Generator, **options: Any
    ) -> TwoWay:
        """Layers on arrays that are drawn, programmed and aged."""
        from vsafsm_memristor.crossbar.layer import draw_layers

        _check_levels(matrices, options)
        return draw_layers(matrices, settings(options), rng)

    def emit_layers(self, matrices: Sequence[Matrix], folder: Path, **options: Any) -> list[Path]:
        """Write the conductances of a classifier's layers and a manifest: what was written."""
        from vsafsm_memristor.emit_layers import emit_layers

        _check_levels(matrices, options)
        return emit_layers(matrices, settings(options), folder)

    def predicted_yield(self, program: Program, spread: float, on_off: float) -> float:
        """The share of arrays that are expected to run a program correctly, a day after they are
        programmed: lognormal devices with this spread, and no conductance below the largest over
        this ratio.
        """
        from vsafsm_memristor.acceptance import ArrayTrials

        chosen = settings({"device": "lognormal", "sigma": spread})
        least = chosen.model.g_max_us / on_off
        model = replace(chosen.model, g_min_us=least)  # type: ignore[type-var]
        trials = ArrayTrials(replace(chosen, model=model))
        return trials.predicted(program.machine, program.network)

    def emit(self, program: Program, folder: Path, **options: Any) -> None:
        """Write the conductances of each tile, a manifest and a picture into `folder`."""
        from vsafsm_memristor.emit import emit

        emit(program, self.lower(program, **options), folder)

    def describe(self, program: Program, **options: Any) -> Description:
        """Tiles, cells, conductances, and the estimate of the IR drop."""
        plan = self.lower(program, **options)
        layout, chosen = plan.layout, plan.settings
        mean = float(np.mean(plan.target))
        down, across = layout.grid
        return {
            "device": chosen.model.name,
            "source": chosen.model.source,
            "scheme": layout.scheme,
            "tiles": down * across,
            "tile_rows": layout.rows,
            "tile_columns": layout.columns,
            "cores": -(-down * across // chosen.tiles_per_core()),
            "cores_there": chosen.most_cores or "open",
            "cells": layout.cells,
            "levels": chosen.levels,
            "us_per_lsb": round(plan.scale.us_per_lsb, 4),
            "mean_target_us": round(mean, 3),
            "largest_target_us": round(float(np.max(plan.target)), 3),
            "stuck_off": chosen.model.stuck_off,
            "stuck_on": chosen.model.stuck_on,
            "ir_drop_estimate": round(
                1 - ir_drop(layout.rows, layout.columns, mean, chosen.segment_ohm), 4
            ),
            "hold_steps": plan.network.contract.hold_steps,
            "gap_steps": plan.network.contract.gap_steps,
        }

    def usage(self, program: Program, **options: Any) -> tuple[Usage, ...]:
        """Tiles, cores and cells in use, beside what there is. Tiles and cores are left out where
        their number is open.
        """
        plan = self.lower(program, **options)
        layout, chosen = plan.layout, plan.settings
        down, across = layout.grid
        tiles, neurons = down * across, layout.neurons
        found = []
        if chosen.tiles_there is not None:
            found.append(Usage("tiles", tiles, chosen.tiles_there))
        if chosen.most_cores is not None:
            found.append(Usage("cores", -(-tiles // chosen.tiles_per_core()), chosen.most_cores))
        largest = float(np.max(plan.target))
        return (
            *found,
            Usage(f"rows of {down} tile{'s' * (down > 1)}", neurons, down * layout.rows),
            Usage(
                f"outputs of {across} tile{'s' * (across > 1)}",
                neurons,
                across * layout.outputs_per_tile,
            ),
            Usage("cells of these tiles", layout.cells, tiles * layout.rows * layout.columns),
            Usage("conductance (µS)", round(largest, 1), round(chosen.model.g_max_us, 1)),
        )


def _check_levels(matrices: Sequence[Matrix], options: Mapping[str, Any]) -> None:
    """Raise `MappingError` where devices are said to have fewer levels than weights take. Without
    ``levels`` a layer takes as many as its weights have.
    """
    levels = options.get("levels")
    largest = max((each.limit for each in matrices), default=0)
    if levels is not None and largest > levels - 1:
        raise MappingError(
            f"a layer has weights of -{largest} to {largest}, and {levels} levels per device reach"
            f" to {levels - 1}; expected a classifier of `vsafsm sense train --weight-bits"
            f" {int(levels).bit_length()}`, or more levels"
        )


BACKEND = MemristorBackend()
