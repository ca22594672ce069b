"""A plan with every kind of setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsafsm.recipes.plan import Plan, read_plan

TEXT = """\
settings:
  salt: {kind: categorical, values: [iodide, bromide]}
  length: {kind: integer, low: 20, high: 100}
  minutes: {kind: log, low: 1, high: 100}
  molar: {kind: continuous, low: 0.1, high: 2}
objective: {column: on_off, goal: maximise}
"""
TABLE = "salt,note,length,minutes,molar,on_off\niodide,first,40,10,1,5\nbromide,,60,2.5,.2,\n"


@pytest.fixture
def plan() -> Plan:
    """Four settings, and a column to be made large."""
    return read_plan(TEXT, "plan.yaml")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a plan and a table, as the current one."""
    monkeypatch.chdir(tmp_path)
    Path("fab.yaml").write_text(TEXT, encoding="utf-8")
    Path("fab.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path
