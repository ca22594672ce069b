"""A client of a simulated rig is killed, cut off or lied to at a random moment: where do its lines
end?

``python benchmarks/rig_faults.py [RUNS] [--clients 2]`` (default 500, 1). Everything is about the
*simulated rig*, a process of its own, and read from its log: the voltages that were commanded,
before it refuses or clips any, and when lines were grounded. A client arms, programs a tile and
reads it again and again, behind `GuardedRig`, within limits tighter than the rig's. Then, at a
random moment, one of these:

- SIGKILL, SIGTERM or SIGINT to the client;
- the connection is dropped (by a relay between the two, at a random time);
- a reply is corrupted: bytes changed, wrong length, over range, not a number, out of step, none,
  slow.

With two clients another one meddles without pause: it asks, tries to take the rig, to read, to
write, to ground and to let go. Where it gets the rig, as the first one is gone, it reads and lets
go; voltages are held against the limits of whoever owned the rig. It is killed after the first.

Every other simulated rig is *sticky*: it leaves the voltages of a read on its lines until the next
command, as no rig should, so that grounding is left to the client or to the watchdog. Two controls
come last: a sticky rig without a watchdog whose client gets SIGKILL has to end with voltage on its
lines, else the check could not fail; and a client that sends without a guard has to be caught above
the limit.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rig_clients import NAMES, Wire, message, opening

from vsafsm.intervals import wilson
from vsafsm_memristor.rig.errors import RefusedError, RigError
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.protocol import Limits
from vsafsm_memristor.rig.scpi import ScpiRig

ROWS, COLUMNS = 16, 12
V_READ_MAX_V, V_PROGRAM_MAX_V = 0.17, 3.1
"""The user's limits; the rig's own are 0.3 V and 4 V."""
WATCHDOG_MS = 60
SETTLE_S = 4 * WATCHDOG_MS / 1e3
"""The log is judged so long after the client's end, whatever is on the lines before."""
PARALLEL = 8
KILLED = ("SIGKILL", "SIGTERM", "SIGINT")
CORRUPTED = ("garbage", "wrong-length", "over-range", "nan", "stale", "mute", "slow")
KINDS = (*KILLED, "dropped", *CORRUPTED)
CONTROLS = ("control: no watchdog", "control: no guard")


@dataclass(frozen=True)
class Found:
    """What the log of one run says. Voltages in volts, times in milliseconds."""

    seed: int
    kind: str
    sticky: bool
    up_at_fault: bool
    reads: int
    read_v: float
    pulse_v: float
    at_zero: bool
    grounded_by: str
    late_ms: float


class Maps:
    """Conductances for one tile."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.siemens = (rng.uniform(1e-6, 40e-6, (ROWS, COLUMNS)),)
        self.content_hash, self.v_read_v = "rig_faults", 0.15


def run_one(job: tuple[int, str, int]) -> Found:
    """One run, with its own simulated rig."""
    seed, kind, clients = job
    rng = np.random.default_rng([seed, 77])
    sticky = bool(seed % 2) or kind == CONTROLS[0]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "lines.jsonl"
        process, port = _simulator(log, kind, sticky, seed, rng)
        try:
            meddler = _meddler(port, seed) if clients > 1 else None
            moment_ns = _client(kind, port, rng, log)
            if meddler is not None:
                os.kill(meddler, signal.SIGKILL)
                os.waitpid(meddler, 0)
            time.sleep(SETTLE_S)  # a command that was under way may still be carried out
        finally:
            process.terminate()
            process.wait(10)
            assert process.stdout is not None
            process.stdout.close()
        return _judged(
            seed,
            kind,
            sticky,
            moment_ns,
            [json.loads(line) for line in log.read_text().splitlines()],
        )


def _simulator(
    log: Path, kind: str, sticky: bool, seed: int, rng: np.random.Generator
) -> tuple[subprocess.Popen[str], int]:
    options = [
        "--rows",
        ROWS,
        "--columns",
        COLUMNS,
        "--tiles",
        1,
        "--seed",
        seed,
        "--log",
        log,
        "--port",
        0,
    ]
    options += [
        "--watchdog-ms",
        WATCHDOG_MS,
        "--latency-us",
        300,
        "--pulse-us",
        2,
        "--slow-ms",
        1000,
    ]
    options += ["--sticky"] if sticky else []
    options += ["--no-watchdog"] if kind == CONTROLS[0] else []
    if kind in CORRUPTED:  # 7 takes it, 9 programs; grounding may be hit too
        options += ["--fault", f"{kind}@{int(rng.integers(6, 60))}"]
        options += ["--fault", f"{CORRUPTED[int(rng.integers(len(CORRUPTED) - 1))]}:0.02"]
    command = [sys.executable, "-m", "vsafsm_memristor.rig_simulator", *map(str, options)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline().split()[-1])


def _client(kind: str, port: int, rng: np.random.Generator, log: Path) -> int:
    """Fork a client, let it work, and do to it what `kind` says: -> when, in nanoseconds of the
    monotonic clock.
    """
    after_s, child_seed = float(rng.uniform(0.0, 0.12)), int(rng.integers(1 << 30))
    if kind == CONTROLS[0]:
        after_s = 0.3  # among the reads
    relay = _Relay(port) if kind == "dropped" else None
    child = os.fork()  # before the relay's threads
    if child == 0:
        _work(relay.port if relay else port, child_seed, kind)
    moment_ns = 0
    try:
        if relay:
            relay.begin()
        _wait_for_voltage(log, child)
        time.sleep(after_s)
        moment_ns = time.monotonic_ns()
        if relay:
            relay.cut()
        elif kind in (*KILLED, CONTROLS[0]):
            os.kill(child, getattr(signal, kind if kind in KILLED else "SIGKILL"))
        _reap(child)
    finally:
        if relay:
            relay.close()
    return moment_ns


def _work(port: int, seed: int, kind: str) -> None:
    """The client: never returns."""
    code = 3
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        rng = np.random.default_rng(seed)
        rig = ScpiRig(f"TCPIP0::127.0.0.1::{port}::SOCKET", timeout_s=0.25)
        own = rig.identify().limits
        limits = Limits(
            **{**vars(own), "v_read_max_v": V_READ_MAX_V, "v_program_max_v": V_PROGRAM_MAX_V}
        )
        if kind == CONTROLS[1]:
            rig.take(own)
            rig.read(0, np.full(ROWS, 0.29))
            os._exit(0)
        with GuardedRig(rig, limits, allow_no_watchdog=kind == CONTROLS[0]) as guard:
            maps = Maps(rng)
            guard.arm(maps, guard.plan(maps).token)
            guard.program(0, maps.siemens[0])
            for _ in range(2000):
                v = rng.uniform(-1.1, 1.1, ROWS) * V_READ_MAX_V
                with suppress(RefusedError):  # nearly all are above the limit
                    guard.read(0, v)
                guard.read(0, np.clip(v, -V_READ_MAX_V, V_READ_MAX_V))
        code = 0
    except RigError:
        code = 2
    except KeyboardInterrupt:
        code = 130
    finally:
        os._exit(code)


def _meddler(port: int, seed: int) -> int:
    """Fork a second client, which does what it should not: -> its process."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        _wait_for_owner(port)
        while True:
            with suppress(OSError, ValueError):
                _meddle(port, np.random.default_rng([seed, 78]))
    return child


def _wait_for_owner(port: int) -> None:
    while True:
        with suppress(OSError, ValueError):
            wire = Wire(port)
            while b'"owner": null' in wire.ask(message("RIG:STAT?"))[1]:
                time.sleep(0.001)
            return


def _meddle(port: int, rng: np.random.Generator) -> None:
    wire = Wire(port)
    loud = np.full(ROWS, 0.29, "<f8").tobytes()
    g = rng.uniform(1e-6, 40e-6, (ROWS, COLUMNS)).astype("<f8").tobytes()
    asked = (
        *(message("RIG:CAP?"), message("RIG:STAT?"), message("RIG:SAFE"), message("RIG:CLOSE")),
        *(message("RIG:BEAT"), message("RIG:READ?", loud), message("RIG:PROG", g)),
    )
    try:
        while True:
            wire.ask(asked[int(rng.integers(len(asked)))])
            if rng.random() < 0.3 and wire.ask(opening(1, {}))[0]:
                wire.ask(message("RIG:READ?", loud))
                wire.ask(message("RIG:CLOSE"))
    finally:
        wire.close()


class _Relay:
    """Passes bytes on in both directions until it is cut: then it resets both connections, and
    takes no more.
    """

    def __init__(self, port: int) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._target = port
        self._ends: list[socket.socket] = []

    def begin(self) -> None:
        """Take connections from now on."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)

    def cut(self) -> None:
        """Drop everything."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for end in self._ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    close = cut


def _wait_for_voltage(log: Path, child: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end and '"lines"' not in log.read_text():
        time.sleep(0.003)


def _reap(child: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.003)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _judged(
    seed: int, kind: str, sticky: bool, moment_ns: int, events: list[dict[str, object]]
) -> Found:
    volts: dict[str, float] = defaultdict(float)
    reads, up, up_at_fault, grounded_by, last_ns = 0, False, False, "-", 0
    faults = [event for event in events if event["event"] == "fault"]
    if kind in CORRUPTED and faults:
        moment_ns = int(str(faults[0]["t_ns"]))
    for event in events:
        t_ns = int(str(event["t_ns"]))
        if event["event"] == "ground" and event["why"] == "stop":
            break  # that is the end of the simulated rig itself
        if t_ns <= moment_ns:
            up_at_fault = up
        if event["event"] == "lines":
            others = event["owner"] == NAMES[1]
            values = [abs(v) for v in event["v"]]  # type: ignore[attr-defined]
            if not others:
                volts[str(event["kind"])] = max(volts[str(event["kind"])], *values)
            reads += event["kind"] == "read"
            up = any(values)
        elif event["event"] == "ground":
            up, grounded_by, last_ns = False, str(event["why"]), t_ns
    late_ms = max(0.0, (last_ns - moment_ns) / 1e6)
    return Found(
        seed,
        kind,
        sticky,
        up_at_fault,
        reads,
        volts["read"],
        volts["pulse"],
        not up,
        grounded_by,
        late_ms,
    )


def _row(name: str, found: list[Found]) -> str:
    within = sum(f.read_v <= V_READ_MAX_V and f.pulse_v <= V_PROGRAM_MAX_V for f in found)
    ended = sum(f.at_zero for f in found)
    by = defaultdict(int)
    for f in found:
        by[f.grounded_by] += 1
    how = ", ".join(f"{why} {n}" for why, n in sorted(by.items()))
    n = len(found)
    (a, b), (c, d) = wilson(within, n), wilson(ended, n)
    return (
        f"| {name} | {n} | {sum(f.up_at_fault for f in found)} | {within} of {n} ({100 * a:.1f} to"
        f" {100 * b:.1f} %) | {ended} of {n} ({100 * c:.1f} to {100 * d:.1f} %) | {how} |"
        f" {max(f.late_ms for f in found):.0f} |"
    )


def main() -> int:
    """Run, print the table: -> 0 where every run was right and both controls were caught."""
    importlib.import_module("pyvisa_py")  # once, not in every client
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="?", type=int, default=500)
    parser.add_argument("--clients", type=int, choices=(1, 2), default=1)
    args = parser.parse_args()
    runs, clients = args.runs, args.clients
    jobs = [(seed, KINDS[seed // 2 % len(KINDS)], clients) for seed in range(runs)]
    jobs += [(runs + i, control, 1) for i in range(10) for control in CONTROLS]
    began = time.monotonic()
    with ProcessPoolExecutor(PARALLEL) as pool:
        found = list(pool.map(run_one, jobs, chunksize=1))
    print(
        f"simulated rig, {runs} runs with {clients} client(s), user's limits"
        f" {V_READ_MAX_V} V to read and {V_PROGRAM_MAX_V} V to program,"
    )
    print(
        f"watchdog {WATCHDOG_MS} ms, {sum(f.reads for f in found)} reads,"
        f" {time.monotonic() - began:.0f} s\n"
    )
    columns = (
        "what happened",
        "runs",
        "lines up then",
        "never above a limit (95 %)",
        "ended at 0 V (95 %)",
    )
    print(
        "| " + " | ".join((*columns, "last grounded by", "latest, ms")) + " |\n" + "|---" * 7 + "|"
    )
    for kind in (*KINDS, *CONTROLS):
        these = [f for f in found if f.kind == kind]
        if these:
            print(_row(kind, these))
    real = [f for f in found if f.kind in KINDS]
    print(_row("all but the controls", real))
    print(_row("of these, sticky", [f for f in real if f.sticky]))
    print(f"\nlargest voltages commanded: {max(f.read_v for f in real):.6f} V to read, ", end="")
    print(f"{max(f.pulse_v for f in real):.6f} V to program")
    for f in real:
        if not f.at_zero:
            print(f"not at 0 V: {f}")
    right = all(
        f.at_zero and f.read_v <= V_READ_MAX_V and f.pulse_v <= V_PROGRAM_MAX_V for f in real
    )
    caught = all(
        not f.at_zero if f.kind == CONTROLS[0] else f.read_v > V_READ_MAX_V
        for f in found
        if f.kind in CONTROLS
    )
    return 0 if right and caught else 1


if __name__ == "__main__":
    sys.exit(main())
