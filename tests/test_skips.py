"""Which tests may be skipped: where VSAFSM_MAY_SKIP is set, only those whose reason it names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
SKIPS = {
    "mark": """
import pytest

@pytest.mark.skipif(True, reason="Peer is not installed")
def test_one(): ...
""",
    "call": """
import pytest

def test_one():
    pytest.importorskip("peer_of_no_one", reason="Peer is not installed")
""",
    "module": """
import pytest

pytest.importorskip("peer_of_no_one", reason="Peer is not installed")
""",
    "expected failure": """
import pytest

@pytest.mark.xfail(reason="known")
def test_one():
    assert False
""",
}


def ended(text: str, may_skip: str | None, folder: Path) -> tuple[bool, str]:
    """Whether the suite fails, and what it prints."""
    (folder / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_suite.py").write_text(text)
    variables = {name: value for name, value in os.environ.items() if name != "VSAFSM_MAY_SKIP"}
    if may_skip is not None:
        variables["VSAFSM_MAY_SKIP"] = may_skip
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
    )
    # pytest ends with 5 where a module that is skipped has the only tests.
    assert ran.returncode in (0, 1, 2, 5), ran.stderr
    return ran.returncode in (1, 2), ran.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "may_skip", "fails"),
    [
        ("mark", None, False),
        ("mark", "", True),
        ("mark", "Another,Peer", False),
        ("call", "Another", True),
        ("call", "Peer is", False),
        ("module", "Another", True),
        ("module", "Peer", False),
        ("expected failure", "", False),
    ],
)
def test_a_skip_that_is_not_named_fails(
    kind: str, may_skip: str | None, fails: bool, tmp_path: Path
) -> None:
    failed, printed = ended(SKIPS[kind], may_skip, tmp_path)
    assert failed == fails
    assert ("Peer is not installed; VSAFSM_MAY_SKIP=" in printed) == fails
