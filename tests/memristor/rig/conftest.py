"""What the tests of rigs share: a rig in memory that remembers every voltage, maps for it, and
simulated rigs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsafsm_memristor.rig.errors import FaultError
from vsafsm_memristor.rig.protocol import Identity, Limits, ProgramReply, Status

LIMITS = Limits(
    tiles=2,
    rows=4,
    columns=3,
    g_min_s=1e-6,
    g_max_s=40e-6,
    v_read_max_v=0.3,
    v_program_max_v=3.0,
    i_line_max_a=150e-6,
    pulses_per_cell=10,
    write_budget=10_000,
)


@dataclass
class MemoryRig:
    """A rig that remembers what was put on its lines; `failing` names what raises, in the middle of
    it.
    """

    limits: Limits = LIMITS
    watchdog_s: float | None = 1.0
    usable: Any = None
    pulse_s: float | None = 0.0
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
        return Identity(
            "memory", "M-1", self.limits, self.usable, self.watchdog_s, pulse_s=self.pulse_s
        )

    def take(self, limits: Limits) -> None:
        self.calls.append("take")
        self._maybe_fail("take")
        if self.limits.tighten(limits) != limits:
            raise FaultError("LIMITS wider than its own")
        self.kept = limits

    def release(self) -> None:
        self.calls.append("release")
        self._maybe_fail("release")
        self.kept = None

    def status(self) -> Status:
        return Status("me" if self.kept else None, self.kept is not None, 0.0)

    def beat(self) -> None:
        self.calls.append("beat")

    def program(self, tile: int, g_siemens: Any) -> ProgramReply:
        self.calls.append("program")
        self.lines_v = (self.kept or self.limits).v_program_max_v
        self.pulsed.append(self.lines_v)
        self._maybe_fail("program")
        self.lines_v = 0.0
        touched = g_siemens != 0
        self.g[tile][touched] = g_siemens[touched]
        return self.reply or ProgramReply(
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
