"""A Boltzmann machine or an image memory in one file of arrays (`vsafsm.npz`): no pickle,
versioned, strict, with the same bytes for the same content. What is no array is one JSON text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vsafsm import npz
from vsafsm.sense.model import Cleanup, Layer
from vsafsm.sense.recovery.attractors import ImageMemory
from vsafsm.sense.recovery.boltzmann import Boltzmann
from vsafsm.sense.recovery.images import Binary
from vsafsm.sense.stored import Kind, bits, typed

_BOTH: npz.Kinds = {"weights": ("|i1",), "bias": ("<i4",)}
_BOLTZMANN: npz.Kinds = {**_BOTH, "visible": ("<i4",), "examples": ("|u1",)}
_MEMORY: npz.Kinds = {**_BOTH, "images": ("|u1",), "codes": ("|u1",), "recurrent": ("|i1",)}
_TEXT = frozenset({"shape", "threshold", "bits"})
KIND = Kind(
    "vsafsm-recovery",
    ((_BOLTZMANN, _TEXT | {"classes", "lsb"}), (_MEMORY, _TEXT | {"gain"})),
    "remembers no images",
    "expected a file of `vsafsm sense remember`",
)


def save_restorer(restorer: Boltzmann | ImageMemory, path: str | Path) -> None:
    """Write it, whole or not at all.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    layer, binary = restorer.layer, restorer.binary
    about: dict[str, Any] = {
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
    KIND.write(about, members, path)


def holds_restorer(path: str | Path) -> bool:
    """Whether a file that is there holds one, whole or damaged inside."""
    return KIND.is_in(path)


def load_restorer(path: str | Path) -> Boltzmann | ImageMemory:
    """Read what `save_restorer` wrote.

    Raises
    ------
    FileError
        If the file cannot be read.
    SenseError
        If it is no such file, is damaged, or was written by a later version.
    """
    found: Boltzmann | ImageMemory = KIND.read(path, _restorer)
    return found


def _restorer(about: dict[str, Any], members: npz.Members) -> Boltzmann | ImageMemory:
    return _boltzmann(about, members) if "visible" in members else _memory(about, members)


def _boltzmann(about: dict[str, Any], members: npz.Members) -> Boltzmann:
    classes = tuple(typed(each, str) for each in about["classes"])
    return Boltzmann(
        _binary(about),
        classes,
        Layer(members["weights"], members["bias"], typed(about["bits"], int)),
        members["visible"],
        typed(about["lsb"], float),
        bits(members["examples"]),
    )


def _memory(about: dict[str, Any], members: npz.Members) -> ImageMemory:
    weights = members["weights"]
    return ImageMemory(
        _binary(about),
        Layer(weights, np.zeros(weights.shape[1], np.int32), typed(about["bits"], int)),
        Cleanup(bits(members["codes"]), members["recurrent"], typed(about["gain"], int)),
        bits(members["images"]),
        members["bias"],
    )


def _binary(about: dict[str, Any]) -> Binary:
    shape = tuple(typed(each, int) for each in about["shape"])
    return Binary(shape, typed(about["threshold"], float))
