"""Frames of files: what is read, and what is refused with which words."""

from __future__ import annotations

import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vsafsm import npy
from vsafsm.errors import FileError, SenseError, VsafsmError
from vsafsm.sense.data import Frames, load_frames, load_labelled, load_sequence, natural


def folder_of(place: Path, labels: tuple[str, ...] = ("2", "10")) -> Path:
    for label in labels:
        (place / label).mkdir(parents=True)
        for i in range(3):
            np.save(place / label / f"{i}.npy", np.full((4, 5), int(label) + i / 10))
    return place


def test_a_folder_gives_frames_in_natural_order(tmp_path: Path) -> None:
    found = load_labelled(folder_of(tmp_path / "frames"))
    assert found.classes == ("2", "10")
    assert found.labels == ("2",) * 3 + ("10",) * 3
    assert found.shape == (4, 5)
    assert found.values[:, 0, 0].tolist() == [2.0, 2.1, 2.2, 10.0, 10.1, 10.2]
    assert found.names[0] == "2/0.npy"


def test_an_archive_gives_the_same(tmp_path: Path) -> None:
    of_folder = load_labelled(folder_of(tmp_path / "frames"))
    path = tmp_path / "frames.npz"
    np.savez(path, frames=of_folder.values, labels=np.array(of_folder.labels).astype(int))
    found = load_labelled(path)
    assert found.labels == of_folder.labels
    assert (found.values == of_folder.values).all()


def test_pictures_are_read(tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image", reason="Matplotlib is not installed")
    (tmp_path / "seen").mkdir()
    picture = np.array([[0, 255], [51, 204]], np.uint8)
    image.imsave(tmp_path / "seen" / "a.png", np.stack([picture] * 3, -1))
    found = load_sequence(tmp_path / "seen")
    assert found.values.shape[:3] == (1, 2, 2)
    assert found.values[0, ..., 0] == pytest.approx(picture / 255)


def test_a_sequence_is_in_natural_order(tmp_path: Path) -> None:
    for name in ("f10", "f9", "f1"):
        np.save(tmp_path / f"{name}.npy", np.full(3, int(name[1:])))
    assert load_sequence(tmp_path).names == ("f1.npy", "f9.npy", "f10.npy")


def text_beside(place: Path) -> Path:
    (folder_of(place) / "notes.txt").write_text("hello")
    return place


def text_among(place: Path) -> Path:
    (folder_of(place) / "2" / "notes.txt").write_text("hello")
    return place


def other_shape(place: Path) -> Path:
    np.save(folder_of(place) / "2" / "9.npy", np.zeros((5, 4)))
    return place


def not_a_number(place: Path) -> Path:
    np.save(folder_of(place) / "2" / "9.npy", np.full((4, 5), np.nan))
    return place


def empty_class(place: Path) -> Path:
    (folder_of(place) / "3").mkdir()
    return place


def pickled(place: Path) -> Path:
    np.save(folder_of(place) / "2" / "9.npy", np.array([{}], object), allow_pickle=True)
    return place


def cut_off(place: Path) -> Path:
    path = folder_of(place) / "2" / "1.npy"
    path.write_bytes(path.read_bytes()[:60])
    return place


def complex_numbers(place: Path) -> Path:
    np.save(folder_of(place) / "2" / "9.npy", np.zeros((4, 5), complex))
    return place


def reserved(place: Path) -> Path:
    folder_of(place)
    (place / "2").rename(place / "unsure")
    return place


def one_class(place: Path) -> Path:
    return folder_of(place, ("2",))


def archive(**members: object) -> Callable[[Path], Path]:
    def write(place: Path) -> Path:
        np.savez(place.with_suffix(".npz"), **members)  # type: ignore[arg-type]
        return place.with_suffix(".npz")

    return write


def no_archive(place: Path) -> Path:
    path = place.with_suffix(".npz")
    path.write_text("hello")
    return path


def huge(place: Path) -> Path:
    """128 bytes that ask for 73 TiB."""
    path = folder_of(place) / "2" / "9.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, _header((10**13,)))
    assert path.stat().st_size == 128
    return place


def _header(shape: tuple[int, ...], descr: str = "<f8") -> dict[str, object]:
    return {"descr": descr, "fortran_order": False, "shape": shape}


def huge_inside(place: Path) -> Path:
    """An archive of a few kilobytes that asks for 3 GiB, all of them zeros."""
    path = place.with_suffix(".npz")
    shape = (3, 2**27)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive,
        archive.open("frames.npy", "w") as member,
    ):
        np.lib.format.write_array_header_1_0(member, _header(shape))
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        begin = data.rindex(signature) + at
        data[begin : begin + 4] = (0xFFFFFF00).to_bytes(4, "little")
    path.write_bytes(data)
    return path


def of_no_size(place: Path) -> Path:
    """As many frames as one likes, none of which takes a byte."""
    with zipfile.ZipFile(place.with_suffix(".npz"), "w") as archive:  # noqa: SIM117
        with archive.open("frames.npy", "w") as member:
            np.lib.format.write_array_header_1_0(member, _header((10**13, 0)))
    return place.with_suffix(".npz")


def huge_picture(place: Path) -> Path:
    path = folder_of(place) / "2" / "9.png"
    parts = [(b"IHDR", struct.pack(">2I5B", 10**5, 10**5, 8, 0, 0, 0, 0)), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return place


def packed_otherwise(place: Path) -> Path:
    path = place.with_suffix(".npz")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("frames.npy", b"")
    return path


REFUSED = {
    "text beside the folders": (text_beside, "notes.txt.*sub-folders only"),
    "text among the frames": (text_among, "notes.txt.*is no frame"),
    "shapes": (other_shape, r"9.npy.*\(5, 4\).*\(4, 5\)"),
    "nan": (not_a_number, "2/9.npy.*not finite"),
    "empty class": (empty_class, "3.*has no frames"),
    "pickle": (pickled, "9.npy.*cannot be read"),
    "huge": (huge, r"9.npy.*cannot be read.*128 bytes for shape \(10000000000000,\)"),
    "huge inside of an archive": (huge_inside, "cannot be read.*more than 2048 MiB"),
    "frames of no size": (of_no_size, "cannot be read.*no elements"),
    "huge picture": (huge_picture, "9.png.*cannot be read.*pixels"),
    "packed otherwise": (packed_otherwise, "cannot be read.*packed in another way"),
    "cut off": (cut_off, "1.npy.*cannot be read"),
    "complex": (complex_numbers, "9.npy.*complex"),
    "reserved": (reserved, "unsure.*expected another name"),
    "one class": (one_class, "one class.*two or more"),
    "other members": (archive(images=np.zeros((2, 3))), 'images.*expected "frames"'),
    "labels too few": (
        archive(frames=np.zeros((3, 2)), labels=np.arange(2)),
        r"shape \(2,\).*\(3,\)",
    ),
    "labels of other kinds": (
        archive(frames=np.zeros((2, 2)), labels=np.array([0.5, 1.5])),
        "whole numbers",
    ),
    "no labels": (archive(frames=np.zeros((2, 2))), "has no labels"),
    "no archive": (no_archive, "cannot be read"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_wrong_is_named(kind: str, tmp_path: Path) -> None:
    make, words = REFUSED[kind]
    with pytest.raises(SenseError, match=words):
        load_labelled(make(tmp_path / "frames"))


def test_what_is_not_there_is_a_file_error(tmp_path: Path) -> None:
    folder_of(tmp_path / "frames")
    with pytest.raises(FileError, match='did you mean "frames"'):
        load_labelled(tmp_path / "framse")


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=6))
def test_natural_order_is_that_of_numbers(numbers: list[int]) -> None:
    ordered = sorted((f"frame {n} of {n}" for n in numbers), key=natural)
    assert [int(name.split()[1]) for name in ordered] == sorted(numbers)


def test_frames_are_frozen() -> None:
    found = Frames(np.zeros((2, 3)), ("a", "b"))
    with pytest.raises(ValueError, match="read-only"):
        found.values[0, 0] = 1


def test_frames_of_a_folder_are_bounded_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_of(tmp_path / "frames")
    monkeypatch.setattr(npy, "MOST_BYTES", 6 * 160)
    assert len(load_labelled(tmp_path / "frames").values) == 6
    monkeypatch.setattr(npy, "MOST_BYTES", 6 * 160 - 1)
    with pytest.raises(SenseError, match=r"6 frames of shape \(4, 5\).*expected fewer"):
        load_labelled(tmp_path / "frames")


def test_frames_of_an_archive_are_bounded_in_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "many.npz", frames=np.zeros((5, 1), np.int8))
    assert len(load_sequence(tmp_path / "many.npz").values) == 5
    monkeypatch.setattr("vsafsm.sense.data.MOST_FRAMES", 4)
    with pytest.raises(SenseError, match=r"shape \(5, 1\).*at most 4 frames"):
        load_sequence(tmp_path / "many.npz")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data(), st.sampled_from(["one/1.npy", "stored.npz", "packed.npz"]))
def test_damaged_files_are_read_or_refused(tmp_path: Path, data: st.DataObject, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    frames = np.arange(24.0).reshape(4, 6)
    if path.suffix == ".npy":
        np.save(path, frames)
    else:
        (np.savez if name == "stored.npz" else np.savez_compressed)(path, frames=frames)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with warnings.catch_warnings(), suppress(VsafsmError):
        warnings.simplefilter("ignore")  # NumPy's, of headers that Python 2 might have written
        load_frames(path if path.suffix == ".npz" else path.parent)
