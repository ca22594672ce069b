"""What random machines cost in modules: neurons, synapses per transition, time, memory, margin.

    python benchmarks/scale.py 1000x2 10000x2 [--dense 512x2] [--margin 0.15] [--jobs 2]

Each machine is built and proven in a process of its own, so that the memory is its own peak.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
from random_machines import large_random_machine

import vsafsm
from vsafsm.modules import ModularSession, build, prove
from vsafsm.synchronous import Session

BUILD = {"states": int, "module_neurons": int, "active": int, "margin": float, "jobs": int}
"""Options of `build`."""
WORD = 300
"""Inputs that are run for the time of a step."""
HEADER = (
    "| machine | layout | N | synapses | per transition | margin | build (s) | proof (s) |"
    " step (ms) | MB |\n|---|---|---|---|---|---|---|---|---|---|"
)


def measure(size: str, dense: bool, options: dict[str, Any]) -> str:
    states, inputs = map(int, size.split("x"))
    machine = large_random_machine(states, inputs)
    begun = time.perf_counter()
    if dense:
        program = vsafsm.compile(machine)
        neurons, synapses = program.network.neurons, program.network.neurons**2
        built = time.perf_counter()
        proof = program.prove()
        session: Session | ModularSession = Session(program.network)
    else:
        network = build(machine, **options)
        neurons, synapses = network.neurons, network.synapses
        built = time.perf_counter()
        proof = prove(machine, network)
        session = ModularSession(replace(network, contract=proof.contract))
    proven = time.perf_counter()
    word = [machine.inputs[a] for a in np.random.default_rng(0).integers(0, inputs, WORD)]
    session.send(word[0])
    steps, ran = session.counts["steps"], time.perf_counter()
    for symbol in word:
        session.send(symbol)
    step = 1000 * (time.perf_counter() - ran) / (session.counts["steps"] - steps)
    assert session.state == machine.run([word[0], *word]).states[-1]
    memory = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    transitions = states * inputs
    margin = f"{proof.margin:.3f}" if proof.holds else proof.verdict
    return (
        f"| {size} | {'dense' if dense else 'modules'} | {neurons:,} | {synapses:,} |"
        f" {synapses / transitions:,.0f} | {margin} | {built - begun:.1f} | {proven - built:.1f} |"
        f" {step:.2f} | {memory / 1024:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", metavar="STATESxINPUTS")
    parser.add_argument("--dense", action="append", default=[], metavar="STATESxINPUTS")
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
        print(measure(args.sizes[0], args.one == "dense", options))
        return
    print(HEADER, flush=True)
    tasks = [(size, "dense") for size in args.dense] + [(size, "modules") for size in args.sizes]
    for size, layout in tasks:
        command = [sys.executable, __file__, size, "--one", layout]
        for name in BUILD:
            if getattr(args, name) is not None:
                command += [f"--{name.replace('_', '-')}", getattr(args, name)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
