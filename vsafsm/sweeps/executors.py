"""Where draws are measured: here, in processes of this machine (joblib), or on a cluster (Dask)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from vsafsm.clusters import client_of, imported, lost, workers_of
from vsafsm.noise import Noise
from vsafsm.sweeps.plan import Subject, Trials
from vsafsm.sweeps.trial import Outcome, outcomes


@dataclass(frozen=True)
class Chunk:
    """Draws of one point that are measured together."""

    point: int
    subject: int
    noise: Noise
    numbers: tuple[int, ...]


Found = Iterator[tuple[Chunk, list[Outcome]]]
Executor = Callable[[Sequence[Subject], Trials, Iterator[Chunk]], Found]
"""Measures chunks, which are taken from the iterator one by one as they can be worked on; results
in any order.
"""


def serial(subjects: Sequence[Subject], trials: Trials, chunks: Iterator[Chunk]) -> Found:
    """One after the other, in this process."""
    for chunk in chunks:
        yield chunk, outcomes(subjects[chunk.subject], chunk.noise, trials, chunk.numbers)


def processes(jobs: int) -> Executor:
    """In so many processes. Raises `ClusterError` where joblib is not installed."""
    joblib = imported("joblib")

    def execute(subjects: Sequence[Subject], trials: Trials, chunks: Iterator[Chunk]) -> Found:
        call = joblib.delayed(_measured)
        parallel = joblib.Parallel(
            jobs, return_as="generator_unordered", pre_dispatch=2 * jobs, batch_size=1
        )
        found: Found = parallel(call(subjects[chunk.subject], chunk, trials) for chunk in chunks)
        return found

    return execute


def _measured(subject: Subject, chunk: Chunk, trials: Trials) -> tuple[Chunk, list[Outcome]]:
    return chunk, outcomes(subject, chunk.noise, trials, chunk.numbers)


# ---- a cluster


def cluster(address: str) -> Executor:
    """On the workers of a Dask scheduler, such as ``tcp://127.0.0.1:8786``.

    A chunk whose worker is lost is measured again on another, a few times.

    Raises
    ------
    ClusterError
        If distributed is not installed or the scheduler does not answer; later, if it is lost, or
        workers are again and again. What has been measured by then is kept.
    """
    distributed = imported("distributed")
    return partial(_on_cluster, distributed, address)


def _on_cluster(
    distributed: Any,
    address: str,
    subjects: Sequence[Subject],
    trials: Trials,
    chunks: Iterator[Chunk],
) -> Found:
    with client_of(distributed, address) as client:
        workers = workers_of(client, address)
        # Subjects are tasks of their own: when a worker is lost, another makes again what it had.
        there: Mapping[int, Any] = {
            i: client.submit(_itself, subject, key=f"vsafsm-{i}-{subject.program.content_hash}")
            for i, subject in enumerate(subjects)
        }

        waiting = (
            client.submit(_measured, there[chunk.subject], chunk, trials, pure=False)
            for chunk in chunks
        )
        running = distributed.as_completed(islice(waiting, 2 * workers), loop=client.loop)
        try:
            for future in running:
                yield future.result()
                running.update(islice(waiting, 1))
        except Exception as error:
            raise lost(error, address, "what has been measured is kept") from None


def _itself(subject: Subject) -> Subject:
    return subject
