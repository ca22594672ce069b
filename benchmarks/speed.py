"""Speed and memory, each as a ratio of two things run in one process on one machine.

Usage: python benchmarks/speed.py compile [YARDSTICK.py]
           compile and proof of 256 x 2 at N = 1024, k = 32, margin 0.3
       python benchmarks/speed.py step
           a session step beside the bare sum of rows
       python benchmarks/speed.py memory
           peak memory of compiling 1024 x 2 at N = 4096

YARDSTICK.py is a module with compile_machine(delta, N, k, rng), refine(net, margin=, epochs=, rng=)
and prove(net).
"""

from __future__ import annotations

import importlib.util
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from random_machines import SEEDS, random_machine

from vsafsm.compiler import compile_machine
from vsafsm.machine import Machine
from vsafsm.synchronous import Session


def compile_speed(path: str | None = None) -> None:
    """Ours and the yardstick's, one after the other, on the same machines."""
    ratios = []
    for seed in SEEDS[:3]:
        machine = random_machine(256, 2, seed)
        ours = timed(lambda m=machine: compile_machine(m, dimension=1024, active=32, margin=0.3))
        again = timed(compile_machine(machine, dimension=1024, active=32, margin=0.3).prove)
        line = f"{machine.name}: compile with proof {ours:.2f} s, of which the proof {again:.2f} s"
        if path:
            theirs = timed(lambda m=machine: yardstick(path, m))
            ratios.append(ours / theirs)
            line += f"; yardstick {theirs:.2f} s, ratio {ours / theirs:.3f}"
        print(line)
    if ratios:
        print(f"median ratio {np.median(ratios):.3f}")


def yardstick(path: str, machine: Machine) -> None:
    """Compile, refine and prove with the other module."""
    spec = importlib.util.spec_from_file_location("yardstick", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    delta = np.array([[machine.state_index(t.to) for t in row] for row in machine.table])
    rng = np.random.default_rng(0)
    net, _, _ = module.refine(
        module.compile_machine(delta, 1024, 32, rng), margin=0.3, epochs=150, rng=rng
    )
    holds = module.prove(net)[0]
    print(f"  yardstick holds: {holds}, in floating point")


def step_speed() -> None:
    """A session's steps beside the sum of rows that each needs, on the same activities."""
    machine = random_machine(64, 2, 0)
    program = compile_machine(machine, dimension=1024)
    session = Session(program.network)
    word = np.random.default_rng(0).choice(machine.inputs, 2000).tolist()
    rows = program.network.rows
    contract = program.network.contract
    steps, bare, one_input = [], [], []
    for symbol in word:
        active = np.flatnonzero(session.activity)
        one = timed(lambda s=symbol: session.send(s))
        one_input.append(one)
        bare.append(timed(lambda a=active: rows[a].sum(0, dtype=np.int32)))
        steps.append(timed(lambda: session.wait(10)) / 10)
    print(f"N = 1024, k = {program.network.active}, {len(word)} inputs")
    print(
        f"one step {np.median(steps) * 1e6:.1f} us, bare sum of rows {np.median(bare) * 1e6:.1f}"
        f" us, ratio {np.median(np.array(steps) / np.array(bare)):.2f}"
    )
    print(
        f"one input ({contract.hold_steps + contract.gap_steps} steps, decoded):"
        f" {np.median(one_input) * 1e6:.0f} us"
    )


def memory() -> None:
    """Peak resident memory of the whole process."""
    began = time.perf_counter()
    program = compile_machine(random_machine(1024, 2, 0), dimension=4096)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    limit = 4 * 4096**2 + 200e6
    print(
        f"1024 x 2 at N = 4096, k = {program.network.active}: {program.claim.verdict}, "
        f"margin {program.claim.margin:.3f}, {seconds:.0f} s"
    )
    print(
        f"peak memory {peak / 1e6:.0f} MB; four times the 8-bit weights plus 200 MB is"
        f" {limit / 1e6:.0f} MB"
    )


def timed(task: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    task()
    return time.perf_counter() - began


COMMANDS = {"compile": compile_speed, "step": step_speed, "memory": memory}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(Path(__file__).read_text().split('"""')[1])
    COMMANDS[sys.argv[1]](*sys.argv[2:])
