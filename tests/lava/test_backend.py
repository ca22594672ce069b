"""The backend behind the protocol, and its command line. Without Lava it says why."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from types import SimpleNamespace

import pytest

import vsafsm
from vsafsm import errors as e
from vsafsm.cli import main
from vsafsm.discovery import find
from vsafsm.errors import BackendError
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm_lava.backend import BACKEND, TARGETS

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
Truth = Callable[[Program, list[str]], vsafsm.Run]
needs_lava = pytest.mark.usefixtures("lava")
SIMULATORS = ("sim", "sim-stock")


@pytest.fixture
def file(program: Program, tmp_path: Path) -> str:
    """The turnstile's program, as a file."""
    program.save(tmp_path / "turnstile.npz")
    return str(tmp_path / "turnstile.npz")


# ---- where it is not available


def python(monkeypatch: Patch, *version: int) -> None:
    monkeypatch.setattr("vsafsm_lava.backend.sys", SimpleNamespace(version_info=version))


def start_method(monkeypatch: Patch, name: str | None) -> None:
    asked = SimpleNamespace(get_start_method=lambda allow_none=False: name)
    monkeypatch.setattr("vsafsm_lava.backend.multiprocessing", asked)


@pytest.fixture
def there(monkeypatch: Patch) -> None:
    """Everything that it asks for is there."""
    python(monkeypatch, 3, 10, 13)
    start_method(monkeypatch, "fork")
    monkeypatch.setattr("vsafsm_lava.backend.find_spec", lambda name: object())


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 4), (3, 13, 1), (4, 0, 0)])
def test_a_newer_python_is_the_reason(
    there: None, monkeypatch: Patch, version: tuple[int, ...]
) -> None:
    python(monkeypatch, *version)
    reason = BACKEND.unavailable() or ""
    assert f"needs Python 3.10, and this is {version[0]}.{version[1]}" in reason
    assert "pip install 'vsafsm[lava]'" in reason
    assert "backend loihi2" in reason


@pytest.mark.parametrize("missing", ["lava", "lava.magma"])
def test_a_missing_lava_is_the_reason(there: None, monkeypatch: Patch, missing: str) -> None:
    monkeypatch.setattr(
        "vsafsm_lava.backend.find_spec", lambda name: None if name == missing else object()
    )
    reason = BACKEND.unavailable() or ""
    assert reason.startswith(
        "Lava (lava-nc) is not installed; expected: pip install 'vsafsm[lava]'"
    )
    assert "backend loihi2" in reason


@pytest.mark.parametrize(
    ("method", "refused"), [(None, False), ("fork", False), ("spawn", True), ("forkserver", True)]
)
def test_another_way_to_start_processes_is_the_reason(
    there: None, monkeypatch: Patch, method: str | None, refused: bool
) -> None:
    start_method(monkeypatch, method)
    reason = BACKEND.unavailable()
    assert (reason is not None) == refused
    assert reason is None or f"by {method}; expected fork" in reason


def test_without_lava_the_command_line_has_one_line(
    there: None, monkeypatch: Patch, capsys: Capture, file: str
) -> None:
    monkeypatch.setattr("vsafsm_lava.backend.find_spec", lambda name: None)
    assert main(["run", file, "coin", "--backend", "lava"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(
        'vsafsm: error: backend "lava" cannot run here: Lava (lava-nc) is not installed'
    )
    assert captured.err.count("\n") == 1
    assert main(["backends", "--json"]) == 0
    listed = {
        each["name"]: each["unavailable"]
        for each in json.loads(capsys.readouterr().out)["backends"]
    }
    assert "pip install 'vsafsm[lava]'" in listed["lava"]
    assert listed["loihi2"] is None


def test_without_lava_there_is_no_process_either(
    there: None, monkeypatch: Patch, program: Program
) -> None:
    from vsafsm_lava import attractor_fsm

    monkeypatch.setattr("vsafsm_lava.backend.find_spec", lambda name: None)
    with pytest.raises(e.UnavailableBackendError, match="is not installed"):
        attractor_fsm(program)


IMPORTS = """
import sys, vsafsm, vsafsm_lava, vsafsm_lava.backend, vsafsm_lava.errors
from vsafsm.cli import main
assert main(["backends"]) == 0
vsafsm.compile(vsafsm.load(sys.argv[1]), target="lava")
found = sorted(name for name in sys.modules if name.startswith("lava."))
assert not found, found
"""


def test_lava_is_not_imported_before_it_is_used() -> None:
    spec = Path(__file__).parents[2] / "specs" / "turnstile.yaml"
    command = [sys.executable, "-c", IMPORTS, str(spec)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "lava" in done.stdout


# ---- runs


@pytest.mark.skipif(
    sys.version_info >= (3, 11) or not list(distributions(name="lava-nc")),
    reason="Lava is not installed",
)
def test_lava_is_tested_where_it_is_installed() -> None:
    assert importlib.import_module("lava.magma.core.process.process")


@needs_lava
def test_it_is_there() -> None:
    assert {listing.name: listing.unavailable for listing in vsafsm.backends()}["lava"] is None
    assert find("lava") is BACKEND
    assert BACKEND.exact


@pytest.mark.slow
@needs_lava
@pytest.mark.parametrize("target", SIMULATORS)
@pytest.mark.parametrize(
    "name", ["turnstile", "vending_machine", "door_lock", "elevator", "keyword_dialogue"]
)
def test_every_input_in_every_state_is_the_interpreter_s(
    target: str,
    name: str,
    examples: dict[str, Machine],
    compiled: Callable[..., Program],
    every_pair: Callable[[Machine], list[str]],
    truth: Truth,
) -> None:
    program = compiled(examples[name], target="lava")
    word = every_pair(program.machine)
    assert vsafsm.run(program, word, "lava", target=target) == truth(program, word)


@pytest.mark.slow
@needs_lava
@pytest.mark.parametrize("target", SIMULATORS)
@pytest.mark.parametrize("hold", range(2, 13))
def test_any_hold_from_the_contract_on(
    target: str,
    hold: int,
    vending: Program,
    every_pair: Callable[[Machine], list[str]],
    truth: Truth,
) -> None:
    assert vending.network.contract.hold_steps == 2
    word = every_pair(vending.machine)
    assert vsafsm.run(vending, word, "lava", target=target, hold_steps=hold) == truth(vending, word)


@needs_lava
@pytest.mark.parametrize("target", SIMULATORS)
def test_leaky_neurons_run_too(target: str, turnstile: Machine, truth: Truth) -> None:
    decays = {"du": 3000, "dv": 3500}
    program = vsafsm.compile(turnstile, target="lava", target_options=decays)
    word = ["coin", "push", "push", "coin", "coin"]
    assert vsafsm.run(program, word, "lava", target=target, **decays) == truth(program, word)


@needs_lava
@pytest.mark.parametrize("target", SIMULATORS)
def test_a_session_is_the_integer_one_s(target: str, vending: Program) -> None:
    with (
        vsafsm.open(vending, backend="lava", target=target) as ours,
        vsafsm.open(vending, backend="loihi2") as theirs,
    ):
        for act in (
            lambda session: session.send("5"),
            lambda session: session.rest(200),
            lambda session: session.send("10", hold=2),
            lambda session: session.reset(),
            lambda session: session.rest(0),
            lambda session: session.send("refund"),
        ):
            assert act(ours) == act(theirs)
            assert (ours.state, ours.outputs, ours.counts) == (
                theirs.state,
                theirs.outputs,
                theirs.counts,
            )
            assert (ours.activity == theirs.activity).all()


@needs_lava
def test_misuse_leaves_a_session_as_it_was(program: Program) -> None:
    with vsafsm.open(program, backend="lava") as session:
        for refused, error in (
            (lambda: session.send("coim"), e.UnknownInputError),
            (lambda: session.send("coin", hold=3), e.SessionError),
            (lambda: session.rest(-1), e.SessionError),
            (lambda: session.rest(2.0), e.SessionError),
        ):
            with pytest.raises(error):
                refused()
        assert session.send("coin") == "unlocked"


# ---- options


def test_its_options_are_the_chip_s_and_a_target() -> None:
    names = [option.name for option in BACKEND.options]
    assert names[0] == "target"
    assert set(names) == {"target", "hold_steps", "gap_steps", "du", "dv", "chips"}
    assert BACKEND.options[0].default == TARGETS[0] == "sim"


@needs_lava
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--target", "loihi3"], 'target is "loihi3"; expected one of: sim, sim-stock, loihi2'),
        (["--target", ""], 'target is ""; expected one of'),
        (
            ["--hold-steps", "1"],
            "hold_steps is 1; expected at least the 2 of the program's contract",
        ),
        (["--hold-steps", "many"], "expected a whole number"),
        (["--du", "4096"], "du is 4096; expected a whole number from 0 to 4095"),
        (["--chips", "0"], "chips is 0; expected a whole number from 1 to"),
        (["-O", "tarket=sim"], 'did you mean "target"'),
    ],
    ids=str,
)
def test_bad_options_are_refused_before_anything_runs(
    file: str, options: list[str], told: str, capsys: Capture, children: Callable[[], set[int]]
) -> None:
    before = children()
    assert main(["run", file, "coin", "--backend", "lava", *options]) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert children() == before


@needs_lava
def test_an_unknown_target_is_refused_when_compiling_too(turnstile: Machine) -> None:
    with pytest.raises(e.OptionError, match='target is "loihi3"'):
        vsafsm.compile(turnstile, target="lava", target_options={"target": "loihi3"})


@needs_lava
def test_a_program_that_was_compiled_for_something_else_is_refused_with_the_command(
    turnstile: Machine,
) -> None:
    with pytest.raises(e.RequirementError, match='target="lava"'):
        vsafsm.run(vsafsm.compile(turnstile, bits=12), ["coin"], "lava")


@needs_lava
@pytest.mark.parametrize("target", SIMULATORS)
def test_an_inhibition_that_is_kept_apart_runs(target: str, turnstile: Machine) -> None:
    program = vsafsm.compile(turnstile, inhibition="separate")
    assert program.network.gain > 0
    word = turnstile.demonstration()
    found = vsafsm.run(program, word, "lava", target=target)
    assert found.states == turnstile.run(word).states


# ---- the command line


@needs_lava
@pytest.mark.parametrize("target", SIMULATORS)
def test_a_run_on_the_command_line(file: str, target: str, capsys: Capture) -> None:
    assert (
        main(["run", file, "coin", "push", "--backend", "lava", "--target", target, "--json"]) == 0
    )
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["backend"] == "lava"
    assert found["states"] == found["expected"] == ["locked", "unlocked", "locked"]
    assert found["outputs"] == [["barrier_open"], ["click", "barrier_closed"]]
    assert captured.err == ""


@needs_lava
def test_a_proof_is_of_the_chip_s_integers(file: str, program: Program, capsys: Capture) -> None:
    assert main(["prove", file, "--backend", "lava"]) == 0
    capsys.readouterr()
    lowered = BACKEND.lower(program)
    assert (lowered.weights == program.network.weights).all()
    assert (lowered.masks == program.network.masks).all()


@needs_lava
def test_leaky_neurons_are_not_proven(file: str, turnstile: Machine, capsys: Capture) -> None:
    spec = str(Path(__file__).parents[2] / "specs" / "turnstile.yaml")
    assert main(["prove", spec, "--backend", "lava", "--du", "3000", "--dv", "3500"]) == 2
    told = capsys.readouterr().err
    assert "leaky neurons have no finite set of activities to walk" in told
    assert told.count("\n") == 1
    with pytest.raises(BackendError):
        BACKEND.lower(vsafsm.compile(turnstile, target="lava"), du=4094)


@needs_lava
def test_info_tells_what_it_takes(file: str, program: Program, capsys: Capture) -> None:
    assert main(["info", file, "--backend", "lava", "--json"]) == 0
    described = json.loads(capsys.readouterr().out)["backend"]
    assert described == dict(find("loihi2").describe(program))
    assert described["neurons"] == program.network.neurons
    assert described["chips"] == 1
