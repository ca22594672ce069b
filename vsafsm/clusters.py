"""Processes and clusters that work is given to: joblib here, Dask elsewhere; and what goes wrong
there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from vsafsm.errors import ClusterError

SCHEMES = ("tcp", "tls", "ucx", "ws", "wss")
"""Of addresses with a host and a port, as Distributed has them."""
WAIT_S = 10
"""Seconds in which a scheduler has to answer."""


def imported(name: str) -> Any:
    """joblib or distributed. Raises `ClusterError` where it is not installed."""
    with suppress(ImportError):
        return import_module(name)
    wanted = "several processes" if name == "joblib" else "a cluster"
    raise ClusterError(
        f"{name}, which {wanted} need, is not installed; expected: pip install 'vsafsm[sweep]'"
    )


def client_of(distributed: Any, address: str) -> Any:
    """A client of the Dask scheduler at an address. Raises `ClusterError` where none answers, or
    the text is no address.
    """
    if not _is_address(address):
        raise ClusterError(
            f'"{address}" is no address of a scheduler; expected HOST:PORT, such as'
            " tcp://127.0.0.1:8786"
        )
    try:
        return distributed.Client(address, timeout=WAIT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError, asyncio.TimeoutError) as error:
        raise ClusterError(
            f'no scheduler answers at "{address}" ({type(error).__name__}); expected the address of'
            " a running dask scheduler, such as tcp://127.0.0.1:8786"
        ) from None


def _is_address(text: str) -> bool:
    """Distributed tries others for long, and leaves a client that cannot be closed."""
    try:
        parts = urlsplit(text if "://" in text else f"tcp://{text}")
        located = parts.scheme in SCHEMES and bool(parts.hostname and parts.port)
        return located or parts.scheme == "inproc"
    except ValueError:  # a port that is none, or half an IPv6 address
        return False


def workers_of(client: Any, address: str) -> int:
    """Threads of all workers, once there is one. Raises `ClusterError` where there is none."""
    try:
        client.wait_for_workers(1, timeout=WAIT_S)
    except (TimeoutError, asyncio.TimeoutError):  # two classes before Python 3.11
        raise ClusterError(
            f'the scheduler at "{address}" has no workers; expected at least one'
        ) from None
    return int(sum(client.nthreads().values()))


def lost(error: Exception, address: str, kept: str) -> ClusterError:
    """A cluster that cannot go on, as an error; `kept` says what is not lost."""
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return ClusterError(
        f'the cluster at "{address}" cannot go on ({reason}); {kept}, and the same command goes on'
    )
