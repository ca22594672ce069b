"""What random machines cost in modules: neurons, synapses per transition, time, memory, margin.

    python benchmarks/scale.py 1000x2 10000x2 [--dense 512x2] [--margin 0.1 0.2] [--table FILE]

Each machine is built and proven in a process of its own, so that the memory is its own peak. Times
are of the processor, with one thread, so that other work on the machine changes them little. Noise
is what the proof allows: the standard deviation of Gaussian noise on every weight, in standard
deviations of the dense weights, at which the union bound on a failure is 1 %.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from random_machines import large_random_machine

import vsafsm
from vsafsm.modules import build
from vsafsm.proof import Tally, prove
from vsafsm.synchronous import Session

BUILD = {"states": int, "module_neurons": int, "active": int, "placement": str}
"""Options of `build`, beside the margin."""
FAILURE = 0.01
"""Bound on the probability of a failure, for the noise that is told."""
WORD = 300
"""Inputs that are run for the time of a step."""
HEADER = (
    "| machine | layout | N | synapses | per transition | margin | noise | build (s) | proof (s) |"
    " step (ms) | MB |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def tolerated(tally: Tally) -> float:
    """The largest noise in LSBs at which the bound on a failure is `FAILURE`."""
    low, high = 0.0, 1024.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if tally.failure_bound(middle) <= FAILURE else (low, middle)
    return low


def measure(size: str, dense: bool, options: dict[str, Any]) -> str:
    states, inputs = map(int, size.split("x"))
    machine = large_random_machine(states, inputs)
    begun = time.process_time()
    if dense:
        program = vsafsm.compile(machine, layout="dense", tolerate="none")
        neurons, synapses = program.network.neurons, program.network.neurons**2
        spread, layout = float(program.network.weights.std()), "dense"
        built = time.process_time()
        proof = program.prove()
        session: Session = Session(program.network)
    else:
        network = build(machine, **options)
        neurons, synapses = network.neurons, network.synapses
        spread = float(network.blocks.std())
        layout = f"n = {network.module_neurons}, k = {network.active}"
        built = time.process_time()
        proof = prove(machine, network)
        session = Session(replace(network, contract=proof.contract))
    proven = time.process_time()
    word = [machine.inputs[a] for a in np.random.default_rng(0).integers(0, inputs, WORD)]
    session.send(word[0])
    steps, ran = session.counts["steps"], time.process_time()
    for symbol in word:
        session.send(symbol)
    step = 1000 * (time.process_time() - ran) / (session.counts["steps"] - steps)
    if session.state != machine.run([word[0], *word]).states[-1]:
        raise RuntimeError(f"{size}: the network is in another state than the machine")
    memory = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    transitions = states * inputs
    margin = f"{proof.margin:.3f}" if proof.holds else proof.verdict
    return (
        f"| {size} | {layout} | {neurons:,} | {synapses:,} |"
        f" {synapses / transitions:,.0f} | {margin} | {tolerated(proof.tally) / spread:.3f} |"
        f" {built - begun:.1f} | {proven - built:.1f} | {step:.2f} | {memory / 1024:.0f} |"
    )


def keep(rows: list[tuple[str, str, float, int]], path: Path) -> None:
    """Write synapses by size, layout and margin, as CSV."""
    lines = ["states,inputs,layout,margin,synapses"]
    for size, layout, margin, count in rows:
        states, inputs = size.split("x")
        lines.append(f"{states},{inputs},{layout},{margin},{count}")
    path.write_text("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", metavar="STATESxINPUTS")
    parser.add_argument("--dense", action="append", default=[], metavar="STATESxINPUTS")
    parser.add_argument("--margin", nargs="+", type=float, default=[0.3], help="of build")
    parser.add_argument("--table", type=Path, help="keep synapses, for benchmarks/pictures.py")
    for name in BUILD:
        parser.add_argument(f"--{name.replace('_', '-')}", help="of build; its default otherwise")
    parser.add_argument("--one", choices=["dense", "modules"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        options = {
            name: kind(getattr(args, name))
            for name, kind in BUILD.items()
            if getattr(args, name) is not None
        }
        options["margin"] = args.margin[0]
        print(measure(args.sizes[0], args.one == "dense", options))
        return
    print(HEADER, flush=True)
    tasks = [(size, "dense", 0.3) for size in args.dense]
    tasks += [(size, "modules", margin) for size in args.sizes for margin in args.margin]
    rows: list[tuple[str, str, float, int]] = []
    for size, layout, margin in tasks:
        command = [sys.executable, __file__, size, "--one", layout, "--margin", str(margin)]
        for name in BUILD:
            if getattr(args, name) is not None:
                command += [f"--{name.replace('_', '-')}", getattr(args, name)]
        done = subprocess.run(
            command,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        print(done.stdout, end="", flush=True)
        rows.append((size, layout, margin, int(done.stdout.split("|")[4].replace(",", ""))))
    if args.table:
        keep(rows, args.table)


if __name__ == "__main__":
    main()
