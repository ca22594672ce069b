"""Every machine of specs/, and of a folder of KISS2 files, compiled at ``dimension: auto``, sparse
and dense.

Usage: python benchmarks/machines.py [FOLDER ...]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from vsafsm.cli.tables import print_table
from vsafsm.compiler import compile_machine
from vsafsm.formats import read

SPECS = Path(__file__).parent.parent / "specs"
COLUMNS = (
    "machine",
    "S",
    "A",
    "transitions",
    "code",
    "N",
    "smallest",
    "k",
    "bits",
    "margin",
    "verdict",
    "s",
)


def main() -> None:
    """Print the table."""
    paths = sorted(SPECS.glob("*.yaml")) + [
        p for f in sys.argv[1:] for p in sorted(Path(f).glob("*.kiss2"))
    ]
    print_table(COLUMNS, [row(path, code) for path in paths for code in ("sparse", "dense")])


def row(path: Path, code: str) -> tuple[str, ...]:
    """One compilation and a second, independent walk of its proof."""
    machine = read(path).machine
    began = time.perf_counter()
    program = compile_machine(machine, code=code, tolerate="none")
    seconds = time.perf_counter() - began
    proof = program.prove()
    network = program.network
    sizes = (len(machine.states), len(machine.inputs), machine.reachable_transitions)
    return (
        machine.name,
        *map(str, sizes),
        code,
        str(network.neurons),
        str(program.smallest),
        str(network.active),
        str(network.bits),
        f"{proof.margin:.3f}",
        proof.verdict,
        f"{seconds:.2f}",
    )


if __name__ == "__main__":
    main()
