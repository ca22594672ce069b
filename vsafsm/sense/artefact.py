"""A classifier in one file of arrays (`vsafsm.npz`): no pickle, versioned, strict, with the same
bytes for the same classifier.

All weights lie in one array, layer after layer, and so do all biases. What is not an array is one
JSON text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm import npz
from vsafsm.errors import SenseError
from vsafsm.sense.model import Cleanup, Layer, Model, Quantiser, Rounding, Window
from vsafsm.sense.stored import Kind, bits, typed

_ARRAYS: npz.Kinds = {"weights": ("|i1",), "bias": ("<i4",), "examples": ("|u1",)}
_WITH_CLEANUP: npz.Kinds = {**_ARRAYS, "class_codes": ("|u1",), "recurrent": ("|i1",)}
_TEXT = frozenset({"classes", "shape", "quantiser", "layers", "margin", "gain", "trained"})
KIND = Kind(
    "vsafsm-sense",
    ((_ARRAYS, _TEXT), (_WITH_CLEANUP, _TEXT)),
    "is no classifier",
    "expected a file of `vsafsm sense train`",
)


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
    about = {
        "classes": model.classes,
        "shape": model.shape,
        "quantiser": [model.quantiser.low, model.quantiser.high, model.quantiser.bits],
        "layers": [_layer_text(layer) for layer in model.layers],
        "margin": model.margin,
        "gain": None if model.cleanup is None else model.cleanup.gain,
        "trained": trained,
    }
    members: npz.Members = {
        "weights": np.concatenate([layer.weights.reshape(-1) for layer in model.layers]),
        "bias": np.concatenate([layer.bias for layer in model.layers]),
        "examples": np.zeros((0, 0), np.uint8),
    }
    if model.examples is not None:
        members["examples"] = model.examples.reshape(len(model.examples), -1)
    if model.cleanup is not None:
        members["class_codes"] = model.cleanup.codes.astype(np.uint8)
        members["recurrent"] = model.cleanup.weights
    KIND.write(about, members, path)


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
    return KIND.is_in(path)


def load_model(path: str | Path) -> Model:
    """Read a classifier that `save_model` wrote.

    Raises
    ------
    FileError
        If the file cannot be read.
    SenseError
        If it is no such file, is damaged, or was written by a later version.
    """
    found: Model = KIND.read(path, _model)
    return found


def _model(about: dict[str, Any], members: npz.Members) -> Model:
    cleanup = None
    if "class_codes" in members:
        cleanup = Cleanup(
            bits(members["class_codes"]), members["recurrent"], typed(about["gain"], int)
        )
    low, high, width = about["quantiser"]
    shape = tuple(typed(each, int) for each in about["shape"])
    examples = members["examples"]
    return Model(
        tuple(typed(each, str) for each in about["classes"]),
        shape,
        Quantiser(float(low), float(high), typed(width, int)),
        _layers(about["layers"], members["weights"], members["bias"]),
        typed(about["margin"], int),
        cleanup,
        examples.reshape(len(examples), *shape) if len(examples) else None,
    )


def _layers(
    texts: list[dict[str, Any]], weights: NDArray[Any], bias: NDArray[Any]
) -> tuple[Layer, ...]:
    found, at, below = [], 0, 0
    for each in texts:
        inputs, outputs = (typed(size, int) for size in each["size"])
        if min(inputs, outputs) < 1 or at + inputs * outputs > len(weights):
            raise SenseError("the weights are fewer than the layers need")
        found.append(
            Layer(
                weights[at : at + inputs * outputs].reshape(inputs, outputs),
                bias[below : below + outputs],
                typed(each["bits"], int),
                each["rounding"] and Rounding(*(typed(n, int) for n in each["rounding"])),
                each["window"] and Window(*(typed(n, int) for n in each["window"])),
            )
        )
        at, below = at + inputs * outputs, below + outputs
    if (at, below) != (len(weights), len(bias)) or weights.ndim != 1 or bias.ndim != 1:
        raise SenseError("the weights are more than the layers need")
    return tuple(found)
