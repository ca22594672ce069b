"""The pytest plugin, in processes of its own as a user starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = """
import pytest
from vsafsm import Machine, Transition, compile
from vsafsm.testing import assert_robust

ONE = compile(Machine("one", ("s",), ("a",), "s", ((Transition("s"),),), ((),)))

def test_trials(vsafsm_trials):
    assert assert_robust(ONE, "additive:0").trials == vsafsm_trials == EXPECTED
    assert assert_robust(ONE, "additive:0", trials=2).trials == 2
"""
WITHOUT_HYPOTHESIS = """
from importlib.machinery import PathFinder

found = PathFinder.find_spec

class Without:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name == "hypothesis" else found(name, path, target)

PathFinder.find_spec = Without.find_spec  # which pytest's own finder asks too
"""


def python(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("VSAFSM_TRIALS", "PYTEST_ADDOPTS")
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
    )


def suite(
    folder: Path, text: str, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    (folder / "test_suite.py").write_text(text)
    return python(
        folder, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *arguments, **variables
    )


@pytest.mark.parametrize(
    ("arguments", "variables", "trials"),
    [
        ((), {}, 100),
        (("--vsafsm-trials", "7"), {}, 7),
        ((), {"VSAFSM_TRIALS": "5"}, 5),
        (("--vsafsm-trials=7",), {"VSAFSM_TRIALS": "5"}, 7),
    ],
)
def test_the_option_is_the_number_of_trials(
    arguments: tuple[str, ...], variables: dict[str, str], trials: int, tmp_path: Path
) -> None:
    ran = suite(tmp_path, SUITE.replace("EXPECTED", str(trials)), *arguments, **variables)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


@pytest.mark.parametrize("text", ["0", "-3", "many", "1.5"])
def test_a_number_without_sense_is_a_usage_error(text: str, tmp_path: Path) -> None:
    ran = suite(tmp_path, SUITE, f"--vsafsm-trials={text}")
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "expected a whole number of at least 1" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_environment_is_left_as_it_was(tmp_path: Path) -> None:
    code = (
        "import os, pytest; pytest.main(['--vsafsm-trials=7', '--version']);"
        " print(os.environ['VSAFSM_TRIALS'])"
    )
    assert python(tmp_path, "-c", code, VSAFSM_TRIALS="5").stdout.split()[-1] == "5"


def test_the_option_is_in_the_help(tmp_path: Path) -> None:
    assert "--vsafsm-trials=N" in python(tmp_path, "-m", "pytest", "--help").stdout


def test_a_failure_is_shown_without_the_package_s_own_lines(tmp_path: Path) -> None:
    text = SUITE.replace('"additive:0").trials', '"missing:1").trials')
    ran = suite(tmp_path, text, "--vsafsm-trials=3")
    assert ran.returncode == 1
    assert "one is not robust: 0 of 3 draws of missing:1 are correct" in ran.stdout
    assert "assertion.py" not in ran.stdout.partition("short test summary")[0]


# ---- light, and alone


def test_the_plugin_imports_nothing_that_pytest_has_not(tmp_path: Path) -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import vsafsm_pytest;"
        " print(*set(sys.modules) - before)"
    )
    assert python(tmp_path, "-c", code).stdout.split() == ["vsafsm_pytest"]


def test_pytest_starts_and_asserts_without_hypothesis(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_HYPOTHESIS)
    text = (
        SUITE.replace("EXPECTED", "3")
        + "def test_strategies():\n    with pytest.raises(ImportError, match='hypothesis, .* is not"
        " installed; expected: pip install'):\n        from vsafsm.testing import machines\n   "
        " with pytest.raises(ImportError):\n        import hypothesis\n"
    )
    ran = suite(
        tmp_path, text, "--vsafsm-trials=3", "-p", "no:hypothesispytest", PYTHONPATH=str(tmp_path)
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout


def test_measuring_needs_no_hypothesis_loaded(tmp_path: Path) -> None:
    code = "import sys; from vsafsm.testing import {}; print('hypothesis' in sys.modules)"
    assert python(tmp_path, "-c", code.format("assert_robust")).stdout == "False\n"
    assert python(tmp_path, "-c", code.format("words")).stdout == "True\n"


def test_a_name_that_there_is_not(tmp_path: Path) -> None:
    import vsafsm.testing

    with pytest.raises(AttributeError, match="no attribute"):
        vsafsm.testing.machine  # noqa: B018


def test_the_plugin_can_be_left_out(tmp_path: Path) -> None:
    text = "import sys\n\ndef test_left_out():\n    assert 'vsafsm_pytest' not in sys.modules\n"
    ran = suite(tmp_path, text, "-p", "no:vsafsm")
    assert ran.returncode == 0, ran.stdout + ran.stderr
