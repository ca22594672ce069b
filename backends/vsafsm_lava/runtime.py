"""Lava's runtime, kept in hand: it starts without side effects, a dead one is noticed, and nothing
is left behind.

Lava waits without end for a process that has died, adds a log handler with each Process, and
remembers every Process and Var. What is done about it here reaches into Lava 0.10.0, the last there
is.
"""

from __future__ import annotations

import ctypes
import itertools
import logging
import os
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Process as OsProcess
from typing import Any

import numpy as np
from lava.magma.core.process.process import AbstractProcess, ProcessServer
from lava.magma.core.process.variable import VarServer
from lava.magma.core.run_conditions import RunSteps
from lava.magma.runtime.mgmt_token_enums import MGMT_COMMAND, MGMT_RESPONSE, enum_equal
from numpy.typing import NDArray

from vsafsm_lava.errors import RuntimeDiedError

LOCK = threading.RLock()
"""Held while sessions start and end: a fork in the middle of another thread's would take its locks
along.
"""
PATIENCE_S = 0.25
"""How long to wait for a message before looking whether all processes are alive."""
PR_SET_PDEATHSIG = 1
FAREWELL_S = 5.0
"""How long a process may take to end before it is killed."""


class LavaRuntime:
    """A network of Processes that was started, and the ports by which it talks to the world
    outside.

    Raises
    ------
    RuntimeDiedError
        From every method but `close`, when a process of the runtime has failed or died. Everything
        is freed then.
    """

    def __init__(self, process: AbstractProcess, config: Any, ports: list[Any]) -> None:
        """Start it. `ports` are Lava ports with a flag for an external pipe: what goes in, what
        comes out.
        """
        try:
            with LOCK, _interrupts_later(), _children_die_too():
                process.create_runtime(config)
                _take_turns(_actors(process.runtime))
            self._runtime = process.runtime
            self._runtime._is_started = True
            self._ends = [_end(port) for port in ports]
        except BaseException:
            _abandon(process.runtime, ports)
            raise
        self._closed = weakref.finalize(self, _close, self._runtime, self._ends)

    def run(self, steps: int) -> None:
        """Run some steps, and wait for the last."""
        self._runtime._run(RunSteps(steps, blocking=False))
        for port in self._runtime.service_to_runtime:
            self._wait(port)
            if not enum_equal(port.recv(), MGMT_RESPONSE.DONE):
                self._fail("a model failed")
        self._runtime._is_running = False

    def send(self, port: int, values: NDArray[np.int32]) -> None:
        """Put a message into a port."""
        self._ends[port].send(values)

    def receive(self, port: int) -> NDArray[np.int32]:
        """Take a message out of a port."""
        end = self._ends[port]
        self._wait(end)
        return np.asarray(end.recv())

    def close(self) -> None:
        """Stop Lava's processes, and free all they hold; closing twice does nothing."""
        self._closed()

    def _wait(self, port: Any) -> None:
        if port.probe():
            return
        arrived = threading.Event()
        port.observer = arrived.set
        try:
            while not port.probe() and not arrived.wait(PATIENCE_S):
                if any(not _alive(actor) for actor in _actors(self._runtime)) and not port.probe():
                    self._fail("a process ended")
        finally:
            port.observer = None

    def _fail(self, what: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and not any(map(_report_of, _actors(self._runtime))):
            time.sleep(0.01)
        reports = [_report_of(actor) for actor in _actors(self._runtime)]
        self.close()
        reasons = "; ".join(reason for reason in reports if reason) or "no reason was left"
        raise RuntimeDiedError(
            f"Lava's runtime has died: {what} ({reasons}); expected it to run: open a new session"
        )


@contextmanager
def unnoticed() -> Iterator[None]:
    """What Lava does to logging inside is undone, and Processes and Vars made inside are forgotten
    by it behind.
    """
    with LOCK:
        yield from _unnoticed()


def _unnoticed() -> Iterator[None]:
    loggers = [logging.getLogger(), logging.getLogger("lava.magma.compiler.compiler")]
    before = [list(logger.handlers) for logger in loggers]
    remembered = [ProcessServer().processes, VarServer().vars]
    known = [len(each) for each in remembered]
    try:
        yield
    finally:
        for logger, handlers in zip(loggers, before, strict=True):
            logger.handlers[:] = handlers
        for each, number in zip(remembered, known, strict=True):
            del each[number:]


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Ctrl-C inside takes effect behind it; processes that are started inside do not see it: the
    session stops them.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return
    noted: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: noted.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if noted:
        raise KeyboardInterrupt


_starting = threading.local()


@contextmanager
def _children_die_too() -> Iterator[None]:
    """Processes started inside are killed with this one, however it ends. Linux only, and for the
    main thread only.
    """
    _starting.here = threading.current_thread() is threading.main_thread()
    try:
        yield
    finally:
        _starting.here = False


def _after_fork() -> None:
    if getattr(_starting, "here", False):
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


os.register_at_fork(after_in_child=_after_fork)


def _take_turns(actors: list[Any]) -> None:
    """Keep two processes, of which one always waits for the other, on one core: a wake-up across
    cores costs more.
    """
    if len(actors) != 2 or not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    core = cores[next(_turn) % len(cores)]
    with suppress(OSError):
        for actor in actors:
            os.sched_setaffinity(actor.pid, {core})


_turn = itertools.count(os.getpid())


def _end(port: Any) -> Any:
    """Our end of a port's external pipe, or None before there is one."""
    names = ("external_pipe_csp_send_port", "external_pipe_csp_recv_port")
    return next((end for name in names if (end := getattr(port, name, None)) is not None), None)


def _actors(runtime: Any) -> list[Any]:
    return list(runtime._messaging_infrastructure.actors)


def _alive(actor: Any) -> bool:
    return not actor._is_done and bool(actor.is_alive())


def _report_of(actor: Any) -> str:
    """Why a process ended, or an empty string."""
    with suppress(Exception):
        if actor.exception:
            error, _ = actor.exception
            return f"{type(error).__name__}: {error}"
        if not _alive(actor) and actor.exitcode:
            return f"exit code {actor.exitcode}"
    return ""


def _abandon(runtime: Any, ports: list[Any]) -> None:
    """Kill what a start that failed left behind, as far as it came."""
    infrastructure = getattr(runtime, "_messaging_infrastructure", None)
    if infrastructure is None:
        return
    for actor in infrastructure.actors:
        actor.kill()
        OsProcess.join(actor)
    runtime._is_started = runtime._is_running = False
    for end in filter(None, map(_end, ports)):
        end.join()
    runtime.join()
    with suppress(Exception):
        infrastructure.stop()


def _close(runtime: Any, ends: list[Any]) -> None:
    """Ask the processes to stop, kill those that do not, and free pipes, threads and shared
    memory.
    """
    with LOCK:
        _close_now(runtime, ends)


def _close_now(runtime: Any, ends: list[Any]) -> None:
    patience = 0.0
    if not runtime._is_running and all(map(_alive, _actors(runtime))):
        for port in runtime.runtime_to_service:
            port.send(MGMT_COMMAND.STOP)
        patience = FAREWELL_S
    try:
        for actor in _actors(runtime):
            OsProcess.join(actor, patience)
            if actor.is_alive():
                actor.kill()
                OsProcess.join(actor)
    finally:
        for end in ends:
            end.join()
        runtime.join()
        runtime._is_started = runtime._is_running = False
        runtime._messaging_infrastructure.stop()
        runtime._watchdog_manager.stop()
