"""Whether time-outs fire when they are due.

    python benchmarks/timeouts.py 200 reference loihi2
    python benchmarks/timeouts.py 20 brian2 --option tick_ms=200

Each draw has a lamp with a time-out of 100 ms to 60 s, in 1 to 60 ticks of a clock. A press turns
it on; a touch on the way begins the time-out anew. It is to be on until a moment less than one tick
before the time-out, and off at it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np

import vsafsm
from vsafsm.clocked import ClockedSession
from vsafsm.intervals import wilson
from vsafsm.machine import Clock
from vsafsm.program import Program
from vsafsm.statecharts import State, Statechart, Transition, flatten


def lamp(duration: Fraction, ticks: int, backend: str) -> Program:
    """A lamp that goes out by itself. One of as many ticks is the same network."""
    program = counted(ticks, backend)
    clock = Clock("tick", duration / ticks)
    return replace(program, machine=replace(program.machine, clock=clock))


@lru_cache
def counted(ticks: int, backend: str) -> Program:
    on = State(
        "on",
        transitions=(
            Transition(("touch",), ("on",)),
            Transition((), ("off",), after=Fraction(ticks)),
        ),
    )
    off = State("off", transitions=(Transition(("press",), ("on",)),))
    machine = flatten(Statechart("lamp", (off, on), clock=Fraction(1)))
    return vsafsm.compile(machine, target=backend, tolerate="none")


def fires_in_time(
    program: Program, duration: Fraction, ticks: int, backend: str, options: dict[str, float | str]
) -> bool:
    """Whether the lamp is on until just before it is due, and off then."""
    tick = duration / ticks
    begun = (int(np.random.default_rng(ticks).integers(ticks))) * tick
    with vsafsm.open(program, backend=backend, **options) as session:
        assert isinstance(session, ClockedSession)
        session.send("press")
        session.wait(begun)
        session.send("touch")
        before = session.wait(duration - tick / 2)
        after = session.wait(tick / 2)
    return (before or "").startswith("on") and after == "off"


def taken(value: str) -> float | str:
    """An option's number or text."""
    return float(value) if value.replace(".", "", 1).isdecimal() else value


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("draws", type=int)
    parser.add_argument("backends", nargs="+")
    parser.add_argument("--option", nargs="*", default=[], metavar="NAME=VALUE")
    args = parser.parse_args()
    options = {name: taken(value) for name, value in (each.split("=") for each in args.option)}
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(args.draws):
        ticks = int(rng.integers(1, 61))
        # Milliseconds that the ticks divide.
        milliseconds = ticks * max(1, round(float(rng.uniform(100, 60_000)) / ticks))
        drawn.append((Fraction(milliseconds, 1000), ticks))
    for backend in args.backends:
        good = sum(fires_in_time(lamp(*each, backend), *each, backend, options) for each in drawn)
        low, high = wilson(good, len(drawn))
        print(f"{backend}: {good} of {len(drawn)} in time ({low:.3f} to {high:.3f})", flush=True)


if __name__ == "__main__":
    main()
