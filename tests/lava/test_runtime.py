"""Lava's runtime in hand: processes that die, models that fail, interrupts, and what is left
behind.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import vsafsm
from vsafsm import errors as e
from vsafsm.program import Program

pytest.importorskip("lava.magma.core.process.process", reason="Lava is not installed")
from lava.magma.core.process.process import ProcessServer
from lava.magma.core.process.variable import VarServer
from lava.proc.lif.models import PyLifModelBitAcc

from vsafsm_lava import RuntimeDiedError
from vsafsm_lava.hosted.models import HostedModel

Children = Callable[[], set[int]]
Settles = Callable[..., Any]
SPECS = Path(__file__).parents[2] / "specs"
SOON_S = 15.0
LONG = 10_000_000


@pytest.fixture(params=["sim", "sim-stock"])
def target(request: pytest.FixtureRequest) -> str:
    return request.param


def actors(session: Any) -> list[Any]:
    return list(session._engine._running._runtime._messaging_infrastructure.actors)


def check_over(session: Any) -> None:
    """The session is closed, and closing it again does nothing."""
    with pytest.raises(e.SessionError, match="closed"):
        session.send("coin")
    session.close()
    session.close()
    with pytest.raises(e.SessionError, match="closed"):
        session.rest(1)


def in_a_while(action: Callable[[], object], seconds: float = 0.3) -> threading.Timer:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
    return timer


# ---- processes that die


@pytest.mark.parametrize("which", [0, -1], ids=["a model", "the service"])
def test_a_process_that_is_killed_between_runs_is_told(
    target: str, which: int, program: Program, children: Children
) -> None:
    before = children()
    session = vsafsm.open(program, backend="lava", target=target)
    assert session.send("coin") == "unlocked"
    os.kill(actors(session)[which].pid, signal.SIGKILL)
    began = time.monotonic()
    with pytest.raises(
        RuntimeDiedError, match=r"Lava's runtime has died: .*exit code -9.*open a new session"
    ):
        session.send("push")
    assert time.monotonic() - began < SOON_S
    assert children() == before
    check_over(session)


@pytest.mark.parametrize("which", [0, -1], ids=["a model", "the service"])
def test_a_process_that_is_killed_within_a_run_is_told(
    target: str, which: int, program: Program, children: Children
) -> None:
    before = children()
    session = vsafsm.open(program, backend="lava", target=target)
    pid = actors(session)[which].pid
    began = time.monotonic()
    in_a_while(lambda: os.kill(pid, signal.SIGKILL))
    with pytest.raises(RuntimeDiedError, match="exit code -9"):
        session.rest(LONG)
    assert time.monotonic() - began < SOON_S + 0.3
    assert children() == before
    check_over(session)


def test_after_a_death_there_is_a_new_session(target: str, program: Program) -> None:
    session = vsafsm.open(program, backend="lava", target=target)
    os.kill(actors(session)[0].pid, signal.SIGKILL)
    with pytest.raises(RuntimeDiedError):
        session.reset()
    with vsafsm.open(program, backend="lava", target=target) as another:
        assert another.send("coin") == "unlocked"


# ---- models that fail


def failing(monkeypatch: pytest.MonkeyPatch, target: str, after: int) -> None:
    """Models that are made from now on raise in some step."""
    model, method = (
        (HostedModel, "step") if target == "sim" else (PyLifModelBitAcc, "subthr_dynamics")
    )
    usual, calls = getattr(model, method), [0]

    def raising(self: Any, *given: Any, **more: Any) -> Any:
        calls[0] += 1
        if calls[0] > after:
            raise ArithmeticError("a neuron has left the room")
        return usual(self, *given, **more)

    monkeypatch.setattr(model, method, raising)


@pytest.mark.parametrize("after", [0, 30])
def test_an_exception_in_a_model_is_told(
    target: str, after: int, program: Program, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = children()
    failing(monkeypatch, target, after)
    began = time.monotonic()
    with pytest.raises(RuntimeDiedError, match="ArithmeticError: a neuron has left the room"):  # noqa: PT012
        session = vsafsm.open(program, backend="lava", target=target)
        for _ in range(8):
            session.send("coin")
    assert time.monotonic() - began < SOON_S
    assert children() == before
    if after:
        check_over(session)


def test_an_exception_in_the_making_of_a_model_is_told(
    target: str, program: Program, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(self: Any, proc_params: Any) -> None:
        raise ArithmeticError("nothing to make a neuron of")

    before = children()
    monkeypatch.setattr(HostedModel if target == "sim" else PyLifModelBitAcc, "__init__", raising)
    with pytest.raises((RuntimeDiedError, ArithmeticError), match="nothing to make a neuron of"):
        vsafsm.open(program, backend="lava", target=target)
    gc.collect()
    assert children() == before


# ---- interrupts


def test_an_interrupt_within_a_run_ends_it(
    target: str, program: Program, children: Children
) -> None:
    before = children()
    began = time.monotonic()
    session = vsafsm.open(program, backend="lava", target=target)
    with session, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        in_a_while(lambda: os.kill(os.getpid(), signal.SIGINT))
        session.rest(LONG)
    assert time.monotonic() - began < SOON_S
    assert children() == before
    check_over(session)


def test_after_an_interrupt_a_session_is_over(
    target: str, program: Program, children: Children
) -> None:
    before = children()
    session = vsafsm.open(program, backend="lava", target=target)
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        in_a_while(lambda: os.kill(os.getpid(), signal.SIGINT))
        session.rest(LONG)
    check_over(session)
    assert children() == before


def test_an_interrupt_while_a_session_opens_leaves_nothing(
    target: str, program: Program, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*given: object) -> None:
        raise KeyboardInterrupt

    def opened() -> bool:
        try:
            vsafsm.open(program, backend="lava", target=target)
        except KeyboardInterrupt:
            return False
        return True

    before = children()
    monkeypatch.setattr("vsafsm_lava.runtime.LavaRuntime.run", interrupted)
    assert not opened()
    gc.collect()
    assert children() == before


def test_an_interrupt_in_the_middle_of_a_start_waits_for_its_end(
    target: str, program: Program, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[int] = []

    def interrupted(actors: list[Any]) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        reached.append(len(actors))

    before, usual = children(), signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr("vsafsm_lava.runtime._take_turns", interrupted)
        with pytest.raises(KeyboardInterrupt):
            vsafsm.open(program, backend="lava", target=target)
    assert reached
    gc.collect()
    assert children() == before
    assert signal.getsignal(signal.SIGINT) is usual
    assert vsafsm.run(program, ["coin"], "lava", target=target).states == ("locked", "unlocked")


def test_lava_s_processes_ignore_an_interrupt(target: str, program: Program) -> None:
    usual = signal.getsignal(signal.SIGINT)
    with vsafsm.open(program, backend="lava", target=target) as session:
        assert signal.getsignal(signal.SIGINT) is usual
        for actor in actors(session):
            os.kill(actor.pid, signal.SIGINT)
        time.sleep(0.1)
        assert session.send("coin") == "unlocked"


def test_it_runs_in_another_thread(target: str, program: Program) -> None:
    found: list[object] = []

    def run() -> None:
        try:
            found.append(vsafsm.run(program, ["coin", "push"], "lava", target=target).states)
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert found == [("locked", "unlocked", "locked")]


def test_sessions_start_and_end_in_several_threads(program: Program, children: Children) -> None:
    before, found = children(), []

    def run(word: list[str]) -> None:
        for _ in range(3):
            found.append(vsafsm.run(program, word, "lava").states[-1])

    threads = [
        threading.Thread(target=run, args=(["coin", "push"][: n % 2 + 1],)) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert sorted(map(str, found)) == ["locked"] * 6 + ["unlocked"] * 6
    assert children() == before


# ---- what is left behind


def held(children: Children) -> tuple[int, ...]:
    """Open files, threads, log handlers, child processes, and Processes and Vars that Lava
    remembers.
    """
    gc.collect()
    handlers = [logging.getLogger(name).handlers for name in (None, "lava.magma.compiler.compiler")]
    return (
        len(os.listdir("/proc/self/fd")),  # noqa: PTH208
        threading.active_count(),
        *map(len, handlers),
        len(children()),
        len(ProcessServer().processes),
        VarServer().num_vars,
    )


def cycle(program: Program, target: str, times: int) -> None:
    for _ in range(times):
        with vsafsm.open(program, backend="lava", target=target) as session:
            assert session.send("coin") == "unlocked"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
@pytest.mark.limit_s(240)
@pytest.mark.parametrize(
    ("target", "times"),
    [
        ("sim", 20),
        pytest.param("sim-stock", 20, marks=pytest.mark.slow),
        pytest.param("sim", 200, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_nothing_is_left_of_many_sessions(
    target: str, times: int, program: Program, children: Children, settles: Settles
) -> None:
    cycle(program, target, 2)
    settles(threading.active_count, 1, 1.0)
    before = held(children)
    cycle(program, target, times)
    assert settles(lambda: held(children), before) == before


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
def test_nothing_is_left_of_sessions_that_died(
    target: str, program: Program, children: Children, settles: Settles
) -> None:
    def die() -> None:
        session = vsafsm.open(program, backend="lava", target=target)
        os.kill(actors(session)[0].pid, signal.SIGKILL)
        with pytest.raises(RuntimeDiedError):
            session.send("coin")

    die()
    settles(threading.active_count, 1, 1.0)
    before = held(children)
    for _ in range(2):
        die()
    assert settles(lambda: held(children), before) == before


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
def test_nothing_is_left_of_starts_that_failed(
    target: str,
    program: Program,
    children: Children,
    settles: Settles,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        with pytest.raises((RuntimeDiedError, ArithmeticError)):
            vsafsm.open(program, backend="lava", target=target)

    def raising(self: Any, proc_params: Any) -> None:
        raise ArithmeticError

    monkeypatch.setattr(HostedModel if target == "sim" else PyLifModelBitAcc, "__init__", raising)
    fail()
    settles(threading.active_count, 1, 1.0)
    before = held(children)
    for _ in range(3):
        fail()
    assert settles(lambda: held(children), before) == before


# ---- whole interpreters


def spawn(*command: str) -> subprocess.Popen[str]:
    """A Python of its own, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str], patience_s: float = 30.0) -> tuple[int, str, str]:
    """Exit code and outputs; what runs too long is killed with all that it started."""
    try:
        out, err = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, out, err


UNCLOSED = """
import sys, vsafsm
program = vsafsm.compile(vsafsm.load(sys.argv[1]), target="lava")
session = vsafsm.open(program, backend="lava", target=sys.argv[2])
print(session.send("coin"), flush=True)
{end}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "code", "told"),
    [
        ("", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("del session", 0, ""),
    ],
    ids=["end", "exit", "error", "lost"],
)
def test_an_interpreter_ends_with_a_session_open(
    target: str,
    end: str,
    code: int,
    told: str,
    in_session: Callable[[int], set[int]],
    settles: Settles,
) -> None:
    process = spawn("-c", UNCLOSED.format(end=end), str(SPECS / "turnstile.yaml"), target)
    returned, out, err = ended(process)
    assert (returned, out) == (code, "unlocked\n")
    assert (told in err) if told else (err == "")
    assert settles(lambda: in_session(process.pid), set()) == set()


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the kernel is told to end orphans on Linux only"
)
def test_its_processes_die_with_an_interpreter_that_is_killed(
    target: str, in_session: Callable[[int], set[int]], settles: Settles
) -> None:
    end = "import time; time.sleep(60)"
    process = spawn("-c", UNCLOSED.format(end=end), str(SPECS / "turnstile.yaml"), target)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "unlocked\n"
        assert len(in_session(process.pid)) >= 4
    finally:
        process.kill()
    process.communicate(timeout=20)
    assert settles(lambda: in_session(process.pid), set()) == set()


@pytest.mark.parametrize(
    "first", ["", "import multiprocessing; multiprocessing.set_start_method('fork')"]
)
def test_processes_may_be_set_to_fork_before(target: str, first: str) -> None:
    process = spawn("-c", first + UNCLOSED.format(end=""), str(SPECS / "turnstile.yaml"), target)
    assert ended(process) == (0, "unlocked\n", "")


@pytest.mark.slow
def test_ctrl_c_ends_the_command_line_without_a_trace(
    target: str, tmp_path: Path, in_session: Callable[[int], set[int]], settles: Settles
) -> None:
    (tmp_path / "word").write_text("coin push " * 200_000)
    options = ["--word-file", str(tmp_path / "word"), "--backend", "lava", "--target", target]
    process = spawn("-m", "vsafsm", "run", str(SPECS / "turnstile.yaml"), *options)
    try:
        started = settles(lambda: len(in_session(process.pid)) >= 4, True, 20.0)
        time.sleep(1.0)
        assert started
        assert process.poll() is None
    finally:
        os.killpg(process.pid, signal.SIGINT)
    code, out, err = ended(process, 15.0)
    assert (code, out) == (130, "")
    assert err == "vsafsm: error: interrupted\n"
    assert settles(lambda: in_session(process.pid), set()) == set()
