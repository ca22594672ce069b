"""``vsafsm sweep``, as it is typed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vsafsm.cli import main
from vsafsm.compiler import compile_machine
from vsafsm.formats import load
from vsafsm.sweeps.table import read_table

SHORT = ("--trials", "20", "--width", "0", "--words", "2", "--length", "4")


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    shutil.copy("specs/turnstile.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return "turnstile.yaml"


def sweep(*arguments: str) -> int:
    return main(["sweep", *arguments])


def there() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def test_a_table_is_written_and_told(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        sweep(spec, "--noise", "additive:0:2:1", "--dimension", "64,96", *SHORT, "-o", "t.csv") == 0
    )
    rows = read_table(Path("t.csv")).rows
    assert [(row.neurons, row.noise, row.trials) for row in rows] == [
        (n, f"additive:{x}", 20) for n in (64, 96) for x in (0, 1, 2)
    ]
    told = capsys.readouterr().out
    assert "95 % interval over draws (Wilson)" in told
    assert (
        f"{rows[1].correct_share:.3f} ({rows[1].correct_low:.3f} to {rows[1].correct_high:.3f})"
        in told
    )
    assert told.endswith("wrote t.csv\n")
    assert there() == ["t.csv", "turnstile.yaml"]


def test_what_is_tolerated_is_one_set_or_a_list(spec: str) -> None:
    noise = ("--noise", "timing:async:0.5:1:0.5", "--trials", "2")
    assert sweep(spec, *noise, "--smallest", "-o", "s.csv") == 0
    named = ("--tolerate", "missing:0.1", "--tolerate", "jitter:0.5,unit=lsb")
    assert sweep(spec, *noise, *named, "--confidence", "0.7", "-o", "n.csv") == 0
    assert sweep(spec, *noise, "-O", "tolerate=none,missing:0.1", "-o", "b.csv") == 0
    found = {name: read_table(Path(f"{name}.csv")).rows for name in "snb"}
    assert {row.rule for row in found["s"]} == {"refined"}
    assert {row.rule for row in found["n"]} == {"robust"}
    assert [row.rule for row in found["b"]] == ["refined"] * 2 + ["robust"] * 2


def test_every_option_can_be_a_list(spec: str) -> None:
    options = (
        "--bits",
        "4,8",
        "--rule",
        "refined,robust",
        "--seed",
        "0,1",
        "-O",
        "inhibition=folded,separate",
    )
    assert (
        sweep(spec, "--noise", "missing:0.1", "--dimension", "96", *options, *SHORT, "-o", "t.csv")
        == 0
    )
    rows = read_table(Path("t.csv")).rows
    assert len({(row.bits, row.rule, row.seed, row.inhibition) for row in rows}) == len(rows) == 16


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        (("--seed", "2", "-O", "seed=0,1"), ["2"]),
        (("--seed", "2,3", "-O", "seed=0,1"), ["2", "3"]),
        (("--smallest", "-O", "tolerate=none,auto"), ["0"]),
    ],
)
def test_a_flag_overrides_a_list_and_nothing_is_measured_twice(
    arguments: tuple[str, ...], settings: list[str], spec: str
) -> None:
    fast = () if "--smallest" in arguments else ("--smallest",)
    noise = ("--noise", "additive:1", "--trials", "2")
    assert sweep(spec, *fast, *arguments, *noise, "-o", "t.csv") == 0
    assert [str(row.seed) for row in read_table(Path("t.csv")).rows] == settings


def test_backends_and_their_options(spec: str) -> None:
    assert (
        sweep(spec, "--noise", "additive:1", "--backend", "reference,loihi2", *SHORT, "-o", "t.csv")
        == 0
    )
    assert [row.backend for row in read_table(Path("t.csv")).rows] == ["reference", "loihi2"]
    device = ("--backend", "memristor", "-O", "device=lognormal", "-O", "sigma=0.1,3")
    few = ("--trials", "4", "--words", "1", "--length", "2")
    assert sweep(spec, "--noise", "additive:0", *device, *few, "-o", "m.csv") == 0
    rows = read_table(Path("m.csv")).rows
    assert [row.options for row in rows] == [
        "device=lognormal,sigma=0.1",
        "device=lognormal,sigma=3.0",
    ]
    assert rows[0].correct > rows[1].correct
    assert rows[0].always is None


def test_a_program_is_swept_as_it_is(spec: str) -> None:
    compile_machine(load(spec), dimension=96).save("p.npz")
    assert sweep("p.npz", "--noise", "additive:1", *SHORT, "-o", "t.csv") == 0
    assert sweep(spec, "--noise", "additive:1", "--dimension", "96", *SHORT, "-o", "u.csv") == 0
    assert read_table(Path("t.csv")).rows == read_table(Path("u.csv")).rows


def test_what_is_measured_already_is_not_measured_again(
    spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (spec, "--noise", "additive:1", "--dimension", "64", *SHORT, "-o", "t.csv")
    assert sweep(*arguments) == 0
    before = Path("t.csv").stat().st_mtime_ns
    assert sweep(*arguments, "--picture", "t.png") == 0
    assert "nothing is measured again" in capsys.readouterr().err
    assert Path("t.csv").stat().st_mtime_ns == before
    assert Path("t.png").exists()
    assert sweep(*arguments, "--restart") == 0
    assert Path("t.csv").stat().st_mtime_ns > before


def test_another_sweep_is_not_written_over(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--dimension", "64", *SHORT, "-o", "t.csv")
    assert sweep(spec, "--noise", "additive:1", *arguments) == 0
    before = Path("t.csv").read_bytes()
    assert sweep(spec, "--noise", "additive:2", *arguments) == 2
    assert "noise differs" in capsys.readouterr().err
    text = Path(spec).read_text().replace("locked", "shut")
    Path(spec).write_text(text)
    assert sweep(spec, "--noise", "additive:1", *arguments) == 2
    assert "the spec differs" in capsys.readouterr().err
    assert Path("t.csv").read_bytes() == before


@pytest.mark.slow
def test_an_interrupted_sweep_goes_on(spec: str) -> None:
    options = (
        "--noise",
        "additive:0.5:2:0.5",
        "--dimension",
        "192",
        "--trials",
        "200",
        "--width",
        "0",
    )
    command = [sys.executable, "-m", "vsafsm", "sweep", spec, *options]
    running = subprocess.Popen([*command, "-o", "t.csv"], stderr=subprocess.PIPE)
    journal, end = Path("t.csv.partial"), time.monotonic() + 60
    while not (journal.exists() and journal.read_bytes().count(b"\n") > 5):
        assert time.monotonic() < end
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=30)
    assert running.returncode == 130, told
    assert b"what was measured is kept in t.csv.partial; the same command goes on" in told
    assert not Path("t.csv").exists()
    kept = journal.read_bytes().count(b"\n")
    assert kept > 5
    subprocess.run([*command, "-o", "t.csv", "--jobs", "2"], check=True, timeout=120)
    assert not journal.exists()
    subprocess.run([*command, "-o", "u.csv"], check=True, timeout=120)
    assert Path("t.csv").read_bytes() == Path("u.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--noise", "aditive:1"), 'did you mean "additive"'),
        (("--noise", "additive:1,units=steps"), 'did you mean "unit"'),
        (("--noise", "additive:3:0:1"), "empty or backwards"),
        (("--noise", "missing:0:2:1"), "from 0 to 1"),
        (("--trials", "0"), "trials is 0"),
        (("--jobs", "0"), "jobs is 0"),
        (("--width", "2"), "width is 2.0"),
        (("--dimension", "64,"), "empty value"),
        (("--dimension", "64,64"), "twice"),
        (("--dimension", "64,many"), "option dimension"),
        (("--backend", "referenz"), 'did you mean "reference"'),
        (("-O", "bitts=4"), 'did you mean "bits"'),
        (("--jobs", "2", "--scheduler", "tcp://127.0.0.1:9"), "expected one of them"),
        (("-o", "nowhere/t.csv"), "is not there; expected an existing one"),
        (("-o", "t.txt"), "ends in .csv or .parquet"),
        (("--picture", "t.bmp"), "ends in .png"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    spec: str, arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = there()
    output = () if "-o" in arguments else ("-o", "t.csv")
    assert sweep(spec, *arguments, *output) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
    assert there() == before


def test_options_for_what_is_compiled_are_refused(
    spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    compile_machine(load(spec), dimension=64).save("p.npz")
    assert sweep("p.npz", "--bits", "4,8", "-o", "t.csv") == 2
    assert "compiled already" in capsys.readouterr().err
