"""One writer at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vsafsm import exclusion
from vsafsm.errors import FileError
from vsafsm.exclusion import alone

pytest.importorskip("fcntl", reason="the system has no locks of files")


def count_up(path: Path) -> None:
    """Read a number and write the next one, slowly enough for others to come in between."""
    with alone(path):
        number = int(path.read_text())
        os.sched_yield()
        path.unlink()  # the file is replaced, as atomic writes do
        path.write_text(str(number + 1))


def count_often(path: Path) -> None:
    for _ in range(20):
        count_up(path)


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    path = tmp_path / "number.txt"
    path.write_text("0")
    return path


def test_nothing_is_lost_between_threads(counter: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count_often, [counter] * 4))
    assert counter.read_text() == "80"
    assert list(counter.parent.iterdir()) == [counter]


def test_another_process_is_kept_out(counter: Path) -> None:
    script = f"""
from vsafsm import exclusion
exclusion.PATIENCE_S = 0.0
with exclusion.alone({str(counter)!r}):
    print("inside")
"""
    again = [sys.executable, "-c", script]
    with alone(counter):
        kept_out = subprocess.run(again, capture_output=True, text=True, timeout=60, check=False)
    assert kept_out.returncode != 0
    assert "FileError" in kept_out.stderr
    let_in = subprocess.run(again, capture_output=True, text=True, timeout=60, check=False)
    assert let_in.stdout == "inside\n"


def test_who_holds_it_too_long_is_told(counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exclusion, "PATIENCE_S", 0.0)
    with alone(counter):
        with pytest.raises(FileError, match=r"another process has held .*number\.txt\.lock"):
            count_up(counter)
        assert counter.read_text() == "0"
    count_up(counter)
    assert counter.read_text() == "1"


def test_a_lock_that_was_left_behind_locks_nothing(counter: Path) -> None:
    (counter.parent / ".number.txt.lock").touch()
    count_up(counter)
    assert list(counter.parent.iterdir()) == [counter]


def test_it_is_free_after_an_error(counter: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone(counter):
        raise ZeroDivisionError
    count_up(counter)


def test_a_link_has_the_lock_of_its_file(
    counter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exclusion, "PATIENCE_S", 0.0)
    link = tmp_path / "link.txt"
    link.symlink_to(counter)
    with alone(link), pytest.raises(FileError, match="held"):
        count_up(counter)


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file"), alone(tmp_path / "none" / "a.csv"):
        pass
