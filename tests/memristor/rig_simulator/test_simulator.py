"""The simulated rig itself, asked over a bare socket by code of this file's own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

import vsafsm_memristor.rig_simulator as package


class Bare:
    """A client in a few lines."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.file = self.socket.makefile("rb")
        self.number = 0

    def ask(self, name, block=b"", tile=0):
        self.number += 1
        head = f"{name} {self.number:08X},{tile},".encode()
        self.socket.sendall(
            head + b"%08X,#9%09d" % (zlib.crc32(head + block), len(block)) + block + b"\n"
        )
        number, status, reply = self.reply()
        assert number == self.number
        return status, reply

    def reply(self):
        header = self.file.read(32)
        reply = self.file.read(int(header[23:]) + 1)
        assert zlib.crc32(header[:12] + reply[:-1]) == int(header[12:20], 16)
        return int(header[:8], 16), header[9:11].decode(), reply[:-1]

    def read(self, v, tile=0):
        status, reply = self.ask("RIG:READ?", np.asarray(v, "<f8").tobytes(), tile)
        return np.frombuffer(reply, "<f8") if status == "OK" else reply.decode()

    def program(self, g, tile=0):
        status, reply = self.ask("RIG:PROG", np.asarray(g, "<f8").tobytes(), tile)
        if status != "OK":
            return reply.decode()
        n = np.size(g)
        shape = np.shape(g)
        return (
            np.frombuffer(reply, "<f8", n).reshape(shape),
            np.frombuffer(reply, "u1", n, 8 * n).reshape(shape).astype(bool),
            np.frombuffer(reply, "<u4", n, 9 * n).reshape(shape),
        )

    def open(self, key="k" * 16, owner="a test", **limits):
        said = {"key": key, "owner": owner, "limits": limits}
        return self.ask("RIG:OPEN", json.dumps(said).encode())

    def status(self):
        return json.loads(self.ask("RIG:STAT?")[1])

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def bare(simulator):
    """Starts a simulated rig, talks to it and takes it: -> (client, simulator)."""
    clients = []

    def start(*options, take=True):
        process = simulator(*options)
        clients.append(Bare(process.port))
        if take:
            assert clients[-1].open()[0] == "OK"
        return clients[-1], process

    yield start
    for each in clients:
        each.close()


def test_it_shares_no_code_with_what_it_is_tested_with():
    for path in Path(package.__file__).parent.glob("*.py"):
        text = path.read_text()
        imports = [
            line for line in text.splitlines() if line.strip().startswith(("import ", "from "))
        ]
        own = [line for line in imports if "vsafsm" in line]
        assert all("vsafsm_memristor.rig_simulator" in line for line in own), own
        assert not [line for line in imports if "pyvisa" in line]


def test_it_answers_idn(bare):
    client, _ = bare("--serial", "LAB-7")
    client.socket.sendall(b"*IDN?\n")
    assert client.file.readline() == b"vsafsm,simulated rig,LAB-7,1\n"
    assert json.loads(client.ask("RIG:CAP?")[1])["serial"] == "LAB-7"


def test_voltages_are_logged_as_commanded_before_they_are_refused(bare):
    client, process = bare()
    v = [0.0, 12.5, 0, 0, -3.0, 0, 0, 0.1]
    assert client.read(v).startswith("RANGE")
    assert process.events("lines")[-1]["v"] == v
    assert process.events("ground")[-1]["why"] == "refused"
    assert process.commanded_v("read") == 12.5


def test_write_verify_reaches_the_tolerance(bare):
    client, _ = bare("--rows", "64", "--columns", "64", "--stuck", "0.01", "--seed", "5")
    g = np.random.default_rng(1).uniform(1e-6, 40e-6, (64, 64))
    g[0] = 0.0
    reached, ok, pulses = client.program(g)
    assert ok.mean() > 0.97
    assert not ok.all()  # stuck cells
    assert np.abs(reached - g)[1:][ok[1:]].max() <= 1e-6
    assert (pulses[~ok] == 64).all()
    assert (pulses[0] == 0).all()
    assert ok[0].all()


def test_reads_follow_ohm_and_kirchhoff_with_noise_and_converter(bare):
    client, _ = bare("--read-noise", "0.02", "--adc-bits", "12")
    g, _, _ = client.program(np.full((8, 6), 20e-6))
    v = np.array([0.3, -0.2, 0.1, 0, 0, 0, 0.25, 0.3])
    reads = np.array([client.read(v) for _ in range(400)])
    step = 2 * 2e-3 / 2**12
    np.testing.assert_allclose(reads / step, np.rint(reads / step), atol=1e-6)
    spread = 0.02 * np.sqrt((v**2) @ (g**2))
    np.testing.assert_allclose(
        reads.mean(axis=0), v @ g, atol=step / 2 + 0.05 * np.abs(v @ g).max()
    )
    assert reads.std() < 3 * (spread.max() + step)
    assert len(np.unique(reads)) > 1


def test_the_converter_saturates(bare):
    client, _ = bare("--adc-range-a", "1e-5", "--adc-bits", "8")
    client.program(np.full((8, 6), 40e-6))
    assert client.read([0.3] * 8).max() == pytest.approx(1e-5 * 127 / 128)


def test_cells_relax_and_time_can_be_put_forward(bare):
    client, _ = bare(
        "--relax", "1", "--read-noise", "0", "--rows", "32", "--columns", "32", "--adc-bits", "24"
    )
    client.program(np.full((32, 32), 20e-6))
    v = np.eye(32)[0] * 0.3
    first = client.read(v)
    np.testing.assert_allclose(client.read(v), first, rtol=0.02)
    assert client.ask("RIG:AGE", b"86400") == ("OK", b"AGED")
    moved = np.abs(client.read(v) - first) / 0.3
    assert 0.2e-6 < moved.std() < 5e-6


def test_the_same_seed_gives_the_same_devices(bare):
    options = ("--seed", "9", "--relax", "0", "--read-noise", "0")
    first, second = (bare(*options)[0].program(np.full((8, 6), 15e-6)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_watchdog_grounds_a_silent_clients_lines_and_stays_tripped(bare):
    client, process = bare("--sticky", "--watchdog-ms", "100")
    client.read([0.1] * 8)
    assert not process.at_zero()
    ground = process.wait_for("ground")
    assert ground["why"] == "watchdog"
    assert client.read([0.1] * 8).startswith("WATCHDOG")
    assert process.at_zero()
    assert client.ask("RIG:SAFE") == ("OK", b"SAFE")
    assert len(client.read([0.1] * 8)) == 6


def test_the_owner_feeds_the_watchdog_and_nobody_else(bare):
    client, process = bare("--sticky", "--watchdog-ms", "300")
    client.read([0.1] * 8)
    for _ in range(20):
        time.sleep(0.03)
        client.ask("RIG:BEAT")
    assert process.events("ground") == []
    other, lines = Bare(process.port), process.events("lines")
    while not process.events("ground"):
        other.socket.sendall(b"*IDN?\n")
        assert other.file.readline().startswith(b"vsafsm")
        other.ask("RIG:CAP?")
        assert other.read([0.1] * 8) == "BUSY owned by a test"
    assert process.events("ground")[-1]["why"] == "watchdog"
    assert process.events("lines") == lines
    other.close()


# ---- who owns it


def test_another_looks_and_is_told_who_owns_it(bare):
    client, process = bare()
    other = Bare(process.port)
    assert json.loads(other.ask("RIG:CAP?")[1])["serial"] == "SIM-0"
    told = other.status()
    assert (told["owner"], told["yours"], told["up"]) == ("a test", False, False)
    assert client.status()["yours"]
    log = [json.loads(line) for line in other.ask("RIG:LOG?")[1].splitlines()]
    assert [entry["event"] for entry in log].count("open") == 1
    assert "k" * 16 not in json.dumps([told, log])
    for name in ("RIG:SAFE", "RIG:BEAT", "RIG:CLOSE", "RIG:AGE"):
        assert other.ask(name) == ("NO", b"BUSY owned by a test")
    assert other.open("o" * 16) == ("NO", b"BUSY owned by a test")
    assert other.program(np.full((8, 6), 1e-5)) == "BUSY owned by a test"
    assert process.events("lines") == []
    assert client.ask("RIG:CLOSE") == ("OK", b"CLOSED")
    assert other.open("o" * 16)[0] == "OK"
    assert client.read([0.1] * 8) == "BUSY owned by a test"
    other.close()


def test_nobody_reads_or_writes_without_a_session(bare):
    client, process = bare(take=False)
    assert client.read([0.1] * 8).startswith("SESSION")
    assert client.program(np.full((8, 6), 1e-5)).startswith("SESSION")
    assert client.ask("RIG:SAFE") == ("OK", b"SAFE")
    assert process.events("lines") == []


def test_limits_are_those_of_the_session(bare):
    client, process = bare(take=False)
    client.open(v_program_max_v=1.5, v_read_max_v=0.1)
    assert client.read([0.11] * 8).startswith("RANGE")
    client.program(np.full((8, 6), 20e-6))
    assert 0 < process.commanded_v("pulse") <= 1.5
    client.ask("RIG:CLOSE")
    client.open()
    client.program(np.full((8, 6), 35e-6))
    assert process.commanded_v("pulse") > 1.5


def test_the_key_moves_a_session_and_what_was_under_way_is_cut(bare):
    client, process = bare("--pulse-us", "20000", "--watchdog-ms", "60000")
    block = np.full((8, 6), 20e-6).astype("<f8").tobytes()
    head = b"RIG:PROG 00000077,0,"
    client.socket.sendall(head + b"%08X,#9%09d" % (zlib.crc32(head + block), 384) + block + b"\n")
    process.wait_for("lines")
    other = Bare(process.port)
    assert other.ask("RIG:SAFE", b"k" * 16) == ("OK", b"SAFE")
    assert client.reply() == (0x77, "NO", b"CUT the lines were grounded meanwhile")
    assert other.open(owner="its second")[0] == "OK"
    assert client.status()["owner"] == "its second"
    assert client.read([0.1] * 8) == "BUSY owned by its second"
    other.close()


def test_who_is_silent_or_gone_loses_the_rig(bare):
    client, process = bare("--session-s", "0.3", "--sticky", "--watchdog-ms", "60000")
    client.read([0.1] * 8)
    other = Bare(process.port)
    assert other.open("o" * 16)[0] == "NO"
    time.sleep(0.4)
    assert other.open("o" * 16, owner="another")[0] == "OK"
    assert process.events("ground")[-1]["why"] == "taken"
    assert client.read([0.1] * 8) == "BUSY owned by another"
    other.close()
    process.wait_for("orphan")
    assert client.open()[0] == "OK"  # nothing is on the lines


def test_a_long_write_is_cut_by_the_watchdog_and_its_slices_are_not(bare):
    client, process = bare("--pulse-us", "2000", "--watchdog-ms", "300")
    assert json.loads(client.ask("RIG:CAP?")[1])["pulse_s"] == 0.002
    assert client.program(np.full((8, 6), 30e-6)).startswith("WATCHDOG")
    assert process.at_zero()
    client.ask("RIG:SAFE")
    for row in range(8):
        g = np.zeros((8, 6))
        g[row] = 30e-6
        _, ok, _ = client.program(g)
        assert ok.all()
    assert len([each for each in process.events("ground") if each["why"] == "watchdog"]) == 1


def test_pulses_take_simulated_time(bare):
    times = []
    for scale in ("1", "10"):
        client, _ = bare("--pulse-us", "500", "--accelerate", scale, "--watchdog-ms", "60000")
        assert json.loads(client.ask("RIG:CAP?")[1])["pulse_s"] == 0.0005 / float(scale)
        began = time.monotonic()
        _, _, pulses = client.program(np.full((8, 6), 20e-6))
        times.append(time.monotonic() - began)
        assert times[-1] >= pulses.sum() * 0.0005 / float(scale)


# ---- what makes no sense

NONSENSE = {
    b"[" * 60000: "JSON",
    b'{"key": ': "JSON",
    b"\xff\xfe": "JSON",
    b"[]": "JSON",
    b'{"key": "0123456789abcdef", "owner": "x", "limits": 3}': "JSON",
    b'{"key": "0123456789abcdef", "owner": "x", "limits": {"v_read_max_v": NaN}}': "JSON",
    b'{"key": "0123456789abcdef", "owner": "x"}': "KEY",
    b'{"key": "short", "owner": "x", "limits": {}}': "KEY",
    b'{"key": "0123456789abcdef", "owner": "", "limits": {}}': "KEY",
    b'{"key": "0123456789abcdef", "owner": "x", "limits": {}, "more": 1}': "KEY",
    b'{"key": "0123456789abcdef", "owner": "x", "limits": {"v_max": 1}}': "KEY",
}
LIMITS = {
    "v_read_max_v": (-1, 0, 0.31, 1e999, "0.1", True, None, [0.1]),
    "pulses_per_cell": (0, -3, 65, 10**400, 1.5),
    "write_budget": (-1,),
    "g_min_s": (0.5e-6, 1.0),
    "tiles": (3,),
}


@pytest.mark.parametrize("block", NONSENSE, ids=range(len(NONSENSE)))
def test_a_session_that_makes_no_sense_is_refused(bare, block):
    client, _ = bare(take=False)
    status, reply = client.ask("RIG:OPEN", block)
    assert (status, reply.decode().split()[0]) == ("NO", NONSENSE[block])
    assert client.open()[0] == "OK"


def test_limits_that_make_no_sense_are_refused(bare):
    client, process = bare(take=False)
    for name, values in LIMITS.items():
        for value in values:
            status, reply = client.open(**{name: value})
            assert status == "NO", (name, value)
            assert reply.decode().split()[0] in ("LIMITS", "JSON"), (name, value, reply)
    assert client.status()["owner"] is None
    assert process.events("open", "internal") == []


def test_commands_that_make_no_sense_are_refused_and_the_connection_lives(bare):
    client, process = bare()
    assert client.ask("RIG:WHAT")[1].startswith(b"COMMAND")
    assert client.ask("RIG:CAP?", tile=7)[1].startswith(b"TILE")
    assert client.ask("RIG:READ?", b"12345")[1].startswith(b"LENGTH")
    assert client.read([float("nan")] * 8).startswith("RANGE")
    for seconds in (b"x", b"nan", b"-1", b"inf", b""):
        assert client.ask("RIG:AGE", seconds)[1].startswith(b"RANGE")
    assert client.program(np.full((8, 6), np.nan)).startswith("RANGE")
    assert client.program(np.full((8, 6), -1e-6)).startswith("RANGE")
    assert client.ask("RIG:CAP?", bytes(1 << 17))[1].startswith(b"LENGTH")
    assert len(client.read([0.1] * 8)) == 6
    assert process.events("internal") == []


@pytest.mark.parametrize(
    ("sent", "number", "code"),
    [
        (b"\xff" * 200 + b"\n", 0, b"FORMAT"),
        (b"RIG:READ? zz,0,00000000,#9000000000\n", 0, b"FORMAT"),
        (b"RIG:READ? 00000005,0,00000000,#9999999999", 5, b"LENGTH"),
        (b"*RST\n", 0, b"COMMAND"),
        (b"RIG:CAP? 00000005,0,00000000,#9000000000\n", 5, b"CHECKSUM"),
        (b"RIG:CAP? 00000005,0,00000000,#9000000100", 5, b"TIMEOUT"),
        (b"x" * 1000, 0, b"FORMAT"),
    ],
)
def test_nonsense_has_one_reply_and_the_connection_lives(bare, sent, number, code):
    client, _ = bare()
    client.socket.sendall(sent)
    said, status, reply = client.reply()
    assert (said, status, reply.split()[0]) == (number, "NO", code)
    if not sent.endswith(b"\n"):
        time.sleep(2.6)  # what was begun is given up
        if code == b"LENGTH":
            assert client.reply()[2].startswith(b"TIMEOUT")
    assert client.ask("RIG:SAFE") == ("OK", b"SAFE")


def test_one_connection_too_many_is_told_so(bare):
    client, process = bare()
    others = [Bare(process.port) for _ in range(31)]
    assert others[-1].ask("RIG:STAT?")[0] == "OK"
    late = Bare(process.port)
    assert late.reply() == (0, "NO", b"BUSY too many connections")
    assert late.file.read() == b""
    others.pop().close()
    process.wait_for("hangup")
    assert client.ask("RIG:BEAT") == ("OK", b"BEAT")
    for each in (*others, late):
        each.close()


# ---- reached from elsewhere

TOKEN = "correct horse battery"


def test_a_rig_with_an_access_token(bare):
    client, process = bare("--token", TOKEN, take=False)
    assert client.ask("RIG:CAP?")[1].startswith(b"AUTH")
    assert client.open()[1].startswith(b"AUTH")
    assert client.ask("RIG:AUTH", b"correct horse batterz")[1].startswith(b"AUTH that is not")
    assert client.ask("RIG:AUTH", TOKEN.encode()) == ("OK", b"AUTH")
    assert client.open()[0] == "OK"
    other = Bare(process.port)
    assert other.ask("RIG:STAT?")[1].startswith(b"AUTH")
    other.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "0.0.0.0"), "expected --token TOKEN"),
        (("--token", "short"), "expected at least 16"),
        (("--accelerate", "0"), "expected a number above 0"),
        (("--session-s", "nan"), "expected seconds above 0"),
    ],
)
def test_options_that_are_refused(options, said):
    command = [sys.executable, "-m", "vsafsm_memristor.rig_simulator", "--port", "0", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert said in done.stderr


def test_it_says_that_the_line_is_not_encrypted():
    command = [sys.executable, "-m", "vsafsm_memristor.rig_simulator", "--port", "0"]
    command += ["--host", "0.0.0.0", "--token", TOKEN]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout.readline().startswith("listening on ")
        started.terminate()
        assert "NOT ENCRYPTED" in started.stderr.read()


def test_without_a_watchdog_nothing_grounds(bare):
    client, process = bare("--sticky", "--no-watchdog")
    client.read([0.1] * 8)
    client.close()
    time.sleep(0.5)
    assert not process.at_zero()


def test_stopping_it_grounds(bare):
    client, process = bare("--sticky", "--watchdog-ms", "60000")
    client.read([0.1] * 8)
    process.process.terminate()
    assert process.process.wait(10) == 0
    assert process.events("ground")[-1]["why"] == "stop"


def test_a_fault_that_it_does_not_know():
    command = [sys.executable, "-m", "vsafsm_memristor.rig_simulator", "--fault", "fire@1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "--fault" in done.stderr
