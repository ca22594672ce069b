"""The page on NIR says what is there: its commands, outputs, keys and nodes."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from vsafsm.cli import main
from vsafsm.program import Program
from vsafsm_nir.backend import BACKEND, OPTIONS
from vsafsm_nir.graph import METADATA

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "nir.md").read_text(encoding="utf-8")
Capture = pytest.CaptureFixture[str]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    return [shlex.split(line[2:]) for line in "".join(blocks("console")).splitlines()]


def keys(heading: str) -> list[str]:
    """Names in the first column of the last table under a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section.rpartition("|---|")[2], re.MULTILINE)
    return [name for row in rows for name in re.findall("`(.+?)`", row)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def without_numbers(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def test_its_commands_print_what_it_shows(folder: Path, capsys: Capture) -> None:
    ours = [command for command in commands() if command[0] == "vsafsm"]
    assert len(ours) == 2
    for command in ours:
        assert main(command[1:]) == 0
    assert without_numbers(capsys.readouterr().out) == without_numbers(blocks("text")[0])
    assert (folder / "turnstile.nir").is_file()


@pytest.mark.slow
@pytest.mark.skipif(find_spec("snntorch") is None, reason="snnTorch is not installed")
def test_snntorch_prints_what_it_shows(folder: Path) -> None:
    (command,) = (command for command in commands() if command[0] == "python")
    assert main(["emit", "specs/turnstile.yaml", "--to", "nir", "-o", "turnstile.nir"]) == 0
    ran = subprocess.run([sys.executable, *command[1:]], capture_output=True, text=True, check=True)
    assert ran.stdout == blocks("text")[1]


def test_its_snippet_prints_what_it_shows(folder: Path, capsys: Capture) -> None:
    (snippet,) = blocks("python")
    exec(compile(snippet, "nir.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == blocks("text")[-1]


def test_its_tables_name_every_option_node_and_key(program: Program) -> None:
    graph = BACKEND.graph(program)
    assert {option.name for option in OPTIONS} == {"dt_s"}
    assert "| `dt_s` | s | 1e-4 |" in PAGE
    assert keys("Driving the graph") == list(json.loads(graph.metadata[METADATA]))
    inner = {f"fsm.{name}" for name in graph.nodes["fsm"].nodes}
    shown = {name for name in keys("The graph") if "=" not in name}
    assert shown == (set(graph.nodes) | inner) - {"input", "output", "fsm.input", "fsm.output"}
