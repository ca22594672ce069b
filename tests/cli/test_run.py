"""``vsafsm run SPEC -``: inputs are answered as they come, and held against the interpreter."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

import vsafsm
from vsafsm.backend import Run
from vsafsm.cli import main
from vsafsm.cli.progress import ProgressBar
from vsafsm.program import Program
from vsafsm.synchronous import Session

ROOT = Path(__file__).parents[2]
TURNSTILE = str(ROOT / "specs" / "turnstile.yaml")


def follow(monkeypatch: pytest.MonkeyPatch, text: str, *more: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    return main(["run", TURNSTILE, "-", *more])


@pytest.mark.parametrize("spec", ["turnstile", "vending_machine", "traffic_light"])
def test_every_input_is_answered_with_state_and_outputs(
    spec: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = vsafsm.load(ROOT / "specs" / f"{spec}.yaml")
    word = machine.demonstration(12)
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(word)))
    assert main(["run", str(ROOT / "specs" / f"{spec}.yaml"), "-", "--json"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    trace = machine.run(word)
    assert [each["state"] for each in answers] == list(trace.states)
    assert [tuple(each["outputs"]) for each in answers] == [trace.initial_outputs, *trace.outputs]
    assert [each["input"] for each in answers] == [None, *word]


def test_lines_end_with_a_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert follow(monkeypatch, "coin\n\n push  push\n") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines[1:4]] == [
        ["1", "coin", "unlocked"],
        ["2", "push", "locked"],
        ["3", "push", "locked"],
    ]
    assert lines[4].startswith("Each of the 4 states is the interpreter's")


def test_an_unknown_input_ends_it_and_what_came_before_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert follow(monkeypatch, "coin coim") == 2
    told = capsys.readouterr()
    assert "unlocked" in told.out
    assert 'did you mean "coin"' in told.err


def test_a_network_that_goes_wrong_is_found_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("timer request timer timer"))
    spec = str(ROOT / "specs" / "traffic_light.yaml")
    assert main(["run", spec, "-", "--dimension", "40"]) == 1
    assert "not the interpreter's" in capsys.readouterr().out


def test_nothing_at_all_is_the_initial_state(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert follow(monkeypatch, "") == 0
    assert "locked" in capsys.readouterr().out


def test_an_answer_comes_before_the_next_input(tmp_path: Path) -> None:
    """A sensor that waits for each answer is served: the pipe stays open all the while."""
    command = [sys.executable, "-m", "vsafsm", "run", TURNSTILE, "-", "--json"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["state"] == "locked"
        for symbol, state in (("coin", "unlocked"), ("push", "locked")) * 3:
            process.stdin.write(symbol + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["state"] == state
        process.stdin.close()
        assert process.wait(60) == 0


# ---- inputs with times


def test_inputs_with_times_are_dropped_or_wait(capsys: pytest.CaptureFixture[str]) -> None:
    train = ["coin@0", "push@3", "push@4", "coin@30"]
    assert main(["run", TURNSTILE, *train, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["unit"], told["overlap"], told["correct"]) == ("steps", "drop", True)
    assert [each["begins"] for each in told["events"]] == [0, None, 4, 30]
    assert [f"{each['input']}@{each['time']}" for each in told["events"]] == train
    assert told["inputs"] == ["coin", "push", "coin"]
    assert told["states"] == told["expected"] == ["locked", "unlocked", "locked", "unlocked"]
    assert told["outputs"] == [["barrier_open"], ["click", "barrier_closed"], ["barrier_open"]]
    assert main(["run", TURNSTILE, *train, "--json", "--overlap", "queue"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["begins"] for each in told["events"]] == [0, 4, 8, 30]
    assert told["states"] == ["locked", "unlocked", "locked", "locked", "unlocked"]


def test_what_is_dropped_and_what_waits_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", TURNSTILE, "coin@0", "push@3", "push@4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["step", "time", "(steps)", "input", "state", "outputs"]
    assert lines[4].split() == ["3", "push", "dropped"]
    assert lines[5].split()[:4] == ["2", "4", "push", "locked"]
    assert lines[-1] == ("1 of 3 inputs came before the gap of another was over, and was dropped.")
    assert main(["run", TURNSTILE, "coin@0", "push@3", "--overlap", "queue"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[4].endswith("waited until 4")
    assert "dropped" not in lines[-1]


def test_a_network_that_goes_wrong_in_a_train_is_found_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = str(ROOT / "specs" / "traffic_light.yaml")
    train = ["timer@0", "request@100", "timer@200", "timer@300"]
    assert main(["run", spec, *train, "--dimension", "40"]) == 1
    told = capsys.readouterr().out
    assert "not the interpreter's" in told
    assert "expected" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["coin@0", "push"], '"push" has no time'),
        (["coin@0", "coim@3"], 'did you mean "coin"'),
        (["coin@3", "push@2"], "expected events in the order of their times"),
        (["coin@4ms"], 'the time of "coin" is "4ms"; expected a number of steps'),
        (["coin@-4"], "expected a number of steps"),
        (["coin@0", "--overlap", "quee"], 'did you mean "queue"'),
        (["coin", "--overlap", "queue"], "expected some, such as press@40"),
        (["-", "--overlap", "queue"], "expected some, such as press@40"),
    ],
)
def test_times_that_make_no_sense_are_refused(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", TURNSTILE, *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err


def test_a_backend_without_times_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(Session, "pace")
    assert main(["run", TURNSTILE, "coin@0"]) == 2
    assert 'backend "reference" takes no inputs with times' in capsys.readouterr().err


# ---- time


@pytest.fixture
def blinker(tmp_path: Path) -> str:
    """A lamp that goes out after two ticks of 50 ms."""
    machine = vsafsm.Machine.from_dict(
        {
            "name": "blinker",
            "transitions": {
                "off": {"press": ["on", "click"]},
                "on": {"tick": ["dim", "warn"]},
                "dim": {"tick": ["off", "timeout"]},
            },
            "clock": "50 ms",
        }
    )
    vsafsm.compile(machine).save(tmp_path / "blinker.npz")
    return str(tmp_path / "blinker.npz")


def test_a_wait_is_one_row_with_the_outputs_of_its_ticks(
    blinker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", blinker, "press", "wait:100ms", "press", "wait:50 ms", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["inputs"] == ["press", "wait:100ms", "press", "wait:50 ms"]
    assert told["states"] == told["expected"] == ["off", "on", "off", "on", "dim"]
    assert told["outputs"] == [["click"], ["warn", "timeout"], ["click"], ["warn"]]
    assert main(["run", blinker, "wait:30ms"]) == 2
    assert "no multiple of the clock" in capsys.readouterr().err
    assert main(["run", blinker, "press@0", "press@9"]) == 2
    assert "expected inputs and waits, such as wait:3s" in capsys.readouterr().err


def test_a_picture_of_a_wait_is_that_of_its_ticks(
    blinker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    for name, word in (
        ("waits.svg", ["wait:100ms"]),
        ("ticks.svg", ["tick", "tick"]),
        ("tick.svg", ["tick"]),
    ):
        assert main(["plot", blinker, "press", *word, "-o", str(tmp_path / name)]) == 0
    waits, ticks, tick = (
        (tmp_path / f"{name}.svg").read_bytes() for name in ("waits", "ticks", "tick")
    )
    assert waits == ticks != tick
    capsys.readouterr()
    assert main(["plot", blinker, "wait:30ms", "-o", str(tmp_path / "x.svg")]) == 2
    assert "no multiple of the clock" in capsys.readouterr().err
    assert main(["plot", TURNSTILE, "wait:1s", "-o", str(tmp_path / "x.svg")]) == 2
    assert "has no clock" in capsys.readouterr().err


def test_brian2_draws_a_wait(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    drawn: list[Sequence[str]] = []

    def plot_word(program: Program, word: Sequence[str], *rest: object, **options: object) -> Run:
        drawn.append(word)
        return vsafsm.run(program, word)

    monkeypatch.setattr("vsafsm.cli.plot.plot_word", plot_word)
    monkeypatch.chdir(tmp_path)
    lamp = {"off": {"press": "on"}, "on": {"tick": "off"}}
    machine = vsafsm.Machine.from_dict({"name": "lamp", "transitions": lamp, "clock": "2 s"})
    vsafsm.compile(machine, tolerate="none").save("lamp.npz")
    word = ["press", "wait:4s", "press"]
    assert main(["plot", "lamp.npz", *word, "--backend", "brian2", "-o", "x.png"]) == 0
    assert drawn == [("press", "tick", "tick", "press")]
    assert "Each of the 5 states" in capsys.readouterr().out


def test_where_no_wait_is_taken_ticks_are_named(
    blinker: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("wait:100ms\n"))
    assert main(["run", blinker, "-"]) == 2
    assert 'write "tick" once per 50 ms in place of a wait' in capsys.readouterr().err


def test_ticks_come_in_real_time(blinker: str) -> None:
    command = [sys.executable, "-m", "vsafsm", "run", blinker, "-", "--clock", "--json"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["state"] == "off"
        process.stdin.write("press\n")
        process.stdin.flush()
        told = [json.loads(process.stdout.readline()) for _ in range(3)]
        assert [each["state"] for each in told] == ["on", "dim", "off"]
        assert [each["outputs"] for each in told] == [["click"], ["warn"], ["timeout"]]
        process.stdin.close()
        assert process.wait(60) == 0


def test_real_time_needs_a_clock_and_inputs_that_come(
    blinker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", TURNSTILE, "-", "--clock"]) == 2
    assert "has no clock" in capsys.readouterr().err
    assert main(["run", blinker, "press", "--clock"]) == 2
    assert "expected - for them" in capsys.readouterr().err


# ---- progress


def test_progress_shows_itself_while_one_call_lasts() -> None:
    """On a terminal, and without a call in between."""
    code = (
        "import time; from vsafsm.cli.progress import ProgressBar\n"
        "with ProgressBar('running on brian2'): time.sleep(1.6)\n"
        "with ProgressBar('not shown'): time.sleep(0.1)\n"
    )
    reader, terminal = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", code], stderr=terminal, cwd=ROOT) as process:
        assert process.wait(60) == 0
    os.close(terminal)
    shown = os.read(reader, 65536).decode()
    os.close(reader)
    assert "running on brian2" in shown
    assert "not shown" not in shown


def test_no_progress_is_written_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ProgressBar("compiling") as progress:
        progress("compiling", 0.5)
        time.sleep(1.2)
    assert capsys.readouterr() == ("", "")


def test_what_takes_long_says_once_what_would_take_less(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsafsm.cli.progress.HINT_AFTER_SECONDS", 0.1)
    with ProgressBar("compiling", "less is faster") as progress:
        progress("compiling", 0.5)
        time.sleep(0.5)
    assert capsys.readouterr() == ("", "vsafsm: note: less is faster\n")
    with ProgressBar("compiling", "less is faster"):
        pass
    assert capsys.readouterr() == ("", "")


# ---- machines with guards


GUARDS = """\
.i 14
.o 1
.r s0
""" + "".join(
    f"{'-' * i}1{'-' * (13 - i)} s{i} s{(i + 1) % 14} 1\n{'-' * i}0{'-' * (13 - i)} s{i} s{i} 0\n"
    for i in range(14)
)


def test_vectors_of_a_machine_with_guards_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "ring.kiss2"
    spec.write_text(GUARDS)
    word = ["1" * 14, "01" + "0" * 12, "11011100110101"]
    assert main(["run", str(spec), "--json", *word]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["states"] == ["s0", "s1", "s2", "s2"]
    assert main(["run", str(spec), "-", "--backend", "loihi2"]) == 2
    assert 'backend "loihi2" makes masks for a word that is known' in capsys.readouterr().err
    assert main(["run", str(spec), "1x"]) == 2
    assert "14 characters, each 0 or 1" in capsys.readouterr().err
    assert main(["convert", str(spec), str(tmp_path / "ring.yaml")]) == 2
    assert "guards over 14 input bits" in capsys.readouterr().err
    assert main(["prove", str(spec)]) == 0
    assert "vectors of 14 bits" in capsys.readouterr().out


def test_a_program_file_of_a_machine_with_guards_stands_for_all_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, program = tmp_path / "ring.kiss2", str(tmp_path / "ring.npz")
    spec.write_text(GUARDS)
    word = ["1" * 14, "01" + "0" * 12, "11011100110101"]
    assert main(["compile", str(spec), "-o", program]) == 0
    assert main(["run", program, *word]) == 0
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(word)))
    assert main(["run", program, "-", "--json"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["state"] for each in answers] == ["s0", "s1", "s2", "s2"]
    assert [each["outputs"] for each in answers] == [[], ["o0"], ["o0"], []]
    monkeypatch.setattr(sys, "stdin", io.StringIO("1" * 13))
    assert main(["run", program, "-"]) == 2
    assert "expected 14 characters" in capsys.readouterr().err
    assert main(["prove", program]) == 0
    assert "vectors of 14 bits" in capsys.readouterr().out
    assert main(["convert", program, str(tmp_path / "back.kiss2"), "--minimize"]) == 0
    assert "14 of 14 states, 14 input bits, equivalent" in capsys.readouterr().out
    assert vsafsm.load(tmp_path / "back.kiss2").run(word).states == ("s0", "s1", "s2", "s2")
