"""What it saves that states that lead to each other share a module.

    python benchmarks/placement.py random:2000x2 grid:30 sink:300 stay:300 FILE.kiss2 ...

``grid:W`` has W x W cells. ``sink:W`` and ``stay:W`` are lexicons of W words, by what a letter does
that no word goes on with. ``--states 40`` builds with so many states per module rather than what
`build` chooses, ``--margin 0.2`` for another margin than 0.3. ``--place-only`` builds nothing. With
pymetis (``pip install pymetis``) the parts of METIS stand beside, as many as the modules of the
partition. Seconds are those of placing, building and proving, for states that were placed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from families import grid, lexicon
from random_machines import large_random_machine as random_machine

import vsafsm
from vsafsm.activities import Indices
from vsafsm.errors import CompileError
from vsafsm.lowering import lower
from vsafsm.machine import Machine
from vsafsm.modules import build
from vsafsm.modules.placement import Links, Placement, leaving, links
from vsafsm.modules.plan import Planner
from vsafsm.network import Network
from vsafsm.proof import prove

HEADER = (
    "| machine | states x inputs | placement | modules | states in one | leave | between |"
    " per transition | margin | seconds |\n|---|---|---|---|---|---|---|---|---|---|"
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


def parts_of_metis(joined: Links, modules: int) -> Indices:
    import pymetis

    starts = np.searchsorted(joined.states, np.arange(len(joined.codes) + 1))
    _, parts = pymetis.part_graph(
        modules,
        adjacency=pymetis.CSRAdjacency(starts, joined.others),
        vweights=joined.codes.tolist(),
        eweights=joined.numbers.tolist(),
        options=pymetis.Options(seed=0),
    )
    return np.unique(parts, return_inverse=True)[1]


def rows(
    name: str,
    machine: Machine,
    placement: Placement,
    states: int | None,
    margin: float,
    only: bool,
) -> Iterator[str]:
    """A row for a placement, and one for METIS beside a partition."""
    lowered = lower(machine)
    joined = links(lowered)
    begun = time.perf_counter()
    homes = Planner(lowered, margin, placement, states=states).first().homes
    placed = time.perf_counter()
    if only:
        yield row(name, machine, joined, placement, homes, [placed - begun])
    else:
        network = build(machine, states=states, placement=placement, margin=margin)
        homes = network.homes[: len(machine.states)]
        seconds = [placed - begun, time.perf_counter() - placed]
        yield row(name, machine, joined, placement, homes, seconds, network)
    if placement == "balanced" or not homes.any() or not find_spec("pymetis"):
        return
    begun = time.perf_counter()
    homes = parts_of_metis(joined, int(homes.max()) + 1)
    seconds = [time.perf_counter() - begun]
    missed = False
    network = None
    if not only:
        try:
            network = build(machine, homes=homes.tolist(), margin=margin)
        except CompileError:
            missed = True
        seconds.append(time.perf_counter() - begun - seconds[0])
    yield row(name, machine, joined, "METIS", homes, seconds, network, missed)


def row(
    name: str,
    machine: Machine,
    joined: Links,
    placement: str,
    homes: Indices,
    seconds: list[float],
    network: Network | None = None,
    missed: bool = False,
) -> str:
    between = per_transition = ""
    margin = "missed" if missed else ""
    if network is not None:
        begun = time.perf_counter()
        proof = prove(machine, network)
        seconds = [*seconds, time.perf_counter() - begun]
        between = f"{len(network.between):,}"
        per_transition = f"{network.synapses / joined.transitions:,.0f}"
        margin = f"{proof.margin:.3f}" if proof.holds else proof.verdict
    return (
        f"| {name} | {len(machine.states):,} x {len(machine.inputs)} | {placement} |"
        f" {homes.max() + 1:,} | {np.bincount(homes).max()} | {leaving(joined, homes):.3f} |"
        f" {between} | {per_transition} | {margin} | {', '.join(f'{s:.1f}' for s in seconds)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("machines", nargs="+", metavar="FAMILY:SIZE|FILE")
    parser.add_argument("--placement", nargs="+", default=["balanced", "partition"])
    parser.add_argument("--states", type=int, metavar="PER_MODULE")
    parser.add_argument("--margin", type=float, default=0.3)
    parser.add_argument("--place-only", action="store_true")
    args = parser.parse_args()
    print(HEADER, flush=True)
    for name in args.machines:
        machine = machine_of(name)
        short = Path(name).stem
        for placement in args.placement:
            asked = (args.states, args.margin, args.place_only)
            for row_ in rows(short, machine, placement, *asked):
                print(row_, flush=True)


if __name__ == "__main__":
    main()
