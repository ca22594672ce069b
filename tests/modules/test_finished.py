"""What is done is kept: the same bytes whether interrupted or not, and wherever it ran."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import distributed
import pytest

import vsafsm
from vsafsm.errors import ClusterError, CodebookError, FileError
from vsafsm.machine import Machine
from vsafsm.modules import builder


@pytest.fixture(scope="module")
def machine(random_machines_of_modules: Any) -> Machine:
    found: Machine = random_machines_of_modules(60, 2, 5)
    return found


@pytest.fixture(scope="module")
def expected(machine: Machine) -> bytes:
    return vsafsm.compile(machine, layout="modules").to_bytes()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_what_is_done_is_not_done_again(
    machine: Machine, expected: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = vsafsm.compile(machine, layout="modules", resume=tmp_path)
    assert first.to_bytes() == expected
    there = files(tmp_path)
    assert len(there) == 2 * first.network.modules

    def fails(*arguments: Any) -> Any:
        raise AssertionError("a module was made again")

    monkeypatch.setattr(builder, "refine_inside", fails)
    monkeypatch.setattr(builder, "send", fails)
    assert vsafsm.compile(machine, layout="modules", resume=tmp_path).to_bytes() == expected
    assert files(tmp_path) == there


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", None])
def test_damaged_modules_are_made_again(
    machine: Machine, expected: bytes, tmp_path: Path, damage: bytes | None
) -> None:
    vsafsm.compile(machine, layout="modules", resume=tmp_path)
    for path in files(tmp_path)[::2]:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data) if damage is None else damage)
    assert vsafsm.compile(machine, layout="modules", resume=tmp_path).to_bytes() == expected


def test_other_options_and_machines_have_modules_of_their_own(
    machine: Machine, expected: bytes, tmp_path: Path, random_machines_of_modules: Any
) -> None:
    vsafsm.compile(machine, layout="modules", seed=1, resume=tmp_path)
    vsafsm.compile(random_machines_of_modules(60, 2, 6), layout="modules", resume=tmp_path)
    assert vsafsm.compile(machine, layout="modules", resume=tmp_path).to_bytes() == expected
    assert len(list(tmp_path.iterdir())) == 3


def test_a_folder_that_cannot_be_made_is_told(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot make the folder"):
        vsafsm.compile(machine, layout="modules", resume=tmp_path / "file")


def test_a_compilation_that_is_killed_goes_on(
    machine: Machine, expected: bytes, tmp_path: Path
) -> None:
    """Killed after some modules: nothing half-written is left, and the rest gives the same
    bytes.
    """
    vsafsm.save(machine, tmp_path / "m.yaml")
    kept, out = tmp_path / "kept", tmp_path / "m.npz"
    command = [sys.executable, "-m", "vsafsm", "compile", str(tmp_path / "m.yaml")]
    command += ["--layout", "modules", "--resume", str(kept), "-o", str(out)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None and len(files(kept)) < 2:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    assert not out.exists()
    assert len(files(kept)) >= 2
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"wrote {out}" in done.stdout
    assert vsafsm.load_program(out).network.blocks.tobytes() in expected


def test_processes_give_the_same_bytes(machine: Machine, expected: bytes, tmp_path: Path) -> None:
    assert vsafsm.compile(machine, layout="modules", jobs=2).to_bytes() == expected


def test_a_cluster_gives_the_same_bytes(machine: Machine, expected: bytes) -> None:
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        found = vsafsm.compile(machine, layout="modules", scheduler=address)
        # What a module itself says is no fault of the cluster.
        with pytest.raises(CodebookError, match="more than there are"):
            vsafsm.compile(
                machine, layout="modules", scheduler=address, module_neurons=16, active=32
            )
    assert found.to_bytes() == expected


def test_a_scheduler_that_is_not_there_is_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsafsm.clusters.WAIT_S", 1)
    with pytest.raises(ClusterError, match="no scheduler answers"):
        vsafsm.compile(machine, layout="modules", scheduler="tcp://127.0.0.1:9")
