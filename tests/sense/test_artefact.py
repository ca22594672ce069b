"""Files of classifiers: what comes back, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vsafsm import npz
from vsafsm.errors import FileError, SenseError
from vsafsm.sense.artefact import load_model, save_model

from .conftest import blobs, drawn_model


@pytest.mark.parametrize("convolution", [False, True])
def test_a_classifier_comes_back(convolution: bool, tmp_path: Path) -> None:
    examples = np.random.default_rng(0).integers(0, 8, (5, 6, 6)).astype(np.uint8)
    model = replace(drawn_model(2, convolution), margin=7, examples=examples)
    path, again = tmp_path / "m.npz", tmp_path / "n.npz"
    save_model(model, path, "how")
    found = load_model(path)
    save_model(found, again, "how")
    assert path.read_bytes() == again.read_bytes()
    frames = blobs(20, 5)
    assert (found.scores(frames) == model.scores(frames)).all()
    assert (found.classes, found.shape, found.margin) == (model.classes, model.shape, 7)
    assert found.quantiser == model.quantiser
    assert found.examples is not None
    assert (found.examples == examples).all()


def members_of(path: Path) -> npz.Members:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files if name != npz.HASH}


def changed(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    """With other metadata, and the hash that goes with it."""

    def write(path: Path) -> None:
        members = members_of(path)
        text = json.loads(members["metadata"].tobytes())
        change(text)
        members["metadata"] = np.frombuffer(json.dumps(text).encode(), np.uint8)
        with path.open("wb") as file:
            npz.write(members, file)

    return write


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("weights.npy").header_offset
    data[at + 300] ^= 1
    path.write_bytes(bytes(data))


def fewer_weights(path: Path) -> None:
    members = members_of(path)
    members["weights"] = members["weights"][:-1]
    with path.open("wb") as file:
        npz.write(members, file)


def pickled(path: Path) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, metadata=np.array([{}], object))
    path.write_bytes(buffer.getvalue())


def nested(path: Path) -> None:
    members = members_of(path) | {"metadata": np.frombuffer(b'{"a":' * 10**5, np.uint8)}
    with path.open("wb") as file:
        npz.write(members, file)


DAMAGE = {
    "flipped": (flipped, "damaged"),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:200]), "damaged"),
    "text": (lambda path: path.write_text("hello"), "no classifier"),
    "pickle": (pickled, "no classifier"),
    "fewer weights": (fewer_weights, "fewer than the layers need"),
    "version": (changed(lambda text: text.update(version=2)), "version 2"),
    "kind": (changed(lambda text: text.update(kind="other")), "no classifier"),
    "more keys": (changed(lambda text: text.update(more=1)), "other entries"),
    "nested": (nested, "no classifier"),
    "quantiser": (changed(lambda text: text.update(quantiser=[0, 10**400, 3])), "damaged"),
    "layers": (changed(lambda text: text.update(layers=[{"size": 3}])), "damaged"),
    "margin": (changed(lambda text: text.update(margin="much")), "damaged"),
    "classes": (changed(lambda text: text.update(classes=["a", "b"])), "3,.* scores for 2"),
    "bits": (
        changed(lambda text: text["layers"][0].update(bits=2)),  # type: ignore[index]
        "beyond 1",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    save_model(drawn_model(0), path)
    damage, words = DAMAGE[kind]
    damage(path)
    with pytest.raises(SenseError, match=words):
        load_model(path)


def test_what_is_not_there_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no\.npz"):
        load_model(tmp_path / "no.npz")


def test_a_program_is_no_classifier(tmp_path: Path) -> None:
    import vsafsm

    vsafsm.compile(vsafsm.load("specs/turnstile.yaml"), tolerate="none").save(tmp_path / "p.npz")
    with pytest.raises(SenseError, match="is no classifier"):
        load_model(tmp_path / "p.npz")
