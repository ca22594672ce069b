"""The command line, called as a user calls it: exit codes, one JSON object, errors without a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vsafsm.cli import main
from vsafsm.examples import examples
from vsafsm.formats import load

SPECS = Path(__file__).parent.parent / "specs"
TURNSTILE = str(SPECS / "turnstile.yaml")


@pytest.fixture
def run(capsys, monkeypatch):
    """Call the command line: -> (exit code, standard output, standard error)."""

    def call(*arguments, stdin=""):
        import io

        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        try:
            code = main(arguments)
        except SystemExit as stop:
            code = stop.code
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call


@pytest.fixture
def program(run, tmp_path):
    path = tmp_path / "turnstile.npz"
    assert run("compile", TURNSTILE, "-o", str(path))[0] == 0
    return str(path)


def test_run_prints_the_trace_and_says_that_it_is_right(run):
    code, out, _ = run("run", TURNSTILE, "coin", "push", "push", "coin")
    assert code == 0
    states = [line.split()[2] for line in out.splitlines()[3:7]]
    assert states == ["unlocked", "locked", "locked", "unlocked"]
    assert "Each of the 5 states is the interpreter's" in out


@pytest.mark.parametrize("spec", sorted(SPECS.glob("*.yaml")), ids=lambda path: path.stem)
def test_run_json_is_the_interpreter_on_every_spec(run, spec):
    machine = load(spec)
    word = (list(machine.inputs) * 3)[: 2 * len(machine.inputs) + 1]
    code, out, _ = run("run", str(spec), *word, "--json")
    found, trace = json.loads(out), machine.run(word)
    assert code == 0
    assert found == {
        "machine": machine.name,
        "backend": "reference",
        "inputs": word,
        "states": list(trace.states),
        "expected": list(trace.states),
        "initial_outputs": list(trace.initial_outputs),
        "outputs": [list(o) for o in trace.outputs],
        "correct": True,
    }


def test_inputs_may_stand_on_both_sides_of_options(run):
    _, out, _ = run("run", TURNSTILE, "coin", "--json", "--seed", "3", "push")
    assert json.loads(out)["inputs"] == ["coin", "push"]


@pytest.mark.parametrize("way", ["stdin", "dash", "file"])
def test_a_word_comes_from_standard_input_or_a_file(run, tmp_path, way):
    path = tmp_path / "word"
    path.write_text("coin push\n coin\n")
    if way == "stdin":
        _, out, _ = run("run", TURNSTILE, "--json", stdin="coin push\n coin\n")
    else:
        name = "-" if way == "dash" else str(path)
        _, out, _ = run("run", TURNSTILE, "--json", "--word-file", name, stdin="coin push coin")
    assert json.loads(out)["inputs"] == ["coin", "push", "coin"]


def test_the_empty_word_shows_the_initial_state(run):
    code, out, _ = run("run", TURNSTILE, "--json")
    assert code == 0
    assert json.loads(out)["states"] == ["locked"]


@pytest.mark.parametrize("of", ["spec", "program"])
def test_prove_json(run, program, of):
    code, out, _ = run("prove", TURNSTILE if of == "spec" else program, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["holds"] is True
    assert found["verdict"] == "holds"
    assert (found["fixed_points"], found["states"], found["transitions"], found["self_loops"]) == (2, 2, 4, 2)
    assert found["hold_steps"] >= 1
    assert found["gap_steps"] >= 1
    assert 0 < found["margin"] < 1
    assert found["radius"] > 0
    assert found["neurons"] <= 4 * found["smallest"]


@pytest.mark.parametrize("code_kind", ["sparse", "dense"])
def test_info_json(run, code_kind):
    code, out, _ = run("info", TURNSTILE, "--json", "--code", code_kind, "--bits", "6")
    found = json.loads(out)
    assert code == 0
    assert (found["bits"], found["states"], found["inputs"], found["transitions"]) == (6, 2, 2, 4)
    assert (found["active"] * 2 == found["neurons"]) == (code_kind == "dense")
    assert set(found["norms"]) == {"autoassociative", "transition", "correction"}


def test_compile_options_reach_the_program(run, tmp_path):
    path = str(tmp_path / "p.npz")
    options = ["--dimension", "256", "--active", "16", "--bits", "5", "--seed", "7", "--margin", "0.2"]
    code, out, _ = run("compile", TURNSTILE, "-o", path, *options, "-O", "inhibition=separate", "--json")
    assert code == 0
    found = json.loads(run("info", path, "--json")[1])
    assert (found["neurons"], found["active"], found["bits"]) == (256, 16, 5)
    assert found["options"]["seed"] == 7
    assert found["gain"] > 0
    assert json.loads(out)["smallest"] is None


def test_what_is_not_proven_writes_nothing_unless_it_is_allowed(run, tmp_path):
    path = tmp_path / "p.npz"
    spec = str(SPECS / "tcp_connection.yaml")
    small = ["--dimension", "64", "--active", "16", "--rule", "one-shot"]
    code, _, err = run("compile", spec, "-o", str(path), *small)
    assert code == 1
    assert "tried" in err
    assert not path.exists()
    code, _, err = run("compile", spec, "-o", str(path), *small, "--allow-unproven")
    assert code == 1
    assert "not proven" in err
    assert path.exists()
    code, out, _ = run("prove", str(path), "--json")
    assert code == 1
    assert json.loads(out)["verdict"] in ("refuted", "undecided")
    assert json.loads(out)["counterexample"]["expected"]


def test_a_wrong_run_exits_with_1(run, tmp_path):
    path = str(tmp_path / "p.npz")
    spec = str(SPECS / "tcp_connection.yaml")
    run("compile", spec, "-o", path, "--dimension", "64", "--active", "16", "--rule", "one-shot", "--allow-unproven")
    code, out, _ = run("run", path, load(spec).inputs[0], "--json")
    found = json.loads(out)
    assert code == (0 if found["correct"] else 1)
    assert found["correct"] == (found["states"] == found["expected"])
    assert not found["correct"]


def test_emit_writes_the_arrays(run, tmp_path, program):
    code, _, _ = run("emit", program, "-o", str(tmp_path / "out"))
    assert code == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["machine"] == "turnstile"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "weights.npy",
        "masks.npy",
        "codes.npy",
        "manifest.json",
    }


def test_convert_there_and_back(run, tmp_path):
    kiss, back = str(tmp_path / "t.kiss2"), str(tmp_path / "t.yaml")
    assert run("convert", TURNSTILE, kiss)[0] == 0
    assert run("convert", kiss, back)[0] == 0
    assert load(back).run(load(back).inputs[:1]).states == load(kiss).run(load(kiss).inputs[:1]).states


def test_examples_are_listed_and_copied_and_not_overwritten(run, tmp_path):
    code, out, _ = run("examples")
    assert code == 0
    assert all(name in out for name in examples())
    assert run("examples", "turnstile", "-o", str(tmp_path))[0] == 0
    assert (tmp_path / "turnstile.yaml").read_bytes() == (SPECS / "turnstile.yaml").read_bytes()
    assert run("examples", "turnstile", "-o", str(tmp_path))[0] == 2
    assert run("examples", "turnstyle", "-o", str(tmp_path))[2].count('did you mean "turnstile"') == 1
    assert run("examples", "--all", "--force", "-o", str(tmp_path))[0] == 0
    assert len(list(tmp_path.iterdir())) == len(examples())


def test_backends_are_listed(run):
    code, out, _ = run("backends", "--json")
    assert code == 0
    assert {"name": "reference", "unavailable": None} in json.loads(out)["backends"]


BAD = {
    "unknown input": (["run", TURNSTILE, "cion"], 'did you mean "coin"'),
    "unknown backend": (["run", TURNSTILE, "coin", "--backend", "referense"], 'did you mean "reference"'),
    "missing spec": (["run", "nowhere.yaml", "coin"], "nowhere.yaml"),
    "missing program": (["prove", "nowhere.npz"], "nowhere.npz"),
    "folder as spec": (["prove", str(SPECS)], "specs"),
    "unknown format": (["prove", TURNSTILE, "--format", "yamll"], 'did you mean "yaml"'),
    "bits too many": (["prove", TURNSTILE, "--bits", "17"], "from 2 to 16"),
    "bits no number": (["prove", TURNSTILE, "--bits", "x"], "whole number"),
    "margin too large": (["prove", TURNSTILE, "--margin", "2"], "0.45"),
    "margin not a number": (["prove", TURNSTILE, "--margin", "nan"], "0.45"),
    "unknown rule": (["prove", TURNSTILE, "--rule", "refind"], 'did you mean "refined"'),
    "unknown -O": (["prove", TURNSTILE, "-O", "dimensoin=3"], 'did you mean "dimension"'),
    "-O without value": (["prove", TURNSTILE, "-O", "bits"], "key=value"),
    "too active": (["prove", TURNSTILE, "--dimension", "16", "--active", "64"], "16"),
    "unknown option": (["prove", TURNSTILE, "--dimensions", "3", "--bitz"], "--bitz"),
    "no command": ([], "COMMAND"),
    "missing folder": (["compile", TURNSTILE, "-o", "nowhere/p.npz"], "nowhere"),
    "two words": (["run", TURNSTILE, "coin", "--word-file", TURNSTILE], "one of them"),
    "level runs on": (["prove", str(SPECS / "modulo_counter.yaml"), "--trigger", "level"], "level"),
}


@pytest.mark.parametrize(("arguments", "says"), BAD.values(), ids=BAD.keys())
def test_bad_input_exits_with_2_and_says_why(run, arguments, says):
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert says in err


def test_a_wrong_spec_is_told_with_its_place(run, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("machine: m\ninitial: a\nstates:\n  a:\n    transitions: {go: bb}\n  b: {}\n")
    code, _, err = run("compile", str(path), "-o", str(tmp_path / "p.npz"))
    assert code == 2
    assert f"{path}:5:" in err
    assert list(tmp_path.iterdir()) == [path]


def test_compile_options_of_a_program_are_refused(run, program):
    code, _, err = run("prove", program, "--bits", "4")
    assert code == 2
    assert "compiled already" in err


def test_the_spec_s_own_options_hold_and_the_command_line_s_come_first(run, tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(Path(TURNSTILE).read_text() + "\ncompile: {bits: 4}\n")
    assert json.loads(run("info", str(path), "--json")[1])["bits"] == 4
    assert json.loads(run("info", str(path), "--json", "--bits", "7")[1])["bits"] == 7


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full: the writer's own test covers a full disk")
def test_a_full_disk_is_an_error_of_its_own(run):
    code, _, err = run("compile", TURNSTILE, "-o", "/dev/full")
    assert code == 2
    assert "space" in err


def test_as_a_process():
    done = subprocess.run(
        [sys.executable, "-m", "vsafsm", "run", TURNSTILE, "coin", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert json.loads(done.stdout)["states"] == ["locked", "unlocked"]
    version = subprocess.run(
        [sys.executable, "-m", "vsafsm", "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    assert version.stdout.startswith("vsafsm ")
