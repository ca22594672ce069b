"""The backend behind the protocol: what it refuses, what it says, and its command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm import errors as e
from vsafsm.discovery import find
from vsafsm.machine import Machine
from vsafsm.program import Program, load_program
from vsafsm_memristor.backend import BACKEND
from vsafsm_memristor.crossbar.parameters import OPTIONS
from vsafsm_memristor.device.lines import ir_drop

TURNSTILE = str(Path(__file__).parents[2] / "specs" / "turnstile.yaml")
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def file(program: Program, tmp_path: Path) -> str:
    """The turnstile's program, as a file."""
    program.save(tmp_path / "turnstile.npz")
    return str(tmp_path / "turnstile.npz")


# ---- in Python


def test_it_is_there_and_statistical_and_needs_nothing() -> None:
    assert find("memristor") is BACKEND
    assert BACKEND.unavailable() is None
    assert not BACKEND.exact
    assert BACKEND.options is OPTIONS


def activities(program: Program, **options: Any) -> Any:
    with vsafsm.open(program, backend="memristor", **options) as session:
        found = [session.activity]
        for symbol in ("coin", "push", "coin"):
            session.send(symbol)
            found.append(session.activity)
    return np.stack(found)


def test_a_session_is_that_of_its_array(program: Program) -> None:
    noisy = {"device": "lognormal", "sigma": 1.0}
    first, again, other = (activities(program, device_seed=seed, **noisy) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_an_ideal_array_does_what_the_reference_does(program: Program) -> None:
    found = activities(program, device="lognormal", sigma=0.0, read_noise=False, adc_bits=0)
    with vsafsm.open(program) as session:
        for activity, symbol in zip(found, (None, "coin", "push", "coin"), strict=True):
            if symbol:
                session.send(symbol)
            assert (activity == session.activity).all()


def test_the_worst_devices_are_wrong(program: Program, turnstile: Machine) -> None:
    word = ["coin", "push"] * 4
    run = vsafsm.run(program, word, "memristor", device="lognormal", sigma=4.0)
    assert run.states != turnstile.run(word).states


@pytest.mark.parametrize(
    "device", ["neurram", "neurram-crosssim", "pcm", "cmo-hfox", "perovskite", "lognormal"]
)
@pytest.mark.parametrize("scheme", ["differential", "offset"])
def test_it_runs_on_what_there_is(
    program: Program, turnstile: Machine, device: str, scheme: str
) -> None:
    word = ["coin", "coin", "push", "push", "coin"]
    run = vsafsm.run(
        program, word, "memristor", device=device, scheme=scheme, seconds_after_programming=3600.0
    )
    assert run.states == turnstile.run(word).states


@pytest.mark.parametrize(
    ("options", "lacking"),
    [
        ({}, "weights of 8 bits, at most 3 are possible"),
        ({"bits": 4}, "weights of 4 bits, at most 3 are possible"),
        ({"bits": 3, "inhibition": "separate"}, "the inhibition must be folded"),
        ({"bits": 3, "margin": 0.05, "dimension": 64}, "at least 0.2 is needed"),
    ],
)
def test_programs_for_others_are_refused_with_the_command_that_would_do(
    compiled: Callable[..., Program], turnstile: Machine, options: dict[str, Any], lacking: str
) -> None:
    program = compiled(turnstile, **options)
    with pytest.raises(e.RequirementError) as told:
        vsafsm.open(program, backend="memristor", device="perovskite", rows=10)
    assert lacking in str(told.value)
    assert 'vsafsm.compile(machine, target="memristor", target_options=' in str(told.value)
    assert (
        "`vsafsm compile SPEC --for memristor --device perovskite --rows 10 -o PROGRAM`"
        in told.value.shell_message
    )


def test_more_levels_take_programs_of_more_bits(turnstile: Machine) -> None:
    fine = vsafsm.compile(turnstile, target="memristor", target_options={"levels": 16})
    assert fine.network.bits == 5
    with pytest.raises(e.RequirementError, match="weights of 5 bits, at most 3 are possible"):
        vsafsm.open(fine, backend="memristor")
    assert vsafsm.run(fine, ["coin"], "memristor", levels=16).states == ("locked", "unlocked")


def test_unknown_options_are_refused(program: Program) -> None:
    with pytest.raises(e.RequirementError, match='did you mean "device_seed"'):
        vsafsm.open(program, backend="memristor", device_sed=1)
    with pytest.raises(e.OptionError, match="levels is 3"):
        vsafsm.open(program, backend="memristor", levels=3)


def test_it_describes_the_array(program: Program) -> None:
    neurons = program.network.neurons
    found = BACKEND.describe(program, device="perovskite", rows=16, columns=12, segment_ohm=2.5)
    assert (found["device"], found["scheme"], found["levels"]) == ("perovskite", "differential", 4)
    assert (found["tile_rows"], found["tile_columns"]) == (16, 12)
    assert found["tiles"] == -(-neurons // 16) * -(-neurons // 6)
    assert found["cells"] == 2 * neurons**2
    weights = np.abs(program.network.weights.astype(int))
    step = 90 / int(weights.max())
    assert found["us_per_lsb"] == pytest.approx(step)
    mean = 10 + step * weights.mean() / 2
    assert found["mean_target_us"] == pytest.approx(mean, abs=2e-3)
    assert found["largest_target_us"] == pytest.approx(100)
    assert found["ir_drop_estimate"] == pytest.approx(1 - ir_drop(16, 12, mean, 2.5), abs=2e-4)
    contract = program.network.contract
    assert (found["hold_steps"], found["gap_steps"]) == (
        contract.hold_steps + 2,
        contract.gap_steps + 2,
    )


# ---- the command line


def test_run(run: Cli, file: str) -> None:
    for source in (file, TURNSTILE):
        code, out, _ = run("run", source, "coin", "push", "--backend", "memristor", "--json")
        assert code == 0
        assert json.loads(out)["states"] == ["locked", "unlocked", "locked"]


def test_run_with_options(run: Cli, file: str) -> None:
    flags = shlex.split(
        "--device perovskite --sigma 0.05 --scheme offset --rows 20 --columns 30"
        " --seconds-after-programming 60 --stuck-off 0.001 --stuck-on 0.001 --read-noise no"
        " --adc-bits 10 --ir-drop yes --segment-ohm 2 --device-seed 3"
    )
    assert run("run", file, "coin", "--backend", "memristor", *flags)[0] == 0


def test_every_option_is_a_flag(run: Cli) -> None:
    code, told, _ = run("run", "--backend", "memristor", "--help")
    assert code == 0
    for option in OPTIONS:
        assert f"--{option.flag} " in told


def test_a_wrong_run_is_told(run: Cli, file: str) -> None:
    word = ["coin", "push"] * 4
    code, out, _ = run(
        "run", file, *word, "--backend", "memristor", "--device", "lognormal", "--sigma", "4"
    )
    assert code == 1
    assert "states are not the interpreter's" in out


def test_info(run: Cli, file: str, program: Program) -> None:
    code, out, _ = run("info", file, "--backend", "memristor", "--device", "pcm", "--json")
    assert code == 0
    found = json.dumps(json.loads(out))
    for name, value in BACKEND.describe(program, device="pcm").items():
        assert f"{json.dumps(name)}: {json.dumps(value)}" in found


def test_emit(run: Cli, file: str, tmp_path: Path) -> None:
    out = tmp_path / "maps"
    flags = ["--device", "perovskite-nanowire", "--rows", "64", "--columns", "64"]
    assert run("emit", file, "--to", "memristor", "-o", str(out), *flags)[0] == 0
    told = json.loads((out / "manifest.json").read_text())
    assert (told["device"], told["tiles"]) == ("perovskite-nanowire", 15)
    assert len(list(out.glob("tile_*.csv"))) == 15


def test_compile(run: Cli, tmp_path: Path) -> None:
    path = tmp_path / "fine.npz"
    assert run("compile", TURNSTILE, "--for", "memristor", "--levels", "8", "-o", str(path))[0] == 0
    program = load_program(path)
    assert (program.target, program.network.bits, program.network.gain) == ("memristor", 4, 0)
    assert run("run", str(path), "coin", "--backend", "memristor", "--levels", "8")[0] == 0
    code, _, err = run("run", str(path), "coin", "--backend", "memristor")
    assert code == 2
    assert "`vsafsm compile SPEC --for memristor -o PROGRAM`" in " ".join(err.split())


def test_prove_is_refused(run: Cli, file: str) -> None:
    for source in (file, TURNSTILE):
        code, out, err = run("prove", source, "--backend", "memristor")
        assert code == 2
        assert not out
        assert "statistical" in err


def test_what_the_refusal_asks_for_does(
    run: Cli, tmp_path: Path, compiled: Callable[..., Program], turnstile: Machine
) -> None:
    other, path = tmp_path / "other.npz", str(tmp_path / "new.npz")
    compiled(turnstile).save(other)
    code, _, err = run(
        "run", str(other), "coin", "--backend", "memristor", "--device", "perovskite-mean"
    )
    assert code == 2
    command = (
        " ".join(err.split()).split("`")[1].replace("SPEC", TURNSTILE).replace("PROGRAM", path)
    )
    assert run(*shlex.split(command)[1:])[0] == 0
    assert run("run", path, "coin", "--backend", "memristor", "--device", "perovskite-mean")[0] == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--device neuram", 'did you mean "neurram"'),
        ("--device none.csv", "cannot read"),
        ("--levels 5", "levels is 5; expected 2, 4, 8"),
        ("--sigma 0.3", 'device "neurram" is not lognormal'),
        ("--scheme single", "expected one of: differential, offset"),
        ("--adc-bits 99", "adc_bits is 99; expected 0 to 16"),
        ("--stuck-on 2", "stuck_on is 2.0; expected 0 to 1"),
        ("--read-noise perhaps", "expected true or false"),
        ("--columns 1", "expected at least 1 row and 2 columns"),
    ],
)
def test_options_without_sense_are_refused(run: Cli, file: str, flags: str, message: str) -> None:
    code, out, err = run("run", file, "coin", "--backend", "memristor", *flags.split())
    assert code == 2
    assert not out
    assert message in " ".join(err.split())


def test_a_device_of_one_s_own(run: Cli, file: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    rng = np.random.default_rng(0)
    rows = "".join(
        f"{g:.3f},{g * (1 + 0.02 * rng.standard_normal()):.3f}\n" for g in np.linspace(5, 50, 60)
    )
    path.write_text("target_us,measured_us\n" + rows)
    code, out, _ = run("info", file, "--backend", "memristor", "--device", str(path), "--json")
    assert code == 0
    assert "fitted to 60 measurements in mine.csv" in out
    assert run("run", file, "coin", "push", "--backend", "memristor", "--device", str(path))[0] == 0
