"""The notebooks of the documentation run, and print what they show."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SECONDS = 600


def named(path: Path) -> str:
    return path.stem


def texts(cell: Any) -> list[str]:
    """What a cell prints and shows, numbers aside: margins and sizes may move with the compiler."""
    found = []
    for output in cell["outputs"]:
        shown = output.get("text", output.get("data", {}).get("text/plain", ""))
        found.append(re.sub(r"\d+(\.\d+)?(e[-+]\d+)?", "#", "".join(shown)))
    return found


def kinds(cell: Any) -> list[list[str]]:
    return [sorted(output.get("data", {})) for output in cell["outputs"]]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_notebooks_are_kept_as_they_ran(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for cell in cells for output in cell["outputs"] if "ename" in output]
    assert not re.search(r"/(home|root|tmp|work|Users)/", path.read_text(encoding="utf-8"))


def test_every_notebook_is_in_the_navigation() -> None:
    pages = (FOLDER.parents[1] / "mkdocs.yml").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) == 4
    for path in NOTEBOOKS:
        assert f"notebooks/{path.name}" in pages


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_notebooks_run_and_print_what_they_show(path: Path, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    shown = nbformat.read(path, as_version=4)
    ran = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    client.NotebookClient(ran, timeout=SECONDS, resources=where).execute()
    for before, after in zip(shown.cells, ran.cells, strict=True):
        if before["cell_type"] == "code":
            assert texts(after) == texts(before), before["source"]
            assert kinds(after) == kinds(before), before["source"]
