"""Large alphabets: random machines with many inputs, compiled at ``dimension: auto``.

Usage: python benchmarks/alphabets.py
"""

from __future__ import annotations

import time

from random_machines import random_machine

from vsafsm.cli.tables import print_table
from vsafsm.compiler import compile_machine

LOADS = [(4, 16), (4, 32), (8, 32), (2, 64), (4, 64), (8, 64), (19, 128), (32, 64)]
COLUMNS = ("S x A", "transitions", "N", "smallest", "k", "bits", "margin", "verdict", "s")


def main() -> None:
    """Print the table."""
    print_table(COLUMNS, [row(*load) for load in LOADS])


def row(states: int, inputs: int) -> tuple[str, ...]:
    """One compilation and a second, independent walk of its proof."""
    machine = random_machine(states, inputs, 0)
    began = time.perf_counter()
    program = compile_machine(machine, tolerate="none", allow_unproven=True)
    seconds = time.perf_counter() - began
    proof = program.prove()
    network = program.network
    return (
        f"{states} x {inputs}",
        str(machine.reachable_transitions),
        str(network.neurons),
        str(program.smallest or ""),
        str(network.active),
        str(network.bits),
        f"{proof.margin:.3f}",
        proof.verdict,
        f"{seconds:.1f}",
    )


if __name__ == "__main__":
    main()
