"""Files of what recovers images: what comes back, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsafsm import npz
from vsafsm.errors import FileError, SenseError
from vsafsm.sense.recovery.artefact import holds_restorer, load_restorer, save_restorer
from vsafsm.sense.recovery.attractors import ImageMemory
from vsafsm.sense.recovery.boltzmann import Boltzmann
from vsafsm.sense.recovery.images import flip


def test_both_come_back(learned: Boltzmann, memory: ImageMemory, tmp_path: Path) -> None:
    for each in (learned, memory):
        path, again = tmp_path / "a.npz", tmp_path / "b.npz"
        save_restorer(each, path)
        found = load_restorer(path)
        save_restorer(found, again)
        assert path.read_bytes() == again.read_bytes()
        assert type(found) is type(each)
        assert holds_restorer(path)
        seen = flip(memory.images, 0.2, np.random.default_rng(0))
        one, other = (r.recovered(seen, np.random.default_rng(1)) for r in (each, found))
        assert (one == other).all()


def rewritten(
    path: Path, change: Callable[[dict[str, Any], npz.Members], object], whole: bool = True
) -> None:
    with np.load(path) as archive:
        members = {name: archive[name] for name in archive.files if name != npz.HASH}
    about = json.loads(members["metadata"].tobytes())
    change(about, members)
    members["metadata"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with path.open("wb") as file:
        npz.write(members, file)


CHANGES: dict[str, tuple[Callable[[dict[str, Any], npz.Members], object], str]] = {
    "version": (lambda a, m: a.update(version=2), "version 2"),
    "kind": (lambda a, m: a.update(kind="vsafsm-sense"), "remembers no images"),
    "entry": (lambda a, m: a.update(more=1), "other entries"),
    "threshold": (lambda a, m: a.update(threshold="0.5"), "in place of float"),
    "shape": (lambda a, m: a.update(shape=[6, 7]), "visible units"),
    "flag": (lambda a, m: a.update(bits=True), "in place of int"),
    "bits": (lambda a, m: m.update(examples=m["examples"] * 2), "more than 0 and 1"),
    "weights": (lambda a, m: m.update(weights=m["weights"][:-1]), "visible units"),
    "flat": (lambda a, m: m.update(weights=m["weights"].reshape(-1)), "int8"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_other_content_is_refused(name: str, learned: Boltzmann, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save_restorer(learned, path)
    change, message = CHANGES[name]
    rewritten(path, change)
    with pytest.raises(SenseError, match=message):
        load_restorer(path)


def test_damage_is_refused(memory: ImageMemory, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save_restorer(memory, path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(SenseError, match="damaged"):
        load_restorer(path)
    path.write_bytes(bytes(data[: len(data) // 2]))
    with pytest.raises(SenseError, match="damaged"):
        load_restorer(path)
    assert not holds_restorer(path)


def test_what_is_not_there_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot read"):
        load_restorer(tmp_path / "none.npz")
