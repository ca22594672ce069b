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
        header = self.file.read(32)
        reply = self.file.read(int(header[23:]) + 1)
        assert int(header[:8], 16) == self.number
        assert zlib.crc32(header[:12] + reply[:-1]) == int(header[12:20], 16)
        return header[9:11].decode(), reply[:-1]

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

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def bare(simulator):
    """Starts a simulated rig and talks to it: -> (client, simulator)."""
    clients = []

    def start(*options):
        process = simulator(*options)
        clients.append(Bare(process.port))
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


def test_talking_feeds_the_watchdog(bare):
    client, process = bare("--sticky", "--watchdog-ms", "200")
    client.read([0.1] * 8)
    for _ in range(20):
        time.sleep(0.02)
        client.ask("RIG:CAP?")
    assert process.events("ground") == []


def test_without_a_watchdog_nothing_grounds(bare):
    client, process = bare("--sticky", "--no-watchdog")
    client.read([0.1] * 8)
    client.close()
    time.sleep(0.5)
    assert not process.at_zero()


@pytest.mark.parametrize(
    "block", [b"\xff" * 200, b"RIG:READ? zz,0,00000000,#9000000000\n", b"*IDN?\nxx\n" + b"y" * 80]
)
def test_nonsense_is_hung_up_on_and_the_next_client_is_served(bare, block):
    client, process = bare()
    client.socket.sendall(block)
    while client.file.readline():
        pass
    other = Bare(process.port)
    assert other.ask("RIG:SAFE") == ("OK", b"SAFE")
    other.close()


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
