"""What it saves that states that lead to each other share a module.

    python benchmarks/placement.py random:2000x2 grid:30 sink:300 stay:300 FILE.kiss2 ...

``grid:W`` has W x W cells. ``sink:W`` and ``stay:W`` are lexicons of W words, by what a letter does
that no word goes on with. ``--states 40`` builds with so many states per module rather than what
`build` chooses. ``--place-only`` builds nothing. With pymetis (``pip install pymetis``) the parts
of METIS stand beside, as many as the modules of the partition.
"""

from __future__ import annotations

import argparse
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from families import grid, lexicon
from scale import random_machine

import vsafsm
from vsafsm.errors import CompileError
from vsafsm.lowering import Lowered, lower
from vsafsm.machine import Machine
from vsafsm.modules import build, prove
from vsafsm.modules.builder import usual_sizes, with_usual_states
from vsafsm.modules.network import Indices
from vsafsm.modules.placement import Placement, leaving, place

HEADER = (
    "| machine | states x inputs | placement | modules | states in one | leave | between |"
    " per transition | margin | place, build, prove (s) |\n|---|---|---|---|---|---|---|---|---|---|"
)


def machine_of(name: str) -> Machine:
    kind, _, size = name.partition(":")
    if kind == "random":
        states, inputs = map(int, size.split("x"))
        return random_machine(states, inputs)
    if kind == "grid":
        return grid(int(size))
    if kind == "sink" or kind == "stay":
        return lexicon(int(size), kind)
    return vsafsm.load(name)


def parts_of_metis(lowered: Lowered, modules: int) -> Indices:
    import pymetis

    source = np.repeat(np.arange(len(lowered.targets)), lowered.inputs)
    target = np.array(lowered.releases)[np.array(lowered.targets).ravel()]
    away = source != target
    ends = np.stack([source[away], target[away]], 1)
    pairs, weights = np.unique(np.vstack([ends, ends[:, ::-1]]), axis=0, return_counts=True)
    starts = np.searchsorted(pairs[:, 0], np.arange(len(lowered.targets) + 1))
    _, parts = pymetis.part_graph(
        modules,
        adjacency=pymetis.CSRAdjacency(starts, pairs[:, 1]),
        vweights=np.bincount(lowered.releases).tolist(),
        eweights=weights.tolist(),
        options=pymetis.Options(seed=0),
    )
    return np.unique(parts, return_inverse=True)[1]


def measure(
    name: str, machine: Machine, placement: Placement, states: int | None, only: bool
) -> str:
    """A row for a placement, and one for METIS beside a partition."""
    lowered = lower(machine)
    begun = time.perf_counter()
    most = states or with_usual_states(lowered, usual_sizes(lowered), placement, 0).states
    homes = place(lowered, most, placement, np.random.default_rng(0))
    took = time.perf_counter() - begun
    if not only:
        network = build(machine, states=states, placement=placement)
        homes = network.homes[: len(machine.states)]
    rows = [row(name, machine, lowered, placement, homes, took, only)]
    if placement == "partition" and homes.any() and find_spec("pymetis"):
        begun = time.perf_counter()
        parts = parts_of_metis(lowered, int(homes.max()) + 1)
        took = time.perf_counter() - begun
        rows.append(row(name, machine, lowered, "METIS", parts, took, only))
    return "\n".join(rows)


def row(
    name: str,
    machine: Machine,
    lowered: Lowered,
    placement: str,
    homes: Indices,
    took: float,
    only: bool,
) -> str:
    transitions = len(machine.states) * len(machine.inputs)
    start = (
        f"| {name} | {len(machine.states):,} x {len(machine.inputs)} | {placement} |"
        f" {homes.max() + 1:,} | {np.bincount(homes).max()} | {leaving(lowered, homes):.3f} |"
    )
    if only:
        return f"{start} | | | {took:.1f} |"
    begun = time.perf_counter()
    try:
        network = build(machine, homes=homes.tolist())
    except CompileError:
        return f"{start} | | missed | |"
    built = time.perf_counter()
    proof = prove(machine, network)
    proven = time.perf_counter()
    margin = f"{proof.margin:.3f}" if proof.holds else proof.verdict
    return (
        f"{start} {len(network.targets):,} | {network.synapses / transitions:,.0f} | {margin} |"
        f" {took:.1f}, {built - begun:.0f}, {proven - built:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("machines", nargs="+", metavar="FAMILY:SIZE|FILE")
    parser.add_argument("--placement", nargs="+", default=["balanced", "partition"])
    parser.add_argument("--states", type=int, metavar="PER_MODULE")
    parser.add_argument("--place-only", action="store_true")
    args = parser.parse_args()
    print(HEADER, flush=True)
    for name in args.machines:
        machine = machine_of(name)
        short = Path(name).stem
        for placement in args.placement:
            print(measure(short, machine, placement, args.states, args.place_only), flush=True)


if __name__ == "__main__":
    main()
