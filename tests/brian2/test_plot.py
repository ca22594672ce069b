"""The picture of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from matplotlib.text import Text

from vsafsm.cli import main
from vsafsm.machine import Transition
from vsafsm.plotting.picture import Picture
from vsafsm.plotting.style import THEMES
from vsafsm.program import Program
from vsafsm_brian2.backend import BACKEND

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
        (["-o", "run.png", "--backend", "brian2", "--tick-ms", "400"], "has no clock"),
        (["-o", "run.png", "--tick-ms", "400"], "expected --backend brian2 with it"),
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


# ---- what is in it


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Picture]:
    """The figures that are written."""
    found: list[Picture] = []
    monkeypatch.setattr(Picture, "savefig", lambda made, *_, **__: found.append(made))
    return found


def texts(figure: Picture) -> set[str]:
    return {text.get_text() for text in figure.findobj(Text)}


def rows(axes: Any) -> dict[str, list[tuple[float, float]]]:
    """By the name of each row, the times in which it has a bar."""
    names = [label.get_text().replace("\n", "") for label in axes.get_yticklabels()]
    return {
        name: [
            (bar.get_x(), bar.get_x() + bar.get_width())
            for bar in axes.patches
            if bar.get_y() < at < bar.get_y() + bar.get_height() < axes.get_ylim()[0]
        ]
        for name, at in zip(names, axes.get_yticks(), strict=True)
    }


def test_outputs_are_drawn_while_the_network_gives_them(
    lamp: Program, figures: list[Picture], tmp_path: Path
) -> None:
    word, state = ("press", "tick", "tick", "tick", "press"), lamp.machine.initial
    BACKEND.plot(lamp, word, tmp_path / "m.png", tick_ms=400.0)
    panel = next(axes for axes in figures[0].axes if axes.get_ylabel() == "outputs")
    lanes = rows(panel)
    assert list(lanes) == ["click", "lit", "warn", "timeout"]
    # Each input is held for 80 ms; before it and at its end the network has come to rest.
    for symbol, onset in zip(word, (180, 580, 980, 1380, 1580), strict=True):
        taken = lamp.machine.transition(state, symbol)
        for at, expected in (
            (onset - 3, lamp.machine.outputs_of(state)),
            (onset + 77, taken.outputs),
        ):
            given = {name for name, bars in lanes.items() if any(a < at < b for a, b in bars)}
            assert given == set(expected), (symbol, at)
        state = taken.to


@pytest.mark.parametrize("theme", THEMES)
def test_a_wait_and_full_names_of_outputs_can_be_read(
    lamp: Program,
    figures: list[Picture],
    benchmark_script: Callable[[str], ModuleType],
    theme: str,
    tmp_path: Path,
) -> None:
    names = {"click": "a_click_of_the_switch_in_the_hall_which_$costs$_energy", "lit": "l" * 70}
    network = lamp.network
    labels = tuple(
        label._replace(outputs=tuple(names.get(each, each) for each in label.outputs))
        for label in network.labels
    )
    moore = tuple(tuple(names.get(each, each) for each in outputs) for outputs in network.moore)
    named = replace(lamp, network=replace(network, labels=labels, moore=moore))
    word = ("press", "tick", "tick", "press", "tick")
    BACKEND.plot(named, word, tmp_path / "m.png", theme, tick_ms=1234.5)
    (figure,) = figures
    assert benchmark_script("legible").problems(figure) == []
    told = texts(figure)
    assert {"wait 500 ms", "wait 250 ms", "press"} <= told
    assert "simulated time (ms)\n250 ms of the clock: 1234.5 ms" in told
    shown = {each.replace("\n", "").replace("\\", "") for each in told}
    assert set(names.values()) <= shown


def test_without_outputs_there_is_no_lane_for_them(
    program: Program, figures: list[Picture], tmp_path: Path
) -> None:
    network = program.network
    bare = tuple(label._replace(outputs=()) for label in network.labels)
    silent = replace(network, labels=bare, moore=((),) * len(network.moore))
    BACKEND.plot(replace(program, network=silent), ("coin",), tmp_path / "m.png")
    labels = [axes.get_ylabel() for axes in figures[0].axes]
    assert [each for each in labels if each] == ["neurons, by state", "similarity", "decoded"]


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
