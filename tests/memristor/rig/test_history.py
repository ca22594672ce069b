"""What a log says: one of a whole run keeps every rule, and one that was altered breaks the rule
that it should.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from vsafsm_memristor.rig import errors
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.history import check_log, read_history, unverified
from vsafsm_memristor.rig.log import RigLog


@pytest.fixture
def path(memory_rig, maps, limits, tmp_path):
    """A log of a run that went well; a tile is written in slices of five cells."""
    path = tmp_path / "log"
    rig = memory_rig(pulse_s=1.0 / 3 / limits.pulses_per_cell / 5.5)
    with RigLog(path) as log, GuardedRig(rig, log=log) as guarded:
        guarded.arm(maps(), guarded.plan(maps()).token)
        guarded.program(0, maps().siemens[0])
        guarded.read(0, np.full(4, 0.1))
    return path


def entries(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def kept(path):
    return {finding.rule: finding.kept for finding in check_log(read_history(path))}


def test_a_whole_run_keeps_every_rule(path):
    assert set(kept(path).values()) == {True}


def cut_at(event, after=0):
    def change(lines):
        place = [i for i, line in enumerate(lines) if line["event"] == event][after]
        return lines[: place + 1]

    return change


def louder(lines):
    for line in lines:
        if line["event"] == "command" and line["command"] == "read":
            line["v_volts"][2] = 0.31
    return lines


def stronger(lines):
    for line in lines:
        if line["event"] == "command" and line["command"] == "program":
            line["v_max_volts"] = 3.1
    return lines


def without(event):
    return lambda lines: [line for line in lines if line["event"] != event]


def renumbered(lines):
    return [{**line, "n": n} for n, line in enumerate(lines, 1)]


@pytest.mark.parametrize(
    ("change", "rule", "verdict"),
    [
        (cut_at("slice", 1), "each cell that was written was verified", False),
        (cut_at("slice", 1), "the lines were grounded in the end", None),
        (cut_at("command"), "each command has a reply or an error", None),
        (louder, "no read voltage is above its limit", False),
        (stronger, "no programming voltage is above its limit", False),
        (without("plan"), "no entry is missing", False),
        (lambda lines: lines[3:], "no entry is missing", False),
        (lambda lines: renumbered(without("arm")(lines)), "only an armed rig was sent to", False),
        (
            lambda lines: [
                {**line, "confirmed": False} if line["event"] == "safe" else line for line in lines
            ],
            "the lines were grounded in the end",
            False,
        ),
    ],
)
def test_what_was_altered_is_found(path, change, rule, verdict):
    write(path, change(entries(path)))
    assert kept(path)[rule] is verdict


def test_cells_that_were_not_verified_are_named_until_they_are_written_again(path):
    whole = entries(path)
    write(path, cut_at("slice", 1)(whole))
    (cells,) = unverified(read_history(path)).values()
    assert cells.ravel().tolist() == [False] * 5 + [True] * 7
    (finding,) = [f for f in check_log(read_history(path)) if "verified" in f.rule]
    assert finding.detail == (
        "7 cells of tile 0 of rig M-1: row 1 column 2, row 2 columns 0 to 2, row 3 columns 0 to 2"
    )
    cut = entries(path)
    write(path, [*cut, *({**line, "run": "again"} for line in whole)])
    assert kept(path)["each cell that was written was verified"] is True


def test_a_line_that_was_cut_off_is_told_and_the_next_run_begins_a_new_one(path):
    text = path.read_bytes()
    path.write_bytes(text[: text.rindex(b'"event"')])
    assert kept(path)["each line is an entry"] is None
    with RigLog(path) as log:
        log.write("connect", address="x")
    assert entries_that_parse(path)[-1]["event"] == "connect"
    path.write_bytes(b"nonsense\nmore\n" + text)
    assert kept(path)["each line is an entry"] is False


def entries_that_parse(path):
    return [json.loads(line) for line in path.read_bytes().splitlines() if line.endswith(b"}")]


@pytest.mark.parametrize("text", [b"", b"hello\n", b"[1]\n", b"\xff\n", b"[" * 10000])
def test_what_is_no_log(tmp_path, text):
    (tmp_path / "log").write_bytes(text)
    with pytest.raises(errors.LogError, match="no entry of a log"):
        read_history(tmp_path / "log")
    with pytest.raises(errors.LogError, match="cannot read the log"):
        read_history(tmp_path / "none")


def test_entries_about_voltages_are_on_the_disk(memory_rig, maps, tmp_path, monkeypatch):
    synced = []
    path = tmp_path / "log"
    monkeypatch.setattr("os.fsync", lambda file: synced.append(entries(path)[-1]["event"]))
    with RigLog(path) as log, GuardedRig(memory_rig(), log=log) as guarded:
        guarded.arm(maps(), guarded.plan(maps()).token)
        guarded.read(0, np.full(4, 0.1))
    assert synced == ["arm", "command", "safe"]
