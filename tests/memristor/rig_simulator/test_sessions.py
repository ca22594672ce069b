"""The simulated rig in process, on a clock of its own: owners, memory, and mistakes of its own."""

from __future__ import annotations

import json
import zlib

import numpy as np
import pytest

from vsafsm_memristor.rig_simulator.__main__ import options, server_of
from vsafsm_memristor.rig_simulator.instrument import CONNECTIONS, LARGE, MEMORY, SMALL
from vsafsm_memristor.rig_simulator.lines import Lines

V = np.full(8, 0.1).astype("<f8").tobytes()


class Bench:
    """A rig without a network."""

    def __init__(self, *more):
        self.now_s, self.events = 0.0, []
        small = ("--tiles", "1", "--rows", "8", "--columns", "6", "--pulse-us", "0")
        args = options().parse_args([*small, "--session-s", "5", *more])
        self.lines = Lines(None, 1.0, lambda: self.now_s, self.events.append)
        self.server = server_of(args, self.lines, lambda: self.now_s)


def ask(connection, name, block=b""):
    head = f"RIG:{name} 00000001,0,".encode()
    sent = head + b"%08X,#9%09d" % (zlib.crc32(head + block), len(block)) + block + b"\n"
    (reply,) = connection.feed(sent)
    return reply[9:11].decode(), reply[32:-1]


def take(connection, name="a", **limits):
    said = {"key": name * 16, "owner": name, "limits": limits}
    return ask(connection, "OPEN", json.dumps(said).encode())


def test_a_silent_owner_loses_it_when_another_wants_it():
    bench = Bench("--sticky")
    one, two = bench.server.connect(), bench.server.connect()
    take(one)
    bench.now_s = 5.0
    assert take(two, "b")[1] == b"BUSY owned by a"
    ask(one, "BEAT")
    bench.now_s = 9.9
    assert take(two, "b")[0] == "NO"
    assert ask(one, "READ?", V)[0] == "OK"  # nobody has taken it
    bench.now_s = 15.0
    assert take(two, "b")[0] == "OK"
    assert ask(one, "READ?", V)[1] == b"BUSY owned by b"
    assert [e["why"] for e in bench.events if e["event"] == "ground"] == ["taken"]


def test_an_owner_that_hung_up_is_waited_for_while_lines_are_up():
    bench = Bench("--sticky")
    one, two = bench.server.connect(), bench.server.connect()
    take(one)
    ask(one, "READ?", V)
    one.hang_up()
    assert take(two, "b")[0] == "NO"
    assert json.loads(ask(two, "STAT?")[1])["owner"] == "a"
    bench.now_s = 1.1
    bench.lines.watch()
    assert json.loads(ask(two, "STAT?")[1])["owner"] is None
    assert take(two, "b")[0] == "OK"
    assert [e["why"] for e in bench.events if e["event"] == "ground"] == ["watchdog"]


def test_taking_it_anew_does_not_renew_the_budget():
    bench = Bench("--stuck", "0")
    one = bench.server.connect()
    g = np.zeros((8, 6))
    g[0] = 39e-6
    most = 64 * 6
    take(one, write_budget=most)
    assert ask(one, "PROG", g.astype("<f8").tobytes())[0] == "OK"
    assert ask(one, "PROG", g.astype("<f8").tobytes())[1].startswith(b"BUDGET")
    take(one, write_budget=most)
    assert ask(one, "PROG", g.astype("<f8").tobytes())[1].startswith(b"BUDGET")


def test_a_line_that_would_carry_too_much_is_refused():
    bench = Bench("--stuck", "0")
    one = bench.server.connect()
    take(one)
    assert ask(one, "PROG", np.full((8, 6), 30e-6).astype("<f8").tobytes())[0] == "OK"
    take(one, i_line_max_a=1e-5)
    assert ask(one, "READ?", V)[1].startswith(b"CURRENT")
    assert bench.events[-1]["why"] == "refused"
    take(one, i_line_max_a=1e-4)
    assert ask(one, "READ?", V)[0] == "OK"


def test_tiles_and_lines_beyond_the_limits_of_a_session_are_refused():
    bench = Bench()
    one = bench.server.connect()
    take(one, rows=4, columns=3)
    assert ask(one, "READ?", V)[1].startswith(b"RANGE")
    v = np.where(np.arange(8) < 4, 0.1, 0.0).astype("<f8").tobytes()
    assert ask(one, "READ?", v)[0] == "OK"
    g = np.full((8, 6), 1e-5)
    assert ask(one, "PROG", g.astype("<f8").tobytes())[1].startswith(b"RANGE")
    g[4:] = g[:, 3:] = 0
    assert ask(one, "PROG", g.astype("<f8").tobytes())[0] == "OK"


def test_memory_is_bounded_over_all_connections():
    server = Bench().server
    clients = [server.connect() for _ in range(CONNECTIONS)]
    for client in clients[:3]:  # the session moves on, and each promises as much as an owner may
        take(client)
        replies = list(client.feed(b"RIG:PROG 00000001,0,00000000,#9%09d" % LARGE))
        assert [b"another long block" in each for each in replies] == [True] * (
            client is not clients[0]
        )
    for client in clients:
        list(client.feed(bytes(SMALL)))
        list(client.feed(b"RIG:OPEN 00000001,0,00000000,#9%09d" % SMALL + bytes(SMALL)))
    assert sum(client.held for client in clients) < MEMORY
    stranger = clients[-1]
    list(stranger.give_up())
    (reply,) = stranger.feed(b"RIG:OPEN 00000001,0,00000000,#9%09d" % (SMALL + 1))
    assert b"LENGTH" in reply
    clients[0].hang_up()
    fresh = server.connect()
    take(fresh)
    assert list(fresh.feed(b"RIG:PROG 00000001,0,00000000,#9%09d" % LARGE)) == []


def test_a_mistake_of_its_own_grounds_the_lines(monkeypatch):
    bench = Bench("--sticky")
    one = bench.server.connect()
    take(one)
    ask(one, "READ?", V)
    instrument = bench.server.instrument
    monkeypatch.setattr(instrument, "answer", lambda *_: 1 / 0)
    assert ask(one, "READ?", V)[1].startswith(b"INTERNAL")
    assert [e["event"] for e in bench.events][-2:] == ["ground", "internal"]


@pytest.mark.parametrize("name", ["CAP?", "USAB?", "STAT?", "LOG?"])
def test_looking_waits_for_nobody(name):
    bench = Bench()
    one, two = bench.server.connect(), bench.server.connect()
    take(one)
    with bench.server.instrument._work:  # as if a write were under way
        assert ask(two, name)[0] == "OK"
        assert take(two, "b")[0] == "NO"
        assert ask(one, "SAFE")[0] == "OK"
