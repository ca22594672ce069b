"""The example specs that come with the package."""

from __future__ import annotations

from importlib.resources import files
from itertools import takewhile
from pathlib import Path

from vsafsm.errors import FileError, did_you_mean
from vsafsm.files import write_atomically
from vsafsm.overwriting import check_place


def example_names() -> list[str]:
    """The name of each example."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def examples() -> dict[str, str]:
    """Name of each example, and what it shows."""
    return {name: _what_it_shows(_folder() / f"{name}.yaml") for name in example_names()}


def copy_example(name: str, folder: str | Path, overwrite: bool = False) -> Path:
    """Copy an example spec into a folder: -> where it is.

    Raises
    ------
    FileError
        If there is no such example, the folder is not there, or the file is there already.
    """
    known = examples()
    stem = name.removesuffix(".yaml")
    if stem not in known:
        raise FileError(
            f'no example "{name}"; expected one of: {", ".join(known)}{did_you_mean(stem, known)}'
        )
    target = Path(folder) / f"{stem}.yaml"
    check_place(target)
    if target.exists() and not overwrite:
        raise FileError(
            f"{target} is there already; expected a new name, another folder, or --force"
        )
    write_atomically(target, (_folder() / f"{stem}.yaml").read_bytes())
    return target


def _folder() -> Path:
    """``specs`` inside the installed package, or at the top of a source tree."""
    package = Path(str(files("vsafsm")))
    inside = package / "specs"
    return inside if inside.is_dir() else package.parent / "specs"


def _what_it_shows(path: Path) -> str:
    """The comment at the top of a spec, as one line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return " ".join(
        line.strip("# ") for line in takewhile(lambda line: line.startswith("#"), lines)
    )
