"""How fast simulated arrays are read, beside CrossSim and aihwkit where they are installed.

Usage: python benchmarks/memristor_reads.py

512 x 512 weights of -3 to 3, a batch of 64 inputs, one tile, one thread, converters of 8 bits.
Simulators take turns in each of fifteen rounds; a ratio is of medians.
"""

from __future__ import annotations

import importlib.util
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

from vsafsm.cli.tables import print_table
from vsafsm_memristor.crossbar.cells import Pair
from vsafsm_memristor.crossbar.converter import Converter
from vsafsm_memristor.crossbar.layer import Converters, LayerArray
from vsafsm_memristor.crossbar.mapping import TileLayout, scale_for
from vsafsm_memristor.crossbar.simulated import SimulatedCrossbar
from vsafsm_memristor.device.presets import device_named

SIZE, BATCH, ROUNDS = 512, 64, 15
LARGEST = 3
ADC_BITS, FULL_SCALE = 8, 100.0
DAC_BITS = 3
READ_NOISE = 0.02
Read = Callable[[], Any]
Reads = dict[str, tuple[Read, int]]
"""Of each simulator: a read of the batch, and how often it is repeated in a round."""


def main() -> None:
    """A row per kind of read and simulator."""
    rng = np.random.default_rng(0)
    weights = rng.integers(-LARGEST, LARGEST + 1, (SIZE, SIZE))
    active = rng.random((BATCH, SIZE)) < 2 / 11
    whole = rng.integers(0, 2**DAC_BITS, (BATCH, SIZE)).astype(float)
    rows: list[tuple[str, ...]] = []
    for what, reads in (
        ("0 and 1, without noise", codes(weights, active, False)),
        ("0 and 1, with read noise", codes(weights, active, True)),
        ("3 bits, bit by bit, with read noise", layers(weights, whole)),
    ):
        taken = medians(reads)
        base = taken["vsafsm"]
        for name, seconds in taken.items():
            rows.append((what, name, f"{1e6 * seconds:.0f}", f"{seconds / base:.2f}"))
    print_table(("inputs", "simulator", "us", "times as long as vsafsm"), rows)


def medians(reads: Reads) -> dict[str, float]:
    """Seconds of a read of each."""
    found: dict[str, list[float]] = {name: [] for name in reads}
    for _ in range(ROUNDS):
        for name, (read, number) in reads.items():
            found[name].append(timeit.timeit(read, number=number) / number)
    return {name: float(np.median(each)) for name, each in found.items()}


def codes(weights: Any, active: Any, noisy: bool) -> Reads:
    """The array of a program."""
    rng, device = np.random.default_rng(1), device_named("neurram")
    scale = scale_for(device, weights, "differential")
    crossbar = SimulatedCrossbar(
        Pair(*scale.pairs(weights, "differential")),
        *(device, TileLayout(SIZE, SIZE, 2 * SIZE), scale, 1.0),
        *(Converter(ADC_BITS, FULL_SCALE), noisy),
    )
    found: Reads = {"vsafsm": (lambda: crossbar.drive(active, rng), 10)}
    return found | peers(weights, active.astype(np.float32), noisy, 0)


def layers(weights: Any, whole: Any) -> Reads:
    """A layer of a classifier."""
    rng, device = np.random.default_rng(1), device_named("neurram")
    scale = scale_for(device, weights, "differential")
    converters = Converters(Converter(ADC_BITS, FULL_SCALE), Converter(0, 1.0))
    layer = LayerArray(
        Pair(*scale.pairs(weights, "differential")),
        *(device, scale, (SIZE, SIZE), 1.0, converters),
    )
    found: Reads = {"vsafsm": (lambda: layer.product(whole, DAC_BITS, rng), 10)}
    return found | peers(weights, whole, True, DAC_BITS)


def peers(weights: Any, inputs: Any, noisy: bool, dac_bits: int) -> Reads:
    """What others take for the same."""
    found: Reads = {}
    if importlib.util.find_spec("aihwkit"):
        # Its tile of PyTorch knows noise per output only, equal for all inputs, and no bits.
        found["aihwkit, noise per output"] = aihwkit(weights, inputs, noisy), 10
    if importlib.util.find_spec("simulator"):
        found["CrossSim"] = crosssim(weights, inputs, noisy, dac_bits), 1
    return found


def aihwkit(weights: Any, inputs: Any, noisy: bool) -> Read:
    import torch
    from aihwkit.nn import AnalogLinear
    from aihwkit.simulator.configs import TorchInferenceRPUConfig
    from aihwkit.simulator.parameters.enums import BoundManagementType, NoiseManagementType

    torch.set_num_threads(1)
    chosen = TorchInferenceRPUConfig()
    forward = chosen.forward
    forward.inp_bound, forward.inp_res = 1.0, -1
    forward.out_noise = READ_NOISE if noisy else 0.0
    forward.out_bound, forward.out_res = FULL_SCALE / LARGEST, 1 / (2**ADC_BITS - 2)
    forward.noise_management = NoiseManagementType.NONE
    forward.bound_management = BoundManagementType.NONE
    chosen.mapping.max_input_size = chosen.mapping.max_output_size = 0
    layer = AnalogLinear(SIZE, SIZE, bias=False, rpu_config=chosen)
    layer.set_weights(torch.tensor(weights.T / LARGEST, dtype=torch.float32))
    layer.eval()
    batch = torch.tensor(inputs / inputs.max(), dtype=torch.float32)

    def read() -> Any:
        with torch.no_grad():
            return layer(batch)

    return read


def crosssim(weights: Any, inputs: Any, noisy: bool, dac_bits: int) -> Read:
    from simulator.cores.analog_core import AnalogCore
    from simulator.parameters import CrossSimParameters
    from simulator.parameters import core_parameters as kinds

    chosen = CrossSimParameters()
    chosen.core.rows_max = chosen.core.cols_max = SIZE
    chosen.core.style = kinds.CoreStyle.BALANCED
    adc, dac, device = chosen.xbar.adc.mvm, chosen.xbar.dac.mvm, chosen.xbar.device
    adc.model, adc.bits = "SignMagnitudeADC", ADC_BITS
    adc.calibrated_range = [-FULL_SCALE / LARGEST, FULL_SCALE / LARGEST]
    if dac_bits:
        most = float(2**dac_bits - 1)
        chosen.core.mapping.inputs.mvm.min, chosen.core.mapping.inputs.mvm.max = -most, most
        dac.model, dac.bits, dac.input_bitslicing = "SignMagnitudeDAC", dac_bits + 1, True
    if noisy:
        device.read_noise.enable, device.read_noise.magnitude = True, READ_NOISE
        device.read_noise.model = "NormalProportionalDevice"
    core = AnalogCore(weights.T.astype(float), chosen)
    return lambda: [core.matvec(row) for row in inputs]


if __name__ == "__main__":
    main()
