"""Graphviz draws what it is given, and what goes wrong is said."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from vsafsm import errors as e
from vsafsm.plotting import graphviz
from vsafsm.plotting.graphviz import rendered

needs_dot = pytest.mark.skipif(not graphviz.is_there(), reason="Graphviz is not installed")


@needs_dot
@pytest.mark.parametrize(
    ("suffix", "start"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")]
)
def test_a_text_is_drawn(suffix: str, start: bytes) -> None:
    assert rendered("digraph { a -> b; }", suffix).startswith(start)


@needs_dot
def test_a_pdf_has_the_same_bytes_at_any_time_and_place(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = rendered("digraph { a -> b; }", ".pdf")
    time.sleep(1.1)
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    assert rendered("digraph { a -> b; }", ".pdf") == drawn


def test_without_graphviz_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(e.PlotError, match="Graphviz is not installed"):
        rendered("digraph {}", ".svg")


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
        rendered("digraph {}", ".svg")
