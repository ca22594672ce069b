"""The emitted script: it runs without vsafsm, prints the states, and is the same for the same
program.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms

import vsafsm
from vsafsm.clocked import ClockedSession, expanded
from vsafsm.discovery import find
from vsafsm.errors import OptionError
from vsafsm.program import Program

ALONE = """
import runpy, sys
for name in ("vsafsm", "vsafsm_brian2"):
    sys.modules[name] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_alone(script: Path, *word: str) -> subprocess.CompletedProcess[str]:
    """Run a script where vsafsm cannot be imported."""
    command = [
        sys.executable,
        "-W",
        "error::DeprecationWarning:__main__",
        "-c",
        ALONE,
        str(script),
        *word,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def printed(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Input, state and outputs of each line."""
    lines = []
    for line in done.stdout.splitlines():
        state, _, outputs = line[14:].strip().partition("  ")
        told = outputs.strip()
        lines.append((line[:12].strip(), state, tuple(told.split(", ")) if told else ()))
    return lines


@pytest.mark.slow
def test_moore_and_mealy_outputs_are_printed(program: Program, tmp_path: Path) -> None:
    find("brian2").emit(program, tmp_path)
    word = ["coin", "push", "push"]
    trace = program.machine.run(word)
    done = run_alone(tmp_path / "run.py", *word)
    assert [outputs for _, _, outputs in printed(done)] == [trace.initial_outputs, *trace.outputs]
    assert len(set(trace.outputs)) == 3


def test_the_script_runs_without_vsafsm_and_prints_the_states(
    vending: Program, tmp_path: Path
) -> None:
    find("brian2").emit(vending, tmp_path)
    word = ["5", "10", "10", "refund", "10"]
    done = run_alone(tmp_path / "run.py", *word)
    assert done.returncode == 0, done.stderr
    trace = vending.machine.run(word)
    assert printed(done) == [
        ("", trace.states[0], trace.initial_outputs),
        *zip(word, trace.states[1:], trace.outputs, strict=True),
    ]
    assert any(trace.outputs)
    wrong = run_alone(tmp_path / "run.py", "dollar")
    assert wrong.returncode == 1
    assert "expected one of: 5, 10, refund" in wrong.stderr


@pytest.mark.slow
def test_its_own_word_leaves_the_initial_state(vending: Program, tmp_path: Path) -> None:
    find("brian2").emit(vending, tmp_path)
    done = run_alone(tmp_path / "run.py")
    word = [symbol for symbol, _, _ in printed(done)[1:]]
    found = [state for _, state, _ in printed(done)]
    assert tuple(found) == vending.machine.run(word).states
    assert len(set(found)) > 2


def test_it_is_short_has_no_placeholder_left_and_is_the_same_again(
    program: Program, tmp_path: Path
) -> None:
    backend = find("brian2")
    texts = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        backend.emit(program, tmp_path / name, tau_syn_ms=20.0, hold_ms=60.0)
        texts.append([(tmp_path / name / file).read_bytes() for file in ("run.py", "network.npz")])
    assert texts[0] == texts[1]
    text = texts[0][0].decode()
    assert text.count("\n") <= 165
    assert "0.5 and" in text
    assert "tau_syn = 20*ms" in text
    assert "= 60.0*ms" in text or "= 60*ms" in text
    for left in (
        "CONSTANTS",
        "VARIED",
        "CELLS",
        "_MS*",
        "WORD",
        "ON_POOL",
        "MACHINE_NAME",
        "TARGET",
        "LEAD",
    ):
        assert left not in text
    ast.parse(text)
    assert max(map(len, text.splitlines())) <= 130


def test_its_weights_are_plain_arrays(program: Program, tmp_path: Path) -> None:
    find("brian2").emit(program, tmp_path)
    with np.load(tmp_path / "network.npz", allow_pickle=False) as data:
        assert (data["blocks"] == program.network.blocks).all()
        assert len(data["senders"]) == len(data["targets"]) == len(data["values"]) == 0
        assert (data["masks"] == program.network.masks).all()
        assert (data["codes"] == program.network.codes).all()
        assert data["inputs"].tolist() == list(program.machine.inputs)


def test_a_name_cannot_put_code_into_the_script(program: Program, tmp_path: Path) -> None:
    name = '"""; raise SystemExit(7); """ \\'
    find("brian2").emit(replace(program, machine=replace(program.machine, name=name)), tmp_path)
    tree = ast.parse((tmp_path / "run.py").read_text())
    assert not any(isinstance(node, ast.Raise) for node in ast.walk(tree))
    assert "SystemExit" in (ast.get_docstring(tree) or "")


def test_realism_is_not_for_the_script(program: Program, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="realism"):
        find("brian2").emit(program, tmp_path, missing=0.1)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_script_gives_the_spikes_of_the_backend(program: Program, tmp_path: Path) -> None:
    backend = find("brian2")
    backend.emit(program, tmp_path, hold_ms=43.0)
    with (tmp_path / "run.py").open("a") as script:
        script.write(
            '\nnp.save(Path(__file__).parent / "spikes.npy", np.stack([monitor.t/ms, monitor.i]))\n'
        )
    assert run_alone(tmp_path / "run.py", "coin", "push").returncode == 0
    times, cells = np.load(tmp_path / "spikes.npy")
    recording = backend.record(program, ["coin", "push"], hold_ms=43.0)[0]
    assert cells.astype(int).tolist() == recording.cells.tolist()
    assert np.allclose(times, recording.times_ms)


@pytest.mark.parametrize("queue", [False, True])
def test_the_script_gives_inputs_at_their_times(
    program: Program, tmp_path: Path, queue: bool
) -> None:
    find("brian2").emit(program, tmp_path)
    items = ["coin@0", "push@100", "push@0.2s", "push@299.5ms", "coin@400"]
    done = run_alone(tmp_path / "run.py", *(["--queue"] if queue else []), *items)
    assert done.returncode == 0, done.stderr
    train = [(0 * ms, "coin"), (100 * ms, "push"), (200 * ms, "push")]
    train += [(299.5 * ms, "push"), (400 * ms, "coin")]
    with vsafsm.open(program, backend="brian2") as session:
        played = session.play(train, "queue" if queue else "drop")
    assert len(played.dropped) == (0 if queue else 2)
    told = iter(zip(played.states, played.outputs, strict=True))
    expected = [("", *next(told))]
    for item, each in zip(items, played.arrivals, strict=True):
        expected.append((item, "(dropped)", ()) if each.dropped else (item, *next(told)))
    assert printed(done) == expected


@pytest.mark.parametrize("items", [("coin@0", "push"), ("coin@5", "push@4"), ("coin@",)])
def test_the_script_tells_of_times_that_make_no_sense(
    program: Program, tmp_path: Path, items: tuple[str, ...]
) -> None:
    find("brian2").emit(program, tmp_path)
    done = run_alone(tmp_path / "run.py", *items)
    assert (done.returncode, done.stdout) == (1, "")
    assert "expected" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("codegen", ["cython", "cpp_standalone"])
def test_the_target_is_the_script_s(program: Program, tmp_path: Path, codegen: str) -> None:
    find("brian2").emit(program, tmp_path, codegen=codegen)
    assert codegen in (tmp_path / "run.py").read_text()


def test_the_script_waits_as_the_interpreter_does(lamp: Program, tmp_path: Path) -> None:
    find("brian2").emit(lamp, tmp_path)
    word = ["press", "wait:0.5s", "press", "press", "press", "wait:250ms", "wait:500 ms"]
    done = run_alone(tmp_path / "run.py", *word)
    assert done.returncode == 0, done.stderr
    machine, ticks = lamp.machine, expanded(word, lamp.machine)
    trace = machine.run([symbol for group in ticks for symbol in group])
    ends = [0]
    for group in ticks:
        ends.append(ends[-1] + len(group))
    outputs = [trace.initial_outputs]
    for before, end in pairwise(ends):
        found: tuple[str, ...] = ()
        for i in range(before, end):
            found += machine.mealy(trace.states[i + 1], trace.outputs[i])
        outputs.append(found + machine.outputs_of(trace.states[end]))
    states = [trace.states[end] for end in ends]
    assert printed(done) == list(zip(["", *word], states, outputs, strict=True))


@pytest.mark.parametrize("item", ["wait:3", "wait:100ms", "wait:0s", "wait:-1s", "wait:"])
def test_the_script_tells_of_waits_that_make_no_sense(
    lamp: Program, tmp_path: Path, item: str
) -> None:
    find("brian2").emit(lamp, tmp_path)
    done = run_alone(tmp_path / "run.py", "press", item)
    assert done.returncode == 1
    assert "expected one of" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_script_gives_the_spikes_of_a_session(lamp: Program, tmp_path: Path) -> None:
    find("brian2").emit(lamp, tmp_path)
    with (tmp_path / "run.py").open("a") as script:
        script.write(
            '\nnp.save(Path(__file__).parent / "spikes.npy", np.stack([monitor.t/ms, monitor.i]))\n'
        )
    done = run_alone(tmp_path / "run.py", "press", "wait:500ms", "press", "press", "wait:500ms")
    assert done.returncode == 0, done.stderr
    times, cells = np.load(tmp_path / "spikes.npy")
    with vsafsm.open(lamp, backend="brian2") as session:
        for item in ("press", 0.5, "press", "press", 0.5):
            assert isinstance(session, ClockedSession)
            session.send(item) if isinstance(item, str) else session.wait(item)
        inside: Any = session
        recording = inside._session.recording
    assert cells.astype(int).tolist() == recording.cells.tolist()
    assert np.allclose(times, recording.times_ms)


def test_machines_without_a_clock_have_no_line_for_it(program: Program, tmp_path: Path) -> None:
    find("brian2").emit(program, tmp_path)
    text = (tmp_path / "run.py").read_text()
    assert "tick" not in text
    assert not any(line.startswith(("?", "!")) for line in text.splitlines())
