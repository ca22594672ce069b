"""Frames that a page shows, and the inputs that they stand for."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsafsm.machine import Machine
from vsafsm.sense.data import Frames


@dataclass(frozen=True)
class Seen:
    """Frames in order, and the input that a classifier makes of each."""

    frames: Frames
    inputs: tuple[str, ...]


def frames_of(seen: Seen, machine: Machine) -> list[dict[str, Any]]:
    """For each frame the number of its input, and a picture: (height, width), and grey values of 0
    to 255 as base64. A frame (D,) is one row; colours are averaged.
    """
    values = seen.frames.values
    pictures = values.reshape(len(values), 1, -1) if values.ndim == 2 else values
    if pictures.ndim == 4:
        pictures = pictures.mean(3)
    low, high = float(pictures.min()), float(pictures.max())
    grey = np.rint(255 * (pictures - low) / max(high - low, 1e-300)).astype(np.uint8)
    return [
        {
            "input": machine.inputs.index(symbol),
            "shape": list(picture.shape),
            "values": base64.b64encode(picture.tobytes()).decode("ascii"),
        }
        for picture, symbol in zip(grey, seen.inputs, strict=True)
    ]
