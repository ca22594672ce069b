"""What the tests of rigs share: a rig in memory that remembers every voltage, maps for it, and
simulated rigs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsafsm.cli import main
from vsafsm_memristor.rig.protocol import Identity, Limits, Programmed

LIMITS = Limits(
    tiles=2,
    rows=4,
    columns=3,
    g_min_s=1e-6,
    g_max_s=40e-6,
    v_read_max_v=0.3,
    v_program_max_v=3.0,
    i_line_max_a=150e-6,
    pulses_a_cell=10,
    write_budget=10_000,
)
SIMULATOR = "vsafsm_memristor.rig_simulator"


@dataclass
class MemoryRig:
    """A rig that remembers what was put on its lines; `failing` names what raises, in the middle of
    it.
    """

    limits: Limits = LIMITS
    watchdog_s: float | None = 1.0
    usable: Any = None
    failing: dict[str, BaseException] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    commanded: list[float] = field(default_factory=list)
    pulsed: list[float] = field(default_factory=list)
    lines_v: float = 0.0
    kept: Limits | None = None
    closed: bool = False
    reply: Any = None

    def __post_init__(self) -> None:
        shape = (self.limits.tiles, self.limits.rows, self.limits.columns)
        self.usable = np.ones(shape, bool) if self.usable is None else self.usable
        self.g = np.zeros(shape)

    def identify(self) -> Identity:
        self._maybe_fail("identify")
        return Identity("memory", "M-1", self.limits, self.usable, self.watchdog_s)

    def restrict(self, limits: Limits) -> None:
        self.calls.append("restrict")
        self._maybe_fail("restrict")
        self.kept = limits

    def program(self, tile: int, g_siemens: Any) -> Programmed:
        self.calls.append("program")
        self.lines_v = (self.kept or self.limits).v_program_max_v
        self.pulsed.append(self.lines_v)
        self._maybe_fail("program")
        self.lines_v = 0.0
        touched = g_siemens != 0
        self.g[tile][touched] = g_siemens[touched]
        return self.reply or Programmed(
            self.g[tile].copy(), np.ones(touched.shape, bool), 2 * touched.astype(np.int64)
        )

    def read(self, tile: int, v_volts: Any) -> Any:
        self.calls.append("read")
        self.lines_v = float(np.abs(v_volts).max())
        self.commanded.append(self.lines_v)
        self._maybe_fail("read")
        self.lines_v = 0.0
        return self.reply if self.reply is not None else v_volts @ self.g[tile]

    def safe(self) -> None:
        self.calls.append("safe")
        self._maybe_fail("safe")
        self.lines_v = 0.0

    def close(self) -> None:
        self.closed = True

    def _maybe_fail(self, what: str) -> None:
        if what in self.failing:
            raise self.failing[what]


@dataclass(frozen=True)
class Maps:
    """Target conductances."""

    siemens: tuple[Any, ...]
    content_hash: str = "0123"
    v_read_v: float = 0.2


def some_maps(limits: Limits = LIMITS, tiles: int = 1, seed: int = 0) -> Maps:
    rng = np.random.default_rng(seed)
    shape = (limits.rows, limits.columns)
    return Maps(tuple(rng.uniform(limits.g_min_s, limits.g_max_s, shape) for _ in range(tiles)))


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
def client(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a Python process that runs a text; it may print, and is killed with the processes it
    has started.
    """
    started: list[subprocess.Popen[str]] = []

    def start(text: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", text, *arguments]
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        )
        return started[-1]

    yield start
    for each in started:
        with suppress(ProcessLookupError):
            os.killpg(each.pid, signal.SIGKILL)
        each.wait(10)
        assert each.stdout is not None
        each.stdout.close()


@pytest.fixture(scope="session")
def memory_rig() -> type[MemoryRig]:
    """A rig in memory."""
    return MemoryRig


@pytest.fixture(scope="session")
def maps() -> Callable[..., Maps]:
    """Makes maps for the rig in memory, or for other limits."""
    return some_maps


@pytest.fixture(scope="session")
def limits() -> Limits:
    """The limits of the rig in memory."""
    return LIMITS


@pytest.fixture(scope="session")
def changed() -> Callable[..., Any]:
    """``dataclasses.replace``."""
    return replace


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
