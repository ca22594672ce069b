"""How long `vsafsm --help` takes, beside a Python that does nothing.

    python benchmarks/startup.py [RUNS]

Both are started in turn, so that a busy machine slows both.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "vsafsm --help": [sys.executable, "-m", "vsafsm", "--help"],
}


def main(runs: int) -> None:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, command in COMMANDS.items():
            begun = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - begun)
    for name, each in times.items():
        print(
            f"{name:16} {statistics.median(each):.3f} s (median of {runs}; {min(each):.3f} to"
            f" {max(each):.3f})"
        )
    nothing, ours = (statistics.median(each) for each in times.values())
    print(f"beyond Python    {ours - nothing:.3f} s, ratio {ours / nothing:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
