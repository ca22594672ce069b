"""A crossbar that is a core of CrossSim (Sandia National Laboratories): its devices, wires and
converters.

CrossSim draws from NumPy's global generator; each call here seeds it from the generator that is
passed, and puts it back. CrossSim is not on PyPI.

Checked against CrossSim 3.2.0.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsafsm.vsa import Bits
from vsafsm_memristor.crossbar.array import ArrayPlan, converter_of
from vsafsm_memristor.crossbar.protocol import Drive
from vsafsm_memristor.errors import DeviceWarning, MappingError
from vsafsm_memristor.importing import import_optional

INSTALL = "pip install git+https://github.com/sandialabs/cross-sim"
LARGEST_US = {"RRAMWan": 39.26}
"""Where the data of a programming error model of CrossSim end: it raises a `ValueError` beyond."""


@dataclass(frozen=True)
class CrossSimCrossbar:
    """A `Crossbar` around a programmed ``AnalogCore``, which holds the weights ``[post, pre]`` in
    LSBs.
    """

    core: Any

    def drive(self, activity: Bits, rng: np.random.Generator) -> Drive:
        """As `Crossbar` says; activity by activity, so that each has
        noise of its own.
        """
        rows = np.asarray(activity, np.float32)
        total = np.empty((len(rows), self.core.shape[0]), np.float32)
        with _seed(rng):
            for i, row in enumerate(rows):
                total[i] = self.core.matvec(row)
        return total


def parameters_for(plan: ArrayPlan) -> Any:
    """CrossSim's parameters for the array of a plan, of cells without errors; set on them what
    errors there are to be.

    They have the plan's scheme, tiles and range of conductances, and in the differential scheme its
    converter. CrossSim parts rows and columns evenly where it can, and fills tiles like us where it
    cannot; its unit column is converted before it is subtracted, and the converter is left ideal in
    the offset scheme. It has no stuck cells.

    Returns
    -------
    CrossSimParameters

    Raises
    ------
    MissingLibraryError
        If CrossSim cannot be imported.
    """
    kinds = _crosssim("simulator.parameters.core_parameters")
    parameters = _crosssim("simulator.parameters").CrossSimParameters()
    layout, model = plan.layout, plan.settings.model
    core, device = parameters.core, parameters.xbar.device
    core.rows_max, core.cols_max = layout.rows, layout.outputs_per_tile
    core.mapping.weights.row_partition_strategy = kinds.PartitionStrategy.MAX
    core.mapping.weights.col_partition_strategy = kinds.PartitionStrategy.MAX
    device.Rmin = 1e6 / model.g_max_us
    device.infinite_on_off_ratio = model.g_min_us == 0
    if model.g_min_us:
        device.Rmax = 1e6 / model.g_min_us
    if layout.scheme == "offset":
        core.style = kinds.CoreStyle.OFFSET
        core.offset.style = kinds.OffsetCoreStyle.UNIT_COLUMN_SUBTRACTION
        return parameters
    core.style = kinds.CoreStyle.BALANCED
    core.balanced.style = kinds.BalancedCoreStyle.ONE_SIDED
    converter = converter_of(plan)
    if converter.bits:
        # In CrossSim's unit, a cell at its largest conductance adds 1.
        most = converter.full_scale * plan.scale.us_per_lsb / model.g_max_us
        # A model that is set puts another object there.
        parameters.xbar.adc.mvm.model = "SignMagnitudeADC"
        parameters.xbar.adc.mvm.bits = converter.bits
        parameters.xbar.adc.mvm.calibrated_range = [-most, most]
    return parameters


def program_array(plan: ArrayPlan, parameters: Any, rng: np.random.Generator) -> CrossSimCrossbar:
    """A core of CrossSim with a plan's weights, programmed.

    Parameters
    ----------
    parameters
        ``CrossSimParameters``: those of `parameters_for`, or others; all but the weights is theirs
        to say.

    Raises
    ------
    MissingLibraryError
        If CrossSim cannot be imported.
    MappingError
        If it is to run on a GPU, where it draws from another generator.

    Warns
    -----
    DeviceWarning
        If the range of conductances goes beyond the data of the programming error model: it is
        taken to end there, and the largest weight takes the largest conductance left.
    """
    cores = _crosssim("simulator.cores.analog_core")
    if parameters.simulation.useGPU:
        raise MappingError(
            "CrossSim on a GPU draws from a generator that is not seeded here; expected useGPU"
            " False"
        )
    own = parameters.copy()
    _end_where_data_end(own.xbar.device)
    with _seed(rng):
        return CrossSimCrossbar(cores.AnalogCore(plan.network.weights.astype(np.float32), own))


def _end_where_data_end(device: Any) -> None:
    # CrossSim makes the model also where the error is not enabled.
    model, g_max_us = device.programming_error.model, 1e6 / device.Rmin
    most = LARGEST_US.get(model, np.inf)
    if g_max_us > most:
        device.Rmin = 1e6 / most
        warnings.warn(
            f"the data of CrossSim's {model} end at {most:g} uS, and the cells reach to"
            f" {g_max_us:g} uS: the largest weight takes {most:g} uS",
            DeviceWarning,
            stacklevel=3,
        )


def _crosssim(module: str) -> Any:
    return import_optional(module, "CrossSim", INSTALL)


@contextmanager
def _seed(rng: np.random.Generator) -> Iterator[None]:
    """NumPy's global generator seeded from another for a while, and put back."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(rng.integers(0, 1 << 32, 8, np.uint32))  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
