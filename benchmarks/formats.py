"""Files of the usual benchmarks, read, compiled and proven; and how long large files take to read.

Usage: python benchmarks/formats.py machines FOLDER...|large|scale [STATES...]

machines  every KISS2 and DOT file in the folders, at `dimension: auto`
large     100,000 transitions in each format
scale     random machines of 1,000, 10,000 and 100,000 states and four inputs: seconds of processor
          time, and peak memory, from the file to codes and moves
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from random_machines import large_random_machine

from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.compiler import compile_machine
from vsafsm.errors import VsafsmError
from vsafsm.formats import format_for, load, save
from vsafsm.lowering import lower
from vsafsm.machine import Machine, Transition
from vsafsm.symbolic import SymbolicMachine

ROWS = 100_000


def main() -> None:
    """Print one table."""
    if sys.argv[1] == "large":
        large()
    elif sys.argv[1] == "scale":
        scale([int(states) for states in sys.argv[2:]] or [1_000, 10_000, 100_000])
    elif sys.argv[1] == "front":
        front(sys.argv[2])
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
        program = compile_machine(machine, tolerate="none")
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


def scale(sizes: list[int]) -> None:
    """Each file is read in a process of its own, so that the memory is its own peak."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for states in sizes:
            machine = large_random_machine(states, 4)
            for suffix in ("yaml", "kiss2", "dot"):
                path = Path(folder) / f"{states}.{suffix}"
                save(machine, path)
                command = [sys.executable, __file__, "front", str(path)]
                ran = subprocess.run(command, check=True, capture_output=True, text=True)
                mebibytes = f"{path.stat().st_size / 2**20:.1f}"
                rows.append((suffix, f"{states:,}", mebibytes, *ran.stdout.split()))
    header = ("format", "states", "MiB", "load, s", "Machine, s", "lower, s", "peak, MB")
    print_table(header, rows)


def front(path: str) -> None:
    """Seconds to load a file, to check its parts as a machine again, and to lower it."""
    begun = time.process_time()
    found = load(path)
    loaded = time.process_time()
    replace(found)
    checked = time.process_time()
    lower(found)
    lowered = time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{loaded - begun:.2f} {checked - loaded:.2f} {lowered - checked:.2f} {memory:.0f}")


if __name__ == "__main__":
    main()
