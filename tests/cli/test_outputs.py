"""What commands replace, with ``--force`` and without."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from vsafsm.cli import main

Capture = pytest.CaptureFixture[str]
LINES = {
    "plot": "plot turnstile.yaml coin --smallest -o {0}.png",
    "plot svg": "plot turnstile.yaml coin --smallest -o {0}.svg",
    "draw": "draw turnstile.yaml -o {0}.svg",
    "draw mermaid": "draw turnstile.yaml -o {0}.mmd",
    "report": "report turnstile.yaml --smallest --noise additive:1 --trials 2 -o {0}.html",
    "convert": "convert turnstile.yaml {0}.kiss2",
    "convert to": "convert turnstile.yaml {0}.txt --to scxml",
    "convert yaml": "convert turnstile.yaml -o {0}.yaml",
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy("specs/turnstile.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", LINES)
def test_a_file_of_another_kind_is_replaced_with_force_only(command: str, capsys: Capture) -> None:
    line = LINES[command].format("p").split()
    name = next(Path(text) for text in line if text.startswith("p."))
    name.write_text("precious: 1\n")
    assert main(line) == 2
    assert "is there and is not a" in capsys.readouterr().err
    assert name.read_text() == "precious: 1\n"
    assert main([*line, "--force"]) == 0
    assert name.read_text(errors="replace") != "precious: 1\n"
    assert main(line) == 0


def test_a_word_file_is_never_replaced(capsys: Capture) -> None:
    Path("w.svg").write_text("coin push")
    line = "plot turnstile.yaml --smallest --word-file w.svg -o w.svg --force"
    assert main(line.split()) == 2
    assert "the file to be read" in capsys.readouterr().err
    assert Path("w.svg").read_text() == "coin push"


def test_a_spec_with_an_error_is_still_of_its_format() -> None:
    text = Path("turnstile.yaml").read_text().replace("initial: locked", "initial: loked")
    Path("other.yaml").write_text(text)
    assert main(["convert", "turnstile.yaml", "other.yaml"]) == 0


def test_a_folder_with_a_manifest_of_something_else_is_left_alone(capsys: Capture) -> None:
    Path("em").mkdir()
    Path("em/manifest.json").write_text('{"name": "a page"}')
    line = ["emit", "turnstile.yaml", "--smallest", "-o", "em"]
    assert main(line) == 2
    assert (
        "not a manifest of vsafsm; expected another folder, or --force" in capsys.readouterr().err
    )
    assert [path.name for path in Path("em").iterdir()] == ["manifest.json"]
    assert main([*line, "--force"]) == main(line) == 0


@pytest.mark.skipif(find_spec("nir") is None, reason="nir is not installed")
def test_a_network_for_nir_replaces_networks_only(capsys: Capture) -> None:
    Path("m.nir").write_text("precious")
    line = ["emit", "turnstile.yaml", "--smallest", "--to", "nir", "-o", "m.nir"]
    assert main(line) == 2
    assert "is not a network for nir" in capsys.readouterr().err
    assert main([*line, "--force"]) == main(line) == 0


@pytest.mark.parametrize("name", ["keep.csv", "keep.parquet"])
def test_a_sweep_started_anew_replaces_tables_of_sweeps_only(name: str, capsys: Capture) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    line = f"sweep turnstile.yaml --smallest --noise additive:1 --trials 2 -o {name} --restart"
    Path(name).write_text("year,yield\n2025,3\n")
    assert main(line.split()) == 2
    assert "is not a table of a sweep; expected another name\n" in capsys.readouterr().err
    assert Path(name).read_text() == "year,yield\n2025,3\n"
    Path(name).unlink()
    assert main(line.split()) == main(line.split()) == 0


def test_a_picture_beside_a_table_replaces_pictures_only(capsys: Capture) -> None:
    Path("p.svg").write_text("precious")
    line = "sweep turnstile.yaml --smallest --noise additive:1 --trials 2 -o t.csv --picture p.svg"
    assert main(line.split()) == 2
    assert "is not a picture; expected another name\n" in capsys.readouterr().err
    assert not Path("t.csv").exists()


LOOPS = {
    "compile": "compile turnstile.yaml --smallest -o loop.npz",
    "draw": "draw turnstile.yaml -o loop.svg",
    "plot": "plot turnstile.yaml coin --smallest -o loop.svg",
    "report": "report turnstile.yaml --smallest -o loop.html",
    "sweep": "sweep turnstile.yaml --smallest -o loop.csv",
    "convert": "convert turnstile.yaml -o loop.scxml",
}


@pytest.mark.parametrize("command", LOOPS)
def test_a_link_to_itself_is_no_output(command: str, capsys: Capture) -> None:
    line = LOOPS[command].split()
    Path(line[-1]).symlink_to(line[-1])
    assert main(line) == 2
    assert f'cannot write "{line[-1]}": Too many levels' in capsys.readouterr().err
    assert Path(line[-1]).is_symlink()
