"""Machines drawn by Graphviz: the graph is the machine, any name is shown as it is, and what goes
wrong is said.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import errors as e
from vsafsm.cli import main
from vsafsm.machine import Machine, Transition
from vsafsm.plotting import graphviz
from vsafsm.plotting.graphviz import graph_of, render

SPECS = Path(__file__).parents[2] / "specs"
TURNSTILE = str(SPECS / "turnstile.yaml")
needs_dot = pytest.mark.skipif(not graphviz.is_there(), reason="Graphviz is not installed")


def test_the_graph_has_the_states_and_an_arrow_for_each_pair_that_is_joined() -> None:
    machine = vsafsm.load(SPECS / "elevator.yaml")
    text = graph_of(machine, "at_1")
    pairs = {(s, machine.transition(s, a).to) for s in machine.reachable for a in machine.inputs}
    assert text.count(" -> ") == len(pairs)
    assert text.count("peripheries=2") == 1
    (lit,) = re.findall(r'label="(.*?)".*#ffe2a8', text)
    assert lit.startswith("at_1")


@needs_dot
@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12))
@settings(deadline=None, max_examples=25)
def test_any_name_is_text_for_graphviz(name: str) -> None:
    machine = Machine("m", (name,), (name,), name, ((Transition(name, (name,)),),), ((name,),))
    ran = subprocess.run(
        ["dot", "-Tplain"], input=graph_of(machine).encode(), capture_output=True, check=True
    )
    assert ran.stdout.decode().count("\nnode ") == 1
    assert not ran.stderr


@needs_dot
@pytest.mark.parametrize(
    ("suffix", "start"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")]
)
def test_a_machine_is_drawn(suffix: str, start: bytes, tmp_path: Path) -> None:
    output = tmp_path / f"m{suffix}"
    assert main(["draw", TURNSTILE, "--graphviz", "--state", "unlocked", "-o", str(output)]) == 0
    assert output.read_bytes().startswith(start)


def test_without_graphviz_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert main(["draw", TURNSTILE, "--graphviz", "-o", str(tmp_path / "m.svg")]) == 2
    assert "Graphviz is not installed" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("script", ["exit 3", "exec sleep 20"])
def test_a_graphviz_that_fails_or_hangs_is_told_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    program = tmp_path / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    monkeypatch.setattr(graphviz, "SECONDS", 1)
    with pytest.raises(e.PlotError, match="Graphviz"):
        render(vsafsm.load(TURNSTILE), ".svg")
