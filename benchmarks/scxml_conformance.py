"""The W3C's conformance tests of SCXML: which pass, and why the others are left out.

The tests are charts that run by themselves to the final state ``pass`` or ``fail``. They are not
part of this repository: python-statemachine has them, with Python for expressions, in
``tests/scxml/w3c``.

Usage: python benchmarks/scxml_conformance.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from vsafsm.errors import SpecError
from vsafsm.formats.scxml import scxml_chart
from vsafsm.statecharts import Interpreter

MOST_TICKS = 1000


def main(folder: Path) -> None:
    """Print the tests by number."""
    outcomes: dict[str, list[str]] = {"pass": [], "fail": []}
    for path in sorted(folder.rglob("test*.scxml")):
        if "sub" in path.stem or "-fail" in path.stem:
            continue  # a machine that another test invokes
        number = path.stem.removeprefix("test")
        try:
            outcomes[outcome(path)].append(number)
        except SpecError as error:
            print(f"{number} is left out: {error.message}")
    for name, numbers in outcomes.items():
        print(f"{name} {len(numbers)}: {' '.join(numbers)}")


def outcome(path: Path) -> str:
    """``"pass"`` or ``"fail"``."""
    run = Interpreter(scxml_chart(path.read_text(encoding="utf-8-sig"), path.name))
    for _ in range(MOST_TICKS):
        if run.ended or not run.chart.durations:
            break
        run.send(run.chart.tick)
    return "pass" if "pass" in run.configuration else "fail"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
