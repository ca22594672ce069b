"""What the Loihi 2 integers and the Lava backend do: machines, every hold, both models, speed,
events, cycles.

Usage: python benchmarks/lava_figures.py machines|same|speed|event|cycles [FOLDER]

FOLDER holds KISS2 files; all of them are taken. Needs Lava (Python 3.10).
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from idle_process.process import Idle
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.extractor import Extractor
from lava.proc.io.source import RingBuffer as Source
from lava.proc.io.utils import ChannelConfig, ReceiveEmpty, ReceiveNotEmpty, SendFull
from random_machines import random_machine

import vsafsm
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.compiler import compile_machine
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm.tours import tours
from vsafsm_lava import attractor_fsm, run_config
from vsafsm_loihi2 import ChipSimulator, lower

SPECS = sorted((Path(__file__).parent.parent / "specs").glob("*.yaml"))
LONGEST_HOLD = 50
RANDOM = 50
STEPS, CHUNK = 10_000, 100


def main() -> None:
    """Print one table."""
    {"machines": machines, "same": same, "speed": speed, "event": event, "cycles": cycles}[
        sys.argv[1]
    ]()


def all_machines() -> Iterator[Machine]:
    """Those of specs/, of the folder, and random ones of 2 to 16 states and 1 to 6 inputs."""
    for path in (
        *SPECS,
        *(p for folder in sys.argv[2:] for p in sorted(Path(folder).glob("*.kiss2"))),
    ):
        yield vsafsm.load(path)
    rng = np.random.default_rng(7)
    for seed in range(RANDOM):
        yield random_machine(int(rng.integers(2, 17)), int(rng.integers(1, 7)), seed)


# ---- right


def machines() -> None:
    """Proof on the integers, every pair in Lava's simulator, and every hold from the contract's to
    50.
    """
    rows = [_machine_row(machine) for machine in all_machines()]
    print_table(
        ("machine", "N", "proof", "hold", "gap", "pairs", "right", "holds", "right at every hold"),
        rows,
    )
    total = [sum(int(row[i].split(" of ")[j]) for row in rows) for i in (6, 8) for j in (0, 1)]
    proven = sum(row[2] == "holds" for row in rows)
    print_line(
        f"{proven} of {len(rows)} proven on the chip's integers; {total[0]} of {total[1]}"
        f" transitions right in Lava's simulator at the contract's hold, {total[2]} of {total[3]}"
        f" at every hold from there to {LONGEST_HOLD}"
    )


def _machine_row(machine: Machine) -> tuple[str, ...]:
    program = compile_machine(machine, target="lava", tolerate="none")
    chip = lower(program.network)
    proof = vsafsm.prove(machine, chip.decoded())
    words = tours(machine)
    right, taken = _scored(program, words, chip.hold_steps)
    every = [_scored(program, words, hold) for hold in range(chip.hold_steps, LONGEST_HOLD + 1)]
    row = (machine.name, program.network.neurons, proof.verdict, chip.hold_steps, chip.gap_steps)
    return (
        *map(str, row),
        str(machine.reachable_transitions),
        f"{right} of {taken}",
        str(len(every)),
        f"{sum(r for r, _ in every)} of {sum(t for _, t in every)}",
    )


def _scored(program: Program, words: list[tuple[str, ...]], hold: int) -> tuple[int, int]:
    """Transitions right and taken: state and outputs. Every word begins with a reset; the gap is
    the contract's.
    """
    right = taken = 0
    with vsafsm.open(program, backend="lava", hold_steps=hold) as session:
        for word in words:
            session.reset()
            trace = program.machine.run(word)
            for symbol, state, outputs in zip(word, trace.states[1:], trace.outputs, strict=True):
                taken += 1
                right += session.send(symbol) == state and session.outputs == outputs
    return right, taken


# ---- the same


def same() -> None:
    """Spikes, scores, currents and membranes of both models and of the integer simulator, for
    10,000 steps.
    """
    rows = []
    for name in ("turnstile", "vending_machine", "elevator", "tcp_connection", "working_memory"):
        program = compile_machine(
            vsafsm.load(SPECS[0].parent / f"{name}.yaml"), target="lava", tolerate="none"
        )
        given = _trains(len(program.machine.inputs) + 1, STEPS, 0.1)
        found = [_recorded(program, target, given) for target in ("sim", "sim-stock")]
        simulator = ChipSimulator(lower(program.network))
        spikes = np.stack([simulator.step(channels) for channels in given.T > 0], axis=1)
        states = {"spikes": spikes, "u": simulator.u, "v": simulator.v}
        equal = all((found[0][key] == found[1][key]).all() for key in found[0])
        exact = all((found[0][key] == value).all() for key, value in states.items())
        rows.append(
            (name, str(program.network.neurons), str(int(spikes.sum())), str(equal), str(exact))
        )
    print_table(("machine", "N", "spikes", "fused and stock the same", "and as the integers"), rows)


def _trains(channels: int, steps: int, rate: float) -> np.ndarray:
    """Random spikes (A + 1, T) on all channels, many of them at once or while another input is
    held.
    """
    rng = np.random.default_rng(3)
    trains = (rng.random((channels, steps)) < rate / channels).astype(np.int32)
    trains[0] *= rng.random(steps) < 0.1
    return trains


def _recorded(program: Program, target: str, given: np.ndarray) -> dict[str, np.ndarray]:
    fsm = attractor_fsm(program)
    source = Source(data=given)
    blocking = ChannelConfig(SendFull.BLOCKING, ReceiveEmpty.BLOCKING, ReceiveNotEmpty.FIFO)
    spikes, scores = (Extractor(port.shape, CHUNK, blocking) for port in (fsm.s_out, fsm.state_out))
    source.s_out.connect(fsm.input_in)
    fsm.s_out.connect(spikes.in_port)
    fsm.state_out.connect(scores.in_port)
    found: dict[str, list[np.ndarray]] = {"spikes": [], "scores": []}
    try:
        for _ in range(given.shape[1] // CHUNK):
            fsm.run(RunSteps(CHUNK), run_config(target))
            found["spikes"] += [spikes.receive() for _ in range(CHUNK)]
            found["scores"] += [scores.receive() for _ in range(CHUNK)]
        recorded = {name: np.stack(rows, axis=1) for name, rows in found.items()}
        return {**recorded, "u": fsm.u.get(), "v": fsm.v.get()}
    finally:
        fsm.stop()


# ---- fast


def speed() -> None:
    """Steps a second of both models with an event whenever one can come, one run after the
    other.
    """
    rows = []
    machine = vsafsm.load(SPECS[0].parent / "tcp_connection.yaml")
    for code, neurons, steps in (
        *(("sparse", n, 2000) for n in (256, 512, 1024, 2048)),
        *(("dense", n, 600) for n in (1024, 2048)),
    ):
        bits = 8 if code == "sparse" else 6
        program = compile_machine(machine, dimension=neurons, code=code, bits=bits, target="lava")
        rates = [
            (_rate(program, "sim", steps), _rate(program, "sim-stock", steps)) for _ in range(3)
        ]
        fused, stock = np.median(rates, axis=0)
        ratio = np.median([a / b for a, b in rates])
        rows.append(
            (
                code,
                str(neurons),
                str(program.network.active),
                f"{fused:.0f}",
                f"{stock:.0f}",
                f"{ratio:.1f}",
            )
        )
    print_table(("code", "N", "k", "fused, steps/s", "stock, steps/s", "ratio"), rows)


def _rate(program: Program, target: str, steps: int) -> float:
    fsm = attractor_fsm(program)
    given = np.zeros((fsm.input_in.shape[0], steps), np.int32)
    events = np.arange(0, steps, fsm.hold_steps + fsm.gap_steps)
    given[1 + np.random.default_rng(0).integers(len(given) - 1, size=len(events)), events] = 1
    source = Source(data=given)
    source.s_out.connect(fsm.input_in)
    try:
        fsm.run(RunSteps(20), run_config(target))
        began = time.perf_counter()
        fsm.run(RunSteps(steps))
        return steps / (time.perf_counter() - began)
    finally:
        fsm.stop()


def event() -> None:
    """An event through a session at N = 1024, against a run of one Process that does nothing, for
    as many steps.
    """
    program = compile_machine(vsafsm.load(SPECS[0].parent / "vending_machine.yaml"), dimension=1024)
    rows = []
    with vsafsm.open(program, backend="lava") as session:
        idle, steps = Idle(), session.chip.event_steps
        idle.run(RunSteps(1), Loihi2SimCfg(select_tag="fixed_pt"))
        for _ in range(25):
            bare = _seconds(lambda n: idle.run(RunSteps(steps)), 40)
            ours = _seconds(lambda n: session.send(program.machine.inputs[n % 3]), 40)
            rows.append((bare * 1e3, ours * 1e3, ours / bare))
        idle.stop()
    ratios = np.array(rows)
    low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75), axis=0)
    print_table(
        ("", "bare run, ms", "event, ms", "ratio"),
        [
            (name, *(f"{x:.2f}" for x in row))
            for name, row in (("quartile", low), ("median", middle), ("quartile", high))
        ],
    )
    print_line(f"{steps} steps an event, N = 1024, 25 rounds of 40")


def _seconds(call: Callable[[int], Any], times: int) -> float:
    began = time.perf_counter()
    for n in range(times):
        call(n)
    return (time.perf_counter() - began) / times


# ---- tidy


def cycles() -> None:
    """What 200 sessions leave behind."""
    program = compile_machine(
        vsafsm.load(SPECS[0].parent / "turnstile.yaml"), target="lava", tolerate="none"
    )
    rows = []
    for n in range(201):
        with vsafsm.open(program, backend="lava") as session:
            session.send("coin")
        if n % 50 == 0:
            rows.append((str(n + 1), *map(str, _held())))
    print_table(
        (
            "sessions",
            "file descriptors",
            "threads",
            "root handlers",
            "compiler handlers",
            "children",
        ),
        rows,
    )


def _held() -> tuple[int, ...]:
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    names = ("", "lava.magma.compiler.compiler")
    handlers = [len(logging.getLogger(name).handlers) for name in names]
    return (
        len(list(Path("/proc/self/fd").iterdir())),
        threading.active_count(),
        *handlers,
        len(children),
    )


if __name__ == "__main__":
    main()
