"""Memory is looked at before it is taken."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vsafsm import memory
from vsafsm.errors import CompileError


def test_there_is_some(monkeypatch: pytest.MonkeyPatch) -> None:
    most = memory.most_memory()
    assert most is None or most > 2**26


def test_what_needs_more_is_told_with_both_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "most_memory", lambda: 2**31)
    memory.check_memory(2**31, "a proof", "less")
    with pytest.raises(CompileError, match=r"a proof needs about 3 GiB .* 2 GiB; expected less"):
        memory.check_memory(3 * 2**30, "a proof", "less")
    monkeypatch.setattr(memory, "most_memory", lambda: None)
    memory.check_memory(2**60, "a proof", "less")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
def test_a_limit_of_the_process_counts() -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31));"
        "from vsafsm.memory import most_memory; print(most_memory())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 2**31
