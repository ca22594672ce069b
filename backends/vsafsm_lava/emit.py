"""A package that needs Lava and NumPy only: the Process with its weights, and a script that runs
it.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from string import Template

from vsafsm.clocked import waiting
from vsafsm.errors import FileError
from vsafsm.files import write_atomically
from vsafsm.program import Program
from vsafsm_loihi2 import ChipNetwork
from vsafsm_loihi2.backend import archive, manifest

PACKAGE = "fsm"
SOURCES = ("targets.py", "attractor/__init__.py", "attractor/process.py", "attractor/models.py")


def emit(program: Program, chip: ChipNetwork, folder: Path, target: str) -> None:
    """Write ``run.py`` with its default target and the package ``fsm`` into an existing folder.
    Raises `FileError`.
    """
    try:
        (folder / PACKAGE / "attractor").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f'cannot write into "{folder}": {error.strerror}') from None
    ours = files("vsafsm_lava")
    for name in SOURCES:
        text = (ours / name).read_text(encoding="utf-8").replace("vsafsm_lava.", f"{PACKAGE}.")
        write_atomically(folder / PACKAGE / name, text.encode())
    write_atomically(folder / PACKAGE / "network.npz", archive(chip.arrays()))
    # The chip reads states; outputs of transitions are read by the script, from the codes.
    network = chip.network
    codes = {name: getattr(network, name) for name in ("codes", "homes", "masks", "opens")}
    write_atomically(folder / PACKAGE / "codes.npz", archive(codes))
    write_atomically(folder / PACKAGE / "manifest.json", _json(manifest(program, chip)))
    for template, path in (
        ("package.template", f"{PACKAGE}/__init__.py"),
        ("run.template", "run.py"),
    ):
        text = Template((ours / template).read_text(encoding="utf-8")).substitute(
            MACHINE_NAME=_in_docstring(program.machine.name),
            WORD=repr(waiting(program.machine.demonstration(), program.machine.clock)),
            TARGET=target,
        )
        write_atomically(folder / path, text.encode())


def _in_docstring(name: str) -> str:
    """A name that cannot end the text that it stands in."""
    return name.replace("\\", "/").replace('"', "'")


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()
