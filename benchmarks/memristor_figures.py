"""How many simulated devices run a machine right: presets, two levels, breaking points.

Usage: python benchmarks/memristor_figures.py presets|two|breaking [DEVICES] [FOLDER]

FOLDER holds KISS2 files; bbara and dk16 are taken from it. A device is right when every reachable pair of state and
input is: the state while the input is held, outputs, and the state after it. Seeds of devices start at 1000; nothing
was tuned on these.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import vsafsm
from vsafsm.compiler import compile_machine
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.terminal import print_line, print_table
from vsafsm_memristor.array import Plan, aged, plan
from vsafsm_memristor.crossbar import Crossbar
from vsafsm_memristor.parameters import settings

SPECS = sorted((Path(__file__).parent.parent / "specs").glob("*.yaml"))
KISS2 = ("bbara", "dk16")
FIRST_SEED = 1000
DAY, YEAR = 86_400.0, 31_536_000.0
PRESETS = (
    ("NeuRRAM, 1 day", {"device": "neurram", "seconds_after_programming": DAY}),
    ("PCM, 1 day", {"device": "pcm", "seconds_after_programming": DAY}),
    ("PCM, 1 year", {"device": "pcm", "seconds_after_programming": YEAR}),
    ("perovskite 0.113", {"device": "perovskite", "rows": 128, "columns": 128}),
    ("perovskite 0.456", {"device": "perovskite-mean", "rows": 128, "columns": 128}),
)
COMPILED_FOR = {"device": "neurram"}
WORKERS = 2


def main() -> None:
    """Print one table."""
    {"presets": presets, "two": two}[sys.argv[1]]()


def machines() -> Iterator[Machine]:
    """Those of specs/, and two of the folder."""
    yield from (vsafsm.load(path) for path in SPECS)
    for folder in sys.argv[3:]:
        yield from (vsafsm.load(Path(folder) / f"{name}.kiss2") for name in KISS2)


def devices() -> int:
    """How many devices to draw for each row."""
    return int(sys.argv[2]) if len(sys.argv) > 2 else 1000


def presets() -> None:
    """Right devices of each preset, without calibration."""
    _table([(title, options, None) for title, options in PRESETS])


def two() -> None:
    """The same with two conductance levels a device, weights -1, 0 and 1."""
    title, options = PRESETS[0]
    _table([(title, options, 2)])


def _table(conditions: list[tuple[str, dict[str, Any], int | None]]) -> None:
    rows = []
    for machine in machines():
        compiled: dict[int | None, Program] = {}
        for title, options, levels in conditions:
            if levels not in compiled:
                target = COMPILED_FOR | ({} if levels is None else {"levels": levels})
                compiled[levels] = compile_machine(machine, target="memristor", target_options=target)
            program = compiled[levels]
            planned = plan(program.network, settings(options | ({} if levels is None else {"levels": levels})))
            right, total = right_devices(machine, planned, devices())
            low, high = wilson(right, total)
            size = (program.network.neurons, program.smallest, planned.layout.cells)
            rows.append((machine.name, title, *map(str, size), f"{right} of {total}", f"{low:.4f} to {high:.4f}"))
            print_line(" ".join(rows[-1]))
            sys.stdout.flush()
    print_table(("machine", "device", "N", "smallest", "cells", "right", "95 % interval"), rows)


def right_devices(machine: Machine, planned: Plan, number: int) -> tuple[int, int]:
    """Devices on which every pair is right, of so many."""
    seeds = range(FIRST_SEED, FIRST_SEED + number)
    with ProcessPoolExecutor(
        WORKERS, initializer=_given.update, initargs=({"machine": machine, "plan": planned},)
    ) as pool:
        return sum(pool.map(_one_device, seeds, chunksize=10)), number


_given: dict[str, Any] = {}


def _one_device(seed: int) -> bool:
    planned: Plan = _given["plan"]
    rng = np.random.default_rng([seed, 0])
    return all_pairs_right(_given["machine"], planned.network, aged(planned, rng), rng)


def all_pairs_right(machine: Machine, network: Network, crossbar: Crossbar, rng: np.random.Generator) -> bool:
    """Take every input in every state, states by the first way found to them; stop at the first that is wrong."""

    def settled(activity: np.ndarray, masks: np.ndarray, steps: int) -> np.ndarray:
        for _ in range(steps):
            drive = crossbar.drive(activity, rng) - network.gain * activity.sum(1, keepdims=True)
            activity = (drive > 0) & network.masks[masks]
        return activity

    hold, gap = network.contract.hold_steps, network.contract.gap_steps
    start = settled(network.codes[network.start][None], np.zeros(1, int), gap)
    if _at_rest(network, start)[0] != machine.initial:
        return False
    known, new = {machine.initial: start[0]}, [machine.initial]
    while new:
        pairs = [(state, a) for state in new for a in range(len(machine.inputs))]
        masks = np.array([a + 1 for _, a in pairs])
        held = settled(np.stack([known[state] for state, _ in pairs]), masks, hold)
        codes = network.decode(held, masks)
        left = settled(held, np.zeros(len(pairs), int), gap)
        reached = _at_rest(network, left)
        new = []
        for (state, a), code, at, activity in zip(pairs, codes, reached, left, strict=True):
            taken = machine.transition(state, machine.inputs[a])
            label = network.labels[code] if code >= 0 else None
            if label is None or (network.states[label.state], label.outputs) != (taken.to, taken.outputs):
                return False
            if at != taken.to:
                return False
            if taken.to not in known:
                known[taken.to] = activity
                new.append(taken.to)
    return True


def _at_rest(network: Network, activity: np.ndarray) -> list[str | None]:
    codes = network.decode(activity).tolist()
    return [network.states[c] if 0 <= c < len(network.states) else None for c in codes]


def wilson(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share."""
    share, scale = right / total, 1 + z * z / total
    middle = share + z * z / (2 * total)
    apart = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, (middle - apart) / scale), min(1.0, (middle + apart) / scale)


if __name__ == "__main__":
    main()
