"""Layers on tiles beside CrossSim and aihwkit, on the same weights, where they are installed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vsafsm_memristor.adapters import crosssim as adapter
from vsafsm_memristor.crossbar.converter import Converter
from vsafsm_memristor.crossbar.layer import Converters, LayerArray, draw_layer
from vsafsm_memristor.crossbar.parameters import settings
from vsafsm_memristor.device.affine import AffineDevice

RNG = np.random.default_rng
LIMIT = 7
"""Of the magnitude of weights."""


@pytest.fixture
def crosssim() -> Any:
    """CrossSim's package, or the test is skipped."""
    return pytest.importorskip("simulator", reason="CrossSim is not installed")


def layer(shape: tuple[int, int], tile: tuple[int, int], read_noise: float = 0.0) -> Any:
    """Weights (I, O), and the layer of cells of 1 to 40 microsiemens without other errors."""
    weights = RNG(1).integers(-LIMIT, LIMIT + 1, shape)
    device = AffineDevice("exact", "none", 1.0, 40.0, read_noise=read_noise)
    chosen = replace(
        settings({"rows": tile[0], "columns": 2 * tile[1], "read_noise": read_noise > 0}),
        model=device,
    )
    return weights, draw_layer(weights, LIMIT, chosen, RNG(2))


def parameters(tile: tuple[int, int], read_noise: float = 0.0) -> Any:
    """CrossSim's for the same cells and tiles."""
    from simulator.parameters import CrossSimParameters  # type: ignore[import-not-found,unused-ignore]
    from simulator.parameters import core_parameters as kinds

    found = CrossSimParameters()
    core, device = found.core, found.xbar.device
    core.rows_max, core.cols_max = tile
    core.mapping.weights.row_partition_strategy = kinds.PartitionStrategy.MAX
    core.mapping.weights.col_partition_strategy = kinds.PartitionStrategy.MAX
    core.mapping.weights.min, core.mapping.weights.max = -LIMIT, LIMIT
    core.style = kinds.CoreStyle.BALANCED
    core.balanced.style = kinds.BalancedCoreStyle.ONE_SIDED
    device.Rmin, device.Rmax, device.infinite_on_off_ratio = 1e6 / 40.0, 1e6, False
    if read_noise:
        device.read_noise.enable = True
        device.read_noise.model = "NormalProportionalDevice"
        device.read_noise.magnitude = read_noise
    return found


def core_of(weights: Any, chosen: Any) -> Any:
    from simulator.cores.analog_core import (  # type: ignore[import-not-found,unused-ignore]
        AnalogCore,
    )

    return AnalogCore(weights.T.astype(float), chosen)


SHAPES = [((12, 5), (12, 5)), ((23, 9), (7, 4)), ((40, 3), (16, 8)), ((4, 30), (8, 8))]


@pytest.mark.parametrize(("shape", "tile"), SHAPES)
@pytest.mark.parametrize("transposed", [False, True])
def test_analog_inputs_are_multiplied_as_by_crosssim(
    crosssim: Any, shape: tuple[int, int], tile: tuple[int, int], transposed: bool
) -> None:
    weights, array = layer(shape, tile)
    core = core_of(weights, parameters(tile))
    volts = RNG(3).uniform(-1, 1, (6, shape[transposed]))
    multiplied = core.vecmat if transposed else core.matvec
    theirs = np.array([multiplied(row) for row in volts])
    ours = array.read(volts, RNG(0), transposed)
    assert theirs == pytest.approx(ours, abs=1e-4)
    assert ours == pytest.approx(volts @ (weights.T if transposed else weights), abs=1e-4)


@pytest.mark.parametrize(("shape", "tile"), SHAPES)
@pytest.mark.parametrize("bits", [4, 8])
def test_sums_of_tiles_are_converted_as_by_crosssim(
    crosssim: Any, shape: tuple[int, int], tile: tuple[int, int], bits: int
) -> None:
    weights, array = layer(shape, tile)
    chosen, most = parameters(tile), 20.0
    chosen.xbar.adc.mvm.model = "SignMagnitudeADC"
    chosen.xbar.adc.mvm.bits = bits
    # In CrossSim's unit, a cell at its largest conductance adds 1.
    ends = most * array.scale.us_per_lsb / 40.0
    chosen.xbar.adc.mvm.calibrated_range = [-ends, ends]
    converters = Converters(Converter(bits, most), array.converters.transposed)
    volts = RNG(4).uniform(-1, 1, (6, shape[0]))
    core = core_of(weights, chosen)
    theirs = np.array([core.matvec(row) for row in volts])
    ours = replace(array, converters=converters).read(volts, RNG(0))
    assert theirs == pytest.approx(ours, abs=1e-3)
    assert np.abs(ours - volts @ weights).max() > 0.01


def test_whole_inputs_come_bit_by_bit_as_in_crosssim(crosssim: Any) -> None:
    """Three bits and a sign, their charges added before one conversion."""
    shape, tile = (23, 9), (7, 4)
    weights, array = layer(shape, tile)
    chosen = parameters(tile)
    chosen.core.mapping.inputs.mvm.min, chosen.core.mapping.inputs.mvm.max = -7.0, 7.0
    dac = chosen.xbar.dac.mvm
    dac.model, dac.bits, dac.input_bitslicing, dac.slice_size = "SignMagnitudeDAC", 4, True, 1
    rows = RNG(5).integers(-7, 8, (6, shape[0]))
    core = core_of(weights, chosen)
    theirs = np.array([core.matvec(row.astype(float)) for row in rows])
    ours = array.product(rows.astype(float), 3, RNG(0))
    assert theirs == pytest.approx(ours, abs=1e-3)
    assert (np.rint(ours) == rows @ weights).all()


@pytest.mark.parametrize("transposed", [False, True])
def test_read_noise_of_analog_inputs_is_as_in_crosssim(crosssim: Any, transposed: bool) -> None:
    """Mean and standard deviation of 6,000 reads, within five standard errors."""
    shape, tile, noise, reads = (11, 6), (4, 4), 0.05, 6_000
    weights, array = layer(shape, tile, noise)
    core = core_of(weights, parameters(tile, noise))
    volts = RNG(6).uniform(-1, 1, shape[transposed])
    multiplied = core.vecmat if transposed else core.matvec
    with adapter._seed(RNG(7)):
        theirs = np.array([multiplied(volts) for _ in range(reads)])
    ours = array.read(np.tile(volts, (reads, 1)), RNG(8), transposed)
    sigma = ours.std(0)
    assert sigma.min() > 0.05
    assert (np.abs(theirs.mean(0) - ours.mean(0)) < 5 * sigma * math.sqrt(2 / reads)).all()
    assert (np.abs(theirs.std(0) - sigma) < 5 * sigma / math.sqrt(reads)).all()


@pytest.mark.parametrize("bits", [0, 8])
def test_a_layer_is_multiplied_and_converted_as_by_aihwkit(bits: int) -> None:
    """On one tile, which its tile of PyTorch is."""
    pytest.importorskip("aihwkit", reason="aihwkit is not installed", exc_type=ImportError)
    import torch  # type: ignore[import-not-found,unused-ignore]

    shape, most = (40, 9), 20.0
    weights, array = layer(shape, (64, 16))
    volts = RNG(9).uniform(-1, 1, (20, shape[0]))
    tile = aihwkit_tile(array, bits, most)
    with torch.no_grad():
        theirs = LIMIT * tile(torch.tensor(volts, dtype=torch.float32)).numpy()
    found = replace(array, converters=Converters(Converter(bits, most), Converter(0, 1.0)))
    ours = found.read(volts, RNG(0))
    # Single precision may round a sum at the edge of two levels to the other one.
    level = most / (2 ** (bits - 1) - 1) if bits else 0.0
    apart = np.abs(theirs - ours)
    assert apart.max() < 1e-4 + 1.01 * level
    assert np.count_nonzero(apart > 1e-4) <= 1
    assert np.abs(volts @ weights).max() > most
    assert (np.abs(ours).max() > most + 1e-9) == (bits == 0)


def aihwkit_tile(array: LayerArray, bits: int, most: float) -> Any:
    """A layer of aihwkit with the weights of the cells, as shares of the largest."""
    import torch
    from aihwkit.nn import AnalogLinear  # type: ignore[import-not-found,unused-ignore]
    from aihwkit.simulator.configs import (  # type: ignore[import-not-found,unused-ignore]
        TorchInferenceRPUConfig,
    )
    from aihwkit.simulator.parameters.enums import (  # type: ignore[import-not-found,unused-ignore]
        BoundManagementType,
        NoiseManagementType,
    )

    chosen = TorchInferenceRPUConfig()
    forward = chosen.forward
    forward.inp_bound, forward.inp_res, forward.out_noise = 1.0, -1, 0.0
    forward.noise_management = NoiseManagementType.NONE
    forward.bound_management = BoundManagementType.NONE
    forward.out_bound = most / LIMIT if bits else 1e6
    # Levels from end to end: two less than the values of so many bits, with one for zero.
    forward.out_res = 1 / (2**bits - 2) if bits else -1
    inputs, outputs = array.shape
    chosen.mapping.max_input_size = chosen.mapping.max_output_size = 0
    found = AnalogLinear(inputs, outputs, bias=False, rpu_config=chosen)
    found.set_weights(torch.tensor(array.weights.T / LIMIT, dtype=torch.float32))
    return found.eval()
