"""What is proven for any order of updates: programs as compiled, and refined towards the worst
order.

Usage: python benchmarks/any_order.py examples|random|noise [SIZE ...]

examples  every machine of specs/ without guards, `rule: robust`
random    random machines, three of each size
noise     draws that stay correct in synchronous steps, before and after the refinement
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from random_machines import random_machine

from vsafsm.any_order import OrderProof, prove_any_order
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.compiler import compile_machine
from vsafsm.errors import VsafsmError
from vsafsm.formats import load
from vsafsm.machine import Machine
from vsafsm.noise import Additive, perturb
from vsafsm.order_refinement import for_any_order
from vsafsm.program import Program
from vsafsm.walk import Walk

SIZES = (256, 512, 1024)
KINDS = ((4, 2), (8, 2), (8, 4))
ACTIVE = 16
DRAWS = 200


def main() -> None:
    """Print one table."""
    sizes = tuple(map(int, sys.argv[2:])) or SIZES
    if sys.argv[1] == "noise":
        noise(sizes)
        return
    machines = list({"examples": examples, "random": random}[sys.argv[1]]())
    rows, held = [], {size: [0, 0] for size in sizes}
    for machine in machines:
        for size in sizes:
            rows.append(row(machine, size))
            held[size][0] += "holds" in rows[-1][3]
            held[size][1] += "holds" in rows[-1][4]
    header = ("machine", "N", "k", "as compiled", "refined", "margin", "refined")
    print_table(header, rows)
    for size, (before, after) in held.items():
        print_line(f"N = {size}: {before} of {len(machines)} hold as compiled, {after} refined")


def examples() -> Iterator[Machine]:
    """The machines of specs/."""
    for path in sorted((Path(__file__).parents[1] / "specs").glob("*.yaml")):
        yield load(path)


def random() -> Iterator[Machine]:
    """Random machines."""
    for states, inputs in KINDS:
        for seed in range(3):
            yield random_machine(states, inputs, seed)


def row(machine: Machine, size: int) -> tuple[str, ...]:
    """What is known of one program."""
    name = f"{machine.name}, {len(machine.states)} x {len(machine.inputs)}"
    try:
        program = compiled(machine, size)
    except VsafsmError as error:
        return name, str(size), "", str(error)[:40], "", "", ""
    before = prove_any_order(machine, program.network)
    refined = for_any_order(program)
    after = prove_any_order(machine, refined.network)
    margins = [told_margin(each) for each in (program, refined)]
    return (name, str(size), str(program.network.active), told(before), told(after), *margins)


def compiled(machine: Machine, size: int) -> Program:
    """By the rule robust, proven or not. Of multiples of 16 neurons each mask opens half."""
    return compile_machine(
        machine,
        dimension=size,
        active=ACTIVE if size < 1024 else 2 * ACTIVE,
        rule="robust",
        layout="dense",
        tolerate="none",
        allow_unproven=True,
    )


def told(proof: OrderProof) -> str:
    """The verdict, and how many changes of the mask bounds show."""
    return f"{proof.verdict} ({proof.shown} of {proof.changes})"


def told_margin(program: Program) -> str:
    """That of synchronous steps, where the proof holds."""
    return f"{program.claim.margin:.3f}" if program.claim.holds else program.claim.verdict


def noise(sizes: tuple[int, ...]) -> None:
    """Additive noise, every pair correct in synchronous steps."""
    machine = load(Path(__file__).parents[1] / "specs" / "traffic_light.yaml")
    rows = []
    for size in sizes:
        program = compiled(machine, size)
        for amount in (0.25, 0.5, 1.0):
            shares = [survived(machine, each, amount) for each in (program, for_any_order(program))]
            rows.append((str(size), f"additive:{amount:g}", *shares))
    print_table(("N", "noise", "as compiled", "refined"), rows)


def survived(machine: Machine, program: Program, amount: float) -> str:
    """How many draws are correct in every pair."""
    rngs = np.random.default_rng(0).spawn(DRAWS)
    networks = (perturb(program.network, Additive(amount), rng) for rng in rngs)
    correct = sum(bool(Walk(machine, network).correct_pairs().all()) for network in networks)
    return f"{correct} of {DRAWS}"


if __name__ == "__main__":
    main()
