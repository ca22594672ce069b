"""A generated machine as a spec, and what a large program takes to load and to run.

python benchmarks/large.py write random:100000x4 big.yaml
vsafsm compile big.yaml --jobs 2 -o big.npz
python benchmarks/large.py run big.npz
python benchmarks/large.py predict random:1000000x2

Machines are named as for ``benchmarks/placement.py``: ``grid:100``, ``sink:20000``.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

import numpy as np
from placement import machine_of

import vsafsm
from vsafsm.lowering import lower
from vsafsm.modules.prediction import predicted_memory, predicted_synapses

INPUTS, MARGIN = 400, 0.3


def run(path: str) -> None:
    """Print sizes, seconds to load, and milliseconds per step of a session."""
    begun = time.perf_counter()
    program = vsafsm.load_program(path)
    loaded = time.perf_counter() - begun
    network, machine = program.network, program.machine
    rng = np.random.default_rng(0)
    state, correct = machine.initial, 0
    with vsafsm.open(program) as session:
        steps, begun = session.counts["steps"], time.perf_counter()
        for _ in range(INPUTS):
            # Of what leads on, and not to where most inputs lead: a lexicon's states have few.
            row = machine.table[machine.state_index(state)]
            usual, times = Counter(taken.to for taken in row).most_common(1)[0]
            chosen = [
                a for a, taken in enumerate(row) if taken.to != usual or 2 * times <= len(row)
            ]
            symbol = machine.inputs[int(rng.choice(chosen or len(row)))]
            state = machine.transition(state, symbol).to
            correct += session.send(symbol) == state
            if len({taken.to for taken in machine.table[machine.state_index(state)]}) == 1:
                session.reset()
                state = machine.initial
        step = (time.perf_counter() - begun) / (session.counts["steps"] - steps)
    per_transition = network.synapses / machine.reachable_transitions
    print(f"{network}: {per_transition:.0f} synapses per transition")
    print(f"margin {program.claim.margin:.3f} claimed; loaded in {loaded:.1f} s")
    print(f"{1000 * step:.2f} ms per step; {correct} of {INPUTS} inputs correct")


def main() -> None:
    """Write a spec, run a program, or predict what a machine takes."""
    if sys.argv[1] == "predict":
        lowered = lower(machine_of(sys.argv[2]))
        synapses, memory = (f(lowered, MARGIN) for f in (predicted_synapses, predicted_memory))
        print(f"{synapses:,} synapses and {memory / 1e9:.1f} GB are predicted at margin {MARGIN}")
    elif sys.argv[1] == "write":
        vsafsm.save(machine_of(sys.argv[2]), sys.argv[3])
    else:
        run(sys.argv[2])


if __name__ == "__main__":
    main()
