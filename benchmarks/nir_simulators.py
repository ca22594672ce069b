"""NIR files in other simulators: steps that are the network's, and transitions that are the
machine's.

Usage: python benchmarks/nir_simulators.py [--dt-s SECONDS] [SIMULATOR ...]

SIMULATOR is snntorch, norse, spikingjelly or spyx, each to be installed; without one, those that
are. With --dt-s, the file is made for another time step, and simulators that can be told are told.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import logging
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import nir
import numpy as np
from numpy.typing import NDArray
from random_machines import random_machine

import vsafsm
from vsafsm.cli.tables import print_table
from vsafsm.compiler import compile_machine
from vsafsm.program import Program
from vsafsm.synchronous import step
from vsafsm.tours import tours
from vsafsm_nir import nir_graph
from vsafsm_nir.graph import to_bytes

SPECS = Path(__file__).parent.parent / "specs"
Values = NDArray[Any]
Runner = Callable[[Any, Values, float], Values]
"""A graph, lines (T, A + 2) and the time step: -> what the readout gives, (T, C + 1)."""


def main() -> None:
    """Print a row for each simulator."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dt-s", type=float, default=1e-4)
    parser.add_argument("simulators", nargs="*")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    programs = list(_programs())
    rows = []
    for name in given.simulators or [name for name in RUNNERS if _version(name)]:
        scores = [_scored(program, RUNNERS[name], given.dt_s) for program in programs]
        steps, of_steps, right, of_right = np.sum(scores, axis=0).tolist()
        rows.append(
            (f"{name} {_version(name)}", f"{steps} of {of_steps}", f"{right} of {of_right}")
        )
    print(f"{len(programs)} programs, dt_s = {given.dt_s:g}")
    print_table(("simulator", "steps", "transitions"), rows)


def _programs() -> Iterator[Program]:
    machines = [vsafsm.load(path) for path in sorted(SPECS.glob("*.yaml"))]
    for machine in (*machines, *(random_machine(16, 4, seed) for seed in range(4))):
        for code in ("sparse", "dense"):
            yield compile_machine(machine, target="nir", code=code, tolerate="none")


def _scored(program: Program, runner: Runner, dt_s: float) -> tuple[int, int, int, int]:
    lines, ends, expected = _played(program)
    graph = nir.read(io.BytesIO(to_bytes(nir_graph(program, dt_s=dt_s))))
    truth = _truth(program, lines) @ graph.nodes["readout"].weight.T
    with contextlib.redirect_stdout(io.StringIO()):
        found = runner(
            graph, np.eye(len(program.network.inputs) + 2, dtype=np.float32)[lines], dt_s
        )
    states = program.network.states
    reached = [states[int(found[end][: len(states)].argmax())] for end in ends]
    right = sum(a == b for a, b in zip(reached, expected, strict=True))
    return int((found == truth).all(1).sum()), len(lines), right, len(ends)


def _played(program: Program) -> tuple[list[int], list[int], list[str]]:
    """Lines of every step of words that take every transition, where transitions end, and the
    states they end in.
    """
    machine, contract = program.machine, program.network.contract
    lines: list[int] = []
    ends: list[int] = []
    states: list[str] = []
    for word in tours(machine):
        lines += [len(machine.inputs) + 1, *[0] * contract.gap_steps]
        for symbol, state in zip(word, machine.run(word).states[1:], strict=True):
            lines += [program.network.mask_of(symbol)] * contract.hold_steps + [
                0
            ] * contract.gap_steps
            ends.append(len(lines) - 1)
            states.append(state)
    return lines, ends, states


def _truth(program: Program, lines: list[int]) -> Values:
    network = program.network
    active: Values = np.zeros(0, np.intp)
    fired = np.zeros((len(lines), network.neurons), np.float32)
    for t, line in enumerate(lines):
        if line > len(network.inputs):
            active = np.flatnonzero(network.codes[network.start])
        else:
            active = step(network, active, line)
        fired[t, active] = 1
    return fired


# ---- simulators


def _stepped(network: Any, lines: Values) -> Values:
    """A PyTorch module that takes a step's input and its own state."""
    import torch

    state, found = None, []
    with torch.no_grad():
        for x in torch.from_numpy(lines):
            given = network(x[None], state)
            output, state = given[:2]
            found.append(output.detach().numpy().reshape(-1))
    return np.stack(found)


def _snntorch(graph: Any, lines: Values, dt_s: float) -> Values:
    return _stepped(importlib.import_module("snntorch.import_nir").import_from_nir(graph), lines)


def _norse(graph: Any, lines: Values, dt_s: float) -> Values:
    return _stepped(importlib.import_module("norse.torch").from_nir(graph, dt=dt_s), lines)


def _spikingjelly(graph: Any, lines: Values, dt_s: float) -> Values:
    exchange = importlib.import_module("spikingjelly.activation_based.nir_exchange")
    return _stepped(exchange.import_from_nir(graph, dt=dt_s), lines)


def _spyx(graph: Any, lines: Values, dt_s: float) -> Values:
    """Spyx gives the spikes of a step with the next one."""
    later = np.concatenate([lines, np.zeros_like(lines[:1])])
    _, found = importlib.import_module("spyx.nir").from_nir(graph, later[:, None], dt=dt_s)
    return np.asarray(found)[1:, 0]


RUNNERS: dict[str, Runner] = {
    "snntorch": _snntorch,
    "norse": _norse,
    "spikingjelly": _spikingjelly,
    "spyx": _spyx,
}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
