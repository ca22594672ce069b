"""Files of the usual benchmarks, read, compiled and proven; and how long large files take to read.

Usage: python benchmarks/formats.py machines FOLDER...|large

machines  every KISS2 and DOT file in the folders, at `dimension: auto`
large     100,000 transitions in each format
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.compiler import compile_machine
from vsafsm.errors import VsafsmError
from vsafsm.formats import format_for, load
from vsafsm.machine import Machine, Transition
from vsafsm.symbolic import SymbolicMachine

ROWS = 100_000


def main() -> None:
    """Print one table."""
    if sys.argv[1] == "large":
        large()
    else:
        machines([Path(folder) for folder in sys.argv[2:]])


def machines(folders: list[Path]) -> None:
    paths = sorted(
        p for folder in folders for p in folder.iterdir() if p.suffix in (".kiss2", ".dot")
    )
    rows = []
    for path in paths:
        try:
            machine, begun = load(path), time.perf_counter()
        except VsafsmError as error:
            print_line(f"refused: {error}")
            continue
        program = compile_machine(machine)
        compiled = time.perf_counter()
        proof = program.prove()
        network = program.network
        rows.append(
            (
                path.name,
                str(len(machine.reachable)),
                _inputs(machine),
                str(_transitions(machine)),
                str(network.neurons),
                str(program.smallest),
                str(network.active),
                f"{proof.margin:.3f}",
                proof.verdict,
                f"{compiled - begun:.1f}",
                f"{time.perf_counter() - compiled:.2f}",
            )
        )
    header = (
        "file",
        "S",
        "A",
        "transitions",
        "N",
        "smallest",
        "k",
        "margin",
        "verdict",
        "compile, s",
        "proof, s",
    )
    print_table(header, rows)


def _inputs(machine: Machine) -> str:
    """Inputs; or those that stand for all vectors of a machine with guards."""
    count = str(len(machine.inputs))
    return f"{count} of 2^{machine.width}" if isinstance(machine, SymbolicMachine) else count


def _transitions(machine: Machine) -> int:
    """Transitions of reachable states; those with a guard count once."""
    if isinstance(machine, SymbolicMachine):
        return sum(len(machine.guarded[machine.state_index(s)]) for s in machine.reachable)
    return machine.reachable_transitions


def large() -> None:
    """A counter of 10,000 states and 10 inputs: 100,000 transitions; and as many rows of KISS2 with
    cubes.
    """
    states = tuple(f"state_{i}" for i in range(ROWS // 10))
    inputs = tuple(f"input_{a}" for a in range(10))
    table = tuple(
        tuple(
            Transition(states[(i * 7 + a + 1) % len(states)], (f"out_{a}",) if a % 2 else ())
            for a in range(10)
        )
        for i in range(len(states))
    )
    machine = Machine("large", states, inputs, states[0], table, ((),) * len(states))
    rows = []
    for name in ("kiss2", "dot"):
        chosen = format_for("", name)
        text = chosen.write(machine)
        begun = time.perf_counter()
        found = chosen.read(text, f"large.{name}").machine
        seconds = time.perf_counter() - begun
        rows.append(
            (
                name,
                f"{len(text) / 2**20:.1f}",
                str(len(found.states) * len(found.inputs)),
                f"{seconds:.1f}",
            )
        )
    print_table(("format", "MiB", "transitions", "s"), rows)


if __name__ == "__main__":
    main()
