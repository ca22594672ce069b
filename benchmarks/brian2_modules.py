"""Random machines in Brian2, in one matrix and in modules: correct transitions, and what they cost.

    python benchmarks/brian2_modules.py 60x2:dense 60x2:modules 1000x2:modules [OPTION=VALUE ...]

Each program is what `vsafsm.compile` gives for the backend by default; ``60x2:usual`` is in modules
as they are for any other backend, which this one refuses, and is run all the same. A transition is
correct if it leads where the machine leads from the state that was read before it: a failed one and
the correct ones after it are counted one by one. Options are compile options of the dense layout
(``dimension=4096``) or of the backend (``weight_noise=1``).
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
from random_machines import large_random_machine

import vsafsm
from vsafsm.backend_options import read_options
from vsafsm.discovery import find
from vsafsm.intervals import wilson
from vsafsm.options import OPTION_NAMES, Options, parse_assignments
from vsafsm_brian2.parameters import REQUIREMENTS

TRANSITIONS = 500
HEADER = (
    "| machine | layout | cells | synapses | per transition | margin | correct | 95 % interval |"
    " compile (s) | run (s) |\n|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Print one table."""
    tasks = [each for each in sys.argv[1:] if "=" not in each]
    given = parse_assignments(each for each in sys.argv[1:] if "=" in each)
    compiling = {name: value for name, value in given.items() if name in OPTION_NAMES}
    running = {name: value for name, value in given.items() if name not in OPTION_NAMES}
    print(HEADER, flush=True)
    for task in tasks:
        size, layout = task.split(":")
        print(measured(size, layout, compiling if layout == "dense" else {}, running), flush=True)


def measured(size: str, layout: str, compiling: dict[str, str], running: dict[str, str]) -> str:
    """A row of the table."""
    states, inputs = map(int, size.split("x"))
    machine = large_random_machine(states, inputs)
    begun = time.perf_counter()
    if layout == "usual":
        program = vsafsm.compile(machine, layout="modules")
        # The backend holds the claim against what it requires.
        claim = replace(program.claim, margin=REQUIREMENTS.least_margin)
        program, margin = replace(program, claim=claim), program.claim.margin
    else:
        options = Options().with_({"layout": layout, **compiling})
        asked = {name: getattr(options, name) for name in ("layout", *compiling)}
        program = vsafsm.compile(machine, target="brian2", **asked)
        margin = program.claim.margin
    built = time.perf_counter() - begun
    drawn = np.random.default_rng(0).integers(0, inputs, TRANSITIONS)
    word = [machine.inputs[a] for a in drawn]
    backend = find("brian2")
    chosen = read_options(backend, {"codegen": "cython", **running})
    backend.run(program, word[:1], **chosen)  # type: ignore[attr-defined]
    begun = time.perf_counter()
    read = backend.run(program, word, **chosen).states  # type: ignore[attr-defined]
    wall = time.perf_counter() - begun
    correct = sum(
        before is not None and after == machine.transition(before, symbol).to
        for before, symbol, after in zip(read, word, read[1:], strict=False)
    )
    low, high = wilson(correct, TRANSITIONS)
    network = program.network
    synapses = int(network.fan_out.sum())
    return (
        f"| {size} | {layout} | {network.neurons:,} | {synapses:,} |"
        f" {synapses / (states * inputs):,.0f} | {margin:.3f} |"
        f" {correct} of {TRANSITIONS} | {low:.3f} to {high:.3f} | {built:.1f} | {wall:.0f} |"
    )


if __name__ == "__main__":
    main()
