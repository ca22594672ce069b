"""``vsafsm sense remember`` and ``recover``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vsafsm.cli import main

from .conftest import bars, every_bar

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, frames in (("seen", bars(200)), ("stored", every_bar())):
        np.savez(f"{name}.npz", frames=frames.values, labels=np.array(frames.labels))
    return tmp_path


def test_images_are_stored_and_recovered(folder: Path, capsys: Capture) -> None:
    store = "sense remember stored.npz --attractors --neurons 256 --active 32 -o m.npz"
    assert main(store.split()) == 0
    capsys.readouterr()
    recover = "sense recover m.npz stored.npz --cover scattered --arrays 2 --json"
    assert main(recover.split()) == 0
    rows = {row["images"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert rows["in software"]["less"] > 0.7
    assert rows["2 arrays"]["worst"] >= rows["2 arrays"]["wrong"]
    assert rows["covered pixels guessed"]["wrong"] == pytest.approx(1 / 6)


def test_damaged_images_come_out_as_frames(folder: Path, capsys: Capture) -> None:
    learn = "sense remember seen.npz --bits 32 --passes 90 --batch 20 -o b.npz --json"
    assert main(learn.split()) == 0
    assert json.loads(capsys.readouterr().out)["weights"] == [[38, 32]]
    images = every_bar().values.copy()
    images[:, 4:] = 0
    np.savez("damaged.npz", frames=images)
    recover = "sense recover b.npz damaged.npz --cover bottom --damaged -o out.npz --picture p.png"
    assert main(recover.split()) == 0
    assert capsys.readouterr().out == "wrote out.npz\n"
    with np.load("out.npz") as archive:
        found = archive["frames"]
    assert found.shape == (12, 6, 6)
    assert (found[:, :4] == images[:, :4]).all()
    # Of a column that is seen in four rows, the other two are lit.
    assert found[6:, 4:].sum() >= 9
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")


def test_recovered_frames_replace_frames_and_another_file_with_force(
    folder: Path, capsys: Capture
) -> None:
    store = "sense remember stored.npz --attractors --neurons 256 --active 32 -o m.npz"
    assert main(store.split()) == 0
    recover = [
        *["sense", "recover", "m.npz", "stored.npz", "--cover", "bottom", "--damaged", "-o"],
        "out.npz",
    ]
    assert main(recover) == main(recover) == 0
    np.savez("out.npz", codes=np.zeros(3))
    assert main(recover) == 2
    assert main([*recover, "--force"]) == 0
    with np.load("out.npz") as archive:
        assert list(archive) == ["frames"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("recover m.npz seen.npz", "expected --flip or --cover"),
        ("recover m.npz seen.npz --flip 0.2 --cover bottom", "expected --flip or --cover"),
        ("recover m.npz seen.npz --flip 0.2 --arrays 0", "--arrays is 0"),
        ("recover m.npz seen.npz --flip 0.2 --damaged", "expected -o FILE"),
        ("recover m.npz seen.npz --cover scattered --damaged -o o.npz", "expected bottom"),
        ("recover seen.npz seen.npz --flip 0.2", "remembers no images"),
        ("recover m.npz seen.npz --flip 0.2 --picture p.txt", "ends in .png"),
        ("recover m.npz seen.npz --flip 0.2 -o seen.npz", "the file to be read"),
        ("recover m.npz seen.npz --flip 0.2 -o other.npz", "is not a file of frames"),
        ("remember seen.npz -o n.npz --neurons 9", "with --attractors only"),
        ("remember seen.npz -o n.npz --attractors --noise 0.1", "without --attractors only"),
        ("remember stored.npz -o n.npz --attractors --neurons 99999999", "at most 16384"),
        ("remember seen.npz -o n.npz --passes 0", "1 or more"),
        ("remember none.npz -o n.npz", "no such file"),
        ("remember stored.npz -o seen.npz", "not a memory of images"),
    ],
)
def test_bad_input_is_refused_and_nothing_written(
    line: str, message: str, folder: Path, capsys: Capture
) -> None:
    store = "sense remember stored.npz --attractors --neurons 256 --active 32 -o m.npz"
    assert main(store.split()) == 0
    np.savez("other.npz", codes=np.zeros(3))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    capsys.readouterr()
    assert main(["sense", *line.split()]) == 2
    assert message in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
