"""What random machines in modules take of Loihi 2: cores, chips, and the limit that binds.

    python benchmarks/loihi2_modules.py 500x4 2000x4 [--drawn 2000x4 30000x4 100000x4] [--bits 5]

A machine is compiled, and its network placed. One that is `--drawn` is not compiled: its codes and
transitions are drawn at random, in the sizes that the compiler uses, and the synapses are those
that it would place. Weights have no part in that.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scale import random_machine

import vsafsm
from vsafsm.activities import starts_of
from vsafsm.lowering import lower
from vsafsm.modules.builder import place_states, usual_sizes
from vsafsm.synapses import Synapses
from vsafsm_loihi2.placement import Placement, place
from vsafsm_loihi2.resources import boards

STATES = 96
"""States per module that random machines of 4 inputs refine with."""
HEADER = (
    "| machine | N | synapses | per transition | cores | chips | boards | limit | seconds |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def drawn(states: int, inputs: int) -> tuple[int, int, Synapses]:
    """Modules, their neurons, and the synapses between them, of a random machine."""
    small = lower(random_machine(2 * STATES, inputs))
    sizes, rng = usual_sizes(small), np.random.default_rng(0)
    n, k = sizes.module_neurons, sizes.active
    homes = place_states(states, STATES, rng)
    modules = int(homes.max()) + 1
    # A code and its pending code, k neurons each.
    codes = np.array([rng.choice(n, (2, k), replace=False) for _ in range(states)], np.int64)
    to = rng.integers(0, states, (states, inputs))
    source, _ = np.nonzero(homes[to] != homes[:, None])
    target = to[homes[to] != homes[:, None]]
    senders = codes[source, 0] + n * homes[source, None]
    # The half of the pending code that the input's mask leaves open.
    half = rng.permuted(codes[target, 1], axis=1)[:, : k // 2] + n * homes[target, None]
    key = (senders[:, :, None] * (modules * n) + half[:, None, :]).reshape(-1)
    key = np.unique(key)
    counts = np.bincount(key // (modules * n), minlength=modules * n)
    targets = (key % (modules * n)).astype(np.int32)
    return modules, n, Synapses(starts_of(counts), targets, np.zeros(len(key), np.int8))


def row(size: str, real: bool, bits: int) -> str:
    """A line of the table."""
    states, inputs = map(int, size.split("x"))
    begun = time.perf_counter()
    if real:
        machine = random_machine(states, inputs)
        network = vsafsm.compile(machine, layout="modules", bits=bits).network
        modules, n, between = network.modules, network.module_neurons, network.between
    else:
        modules, n, between = drawn(states, inputs)
    found: Placement = place(modules, n, between, inputs + 1, bits)
    synapses = modules * n**2 + len(between)
    count, board = boards(found.chips)
    cells = (
        size if real else f"{size}, drawn",
        f"{modules * n:,}",
        f"{synapses:,}",
        f"{synapses / states / inputs:.0f}",
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
    parser.add_argument("sizes", nargs="*", metavar="STATESxINPUTS")
    parser.add_argument("--drawn", nargs="*", default=[], metavar="STATESxINPUTS")
    parser.add_argument("--bits", type=int, default=8)
    args = parser.parse_args()
    print(HEADER)
    for size in args.sizes:
        print(row(size, True, args.bits), flush=True)
    for size in args.drawn:
        print(row(size, False, args.bits), flush=True)


if __name__ == "__main__":
    main()
