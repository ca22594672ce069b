"""The closed loop over TCP with the *simulated rig* in its own process: every pair of state and
input.

Usage: python benchmarks/rig_loop.py [FOLDER]

turnstile and traffic_light, and bbtas where FOLDER holds its KISS2 file. Each machine is compiled
for the backend, written to a rig of as many tiles as it takes, and run; states and outputs count.
The last columns are the time of a step, the reads that it takes, and the time of an exchange of
another kind (`identify`), in microseconds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from simulated_rig import simulated_rig

import vsafsm
from vsafsm.cli.tables import print_table
from vsafsm.compiler import compile_machine
from vsafsm.tours import tours
from vsafsm_memristor.crossbar.parameters import settings
from vsafsm_memristor.deploy.loop import ClosedLoopSession
from vsafsm_memristor.deploy.maps import maps_of
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.protocol import UNTOUCHED
from vsafsm_memristor.rig.scpi import ScpiRig

SPECS = Path(__file__).parent.parent / "specs"
COLUMNS = (
    "machine",
    "N",
    "tiles",
    "pairs",
    "right",
    "steps",
    "us a step",
    "reads a step",
    "us an exchange",
)


def main() -> None:
    """Print the table."""
    paths = [SPECS / f"{name}.yaml" for name in ("turnstile", "traffic_light")]
    paths += [Path(folder) / "bbtas.kiss2" for folder in sys.argv[1:]]
    print_table(COLUMNS, [_row(path) for path in paths])


def _row(path: Path) -> tuple[str, ...]:
    machine = vsafsm.load(path)
    program = compile_machine(machine, target="memristor")
    down, across = settings({"columns": 128}).layout(program.network.neurons).grid
    with simulated_rig("--tiles", down * across) as address:
        rig = ScpiRig(address)
        bare = _exchange_us(rig)
        with GuardedRig(rig) as guarded:
            maps = maps_of(program, guarded.identify())
            guarded.arm(maps, guarded.plan(maps).token)
            for tile, siemens in enumerate(maps.siemens):
                if (siemens != UNTOUCHED).any():
                    guarded.program(tile, siemens)
            right = taken = 0
            began = time.perf_counter()
            session = ClosedLoopSession(program, maps, guarded)
            for word in tours(machine):
                session.reset()
                trace = machine.run(word)
                for symbol, state, outputs in zip(
                    word, trace.states[1:], trace.outputs, strict=True
                ):
                    taken += 1
                    right += session.send(symbol) == state and session.outputs == outputs
            seconds, steps = time.perf_counter() - began, session.counts["steps"]
            session.close()
    sizes = (program.network.neurons, down * across, machine.reachable_transitions)
    figures = (
        f"{right} of {taken}",
        str(steps),
        f"{seconds / steps * 1e6:.0f}",
        str(down * across),
        f"{bare:.0f}",
    )
    return (machine.name, *map(str, sizes), *figures)


def _exchange_us(rig: ScpiRig) -> float:
    taken = []
    for _ in range(300):
        began = time.perf_counter()
        rig.identify()
        taken.append(time.perf_counter() - began)
    return float(np.median(taken)) * 1e6


if __name__ == "__main__":
    main()
