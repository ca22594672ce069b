"""The simulated rig in a process of its own, for benchmarks."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def simulated_rig(*options: object) -> Iterator[str]:
    """Start one with these options: -> its address; it ends with the block."""
    command = [
        sys.executable,
        "-m",
        "vsafsm_memristor.rig_simulator",
        "--port",
        "0",
        *map(str, options),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line:
            raise RuntimeError("the simulated rig did not start")
        yield f"TCPIP0::127.0.0.1::{line.split()[-1]}::SOCKET"
    finally:
        process.terminate()
        process.wait(10)
