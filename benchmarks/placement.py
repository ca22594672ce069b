"""Which states share a module: at random, or by a graph partition, on a grid of cells.

pip install pymetis
python benchmarks/placement.py [WIDTH [STATES ...]]
"""

from __future__ import annotations

import sys

import pymetis

from vsafsm.errors import CompileError
from vsafsm.machine import Machine, Transition
from vsafsm.modules import build
from vsafsm.proof import prove


def grid(width: int) -> Machine:
    """Cells of a square, and moves to the four sides; at a border the machine stays."""
    names = [[f"{x},{y}" for x in range(width)] for y in range(width)]

    def to(x: int, y: int) -> Transition:
        return Transition(names[min(max(y, 0), width - 1)][min(max(x, 0), width - 1)])

    table = tuple(
        (to(x, y - 1), to(x + 1, y), to(x, y + 1), to(x - 1, y))
        for y in range(width)
        for x in range(width)
    )
    states = tuple(name for row in names for name in row)
    return Machine("grid", states, ("n", "e", "s", "w"), states[0], table, ((),) * len(states))


def partition(machine: Machine, states: int) -> list[int]:
    """Parts of about so many states, with few transitions from one to another."""
    near: list[set[int]] = [set() for _ in machine.states]
    for x, row in enumerate(machine.table):
        for y in {machine.state_index(taken.to) for taken in row} - {x}:
            near[x].add(y)
            near[y].add(x)
    parts = -(-len(near) // states)
    return list(pymetis.part_graph(parts, adjacency=[sorted(each) for each in near])[1])


def main(width: int, sizes: list[int]) -> None:
    machine = grid(width)
    transitions = len(machine.states) * len(machine.inputs)
    print("| placement | states per module | modules | between | per transition | margin |")
    print("|---|---|---|---|---|---|")
    for states in sizes:
        for name in ("random", "partition"):
            homes = partition(machine, states) if name == "partition" else None
            try:
                network = build(machine, states=states, homes=homes)
            except CompileError:
                print(f"| {name} | {states} | | | | missed |")
                continue
            print(
                f"| {name} | {states} | {network.modules} | {len(network.between):,} |"
                f" {network.synapses / transitions:.0f} | {prove(machine, network).margin:.3f} |"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30, [*map(int, sys.argv[2:])] or [96, 128, 160])
