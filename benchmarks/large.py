"""A random machine as a spec, and what a large program takes to load and to run.

python benchmarks/large.py write 100000x4 big.yaml
vsafsm compile big.yaml --jobs 2 -o big.npz
python benchmarks/large.py run big.npz
"""

from __future__ import annotations

import sys
import time

import numpy as np
from random_machines import large_random_machine

import vsafsm

INPUTS = 400


def run(path: str) -> None:
    """Print sizes, seconds to load, and milliseconds per step of a session."""
    begun = time.perf_counter()
    program = vsafsm.load_program(path)
    loaded = time.perf_counter() - begun
    network, machine = program.network, program.machine
    rng = np.random.default_rng(0)
    word = [machine.inputs[a] for a in rng.integers(0, len(machine.inputs), INPUTS)]
    with vsafsm.open(program) as session:
        session.send(word[0])
        steps, begun = session.counts["steps"], time.perf_counter()
        for symbol in word[1:]:
            session.send(symbol)
        step = (time.perf_counter() - begun) / (session.counts["steps"] - steps)
        correct = session.state == machine.run(word).states[-1]
    per_transition = network.synapses / machine.reachable_transitions
    print(f"{network}: {per_transition:.0f} synapses per transition")
    print(f"margin {program.claim.margin:.3f} claimed; loaded in {loaded:.1f} s")
    print(
        f"{1000 * step:.2f} ms per step; after {INPUTS} inputs {'correct' if correct else 'wrong'}"
    )


def main() -> None:
    """Write a spec, or run a program."""
    if sys.argv[1] == "write":
        states, inputs = map(int, sys.argv[2].split("x"))
        vsafsm.save(large_random_machine(states, inputs), sys.argv[3])
    else:
        run(sys.argv[2])


if __name__ == "__main__":
    main()
