"""The prediction that sizing starts from, against what was measured: smallest N that proves, and
the failure bound.

Usage: python benchmarks/prediction.py [TABLE]

TABLE is a file for both, in JSON, which ``benchmarks/pictures.py`` draws.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from random_machines import random_machine

from vsafsm.cli.tables import print_table
from vsafsm.compiler import compile_machine
from vsafsm.errors import NotProvenError
from vsafsm.lowering import lower
from vsafsm.options import Options
from vsafsm.prediction import conditions_per_neuron, predicted_neurons
from vsafsm.synchronous import run_batch

LOADS = [
    (2, 2),
    (4, 2),
    (8, 2),
    (16, 2),
    (32, 2),
    (64, 2),
    (128, 2),
    (256, 2),
    (4, 4),
    (8, 4),
    (16, 4),
    (64, 4),
    (4, 8),
    (8, 8),
    (32, 8),
    (64, 8),
]
BITS = (8, 4, 3, 2)
NOISES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
DRAWS = 200


def sizes() -> list[tuple[int, int, int, float, int, int]]:
    """(S, A, bits, conditions a neuron, predicted N, smallest N found by going up and down the
    ladder).
    """
    found = []
    for bits in BITS:
        for states, inputs in LOADS if bits == 8 else LOADS[2:6]:
            machine = random_machine(states, inputs, 0)
            lowered = lower(machine)
            try:
                smallest = compile_machine(machine, bits=bits, tolerate="none").smallest or 0
            except NotProvenError as error:
                print(f"{machine.name} at {bits} bits: {error}", file=sys.stderr)
                continue
            predicted = predicted_neurons(lowered, Options(bits=bits))
            conditions = conditions_per_neuron(lowered)
            found.append((states, inputs, bits, conditions, predicted, smallest))
            print(
                f"{machine.name} {bits} bits: predicted {predicted}, smallest {smallest}",
                file=sys.stderr,
            )
    return found


def failures() -> list[tuple[float, float, int]]:
    """Noise (in radii), union bound and failing draws: additive Gaussian noise on the weights of
    one network.
    """
    machine = random_machine(8, 2, 0)
    program = compile_machine(machine, dimension=128)
    proof, network = program.prove(), program.network
    rng = np.random.default_rng(0)
    word = rng.integers(len(machine.inputs), size=(1, 40))
    right = [
        machine.state_index(s) for s in machine.run([machine.inputs[a] for a in word[0]]).states
    ]
    found = []
    for noise in NOISES:
        sigma = noise * proof.radius
        wrong = 0
        for _ in range(DRAWS if noise else 1):
            weights = network.weights + sigma * rng.standard_normal(network.weights.shape)
            wrong += run_batch(network.with_weights(weights), word)[0].tolist() != right
        found.append((noise, proof.tally.failure_bound(sigma), wrong))
    return found


def wilson(wrong: int, draws: int) -> tuple[float, float]:
    """95 % interval of a share."""
    z, p = 1.96, wrong / draws
    middle = (p + z * z / (2 * draws)) / (1 + z * z / draws)
    half = z * np.sqrt(p * (1 - p) / draws + z * z / (4 * draws**2)) / (1 + z * z / draws)
    return max(0.0, middle - half), min(1.0, middle + half)


def main() -> None:
    """Print both tables."""
    measured, noisy = sizes(), failures()
    print_table(
        (
            "S x A",
            "bits",
            "conditions a neuron",
            "predicted N",
            "smallest N",
            "predicted / smallest",
        ),
        [
            (f"{s} x {a}", str(b), f"{c:.0f}", str(p), str(n), f"{p / n:.2f}")
            for s, a, b, c, p, n in measured
        ],
    )
    rows = []
    for noise, bound, wrong in noisy:
        low, high = wilson(wrong, DRAWS)
        rows.append(
            (f"{noise:g}", f"{bound:.2g}", f"{wrong / DRAWS:.3f}", f"{low:.3f} to {high:.3f}")
        )
    print_table(("sigma / radius", "union bound", "words wrong", "95 % interval"), rows)
    if len(sys.argv) > 1:
        keep(measured, noisy, sys.argv[1])


def keep(measured: list, noisy: list, path: str) -> None:
    """Write both tables as JSON."""
    names = ("states", "inputs", "bits", "conditions", "predicted", "smallest")
    table = {
        "sizes": [dict(zip(names, each, strict=True)) for each in measured],
        "failures": [
            {"noise": noise, "bound": bound, "wrong": wrong, "draws": DRAWS if noise else 1}
            for noise, bound, wrong in noisy
        ],
    }
    Path(path).write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
