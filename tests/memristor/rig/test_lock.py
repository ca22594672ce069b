"""Locks of ports: who holds them, and what may stand in the place of their files."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from vsafsm_memristor.rig.errors import BusyError, RefusedError
from vsafsm_memristor.rig.lock import PortLock


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """Of the file of the lock "p"."""
    monkeypatch.setattr("vsafsm_memristor.rig.lock.FOLDER", tmp_path)
    return tmp_path / "vsafsm-p.lock"


def _link(place: Path, other: Path) -> None:
    other.write_text("kept")
    place.symlink_to(other)


def _dangling(place: Path, other: Path) -> None:
    place.symlink_to(other)


def _second_name(place: Path, other: Path) -> None:
    other.write_text("kept")
    os.link(other, place)


@pytest.mark.parametrize(
    "put",
    [
        _link,
        _dangling,
        _second_name,
        lambda place, other: place.mkdir(),
        lambda place, other: os.mkfifo(place),
    ],
    ids=["link", "dangling link", "second name", "folder", "pipe"],
)
def test_what_stands_in_the_place_of_the_file_is_left_alone(place, put):
    other = place.with_name("other")
    put(place, other)
    before = other.exists()
    for call in (PortLock("p").take, PortLock("p").status):
        with pytest.raises(RefusedError, match=r"p cannot be locked.*expected no file there"):
            call()
    assert other.exists() == before
    assert not before or other.read_text() == "kept"


def test_all_users_can_lock_a_port_that_one_has_used(place):
    lock, before = PortLock("p"), os.umask(0o077)
    try:
        lock.take()
    finally:
        os.umask(before)
        lock.release()
    assert stat.S_IMODE(place.stat().st_mode) == 0o666


def test_a_look_at_the_lock_keeps_nobody_out(place):
    lock = PortLock("p")
    lock.take()
    lock.release()
    with place.open() as looker:
        fcntl.flock(looker, fcntl.LOCK_SH)
        timer = threading.Timer(0.05, lambda: fcntl.flock(looker, fcntl.LOCK_UN))
        timer.start()
        lock.take()
        timer.join()
    assert lock.mine
    lock.release()


def test_a_lock_is_of_one_at_a_time(place):
    one, other = PortLock("p"), PortLock("p")
    assert other.status().owner is None
    one.take()
    assert other.status().owner == f"process {os.getpid()}"
    start = time.monotonic()
    with pytest.raises(BusyError, match=f"owned by process {os.getpid()}; expected"):
        other.take()
    assert time.monotonic() - start < 5
    one.release()
    assert place.read_bytes() == b""  # nobody is told the number of a process that has gone
    other.take()
    assert other.mine
    other.release()


@pytest.mark.parametrize("text", ["", "process 12\x1b[2J", "process 1234 of mine", "x" * 1000])
def test_text_that_another_wrote_into_the_file_is_not_told(place, text):
    one, other = PortLock("p"), PortLock("p")
    one.take()
    place.write_text(text)
    assert other.status().owner == "another process"
    with pytest.raises(BusyError, match="owned by another process; expected"):
        other.take()
    one.release()
