"""The emitted package: it runs without vsafsm, prints the states, and is the same for the same
program.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm.cli import main
from vsafsm.clocked import expanded
from vsafsm.discovery import find
from vsafsm.errors import FileError
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm_loihi2 import ChipNetwork

pytest.importorskip("lava.magma.core.process.process", reason="Lava is not installed")

FILES = {
    *("run.py", "fsm/__init__.py", "fsm/targets.py", "fsm/network.npz", "fsm/manifest.json"),
    "fsm/codes.npz",
    *("fsm/attractor/__init__.py", "fsm/attractor/process.py", "fsm/attractor/models.py"),
}
ALONE = """
import runpy, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0].startswith("vsafsm"):
            raise ImportError(f"{name} was asked for")
sys.meta_path.insert(0, Refuse())
sys.path[0] = sys.argv[1].rpartition("/")[0]
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_alone(folder: Path, *word: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run a package's script where vsafsm cannot be imported, from another folder."""
    command = [
        sys.executable,
        "-W",
        "error:::fsm",
        "-c",
        before + ALONE,
        str(folder / "run.py"),
        *word,
    ]
    elsewhere = folder.parent
    return subprocess.run(
        command, capture_output=True, text=True, timeout=50, check=False, cwd=elsewhere
    )


def spawn(folder: Path, *word: str) -> subprocess.Popen[str]:
    """Start a package's script in a session of its own, unbuffered."""
    command = [sys.executable, "-u", str(folder / "run.py"), *word]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def folder(vending: Program, tmp_path: Path) -> Path:
    """The vending machine's package."""
    (tmp_path / "package").mkdir()
    find("lava").emit(vending, tmp_path / "package")
    return tmp_path / "package"


def odd(program: Program, name: str, inputs: tuple[str, ...], states: tuple[str, ...]) -> Program:
    """A program with other names."""
    machine, network = program.machine, program.network
    names = dict(zip(machine.states, states, strict=True))
    table = tuple(tuple(replace(t, to=names[t.to]) for t in row) for row in machine.table)
    renamed = replace(
        machine,
        name=name,
        inputs=inputs,
        states=states,
        initial=names[machine.initial],
        table=table,
    )
    return replace(program, machine=renamed, network=replace(network, inputs=inputs, states=states))


def printed(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [line[16:].strip().split("  ")[0] for line in done.stdout.splitlines()]


def outputs_printed(done: subprocess.CompletedProcess[str]) -> list[tuple[str, ...]]:
    assert done.returncode == 0, done.stderr
    cells = [line[16:].strip().split("  ", 1) for line in done.stdout.splitlines()]
    return [tuple(each[1].strip().split(", ")) if len(each) > 1 else () for each in cells]


# ---- what is written


def test_these_files_are_written_and_no_others(folder: Path) -> None:
    assert set(files_of(folder)) == FILES


def test_the_same_program_gives_the_same_bytes(
    folder: Path, vending: Program, tmp_path: Path
) -> None:
    (tmp_path / "again").mkdir()
    find("lava").emit(vending, tmp_path / "again")
    assert files_of(tmp_path / "again") == files_of(folder)
    find("lava").emit(vending, folder)
    assert files_of(tmp_path / "again") == files_of(folder)


def test_nothing_refers_to_vsafsm(folder: Path) -> None:
    for name, content in files_of(folder).items():
        if name.endswith(".py"):
            text = content.decode()
            imported = [
                node
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.Import | ast.ImportFrom)
            ]
            modules = [getattr(node, "module", None) or node.names[0].name for node in imported]
            assert not any(module.startswith("vsafsm") for module in modules), name
            assert "vsafsm_lava" not in text
            assert not any(f"${left}" in text for left in ("MACHINE_NAME", "WORD"))


def test_weights_are_the_chip_s_and_plain(folder: Path, vending: Program) -> None:
    from vsafsm_loihi2 import lower

    given = lower(vending.network).arrays()
    with np.load(folder / "fsm" / "network.npz", allow_pickle=False) as arrays:
        assert set(arrays) == set(given)
        assert all((arrays[name] == given[name]).all() for name in arrays)
    manifest = json.loads((folder / "fsm" / "manifest.json").read_text())
    assert manifest["channels"] == ["(reset)", *vending.machine.inputs]
    assert manifest["states"] == list(vending.network.states)
    assert manifest["initial"] == vending.machine.initial


def test_options_are_in_the_package(vending: Program, tmp_path: Path) -> None:
    find("lava").emit(vending, tmp_path, hold_steps=5, gap_steps=4, target="sim-stock")
    with np.load(tmp_path / "fsm" / "network.npz") as arrays:
        assert (int(arrays["hold_steps"]), int(arrays["gap_steps"])) == (5, 4)
    word = ["5", "10", "refund"]
    assert printed(run_alone(tmp_path, *word)) == list(vending.machine.run(word).states)


def test_the_command_line_emits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = Path(__file__).parents[2] / "specs" / "turnstile.yaml"
    assert main(["emit", str(spec), "--to", "lava", "-o", str(tmp_path / "made")]) == 0
    assert set(files_of(tmp_path / "made")) == FILES
    assert "run.py" in capsys.readouterr().out


# ---- what it does


@pytest.mark.parametrize("target", ["sim", "sim-stock"])
def test_it_runs_without_vsafsm_and_prints_the_states(
    folder: Path, vending: Program, target: str
) -> None:
    word = ["5", "10", "10", "refund", "10", "5", "5"]
    done = run_alone(folder, *word, "--target", target)
    assert printed(done) == list(vending.machine.run(word).states)
    assert [line[:16].strip() for line in done.stdout.splitlines()] == ["", *word]
    trace = vending.machine.run(word)
    assert outputs_printed(done) == [trace.initial_outputs, *trace.outputs]
    assert any(trace.outputs)
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize("target", ["sim", "sim-stock"])
def test_it_is_right_on_a_busy_machine(
    folder: Path, vending: Program, target: str, late: str
) -> None:
    word = ["5", "10", "refund"]
    assert printed(run_alone(folder, *word, "--target", target, before=late)) == list(
        vending.machine.run(word).states
    )


def test_it_resets(folder: Path, vending: Program) -> None:
    states = printed(run_alone(folder, "10", "(reset)", "5"))
    assert states == [
        vending.machine.initial,
        *vending.machine.run(["10"]).states[1:],
        *vending.machine.run(["5"]).states,
    ]


def test_its_own_word_leaves_the_initial_state(folder: Path, vending: Program) -> None:
    word = list(vending.machine.demonstration())
    states = printed(run_alone(folder))
    assert states == list(vending.machine.run(word).states)
    assert len(set(states)) > 2


def test_leaky_neurons_run_in_it(turnstile: Machine, tmp_path: Path) -> None:
    decays = {"du": 3000, "dv": 3500}
    find("lava").emit(
        vsafsm.compile(turnstile, target="lava", target_options=decays), tmp_path, **decays
    )
    assert printed(run_alone(tmp_path, "coin", "push")) == ["locked", "unlocked", "locked"]


def test_an_unknown_input_is_refused(folder: Path) -> None:
    done = run_alone(folder, "5", "dollar")
    assert done.returncode == 2
    assert done.stdout == ""
    assert (
        done.stderr == 'error: unknown input "dollar"; expected some of: (reset), 5, 10, refund\n'
    )


@pytest.mark.parametrize(
    "board", [(), ("--partition", "oheogulch"), ("--board", "ncl-01"), ("--address", "127.0.0.1")]
)
def test_without_the_extension_the_chip_is_refused(folder: Path, board: tuple[str, ...]) -> None:
    done = run_alone(folder, "5", "--target", "loihi2", *board)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "not installed" in done.stderr
    if not board:
        assert (
            "lava-loihi, Intel's extension for the chip, is not installed: expected it from the"
            " Intel" in done.stderr
        )


def test_the_package_makes_a_process_for_others(folder: Path, chip: ChipNetwork) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from fsm import load; fsm = load(); "
        "print(type(fsm).__module__, fsm.channel_names, fsm.channel('refund'), fsm.state_names[0])"
    )
    command = [sys.executable, "-c", script, str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=50, check=False, cwd=folder.parent
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("fsm.attractor.process ('(reset)', '5', '10', 'refund') 3 ")


def test_an_error_within_leaves_no_processes(
    folder: Path, in_session: Callable[[int], set[int]], settles: Callable[..., Any]
) -> None:
    script = folder / "run.py"
    script.write_text(script.read_text().replace("for item in word:", "for item in 1 / 0:"))
    process = spawn(folder, "5")
    _, err = process.communicate(timeout=50)
    assert process.returncode == 1
    assert "ZeroDivisionError" in err
    assert settles(lambda: in_session(process.pid), set()) == set()


def test_ctrl_c_ends_it_without_a_trace(
    folder: Path, in_session: Callable[[int], set[int]], settles: Callable[..., Any]
) -> None:
    process = spawn(folder, *["5", "10"] * 5000)
    try:
        started = process.stdout is not None and process.stdout.readline()
        time.sleep(0.3)
    finally:
        os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert started
    assert (process.returncode, err) == (130, "")
    assert settles(lambda: in_session(process.pid), set()) == set()


@pytest.mark.parametrize("target", ["sim", "sim-stock"])
def test_its_target_is_the_one_it_was_made_for(
    vending: Program, tmp_path: Path, target: str
) -> None:
    find("lava").emit(vending, tmp_path, target=target)
    assert f"default: {target}" in " ".join(run_alone(tmp_path, "--help").stdout.split())
    assert printed(run_alone(tmp_path, "5")) == list(vending.machine.run(["5"]).states)


# ---- odd names


NAMES = [
    '"""; raise SystemExit(7); """ \\',
    "100 % $WORD ${MACHINE_NAME} {x}",
    "Türsteuerung 门 \U0001f6aa",
    "it's \\n \\",
    '"',
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_cannot_put_code_into_the_package(
    program: Program, tmp_path: Path, name: str
) -> None:
    find("lava").emit(replace(program, machine=replace(program.machine, name=name)), tmp_path)
    (tmp_path / "plain").mkdir()
    find("lava").emit(program, tmp_path / "plain")
    for file in ("run.py", "fsm/__init__.py"):
        tree, plain = (
            ast.parse((each / file).read_text(encoding="utf-8"))
            for each in (tmp_path, tmp_path / "plain")
        )
        assert ast.dump(ast.Module(tree.body[1:], [])) == ast.dump(ast.Module(plain.body[1:], []))
        shown = name.replace("\\", "/").replace('"', "'")
        assert shown in (ast.get_docstring(tree, clean=False) or "")
    assert (
        json.loads((tmp_path / "fsm" / "manifest.json").read_text(encoding="utf-8"))["machine"]
        == name
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("inputs", "states"),
    [
        (('say "hi"', "it's $WORD"), ("100 %", "50 %s")),
        (("back\\slash", "\\n"), ("tür", "门\U0001f6aa")),
        (("%(prog)s", "{coin}"), ("$$", "#")),
    ],
    ids=["quotes", "backslashes", "braces"],
)
def test_inputs_and_states_have_any_name(
    program: Program, tmp_path: Path, inputs: tuple[str, ...], states: tuple[str, ...]
) -> None:
    named = odd(program, "odd", inputs, states)
    find("lava").emit(named, tmp_path)
    word = [inputs[0], inputs[1], inputs[0]]
    done = run_alone(tmp_path, *word)
    assert done.returncode == 0, done.stderr
    trace, wide = named.machine.run(word), max(map(len, states))
    outputs = (trace.initial_outputs, *trace.outputs)
    assert done.stdout.splitlines() == [
        f"{symbol:16} {state:{wide}}  {', '.join(each)}"
        for symbol, state, each in zip(["", *word], trace.states, outputs, strict=True)
    ]
    assert printed(run_alone(tmp_path)) == list(
        named.machine.run(named.machine.demonstration()).states
    )


@pytest.mark.parametrize("name", [*NAMES, "%(prog)d", "%(prog)s %"])
def test_help_shows_any_name(program: Program, tmp_path: Path, name: str) -> None:
    find("lava").emit(odd(program, name, ("%(prog)d", "%"), ("a", "b")), tmp_path)
    done = run_alone(tmp_path, "--help")
    assert done.returncode == 0, done.stderr
    assert "--target {sim,sim-stock,loihi2}" in done.stdout
    shown = " ".join(name.replace("\\", "/").replace('"', "'").split())
    assert shown in " ".join(done.stdout.split())
    assert "Default: %(prog)d" in " ".join(done.stdout.split())


# ---- where it cannot be written


def test_a_file_in_the_way_is_left_and_nothing_is_written(vending: Program, tmp_path: Path) -> None:
    (tmp_path / "fsm").write_text("mine")
    with pytest.raises(FileError, match="cannot write into"):
        find("lava").emit(vending, tmp_path)
    assert files_of(tmp_path) == {"fsm": b"mine"}


def test_a_folder_in_the_way_of_the_script_leaves_no_temporary_files(
    vending: Program, tmp_path: Path
) -> None:
    (tmp_path / "run.py").mkdir()
    with pytest.raises(FileError, match=r"run\.py"):
        find("lava").emit(vending, tmp_path)
    assert set(files_of(tmp_path)) <= FILES


def test_a_place_that_is_a_file_is_refused(vending: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileError, match="cannot write into"):
        find("lava").emit(vending, tmp_path / "file")
    assert files_of(tmp_path) == {"file": b"mine"}


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root"
)
def test_a_forbidden_folder_is_refused(vending: Program, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(FileError, match="cannot write"):
            find("lava").emit(vending, tmp_path)
        assert not files_of(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_leaves_whole_files_only(
    folder: Path, vending: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, written = os.fsync, []

    def full(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) > 3:
            raise OSError(28, "No space left on device")
        usual(descriptor)

    (tmp_path / "full").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr("vsafsm.files.os.fsync", full)
        with pytest.raises(FileError, match="No space left on device"):
            find("lava").emit(vending, tmp_path / "full")
    left = files_of(tmp_path / "full")
    assert "run.py" not in left
    assert left.items() <= files_of(folder).items()


# ---- machines with a clock


@pytest.mark.parametrize("overlap", ["drop", "queue"])
def test_inputs_come_at_their_steps(folder: Path, vending: Program, overlap: str) -> None:
    with vsafsm.open(vending, backend="lava") as session:
        event = session.pace.hold + session.pace.gap
        times = [0, event - 1, event, 2 * event + 1, 2 * event + 1, 9 * event]
        train = list(zip(times, ["10", "5", "5", "10", "5", "refund"], strict=True))
        played = session.play(train, overlap)
    assert len(played.dropped) == (2 if overlap == "drop" else 0)
    word = [f"{symbol}@{time}" for time, symbol in train]
    done = run_alone(folder, *word, "--overlap", overlap)
    states = iter(played.states)
    expected = [next(states)]
    expected += ["(dropped)" if each.dropped else next(states) for each in played.arrivals]
    assert printed(done) == expected
    told = zip(outputs_printed(done), expected, strict=True)
    assert [found for found, state in told if state != "(dropped)"] == list(played.outputs)


@pytest.mark.parametrize("items", [("5@0", "10"), ("5@5", "10@4"), ("5@",), ("(reset)@3",)])
def test_times_that_make_no_sense_are_refused(folder: Path, items: tuple[str, ...]) -> None:
    done = run_alone(folder, *items)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "expected" in done.stderr


@pytest.fixture
def clocked(
    compiled: Callable[..., Program], ticking_lamp: Callable[[str], Machine], tmp_path: Path
) -> tuple[Program, Path]:
    """A lamp that goes out after three ticks of 100 ms, and its package."""
    program = compiled(ticking_lamp("100 ms"), target="lava")
    find("lava").emit(program, tmp_path)
    return program, tmp_path


def test_a_wait_is_its_ticks(clocked: tuple[Program, Path]) -> None:
    program, folder = clocked
    word = ["press", "wait:0.2s", "press", "wait:100 ms", "tick", "wait:1min"]
    done = run_alone(folder, *word)
    machine = program.machine
    states, outputs = [machine.initial], [machine.outputs_of(machine.initial)]
    for group in expanded(word, machine):
        state, found = states[-1], ()
        for symbol in group:
            taken = machine.transition(state, symbol)
            state, found = taken.to, found + taken.outputs
        states.append(state)
        outputs.append(found + machine.outputs_of(state))
    assert printed(done) == states
    assert outputs_printed(done) == outputs
    assert states[-1] == "off"


def test_its_own_word_waits(clocked: tuple[Program, Path]) -> None:
    program, folder = clocked
    done = run_alone(folder)
    items = [line[:16].strip() for line in done.stdout.splitlines()][1:]
    assert any(item.startswith("wait:") for item in items)
    word = [symbol for group in expanded(items, program.machine) for symbol in group]
    assert printed(done)[-1] == program.machine.run(word).states[-1]


@pytest.mark.parametrize("item", ["wait:1", "wait:50ms", "wait:0s", "wait:s", "wait:-1s"])
def test_a_wait_that_makes_no_sense_is_refused(clocked: tuple[Program, Path], item: str) -> None:
    done = run_alone(clocked[1], "press", item)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f'error: unknown input "{item}"; expected some of: (reset), press, tick, or a wait such as'
        " wait:3s, in ticks of 0.1 s\n"
    )


def test_a_machine_without_a_clock_takes_no_waits(folder: Path) -> None:
    assert run_alone(folder, "wait:1s").returncode == 2
