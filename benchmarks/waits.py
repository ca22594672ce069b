"""What a long wait costs: as a chain of states, as a timer of its own, and as counters.

    python benchmarks/waits.py 5 20 100 600

A chart has some states, each of which waits for as many ticks and then goes on to the next. As one
machine, each of these states is a chain with a state per tick. A *timer* is one such chain beside
the chart, which starts it whenever it enters a state. *Counters* are those of
`vsafsm.systems.with_counters`, which leaves a chain where that is predicted to cost less. Timer and
counters are machines of a system: what one puts out goes to another through the host. Above
`--largest` states a machine is not compiled; its synapses are those that the compiler predicts. All
three are held against each other on random words.
"""

from __future__ import annotations

import argparse
from fractions import Fraction

import numpy as np
from systems import product_synapses

from vsafsm.machine import Machine
from vsafsm.statecharts import State, Statechart, Transition, flatten
from vsafsm.systems import System, compile_system, with_counters

WORDS, LETTERS = 5, 400


def chain(ticks: int, waiting: int) -> Machine:
    """The chart as one machine; each state puts out its name."""
    names = [f"wait{n}" for n in range(waiting)]
    states = [State("idle", transitions=(Transition(("go",), ("wait0",)),), outputs=("idle",))]
    for name, following in zip(names, [*names[1:], "idle"], strict=True):
        stop = Transition(("stop",), ("idle",))
        due = Transition((), (following,), after=Fraction(ticks))
        states.append(State(name, transitions=(stop, due), outputs=(name,)))
    return flatten(Statechart("chart", tuple(states), clock=Fraction(1)))


def control(waiting: int) -> Machine:
    """The chart where something else keeps the time."""
    names = [f"wait{n}" for n in range(waiting)]
    rows: dict[str, object] = {"idle": {"go": ["wait0", "start"]}}
    for name, following in zip(names, [*names[1:], "idle"], strict=True):
        due = [following, "start"] if following != "idle" else following
        rows[name] = {"stop": "idle", "timeout": due}
    outputs = {name: name for name in rows}
    return Machine.from_dict({"name": "control", "transitions": rows, "outputs": outputs})


def timer(ticks: int) -> Machine:
    """Puts out a time-out after so many ticks from the last start."""
    rows: dict[str, object] = {"off": {"start": "0"}}
    for n in range(ticks):
        due = str(n + 1) if n + 1 < ticks else ["off", "timeout"]
        rows[str(n)] = {"tick": due, "start": "0"}
    return Machine.from_dict({"name": "timer", "transitions": rows, "clock": "1 s"})


def check_same(machine: Machine, system: System, rng: np.random.Generator, ticks: int) -> None:
    """Hold the outputs of states against each other on random words."""
    for _ in range(WORDS):
        word: list[str] = []
        while len(word) < LETTERS + 3 * ticks:
            symbol = str(rng.choice(["go", "stop", "tick", "go"]))
            word += [symbol] * (int(rng.integers(1, 2 * ticks + 2)) if symbol == "tick" else 1)
        one, several = machine.run(word), system.run(word)
        for state, states in zip(one.states, several.states, strict=True):
            if machine.outputs_of(state) != system.moore(states):
                raise SystemExit(f"{system} differs from one machine")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ticks", nargs="+", type=int)
    parser.add_argument("--waiting", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("--largest", type=int, default=256)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    print("| ticks | states that wait | states | chain | timer | counters | digits |")
    print("|---|---|---|---|---|---|---|")
    for ticks in args.ticks:
        alone, how = product_synapses(timer(ticks), args.largest)
        for waiting in args.waiting:
            machine, own = chain(ticks, waiting), control(waiting)
            counted = with_counters(machine)
            for system in (System("timed", (own, timer(ticks))), counted):
                check_same(machine, system, rng, ticks)
            whole, of_whole = product_synapses(machine, args.largest)
            digits = len(counted.machines) - 1
            print(
                f"| {ticks} | {waiting} | {len(machine.states):,} | {whole:,} ({of_whole}) |"
                f" {alone + smallest(System('own', (own,))):,} ({how}) |"
                f" {smallest(counted) if digits else whole:,} | {digits} |",
                flush=True,
            )


def smallest(system: System) -> int:
    """Synapses of the smallest networks of a system."""
    return compile_system(system, tolerate="none").synapses


if __name__ == "__main__":
    main()
