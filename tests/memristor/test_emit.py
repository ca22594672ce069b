"""Files of conductance maps: they hold the targets, and are the same for the same program and
device.
"""

from __future__ import annotations

import csv
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsafsm import errors as e
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm.version import __version__
from vsafsm_memristor.backend import BACKEND
from vsafsm_memristor.crossbar.array import plan_array
from vsafsm_memristor.crossbar.mapping import SCHEMES, TileLayout
from vsafsm_memristor.crossbar.parameters import settings
from vsafsm_memristor.emit import content_hash, emit

Emitted = Callable[..., Path]
SMALL = {"rows": 50, "columns": 30}


@pytest.fixture(scope="module")
def emitted(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    """Writes the turnstile, or another program, with options: -> the folder."""

    def write(of: Program | None = None, **options: Any) -> Path:
        folder = tmp_path_factory.mktemp("maps")
        BACKEND.emit(of or program, folder, **options)
        return folder

    return write


def tiles_in(folder: Path) -> list[list[list[float]]]:
    found = []
    for path in sorted(folder.glob("tile_*.csv")):
        with path.open(newline="") as file:
            found.append([[float(text) for text in row] for row in csv.reader(file)])
    return found


def manifest_in(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tiles_hold_the_targets(program: Program, emitted: Emitted, scheme: Any) -> None:
    tiles = tiles_in(emitted(scheme=scheme, **SMALL))
    layout = TileLayout(program.network.neurons, 50, 30, scheme)
    target = plan_array(program.network, settings({"scheme": scheme})).target
    assert len(tiles) == layout.grid[0] * layout.grid[1]
    seen = set()
    for post, pre in np.ndindex(program.network.weights.shape):
        for g, (tile, row, column, _) in zip(target, layout.cells_of(post, pre), strict=True):
            assert abs(tiles[tile][row][column] - g[post, pre]) <= 5.1e-5
            seen.add((tile, row, column))
    for number, cells in enumerate(tiles):
        assert (len(cells), len(cells[0])) == (50, 30)
        assert not any(
            g
            for row, line in enumerate(cells)
            for column, g in enumerate(line)
            if (number, row, column) not in seen
        )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_weights_come_back_from_the_files_alone(
    program: Program, emitted: Emitted, scheme: str
) -> None:
    folder = emitted(scheme=scheme, **SMALL)
    tiles, told = tiles_in(folder), manifest_in(folder)
    neurons, down = told["neurons"], told["blocks_of_inputs"]
    assert "block of outputs * 4 + block of inputs" in told["order"]
    width = told["tile_columns"] // 2 if scheme == "differential" else told["tile_columns"] - 1
    weights = np.zeros((neurons, neurons), int)
    for post, pre in np.ndindex(neurons, neurons):
        row = tiles[post // width * down + pre // told["tile_rows"]][pre % told["tile_rows"]]
        c = post % width
        difference = row[2 * c] - row[2 * c + 1] if scheme == "differential" else row[c] - row[-1]
        weights[post, pre] = round(difference / told["us_per_lsb"])
    assert (weights == program.network.weights).all()


def test_the_manifest_says_what_the_tiles_are(program: Program, emitted: Emitted) -> None:
    told = manifest_in(emitted(device="perovskite", **SMALL))
    assert told.keys() == {
        *(
            "machine",
            "unit",
            "device",
            "source",
            "scheme",
            "order",
            "tiles",
            "tile_rows",
            "tile_columns",
        ),
        *(
            "blocks_of_inputs",
            "blocks_of_outputs",
            "base_us",
            "us_per_lsb",
            "neurons",
            "hold_steps",
        ),
        *("gap_steps", "program_hash", "map_hash", "vsafsm", "format", "orders"),
    }
    assert (told["format"], told["orders"]) == ("csv", [])
    assert (told["machine"], told["unit"], told["device"]) == ("turnstile", "uS", "perovskite")
    assert "proxy" in told["source"]
    assert told["scheme"] == "differential"
    assert (told["tile_rows"], told["tile_columns"]) == (50, 30)
    assert (told["blocks_of_inputs"], told["blocks_of_outputs"], told["tiles"]) == (4, 11, 44)
    assert (told["base_us"], told["us_per_lsb"]) == (10, 30)
    assert told["neurons"] == program.network.neurons == 160
    contract = program.network.contract
    assert (told["hold_steps"], told["gap_steps"]) == (
        contract.hold_steps + 2,
        contract.gap_steps + 2,
    )
    assert (told["program_hash"], told["vsafsm"]) == (program.content_hash, __version__)


def test_the_hash_is_that_of_program_and_device(
    program: Program, emitted: Emitted, compiled: Callable[..., Program], turnstile: Machine
) -> None:
    other = compiled(turnstile, target="memristor", seed=1)
    folders = [
        emitted(),
        emitted(other),
        emitted(device="perovskite"),
        emitted(scheme="offset"),
        emitted(rows=64),
    ]
    hashes = [manifest_in(folder)["map_hash"] for folder in folders]
    assert len(set(hashes)) == len(hashes)
    assert manifest_in(emitted(device_seed=5, adc_bits=4))["map_hash"] == hashes[0]


def test_one_cell_changes_the_hash(program: Program) -> None:
    tiles = tuple(np.zeros((3, 4), np.float32) for _ in range(2))
    before = content_hash(program, tiles)
    assert content_hash(program, tuple(cells.reshape(4, 3) for cells in tiles)) != before
    tiles[1][2, 3] = 1e-3
    assert content_hash(program, tiles) != before


def test_files_are_the_same_each_time(emitted: Emitted) -> None:
    first, second = emitted(**SMALL), emitted(**SMALL)
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(path.name for path in second.iterdir())
    assert len(names) == 44 + 2
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_the_picture_is_one(emitted: Emitted) -> None:
    data = (emitted() / "maps.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    width, height = struct.unpack(">II", data[16:24])
    assert width > 600
    assert height > 300
    assert data.endswith(b"IEND\xaeB`\x82")


def test_without_matplotlib_there_is_no_picture(
    emitted: Emitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsafsm_memristor.emit.find_spec", lambda name: None)
    names = {path.name for path in emitted().iterdir()}
    assert "maps.png" not in names
    assert {"manifest.json", "tile_000.csv"} <= names


def test_a_folder_that_is_not_there_is_refused(program: Program, tmp_path: Path) -> None:
    with pytest.raises(e.FileError, match="cannot write"):
        emit(program, BACKEND.lower(program), tmp_path / "none")
    assert not list(tmp_path.iterdir())


# ---- tiles as .npy, and cells that cannot be used


def test_tiles_as_npy_hold_the_same(emitted: Emitted) -> None:
    folder, other = emitted(**SMALL), emitted(tile_format="npy", **SMALL)
    arrays = [np.load(path, allow_pickle=False) for path in sorted(other.glob("tile_*.npy"))]
    assert manifest_in(other)["format"] == "npy"
    assert not list(other.glob("*.csv"))
    for cells, expected in zip(arrays, tiles_in(folder), strict=True):
        assert cells.dtype == np.float32
        assert cells == pytest.approx(np.array(expected), abs=5.1e-5)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """One cell in twenty of each tile of 50 x 30 does not work; the files of 44 tiles."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "masks"
    folder.mkdir()
    for number in range(44):
        np.savetxt(
            folder / f"usable_{number:03}.csv", rng.random((50, 30)) > 0.05, fmt="%d", delimiter=","
        )
    return folder


@pytest.mark.parametrize("kind", ["csv", "npy"])
def test_unusable_cells_are_left_alone_and_weights_come_back(
    program: Program, emitted: Emitted, masks: Path, kind: str
) -> None:
    folder = emitted(usable=str(masks), tile_format=kind, **SMALL)
    told = manifest_in(folder)
    read = np.load if kind == "npy" else lambda path: np.loadtxt(path, delimiter=",")
    tiles = [read(path) for path in sorted(folder.glob(f"tile_*.{kind}"))]
    usable = [read(path).astype(bool) for path in sorted(folder.glob(f"usable_*.{kind}"))]
    for number, (cells, works) in enumerate(zip(tiles, usable, strict=True)):
        assert (
            works == np.loadtxt(masks / f"usable_{number:03}.csv", delimiter=",").astype(bool)
        ).all()
        assert not cells[~works].any()
    neurons, down = told["neurons"], told["blocks_of_inputs"]
    found = np.zeros((neurons, neurons))
    for post, pre in np.ndindex(neurons, neurons):
        number = post // 15 * down + pre // 50
        order = told["orders"][number]
        row, place = order["rows"][pre % 50], order["outputs"][post % 15]
        found[post, pre] = tiles[number][row, 2 * place] - tiles[number][row, 2 * place + 1]
    lost = np.abs(found / told["us_per_lsb"] - program.network.weights) > 0.5
    assert lost.mean() < 0.02
    whole = emitted(**SMALL)
    assert told["map_hash"] != manifest_in(whole)["map_hash"]


def test_an_order_loses_less_than_none(program: Program, emitted: Emitted, masks: Path) -> None:
    folder = emitted(usable=str(masks), **SMALL)
    layout = TileLayout(program.network.neurons, 50, 30)
    works = layout.gather(
        tuple(np.loadtxt(path, delimiter=",") for path in sorted(masks.iterdir()))
    )
    weights = program.network.weights
    hopeless = int(
        np.count_nonzero(((weights > 0) & (works[0] == 0)) | ((weights < 0) & (works[1] == 0)))
    )
    told = manifest_in(folder)
    tiles = tiles_in(folder)
    lost = 0
    for post, pre in np.ndindex(weights.shape):
        number = post // 15 * told["blocks_of_inputs"] + pre // 50
        order = told["orders"][number]
        row, place = tiles[number][order["rows"][pre % 50]], order["outputs"][post % 15]
        difference = (row[2 * place] - row[2 * place + 1]) / told["us_per_lsb"]
        lost += abs(difference - weights[post, pre]) > 0.5
    assert lost < hopeless / 2


def harm(masks: Path, kind: str) -> None:
    path = masks / "usable_007.csv"
    cells = np.loadtxt(path, delimiter=",")
    if kind == "missing":
        path.unlink()
    elif kind == "shape":
        np.savetxt(path, cells[:, :29], fmt="%d", delimiter=",")
    elif kind == "value":
        cells[3, 4] = 2
        np.savetxt(path, cells, fmt="%d", delimiter=",")
    elif kind == "nan":
        cells[3, 4] = np.nan
        np.savetxt(path, cells, delimiter=",")
    elif kind == "text":
        path.write_text("yes,no\n")
    elif kind == "npy":
        path.unlink()
        (masks / "usable_007.npy").write_bytes(b"\x93NUMPY and no more")
    else:
        path.unlink()
        with (masks / "usable_007.npy").open("wb") as file:
            header = {"descr": "|b1", "fortran_order": False, "shape": (10**13,)}
            np.lib.format.write_array_header_1_0(file, header)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("missing", "usable_007.csv.*it is not there"),
        ("shape", r"usable_007.csv: \(50, 29\) cells; expected \(50, 30\)"),
        ("value", "usable_007.csv: values other than 0 and 1"),
        ("nan", "usable_007.csv: values other than 0 and 1"),
        ("text", "usable_007.csv: .*expected rows of 0 and 1"),
        ("npy", "usable_007.npy: .*expected rows of 0 and 1"),
        ("huge", "usable_007.npy: 128 bytes for shape .*expected rows of 0 and 1"),
    ],
)
def test_masks_that_are_wrong_are_refused_and_nothing_is_written(
    program: Program, masks: Path, tmp_path: Path, kind: str, told: str
) -> None:
    harm(masks, kind)
    folder = tmp_path / "maps"
    folder.mkdir()
    with pytest.raises(e.VsafsmError, match=told):
        BACKEND.emit(program, folder, usable=str(masks), **SMALL)
    assert not list(folder.iterdir())


def test_usable_cells_are_for_pairs_and_for_maps(program: Program, masks: Path) -> None:
    with pytest.raises(e.OptionError, match="differential"):
        BACKEND.lower(program, usable=str(masks), scheme="offset")
    with pytest.raises(e.OptionError, match="with emit only"):
        BACKEND.open(program, usable=str(masks))
    with pytest.raises(e.OptionError, match='did you mean "npy"'):
        BACKEND.lower(program, tile_format="npz")


def test_a_folder_with_tiles_of_another_map_is_refused_and_stays(
    program: Program, tmp_path: Path
) -> None:
    BACKEND.emit(program, tmp_path, **SMALL)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for options in ({"tile_format": "npy", **SMALL}, {"rows": 100, "columns": 60}):
        with pytest.raises(e.FileError, match=r"tile_0\d\d.csv\" is of another map"):
            BACKEND.emit(program, tmp_path, **options)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    BACKEND.emit(program, tmp_path, **SMALL)
