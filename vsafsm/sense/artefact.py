"""A classifier in one file of arrays (`vsafsm.npz`): no pickle, versioned, strict, with the same
bytes for the same classifier.

All weights lie in one array, layer after layer, and so do all biases. What is not an array is one
JSON text.
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
from vsafsm.sense.model import Cleanup, Layer, Model, Quantiser, Rounding, Window

FORMAT_VERSION = 1
KIND = "vsafsm-sense"
_MEMBERS = {
    "metadata": ("|u1",),
    "weights": ("|i1",),
    "bias": ("<i4",),
    "examples": ("|u1",),
    npz.HASH: ("|u1",),
}
_WITH_CLEANUP = {**_MEMBERS, "class_codes": ("|u1",), "recurrent": ("|i1",)}
_KEYS = {"kind", "version", "classes", "shape", "quantiser", "layers", "margin", "gain", "trained"}


def save_model(model: Model, path: str | Path, trained: str = "") -> None:
    """Write a classifier, whole or not at all.

    Parameters
    ----------
    trained
        How it was trained, a line for the reader.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    metadata = {
        "kind": KIND,
        "version": FORMAT_VERSION,
        "classes": model.classes,
        "shape": model.shape,
        "quantiser": [model.quantiser.low, model.quantiser.high, model.quantiser.bits],
        "layers": [_layer_text(layer) for layer in model.layers],
        "margin": model.margin,
        "gain": None if model.cleanup is None else model.cleanup.gain,
        "trained": trained,
    }
    text = json.dumps(metadata, sort_keys=True).encode()
    members: npz.Members = {
        "metadata": np.frombuffer(text, np.uint8),
        "weights": np.concatenate([layer.weights.reshape(-1) for layer in model.layers]),
        "bias": np.concatenate([layer.bias for layer in model.layers]),
        "examples": np.zeros((0, 0), np.uint8),
    }
    if model.examples is not None:
        members["examples"] = model.examples.reshape(len(model.examples), -1)
    if model.cleanup is not None:
        members["class_codes"] = model.cleanup.codes.astype(np.uint8)
        members["recurrent"] = model.cleanup.weights
    write_atomically(path, lambda file: npz.write(members, file))


def _layer_text(layer: Layer) -> dict[str, Any]:
    rounding, window = layer.rounding, layer.window
    return {
        "size": layer.weights.shape,
        "bits": layer.bits,
        "rounding": rounding and [rounding.multiplier, rounding.shift, rounding.bits],
        "window": window and [window.height, window.width, window.stride],
    }


def holds_model(path: str | Path) -> bool:
    """Whether a file that is there holds a classifier, whole or damaged inside."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {"metadata.npy", "examples.npy"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def load_model(path: str | Path) -> Model:
    """Read a classifier that `save_model` wrote.

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
            members = npz.read(file, name, (_MEMBERS, _WITH_CLEANUP))
        npz.check_hash(members, name)
    except OSError as error:
        raise FileError(f"cannot read {name}: {reason(error)}") from None
    except ProgramError:
        raise SenseError(
            f"{name} is no classifier, or is damaged; expected a file of `vsafsm sense train`"
        ) from None
    return _model(_metadata(members["metadata"], name), members, name)


def _metadata(array: NDArray[Any], name: str) -> dict[str, Any]:
    try:
        found = json.loads(array.tobytes().decode())
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise SenseError(f"{name} is no classifier; expected a file of `vsafsm sense train`")
    if found.get("version") != FORMAT_VERSION:
        raise SenseError(
            f"{name} has version {found.get('version')}; expected {FORMAT_VERSION}, or a later"
            " vsafsm"
        )
    if found.keys() != _KEYS:
        raise SenseError(f"{name} has other entries than a classifier's")
    return found


def _model(text: dict[str, Any], members: npz.Members, name: str) -> Model:
    try:
        cleanup = None
        if "class_codes" in members:
            codes = members["class_codes"]
            if codes.max(initial=0) > 1:
                raise SenseError("codes hold more than 0 and 1")
            cleanup = Cleanup(codes.astype(np.bool_), members["recurrent"], _whole(text["gain"]))
        low, high, bits = text["quantiser"]
        shape = tuple(_whole(each) for each in text["shape"])
        examples = members["examples"]
        return Model(
            tuple(_text(each) for each in text["classes"]),
            shape,
            Quantiser(float(low), float(high), _whole(bits)),
            _layers(text["layers"], members["weights"], members["bias"]),
            _whole(text["margin"]),
            cleanup,
            examples.reshape(len(examples), *shape) if len(examples) else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SenseError(f"{name} is damaged ({error}); expected a whole classifier") from None
    except SenseError as error:
        raise SenseError(f"{name}: {error.message}") from None


def _layers(
    texts: list[dict[str, Any]], weights: NDArray[Any], bias: NDArray[Any]
) -> tuple[Layer, ...]:
    found, at, below = [], 0, 0
    for each in texts:
        inputs, outputs = (_whole(size) for size in each["size"])
        if min(inputs, outputs) < 1 or at + inputs * outputs > len(weights):
            raise SenseError("the weights are fewer than the layers need")
        found.append(
            Layer(
                weights[at : at + inputs * outputs].reshape(inputs, outputs),
                bias[below : below + outputs],
                _whole(each["bits"]),
                each["rounding"] and Rounding(*map(_whole, each["rounding"])),
                each["window"] and Window(*map(_whole, each["window"])),
            )
        )
        at, below = at + inputs * outputs, below + outputs
    if (at, below) != (len(weights), len(bias)) or weights.ndim != 1 or bias.ndim != 1:
        raise SenseError("the weights are more than the layers need")
    return tuple(found)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} in place of a whole number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} in place of a name")
    return value
