"""The backend behind the protocol, and its command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import vsafsm
from vsafsm import errors as e
from vsafsm.cli import main
from vsafsm.discovery import find
from vsafsm.machine import Machine
from vsafsm.program import Program

SPECS = Path(__file__).parents[2] / "specs"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def file(program: Program, tmp_path: Path) -> str:
    """The turnstile's program, as a file."""
    program.save(tmp_path / "turnstile.npz")
    return str(tmp_path / "turnstile.npz")


def test_it_is_compiled_at_no_more_than_four_times_the_smallest(
    program: Program, vending: Program
) -> None:
    for each in (program, vending):
        assert each.smallest is not None
        assert each.network.neurons <= 4 * each.smallest
        assert each.claim.margin >= 0.4
        assert each.prove().holds


def test_a_program_that_was_compiled_for_something_else_is_refused_with_the_command(
    turnstile: Machine,
) -> None:
    usual = vsafsm.compile(turnstile)
    with pytest.raises(e.RequirementError, match='target="brian2"'):
        vsafsm.run(usual, ["coin"], "brian2")


def test_options_of_the_target_are_checked_when_compiling_too(turnstile: Machine) -> None:
    with pytest.raises(e.OptionError, match="noise_pa"):
        vsafsm.compile(turnstile, target="brian2", target_options={"noise_pa": "loud"})
    with pytest.raises(e.OptionError, match="at least the time step"):
        vsafsm.compile(turnstile, target="brian2", target_options={"delay_ms": 0.1})


def test_without_brian2_there_is_one_line_with_the_install_command(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, file: str
) -> None:
    monkeypatch.setattr("vsafsm_brian2.backend.find_spec", lambda name: None)
    assert main(["run", file, "coin", "--backend", "brian2"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "pip install 'vsafsm[brian2]'" in error
    assert {b.name: b.unavailable for b in vsafsm.backends()}["brian2"] is not None


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--weight-noise", "-1"], "weight_noise is -1.0; expected a number of at least 0"),
        (
            ["--noise-pa", "loud"],
            'noise_pa of backend "brian2" is "loud"; expected a finite number',
        ),
        (["--hold-ms", "80 ms"], "expected a finite number"),
        (
            ["--codegen", "weave"],
            'codegen is "weave"; expected one of: numpy, cython, cpp_standalone',
        ),
        (["--missing", "1"], "missing is 1.0; expected a number of at least 0, at most 0.95"),
        (["--delay-ms", "0.2"], "delay_ms is 0.2; expected at least the time step of 0.5 ms"),
        (["--build-dir", "nowhere"], 'build_dir is "nowhere"; expected an existing folder'),
        (["-O", "tau_sin_ms=5"], 'did you mean "tau_syn_ms"'),
    ],
    ids=str,
)
def test_bad_settings_are_refused_before_anything_runs(
    file: str, options: list[str], told: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsafsm_brian2.session.run_word", lambda *args: pytest.fail("it ran"))
    assert main(["run", file, "coin", "--backend", "brian2", *options]) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.out == ""


def test_a_run_on_the_command_line(file: str, capsys: Capture) -> None:
    assert (
        main(["run", file, "coin", "push", "--backend", "brian2", "--json", "--hold-ms", "60"]) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["backend"] == "brian2"
    assert found["states"] == found["expected"] == ["locked", "unlocked", "locked"]
    assert found["outputs"] == [["barrier_open"], ["click", "barrier_closed"]]


def test_a_short_hold_is_warned_about_on_the_command_line(file: str, capsys: Capture) -> None:
    flags = ["--backend", "brian2", "--hold-ms", "35", "--speed", "1"]
    assert main(["run", file, "coin", *flags]) in (0, 1)
    warning = capsys.readouterr().err
    assert warning.startswith(
        "vsafsm: warning: a hold of 35 ms is shorter than the 40 ms of the contract"
    )
    assert warning.count("\n") == 1


def test_the_hold_alone_chooses_how_fast_cells_are(file: str, capsys: Capture) -> None:
    flags = ["--backend", "brian2", "--hold-ms", "10"]
    assert main(["run", file, "coin", "push", *flags]) == 0
    assert capsys.readouterr().err == ""
    for more, speed in (([], 4), (["--speed", "3"], 3)):
        assert main(["info", file, "--json", *flags, *more]) == 0
        assert json.loads(capsys.readouterr().out)["backend"]["speed"] == speed


@pytest.mark.parametrize("command", ["run", "compile", "emit"])
def test_a_hold_shorter_than_any_measured_is_refused(
    command: str, file: str, tmp_path: Path, capsys: Capture
) -> None:
    spec, out = str(SPECS / "turnstile.yaml"), tmp_path / "out.npz"
    calls = {
        "run": ["run", file, "coin", "--backend", "brian2"],
        "compile": ["compile", spec, "--for", "brian2", "-o", str(out)],
        "emit": ["emit", file, "--to", "brian2", "-o", str(out)],
    }
    assert main([*calls[command], "--hold-ms", "9"]) == 2
    told = capsys.readouterr()
    assert "hold_ms is 9; expected at least 10 ms" in told.err
    assert not told.out
    assert not out.exists()


def test_it_is_statistical_and_says_so(file: str, capsys: Capture) -> None:
    assert find("brian2").exact is False
    assert main(["prove", file, "--backend", "brian2"]) == 2
    assert "statistical" in capsys.readouterr().err


def test_info_tells_what_it_takes(file: str, program: Program, capsys: Capture) -> None:
    assert main(["info", file, "--backend", "brian2", "--json"]) == 0
    described = json.loads(capsys.readouterr().out)["backend"]
    assert described["cells"] == program.network.neurons
    assert described["lines"] == 4
    assert described["weight_step_pA"] > 0
