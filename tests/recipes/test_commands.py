"""``vsafsm recipe ask`` and ``tell``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from vsafsm.cli import main

from .conftest import TABLE

Capture = pytest.CaptureFixture[str]


def test_what_is_suggested_can_be_told(folder: Path, capsys: Capture) -> None:
    pytest.importorskip("optuna", reason="optuna is not installed")
    pytest.importorskip("torch", reason="torch is not installed")
    assert main(["recipe", "ask", "fab.csv", "--count", "2"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("2 trials, 1 measured\nbest: line 2, 5\n")
    lines = [line for line in printed.splitlines() if line.startswith("vsafsm recipe tell")]
    for line in lines:
        assert main(shlex.split(line.replace("on_off=...", "on_off=7"))[1:]) == 0
    assert capsys.readouterr().out == "line 4 of fab.csv\nline 5 of fab.csv\n"
    assert main(["recipe", "ask", "fab.csv", "--json", "--picture", "p.svg"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["trials"] == 4
    assert found["best"]["value"] == 7
    assert set(found["settings"][0]) == {"salt", "length", "minutes", "molar"}
    assert b"<svg" in Path("p.svg").read_bytes()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ask fab.txt", "ends in .csv"),
        ("ask none.csv", "none.yaml"),
        ("ask fab.csv --count 0", "--count"),
        ("ask fab.csv --picture p.txt", "ends in .png"),
        ("tell fab.csv salt", "expected COLUMN=VALUE"),
        ("tell fab.csv salt=iodide salt=bromide", "given twice"),
        ("tell fab.csv salt=iodide length=50 minutes=3", "molar is not given"),
        ("tell fab.csv slat=iodide", 'did you mean "salt"'),
    ],
)
def test_bad_input_is_refused_and_nothing_written(
    line: str, message: str, folder: Path, capsys: Capture
) -> None:
    assert main(["recipe", *line.split()]) == 2
    assert message in capsys.readouterr().err
    assert Path("fab.csv").read_text(encoding="utf-8") == TABLE
    assert sorted(each.name for each in folder.iterdir()) == ["fab.csv", "fab.yaml"]


def test_telling_needs_neither_torch_nor_optuna(folder: Path, capsys: Capture) -> None:
    line = "tell fab.csv salt=bromide length=50 minutes=3 molar=1"
    assert main(["recipe", *line.split()]) == 0
    assert Path("fab.csv").read_text(encoding="utf-8") == f"{TABLE}bromide,,50,3,1,\n"
