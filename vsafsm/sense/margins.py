"""What is chosen on frames: a margin below which a classifier is unsure, on frames that it was not
trained on; and examples of its inputs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import SenseError
from vsafsm.sense.data import Frames
from vsafsm.sense.model import Floats, Model, Products, lead

MOST_EXAMPLES = 128


def split(frames: Frames, share: float, rng: np.random.Generator) -> tuple[Frames, Frames]:
    """Frames to train on, and frames to choose a margin on: of every class this share, at least
    one.

    Raises
    ------
    SenseError
        If a class has fewer than two frames, or the share is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise SenseError(f"validation is {share}; expected a share between 0 and 1")
    labels, kept, held = np.array(frames.labels), [], []
    for name in frames.classes:
        rows = rng.permutation(np.flatnonzero(labels == name))
        if len(rows) < 2:
            raise SenseError(f'class "{name}" has one frame; expected two or more')
        count = min(len(rows) - 1, max(1, round(share * len(rows))))
        held.append(rows[:count])
        kept.append(rows[count:])
    return tuple(  # type: ignore[return-value]
        frames.taken(np.sort(np.concatenate(part))) for part in (kept, held)
    )


def examples_of(inputs: Floats, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Whole inputs (E, ...) to calibrate converters on: `MOST_EXAMPLES` frames at most, drawn."""
    rows = rng.permutation(len(inputs))[:MOST_EXAMPLES]
    return np.asarray(inputs[np.sort(rows)], np.uint8)


def with_margin(
    model: Model, held: Frames, most_wrong: float, products: Products | None = None
) -> Model:
    """The model with the smallest margin under which at most this share of the frames that it is
    sure of are wrong; with exact products where none are given.

    Raises
    ------
    SenseError
        If the share is below 0, or 1 and more.
    """
    if not 0 <= most_wrong < 1:
        raise SenseError(f"most_wrong is {most_wrong}; expected a share from 0 to below 1")
    bare = replace(model, margin=0)
    scores = bare.scores(held, products)
    leads, wrong = lead(scores), bare.decide(scores) != bare.truth(held)
    for margin in (0, *(int(each) + 1 for each in np.sort(leads[wrong]))):
        sure = leads >= margin
        if wrong[sure].sum() <= most_wrong * sure.sum():
            return replace(model, margin=margin)
    raise AssertionError("beyond the lead of every wrong frame none is wrong")
