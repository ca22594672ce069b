"""The room imports no backend, and the libraries of its extra only when they are used."""

from __future__ import annotations

import ast
import doctest
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import vsafsm.sense

ROOT = Path(vsafsm.sense.__file__).parent
MODULES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    for path in ROOT.rglob("*.py")
    if path.stem != "__init__"
)
KNOWN = {"matplotlib", "numpy", "vsafsm"}


@pytest.mark.parametrize("name", MODULES)
def test_imports_are_of_the_core_and_numpy(name: str) -> None:
    found = set()
    for node in ast.walk(
        ast.parse((ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8"))
    ):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
    assert found <= KNOWN | set(sys.stdlib_module_names)


def test_importing_it_imports_neither_torch_nor_optuna() -> None:
    imports = "; ".join(f"import vsafsm.sense.{name}" for name in MODULES)
    code = (
        f"import sys; {imports}; print(*({{'torch', 'optuna', 'matplotlib'}} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout.split() == []


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    assert doctest.testmod(import_module(f"vsafsm.sense.{name}")).failed == 0
