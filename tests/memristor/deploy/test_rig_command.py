"""``vsafsm rig`` as a user calls it, against simulated rigs; maps and loop are stand-ins."""

from __future__ import annotations

import json
import re
import types

import numpy as np
import pytest

import vsafsm
from vsafsm_memristor.deploy import rig_access, rig_run
from vsafsm_memristor.rig.protocol import UNTOUCHED
from vsafsm_memristor.rig.scpi import ScpiRig


@pytest.fixture
def program(turnstile_path):
    return turnstile_path


@pytest.fixture(scope="module")
def turnstile_path(tmp_path_factory):
    from vsafsm.examples import copy_example

    folder = tmp_path_factory.mktemp("program")
    path = folder / "turnstile.npz"
    vsafsm.compile(vsafsm.load(copy_example("turnstile", folder))).save(path)
    return str(path)


class StandIns:
    """What `maps_of` and `ClosedLoopSession` would do: cells of the first tile, and a session
    that reads and says why.
    """

    def __init__(self):
        self.hash, self.value, self.read_v, self.wrong, self.options = (
            "one",
            10e-6,
            0.2,
            False,
            None,
        )

    def maps_of(self, program, identity, **options):
        self.options = options
        g = np.where(identity.usable[0], self.value, UNTOUCHED)
        return types.SimpleNamespace(siemens=(g,), content_hash=self.hash, v_read_v=self.read_v)

    def session(self, program, maps, rig, crossbar=None):
        return Session(program, maps, rig, self.wrong)


class Session:
    def __init__(self, program, maps, rig, wrong):
        self.machine, self.rig, self.wrong, self.word = program.machine, rig, wrong, []
        self.v = np.full(maps.siemens[0].shape[0], maps.v_read_v)

    def send(self, symbol):
        self.amperes = self.rig.read(0, self.v)
        self.word.append(symbol)
        return self.state

    @property
    def state(self):
        return None if self.wrong else self.machine.run(self.word).states[-1]

    @property
    def outputs(self):
        ran = self.machine.run(self.word)
        return ran.outputs[-1] if self.word else ran.initial_outputs

    def close(self):
        self.rig.safe()


@pytest.fixture
def stand_ins(monkeypatch):
    stand_ins = StandIns()
    monkeypatch.setattr(rig_access, "maps_of", stand_ins.maps_of)
    monkeypatch.setattr(rig_run, "ClosedLoopSession", stand_ins.session)
    return stand_ins


def token_in(out):
    return out.split("--arm ")[1].split()[0]


# ---- check


def test_check_applies_no_voltage(run, simulator):
    process = simulator()
    code, out, _ = run("rig", "check", process.address)
    assert code == 0
    assert "simulated rig, serial SIM-0" in out
    assert process.events("lines") == []


def test_check_as_json(run, simulator):
    code, out, _ = run("rig", "check", simulator("--no-watchdog").address, "--json")
    said = json.loads(out)
    assert (code, said["passed"], said["watchdog_s"], said["limits"]["rows"]) == (0, True, None, 8)


def test_check_finds_a_broken_rule(run, simulator):
    code, out, _ = run("rig", "check", simulator("--v-read-max-v", "5").address)
    assert code == 1
    assert "NO" in out


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("TCPIP0::127.0.0.1::1::SOCKET", "no rig at"),
        ("COM1", "is no address of a rig"),
        ("ARC2::nothing.json", "does not describe an ArC TWO"),
        ("::::", "cannot open"),
    ],
)
def test_an_address_without_a_rig(run, address, message):
    code, _, err = run("rig", "check", address, "--timeout-s", "0.3")
    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    "options", [("--fault", "mute@1"), ("--fault", "garbage@1"), ("--g-min-us", "50")]
)
def test_a_rig_that_does_not_answer_as_one(run, simulator, options):
    code, out, err = run("rig", "check", simulator(*options).address, "--timeout-s", "0.3")
    assert (code, out) == (2, "")
    assert "expected" in err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan"])
def test_a_time_limit_that_is_none(run, seconds):
    code, _, err = run("rig", "check", "TCPIP0::127.0.0.1::1::SOCKET", f"--timeout-s={seconds}")
    assert code == 2
    assert "seconds above 0" in err


def test_an_armed_check_writes_a_few_cells_and_reads_them(run, simulator, tmp_path):
    process, log = simulator("--stuck", "0"), tmp_path / "log"
    code, out, _ = run("rig", "check", process.address)
    token = token_in(out)
    code, out, _ = run("rig", "check", process.address, "--arm", token, "--log", log)
    assert code == 0
    said = re.sub(" +", " ", out)
    assert "cells follow when they are written again yes 16 of 16 cells" in said
    assert "each cell that was written was verified yes" in said
    assert process.commanded_v("pulse") > 0
    assert process.at_zero()
    assert process.events("open")[-1]["owner"] in {e["owner"] for e in process.events("lines")}
    code, out, _ = run("rig", "check", "--log", log)
    assert (code, "The log keeps every rule." in out) == (0, True)
    assert json.loads(run("rig", "check", "--log", log, "--json")[1])["passed"]


def test_an_armed_check_finds_cells_that_stick(run, simulator):
    address = simulator("--stuck", "0.6").address
    token = token_in(run("rig", "check", address)[1])
    code, out, _ = run("rig", "check", address, "--arm", token)
    assert code == 1
    assert "Not a rig to arm." in out


def test_a_log_of_a_rig_that_cannot_be_opened_says_so(run, tmp_path):
    log = tmp_path / "log"
    address = "TCPIP0::127.0.0.1::1::SOCKET"
    assert run("rig", "program", "x", address, "--log", log)[0] == 2
    code, _, err = run("rig", "check", address, "--timeout-s", "0.3", "--log", log)
    assert code == 2
    said = [json.loads(line) for line in log.read_text().splitlines()]
    assert [entry["event"] for entry in said] == ["connect", "error"]
    assert said[-1]["message"].startswith("UnreachableError: no rig at")
    assert said[-1]["message"].partition(": ")[2] in err


@pytest.mark.parametrize("flags", [(), ("--log", "no/such/log"), ("--log", "x", "--arm", "y")])
def test_a_check_of_nothing(run, flags):
    code, out, err = run("rig", "check", *flags)
    assert (code, out) == (2, "")
    assert "expected" in err


def test_a_check_of_a_rig_that_another_owns(run, simulator):
    process = simulator()
    owner = ScpiRig(process.address)
    owner.take(owner.identify().limits)
    code, out, _ = run("rig", "check", process.address)
    assert code == 0
    assert out.count("busy, owned by ") == 2
    assert process.events("lines") == []
    assert owner.status().mine
    owner.close()


# ---- program


def test_program_first_shows_and_then_does(run, simulator, stand_ins, program, tmp_path):
    process, log = simulator(), tmp_path / "rig.jsonl"
    code, out, _ = run("rig", "program", program, process.address, "--v-program-max-v", "2.5")
    assert code == 0
    assert "nothing was sent" in out
    assert process.events("lines") == []
    token = token_in(out)
    code, out, _ = run(
        *(
            "rig",
            "program",
            program,
            process.address,
            "--v-program-max-v",
            "2.5",
            "--arm",
            token,
            "--log",
            log,
        )
    )
    assert code == 0
    assert "48 of 48 cells are within tolerance (100.00 %)" in out
    assert "simulated rig" in out
    assert 0 < process.commanded_v("pulse") <= 2.5
    assert process.at_zero()
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert events == ["connect", "open", "plan", "arm", "command", "reply", "safe", "close"]


def test_program_as_json(run, simulator, stand_ins, program):
    address = simulator().address
    said = json.loads(run("rig", "program", program, address, "--json")[1])
    assert (said["armed"], said["plan"]["cells"]) == (False, 48)
    code, out, _ = run("rig", "program", program, address, "--json", "--arm", said["plan"]["token"])
    assert (code, json.loads(out)["share"]) == (0, 1.0)


def test_program_says_when_cells_do_not_get_there(run, simulator, stand_ins, program):
    address = simulator("--stuck", "0.5").address
    token = token_in(run("rig", "program", program, address)[1])
    code, out, _ = run("rig", "program", program, address, "--arm", token)
    assert code == 1
    assert "cells are within tolerance" in out


REFUSED = {
    "unarmed token": (("--arm", "please"), {}, (), "is no token"),
    "token of other maps": (("--arm", "TOKEN"), {"hash": "two"}, (), "made for other maps"),
    "token of other limits": (
        ("--arm", "TOKEN", "--v-read-max-v", "0.25"),
        {},
        (),
        "made under other limits",
    ),
    "nan": ((), {"value": float("nan")}, (), "expected finite numbers"),
    "out of range": ((), {"value": 50e-6}, (), "expected 1e-06 to 4e-05 S"),
    "above the user's range": (("--g-max-s", "5e-6"), {}, (), "expected 1e-06 to 5e-06 S"),
    "read voltage": ((), {"read_v": 0.5}, (), "are read at 0.5 V"),
    "line current": (("--i-line-max-a", "1e-5"), {}, (), "expected at most 1e-05 A"),
    "budget": (("--write-budget", "100"), {}, (), "a write budget of 100 pulses"),
    "limit": (("--v-read-max-v", "-1"), {}, (), "expected a finite number above 0"),
    "limits apart": (("--g-min-s", "1e-3"), {}, (), "at most g_max_s"),
    "no watchdog": (("--arm", "TOKEN"), {}, ("--no-watchdog",), "has no watchdog"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_any_voltage(run, simulator, stand_ins, program, name):
    flags, changes, options, message = REFUSED[name]
    process = simulator(*options)
    token = token_in(run("rig", "program", program, process.address)[1])
    vars(stand_ins).update(changes)
    flags = [token if flag == "TOKEN" else flag for flag in flags]
    code, out, err = run("rig", "program", program, process.address, *flags)
    assert (code, out) == (2, "")
    assert message in err
    assert process.events("lines") == []


def test_a_token_of_another_rig(run, simulator, stand_ins, program):
    token = token_in(run("rig", "program", program, simulator("--serial", "A").address)[1])
    process = simulator("--serial", "B")
    code, _, err = run("rig", "program", program, process.address, "--arm", token)
    assert code == 2
    assert "made for another rig" in err
    assert process.events("lines") == []


def test_a_rig_without_a_watchdog_on_demand(run, simulator, stand_ins, program):
    process = simulator("--no-watchdog")
    token = token_in(run("rig", "program", program, process.address)[1])
    assert (
        run("rig", "program", program, process.address, "--arm", token, "--allow-no-watchdog")[0]
        == 0
    )


def test_a_fault_in_the_middle(run, simulator, stand_ins, program):
    process = simulator("--fault", "garbage@20", "--sticky")
    token = token_in(run("rig", "program", program, process.address)[1])
    code, out, _ = run(
        "rig", "program", program, process.address, "--arm", token, "--timeout-s", "0.5"
    )
    assert (code, out) == (2, "")
    assert process.at_zero()


def test_what_is_no_program_is_refused_before_the_rig_is_touched(run, simulator, tmp_path):
    process = simulator()
    (tmp_path / "no.npz").write_bytes(b"no")
    code, _, _ = run("rig", "program", tmp_path / "no.npz", process.address)
    assert code == 2
    assert process.events("connect") == []


def test_a_log_that_cannot_be_written(run, simulator, stand_ins, program, tmp_path):
    process = simulator()
    code, _, err = run("rig", "program", program, process.address, "--log", tmp_path / "no" / "log")
    assert code == 2
    assert "cannot write the log" in err
    assert process.events("connect") == []


def test_options_are_the_backends(run, simulator, stand_ins, program, install):
    from vsafsm.backend import Option
    from vsafsm.reference import ReferenceBackend

    class Memristor(ReferenceBackend):
        name, options = "memristor", (Option("levels", int, 8, "", "levels"),)

    address = simulator().address
    install("memristor", backend=Memristor())
    assert run("rig", "program", program, address, "-O", "levels=4")[0] == 0
    assert stand_ins.options == {"levels": 4}
    code, _, err = run("rig", "program", program, address, "-O", "level=4")
    assert code == 2
    assert 'did you mean "levels"' in err


def test_a_rig_that_another_owns_is_left_alone(run, simulator, stand_ins, program, tmp_path):
    process, log = simulator("--sticky", "--watchdog-ms", "60000"), tmp_path / "log"
    token = token_in(run("rig", "program", program, process.address)[1])
    owner = ScpiRig(process.address)
    owner.take(owner.identify().limits)
    owner.read(0, np.full(8, 0.1))
    flags = ("--arm", token, "--log", log)
    code, out, err = run("rig", "program", program, process.address, *flags)
    assert (code, out) == (2, "")
    assert "busy, owned by" in err
    assert process.events("ground") == []
    assert len(process.events("lines")) == 1
    assert [json.loads(line)["event"] for line in log.read_text().splitlines()][-2:] == [
        "refused",
        "close",
    ]
    owner.close()


def test_cells_that_were_not_verified_are_said(run, simulator, stand_ins, program, tmp_path):
    process, log = simulator("--fault", "disconnect@22", "--pulse-us", "200"), tmp_path / "log"
    token = token_in(run("rig", "program", program, process.address)[1])
    flags = ("--arm", token, "--timeout-s", "0.5", "--log", log)
    code, out, err = run("rig", "program", program, process.address, *flags)
    assert (code, out) == (2, "")
    assert "NOT VERIFIED" in err
    assert "cells of tile 0: row" in err
    assert process.at_zero()
    code, out, _ = run("rig", "check", "--log", log)
    assert code == 1
    assert "cells of tile 0 of rig SIM-0" in out


# ---- run


def armed(run, program, address, *more):
    return token_in(run("rig", "program", program, address, *more)[1])


def test_run_writes_and_runs(run, simulator, stand_ins, program):
    process = simulator()
    token = armed(run, program, process.address)
    code, out, _ = run("rig", "run", program, process.address, "coin", "push", "--arm", token)
    assert code == 0
    assert [line.split()[2] for line in out.splitlines()[3:5]] == ["unlocked", "locked"]
    assert "Each state and output is the interpreter's (rig simulated rig, serial SIM-0)." in out
    assert process.commanded_v("pulse") > 0
    assert process.at_zero()


def test_run_of_what_is_written_writes_nothing(run, simulator, stand_ins, program):
    process = simulator()
    token = armed(run, program, process.address)
    code, out, _ = run(
        "rig", "run", program, process.address, "coin", "--arm", token, "--written", "--json"
    )
    assert (code, json.loads(out)["correct"]) == (0, True)
    assert process.commanded_v("pulse") == 0
    assert process.commanded_v("read") == 0.2


def test_run_says_when_it_is_wrong(run, simulator, stand_ins, program):
    address = simulator().address
    stand_ins.wrong = True
    code, out, _ = run(
        "rig", "run", program, address, "coin", "--arm", armed(run, program, address)
    )
    assert code == 1
    assert "expected unlocked" in out


def test_run_unarmed_is_refused(run, simulator, stand_ins, program):
    process = simulator()
    code, _, err = run("rig", "run", program, process.address, "coin")
    assert code == 2
    assert "it is not armed; expected --arm TOKEN" in err
    assert process.events("lines") == []


def test_run_of_an_unknown_input_is_refused_before_any_voltage(run, simulator, stand_ins, program):
    process = simulator()
    code, _, err = run("rig", "run", program, process.address, "coim", "--arm", "x")
    assert code == 2
    assert 'did you mean "coin"' in err
    assert process.events("lines") == []


def test_a_read_that_a_line_cannot_bear_is_refused_and_ends_at_zero(
    run, simulator, stand_ins, program
):
    process = simulator("--watchdog-ms", "60000")
    limits = ("--i-line-max-a", "1.5e-5", "--v-program-max-v", "1.4")
    stand_ins.read_v = 0.2  # eight rows of 10 uS at 0.2 V: 16 uA a column
    token = armed(run, program, process.address, *limits)
    code, _, err = run("rig", "run", program, process.address, "coin", "--arm", token, *limits)
    assert code == 2
    assert "of tile 0 could carry" in err
    assert process.commanded_v("read") == 0
    assert process.at_zero()


def test_help_and_nothing(run):
    assert run("rig", "--help")[0] == 0
    assert run("rig")[0] == 2
    assert "rig" in run("--help")[1]
