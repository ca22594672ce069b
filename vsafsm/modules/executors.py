"""Where modules are refined: here, in processes of this machine, or on a cluster. What comes back
is the same, in the same order.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from vsafsm.clusters import client_of, imported, lost, workers_of
from vsafsm.errors import VsafsmError

Call = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function, and its arguments."""
Execute = Callable[[Iterable[Call]], Iterator[Any]]
"""Makes calls, and yields what they return in their order."""


def executor(jobs: int = 1, scheduler: str | None = None) -> Execute:
    """In this process, in so many processes, or on the workers of a Dask scheduler.

    Raises
    ------
    ClusterError
        If joblib or distributed is not installed.
    """
    if scheduler is not None:
        distributed = imported("distributed")
        return lambda calls: _on_cluster(distributed, scheduler, calls)
    if jobs == 1:
        return lambda calls: (function(*arguments) for function, arguments in calls)
    joblib = imported("joblib")
    return lambda calls: _in_processes(joblib, jobs, calls)


def _in_processes(joblib: Any, jobs: int, calls: Iterable[Call]) -> Iterator[Any]:
    found = joblib.Parallel(jobs, return_as="generator", pre_dispatch=2 * jobs)(
        joblib.delayed(function)(*arguments) for function, arguments in calls
    )
    try:
        for each in found:  # noqa: UP028 - `yield from` would close it before the filter is set
            yield each
    finally:
        # Where no more is wanted, joblib warns of the calls that it gives up.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            found.close()


def _on_cluster(distributed: Any, address: str, calls: Iterable[Call]) -> Iterator[Any]:
    with client_of(distributed, address) as client:
        waiting = iter(calls)
        # Dask makes a call again, a few times, whose worker is lost.
        running = [
            client.submit(function, *arguments, pure=False)
            for function, arguments in islice(waiting, 2 * workers_of(client, address))
        ]
        try:
            while running:
                yield running.pop(0).result()
                for function, arguments in islice(waiting, 1):
                    running.append(client.submit(function, *arguments, pure=False))
        except VsafsmError:  # what a call itself says
            raise
        except Exception as error:  # whatever Dask raises where workers are lost
            raise lost(error, address, "modules that are done are kept with --resume") from None
