"""How many simulated arrays run a machine right, and what a simulated read costs.

Usage: python benchmarks/memristor_figures.py presets|two [ARRAYS] [FOLDER]
       python benchmarks/memristor_figures.py read
       python benchmarks/memristor_figures.py modules [DRAWS]

FOLDER holds KISS2 files; bbara and dk16 are taken from it. An array is right when every reachable
pair of state and input is: the state while the input is held, outputs, and the state after it.
Seeds of arrays start at 1000; nothing was tuned on these.
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from random_machines import random_machine

import vsafsm
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.compiler import compile_machine
from vsafsm.intervals import wilson
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.noise import parse_noise
from vsafsm.program import Program
from vsafsm.tolerance import correct_draws
from vsafsm_memristor.crossbar.cells import Pair
from vsafsm_memristor.crossbar.converter import Converter
from vsafsm_memristor.crossbar.mapping import TileLayout, scale_for
from vsafsm_memristor.crossbar.simulated import SimulatedCrossbar
from vsafsm_memristor.deploy.yields import outcomes
from vsafsm_memristor.device.presets import device_named

SPECS = sorted((Path(__file__).parent.parent / "specs").glob("*.yaml"))
KISS2 = ("bbara", "dk16")
FIRST_SEED = 1000
DAY, YEAR = 86_400.0, 31_536_000.0
Options = dict[str, Any]
PRESETS: tuple[tuple[str, Options], ...] = (
    ("NeuRRAM, 1 day", {"device": "neurram", "seconds_after_programming": DAY}),
    ("PCM, 1 day", {"device": "pcm", "seconds_after_programming": DAY}),
    ("PCM, 1 year", {"device": "pcm", "seconds_after_programming": YEAR}),
    ("perovskite 0.113", {"device": "perovskite", "rows": 128, "columns": 128}),
    ("perovskite 0.456", {"device": "perovskite-mean", "rows": 128, "columns": 128}),
)
JOBS = 2


def main() -> None:
    """Print one table."""
    {"presets": presets, "two": two, "read": read, "modules": modules}[sys.argv[1]]()


def machines() -> Iterator[Machine]:
    """Those of specs/, and two of the folder."""
    yield from (vsafsm.load(path) for path in SPECS)
    for folder in sys.argv[3:]:
        yield from (vsafsm.load(Path(folder) / f"{name}.kiss2") for name in KISS2)


def presets() -> None:
    """Right arrays of each preset, without calibration."""
    _table(PRESETS)


def two() -> None:
    """The same with two conductance levels a device, weights -1, 0 and 1."""
    title, options = PRESETS[0]
    _table(((title, options | {"levels": 2}),))


def _table(rows: tuple[tuple[str, Options], ...]) -> None:
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    found = []
    for machine in machines():
        compiled: dict[int, Program] = {}
        for title, options in rows:
            levels = options.get("levels", 4)
            if levels not in compiled:
                compiled[levels] = compile_machine(
                    machine, target="memristor", target_options={"levels": levels}
                )
            program = compiled[levels]
            right = right_of(program, options, number)
            low, high = wilson(right, number)
            network = program.network
            cells = 2 * network.neurons**2
            sizes = (network.neurons, program.smallest, network.active, cells)
            found.append(
                (
                    machine.name,
                    title,
                    *map(str, sizes),
                    f"{right} of {number}",
                    f"{low:.4f} to {high:.4f}",
                )
            )
            print_line(" ".join(found[-1]))
            sys.stdout.flush()
    print_table(
        ("machine", "device", "N", "smallest", "k", "cells", "right", "95 % interval"), found
    )


def right_of(program: Program, options: Options, number: int) -> int:
    """Arrays on which every pair is right, of so many."""
    return sum(
        each.wrong is None
        for each in outcomes(program, options, range(FIRST_SEED, FIRST_SEED + number), JOBS)
    )


def read() -> None:
    """A read of 512 x 512 weights beside the plain product of the same matrix and vector: medians
    of seven.
    """
    rng, size = np.random.default_rng(0), 512
    weights = rng.integers(-3, 4, (size, size)).astype(np.int8)
    activity = rng.random((1, size)) < 2 / 11
    plain, vector = weights.T.astype(np.float32), activity.astype(np.float32)
    base = _seconds(lambda: vector @ plain)
    rows = [("plain product, float32", f"{1e6 * base:.1f}", "1")]
    for title, tile, bits, noisy in (
        ("no noise, one tile, ideal converter", size, 0, False),
        ("read noise, one tile, ideal converter", size, 0, True),
        ("read noise, one tile, 8 bits", size, 8, True),
        ("read noise, tiles of 128 rows, 8 bits", 128, 8, True),
    ):
        device = device_named("neurram")
        scale = scale_for(device, weights, "differential")
        cells = Pair(*scale.pairs(weights, "differential"))
        layout = TileLayout(size, tile, 2 * size)
        crossbar = SimulatedCrossbar(
            cells, device, layout, scale, 1.0, Converter(bits, 100.0), noisy
        )
        taken = _seconds(lambda crossbar=crossbar: crossbar.drive(activity, rng))
        rows.append((title, f"{1e6 * taken:.1f}", f"{taken / base:.2f}"))
    print_table(("read of 512 x 512", "us", "times the product"), rows)


def modules() -> None:
    """What weight noise modules tolerate, and how much arrays have, one day after programming: in
    standard deviations of the weights of 60 states and 2 inputs at 5 bits.
    """
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    machine = random_machine(60, 2, 0)
    network = compile_machine(machine, layout="modules", bits=5, tolerate="none").network
    rows = []
    for amount in ("0.1", "0.2", "0.3"):
        noise = parse_noise(f"additive:{amount}")
        good = sum(correct_draws(machine, network, noise, FIRST_SEED, range(number)))
        low, high = wilson(good, number)
        rows.append((amount, f"{good} of {number}", f"{low:.3f} to {high:.3f}"))
    print_table(("additive noise", "draws right", "95 % interval"), rows)
    print_table(
        ("device", "its noise"),
        [(name, f"{_spread(network, name):.2f}") for name in ("pcm", "neurram")],
    )


def _spread(network: Network, name: str) -> float:
    """Standard deviation of what becomes of weights after a day, over that of the weights."""
    rng, device, weights = np.random.default_rng(0), device_named(name), network.blocks
    scale = scale_for(device, weights, "differential")
    up, down = (
        device.relax(device.program(target, rng), DAY, rng)
        for target in scale.pairs(weights, "differential")
    )
    return float(np.std((up - down) / scale.us_per_lsb - weights) / np.std(weights))


def _seconds(call: Any) -> float:
    call()
    return float(np.median([timeit.timeit(call, number=200) / 200 for _ in range(7)]))


if __name__ == "__main__":
    main()
