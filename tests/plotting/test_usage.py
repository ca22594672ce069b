"""What a program takes of a chip or an array, as bars: the figures are those of `describe`."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from vsafsm.backend import Usage
from vsafsm.cli import main
from vsafsm.compiler import compile_machine
from vsafsm.discovery import find
from vsafsm.formats import load
from vsafsm.plotting.usage import draw_usage
from vsafsm.program import Program

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def chip() -> Program:
    return compile_machine(load("specs/turnstile.yaml"), target="loihi2")


@pytest.fixture(scope="module")
def array() -> Program:
    return compile_machine(load("specs/turnstile.yaml"), target="memristor")


def by_name(program: Program, backend: str, **options: object) -> dict[str, Usage]:
    found = find(backend).usage(program, **options)  # type: ignore[attr-defined]
    return {each.name: each for each in found}


def test_figures_of_the_chip(chip: Program) -> None:
    told, found = find("loihi2").describe(chip), by_name(chip, "loihi2")
    assert found["cores of 1 chip"][1:] == (told["cores"], 128)
    assert found["neurons on the fullest core"][1:] == (told["neurons_per_core"], 4096)
    # Each neuron has a word, half a word for its axon, and N weights of 8 bits with 10 % on top.
    n = chip.network.neurons
    assert found["memory of these cores (words)"].used == math.ceil(n * (1.5 + 1.1 * n / 8))
    assert found["range of synaptic sums"].used == told["largest_accumulator"]


def test_figures_of_the_array(array: Program) -> None:
    told = find("memristor").describe(array, device="neurram")
    found = by_name(array, "memristor", device="neurram")
    assert found["tiles"].used == told["tiles"]
    assert found["cores"][1:] == (told["cores"], told["cores_there"])
    cells = found["cells of these tiles"]
    assert cells.used == told["cells"] == 2 * array.network.neurons**2
    assert cells.there == told["tiles"] * told["tile_rows"] * told["tile_columns"]


def test_an_open_array_has_no_number_of_tiles(array: Program) -> None:
    assert "tiles" not in by_name(array, "memristor", device="lognormal")


def test_a_picture_tells_every_resource(tmp_path: Path) -> None:
    path = tmp_path / "u.svg"
    draw_usage("a title", [Usage("cores", 3, 128), Usage("words", 16_343, 16_384)], path)
    text = path.read_text()
    for each in ("a title", "cores", "3 of 128", "16,343 of 16,384", "in use (%)"):
        assert f"<!-- {each} -->" in text


def test_as_it_is_typed(chip: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program, path = str(tmp_path / "p.npz"), tmp_path / "u.pdf"
    chip.save(program)
    info = ["info", program, "--picture", str(path)]
    assert main([*info, "--backend", "loihi2", "--theme", "paper"]) == 0
    assert capsys.readouterr().out.endswith(f"wrote {path}\n")
    assert path.read_bytes().startswith(b"%PDF")
    for more in ((), ("--backend", "reference")):
        assert main([*info, *more]) == 2
        assert "such as loihi2 or memristor" in capsys.readouterr().err
