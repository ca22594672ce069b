"""A Boltzmann machine or an image memory in one file of arrays (`vsafsm.npz`): no pickle,
versioned, strict, with the same bytes for the same content. What is no array is one JSON text.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm import npz
from vsafsm.errors import FileError, ProgramError, SenseError
from vsafsm.files import reason, write_atomically
from vsafsm.sense.model import Cleanup, Layer
from vsafsm.sense.recovery.attractors import ImageMemory
from vsafsm.sense.recovery.boltzmann import Boltzmann
from vsafsm.sense.recovery.images import Binary

FORMAT_VERSION = 1
KIND = "vsafsm-recovery"
EXPECTED = "expected a file of `vsafsm sense remember`"
_BOTH = {"metadata": ("|u1",), "weights": ("|i1",), "bias": ("<i4",), npz.HASH: ("|u1",)}
_BOLTZMANN = {**_BOTH, "visible": ("<i4",), "examples": ("|u1",)}
_MEMORY = {**_BOTH, "images": ("|u1",), "codes": ("|u1",), "recurrent": ("|i1",)}
_KEYS = {"kind", "version", "shape", "threshold", "bits"}
_OF_BOLTZMANN, _OF_MEMORY = {*_KEYS, "classes", "lsb"}, {*_KEYS, "gain"}


def save_restorer(restorer: Boltzmann | ImageMemory, path: str | Path) -> None:
    """Write it, whole or not at all.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    layer, binary = restorer.layer, restorer.binary
    about: dict[str, Any] = {
        "kind": KIND,
        "version": FORMAT_VERSION,
        "shape": binary.shape,
        "threshold": binary.threshold,
        "bits": layer.bits,
    }
    members: npz.Members = {"weights": layer.weights}
    if isinstance(restorer, Boltzmann):
        about |= {"classes": restorer.classes, "lsb": restorer.lsb}
        members["bias"] = layer.bias
        members["visible"] = restorer.visible
        members["examples"] = restorer.examples.astype(np.uint8)
    else:
        about["gain"] = restorer.cleanup.gain
        members["bias"] = restorer.bias
        members["images"] = restorer.images.astype(np.uint8)
        members["codes"] = restorer.cleanup.codes.astype(np.uint8)
        members["recurrent"] = restorer.cleanup.weights
    members["metadata"] = np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8)
    write_atomically(path, lambda file: npz.write(members, file))


def holds_restorer(path: str | Path) -> bool:
    """Whether a file that is there holds one, whole or damaged inside."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.removesuffix(".npy") for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return False
    return names in (set(_BOLTZMANN), set(_MEMORY))


def load_restorer(path: str | Path) -> Boltzmann | ImageMemory:
    """Read what `save_restorer` wrote.

    Raises
    ------
    FileError
        If the file cannot be read.
    SenseError
        If it is no such file, is damaged, or was written by a later version.
    """
    name = f'"{path}"'
    try:
        with Path(path).open("rb") as file:
            members = npz.read(file, name, (_BOLTZMANN, _MEMORY))
        npz.check_hash(members, name)
    except OSError as error:
        raise FileError(f"cannot read {name}: {reason(error)}") from None
    except ProgramError:
        raise SenseError(f"{name} remembers no images, or is damaged; {EXPECTED}") from None
    about = _about(members, name)
    try:
        return _boltzmann(about, members) if "visible" in members else _memory(about, members)
    except (TypeError, ValueError, IndexError) as error:
        raise SenseError(f"{name} is damaged ({error}); {EXPECTED}") from None
    except SenseError as error:
        raise SenseError(f"{name}: {error.message}") from None


def _about(members: npz.Members, name: str) -> dict[str, Any]:
    try:
        found = json.loads(members["metadata"].tobytes().decode())
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise SenseError(f"{name} remembers no images; {EXPECTED}")
    if found.get("version") != FORMAT_VERSION:
        raise SenseError(
            f"{name} has version {found.get('version')}; expected {FORMAT_VERSION}, or a later"
            " vsafsm"
        )
    if found.keys() != (_OF_BOLTZMANN if "visible" in members else _OF_MEMORY):
        raise SenseError(f"{name} has other entries; {EXPECTED}")
    return found


def _boltzmann(about: dict[str, Any], members: npz.Members) -> Boltzmann:
    classes = tuple(_typed(each, str) for each in about["classes"])
    return Boltzmann(
        _binary(about),
        classes,
        Layer(members["weights"], members["bias"], _typed(about["bits"], int)),
        members["visible"],
        _typed(about["lsb"], float),
        _bits(members["examples"]),
    )


def _memory(about: dict[str, Any], members: npz.Members) -> ImageMemory:
    weights = members["weights"]
    return ImageMemory(
        _binary(about),
        Layer(weights, np.zeros(weights.shape[1], np.int32), _typed(about["bits"], int)),
        Cleanup(_bits(members["codes"]), members["recurrent"], _typed(about["gain"], int)),
        _bits(members["images"]),
        members["bias"],
    )


def _binary(about: dict[str, Any]) -> Binary:
    shape = tuple(_typed(each, int) for each in about["shape"])
    return Binary(shape, _typed(about["threshold"], float))


def _bits(array: NDArray[Any]) -> NDArray[np.bool_]:
    if array.max(initial=0) > 1:
        raise SenseError("bits hold more than 0 and 1")
    return array.astype(np.bool_)


def _typed(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} in place of {kind.__name__}")
    return value
