"""What machines in modules take of Loihi 2: cores, chips, and the limit that binds.

    python benchmarks/loihi2_modules.py 500x4 2000x4 [big.npz] [--bits 5]

A random machine is compiled and its network placed; a program file is only placed.
"""

from __future__ import annotations

import argparse
import time

from random_machines import large_random_machine

import vsafsm
from vsafsm_loihi2.placement import Placement, place
from vsafsm_loihi2.resources import boards

HEADER = (
    "| machine | N | synapses | per transition | cores | chips | boards | limit | seconds |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def row(name: str, bits: int) -> str:
    """A line of the table."""
    begun = time.perf_counter()
    if name.endswith(".npz"):
        program = vsafsm.load_program(name)
    else:
        states, inputs = map(int, name.split("x"))
        machine = large_random_machine(states, inputs)
        program = vsafsm.compile(machine, layout="modules", bits=bits)
    network, transitions = program.network, program.machine.reachable_transitions
    found: Placement = place(
        network.modules,
        network.module_neurons,
        network.between,
        len(network.masks),
        network.bits,
    )
    count, board = boards(found.chips)
    cells = (
        f"{len(network.states)}x{len(network.inputs)}",
        f"{network.neurons:,}",
        f"{network.synapses:,}",
        f"{network.synapses / transitions:.0f}",
        f"{found.cores:,}",
        found.chips,
        f"{count} {board}",
        found.binding_limit,
        f"{time.perf_counter() - begun:.0f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", metavar="STATESxINPUTS|PROGRAM")
    parser.add_argument("--bits", type=int, default=8)
    args = parser.parse_args()
    print(HEADER)
    for name in args.names:
        print(row(name, args.bits), flush=True)


if __name__ == "__main__":
    main()
