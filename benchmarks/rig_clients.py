"""Two clients of a simulated rig: whose limits are in force, who reads, and what the logs say.

``python benchmarks/rig_clients.py PART [COUNT]`` with PART one of

- ``interleavings``: all 924 interleavings of two clients' six steps (open, limit, program, read,
  read, close), in process, on a clock of their own;
- ``random`` (10,000): interleavings of 30 random steps, with clients that hang up, fall silent,
  ground, and show a wrong key; every other rig is sticky;
- ``tcp`` (200): two clients in threads of their own, over TCP, at the same time;
- ``watchdog`` (200): a client falls silent with lines up while another asks without pause;
- ``kills`` (200): ``kill -9`` of the client, of the rig, or of both, at a random moment; the
  client's log is held against the rig's;
- ``fuzz`` (1,000,000): lines and blocks that make no sense.

What is right is told by a model of a few lines in this file, which knows nothing of the rig's code.
Judged are the voltages of the rig's log, as they were commanded; those that the rig refuses at once
(``ground`` with ``refused``) are not on a line. Each part has a control that has to fail.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from vsafsm.intervals import wilson
from vsafsm_memristor.rig.errors import RigError
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.history import read_history, unverified
from vsafsm_memristor.rig.log import RigLog
from vsafsm_memristor.rig.scpi import ScpiRig
from vsafsm_memristor.rig_simulator.__main__ import options, server_of
from vsafsm_memristor.rig_simulator.instrument import CONNECTIONS, LARGE, MEMORY, SMALL
from vsafsm_memristor.rig_simulator.lines import Lines
from vsafsm_memristor.rig_simulator.server import Connection

ROWS, COLUMNS = 4, 3
RIG = (
    *("--tiles", "1", "--rows", str(ROWS), "--columns", str(COLUMNS), "--pulses", "8"),
    *("--stuck", "0", "--session-s", "2", "--watchdog-ms", "500", "--pulse-us", "0"),
)
OWN = {"v_program_max_v": 4.0, "v_read_max_v": 0.3}
LIMITS = (
    ({"v_program_max_v": 3.0, "v_read_max_v": 0.25}, {"v_program_max_v": 1.5, "v_read_max_v": 0.1}),
    ({}, {"v_program_max_v": 2.5, "v_read_max_v": 0.2}),
)
"""Of each client: those that it opens with, and the tighter ones that it sets next."""
KEYS = ("key of client zero", "key of client one!")
NAMES = ("zero", "one")
STEPS = ("open", "limit", "program", "read", "read loud", "close")
MORE = (*STEPS, "safe", "beat", "status", "hang up", "wait", "long wait", "steal")
MET = ("FORMAT", "TIMEOUT", "CHECKSUM", "LENGTH", "COMMAND", "TILE", "JSON", "KEY", "LIMITS")
CODES = frozenset(
    (*MET, "RANGE", "BUSY", "SESSION", "CURRENT", "BUDGET", "AUTH", "WATCHDOG", "CUT")
)
"""What the documentation has; `MET` and a few more have to come up in the fuzzing."""


def message(name: str, block: bytes = b"", number: int = 1, tile: int = 0) -> bytes:
    """A command as the documentation has it."""
    head = f"{name} {number:08X},{tile},".encode()
    return head + b"%08X,#9%09d" % (zlib.crc32(head + block), len(block)) + block + b"\n"


def opening(client: int, limits: dict[str, float], key: str | None = None) -> bytes:
    """The command that takes the rig."""
    said = {"key": (key or KEYS[client]).replace(" ", "."), "owner": NAMES[client]}
    return message("RIG:OPEN", json.dumps({**said, "limits": limits}).encode())


def parts(reply: bytes) -> tuple[int, bool, bytes]:
    """A reply: its number, whether it is OK, its block. Raises `ValueError` for what is none."""
    head, block = reply[:32], reply[32:-1]
    good = head[8:9] + head[11:12] + head[20:23] == b",,,#9" and reply[-1:] == b"\n"
    if not good or head[9:11] not in (b"OK", b"NO") or int(head[23:32]) != len(block):
        raise ValueError(reply[:60])
    if zlib.crc32(head[:12] + block) != int(head[12:20], 16):
        raise ValueError("checksum")
    return int(head[:8], 16), head[9:11] == b"OK", block


# ---- in process


@dataclass
class Model:
    """Who owns the rig, and within which limits, as the documentation has it."""

    owner: int | None = None
    limits: dict[str, float] = field(default_factory=dict)
    heard_s: float = 0.0
    there: bool = True
    up: bool = False
    tripped: bool = False

    def free_for(self, client: int, now_s: float) -> bool:
        if self.owner in (None, client):
            return True
        return (not self.there and not self.up) or now_s - self.heard_s > 2.0


class Bench:
    """A rig, two clients, a clock, and the model."""

    def __init__(self, seed: int, sticky: bool, rig_owns: bool = True) -> None:
        self.now_s, self.wrong, self.events = 0.0, Counter[str](), list[dict[str, Any]]()
        args = options().parse_args([*RIG, "--seed", str(seed), *["--sticky"] * sticky])
        self.lines = Lines(None, 0.5, lambda: self.now_s, self.events.append)
        self.server = server_of(args, self.lines, lambda: self.now_s)
        self.clients = [self.server.connect(), self.server.connect()]
        self.model, self.sticky, self.rng = Model(), sticky, np.random.default_rng([seed, 5])
        self.believed = [dict(OWN), dict(OWN)]
        if not rig_owns:  # the control: a rig that lets everybody in
            sessions = self.server.sessions
            sessions.require = lambda connection: sessions._session  # type: ignore[method-assign]

    def ask(self, client: int, sent: bytes) -> tuple[bool, bytes]:
        replies = list(self.clients[client].feed(sent))
        if len(replies) != 1:
            self.wrong["not one reply"] += 1
        _, good, block = parts(replies[0])
        if self.model.owner == client and self.model.there:
            self.model.heard_s = self.now_s
        return good, block

    def step(self, client: int, what: str) -> None:
        """One step of a client, and what is to come of it."""
        self.now_s += 0.001
        before, model = len(self.events), self.model
        owns = model.owner == client and model.there
        if what in ("open", "limit", "steal"):
            self._open(client, what)
        elif what == "program":
            g = self.rng.uniform(1e-6, 40e-6, (ROWS, COLUMNS)) * (self.rng.random() < 0.9)
            good, _ = self.ask(client, message("RIG:PROG", g.astype("<f8").tobytes()))
            self._expect(good == (owns and not model.tripped), "a write")
        elif what in ("read", "read loud"):
            loud = 1.2 if what == "read loud" else 1.0
            most = loud * self.believed[client]["v_read_max_v"]
            v = np.full(ROWS, most).astype("<f8")
            good, _ = self.ask(client, message("RIG:READ?", v.tobytes()))
            kept = model.limits.get("v_read_max_v", 0.0)
            self._expect(good == (owns and not model.tripped and most <= kept), "a reading")
        elif what == "close":
            good, _ = self.ask(client, message("RIG:CLOSE"))
            self._expect(good == owns, "a close")
            if owns:
                model.owner, model.limits, model.up, model.tripped = None, {}, False, False
        elif what == "safe":
            key = KEYS[client].replace(" ", ".").encode()
            good, _ = self.ask(client, message("RIG:SAFE", key))
            self._expect(good == (model.owner in (None, client)), "a grounding")
            model.tripped = model.tripped and not good
        else:
            self._other(client, what, owns)
        self._judge(self.events[before:])

    def _open(self, client: int, what: str) -> None:
        model = self.model
        limits = LIMITS[client][what == "limit"]
        key = KEYS[client][::-1] if what == "steal" else None
        free = model.free_for(client, self.now_s)
        if what == "steal" and model.owner == client:
            free = model.free_for(1 - client, self.now_s)  # a wrong key is anybody's
        if what == "steal" and free:
            return
        good, block = self.ask(client, opening(client, limits, key))
        self._expect(good == free, f"{what}")
        if good and free:
            self.believed[client] = {**OWN, **limits}
            model.owner, model.limits, model.there = client, {**OWN, **limits}, True
            model.heard_s, model.up = self.now_s, False
            said = json.loads(block)["limits"]
            self._expect(all(said[name] == model.limits[name] for name in OWN), "limits said")

    def _other(self, client: int, what: str, owns: bool) -> None:
        model = self.model
        if what == "beat":
            self._expect(self.ask(client, message("RIG:BEAT"))[0] == owns, "a sign of life")
        elif what == "status":
            told = json.loads(self.ask(client, message("RIG:STAT?"))[1])
            gone = model.owner is None or (not model.there and model.free_for(2, self.now_s))
            self._expect(told["owner"] == (None if gone else NAMES[model.owner or 0]), "the owner")
            self._expect(told["yours"] == owns, "whose it is")
        elif what == "hang up":
            self.clients[client].hang_up()
            self.clients[client] = self.server.connect()
            model.there = model.there and not owns
        else:
            self.now_s += 0.6 if what == "wait" else 2.5
            self.lines.watch()
            if model.up:
                model.tripped = True

    def _judge(self, events: list[dict[str, Any]]) -> None:
        model = self.model
        for event, after in pairwise([*events, {"event": ""}]):
            if event["event"] == "lines":
                model.up = any(event["v"])
                if after["event"] == "ground" and after["why"] == "refused":
                    continue
                name = "v_read_max_v" if event["kind"] == "read" else "v_program_max_v"
                most = model.limits.get(name, 0.0)
                self._expect(max(map(abs, event["v"])) <= most + 1e-12, "a voltage")
                named = model.owner is not None and event["owner"] == NAMES[model.owner]
                self._expect(named, "the owner in the log")
            elif event["event"] == "ground":
                model.up = False
            elif event["event"] == "open":
                same = all(event["limits"][each] == model.limits[each] for each in model.limits)
                self._expect(same and event["owner"] == NAMES[model.owner or 0], "the log")
            elif event["event"] == "internal":
                self.wrong["a mistake of the rig"] += 1

    def _expect(self, good: bool, what: str) -> None:
        self.wrong[what] += not good


def interleavings(count: int) -> int:
    """All of them: -> how many go wrong."""
    bad, control, voltages = Counter[str](), 0, 0
    orders = list(combinations(range(12), 6))[:count]
    for seed, first in enumerate(orders):
        for rig_owns in (True, False):
            bench = Bench(seed, sticky=False, rig_owns=rig_owns)
            steps = [iter(STEPS), iter(STEPS)]
            for place in range(12):
                client = 0 if place in first else 1
                with suppress(AttributeError):  # the control has no session to look at
                    bench.step(client, next(steps[client]))
            if rig_owns:
                bad += +bench.wrong
                voltages += sum(each["event"] == "lines" for each in bench.events)
            else:
                control += bool(+bench.wrong)
    return _said("interleavings of 6 steps each", len(orders), bad, voltages, control)


def random_steps(count: int) -> int:
    """Random interleavings: -> how many go wrong."""
    bad, runs, control, voltages = Counter[str](), 0, 0, 0
    for seed in range(count):
        bench, rng = Bench(seed, sticky=bool(seed % 2)), np.random.default_rng([seed, 9])
        for client, what in zip(rng.integers(2, size=30), rng.choice(MORE, 30), strict=True):
            bench.step(int(client), str(what))
        bad += +bench.wrong
        runs += bool(+bench.wrong)
        voltages += sum(each["event"] == "lines" for each in bench.events)
    for seed in range(100):
        bench, rng = Bench(seed, False, rig_owns=False), np.random.default_rng([seed, 9])
        for client, what in zip(rng.integers(2, size=30), rng.choice(STEPS, 30), strict=True):
            with suppress(AttributeError):
                bench.step(int(client), str(what))
        control += bool(+bench.wrong)
    return _said("random interleavings of 30 steps", count, bad, voltages, control, runs)


def _said(
    what: str, count: int, bad: Counter[str], voltages: int, control: int, runs: int | None = None
) -> int:
    wrong = sum(bad.values()) if runs is None else runs
    low, high = wilson(count - wrong, count)
    print(f"{what}: {count - wrong} of {count} right ({100 * low:.2f} to {100 * high:.2f} %),")
    print(f"{voltages} voltages commanded; the control goes wrong in {control}")
    for name, number in bad.items():
        print(f"  wrong: {name}, {number}")
    return wrong + (control == 0)


# ---- over TCP


class Wire:
    """A bare client over TCP."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def ask(self, sent: bytes) -> tuple[bool, bytes]:
        self.socket.sendall(sent)
        head = self.file.read(32)
        _, good, block = parts(head + self.file.read(int(head[23:32]) + 1))
        return good, block

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@dataclass
class Process:
    """A simulated rig in a process of its own."""

    folder: Path
    more: tuple[str, ...]

    def __enter__(self) -> Process:
        self.log = self.folder / f"lines-{time.monotonic_ns()}.jsonl"
        command = [sys.executable, "-m", "vsafsm_memristor.rig_simulator", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--log", str(self.log), *self.more], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().split()[-1])
        return self

    def __exit__(self, *details: object) -> None:
        self.process.terminate()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def events(self) -> list[dict[str, Any]]:
        """Whole lines of its log."""
        return [json.loads(line) for line in self.log.read_bytes().split(b"\n")[:-1]]


def _busy_client(port: int, client: int, seed: int, told: list[Counter[str]]) -> None:
    rng, wire = np.random.default_rng([seed, client, 3]), Wire(port)
    count, believed = told[client], dict(OWN)
    for what in rng.choice(STEPS, 30):
        if what in ("open", "limit"):
            limits = LIMITS[client][what == "limit"]
            good, _ = wire.ask(opening(client, limits))
            believed = {**OWN, **limits} if good else believed
            count["opened"] += good
        elif what == "program":
            g = rng.uniform(1e-6, 40e-6, (ROWS, COLUMNS)).astype("<f8")
            count["written"] += wire.ask(message("RIG:PROG", g.tobytes()))[0]
        elif what == "close":
            wire.ask(message("RIG:CLOSE"))
        else:
            v = np.full(ROWS, believed["v_read_max_v"], "<f8")
            count["read"] += wire.ask(message("RIG:READ?", v.tobytes()))[0]
    wire.close()


def tcp(count: int) -> int:
    """Two at the same time: -> how many runs go wrong."""
    bad, total, both = 0, Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            told = [Counter[str](), Counter[str]()]
            with Process(Path(folder), (*RIG, "--seed", str(seed), "--pulse-us", "20")) as rig:
                threads = [
                    threading.Thread(target=_busy_client, args=(rig.port, client, seed, told))
                    for client in (0, 1)
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(60)
                events = rig.events()
            bad += not _true(events, told)
            both += all(each["opened"] for each in told)
            total += told[0] + told[1]
    low, high = wilson(count - bad, count)
    print(f"two clients at once over TCP: {count - bad} of {count} runs right", end=" ")
    print(f"({100 * low:.2f} to {100 * high:.2f} %), both owned the rig in {both};")
    print(f"{total['opened']} sessions, {total['read']} readings, {total['written']} writes")
    return bad + (both == 0)


def _true(events: list[dict[str, Any]], told: list[Counter[str]]) -> bool:
    """Whether each voltage is that of the session before it, and each reading its owner's."""
    owner, limits, reads = "", dict[str, float](), Counter[str]()
    for event, after in pairwise([*events, {"event": ""}]):
        if event["event"] == "open":
            owner, limits = event["owner"], event["limits"]
        elif event["event"] == "close":
            owner, limits = "", {}
        elif event["event"] == "lines":
            refused = after["event"] == "ground" and after["why"] == "refused"
            name = "v_read_max_v" if event["kind"] == "read" else "v_program_max_v"
            if event["owner"] != owner:
                return False
            if not refused and max(map(abs, event["v"])) > limits[name] + 1e-12:
                return False
            reads[event["owner"]] += event["kind"] == "read" and not refused
    return all(told[client]["read"] <= reads[NAMES[client]] for client in (0, 1))


def watchdog(count: int) -> int:
    """Silence of the owner while another talks: -> how many are late."""
    limit_s, late, waits, asked = 0.5, 0, list[float](), 0
    more = ("--sticky", *RIG, "--watchdog-ms", str(1000 * limit_s))
    with tempfile.TemporaryDirectory() as folder, Process(Path(folder), more) as rig:
        other = Wire(rig.port)
        for _ in range(count):
            owner = Wire(rig.port)
            owner.ask(opening(0, {}))
            owner.ask(message("RIG:READ?", np.full(ROWS, 0.2, "<f8").tobytes()))
            while json.loads(other.ask(message("RIG:STAT?"))[1])["up"]:
                other.socket.sendall(b"*IDN?\n")
                other.file.readline()
                other.ask(message("RIG:CAP?"))
                other.ask(opening(1, {}))
                other.ask(message("RIG:READ?", np.zeros(ROWS, "<f8").tobytes()))
                asked += 5
            owner.ask(message("RIG:CLOSE"))
            owner.close()
        other.close()
        events = [each for each in rig.events() if each["event"] in ("lines", "ground")]
    for before, after in pairwise(events):
        if before["event"] == "lines" and after["event"] == "ground":
            waits.append((after["t_ns"] - before["t_ns"]) / 1e9 / limit_s)
            late += after["why"] != "watchdog" or waits[-1] > 1.2
    late += abs(count - len(waits))
    low, high = wilson(count - late, count)
    print(f"watchdog of {limit_s:g} s: {count - late} of {count} within 1.2 of its time", end=" ")
    print(f"({100 * low:.2f} to {100 * high:.2f} %), {min(waits):.3f} to {max(waits):.3f} of it,")
    print(f"while another asked {asked} times")
    return late + (min(waits) < 0.98)


# ---- kill -9


class Maps:
    """Conductances for one tile."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.siemens = (rng.uniform(1e-6, 40e-6, (8, 6)),)
        self.content_hash, self.v_read_v = "rig_clients", 0.15


def _work(port: int, seed: int, path: str) -> None:
    """The client that is killed: never returns."""
    with suppress(RigError, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        rng = np.random.default_rng([seed, 4])
        log = RigLog(path)
        rig = ScpiRig(f"TCPIP0::127.0.0.1::{port}::SOCKET", timeout_s=0.5)
        maps = Maps(rng)
        with GuardedRig(rig, log=log) as guard:
            guard.arm(maps, guard.plan(maps, corrections=10**6).token, corrections=10**6)
            for number in range(4000):
                if number % 20 == 0:
                    guard.program(0, maps.siemens[0])
                guard.read(0, rng.uniform(-0.3, 0.3, 8))
    os._exit(0)


def kills(count: int) -> int:
    """``kill -9``: -> how many logs say what is not so."""
    bad, tally, control = Counter[str](), Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            rng = np.random.default_rng([seed, 6])
            who = ("client", "rig", "both")[seed % 3]
            log = Path(folder) / f"client-{seed}.jsonl"
            more = ("--tiles", "1", "--rows", "8", "--columns", "6", "--watchdog-ms", "200")
            with Process(Path(folder), (*more, "--pulse-us", "60", "--seed", str(seed))) as rig:
                child = os.fork()
                if child == 0:
                    _work(rig.port, seed, str(log))
                while not log.exists() or b'"arm"' not in log.read_bytes():
                    time.sleep(0.005)
                time.sleep(float(rng.uniform(0.0, 0.5)))
                if who in ("client", "both"):
                    os.kill(child, signal.SIGKILL)
                if who in ("rig", "both"):
                    rig.process.kill()
                if who == "rig":
                    _reap(child)
                else:
                    os.waitpid(child, 0)
                    time.sleep(0.3)  # what was under way may still be carried out
                events = rig.events()
            for what in _differences(log, events, who):
                bad[what] += 1
            tally[who] += 1
            cells = [int(c.sum()) for c in unverified(read_history(log)).values()]
            tally["unverified"] += any(cells)
            control += bool(_differences(log, [*events, _EXTRA], who))
    wrong = sum(bad.values())
    low, high = wilson(count - min(count, wrong), count)
    print(f"kill -9 ({tally['client']} client, {tally['rig']} rig, {tally['both']} both):", end=" ")
    print(f"{count - wrong} of {count} logs say what the lines did", end=" ")
    print(f"({100 * low:.2f} to {100 * high:.2f} %),")
    print(f"{tally['unverified']} list cells that were not verified; of logs with one voltage more")
    print(f"on the lines, {control} are found")
    for name, number in bad.items():
        print(f"  wrong: {name}, {number}")
    return wrong + (control < count)


_EXTRA = {"event": "lines", "kind": "read", "v": [0.123456789], "owner": "?", "t_ns": 0}


def _differences(log: Path, events: list[dict[str, Any]], who: str) -> Iterator[str] | list[str]:
    """What the client's log says that the lines did not do, or the other way round."""
    entries = [entry for run in read_history(log).runs for entry in run]
    asked = [e["v_volts"] for e in entries if e["event"] == "command" and e["command"] == "read"]
    answered = sum(e["event"] == "reply" and e["command"] == "read" for e in entries)
    done = [e["v"] for e in events if e["event"] == "lines" and e["kind"] == "read"]
    found = []
    if done != asked[: len(done)] or len(asked) - len(done) > 1:
        found.append("readings")
    if answered > len(done):
        found.append("a reading that was not there")
    programs = [e for e in entries if e["event"] == "command" and e["command"] == "program"]
    pulses = [
        abs(v) for e in events if e["event"] == "lines" and e["kind"] == "pulse" for v in e["v"]
    ]
    if pulses and (not programs or max(pulses) > programs[0]["v_max_volts"]):
        found.append("pulses")
    last = [e for e in events if e["event"] in ("lines", "ground")][-1:]
    up = bool(last) and last[0]["event"] == "lines" and any(last[0]["v"])
    confirmed = [e["confirmed"] for e in entries if e["event"] == "safe"][-1:]
    if up and (confirmed == [True] or who == "client"):
        found.append("lines that are up")
    return found


def _reap(child: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


# ---- nonsense


def fuzz(count: int) -> int:
    """Lines and blocks that make no sense: -> how many replies are none of the documented."""
    rng = np.random.default_rng(11)
    bench = Bench(0, sticky=False)
    clients: list[Connection] = [bench.server.connect() for _ in range(8)]
    seeds = _seeds(rng)
    codes, wrong, sent = Counter[str](), Counter[str](), 0
    most = _hoarded()
    began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while sent < count:
        place = int(rng.integers(len(clients)))
        for _ in range(int(rng.integers(1, 20))):
            data = _nonsense(rng, seeds)
            sent += 1
            _count(list(clients[place].feed(data)), codes, wrong)
        most = max(most, sum(client.held for client in clients))
        if rng.random() < 0.3:
            _count(list(clients[place].give_up()), codes, wrong)
            _count(list(clients[place].feed(message("RIG:CAP?"))), codes, wrong, alive=True)
        if rng.random() < 0.01:
            clients[place].hang_up()
            clients[place] = bench.server.connect()
        bench.events.clear()
        bench.now_s += 0.01
        bench.lines.watch()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began
    replies = sum(codes.values())
    low, high = wilson(replies - sum(wrong.values()), replies)
    print(
        f"{sent} lines and blocks, {replies} replies, {sum(wrong.values())} not documented", end=" "
    )
    print(f"({100 * low:.4f} to {100 * high:.4f} % are);")
    print(f"at most {most} bytes of {MEMORY} held, the process grew by {grown / 1024:.1f} MiB")
    print("  " + ", ".join(f"{code} {number}" for code, number in sorted(codes.items())))
    for name, number in wrong.items():
        print(f"  wrong: {name}, {number}")
    met = codes.keys() >= {*MET, "RANGE", "BUSY", "SESSION"}
    return sum(wrong.values()) + (most > MEMORY) + (not met)


def _hoarded() -> int:
    """Bytes that are held when all connections promise as much as they may, and send it all but
    for the end.
    """
    server = Bench(0, sticky=False).server
    clients = [server.connect() for _ in range(CONNECTIONS)]
    for client in clients[: CONNECTIONS // 2]:  # one of them may
        list(client.feed(opening(0, {})))
        list(client.feed(b"RIG:PROG 00000001,0,00000000,#9%09d" % LARGE))
    while clients[0].held < LARGE:
        list(clients[0].feed(bytes(min(SMALL, LARGE - clients[0].held))))
    for client in clients[CONNECTIONS // 2 :]:
        list(client.feed(b"RIG:OPEN 00000001,0,00000000,#9%09d" % SMALL + bytes(SMALL)))
    return sum(client.held for client in clients)


def _count(
    replies: list[bytes], codes: Counter[str], wrong: Counter[str], alive: bool = False
) -> None:
    good = 0
    for reply in replies:
        if reply.startswith(b"vsafsm,") and reply.endswith(b"\n"):
            codes["*IDN?"] += 1
            continue
        try:
            _, fine, block = parts(reply)
        except ValueError as error:
            wrong[f"no reply: {error}"] += 1
            continue
        code = "OK" if fine else block.split(b" ")[0].decode("latin-1")
        good += fine
        codes[code] += 1
        wrong[f"code {code}"] += code != "OK" and code not in CODES
    wrong["a connection that is dead"] += alive and not good
    for name in [name for name, number in wrong.items() if not number]:
        del wrong[name]


def _seeds(rng: np.random.Generator) -> list[bytes]:
    g = rng.uniform(1e-6, 40e-6, (ROWS, COLUMNS)).astype("<f8").tobytes()
    v = np.full(ROWS, 0.1, "<f8").tobytes()
    names = ("CAP?", "USAB?", "STAT?", "LOG?", "BEAT", "SAFE", "CLOSE", "AUTH", "OPEN", "WHAT")
    return [
        *(message(f"RIG:{name}") for name in names),
        *(opening(client, limits) for client in (0, 1) for limits in LIMITS[client]),
        opening(0, {"v_read_max_v": -1.0}),
        opening(0, {"v_max": 1.0}),
        opening(0, {"pulses_per_cell": 10**30}),
        message(
            "RIG:OPEN", b'{"key": "0123456789abcdef", "owner": "x", "limits": {"g_min_s": NaN}}'
        ),
        message("RIG:OPEN", b"[" * 3000),
        message("RIG:PROG", g),
        message("RIG:READ?", v),
        message("RIG:READ?", np.full(ROWS, np.nan, "<f8").tobytes()),
        message("RIG:READ?", np.full(ROWS, 9.0, "<f8").tobytes()),
        message("RIG:PROG", b"1234"),
        message("RIG:CAP?", tile=7),
        message("RIG:AGE", b"nan"),
        message("RIG:AGE", b"1"),
        b"*IDN?\n",
        b"*RST\n",
        b"\n",
        b"x" * 500,
        b"RIG:CAP? 00000001,0,00000000,#9999999999",
        b"RIG:PROG 00000001,0,00000000,#9014000000",
        b"RIG:CAP? 00000001,0,00000000,#9000060000",
    ]


def _nonsense(rng: np.random.Generator, seeds: list[bytes]) -> bytes:
    data = bytearray(seeds[int(rng.integers(len(seeds)))])
    how = rng.random()
    if how < 0.4:
        return bytes(data)
    if how < 0.7:
        for place in rng.integers(len(data), size=int(rng.integers(1, 4))):
            data[place] = int(rng.integers(256))
    elif how < 0.8:
        del data[int(rng.integers(len(data))) :]
    elif how < 0.9:
        data[int(rng.integers(len(data))) : 0] = rng.bytes(int(rng.integers(1, 90)))
    else:
        return rng.bytes(int(rng.integers(1, 4000)))
    return bytes(data)


PARTS: dict[str, tuple[Callable[[int], int], int]] = {
    "interleavings": (interleavings, 924),
    "random": (random_steps, 10_000),
    "tcp": (tcp, 200),
    "watchdog": (watchdog, 200),
    "kills": (kills, 200),
    "fuzz": (fuzz, 1_000_000),
}


def main() -> int:
    """Run a part: -> 0 where nothing went wrong and the control was found."""
    if len(sys.argv) < 2 or sys.argv[1] not in PARTS:
        print(f"expected one of {', '.join(PARTS)}", file=sys.stderr)
        return 2
    part, count = PARTS[sys.argv[1]]
    return 1 if part(int(sys.argv[2]) if len(sys.argv) > 2 else count) else 0


if __name__ == "__main__":
    sys.exit(main())
