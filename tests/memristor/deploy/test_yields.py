"""The yield: arrays are those of sessions, whatever the number of processes; bad input is
refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vsafsm.intervals import wilson
from vsafsm.program import Program
from vsafsm.running import run_word
from vsafsm_memristor.deploy.yields import outcomes

BAD = {"device": "lognormal", "sigma": 1.5, "stuck_off": 0.03, "stuck_on": 0.03}
Cli = Callable[..., tuple[int, str, str]]


def test_an_array_that_is_right_runs_a_word_right(program: Program) -> None:
    for seed, each in enumerate(outcomes(program, BAD, range(12))):
        if each.wrong is None:
            ran = run_word(
                program, ("coin", "push", "push", "coin"), "memristor", **BAD, device_seed=seed
            )
            assert ran.states == program.machine.run(("coin", "push", "push", "coin")).states


def test_processes_do_not_matter(program: Program) -> None:
    alone, together = (list(outcomes(program, BAD, range(6), jobs)) for jobs in (1, 2))
    assert alone == together
    assert any(each.wrong is not None for each in alone)


def test_chip_in_the_loop_mends_arrays(run: Cli, tmp_path: Path, program: Program) -> None:
    path = tmp_path / "turnstile.npz"
    program.save(path)
    flags = (
        "--device",
        "lognormal",
        "--sigma",
        "1.5",
        "--stuck-on",
        "0.03",
        "--arrays",
        "20",
        "--compare",
        "--json",
    )
    code, out, _ = run("yield", str(path), *flags, "--least", "0.5")
    none, trim, loop = json.loads(out)["yields"]
    assert none["correct"] < loop["correct"] == 20
    assert 0 < loop["rewritten_mean"] < 0.1
    assert (none["low"], none["high"]) == pytest.approx(wilson(none["correct"], 20))
    assert code == (0 if min(none["low"], trim["low"]) >= 0.5 else 1)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--arrays", "0"), "arrays is 0"),
        (("--jobs", "0"), "jobs is 0"),
        (("--least", "2"), "least is 2.0"),
        (("--device", "neuram"), 'did you mean "neurram"'),
        (("--calibration", "lop"), 'did you mean "loop"'),
        (("--stuck-cells", "avoid"), 'did you mean "avoided"'),
    ],
)
def test_bad_input_is_refused(
    run: Cli, tmp_path: Path, program: Program, flags: Any, said: str
) -> None:
    path = tmp_path / "turnstile.npz"
    program.save(path)
    code, out, err = run("yield", str(path), *flags)
    assert (code, out) == (2, "")
    assert said in err


def test_wrong_pairs_are_counted(program: Program) -> None:
    pairs = program.machine.reachable_transitions
    found = list(outcomes(program, BAD, range(12)))
    for each in found:
        assert (each.wrong is None) == (each.wrong_pairs == 0)
        assert each.wrong_pairs <= pairs
        if each.wrong is not None and each.wrong.input is None:
            assert each.wrong_pairs == pairs
    assert len({each.wrong_pairs for each in found}) > 2


def test_a_yield_is_drawn(run: Cli, tmp_path: Path, program: Program) -> None:
    pytest.importorskip("matplotlib")
    path, picture = tmp_path / "turnstile.npz", tmp_path / "y.svg"
    program.save(path)
    flags = ("--arrays", "6", "--least", "0.9", "--picture", str(picture), "--theme", "paper")
    _, out, _ = run("yield", str(path), "--device", "lognormal", "--sigma", "1.5", *flags)
    assert out.endswith(f"wrote {picture}\n")
    text = picture.read_text()
    for told in ("6 arrays", "share of correct arrays", "asked for: 0.9", "as programmed"):
        assert told in text
    (tmp_path / "mine.svg").write_text("precious")
    code, _, err = run("yield", str(path), "--picture", str(tmp_path / "mine.svg"))
    assert code == 2
    assert "is there and is not a picture" in err
    code, _, err = run("yield", str(path), "--picture", str(tmp_path / "y.bmp"))
    assert code == 2
    assert "ends in .png" in err
