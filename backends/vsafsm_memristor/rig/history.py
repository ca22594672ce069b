"""What a log says, once it is written: whether it is whole, whether limits were kept, where the
lines ended, and which cells were not verified.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vsafsm_memristor.rig.errors import LogError
from vsafsm_memristor.rig.findings import Finding
from vsafsm_memristor.rig.protocol import UNTOUCHED, Bools
from vsafsm_memristor.rig.slices import described

Entry = dict[str, Any]
SHARE = 1e-9
"""Voltages are compared within this share."""


@dataclass
class History:
    """A log, process by process.

    Attributes
    ----------
    runs
        Entries of each process, in their order.
    broken
        Numbers of lines that are no entry, counted from 1.
    """

    runs: list[list[Entry]] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)


def read_history(path: str | Path) -> History:
    """Read a log. Raises `LogError` where it cannot be read, or is no log at all."""
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise LogError(
            f'cannot read the log "{path}": {error.strerror}; expected the log of a rig'
        ) from None
    history, runs = History(), dict[str, list[Entry]]()
    for number, line in enumerate(lines, 1):
        entry = _entry(line)
        if entry is None:
            history.broken.append(number)
        elif entry["run"] in runs:
            runs[entry["run"]].append(entry)
        else:
            runs[entry["run"]] = [entry]
            history.runs.append(runs[entry["run"]])
    if not history.runs:
        raise LogError(f'"{path}" has no entry of a log; expected the log of a rig')
    return history


def check_log(history: History) -> list[Finding]:
    """Hold a log against what every log of a rig promises."""
    return [
        _whole(history),
        _complete(history),
        _within(history, "read"),
        _within(history, "program"),
        _armed(history),
        _answered(history),
        _grounded(history),
        _verified(history),
    ]


def _entry(line: bytes) -> Entry | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("event"), str):
        return None
    return entry if isinstance(entry.get("run"), str) and isinstance(entry.get("n"), int) else None


def _whole(history: History) -> Finding:
    cut = len(history.broken) <= sum(not _has_ended(run) for run in history.runs)
    few = ", ".join(map(str, history.broken[:5]))
    detail = f"{sum(map(len, history.runs))} entries of {len(history.runs)} runs"
    if history.broken:
        detail += f"; cut off or damaged: line {few}"
    return Finding("each line is an entry", None if history.broken and cut else cut, detail)


def _complete(history: History) -> Finding:
    missing = [
        f"after entry {before['n']} of run {before['run']}"
        for run in history.runs
        for before, after in zip([{"n": 0, "run": run[0]["run"]}, *run], run, strict=False)
        if after["n"] != before["n"] + 1
    ]
    return Finding("no entry is missing", not missing, missing[0] if missing else "none")


def _within(history: History, command: str) -> Finding:
    limit, name = (
        ("v_read_max_v", "v_volts")
        if command == "read"
        else (
            "v_program_max_v",
            "v_max_volts",
        )
    )
    largest, wrong = 0.0, ""
    for run in history.runs:
        most = 0.0
        for entry in run:
            if entry["event"] == "open":
                most = float(entry["limits"][limit])
            elif entry["event"] == "command" and entry.get("command") == command:
                volts = float(np.abs(np.asarray(entry[name], np.float64)).max())
                largest = max(largest, volts)
                if not volts <= most * (1 + SHARE):
                    wrong = f"{volts:g} V in entry {entry['n']} of run {run[0]['run']}"
    what = "read" if command == "read" else "programming"
    return Finding(f"no {what} voltage is above its limit", not wrong, wrong or f"{largest:g} V")


def _armed(history: History) -> Finding:
    for run in history.runs:
        armed = False
        for entry in run:
            armed = armed or entry["event"] == "arm"
            if entry["event"] == "command" and not armed:
                return Finding("only an armed rig was sent to", False, f"entry {entry['n']}")
    return Finding("only an armed rig was sent to", True, f"{len(history.runs)} runs")


def _answered(history: History) -> Finding:
    sent = answered = failed = 0
    for run in history.runs:
        for entry, after in zip(run, [*run[1:], {"event": "end"}], strict=True):
            sent += entry["event"] == "command"
            answered += entry["event"] == "reply" and entry.get("command") != "slice"
            failed += entry["event"] in ("command", "slice") and after["event"] in (
                *("error", "signal"),
            )
    lost = sent - answered - failed
    return Finding(
        "each command has a reply or an error",
        True if lost <= 0 else None,
        f"{answered} of {sent}, {failed} failed" + (f", {lost} without" if lost > 0 else ""),
    )


def _has_ended(run: list[Entry]) -> bool:
    return str(run[-1]["event"]) == "close"


def _grounded(history: History) -> Finding:
    left = []
    for run in history.runs:
        last = next((e for e in reversed(run) if e["event"] in ("command", "slice", "safe")), None)
        if last is None or (last["event"] == "safe" and last["confirmed"]):
            continue
        if last["event"] == "safe":
            rule, detail = "the lines were grounded in the end", f"not confirmed, run {last['run']}"
            return Finding(rule, False, detail)
        left.append(str(run[0]["run"]))
    detail = f"run {left[0]} was killed: left to the rig's watchdog" if left else "confirmed"
    return Finding("the lines were grounded in the end", None if left else True, detail)


def _verified(history: History) -> Finding:
    left = {key: cells for key, cells in unverified(history).items() if cells.any()}
    told = [
        f"{int(cells.sum())} cells of tile {tile} of rig {serial}: {described(cells)}"
        for (serial, tile), cells in left.items()
    ]
    return Finding("each cell that was written was verified", not told, "; ".join(told) or "each")


def unverified(history: History) -> dict[tuple[str, int], Bools]:
    """Cells of writes that were cut off and were not written since, by serial and tile."""
    found: dict[tuple[str, int], Bools] = {}
    for run in history.runs:
        serial = ""
        for entry, pending in _writes(run):
            if entry["event"] == "open":
                serial = str(entry["serial"])
                continue
            key = (serial, int(entry["tile"]))
            touched = np.asarray(entry["g_siemens"], np.float64) != UNTOUCHED
            found[key] = (found.get(key, np.zeros_like(touched)) & ~touched) | pending
    return found


def _writes(run: list[Entry]) -> Iterator[tuple[Entry, Bools]]:
    """Each opening, and each write with the cells of it that nobody has verified."""
    write: Entry | None = None
    pending: Bools = np.zeros((0, 0), np.bool_)
    slices: dict[int, list[list[int]]] = {}
    for entry in [*run, {"event": "end"}]:
        if entry["event"] in ("command", "end", "open") and write is not None:
            yield write, pending
            write = None
        if entry["event"] == "open":
            yield entry, pending
        elif entry["event"] == "command" and entry.get("command") == "program":
            write, slices = entry, {}
            pending = np.asarray(entry["g_siemens"], np.float64) != UNTOUCHED
        elif entry["event"] == "slice":
            slices[entry["slice"]] = entry["cells"]
        elif entry["event"] == "reply" and entry.get("command") == "slice":
            for row, first, last in slices[entry["slice"]]:
                pending[row, first : last + 1] = False
        elif entry["event"] == "reply" and entry.get("command") == "program":
            pending = np.zeros_like(pending)
