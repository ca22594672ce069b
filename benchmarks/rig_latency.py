"""Microseconds a read of the *simulated rig* over TCP, beside the bare round trip of as many bytes.

``python benchmarks/rig_latency.py [READS]`` (default 3000). The bare round trip is a socket of the
standard library against a process that sends back as many bytes as a reply has; then come the
client (PyVISA-py), the guard around it, and the guard with its log. All take turns, so that what
else the computer does meets all alike.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from simulated_rig import simulated_rig

from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.log import RigLog
from vsafsm_memristor.rig.scpi import ScpiRig

SIZES = (64, 128, 256)
COMMAND_BYTES, REPLY_BYTES = 43, 33
"""What a read's messages have besides their blocks."""


def main() -> int:
    """Print the table."""
    reads = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    names = ("bare round trip", "client", "guarded", "guarded, logged")
    print(
        f"simulated rig, {reads} reads each, {os.cpu_count()} cores; microseconds, median (95th"
        " percentile)\n"
    )
    print("| tile | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 1) + "|")
    for size in SIZES:
        with contextlib.ExitStack() as stack:
            calls = _calls(stack, size)
            taken = np.array([[_timed(call) for call in calls] for _ in range(reads)])
        half, most = np.percentile(taken[reads // 10 :], [50, 95], axis=0)
        cells = " | ".join(f"{a:.0f} ({b:.0f})" for a, b in zip(half, most, strict=True))
        print(f"| {size} x {size} | {cells} |", flush=True)
    return 0


def _calls(stack: contextlib.ExitStack, size: int) -> list[Callable[[], object]]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    v = np.where(np.arange(size) % 8 == 0, 0.2, 0.0)
    echo = stack.enter_context(_echo(COMMAND_BYTES + 8 * size, REPLY_BYTES + 8 * size))
    rigs: list[ScpiRig | GuardedRig] = [
        ScpiRig(stack.enter_context(_simulator(size))) for _ in range(3)
    ]
    log = stack.enter_context(RigLog(folder / "log.jsonl"))
    rigs[1:] = [stack.enter_context(_armed(rigs[1])), stack.enter_context(_armed(rigs[2], log))]
    stack.callback(rigs[0].close)
    rigs[0].take(rigs[0].identify().limits)  # type: ignore[union-attr]
    return [echo, *(lambda rig=rig: rig.read(0, v) for rig in rigs)]  # type: ignore[misc]


def _armed(rig: ScpiRig | GuardedRig, log: RigLog | None = None) -> GuardedRig:
    guarded = GuardedRig(rig, log=log)
    limits = guarded.identify().limits

    class Maps:
        siemens = (np.full((limits.rows, limits.columns), 10e-6),)
        content_hash, v_read_v = "latency", 0.2

    guarded.arm(Maps, guarded.plan(Maps).token, written=True)
    return guarded


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - began) / 1e3


@contextlib.contextmanager
def _simulator(size: int) -> Iterator[str]:
    options = [
        "--tiles",
        "1",
        "--rows",
        str(size),
        "--columns",
        str(size),
        "--i-line-max-a",
        "0.01",
    ]
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        yield stack.enter_context(
            simulated_rig(*options, "--log", f"{folder}/lines.jsonl", "--watchdog-ms", 60000)
        )


@contextlib.contextmanager
def _echo(there: int, back: int) -> Iterator[Callable[[], object]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        child = os.fork()
        if child == 0:
            connection, _ = listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(OSError):
                while _received(connection, there):
                    connection.sendall(bytes(back))
            os._exit(0)
        with socket.create_connection(listening.getsockname()) as near:
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def trip() -> object:
                near.sendall(bytes(there))
                return _received(near, back)

            yield trip
        os.waitpid(child, 0)


def _received(connection: socket.socket, count: int) -> bool:
    while count > 0:
        data = connection.recv(count)
        if not data:
            return False
        count -= len(data)
    return True


if __name__ == "__main__":
    sys.exit(main())
