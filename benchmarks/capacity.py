"""How much a network of given size holds: random machines at fixed N, five seeds each, all to be
proven.

Usage: python benchmarks/capacity.py [asked|beyond]
"""

from __future__ import annotations

import sys
import time

import numpy as np
from random_machines import SEEDS, random_machine

from vsafsm.cli.tables import print_table
from vsafsm.compiler import compile_machine

ASKED = [(128, 2, 512, 8), (512, 2, 1024, 8), (128, 8, 1024, 8), (256, 2, 1024, 4)]
BEYOND = [
    (640, 2, 1024, 8),
    (768, 2, 1024, 8),
    (896, 2, 1024, 8),
    (192, 8, 1024, 8),
    (384, 2, 1024, 4),
]
COLUMNS = (
    "S x A",
    "N",
    "bits",
    "transitions / N",
    "k",
    "proven",
    "margins",
    "failure bound at 6",
    "median s",
)


def main() -> None:
    """Print the table."""
    loads = BEYOND if sys.argv[1:] == ["beyond"] else ASKED
    print_table(COLUMNS, [row(*load) for load in loads])


def row(states: int, inputs: int, neurons: int, bits: int) -> tuple[str, ...]:
    """Five machines of one load."""
    proofs, seconds, actives = [], [], []
    for seed in SEEDS:
        began = time.perf_counter()
        program = compile_machine(
            random_machine(states, inputs, seed),
            dimension=neurons,
            bits=bits,
            seed=seed,
            allow_unproven=True,
        )
        seconds.append(time.perf_counter() - began)
        proofs.append(program.prove())
        actives.append(program.network.active)
    held = [proof for proof in proofs if proof.holds]
    bounds = [
        p.tally.failure_bound(p.radius * k**0.5 / 6)
        for p, k in zip(proofs, actives, strict=True)
        if p.holds
    ]
    return (
        f"{states} x {inputs}",
        str(neurons),
        str(bits),
        f"{states * inputs / neurons:.2f}",
        "/".join(map(str, sorted(set(actives)))),
        f"{len(held)} of {len(proofs)}",
        " ".join(f"{proof.margin:.2f}" for proof in proofs),
        f"at most {max(bounds):.2g}" if bounds else "",
        f"{np.median(seconds):.1f}",
    )


if __name__ == "__main__":
    main()
