"""``vsafsm report``, as it is typed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from vsafsm.cli import main

pytest.importorskip("jinja2")
FEW = ("--trials", "2", "--noise", "additive:0:1:1")


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    shutil.copy("specs/turnstile.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return "turnstile.yaml"


def test_a_page_is_written(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", spec, "-o", "r.html", *FEW]) == 0
    assert capsys.readouterr().out.startswith("wrote r.html: ")
    assert Path("r.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_quick_look_is_told_of_where_it_takes_long(
    spec: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsafsm.cli.progress.HINT_AFTER_SECONDS", 0.0)
    few = ("--noise", "additive:0:1:1", "--smallest", "--force")
    assert main(["report", spec, "-o", "r.html", "--trials", "11", *few]) == 0
    assert "--trials 10 is a quick look" in capsys.readouterr().err
    assert main(["report", spec, "-o", "r.html", "--trials", "10", *few]) == 0
    assert "--trials" not in capsys.readouterr().err


def test_a_program_and_its_spec_give_the_same_page(spec: str) -> None:
    assert main(["compile", spec, "-o", "p.npz"]) == 0
    assert main(["report", "p.npz", "-o", "p.html", *FEW]) == 0
    assert main(["report", spec, "-o", "s.html", *FEW]) == 0
    assert Path("p.html").read_bytes() == Path("s.html").read_bytes()


def test_a_program_that_is_not_proven_is_reported_as_such(spec: str) -> None:
    assert main(["examples", "traffic_light"]) == 0
    assert main(["report", "traffic_light.yaml", "--dimension", "32", "-o", "r.html", *FEW]) == 1
    assert "not proven" in Path("r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-o", "r.pdf"], "ends in .html"),
        (["-o", "nowhere/r.html"], "is not there; expected an existing one"),
        (["-o", "r.html", "--trials", "0"], "trials is 0"),
        (["-o", "r.html", "--noise", "additve:1"], 'did you mean "additive"'),
        (["-o", "r.html", "--noise", "additive:1:0:1"], "empty or backwards"),
        (["-o", "r.html", "--noise-seed", "-1"], "seed is -1"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    spec: str, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", spec, *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
    assert sorted(path.name for path in Path().iterdir()) == ["turnstile.yaml"]


def test_a_missing_library_is_told(
    spec: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["report", spec, "-o", "r.html", *FEW]) == 2
    assert "pip install 'vsafsm[report]'" in capsys.readouterr().err
