"""What the tests of the Lava backend share: a time limit, a look at what is left behind, and small
Lava networks.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import vsafsm
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm_loihi2 import ChipNetwork, ChipSimulator, Settings, lower

Bits = NDArray[np.bool_]
LIMIT_S, AGAIN_S = 60.0, 5.0
EXACT = Settings()
CHIP = "loihi2"
"""The backend that asks the same of a program as Lava's, and is always there."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "limit_s(seconds): another time limit for a test of Lava than a minute"
    )


# ---- limits, and what is left behind


def offspring(position: int, of: int) -> set[int]:
    """Processes that have a number at a position of their line in /proc: 1 their parent, 3 their
    session.
    """
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[position]) == of and fields[0] != "Z":
                found.add(int(stat.parent.name))
    return found


def lava_children() -> set[int]:
    """Living children of this process, but for the resource tracker, which Python keeps."""
    return offspring(1, os.getpid()) - {getattr(resource_tracker._resource_tracker, "_pid", None)}


def settled(found: Callable[[], Any], expected: Any, patience_s: float = 5.0) -> Any:
    """What is found, as soon as it is what is expected, or when patience ends."""
    until = time.monotonic() + patience_s
    while (value := found()) != expected and time.monotonic() < until:
        time.sleep(0.02)
    return value


def forget_lost_runtimes() -> None:
    """Lava stops a runtime when its Process is collected, and waits without end where the processes
    are gone.
    """
    server = sys.modules.get("lava.magma.core.process.process")
    for process in server.ProcessServer().processes if server else ():
        if process.runtime is not None:
            process.runtime._is_started = False


@pytest.fixture(autouse=True)
def within_limits(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that waits too long fails; so does one that leaves processes behind. Log handlers are
    put back.
    """
    marker = request.node.get_closest_marker("limit_s")
    seconds = marker.args[0] if marker else LIMIT_S
    before, handlers = lava_children(), list(logging.getLogger().handlers)

    def expired(*given: object) -> None:
        raise TimeoutError(f"the test took longer than {seconds} s")

    usual = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, usual)
        logging.getLogger().handlers[:] = handlers
        left = settled(lava_children, before, 1.0) - before
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if left:
            forget_lost_runtimes()
    assert not left, "processes were left behind"


@pytest.fixture(scope="session")
def children() -> Callable[[], set[int]]:
    """Living children of this process, but for the resource tracker."""
    return lava_children


@pytest.fixture(scope="session")
def in_session() -> Callable[[int], set[int]]:
    """Living processes of the session of this number."""
    return lambda session: offspring(3, session)


@pytest.fixture(scope="session")
def settles() -> Callable[..., Any]:
    """What is found, as soon as it is what is expected, or when patience ends."""
    return settled


# ---- Lava


@pytest.fixture(scope="session")
def lava() -> ModuleType:
    """Lava, or the test is skipped."""
    return pytest.importorskip("lava.magma.core.process.process", reason="Lava is not installed")


@pytest.fixture(scope="session")
def neighbours(lava: ModuleType) -> Iterator[ModuleType]:
    """Processes of a user's own, in a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent / "processes")
        yield importlib.import_module("neighbours")


LATE = """
import time
from lava.magma.compiler.channels.pypychannel import CspRecvPort
class Late:
    def __init__(self, arrived): self.arrived = arrived
    def release(self): self.arrived.release()
    def acquire(self): return self.arrived.acquire() and (time.sleep(0.03) or True)
def start(port, usual=CspRecvPort.start):
    if port.name == "in_port": port._req = Late(port._req)
    usual(port)
CspRecvPort.start = start
"""


@pytest.fixture(scope="session")
def late() -> str:
    """Code after which what is sent to an Injector arrives late, as on a busy machine."""
    return LATE


@dataclass(frozen=True)
class Recording:
    """Spikes (T, N), scores (T, S), and the last currents and membranes (N,)."""

    spikes: NDArray[Any]
    scores: NDArray[Any]
    u: NDArray[Any]
    v: NDArray[Any]

    def same(self, other: Recording) -> bool:
        return all(
            np.array_equal(getattr(self, each), getattr(other, each))
            for each in ("spikes", "scores", "u", "v")
        )


class Bench:
    """An `AttractorFSM` between a source of channel spikes and two sinks."""

    def __init__(self, chip: ChipNetwork, channels: Bits, target: str) -> None:
        from lava.proc.io.sink import RingBuffer as Sink
        from lava.proc.io.source import RingBuffer as Source

        from vsafsm_lava import AttractorFSM, run_config

        self.chip, self.steps = chip, 0
        self.fsm = AttractorFSM(**chip.arrays())
        source = Source(data=np.asarray(channels.T, np.int32))
        self._spikes = Sink(shape=self.fsm.s_out.shape, buffer=len(channels))
        self._scores = Sink(shape=self.fsm.state_out.shape, buffer=len(channels))
        source.s_out.connect(self.fsm.input_in)
        self.fsm.s_out.connect(self._spikes.a_in)
        self.fsm.state_out.connect(self._scores.a_in)
        self._config = run_config(target)

    def run(self, steps: int) -> None:
        from lava.magma.core.run_conditions import RunSteps

        self.fsm.run(RunSteps(steps), self._config)
        self.steps += steps

    @property
    def spikes(self) -> NDArray[Any]:
        return self._spikes.data.get().T[: self.steps]

    @property
    def recording(self) -> Recording:
        scores = self._scores.data.get().T[: self.steps]
        return Recording(self.spikes, scores, self.fsm.u.get(), self.fsm.v.get())


@pytest.fixture(scope="session")
def bench(lava: ModuleType) -> Callable[..., Any]:
    """A context with an `AttractorFSM` between a source and two sinks, stopped at its end."""

    @contextmanager
    def opened(chip: ChipNetwork, channels: Bits, target: str = "sim") -> Iterator[Bench]:
        made = Bench(chip, channels, target)
        try:
            yield made
        finally:
            made.fsm.stop()

    return opened


@pytest.fixture(scope="session")
def recorded(bench: Callable[..., Any]) -> Callable[[ChipNetwork, Bits, str], Recording]:
    """What Lava makes of a train of channel spikes (T, A + 1)."""

    def record(chip: ChipNetwork, channels: Bits, target: str) -> Recording:
        with bench(chip, channels, target) as made:
            made.run(len(channels))
            return made.recording

    return record


@pytest.fixture(scope="session")
def simulated() -> Callable[[ChipNetwork, Bits], Recording]:
    """What the integer simulator makes of a train of channel spikes (T, A + 1)."""

    def simulate(chip: ChipNetwork, channels: Bits) -> Recording:
        simulator = ChipSimulator(chip)
        spikes = np.stack([simulator.step(row) for row in channels])
        before = np.concatenate([np.zeros_like(spikes[:1]), spikes[:-1]])
        homes = chip.network.homes[: len(chip.readout)]
        inside = before.reshape(len(before), chip.network.modules, -1)[:, homes]
        scores = (inside * chip.readout.astype(np.int64)).sum(2)
        return Recording(spikes, scores, simulator.u, simulator.v)

    return simulate


@pytest.fixture(scope="session")
def train() -> Callable[..., Bits]:
    """Random spikes on channels (T, A + 1): in turn many at a time, seldom any, and about one an
    event.
    """

    def drawn(chip: ChipNetwork, steps: int, seed: int = 0) -> Bits:
        rng = np.random.default_rng([seed, steps])
        event = 1 / (chip.hold_steps + chip.gap_steps) / chip.latch.channels
        rates = np.repeat([0.4, event / 2, 2 * event], -(-steps // 3))[:steps, None]
        return rng.random((steps, chip.latch.channels)) < rates

    return drawn


@pytest.fixture(scope="session")
def chip_of(compiled: Callable[..., Program]) -> Callable[..., ChipNetwork]:
    """A machine in the chip's integers, with the options of a compilation, and of `Settings`."""

    def made(machine: Machine, settings: Settings = EXACT, **options: Any) -> ChipNetwork:
        return lower(compiled(machine, target=CHIP, **options).network, settings)

    return made


@pytest.fixture(scope="session")
def program(turnstile: Machine, compiled: Callable[..., Program]) -> Program:
    """The turnstile, compiled for the chip, with or without Lava."""
    return compiled(turnstile, target=CHIP)


@pytest.fixture(scope="session")
def vending(examples: dict[str, Machine], compiled: Callable[..., Program]) -> Program:
    """The vending machine, with transition outputs."""
    return compiled(examples["vending_machine"], target=CHIP)


@pytest.fixture(scope="session")
def chip(chip_of: Callable[..., ChipNetwork], turnstile: Machine) -> ChipNetwork:
    """The turnstile in the chip's integers."""
    return chip_of(turnstile)


@pytest.fixture(scope="session")
def truth() -> Callable[[Program, list[str]], vsafsm.Run]:
    """What the interpreter makes of a word."""

    def expected(program: Program, word: list[str]) -> vsafsm.Run:
        trace = program.machine.run(word)
        return vsafsm.Run(trace.states, (trace.initial_outputs, *trace.outputs))

    return expected


@pytest.fixture(scope="session")
def every_pair() -> Callable[[Machine], list[str]]:
    """A word that applies every input in every state that can be reached from all others in the
    walk.
    """
    return covering_word


def covering_word(machine: Machine) -> list[str]:
    open_pairs = {(state, symbol) for state in machine.reachable for symbol in machine.inputs}
    state, word = machine.initial, []
    while path := _way(machine, state, open_pairs):
        for symbol in path:
            open_pairs.discard((state, symbol))
            state = machine.transition(state, symbol).to
        word += path
    assert not open_pairs, "the machine has a state without a way back"
    return word


def _way(machine: Machine, start: str, wanted: set[tuple[str, str]]) -> list[str]:
    """The shortest word from a state whose last input is a wanted pair."""
    seen, queue = {start}, [(start, [])]
    for state, word in queue:
        for symbol in machine.inputs:
            if (state, symbol) in wanted:
                return [*word, symbol]
            to = machine.transition(state, symbol).to
            if to not in seen:
                seen.add(to)
                queue.append((to, [*word, symbol]))
    return []
