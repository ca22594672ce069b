"""What the tests of the arrays share: small networks, a device without flaws, arrays that were
drawn, the commands.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsafsm.cli import main
from vsafsm.lowering import Code
from vsafsm.machine import Machine
from vsafsm.network import Contract, Network
from vsafsm.program import Program
from vsafsm_memristor.crossbar.array import ArrayPlan, faults_of, plan_array, program_array
from vsafsm_memristor.crossbar.parameters import settings
from vsafsm_memristor.crossbar.simulated import SimulatedCrossbar
from vsafsm_memristor.crossbar.stuck_cells import StuckCells
from vsafsm_memristor.device.affine import AffineDevice


def small_network(
    neurons: int,
    largest: int = 3,
    seed: int = 0,
    codes: int = 2,
    gain: int = 0,
    bits: int = 5,
    steps: int = 2,
) -> Network:
    """Random weights of which some reach the largest; one state, the other codes pending."""
    rng = np.random.default_rng([seed, neurons, largest])
    weights = rng.integers(-largest, largest + 1, (neurons, neurons)).astype(np.int8)
    weights[0, 0], weights[-1, 0] = largest, -largest
    return Network.dense(
        weights=weights,
        gain=gain,
        scale=1.0,
        bits=bits,
        masks=np.ones((2, neurons), np.bool_),
        codes=rng.random((codes, neurons)) < 0.5,
        labels=(Code(0), *(Code(0, True, (f"o{i}",)) for i in range(1, codes))),
        start=0,
        states=("only",),
        inputs=("i",),
        moore=((),),
        contract=Contract(steps, steps),
    )


@pytest.fixture(scope="session")
def networks() -> Callable[..., Network]:
    """Makes a small random network."""
    return small_network


@pytest.fixture(scope="session")
def ideal() -> AffineDevice:
    """A device that takes its targets exactly, keeps them, and is read without noise."""
    return AffineDevice("ideal", "none", 1.0, 40.0, read_noise=0.0)


@pytest.fixture(scope="session")
def program(compiled: Callable[..., Program], turnstile: Machine) -> Program:
    """The turnstile for crossbars."""
    return compiled(turnstile, target="memristor")


@pytest.fixture(scope="session")
def draw_array() -> Callable[
    ..., tuple[ArrayPlan, StuckCells, SimulatedCrossbar, np.random.Generator]
]:
    """Draws an array of a network: -> (plan, faults, crossbar, the generator that reads go on
    with).
    """

    def draw(network: Network, seed: int = 0, **options: Any) -> Any:
        plan = plan_array(network, settings(options))
        rng = np.random.default_rng(seed)
        faults = faults_of(plan, rng)
        crossbar = program_array(plan, faults, rng).after(plan.settings.seconds, faults, rng)
        return plan, faults, crossbar, rng

    return draw


SIMULATOR = "vsafsm_memristor.rig_simulator"


class Simulator:
    """A simulated rig in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.log_path = folder / f"lines-{time.monotonic_ns()}.jsonl"
        command = [
            sys.executable,
            "-m",
            SIMULATOR,
            "--port",
            "0",
            "--log",
            str(self.log_path),
            *options,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said.startswith("listening on "), said
        self.port = int(said.split()[-1])
        self.address = f"TCPIP0::127.0.0.1::{self.port}::SOCKET"

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        lines = self.log_path.read_text().splitlines()
        return [line for line in map(json.loads, lines) if not kinds or line["event"] in kinds]

    def commanded_v(self, kind: str) -> float:
        """The largest voltage that was commanded in reads or pulses."""
        return max(
            (abs(v) for e in self.events("lines") if e["kind"] == kind for v in e["v"]), default=0.0
        )

    def at_zero(self) -> bool:
        """Whether the last thing that happened to the lines left them at 0 V."""
        last = self.events("lines", "ground")
        return not last or last[-1]["event"] == "ground" or not any(last[-1]["v"])

    def wait_for(self, event: str, /, seconds: float = 10.0, **fields: Any) -> dict[str, Any]:
        """The last event of this kind and with these fields, once there is one."""
        end = time.monotonic() + seconds
        while not (
            found := [each for each in self.events(event) if fields.items() <= each.items()]
        ):
            assert time.monotonic() < end, f"no {event}, {fields} in {self.events()[-5:]}"
            time.sleep(0.01)
        return found[-1]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Callable[..., Simulator]]:
    """Starts a simulated rig with options; small, quiet and without stuck cells unless told
    otherwise.
    """
    started: list[Simulator] = []

    def start(*options: str) -> Simulator:
        small = (
            "--tiles",
            "2",
            "--rows",
            "8",
            "--columns",
            "6",
            "--stuck",
            "0",
            "--relax",
            "0",
            "--watchdog-ms",
            "400",
        )
        started.append(Simulator(tmp_path, *small, *options))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Call the command line: -> (exit code, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        try:
            code = main([str(each) for each in arguments])
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call
