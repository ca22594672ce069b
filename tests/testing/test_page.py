"""The page on testing: its test file is run as a reader would, its failing test fails as shown."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vsafsm.cli import main
from vsafsm.testing import machines, words

pytestmark = pytest.mark.usefixtures("usual_tolerances")

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh folder with the page's spec in it, got as the page says."""
    monkeypatch.chdir(tmp_path)
    assert "`vsafsm examples turnstile`" in PAGE
    assert main(["examples", "turnstile"]) == 0
    return tmp_path


def ran(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("VSAFSM_TRIALS", "PYTEST_ADDOPTS")
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def without_numbers(text: str) -> str:
    return re.sub(r"#(, #)+", "#", re.sub(r"\d+(\.\d+)?", "#", text))


@pytest.mark.slow
def test_the_test_file_passes_in_a_fresh_folder(folder: Path) -> None:
    assert '--8<-- "docs/examples/test_my_machine.py"' in PAGE
    shutil.copy(ROOT / "docs" / "examples" / "test_my_machine.py", folder)
    found = ran(folder, "-W", "error")
    assert found.returncode == 0, found.stdout
    assert "7 passed" in found.stdout


@pytest.mark.slow
def test_the_test_file_fails_with_a_machine_that_is_another(folder: Path) -> None:
    shutil.copy(ROOT / "docs" / "examples" / "test_my_machine.py", folder)
    spec = folder / "turnstile.yaml"
    spec.write_text(re.sub(r"initial: locked", "initial: unlocked", spec.read_text()))
    assert "FAILED test_my_machine.py::test_only_a_coin_unlocks_it" in ran(folder).stdout


def test_the_failing_test_fails_as_shown(folder: Path) -> None:
    (folder / "test_small.py").write_text(blocks("python")[0])
    found = ran(folder)
    assert found.returncode == 1
    assert without_numbers(blocks("text")[0]) in without_numbers(found.stdout)


@pytest.mark.parametrize("strategy", [machines, words])
def test_defaults_are_those_of_the_page(strategy: Callable[..., object]) -> None:
    listed = inspect.signature(strategy).parameters.values()
    told = [
        each.name if each.default is each.empty else f"{each.name}={each.default}"
        for each in listed
        if each.kind is each.POSITIONAL_OR_KEYWORD
    ]
    assert f"`{strategy.__name__}({', '.join(told)})`" in PAGE
