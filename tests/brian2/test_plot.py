"""The picture of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vsafsm.cli import main
from vsafsm.machine import Transition
from vsafsm.program import Program

MAGIC = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


@pytest.fixture
def file(vending: Program, tmp_path: Path) -> str:
    """The vending machine's program, as a file."""
    vending.save(tmp_path / "vending.npz")
    return str(tmp_path / "vending.npz")


@pytest.mark.parametrize("kind", MAGIC)
def test_a_picture_is_written(
    file: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / f"run.{kind}"
    assert main(["plot", file, "5", "10", "10", "--backend", "brian2", "-o", str(picture)]) == 0
    assert picture.read_bytes().startswith(MAGIC[kind])
    assert "Each of the 4 states is the interpreter's" in capsys.readouterr().out
    if kind == "svg":
        text = picture.read_text()
        assert "time (ms)" in text
        assert "input held" in text


def test_the_same_run_gives_the_same_picture(file: str, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        assert main(["plot", file, "5", "--backend", "brian2", "-o", str(tmp_path / name)]) == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["-o", "run.jpeg", "--backend", "brian2"],
            "expected a name that ends in .png, .pdf, .svg",
        ),
        (["-o", "nowhere/run.png", "--backend", "brian2"], "is not there"),
        (["-o", "run.png", "--backend", "reference"], "draws no pictures"),
        (["-o", "run.png", "--backend", "brain2"], 'did you mean "brian2"'),
    ],
    ids=str,
)
def test_what_cannot_be_drawn_is_refused(
    file: str,
    arguments: list[str],
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plot", file, "5", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.glob("run.*"))


def test_without_matplotlib_there_is_the_install_command(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vsafsm.plotting.canvas.find_spec", lambda name: None)
    assert main(["plot", file, "5", "--backend", "brian2", "-o", str(tmp_path / "run.png")]) == 2
    assert "pip install 'vsafsm[plot]'" in capsys.readouterr().err


def test_names_are_not_taken_for_mathematics(vending: Program, tmp_path: Path) -> None:
    names = {"0": "a $^$", "5": "$5 to $10", "10": "$x_$", "15": "b"}
    machine, network = vending.machine, vending.network
    table = tuple(tuple(Transition(names[t.to], t.outputs) for t in row) for row in machine.table)
    states = tuple(names[state] for state in machine.states)
    named = replace(machine, states=states, initial=names[machine.initial], table=table)
    replace(vending, machine=named, network=replace(network, states=states)).save(
        tmp_path / "named.npz"
    )
    picture = tmp_path / "run.svg"
    assert (
        main(
            [
                "plot",
                str(tmp_path / "named.npz"),
                "5",
                "5",
                "--backend",
                "brian2",
                "-o",
                str(picture),
            ]
        )
        == 0
    )
    assert picture.stat().st_size > 1000
