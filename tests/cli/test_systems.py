"""Specs with separate networks, as they are typed: compiled into a folder, run, proven, described;
and what other commands say of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import vsafsm
from vsafsm.cli import main
from vsafsm.systems import load_system, system_of

HOUSE = """\
machine: house
networks: separate
compile: {bits: 5}
regions:
  door:
    initial: shut
    states:
      shut:
        transitions: {handle: {to: open, raise: [opened]}}
      open:
        transitions: {handle: shut}
        after: {4 s: shut}
  lamp:
    initial: dark
    states:
      dark:
        transitions: {opened: lit}
      lit:
        outputs: [light]
        transitions: {switch: dark}
        after: {6 s: dark}
"""
WORD = ["handle", "switch", "wait:4s", "handle", "wait:2s"]
ENDLESS = """\
machine: game
networks: separate
regions:
  one: {initial: a, states: {a: {transitions: {ping: {to: a, raise: [pong]}}}}}
  two: {initial: b, states: {b: {transitions: {pong: {to: b, raise: [ping]}}}}}
"""
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    monkeypatch.chdir(tmp_path)
    Path("house.yaml").write_text(HOUSE)
    Path("game.yaml").write_text(ENDLESS)

    def called(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return called


def test_a_system_is_compiled_into_a_folder(call: Call) -> None:
    code, out, _ = call("compile", "house.yaml", "-o", "house")
    assert code == 0
    assert "wrote house: 1-door.npz, 2-lamp.npz" in out
    system = system_of(vsafsm.load_chart("house.yaml"))
    assert f"house: {len(system.product().states)} configurations" in out
    found = load_system("house")
    assert found.system == system
    assert {program.network.bits for program in found.programs} == {5}
    assert call("run", "house/1-door.npz", "handle")[0] == 0


@pytest.mark.parametrize("word", [["handle@0", "switch@3"], ["handle", "--overlap", "queue"]])
def test_a_system_takes_no_times(call: Call, word: list[str]) -> None:
    code, out, told = call("run", "house.yaml", *word)
    assert (code, out) == (2, "")
    assert "inputs with times" in told


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("backend", ["reference", "loihi2", "brian2"])
def test_a_run_is_the_interpreters(call: Call, compiled: bool, backend: str) -> None:
    if backend == "brian2":
        pytest.importorskip("brian2")
    source = "house.yaml"
    if compiled:
        assert call("compile", source, "-o", "house", "--for", backend)[0] == 0
        source = "house"
    code, out, _ = call("run", source, *WORD, "--backend", backend, "--json")
    found = json.loads(out)
    # A tick is 2 s; an exchange is over before the next input.
    states = [
        ["door.shut", "lamp.dark"],
        ["door.open", "lamp.lit"],
        ["door.open", "lamp.dark"],
        ["door.shut", "lamp.dark"],
        ["door.open", "lamp.lit"],
        ["door.open@2s", "lamp.lit@2s"],
    ]
    assert code == 0
    assert found == {
        "system": "house",
        "machines": ["door", "lamp"],
        "backend": backend,
        "inputs": WORD,
        "states": states,
        "expected": states,
        "initial_outputs": [],
        "outputs": [["opened", "light"], [], [], ["opened", "light"], ["light"]],
        "correct": True,
    }


def test_a_trace_has_a_column_for_each_machine(call: Call) -> None:
    code, out, _ = call("run", "house.yaml", *WORD)
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["step", "input", "door", "lamp", "outputs"]
    assert [line.split()[2:4] for line in lines[3:5]] == [["open", "lit"], ["open", "dark"]]
    assert lines[-1].startswith("Each of the 6 configurations is the interpreter's (2 networks, ")


def test_each_program_is_proven_and_the_machines_are_explored(call: Call) -> None:
    code, out, _ = call("prove", "house.yaml", "--json")
    found = json.loads(out)
    product = system_of(vsafsm.load_chart("house.yaml")).product()
    assert code == 0
    assert found["holds"]
    assert [each["machine"] for each in found["machines"]] == ["door", "lamp"]
    assert all(each["holds"] for each in found["machines"])
    assert found["configurations"] == len(product.states)
    code, out, _ = call("prove", "house.yaml")
    assert out.count("holds for every input word") == 2
    assert "every exchange ends" in out


def test_an_exchange_without_end_is_told(call: Call) -> None:
    code, out, _ = call("prove", "game.yaml")
    assert code == 1
    assert "the machines still answer each other" in out
    assert json.loads(call("prove", "game.yaml", "--json")[1])["holds"] is False
    code, _, err = call("compile", "game.yaml", "-o", "game")
    assert code == 2
    assert "the machines still answer each other" in err
    assert not Path("game").exists()


def test_sizes_of_all_networks_are_told(call: Call) -> None:
    code, out, _ = call("info", "house.yaml", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["neurons"] == sum(each["neurons"] for each in found["machines"])
    assert found["synapses"] == sum(each["synapses"] for each in found["machines"])
    assert call("info", "house.yaml")[1].count("\nmachine ") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["draw", "SPEC", "--flat", "-o", "x.svg"],
        ["convert", "SPEC", "x.kiss2"],
        ["emit", "SPEC", "-o", "x"],
        ["report", "SPEC", "-o", "x.html"],
        ["plot", "SPEC", "handle", "-o", "x.png"],
        ["explain", "SPEC"],
        ["sweep", "SPEC", "--noise", "additive:0:1:1", "-o", "x.csv"],
        ["yield", "SPEC"],
    ],
)
@pytest.mark.parametrize("compiled", [False, True])
def test_commands_for_one_machine_say_so(call: Call, arguments: list[str], compiled: bool) -> None:
    if compiled:
        assert call("compile", "house.yaml", "-o", "house")[0] == 0
    spec = "house" if compiled else "house.yaml"
    code, _, err = call(*(spec if each == "SPEC" else each for each in arguments))
    assert code == 2
    told = '"house" is a system of several programs; expected one of them, such as'
    assert (told if compiled else 'house.yaml:2:11: regions and long waits of "house" are') in err
    assert not list(Path().glob("x*"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["compile", "house.yaml", "-o", "x.npz"], "expected the name of a folder"),
        (["compile", "house.yaml", "-o", "."], "which is no part of a system"),
        (["compile", "house.yaml", "-o", "x", "--resume", "y"], "--resume is for one machine"),
        (["run", "house.yaml", "-"], "- is for one machine"),
        (["run", "house.yaml", "hanlde"], 'did you mean "handle"'),
        (["run", "house.yaml", "wait:3s"], "is no multiple of the clock"),
    ],
)
def test_misuse_is_told(call: Call, arguments: list[str], told: str) -> None:
    code, _, err = call(*arguments)
    assert code == 2
    assert told in err


def test_what_passes_between_regions_is_told_with_its_place(call: Call) -> None:
    Path("bad.yaml").write_text(HOUSE.replace("switch: dark", "switch: {to: dark, if: in(shut)}"))
    code, _, err = call("run", "bad.yaml", "handle")
    assert code == 2
    assert 'bad.yaml:20:23: a guard looks at "door.shut" in another region' in err


LONG = """\
machine: lamp
networks: separate
clock: 1 s
initial: off
states:
  off: {transitions: {press: on}}
  on: {after: {1 min: off}, outputs: [lit]}
"""


def test_a_long_wait_has_counters_that_no_table_shows(call: Call) -> None:
    Path("lamp.yaml").write_text(LONG)
    code, out, _ = call("compile", "lamp.yaml", "-o", "lamp", "--smallest")
    assert code == 0
    assert "3-lamp-digit-1.npz" in out
    assert "lamp: 61 configurations" in out
    code, out, _ = call("run", "lamp", "press", "wait:59s", "wait:1s")
    assert code == 0
    assert [line.split() for line in out.splitlines()[2:6]] == [
        ["0", "off"], ["1", "press", "on", "lit"], ["2", "wait:59s", "on", "lit"],
        ["3", "wait:1s", "off"],
    ]  # fmt: skip
    assert "digit" not in out
    assert call("info", "lamp")[0] == 0
    code, _, told = call("run", "lamp", "(lamp stop)")
    assert code == 2
    assert "unknown input" in told


def test_one_network_tells_of_counters_that_cost_far_less(call: Call) -> None:
    Path("lamp.yaml").write_text(LONG.replace("separate", "one"))
    code, _, told = call("compile", "lamp.yaml", "-o", "lamp.npz", "--smallest")
    assert code == 0
    assert told.startswith("vsafsm: note: long waits are chains of states, predicted to take ")
    assert 'would take 83200: "networks: separate" in a YAML spec makes them' in told
    Path("lamp.yaml").write_text(LONG.replace("separate", "one").replace("1 min", "3 s"))
    assert call("compile", "lamp.yaml", "-o", "lamp.npz", "--smallest")[2] == ""
