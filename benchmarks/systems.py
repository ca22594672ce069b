"""What regions cost as one machine, and as networks of their own.

    python benchmarks/systems.py 2 3 4 6

Each region is a light of four states that answers a button of its own and a bell for all. As one
machine the states multiply; as a system they add up. Above `--largest` states the machine is not
compiled; its synapses are those that the compiler predicts.
"""

from __future__ import annotations

import argparse
import time

import vsafsm
from vsafsm.layouts import choose
from vsafsm.lowering import lower
from vsafsm.machine import Machine
from vsafsm.modules.prediction import predicted_synapses
from vsafsm.options import Options
from vsafsm.prediction import predicted_neurons
from vsafsm.requirements import Requirements
from vsafsm.sizing import HEADROOM
from vsafsm.systems import System, compile_system

STATES = 4
MARGIN = 0.3


def light(number: int) -> Machine:
    """Goes on to the next of its states by its button, and back to the first by the bell."""
    names = [f"{number}{'abcd'[x]}" for x in range(STATES)]
    rows = {
        name: {f"button{number}": names[(x + 1) % STATES], "bell": names[0]}
        for x, name in enumerate(names)
    }
    return Machine.from_dict({"name": f"light{number}", "transitions": rows})


def product_synapses(machine: Machine, largest: int) -> tuple[int, str]:
    """Synapses of one machine: compiled, or predicted where it is too large to be compiled here."""
    if len(machine.states) <= largest:
        return vsafsm.compile(machine, tolerate="none").network.synapses, "compiled"
    lowered, options = lower(machine), Options()
    if choose(lowered, options, Requirements()) == "modules":
        return predicted_synapses(lowered, MARGIN), "predicted"
    return round(HEADROOM * predicted_neurons(lowered, options)) ** 2, "predicted"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("regions", nargs="+", type=int)
    parser.add_argument("--largest", type=int, default=256)
    args = parser.parse_args()
    print("| regions | configurations | one machine: synapses | system: synapses | explored (s) |")
    print("|---|---|---|---|---|")
    for regions in args.regions:
        system = System("lights", tuple(light(n) for n in range(regions)))
        begun = time.process_time()
        product = system.product()
        explored = time.process_time() - begun
        synapses, how = product_synapses(product, args.largest)
        program = compile_system(system, tolerate="none")
        print(
            f"| {regions} | {len(product.states):,} | {synapses:,} ({how}) |"
            f" {program.synapses:,} | {explored:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
