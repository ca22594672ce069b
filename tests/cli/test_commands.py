"""The command line, called as a user calls it: exit codes, one JSON object, errors without a
traceback.
"""

import json
import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from vsafsm.backend import Option
from vsafsm.backend_options import RESERVED
from vsafsm.cli import main
from vsafsm.cli.arguments import COMPILE_OPTIONS
from vsafsm.compiler import compile_machine
from vsafsm.examples import examples
from vsafsm.formats import load
from vsafsm.options import Options
from vsafsm.order_refinement import for_any_order
from vsafsm.program import load_program
from vsafsm.proof import prove
from vsafsm.reference import ReferenceBackend
from vsafsm.requirements import Requirements

SPECS = Path(__file__).parents[2] / "specs"
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
        "configurations": found["configurations"],
        "expected": list(trace.states),
        "initial_outputs": list(trace.initial_outputs),
        "outputs": [list(o) for o in trace.outputs],
        "correct": True,
    }


def test_inputs_may_stand_on_both_sides_of_options(run):
    _, out, _ = run("run", TURNSTILE, "coin", "--json", "--seed", "3", "push")
    assert json.loads(out)["inputs"] == ["coin", "push"]


AFTER = {
    "after inputs and an option": ["run", TURNSTILE, "coin", "--seed", "1", "--", "--json", "--"],
    "after an option": ["run", TURNSTILE, "--seed", "1", "--", "coin", "--json", "--"],
    "before the spec": ["run", "--seed", "1", "--", TURNSTILE, "coin", "--json", "--"],
}


@pytest.mark.parametrize("arguments", AFTER.values(), ids=AFTER.keys())
def test_whatever_stands_after_two_dashes_is_an_input(run, tmp_path, arguments):
    spec = tmp_path / "dashes.yaml"
    spec.write_text(
        "machine: m\ninitial: a\nstates:\n  a: {transitions: {coin: a, --json: a, --: a}}\n"
    )
    code, out, _ = run(*(str(spec) if text == TURNSTILE else text for text in arguments))
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()[3:6]] == ["coin", "--json", "--"]


@pytest.mark.parametrize("option", ["--seed", "-O"])
def test_two_dashes_are_no_value_of_an_option(run, option):
    code, _, err = run("run", TURNSTILE, option, "--", "3")
    assert code == 2
    assert "without its value" in err


def test_a_word_file_may_begin_with_a_byte_order_mark(run, tmp_path):
    (tmp_path / "word").write_bytes(b"\xef\xbb\xbfcoin push")
    for arguments, stdin in (
        (["--word-file", str(tmp_path / "word")], ""),
        ([], "\ufeffcoin push"),
    ):
        _, out, _ = run("run", TURNSTILE, "--json", *arguments, stdin=stdin)
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
    assert (found["fixed_points"], found["states"], found["transitions"], found["self_loops"]) == (
        2,
        2,
        4,
        2,
    )
    assert found["hold_steps"] >= 1
    assert found["gap_steps"] >= 1
    assert 0 < found["margin"] < 1
    assert found["radius"] > 0
    assert found["neurons"] <= 4 * found["smallest"]


def test_prove_for_any_order_of_updates(run, tmp_path):
    small = ("--dimension", "96", "--rule", "robust", "--timing", "any")
    code, out, _ = run("prove", TURNSTILE, *small)
    assert code == 1
    first, second, third = out.splitlines()
    assert first.endswith("any order of updates, refuted")
    assert second.startswith("refuted: coin: expected")
    assert third.startswith("bounds show")
    found = json.loads(run("prove", TURNSTILE, *small, "--json")[1])
    assert (found["holds"], found["verdict"], found["timing"]) == (False, "refuted", "any")
    assert found["shown"] < found["changes"] == 9
    assert found["counterexample"]["word"] == ["coin"]
    assert [phase["input"] for phase in found["counterexample"]["phases"]] == [None, "coin"]

    program = compile_machine(load(TURNSTILE), dimension=256, rule="robust", tolerate="none")
    for_any_order(program).save(tmp_path / "turnstile.npz")
    code, out, _ = run("prove", str(tmp_path / "turnstile.npz"), "--timing", "any")
    assert code == 0
    assert "all 9 changes" in out
    found = json.loads(run("prove", str(tmp_path / "turnstile.npz"), "--timing=any", "--json")[1])
    assert found["holds"] is True
    assert found["counterexample"] is found["shortfall"] is None


def test_prove_for_any_order_names_what_it_expects(run):
    code, out, err = run("prove", TURNSTILE, "--timing", "every")
    assert (code, out) == (2, "")
    assert "synchronous" in err


@pytest.fixture
def liar(program, tmp_path):
    """A program that claims to be proven, with a network of another machine's weights."""
    path = tmp_path / "liar.npz"
    honest = load_program(program)
    network = honest.network.with_weights(honest.network.weights[::-1].copy())
    replace(honest, network=network).save(path)
    return str(path)


def test_prove_says_what_it_found_and_nothing_of_the_claim(run, liar):
    code, out, _ = run("prove", liar)
    assert code == 1
    assert "proven" not in out
    assert out.splitlines()[0].endswith((", refuted", ", undecided"))


def test_the_counterexample_has_the_timing_of_each_input(run, liar):
    found = json.loads(run("prove", liar, "--json")[1])["counterexample"]
    program = load_program(liar)
    wrong = prove(program.machine, program.network).counterexample
    assert found == {
        "word": list(wrong.word),
        "timings": [{"onset": onset, "end": end} for onset, end in wrong.timings],
        "expected": wrong.expected,
        "found": wrong.found,
    }


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
    options = [
        "--dimension",
        "256",
        "--active",
        "16",
        "--bits",
        "5",
        "--seed",
        "7",
        "--margin",
        "0.2",
    ]
    code, out, _ = run(
        "compile", TURNSTILE, "-o", path, *options, "-O", "inhibition=separate", "--json"
    )
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
    assert len(err.splitlines()) == 1
    assert "no proof at 64 neurons; expected a dimension of about" in err
    assert not path.exists()
    code, _, err = run("compile", spec, "-o", str(path), *small, "--verbose")
    assert code == 1
    assert err.count("vsafsm: tried: N=64") >= 2
    code, _, err = run("compile", spec, "-o", str(path), *small, "--allow-unproven")
    assert code == 1
    assert "not proven" in err
    assert path.exists()
    code, out, _ = run("prove", str(path), "--json")
    assert code == 1
    assert json.loads(out)["verdict"] in ("refuted", "undecided")
    assert json.loads(out)["counterexample"]["expected"]


HOPELESS = [str(SPECS / "turnstile.yaml"), "--bits", "2", "--rule", "one-shot"]


def test_where_no_size_proves_the_best_attempt_is_shown(run):
    code, out, _ = run("prove", *HOPELESS, "--json")
    found = json.loads(out)
    assert code == 1
    assert found["holds"] is False
    assert found["verdict"] in ("refuted", "undecided")
    assert found["counterexample"]["expected"]


def test_where_no_size_proves_the_best_attempt_is_written_if_it_is_allowed(run, tmp_path):
    path = tmp_path / "p.npz"
    assert run("compile", *HOPELESS, "-o", str(path))[0] == 1
    assert not path.exists()
    code, out, err = run("compile", *HOPELESS, "-o", str(path), "--allow-unproven")
    assert code == 1
    assert "not proven" in err
    assert "proven, margin" not in out
    assert not load_program(path).claim.holds


def test_a_wrong_run_exits_with_1(run, tmp_path):
    path = str(tmp_path / "p.npz")
    spec = str(SPECS / "tcp_connection.yaml")
    run(
        "compile",
        spec,
        "-o",
        path,
        "--dimension",
        "64",
        "--active",
        "16",
        "--rule",
        "one-shot",
        "--allow-unproven",
    )
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
    assert (
        load(back).run(load(back).inputs[:1]).states == load(kiss).run(load(kiss).inputs[:1]).states
    )


def test_convert_merges_states_only_when_asked(run, tmp_path):
    spec = tmp_path / "m.yaml"
    states = "".join(
        f"  {name}: {{transitions: {{go: {to}}}}}\n" for name, to in (("a", "b"), ("b", "a"))
    )
    spec.write_text(f"machine: m\ninitial: a\ninputs: [go]\nstates:\n{states}")
    assert run("convert", str(spec), str(tmp_path / "kept.dot"))[0] == 0
    assert len(load(tmp_path / "kept.dot").states) == 2
    code, out, _ = run("convert", str(spec), str(tmp_path / "fewest.dot"), "--minimize")
    assert code == 0
    assert "1 of 2 states" in out
    assert len(load(tmp_path / "fewest.dot").states) == 1


def test_convert_writes_nothing_that_is_read_back_as_another_machine(run, tmp_path, monkeypatch):
    monkeypatch.setattr("vsafsm.cli.convert.distinguishing_word", lambda one, _: one.inputs[:1])
    code, out, err = run("convert", TURNSTILE, str(tmp_path / "t.dot"))
    assert (code, out) == (2, "")
    assert "something else on the word coin" in err
    assert not (tmp_path / "t.dot").exists()


@pytest.mark.parametrize("command", [["compile", "-o"], ["convert"]], ids=["compile", "convert"])
@pytest.mark.parametrize("name", ["m.yaml", "./m.yaml", "linked.yaml"])
def test_the_file_that_is_read_is_not_written_over(run, tmp_path, monkeypatch, command, name):
    monkeypatch.chdir(tmp_path)
    spec = Path("m.yaml")
    spec.write_bytes(Path(TURNSTILE).read_bytes())
    Path("linked.yaml").symlink_to(spec)
    code, out, err = run(command[0], str(spec), *command[1:], name)
    assert (code, out) == (2, "")
    assert "the file to be read" in err
    assert spec.read_bytes() == Path(TURNSTILE).read_bytes()


FORGETFUL = """\
machine: player
initial: stopped
states:
  stopped: {transitions: {play: playing.last}}
  playing:
    initial: radio
    transitions: {stop: stopped, off: broken}
    states:
      last: {history: shallow, default: radio}
      radio: {transitions: {next: disc}, outputs: [news]}
      disc: {transitions: {next: radio}}
  broken: {outputs: [smoke]}
"""


def test_states_of_a_chart_that_do_the_same_are_counted(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("m.yaml").write_text(FORGETFUL)
    code, _, err = run("compile", "m.yaml", "--smallest", "-o", "m.npz")
    assert code == 0
    # It is broken with a memory of the radio, and with one of the disc.
    assert "note: 5 of 6 states differ in what they do" in err
    told = err.split("vsafsm convert ")[1].split()
    assert run("convert", *told)[:2] == (
        0,
        "wrote small.yaml: 5 of 6 states, 4 inputs, equivalent\n",
    )
    flat = run("convert", "m.yaml", "flat.yaml")
    assert flat[0] == 0
    assert "differ" not in run("compile", "flat.yaml", "--smallest", "-o", "f.npz")[2]
    assert "differ" not in run("compile", "small.yaml", "--smallest", "-o", "s.npz")[2]


def test_what_a_search_for_a_backend_is_for_is_told(run, tmp_path, monkeypatch):
    monkeypatch.setattr("vsafsm.cli.progress.HINT_AFTER_SECONDS", 0.0)
    output = ("-o", str(tmp_path / "t.npz"), "--no-cache", "--force")
    _, _, err = run("compile", TURNSTILE, "--for", "brian2", *output)
    assert "looks for a network that brian2 takes" in err
    assert (
        "note" not in run("compile", TURNSTILE, "--for", "brian2", "--dimension", "512", *output)[2]
    )


def test_examples_are_listed_and_copied_and_not_overwritten(run, tmp_path):
    code, out, _ = run("examples")
    assert code == 0
    assert all(name in out for name in examples())
    assert run("examples", "turnstile", "-o", str(tmp_path))[0] == 0
    assert (tmp_path / "turnstile.yaml").read_bytes() == (SPECS / "turnstile.yaml").read_bytes()
    assert run("examples", "turnstile", "-o", str(tmp_path))[0] == 2
    assert (
        run("examples", "turnstyle", "-o", str(tmp_path))[2].count('did you mean "turnstile"') == 1
    )
    assert run("examples", "--all", "--force", "-o", str(tmp_path))[0] == 0
    assert len(list(tmp_path.iterdir())) == len(examples())


def test_backends_are_listed(run):
    code, out, _ = run("backends", "--json")
    assert code == 0
    assert {"name": "reference", "unavailable": None} in json.loads(out)["backends"]


# ---- backends and their options


class Chip(ReferenceBackend):
    name = "chip"
    options = (
        Option("limit", int, 100, "neurons", "Takes 100% of them."),
        Option("hold_ms", float, None, "ms", "How long an input is held."),
        Option("noisy", bool, False, "", "Whether there is noise."),
        Option("codegen", str, "numpy", "", "How code is made."),
    )

    def __init__(self):
        self.asked = []

    def requirements(self, options):
        self.asked.append(("requirements", dict(options)))
        return Requirements(most_neurons=options.get("limit", 100))

    def open(self, program, **options):
        self.asked.append(("open", options))
        return super().open(program)

    def emit(self, program, folder, **options):
        self.asked.append(("emit", options))
        (folder / "chip.txt").write_text("chip")


@pytest.fixture
def chip(install):
    backend = Chip()
    install("chip", backend=backend)
    return backend


WAYS = {
    "flags": ["--limit", "60", "--hold-ms", "2.5", "--noisy", "no", "--codegen", "c"],
    "assignments": ["-O", "limit=60", "-O", "hold_ms=2.5", "-O", "noisy=False", "-O", "codegen=c"],
    "both": [
        "-O",
        "limit=6",
        "--limit=60",
        "--hold-ms",
        "2.5",
        "-O",
        "noisy=off",
        "--codegen",
        "c",
    ],
}
GIVEN = {"limit": 60, "hold_ms": 2.5, "noisy": False, "codegen": "c"}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_options_of_a_backend_reach_all_that_takes_them(run, chip, tmp_path, way):
    path = str(tmp_path / "p.npz")
    assert run("compile", TURNSTILE, "--for", "chip", *way, "-o", path)[0] == 0
    assert load_program(path).network.neurons <= 60
    for spec in (TURNSTILE, path):
        assert run("run", spec, "coin", "--backend", "chip", *way)[0] == 0
        assert run("emit", spec, "--to", "chip", "-o", str(tmp_path / "out"), *way)[0] == 0
        assert run("prove", spec, "--backend", "chip", *way)[0] == 0
        assert run("info", spec, "--backend", "chip", *way)[0] == 0
    assert {kind for kind, _ in chip.asked} == {"requirements", "open", "emit"}
    assert all(options == GIVEN for _, options in chip.asked)


class OneFile(Chip):
    name = "one_file"
    suffix = ".chip"

    def emit_file(self, program, path, **options):
        self.asked.append(("emit_file", options))
        path.write_text(program.machine.name)


def test_a_backend_of_one_file_writes_it_where_the_suffix_says_so(run, install, tmp_path):
    backend, path = OneFile(), tmp_path / "a.chip"
    install("one_file", backend=backend)
    way = WAYS["flags"]
    assert run("emit", TURNSTILE, "--to", "one_file", "-o", str(path), *way)[:2] == (
        0,
        f"wrote {path}\n",
    )
    assert path.read_text() == "turnstile"
    assert ("emit_file", GIVEN) in backend.asked
    assert run("emit", TURNSTILE, "--to", "one_file", "-o", str(tmp_path / "folder"), *way)[0] == 0
    assert (tmp_path / "folder" / "chip.txt").is_file()
    assert run("emit", TURNSTILE, "-o", str(tmp_path / "b.chip"))[0] == 0
    assert (tmp_path / "b.chip" / "weights.npy").is_file()


def test_a_backend_of_one_file_writes_over_no_folder_and_not_over_the_spec(run, install, tmp_path):
    backend, spec = OneFile(), tmp_path / "spec.chip"
    install("one_file", backend=backend)
    (tmp_path / "folder.chip").mkdir()
    spec.write_bytes(Path(TURNSTILE).read_bytes())
    for output, says in (
        ("folder.chip", "it is a folder"),
        ("no/a.chip", "is not there"),
        ("spec.chip", "it is the file to be read"),
    ):
        code, out, err = run(
            "emit", str(spec), "--format", "yaml", "--to", "one_file", "-o", str(tmp_path / output)
        )
        assert (code, out) == (2, "")
        assert says in err
    assert not backend.asked
    assert spec.read_bytes() == Path(TURNSTILE).read_bytes()


def test_compile_options_beside_those_of_a_backend_are_still_refused_with_a_program(
    run, chip, program
):
    assert run("run", program, "coin", "--backend", "chip", "-O", "limit=200")[0] == 0
    code, _, err = run(
        "run", program, "coin", "--backend", "chip", "-O", "limit=200", "-O", "bits=4"
    )
    assert code == 2
    assert "compiled already" in err


@pytest.mark.parametrize("command", ["run", "emit", "prove", "info"])
def test_a_program_that_does_not_fit_is_refused_everywhere(run, chip, program, tmp_path, command):
    flag, more = ("--to", ["-o", str(tmp_path / "out")]) if command == "emit" else ("--backend", [])
    code, out, err = run(command, program, flag, "chip", "--limit", "60", *more)
    assert (code, out) == (2, "")
    assert "vsafsm compile SPEC --for chip" in err
    assert not (tmp_path / "out").exists()


WRONG_VALUES = {
    "int": (["--limit", "6.5"], 'option limit of backend "chip" is "6.5"; expected a whole number'),
    "int with _": (["--limit", "1_0"], "expected a whole number"),
    "float": (
        ["-O", "hold_ms=nan"],
        'option hold_ms of backend "chip" is "nan"; expected a finite number',
    ),
    "bool": (["--noisy", "maybe"], 'is "maybe"; expected true or false'),
    "bool assigned": (["-O", "noisy="], 'is ""; expected true or false'),
    "unknown": (["-O", "limt=3"], 'unknown option "limt"; expected one of: active, bits,'),
}


@pytest.mark.parametrize(("arguments", "says"), WRONG_VALUES.values(), ids=WRONG_VALUES.keys())
def test_a_wrong_value_for_a_backend_is_told(run, chip, arguments, says):
    code, out, err = run("run", TURNSTILE, "coin", "--backend", "chip", *arguments)
    assert (code, out) == (2, "")
    assert says in err


@pytest.mark.parametrize(
    "arguments", [["run", "--backend"], ["compile", "--for"], ["emit", "--to"]]
)
def test_help_shows_the_options_of_a_backend(run, chip, arguments):
    code, out, _ = run(*arguments, "chip", "--help")
    shown = " ".join(out.split())
    assert code == 0
    assert "--limit LIMIT Takes 100% of them. (neurons); default 100" in shown
    assert "--hold-ms HOLD_MS How long an input is held. (ms) --noisy" in shown


def test_no_option_of_a_backend_can_have_the_name_of_a_flag(run):
    assert set(COMPILE_OPTIONS) == {field.name for field in fields(Options)}
    for command in ("compile", "run", "prove", "info", "emit"):
        shown = run(command, "--help")[1]
        flags = {
            word.strip(",").lstrip("-").replace("-", "_")
            for word in shown.split()
            if word.startswith("--")
        }
        assert flags - {"for"} <= RESERVED | COMPILE_OPTIONS.keys()


@pytest.mark.parametrize(
    "command", [["run"], ["prove"], ["compile", "-o", "p.npz"]], ids=lambda c: c[0]
)
def test_a_backend_with_an_option_of_a_taken_name_is_refused(run, install, command):
    class Seeded(ReferenceBackend):
        options = (Option("seed", int, 0, "", "of noise"),)

    install("seeded", backend=Seeded())
    flag = "--for" if command[0] == "compile" else "--backend"
    code, _, err = run(command[0], TURNSTILE, *command[1:], flag, "seeded")
    assert code == 2
    assert 'its option "seed" collides with the compile option "seed"' in err


class Inverted(ReferenceBackend):
    """A target that holds other weights than the program's."""

    def lower(self, program, **options):
        return program.network.with_weights(-program.network.weights)


def test_prove_takes_what_the_backend_holds(run, install, chip, program):
    install("inverted", backend=Inverted())
    assert run("prove", program)[0] == run("prove", program, "--backend", "chip")[0] == 0
    for spec in (TURNSTILE, program):
        code, out, _ = run("prove", spec, "--backend", "inverted", "--json")
        assert code == 1
        assert json.loads(out)["holds"] is False


def test_prove_refuses_what_no_proof_speaks_for(run, install, program):
    class Noisy(ReferenceBackend):
        exact = False

    class Circuit(ReferenceBackend):
        def lower(self, program, **options):
            return [1, 2, 3]

    install("noisy", backend=Noisy())
    install("circuit", backend=Circuit())
    for backend, says in (
        ("noisy", "measurement with `vsafsm run --backend noisy`"),
        ("circuit", "makes a list"),
    ):
        code, out, err = run("prove", program, "--backend", backend)
        assert (code, out) == (2, "")
        assert says in err


def test_info_adds_what_the_program_takes_on_a_backend(run, program):
    plain = json.loads(run("info", program, "--json")[1])
    found = json.loads(run("info", program, "--backend", "reference", "--json")[1])
    assert found.pop("backend")["neurons"] == found["neurons"]
    assert found == plain
    assert "synapses" in run("info", program, "--backend", "reference")[1]


# ---- bad input


BAD = {
    "abbreviation": (["prove", TURNSTILE, "--bit", "4"], "--bit"),
    "unknown input": (["run", TURNSTILE, "cion"], 'did you mean "coin"'),
    "unknown backend": (
        ["run", TURNSTILE, "coin", "--backend", "referense"],
        'did you mean "reference"',
    ),
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
    "unknown option": (["prove", TURNSTILE, "--dimensions", "3"], 'did you mean "--dimension"?'),
    "smallest, and a noise": (
        ["prove", TURNSTILE, "--smallest", "--tolerate", "missing:0.1"],
        "option tolerate is 'none missing:0.1'; expected noises, or \"none\" (as --smallest",
    ),
    "a noise, and smallest": (
        ["prove", TURNSTILE, "--tolerate", "missing:0.1", "--smallest"],
        "option tolerate is 'missing:0.1 none'",
    ),
    "none and a noise": (
        ["prove", TURNSTILE, "-O", "tolerate=none missing:0.1"],
        "option tolerate is 'none missing:0.1'",
    ),
    "an empty noise": (["prove", TURNSTILE, "--tolerate", ""], "option tolerate is ''"),
    "a format of an expression": (
        ["compile", "--regex", "a", "--format", "yaml", "-o", "nowhere.npz"],
        "expected it without --regex",
    ),
    "no command": (["--bits"], "commands"),
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


def test_smallest_may_be_said_twice(run):
    flags = ("--smallest", "--smallest", "--tolerate", "none")
    options = json.loads(run("info", TURNSTILE, *flags, "--json")[1])["options"]
    assert options["tolerate"] == "none"


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


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="no /dev/full: the writer's own test covers a full disk"
)
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
        [sys.executable, "-m", "vsafsm", "--version"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert version.stdout.startswith("vsafsm ")


# ---- streams


def process(*arguments, redirected="", **environment):
    """The command line in a process of its own, as a shell would start it."""
    return subprocess.run(
        ["sh", "-c", f'exec "$0" "$@" {redirected}', sys.executable, "-m", "vsafsm", *arguments],
        capture_output=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


@pytest.fixture
def japanese(tmp_path):
    path = tmp_path / "m.yaml"
    text = (
        "machine: 日本\ninitial: é\nstates:\n  é: {transitions: {入: 開}}\n  開: {transitions: {入:"
        " é}}\n"
    )
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "ascii:surrogateescape", "utf-8"])
def test_names_are_printed_whatever_the_encoding(japanese, encoding):
    done = process(
        "run", japanese, "入", "--json", "--smallest", PYTHONIOENCODING=encoding, PYTHONUTF8="1"
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["states"] == ["é", "開"]
    done = process("run", japanese, "入", "--smallest", PYTHONIOENCODING=encoding, PYTHONUTF8="1")
    assert (done.returncode, done.stderr) == (0, b"")
    assert ("開".encode() if encoding == "utf-8" else b"\\u958b") in done.stdout
    done = process("run", japanese, "日", "--smallest", PYTHONIOENCODING=encoding, PYTHONUTF8="1")
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


FULL = [">/dev/full", "2>/dev/full"] if Path("/dev/full").exists() else []


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
@pytest.mark.parametrize("redirected", [">&-", "2>&-", ">&- 2>&-", *FULL])
@pytest.mark.parametrize(
    "arguments", [["run", TURNSTILE, "cion"], ["backends"], ["nonsense"], ["--help"]], ids=str
)
def test_streams_that_cannot_be_written_leave_the_exit_code(arguments, redirected):
    done = process(*arguments, redirected=redirected)
    right = arguments in (["backends"], ["--help"]) and redirected.startswith("2")
    assert done.returncode == (0 if right else 2)
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    if redirected in (">&-", ">/dev/full"):
        assert done.stderr.startswith((b"vsafsm: error: ", b"usage: "))


def test_emit_tells_what_it_wrote_and_not_what_was_there(run, tmp_path, program):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "gone").symlink_to(folder / "nothing")
    code, out, _ = run("emit", program, "-o", str(folder))
    assert code == 0
    assert "notes.txt" not in out
    again = run("emit", program, "-o", str(folder))[1]
    assert again == out
    assert str(folder / "manifest.json") in out


@pytest.mark.parametrize("name", ["other.yaml", "other", "other.txt", "other.csv"])
def test_a_program_is_written_to_npz_only(run, tmp_path, name):
    path = tmp_path / name
    path.write_text("mine")
    for force in ([], ["--force"]):
        code, _, err = run("compile", TURNSTILE, "-o", str(path), *force)
        assert code == 2
        assert "ends in .npz" in err
        assert path.read_text() == "mine"


def test_a_program_replaces_programs_and_nothing_else(run, program, tmp_path):
    assert run("compile", TURNSTILE, "-o", program)[0] == 0
    other = tmp_path / "data.npz"
    other.write_bytes(b"measured for a year")
    code, _, err = run("compile", TURNSTILE, "-o", str(other))
    assert code == 2
    assert "is not a program" in err
    assert other.read_bytes() == b"measured for a year"
    assert run("compile", TURNSTILE, "-o", str(other), "--force")[0] == 0
    assert load_program(other).claim.holds


def test_convert_takes_its_file_in_two_ways(run, tmp_path):
    one, two = str(tmp_path / "one.kiss2"), str(tmp_path / "two.kiss2")
    assert run("convert", TURNSTILE, one)[0] == run("convert", TURNSTILE, "-o", two)[0] == 0
    assert Path(one).read_bytes() == Path(two).read_bytes()
    for wrong in ([], [one, "-o", two]):
        code, _, err = run("convert", TURNSTILE, *wrong)
        assert code == 2
        assert "expected one file to write" in err


def test_a_recogniser_of_words_is_determinised_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "ends.dot", tmp_path / "ends.blif"
    source.write_text(
        "digraph ends { s [shape=point]; s -> p; r [shape=doublecircle]; p -> p [label=a];"
        " p -> p [label=b]; p -> q [label=a]; q -> r [label=b] }"
    )
    assert main(["convert", str(source), str(target)]) == 2
    assert "--format dot:nfa" in capsys.readouterr().err
    assert main(["convert", str(source), str(target), "--format", "dot:nfa"]) == 0
    assert "3 states, 2 inputs" in capsys.readouterr().out
    assert load(target).run(["0", "1"]).outputs[-1] == ("accept",)


def test_a_file_that_is_not_there_names_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lamp.yaml").touch()
    assert main(["info", str(tmp_path / "lmap.yaml")]) == 2
    assert 'did you mean "lamp.yaml"?' in capsys.readouterr().err


def test_names_that_a_format_cannot_hold_are_renamed_on_request(run, tmp_path):
    out = tmp_path / "t.jff"
    code, _, err = run("convert", TURNSTILE, str(out))
    assert code == 2
    assert 'the input "coin"; expected' in err
    assert "vsafsm convert --rename" in err
    assert not out.exists()
    code, told, _ = run("convert", TURNSTILE, str(out), "--rename")
    assert (code, told.splitlines()[1]) == (0, f"wrote {out}.names.csv: 2 renamed")
    table = tmp_path / "t.jff.names.csv"
    assert table.read_text() == "kind,name,written\ninput,coin,c\ninput,push,p\n"
    assert load(out).run("cp").outputs == load(TURNSTILE).run(["coin", "push"]).outputs
    assert run("convert", TURNSTILE, str(out), "--rename")[0] == 0
    assert run("info", str(out))[0] == run("run", str(out), "c", "p")[0] == 0
    assert run("convert", str(out), str(tmp_path / "t.scxml"), "--rename")[0] == 0
    assert not (tmp_path / "t.scxml.names.csv").exists()


def test_a_table_of_names_replaces_nothing_else(run, tmp_path):
    out, table = tmp_path / "t.jff", tmp_path / "t.jff.names.csv"
    table.write_text("a,b\n")
    code, told, err = run("convert", TURNSTILE, str(out), "--rename")
    assert (code, told) == (2, "")
    assert "is there and is not a table of names" in err
    assert (out.exists(), table.read_text()) == (False, "a,b\n")
    assert run("convert", TURNSTILE, str(out), "--rename", "--force")[0] == 0
    code, _, err = run("convert", TURNSTILE, "/dev/null", "--rename", "--to", "jflap")
    assert code == 2
    assert "which is no file" in err


def test_a_nondeterministic_automaton_of_jflap_is_determinised_on_request(run, tmp_path):
    source, target = tmp_path / "n.jff", tmp_path / "n.yaml"
    arrows = "".join(
        f"<transition><from>{f}</from><to>{t}</to><read>{a}</read></transition>"
        for f, t, a in ((0, 0, "a"), (0, 0, "b"), (0, 1, "ab"))
    )
    source.write_text(
        '<structure><type>fa</type><automaton><state id="0"><initial/></state>'
        f'<state id="1"><final/></state>{arrows}</automaton></structure>'
    )
    code, _, err = run("convert", str(source), str(target))
    assert code == 2
    assert "--format jflap:nfa" in err
    assert run("convert", str(source), str(target), "--format", "jflap:nfa")[0] == 0
    assert load(target).run("aab").outputs[-1] == ("accept",)
