"""The SCPI rig against the simulated rig, a process of its own: each fault has a name, and the
lines end at 0 V.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time

import numpy as np
import pytest

from vsafsm_memristor.rig import errors
from vsafsm_memristor.rig.guard import GuardedRig, Mode
from vsafsm_memristor.rig.protocol import Ownable, Rig
from vsafsm_memristor.rig.scpi import ScpiRig
from vsafsm_memristor.rig_simulator.__main__ import options, server_of
from vsafsm_memristor.rig_simulator.lines import Lines
from vsafsm_memristor.rig_simulator.refusals import RefusalError
from vsafsm_memristor.rig_simulator.server import serve

G = np.random.default_rng(3).uniform(2e-6, 38e-6, (8, 6))
V = np.full(8, 0.2)
QUICK = {"timeout_s": 0.3}
FIRST = 9
"""Commands 1 to 3 and 4 to 6 ask who it is; 7 takes it, 8 looks whether others are kept out. What
they are refused for being others is not counted.
"""


@pytest.fixture
def opened(simulator):
    """Opens a rig at a simulated rig with options: -> (rig, simulator)."""
    rigs = []

    def start(*options, take=True, **more):
        process = simulator(*options)
        rigs.append(ScpiRig(process.address, **{**QUICK, **more}))
        if take:
            rigs[-1].take(rigs[-1].identify().limits)
        return rigs[-1], process

    yield start
    for rig in rigs:
        rig.close()


def test_it_says_who_it_is(opened):
    rig, _ = opened("--unusable", "0.2", "--seed", "4")
    assert isinstance(rig, Rig)
    assert isinstance(rig, Ownable)
    identity = rig.identify()
    assert (identity.model, identity.serial, identity.watchdog_s) == ("simulated rig", "SIM-0", 0.4)
    assert (identity.limits.tiles, identity.limits.rows, identity.limits.columns) == (2, 8, 6)
    assert 0 < (~identity.usable).sum() < identity.usable.size


def test_what_is_written_is_read(opened):
    rig, process = opened("--read-noise", "0.001")
    reply = rig.program(1, G)
    assert reply.ok.all()
    assert np.abs(reply.g_siemens - G).max() < 1e-6
    assert 0 < reply.pulses.max() <= 64
    np.testing.assert_allclose(rig.read(1, V), V @ reply.g_siemens, rtol=0.02)
    np.testing.assert_allclose(rig.read(1, -V), -V @ reply.g_siemens, rtol=0.02)
    rig.safe()
    rig.safe()
    assert process.at_zero()
    assert process.commanded_v("read") == 0.2
    assert process.commanded_v("pulse") <= 4.0


def test_it_keeps_limits_that_it_is_told(opened, changed):
    rig, process = opened()
    rig.take(changed(rig.identify().limits, v_program_max_v=1.5, pulses_per_cell=3))
    reply = rig.program(0, G)
    assert reply.pulses.max() <= 3
    assert process.commanded_v("pulse") <= 1.5
    with pytest.raises(errors.FaultError, match="LIMITS v_program_max_v is wider"):
        rig.take(changed(rig.identify().limits, v_program_max_v=9.0))


FAULTS = {
    "disconnect": (errors.DisconnectedError, None),
    "garbage": ((errors.FaultError, errors.NoAnswerError), None),
    "wrong-length": (errors.FaultError, r"a reply of \d+ bytes; expected \d+"),
    "over-range": (errors.FaultError, "the rig reports"),
    "nan": (errors.FaultError, "are not finite"),
    "stale": (errors.FaultError, r"the reply is to command \d+; expected \d+"),
    "mute": (errors.NoAnswerError, "no answer within"),
}


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("what", ["read", "program"])
def test_each_fault_has_a_name_and_ends_trust(opened, kind, what):
    rig, process = opened("--fault", f"{kind}@{FIRST}", "--seed", "2")
    error, message = FAULTS[kind]
    with pytest.raises(error, match=message):
        rig.read(0, V) if what == "read" else rig.program(0, G)
    with pytest.raises(errors.FaultError, match="is not trusted"):
        rig.read(0, V)
    rig.safe()  # over a connection of its own
    assert process.at_zero()
    with pytest.raises(errors.FaultError, match=r"not trusted|not used any more"):
        rig.identify()
    rig.reopen()
    rig.take(rig.identify().limits)
    assert rig.read(0, V).shape == (6,)


def test_a_slow_rig_is_cut_short_by_grounding(opened):
    rig, process = opened(
        "--fault", f"slow@{FIRST}", "--slow-ms", "30000", "--watchdog-ms", "60000"
    )
    with pytest.raises(errors.NoAnswerError, match=r"no answer within 0\.3 s"):
        rig.read(0, V)
    assert not process.at_zero()
    rig.safe()
    assert process.wait_for("ground")["why"] == "safe"


def test_a_slow_rig_is_grounded_by_its_watchdog(opened):
    rig, process = opened(
        "--fault", f"slow@{FIRST}", "--slow-ms", "30000", "--watchdog-ms", "100", timeout_s=3.0
    )
    with pytest.raises(errors.FaultError, match="grounded"):
        rig.read(0, V)
    assert process.events("ground")[-1]["why"] == "watchdog"


@pytest.mark.parametrize("kind", FAULTS)
def test_behind_the_guard_each_fault_ends_at_zero(simulator, changed, kind):
    process = simulator(
        "--fault", f"{kind}@{FIRST + 1}", "--sticky", "--watchdog-ms", "60000", "--seed", "2"
    )
    rig = ScpiRig(process.address, **QUICK)
    with GuardedRig(rig) as guarded:
        maps = Maps()
        guarded.arm(maps, guarded.plan(maps).token, written=True)
        guarded.read(0, V)
        error, message = FAULTS[kind]
        with pytest.raises(error, match=message):
            guarded.read(0, V)
        assert process.at_zero()
        assert process.events("ground")[-1]["why"] == "safe"
        with pytest.raises(errors.FaultError, match=r"not trusted|not used any more"):
            guarded.read(0, V)


class Maps:
    siemens, content_hash, v_read_v = (G,), "x", 0.2


def test_a_rig_that_refuses(opened):
    rig, _ = opened()
    with pytest.raises(errors.FaultError, match="RANGE a voltage is above the limit"):
        rig.read(0, np.full(8, 0.4))
    rig.reopen()
    rig.take(rig.identify().limits)
    with pytest.raises(errors.FaultError, match="LENGTH"):
        rig.read(0, np.zeros(7))


def test_grounding_that_cannot_be_confirmed_is_said(opened):
    rig, process = opened()
    process.stop()
    with pytest.raises(errors.NotSafeError, match="is not confirmed"):
        rig.safe()


@pytest.mark.parametrize("address", ["TCPIP0::127.0.0.1::{free}::SOCKET", "nonsense"])
def test_nothing_at_the_address(address):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(errors.UnreachableError):
            ScpiRig(address.format(free=free.getsockname()[1]), **QUICK)


@contextlib.contextmanager
def answering(answer):
    """Something at a port that answers every message with these bytes, or with nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            with contextlib.suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    while connection.recv(4096):
                        connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"TCPIP0::127.0.0.1::{listening.getsockname()[1]}::SOCKET"
    thread.join(10)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (b"", errors.NoAnswerError, "no answer"),
        (b"short\n", errors.NoAnswerError, "no answer"),
        (
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n",
            errors.FaultError,
            "the header of a reply",
        ),
        (
            b"00000001,OK,00000000,#9999999999" + b"x" * 64,
            errors.FaultError,
            "a reply of 999999999 bytes; expected at most",
        ),
        (
            b"00000001,OK,00000000,#9000000100" + b"x" * 9,
            errors.FaultError,
            "broke off; expected the 100 bytes",
        ),
        (b"00000001,OK,00000000,#9000000002{}\n", errors.FaultError, "checksum"),
    ],
)
def test_something_else_at_the_address(answer, error, message):
    with answering(answer) as address, pytest.raises(error, match=message):
        ScpiRig(address, **QUICK)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("--g-min-us", "50"), errors.RefusedError),
        (("--v-read-max-v", "-1"), errors.RefusedError),
        (("--i-line-max-a", "nan"), errors.RefusedError),
        (("--watchdog-ms", "0"), errors.RefusedError),
        (("--fault", "garbage@1"), errors.FaultError),
        (("--fault", "wrong-length@2"), errors.FaultError),
    ],
)
def test_a_rig_whose_word_makes_no_sense_is_not_opened(simulator, options, error):
    with pytest.raises(error):
        ScpiRig(simulator(*options).address, **QUICK)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvisa_py", None)
    with pytest.raises(errors.UnreachableError, match=r"pip install 'vsafsm\[memristor\]'"):
        ScpiRig("TCPIP0::127.0.0.1::5::SOCKET")


def test_importing_it_imports_no_pyvisa():
    import subprocess

    text = "import sys, vsafsm_memristor.rig.scpi; sys.exit('pyvisa' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", text], timeout=60, check=False).returncode == 0


# ---- two clients


def test_another_client_changes_nothing(opened, changed):
    rig, process = opened("--sticky", "--watchdog-ms", "60000")
    limits = rig.identify().limits
    rig.take(changed(limits, v_program_max_v=2.0))
    other = ScpiRig(process.address, **QUICK)
    status = other.status()
    assert str(os.getpid()) in status.owner
    assert (status.mine, rig.status().mine) == (False, True)
    for call in (
        lambda: other.take(limits),
        lambda: other.read(0, V),
        lambda: other.program(0, G),
        other.safe,
        other.beat,
    ):
        with pytest.raises(errors.BusyError, match="owned by"):
            call()
    assert process.events("lines") == []
    rig.program(0, G)
    assert 0 < process.commanded_v("pulse") <= 2.0
    rig.release()
    rig.release()
    other.take(limits)
    with pytest.raises(errors.BusyError, match="owned by"):
        rig.take(limits)
    other.close()


def test_the_guard_takes_the_rig_when_it_is_armed_and_not_before(simulator, changed):
    process = simulator()
    first, second = (GuardedRig(ScpiRig(process.address, **QUICK)) for _ in range(2))
    maps = Maps()
    with first, second:
        tokens = [each.plan(maps).token for each in (first, second)]
        first.arm(maps, tokens[0])
        with pytest.raises(errors.BusyError):
            second.arm(maps, tokens[1])
        assert second.mode is Mode.DRY
        first.program(0, G)
        first.close()
        second.arm(maps, tokens[1])
        second.program(0, G)
    assert process.at_zero()


@contextlib.contextmanager
def lax_rig(change):
    """A simulated rig in this process, changed so that it breaks a rule: its address."""
    args = options().parse_args(["--tiles", "1", "--rows", "8", "--columns", "6"])
    server = server_of(args, Lines(None, None))
    change(server)

    def run(listening):
        with contextlib.suppress(OSError):
            serve(listening, server)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=run, args=(listening,), daemon=True).start()
        yield f"TCPIP0::127.0.0.1::{listening.getsockname()[1]}::SOCKET"
        listening.shutdown(socket.SHUT_RDWR)


def lets_others_read(server):
    sessions = server.sessions
    sessions.require = lambda connection: sessions._session


def keeps_other_limits(server):
    real = server.sessions.open

    def wider(connection, block):
        said = real(connection, block)
        return {**said, "limits": {**said["limits"], "v_read_max_v": 1.0}}

    server.sessions.open = wider


def knows_no_sessions(server):
    def answer(connection, head, block, fault):
        if head.name == "RIG:OPEN":
            raise RefusalError("COMMAND", "there is no RIG:OPEN")
        return real(connection, head, block, fault)

    real, server.instrument.answer = server.instrument.answer, answer


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lets_others_read, "reads for a second connection all the same"),
        (keeps_other_limits, "the rig keeps .*'v_read_max_v': 1.0"),
        (knows_no_sessions, "knows no sessions"),
    ],
)
def test_a_rig_that_keeps_nobody_out_is_not_armed(change, message):
    with lax_rig(change) as address:
        guarded, maps = GuardedRig(ScpiRig(address), allow_no_watchdog=True), Maps()
        with guarded, pytest.raises(errors.RefusedError, match=message):
            guarded.arm(maps, guarded.plan(maps).token)
        assert guarded.mode is Mode.CLOSED


def test_a_long_write_is_sliced_for_the_watchdog(simulator):
    process = simulator("--pulse-us", "300", "--watchdog-ms", "300")
    rig = ScpiRig(process.address, timeout_s=0.2)
    with GuardedRig(rig) as guarded:
        maps = Maps()
        guarded.arm(maps, guarded.plan(maps).token)
        assert guarded.program(0, G).ok.all()
    assert {each["why"] for each in process.events("ground")} == {"done"}
    pulses = process.events("lines")
    assert (pulses[-1]["t_ns"] - pulses[0]["t_ns"]) / 1e9 > 0.1


def test_the_time_limit_is_that_of_writes_too(opened):
    rig, _ = opened("--fault", f"slow@{FIRST}", "--slow-ms", "30000", "--watchdog-ms", "60000")
    began = time.monotonic()
    with pytest.raises(errors.NoAnswerError, match=r"no answer within 0\.3\d* s"):
        rig.program(0, G)
    assert time.monotonic() - began < 20
    rig.safe()


def test_an_access_token_is_shown(simulator, monkeypatch):
    address = simulator("--token", "correct horse battery").address
    with pytest.raises(errors.FaultError, match="AUTH"):
        ScpiRig(address, **QUICK)
    with pytest.raises(errors.FaultError, match="that is not the access token"):
        ScpiRig(address, **QUICK, access="another")
    monkeypatch.setenv("VSAFSM_RIG_TOKEN", "correct horse battery")
    rig = ScpiRig(address, **QUICK)
    rig.take(rig.identify().limits)
    rig.safe()
    rig.close()


# ---- the client dies

CLIENT = """
import os, signal, sys, time
import numpy as np
from vsafsm_memristor.rig.guard import GuardedRig, Mode
from vsafsm_memristor.rig.scpi import ScpiRig

class Maps:
    siemens, content_hash, v_read_v = (np.full((8, 6), 10e-6),), "x", 0.2

if sys.argv[2] == "handler":
    signal.signal(signal.SIGTERM, lambda *_: print("chained", flush=True))
guarded = GuardedRig(ScpiRig(sys.argv[1], timeout_s=5))
guarded.arm(Maps, guarded.plan(Maps).token)
guarded.program(0, Maps.siemens[0])
if sys.argv[2] == "fork" and os.fork() == 0:
    time.sleep(60)  # holds the connection open
    os._exit(0)
print("reading", flush=True)
while True:
    guarded.read(0, np.full(8, 0.2))
    time.sleep(0.001)
"""


def reading(client, process, how):
    started = client(CLIENT, process.address, how)
    assert started.stdout.readline() == "reading\n"
    process.wait_for("lines", kind="read")
    time.sleep(0.05)
    return started


@pytest.mark.parametrize("how", ["alone", "fork"])
def test_after_sigkill_the_watchdog_grounds(simulator, client, how):
    process = simulator("--sticky", "--watchdog-ms", "200")
    started = reading(client, process, how)
    os.kill(started.pid, signal.SIGKILL)
    started.wait(10)
    ground = process.wait_for("ground", why="watchdog")
    assert process.at_zero()
    assert (ground["t_ns"] - process.events("lines")[-1]["t_ns"]) / 1e6 < 400


def test_a_client_that_hangs_is_grounded_by_the_watchdog(simulator, client):
    process = simulator("--sticky", "--watchdog-ms", "200")
    started = reading(client, process, "alone")
    os.kill(started.pid, signal.SIGSTOP)
    process.wait_for("ground", why="watchdog")
    assert process.at_zero()


@pytest.mark.parametrize(
    ("number", "how", "code"),
    [
        (signal.SIGTERM, "alone", -signal.SIGTERM),
        (signal.SIGINT, "alone", -signal.SIGINT),
        (signal.SIGTERM, "handler", 1),
    ],
)
def test_after_other_signals_the_client_grounds_itself(simulator, client, number, how, code):
    process = simulator("--sticky", "--watchdog-ms", "60000", "--latency-us", "5000")
    started = reading(client, process, how)
    os.kill(started.pid, number)
    assert started.wait(10) == code
    assert process.at_zero()
    assert process.events("ground")[-1]["why"] == "safe"
    assert (started.stdout.read() == "chained\n") == (how == "handler")
