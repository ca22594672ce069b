"""Arrays of strangers: what is read is what NumPy reads, and what is refused is a ValueError."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vsafsm import npy

SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=5)
KINDS = st.sampled_from(["<f8", ">f4", "|u1", "<i8", "|b1", "<U3"])


def written(header: str, data: bytes = bytes(8), version: tuple[int, int] = (1, 0)) -> io.BytesIO:
    size = struct.pack("<H" if version == (1, 0) else "<I", len(header))
    return io.BytesIO(b"\x93NUMPY" + bytes(version) + size + header.encode() + data)


def of(shape: str, descr: str = "<f8") -> str:
    return f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n"


@given(KINDS.flatmap(lambda kind: arrays.arrays(kind, SHAPES)), st.booleans())
def test_arrays_are_those_that_numpy_reads(array: np.ndarray, fortran: bool) -> None:
    file = io.BytesIO()
    np.save(file, np.asfortranarray(array) if fortran else array)
    file.seek(0)
    found = npy.read(file, len(file.getvalue()))
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize(
    "header",
    [
        of("(10000000000000,)"),
        of("(4611686018427387904, 4)"),
        of("(10000000000000,)", "|V0"),
        of("(10000000000000, 0)"),
        of("(2,)"),
        of("(-1,)"),
        of("(True,)"),
        of("1"),
        of("(1,)", "|O"),
        of("(0,)"),
        "-" * 9000 + "1",
        "(" * 5000,
        "(" * 100,
        "{[]: 1}",
        "",
    ],
    ids=lambda header: header[:60].strip(),
)
def test_headers_that_do_not_fit_the_file_are_refused(header: str) -> None:
    file = written(header)
    with pytest.raises(ValueError, match=r"."):
        npy.read(file, len(file.getvalue()))


def test_versions_that_hold_other_kinds_are_refused() -> None:
    assert npy.read(written(of("(1,)"), version=(2, 0)), 1000).tolist() == [0]
    with pytest.raises(ValueError, match="header"):
        npy.read(written(of("(1,)"), version=(3, 0)), 1000)


def test_an_array_is_bounded_as_the_numbers_that_it_becomes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    np.save(tmp_path / "a.npy", np.zeros((10, 10), np.int8))
    monkeypatch.setattr(npy, "MOST_BYTES", 800)
    assert npy.load(tmp_path / "a.npy").shape == (10, 10)
    monkeypatch.setattr(npy, "MOST_BYTES", 799)
    with pytest.raises(ValueError, match=r"shape \(10, 10\) of int8 is more than"):
        npy.load(tmp_path / "a.npy")
