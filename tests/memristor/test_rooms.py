"""The rooms of the package: imports go one way, and what ``vsafsm --help`` imports is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vsafsm_memristor

ROOT = Path(vsafsm_memristor.__file__).parent
LEAVES = {"errors", "importing"}
MAY_IMPORT = {
    "device": LEAVES,
    "crossbar": {"device", *LEAVES},
    "rig": set(),
    "rig_simulator": set(),
    "adapters": {"device", "crossbar", *LEAVES},
    "backend": {"acceptance", "device", "crossbar", "emit", "emit_layers", *LEAVES},
    "acceptance": {"device", "crossbar", "deploy", *LEAVES},
    "emit": {"device", "crossbar", "tile_files", *LEAVES},
    "emit_layers": {"device", "crossbar", "tile_files", *LEAVES},
    "tile_files": set(),
    "deploy": {"device", "crossbar", "rig", *LEAVES},
    "commands": {"deploy"},
    "errors": set(),
    "importing": {"errors"},
    "__init__": set(),
}
CORE_OF_RIG = {"vsafsm.errors"}


def imports_of(path: Path) -> set[str]:
    """Modules that a file imports, at its top or in a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, path
            found.add(str(node.module))
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files_of(room: str) -> list[Path]:
    folder = ROOT / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [ROOT / f"{room}.py"]


def test_every_file_is_in_a_room() -> None:
    there = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in ROOT.rglob("*.py")}
    assert there == set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_go_one_way(room: str) -> None:
    allowed = MAY_IMPORT[room] | {room}
    for path in files_of(room):
        for name in imports_of(path):
            package, _, rest = name.partition(".")
            if package == "vsafsm_memristor" and rest:
                assert rest.split(".")[0] in allowed, (path, name)


def test_the_rooms_have_no_cycle() -> None:
    done: set[str] = set()
    while len(done) < len(MAY_IMPORT):
        ready = {room for room, others in MAY_IMPORT.items() if room not in done and others <= done}
        assert ready
        done |= ready


def test_a_rig_knows_no_program() -> None:
    for path in files_of("rig"):
        for name in imports_of(path):
            if name.split(".")[0] == "vsafsm":
                assert any(name.startswith(each) for each in CORE_OF_RIG), (path, name)


@pytest.mark.parametrize("command", ["RIG", "YIELD"])
def test_the_commands_are_found_without_what_they_do(command: str) -> None:
    """NumPy and the rest of the package are imported when a command is called."""
    text = (
        f"import sys; from vsafsm_memristor.commands import {command}\n"
        "print(*sorted(name for name in sys.modules if name.split('.')[0] in"
        " ('numpy', 'vsafsm_memristor')))"
    )
    found = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout.split() == ["vsafsm_memristor", "vsafsm_memristor.commands"]
