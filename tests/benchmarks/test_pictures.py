"""The list of pictures has every one of the docs, and those there are as wide as they are meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

image = pytest.importorskip("matplotlib.image", reason="Matplotlib is not installed")
ROOT = Path(__file__).parents[2]
SCREENSHOTS = {"report", "playground-light", "playground-dark"}
THERE = sorted({path.stem for path in (ROOT / "docs").glob("*.png")} - SCREENSHOTS)


@pytest.fixture(scope="module")
def pictures(benchmark_script: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark_script("pictures")


def test_every_picture_of_the_docs_is_in_the_list(pictures: ModuleType) -> None:
    assert set(THERE) == set(pictures.NAMES)


@pytest.mark.parametrize("name", THERE)
def test_a_picture_is_as_wide_as_is_meant(pictures: ModuleType, name: str) -> None:
    width = image.imread(ROOT / "docs" / f"{name}.png").shape[1] / 300 * 25.4
    assert width <= (178.2 if name in pictures.TWO_COLUMNS else 85.2)


@pytest.mark.parametrize("name", THERE)
def test_there_are_enough_draws(
    pictures: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert pictures.few(name) == []


@pytest.mark.parametrize("name", ["walk", "scale", "recovery-covered", "prediction"])
def test_a_picture_is_drawn_and_can_be_read(
    pictures: ModuleType, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert pictures.made(name, tmp_path / f"{name}.png") == []
