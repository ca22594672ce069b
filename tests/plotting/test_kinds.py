"""Every kind of picture is drawn, the same for the same program, and as ``vsafsm plot`` is
typed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vsafsm.cli import main
from vsafsm.compiler import compile_machine
from vsafsm.errors import PlotError, UnknownInputError, UnknownStateError
from vsafsm.formats import load
from vsafsm.machine import Machine
from vsafsm.plotting.canvas import check_drawable, write
from vsafsm.plotting.graph import draw
from vsafsm.plotting.kinds import KINDS, OF_RUNS, plot
from vsafsm.program import Program

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def program() -> Program:
    return compile_machine(load("specs/turnstile.yaml"))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_program_is_drawn_the_same(
    program: Program, tmp_path: Path, kind: str, suffix: str
) -> None:
    one, two = tmp_path / f"1{suffix}", tmp_path / f"2{suffix}"
    for path in (one, two):
        write(plot(program, ("coin", "push"), what=kind), path)
    assert one.read_bytes() == two.read_bytes()
    assert len(one.read_bytes()) > 3000


def test_words_are_seen(program: Program, tmp_path: Path) -> None:
    for kind in OF_RUNS:
        one, two = tmp_path / "1.png", tmp_path / "2.png"
        write(plot(program, ("coin",), what=kind), one)
        write(plot(program, ("push",), what=kind), two)
        assert one.read_bytes() != two.read_bytes()


def test_a_graph_has_every_name_and_label(program: Program, tmp_path: Path) -> None:
    write(draw(program.machine), tmp_path / "g.svg")
    text = (tmp_path / "g.svg").read_text()
    for told in ("locked", "unlocked", "barrier_open", "coin", "push / click"):
        assert f"<!-- {told} -->" in text


def test_names_that_look_like_mathematics_are_drawn_as_they_are(
    program: Program, tmp_path: Path
) -> None:
    machine = program.machine
    renamed = {"locked": "$x^", "unlocked": "<b>&дом"}
    table = tuple(tuple(type(t)(renamed[t.to], t.outputs) for t in row) for row in machine.table)
    odd = Machine(
        "$m_",
        tuple(renamed[s] for s in machine.states),
        machine.inputs,
        "$x^",
        table,
        machine.moore,
    )
    for kind in KINDS:
        program = compile_machine(odd, dimension=80)
        write(plot(program, ("coin",), what=kind), tmp_path / f"{kind}.pdf")


def test_what_cannot_be_drawn_is_refused(program: Program) -> None:
    with pytest.raises(PlotError, match='did you mean "raster"'):
        plot(program, what="rastr")
    with pytest.raises(PlotError, match="ends in"):
        check_drawable(Path("a.bmp"))
    with pytest.raises(UnknownInputError):
        plot(program, ["no such input"])
    with pytest.raises(UnknownStateError, match='did you mean "locked"'):
        draw(program.machine, state="lockd")


# ---- as it is typed


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    shutil.copy("specs/turnstile.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return "turnstile.yaml"


def test_a_run_is_drawn_and_held_against_the_interpreter(
    spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", spec, "coin", "push", "-o", "run.png"]) == 0
    assert "Each of the 3 states is the interpreter's" in capsys.readouterr().out
    assert Path("run.png").stat().st_size > 3000


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_asked_for(
    spec: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    word = ["coin"] if kind in OF_RUNS else []
    assert main(["plot", spec, *word, "--what", kind, "-o", "p.svg"]) == 0
    assert capsys.readouterr().out.endswith("wrote p.svg\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["coin", "--what", "weights"], "shows no run; expected no inputs"),
        (["coin", "--what", "rastr"], 'did you mean "raster"'),
        (["coin", "--what", "raster", "--backend", "brian2"], "expected it without --backend"),
        (["coins"], 'did you mean "coin"'),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    spec: str, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", spec, *arguments, "-o", "p.png"]) == 2
    assert told in capsys.readouterr().err
    assert not Path("p.png").exists()
