"""Where draws are measured: a real Dask scheduler with two worker processes, one of which is killed
mid-way.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from vsafsm.errors import ClusterError
from vsafsm.sweeps.executors import Chunk, Found, cluster, processes
from vsafsm.sweeps.plan import Plan, Subject, Trials
from vsafsm.sweeps.rows import Row
from vsafsm.sweeps.run import measure

pytest.importorskip("distributed")
Measured = Callable[..., list[Row]]
START_S, END_S = 60, 10


@contextmanager
def started(*arguments: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running_cluster(
    folder: Path, count: int = 2
) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and workers of one thread each: -> (address, workers)."""
    told = folder / "scheduler.json"
    scheduler = (
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
    )
    worker = (
        "distributed.cli.dask_worker",
        "--scheduler-file",
        str(told),
        "--nthreads",
        "1",
        "--no-dashboard",
    )
    with ExitStack() as stack:
        stack.enter_context(started(*scheduler, "--scheduler-file", str(told), folder=folder))
        waited(told.exists)
        workers = [
            stack.enter_context(started(*worker, "--no-nanny", folder=folder)) for _ in range(count)
        ]
        address = json.loads(told.read_text())["address"]
        waited(lambda: threads_at(address) == count)
        yield address, workers


def threads_at(address: str) -> int:
    import distributed

    with distributed.Client(address, timeout=START_S, set_as_default=False) as client:
        return sum(client.nthreads().values())


def waited(until: Callable[[], object]) -> None:
    end = time.monotonic() + START_S
    while not until():
        assert time.monotonic() < end, "it does not start"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_that_loses_a_worker_loses_nothing(
    plan: Plan, measured: Measured, tmp_path: Path
) -> None:
    longer = replace(plan, trials=Trials(most=300, width=0.0, words=3, length=6))
    expected = measured(longer, tmp_path / "serial.csv")
    with running_cluster(tmp_path) as (address, workers):
        killed = Killing(workers[0], after=20)

        def execute(subjects: Sequence[Subject], trials: Trials, chunks: Iterator[Chunk]) -> Found:
            return killed.while_(cluster(address)(subjects, trials, chunks))

        assert measured(longer, tmp_path / "cluster.csv", execute) == expected
        assert workers[0].wait(END_S) == -signal.SIGKILL
        assert killed.left > 60
        assert threads_at(address) == 1


class Killing:
    """Kills a process after some chunks have come in, and counts those that come later."""

    def __init__(self, process: subprocess.Popen[bytes], after: int) -> None:
        self.process, self.after, self.left = process, after, 0

    def while_(self, found: Found) -> Found:
        for n, each in enumerate(found):
            if n == self.after:
                self.process.kill()
            self.left += n > self.after
            yield each


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_that_is_lost_is_told_and_what_was_measured_is_kept(
    plan: Plan, measured: Measured, tmp_path: Path, rows: list[Row]
) -> None:
    from vsafsm.sweeps.journal import Journal

    table = tmp_path / "t.csv"
    with running_cluster(tmp_path) as (address, _):

        def execute(subjects: Sequence[Subject], trials: Trials, chunks: Iterator[Chunk]) -> Found:
            for n, each in enumerate(cluster(address)(subjects, trials, chunks)):
                yield each
                if n == 5:
                    subprocess.run(
                        ["pkill", "-9", "-f", str(tmp_path / "scheduler.json")], check=True
                    )

        with Journal(table, plan.described()) as journal:
            with pytest.raises(ClusterError, match="cannot go on"):
                measure(plan, journal, execute)
            assert sum(map(len, journal.kept.values())) >= 50
    assert measured(plan, table) == rows


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "127.0.0.1:9"])
def test_a_scheduler_that_does_not_answer_is_told(
    plan: Plan, measured: Measured, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsafsm.clusters.WAIT_S", 1)
    with pytest.raises(ClusterError, match=f'no scheduler answers at "{address}"'):
        measured(plan, tmp_path / "t.csv", cluster(address))


@pytest.mark.parametrize(
    "address", ["", "x", "tcp://x", "nonsense://x:1", "tcp://127.0.0.1:port", "x:99999", "[::1"]
)
def test_nobody_is_asked_at_what_is_no_address(
    plan: Plan, measured: Measured, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("distributed.Client", None)
    with pytest.raises(ClusterError, match=r"is no address of a scheduler; expected HOST:PORT"):
        measured(plan, tmp_path / "t.csv", cluster(address))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_scheduler_without_workers_is_told(
    plan: Plan, measured: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsafsm.clusters.WAIT_S", 2)
    with (
        running_cluster(tmp_path, 0) as (address, _),
        pytest.raises(ClusterError, match="has no workers"),
    ):
        measured(plan, tmp_path / "t.csv", cluster(address))


@pytest.mark.parametrize(
    ("name", "execute"), [("joblib", lambda: processes(2)), ("distributed", lambda: cluster("x"))]
)
def test_a_library_that_is_missing_is_told(
    name: str, execute: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ClusterError, match=rf"{name}, which .* pip install 'vsafsm\[sweep\]'"):
        execute()
