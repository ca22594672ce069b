"""What vsafsm adds to the wall time of a bare Brian2 script: whole processes at N = 1024, one after
the other.

Usage: python benchmarks/brian2_speed.py [cython|cpp_standalone|numpy] [REPEATS]

The bare script is the one that ``vsafsm emit --to brian2`` writes, which does not import vsafsm.
Both have been run before, so that what Brian2 compiles once is compiled.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from random_machines import random_machine

from vsafsm.cli.terminal import print_line
from vsafsm.compiler import compile_machine
from vsafsm.discovery import find

INPUTS = 60


def main() -> None:
    """Print the ratio, pair by pair, and its median."""
    codegen = sys.argv[1] if len(sys.argv) > 1 else "cython"
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    machine = random_machine(16, 6, 0)
    program = compile_machine(machine, target="brian2", dimension=1024)
    word = [
        machine.inputs[a]
        for a in np.random.default_rng(0).integers(len(machine.inputs), size=INPUTS)
    ]
    with tempfile.TemporaryDirectory() as folder:
        file, script = Path(folder) / "program.npz", Path(folder) / "run.py"
        program.save(file)
        find("brian2").emit(program, Path(folder), codegen=codegen)
        ours = [
            sys.executable,
            "-m",
            "vsafsm",
            "run",
            str(file),
            *word,
            "--backend",
            "brian2",
            "--codegen",
            codegen,
        ]
        build = Path(folder) / "build"
        build.mkdir()
        ours += ["--build-dir", str(build)] * (codegen == "cpp_standalone")
        bare = [sys.executable, str(script), *word]
        for command in (ours, bare):  # compiles what is kept between runs
            timed(command, folder)
        ratios = []
        for _ in range(repeats):
            one, other = timed(ours, folder), timed(bare, folder)
            ratios.append(one / other)
            print_line(
                f"{codegen}: {one:.2f} s with vsafsm, {other:.2f} s bare, ratio {one / other:.2f}"
            )
    print_line(
        f"{codegen}: median ratio {np.median(ratios):.2f} of {repeats},"
        f" N={program.network.neurons}, {INPUTS} inputs"
    )


def timed(command: list[str], folder: str) -> float:
    """Seconds of a whole process."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
