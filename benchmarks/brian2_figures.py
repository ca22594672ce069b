"""What the Brian2 backend does: machines, parameters, pulse lengths, holding, damage, rates.

Usage: python benchmarks/brian2_figures.py machines|parameters|pulses|holds|holding|damage [FOLDER]
       python benchmarks/brian2_figures.py noise MACHINE usual|tolerant[:DIMENSION] DRAWS [FOLDER]
       python benchmarks/brian2_figures.py ensemble MACHINE [FOLDER]
       python benchmarks/brian2_figures.py variants MACHINE DRAWS [FOLDER]

FOLDER holds KISS2 files; bbtas, dk27, lion, train4 and mc are taken from it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from time import process_time

import numpy as np
from brian2 import second
from random_machines import random_machine

from vsafsm.cli.tables import print_table
from vsafsm.compiler import compile_machine
from vsafsm.discovery import find
from vsafsm.formats import read
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm.tours import shortest_ways, tours
from vsafsm_brian2.parameters import Parameters, speed_of
from vsafsm_brian2.reading import StateReading

SPECS = sorted((Path(__file__).parent.parent / "specs").glob("*.yaml"))
KISS2 = ("bbtas", "dk27", "lion", "train4", "mc")
TARGET = "brian2"
SIX = {
    name: getattr(Parameters(), name)
    for name in (
        "strength_pa",
        "inhibition_gain",
        "bias_pa",
        "tau_syn_ms",
        "tau_mem_ms",
        "refractory_ms",
    )
}
CODEGEN = "cython"
SIDE_BY_SIDE = 20
"""Draws in one network. With more of them a draw takes little less time, and more memory:
``ensemble MACHINE``.
"""


def main() -> None:
    """Print one table."""
    tables: dict[str, Callable[[], None]] = {
        **{"machines": machines, "parameters": parameters, "pulses": pulses, "holds": holds},
        **{"holding": holding, "damage": damage, "noise": noise, "variants": variants},
        "ensemble": ensemble,
    }
    tables[sys.argv[1]]()


# ---- machines and measurements


def all_machines(folders: Sequence[str] = tuple(sys.argv[2:])) -> Iterator[Machine]:
    """Those of specs/, five of MCNC where there is a folder, and 20 random ones of up to 16 states
    and 6 inputs.
    """
    yield from (read(path).machine for path in SPECS)
    yield from _kiss2(folders)
    rng = np.random.default_rng(7)
    for seed in range(20):
        yield random_machine(int(rng.integers(2, 17)), int(rng.integers(1, 7)), seed)


def _kiss2(folders: Sequence[str]) -> Iterator[Machine]:
    for folder in folders:
        yield from (read(Path(folder) / f"{name}.kiss2").machine for name in KISS2)


def four() -> Iterator[Machine]:
    """Turnstile, traffic light, bbtas where there is a folder, and a random machine of 16 states
    and 6 inputs.
    """
    yield from (
        machine
        for machine in all_machines()
        if machine.name in ("turnstile", "traffic_light", "bbtas")
    )
    yield random_machine(16, 6, 0)


def compiled(machine: Machine) -> Program:
    """At the size that the backend requires."""
    return compile_machine(machine, target=TARGET)


def score(program: Program, **options: object) -> tuple[int, int, float]:
    """Transitions that go right of those taken, every reachable pair among them; mean rate of
    active cells (Hz).

    State and outputs count, and a transition from a wrong state is wrong.
    """
    right = taken = 0
    rates = []
    backend = find(TARGET)
    for word in tours(program.machine):
        recording, readings = backend.record(program, word, **{"codegen": CODEGEN, **options})
        taken += len(word)
        right += right_transitions(program, word, readings)
        onsets = [event.onset_ms for event in recording.events[1:]]
        rates.append(np.mean([recording.rate_hz(onset - 60, onset) for onset in onsets]))
    return right, taken, float(np.mean(rates))


def right_transitions(
    program: Program, word: Sequence[str], readings: Sequence[StateReading]
) -> int:
    """Transitions of a word that go right."""
    expected = program.machine.run(word)
    wanted = list(zip(expected.states, (expected.initial_outputs, *expected.outputs), strict=True))
    found = [(reading.state, reading.outputs) for reading in readings]
    return sum(
        found[n][0] == wanted[n][0] and found[n + 1] == wanted[n + 1] for n in range(len(word))
    )


def right_of_draws(
    program: Program, draws: Sequence[Mapping[str, object]]
) -> tuple[list[int], int]:
    """Transitions that go right in each draw, and those taken. Draws are simulated side by side."""
    backend, words = find(TARGET), tours(program.machine)
    right = [0] * len(draws)
    for first in range(0, len(draws), SIDE_BY_SIDE):
        some = draws[first : first + SIDE_BY_SIDE]
        for word in words:
            found = backend.record_draws(program, word, some, codegen=CODEGEN)
            for n, (_, readings) in enumerate(found, first):
                right[n] += right_transitions(program, word, readings)
    return right, sum(map(len, words))


def draws_all_right(program: Program, draws: Sequence[Mapping[str, object]]) -> int:
    """How many draws take all transitions right."""
    right, taken = right_of_draws(program, draws)
    return right.count(taken)


def is_right(program: Program, **options: object) -> bool:
    """Whether all transitions go right."""
    hits, trials, _ = score(program, **options)
    return hits == trials


def drawn(rng: np.random.Generator, share: float) -> dict[str, float]:
    """The six parameters, each within a share of its default."""
    return {name: value * rng.uniform(1 - share, 1 + share) for name, value in SIX.items()}


def wilson(hits: int, trials: int) -> str:
    """95 % interval of a share."""
    z, share = 1.96, hits / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = (
        z * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2)) / (1 + z * z / trials)
    )
    return f"{max(0.0, middle - half):.3f} to {min(1.0, middle + half):.3f}"


# ---- tables


def machines() -> None:
    """Every reachable pair of every machine, at default parameters."""
    rows, right, taken = [], 0, 0
    for machine in all_machines():
        program = compiled(machine)
        hits, trials, rate = score(program)
        right, taken = right + hits, taken + trials
        network, pairs = program.network, machine.reachable_transitions
        rows.append(
            (
                machine.name,
                str(pairs),
                str(program.smallest),
                str(network.neurons),
                str(network.active),
                f"{program.claim.margin:.2f}",
                f"{hits} of {trials}",
                f"{rate:.0f}",
            )
        )
    print_table(
        ("machine", "pairs", "smallest N", "N", "k", "margin", "right transitions", "rate (Hz)"),
        rows,
    )
    print(f"in all {right} of {taken}, 95 % interval {wilson(right, taken)}")


def parameters() -> None:
    """The six parameters drawn within 30 % together, and moved by 50 % one at a time."""
    rows = []
    for machine in four():
        program = compiled(machine)
        rng = np.random.default_rng(100)
        good = draws_all_right(program, [drawn(rng, 0.3) for _ in range(100)])
        alone = [{name: SIX[name] * factor} for name in SIX for factor in (0.5, 1.5)]
        right, trials = right_of_draws(program, alone)
        wrong = [
            f"{name} = {value:g}: {hits} of {trials}"
            for draw, hits in zip(alone, right, strict=True)
            for name, value in draw.items()
            if hits < trials
        ]
        rows.append(
            (machine.name, f"{good} of 100", wilson(good, 100), "; ".join(wrong) or "all right")
        )
        print_table(
            ("machine", "draws all right", "95 % interval", "one at a time by 50 %"), rows[-1:]
        )


def noise() -> None:
    """The six parameters drawn within 50 %, half of the synapses missing, and weight noise of two
    standard deviations, for one machine and size.
    """
    name, size, draws = sys.argv[2], sys.argv[3], int(sys.argv[4])
    machine = next(m for m in all_machines(sys.argv[5:]) if m.name == name)
    kind, _, neurons = size.partition(":")
    program = compile_machine(
        machine,
        target=TARGET,
        target_options={"size": kind},
        dimension=int(neurons) if neurons else "auto",
    )
    network = program.network
    rng = np.random.default_rng(100)
    rows = []
    for what, options in (
        ("parameters within 50 %", [drawn(rng, 0.5) for _ in range(draws)]),
        ("50 % missing", [{"missing": 0.5, "draw_seed": seed} for seed in range(draws)]),
        ("weight noise 2 s.d.", [{"weight_noise": 2.0, "draw_seed": s} for s in range(draws)]),
    ):
        good = draws_all_right(program, options)
        shape = f"{network.neurons}", f"{network.active}"
        rows.append((name, size, *shape, what, f"{good} of {draws}", wilson(good, draws)))
        print_table(
            ("machine", "size", "N", "k", "noise", "draws all right", "95 % interval"), rows[-1:]
        )


def ensemble() -> None:
    """Processor time of a draw with half of the synapses missing, one by one and side by side."""
    machine = next(m for m in all_machines(sys.argv[3:]) if m.name == sys.argv[2])
    program = compile_machine(machine, target=TARGET, target_options={"size": "tolerant"})
    backend, word = find(TARGET), tours(machine)[0]
    draws = [{"missing": 0.5, "draw_seed": seed} for seed in range(40)]

    def seconds(number: int, word: Sequence[str]) -> float:
        begin = process_time()
        if number == 1:
            backend.record(program, word, codegen=CODEGEN, **draws[0])
        else:
            backend.record_draws(program, word, draws[:number], codegen=CODEGEN)
        return (process_time() - begin) / number

    alone = 0.0
    for number in (1, 5, 10, 20, 40):
        seconds(number, word[:1])  # compiles
        each = seconds(number, word)
        alone = alone or each
        row = machine.name, str(program.network.neurons), str(number), f"{each:.2f}"
        print_table(
            ("machine", "N", "side by side", "s of processor time per draw", "times faster"),
            [(*row, f"{alone / each:.1f}")],
        )


VARIANTS: dict[str, dict[str, object]] = {
    "as by default": {},
    "80 inhibitory cells": {"inhibitory_cells": 80},
    "signs dale": {"signs": "dale"},
    "synapses conductance": {"synapses": "conductance"},
    "all three": {"inhibitory_cells": 80, "signs": "dale", "synapses": "conductance"},
    "speed 4": {"speed": 4.0},
}


def variants() -> None:
    """Kinds of inhibition, signs and synapses, and faster cells, for one machine."""
    name, draws = sys.argv[2], int(sys.argv[3])
    program = compiled(next(m for m in all_machines(sys.argv[4:]) if m.name == name))
    for what, given in VARIANTS.items():
        variant = {"speed": 1.0, **given}
        speed = 4 if what == "speed 4" else 1
        holds = (40 / speed, 2000)
        _, _, rate = score(program, **variant)
        right = [score(program, hold_ms=float(hold), **variant)[:2] for hold in holds]
        rng = np.random.default_rng(100)
        good = [
            sum(is_right(program, **variant, **each) for each in options)
            for options in (
                [drawn(rng, 0.3) for _ in range(draws)],
                [{"weight_noise": 1.0, "draw_seed": seed} for seed in range(draws)],
                [{"missing": 0.3, "draw_seed": seed} for seed in range(draws)],
            )
        ]
        held = ", ".join(
            f"{hits} of {trials} ({hold:g} ms)"
            for hold, (hits, trials) in zip(holds, right, strict=True)
        )
        told = (f"{each} of {draws}" for each in good)
        print_table(
            ("variant", "rate (Hz)", "holds", "within 30 %", "noise 1 s.d.", "30 % missing"),
            [(what, f"{rate:.0f}", held, *told)],
        )


def pulses() -> None:
    """Right transitions over the length of the input, and over the gap after it, at speed 1."""
    programs = [compiled(machine) for machine in four()]
    for name, values, other in (
        (
            "hold_ms",
            (5, 10, 15, 20, 25, 30, 35, 40, 60, 80, 150, 300, 1000, 2000),
            {"gap_ms": 120.0},
        ),
        ("gap_ms", (5, 10, 15, 20, 25, 30, 40, 60, 80, 100, 300), {"hold_ms": 80.0}),
    ):
        rows = []
        for value in values:
            given = {name: float(value), "speed": 1.0, **other}
            found = [score(program, **given) for program in programs]
            right, taken = sum(f[0] for f in found), sum(f[1] for f in found)
            rows.append((str(value), f"{right} of {taken}", wilson(right, taken)))
        print_table((name, "right transitions", "95 % interval"), rows)


HOLDS = (10, 12, 15, 20, 25, 50, 200, 2000)


def holds() -> None:
    """Right transitions where the hold is the only option given, and of cells for 10 ms that are
    held longer.
    """
    several = [*(read(path).machine for path in SPECS), *_kiss2(sys.argv[2:])]
    for what, machines, given in (
        ("hold_ms alone", several, {}),
        ("speed 4", list(four()), {"speed": 4.0}),
    ):
        programs = [compiled(machine) for machine in machines]
        for hold in HOLDS:
            found = [score(program, hold_ms=float(hold), **given) for program in programs]
            right, taken = sum(f[0] for f in found), sum(f[1] for f in found)
            rates = [f[2] for f in found]
            speed = given.get("speed", speed_of(hold))
            row = (what, str(len(machines)), str(hold), f"{speed:.3g}", f"{right} of {taken}")
            row += (wilson(right, taken), f"{min(rates):.0f} to {max(rates):.0f}")
            print_table(
                (
                    *("given", "machines", "hold (ms)", "speed"),
                    *("right transitions", "95 % interval", "rates (Hz)"),
                ),
                [row],
            )


def holding() -> None:
    """60 s at rest in every state of specs/, with current noise and 10 % mismatch."""
    kept = states = 0
    rows = []
    for path in SPECS:
        machine = read(path).machine
        options = {"codegen": CODEGEN, "noise_pa": 75.0, "mismatch": 0.1, "draw_seed": 3}
        good = 0
        for state, word in shortest_ways(machine).items():
            with find(TARGET).open(compiled(machine), **options) as session:
                reached = [session.send(symbol) for symbol in word]
                session.rest(60 * second)
                good += session.state == state and reached[-1:] in ([], [state])
        kept, states = kept + good, states + len(machine.reachable)
        rows.append((machine.name, f"{good} of {len(machine.reachable)}"))
    print_table(("machine", "states held for 60 s"), rows)
    print(f"in all {kept} of {states}, 95 % interval {wilson(kept, states)}")


def damage() -> None:
    """Weight noise of one standard deviation, and 30 % of the synapses missing: six draws of each
    machine.
    """
    rows = []
    for name, options in (
        ("weight noise 1 s.d.", {"weight_noise": 1.0}),
        ("30 % missing", {"missing": 0.3}),
    ):
        good = nets = right = taken = 0
        bad: list[str] = []
        for machine in [*(read(path).machine for path in SPECS), *four()]:
            program = compiled(machine)
            draws = [{"draw_seed": seed, **options} for seed in range(6)]
            hits, trials = right_of_draws(program, draws)
            right, taken = right + sum(hits), taken + trials * len(draws)
            good, nets = good + hits.count(trials), nets + len(draws)
            bad += [machine.name] * (len(draws) - hits.count(trials))
        told = ", ".join(f"{n} ({bad.count(n)})" for n in dict.fromkeys(bad)) or "none"
        rows.append((name, f"{good} of {nets}", wilson(good, nets), f"{right} of {taken}", told))
    print_table(
        (
            "damage",
            "networks all right",
            "95 % interval",
            "right transitions",
            "networks with an error",
        ),
        rows,
    )


if __name__ == "__main__":
    main()
