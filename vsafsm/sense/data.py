"""Frames from files: a folder with a sub-folder per label, a folder of frames in order, or one
``.npz``.

Every frame is an array of the same shape: (D,), (H, W) or (H, W, C). ``.npy`` files hold any real
numbers; ``.png`` files give 0 to 1.
"""

from __future__ import annotations

import math
import re
import struct
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm import npy
from vsafsm.errors import FileError, SenseError, did_you_mean
from vsafsm.files import reason

SUFFIXES = (".npy", ".png")
UNSURE = "unsure"
"""The input that a machine gets for a frame of no class; no class may have this name."""
MOST_DIMENSIONS = 3
MOST_FRAMES = 2**24
_DIGITS = re.compile(r"(\d+)")
_PNG_SIZE = struct.Struct(">16x2I")
_MOST_PIXELS = npy.MOST_BYTES // 32
"""Of a picture with four channels, as float64."""


@dataclass(frozen=True)
class Frames:
    """Frames of one shape, in order.

    Attributes
    ----------
    values : (F, ...)
        float64, finite.
    names
        What each frame is called, for messages and tables.
    labels
        The class of each frame as text; empty where they have none.

    Raises
    ------
    SenseError
        If a frame is not finite, or the parts do not fit each other.

    Examples
    --------
    >>> import numpy as np
    >>> frames = Frames(np.zeros((2, 8, 8)), ("a.npy", "b.npy"), ("0", "1"))
    >>> frames.shape, frames.classes
    ((8, 8), ('0', '1'))
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.values)
        if not 1 <= self.values.ndim - 1 <= MOST_DIMENSIONS or 0 in self.values.shape:
            raise SenseError(
                f"frames have shape {self.values.shape}; expected one or more frames of 1 to"
                f" {MOST_DIMENSIONS} dimensions"
            )
        if len(self.names) != count or len(self.labels) not in (0, count):
            raise SenseError(
                f"{len(self.names)} names and {len(self.labels)} labels for {count} frames;"
                " expected one for each"
            )
        broken = ~np.isfinite(self.values.reshape(count, -1)).all(1)
        if broken.any():
            raise SenseError(
                f"frame {self.names[int(broken.argmax())]} has values that are not finite; expected"
                " numbers"
            )
        for label in set(self.labels):
            _check_label(label)
        self.values.setflags(write=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of each frame."""
        return self.values.shape[1:]

    def check_shape(self, expected: tuple[int, ...]) -> None:
        """Raise `SenseError` where frames have another shape than those of training."""
        if self.shape != expected:
            raise SenseError(
                f"frames such as {self.names[0]} have shape {self.shape}; expected"
                f" {expected}, the one of training"
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that there are, in natural order: "2" comes before "10"."""
        return tuple(sorted(set(self.labels), key=natural))

    def taken(self, rows: NDArray[np.intp]) -> Frames:
        """Some of the frames."""
        names = tuple(self.names[i] for i in rows)
        return Frames(
            self.values[rows], names, tuple(self.labels[i] for i in rows) if self.labels else ()
        )


def natural(text: str) -> list[tuple[int, int, str]]:
    """A key that sorts numbers inside of names by size."""
    parts = _DIGITS.split(text)
    return [
        (0, int(part), part) if part.isdecimal() and part.isascii() else (1, 0, part)
        for part in parts
    ]


def load_labelled(path: str | Path) -> Frames:
    """Frames with labels: a folder that has a sub-folder of ``.npy`` or ``.png`` per label, or one
    ``.npz`` with ``frames`` and ``labels``.

    Raises
    ------
    FileError
        If it cannot be read.
    SenseError
        If shapes differ, there are fewer than two classes, values are not finite, or there are
        files of other kinds.
    """
    place = _there(path)
    found = _of_folders(place) if place.is_dir() else _of_archive(place)
    if not found.labels:
        raise SenseError(f'"{place}" has no labels; expected an array "labels" beside "frames"')
    if len(found.classes) < 2:
        raise SenseError(
            f'"{place}" has frames of one class, "{found.classes[0]}"; expected two or more'
        )
    return found


def load_sequence(path: str | Path) -> Frames:
    """Frames in order: a folder of ``.npy`` or ``.png`` in natural order of their names, or one
    ``.npz`` with ``frames``, and ``labels`` where they are known.

    Raises
    ------
    FileError, SenseError
        As `load_labelled`.
    """
    place = _there(path)
    if not place.is_dir():
        return _of_archive(place)
    inside = _listed(place)
    folders = [each for each in inside if each.is_dir()]
    if folders:
        raise SenseError(
            f'"{place}" has the sub-folder "{folders[0].name}"; expected frames in one folder, in'
            " the order of their names"
        )
    if not inside:
        raise SenseError(f'"{place}" is empty; expected {" or ".join(SUFFIXES)} files')
    return Frames(_stacked(inside), tuple(each.name for each in inside))


def load_frames(path: str | Path) -> Frames:
    """Frames, with labels where they have some: as `load_labelled` or as `load_sequence` takes
    them, and of one class as well.

    Raises
    ------
    FileError, SenseError
        As those.
    """
    place = _there(path)
    if place.is_dir() and any(each.is_dir() for each in _listed(place)):
        return _of_folders(place)
    return load_sequence(place)


def holds_frames(path: str | Path) -> bool:
    """Whether a file that is there holds frames, whole or damaged inside."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "frames.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _there(path: str | Path) -> Path:
    place = Path(path)
    try:
        there, parent = place.exists(), place.parent
        known = [each.name for each in parent.iterdir()] if not there and parent.is_dir() else []
    except OSError as error:
        raise FileError(f'cannot read "{place}": {reason(error)}') from None
    if not there:
        raise FileError(
            f'cannot read "{place}": there is no such file or folder'
            f"{did_you_mean(place.name, known)}"
        )
    return place


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=lambda each: natural(each.name))
    except OSError as error:
        raise FileError(f'cannot read "{folder}": {reason(error)}') from None


def _of_folders(place: Path) -> Frames:
    inside = _listed(place)
    stray = [each for each in inside if not each.is_dir()]
    if stray:
        raise SenseError(
            f'"{stray[0]}" stands beside the folders of labels; expected sub-folders only'
        )
    files = [(each, folder.name) for folder in inside for each in _listed(folder)]
    empty = [folder for folder in inside if folder.name not in {label for _, label in files}]
    if empty or not files:
        raise SenseError(
            f'"{empty[0] if empty else place}" has no frames; expected a sub-folder per label, with'
            f" {' or '.join(SUFFIXES)} files"
        )
    paths = [path for path, _ in files]
    names = tuple(f"{path.parent.name}/{path.name}" for path in paths)
    return Frames(_stacked(paths), names, tuple(label for _, label in files))


def _frame(path: Path) -> NDArray[np.float64]:
    if path.suffix not in SUFFIXES or not path.is_file():
        raise SenseError(f'"{path}" is no frame; expected {" or ".join(SUFFIXES)} files only')
    try:
        loaded = _png(path) if path.suffix == ".png" else npy.load(path)
    except OSError as error:
        raise FileError(f'cannot read "{path}": {reason(error)}') from None
    except (ValueError, SyntaxError) as error:
        raise SenseError(
            f'"{path}" cannot be read as a frame ({str(error).splitlines()[0]})'
        ) from None
    return _real(loaded, f'"{path}"')


def _png(path: Path) -> Any:
    try:
        from matplotlib.image import imread
    except ImportError:
        raise SenseError(
            f'"{path}" is a picture, and matplotlib, which reads it, is not installed; expected:'
            " pip install 'vsafsm[plot]', or .npy files"
        ) from None
    with path.open("rb") as file:
        head = file.read(_PNG_SIZE.size)
    is_png = head.startswith(b"\x89PNG") and len(head) == _PNG_SIZE.size
    if is_png and math.prod(_PNG_SIZE.unpack(head)) > _MOST_PIXELS:
        raise ValueError(f"more than {_MOST_PIXELS} pixels")
    return imread(path, format="png")


def _real(array: Any, what: str) -> NDArray[np.float64]:
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        kind = getattr(array, "dtype", type(array).__name__)
        raise SenseError(f"{what} holds {kind}; expected an array of real numbers")
    return np.asarray(array, np.float64)


def _stacked(paths: list[Path]) -> NDArray[np.float64]:
    arrays: list[NDArray[np.float64]] = []
    for path in paths:
        array = _frame(path)
        if arrays and array.shape != arrays[0].shape:
            raise SenseError(
                f'"{path}" has shape {array.shape}, and "{paths[0]}" has {arrays[0].shape};'
                " expected frames of one shape"
            )
        if array.nbytes * len(paths) > npy.MOST_BYTES:
            raise SenseError(
                f'{len(paths)} frames of shape {array.shape}, such as "{path}", are more than'
                f" {npy.MOST_BYTES >> 20} MiB; expected fewer or smaller ones"
            )
        arrays.append(array)
    return np.stack(arrays)


def _of_archive(place: Path) -> Frames:
    if place.suffix != ".npz":
        raise SenseError(f'"{place}" is no set of frames; expected a folder, or a .npz file')
    try:
        with zipfile.ZipFile(place) as archive:
            infos = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            _check_members(infos.keys(), place)
            members = {name: _member(archive, info) for name, info in infos.items()}
    except OSError as error:
        raise FileError(f'cannot read "{place}": {reason(error)}') from None
    except (RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise SenseError(f'"{place}" cannot be read ({str(error).splitlines()[0]})') from None
    values = _real(members["frames"], f'"frames" of "{place}"')
    if values.ndim < 2 or len(values) > MOST_FRAMES:
        raise SenseError(
            f'"frames" of "{place}" has shape {values.shape}; expected (F, ...), with at most'
            f" {MOST_FRAMES} frames F"
        )
    names = tuple(f"{place.name}[{i}]" for i in range(len(values)))
    return Frames(values, names, _labels(members.get("labels"), len(values), place))


def _check_members(names: Collection[str], place: Path) -> None:
    if "frames" not in names or set(names) - {"frames", "labels"}:
        found = ", ".join(sorted(names)[:10]) or "nothing"
        raise SenseError(f'"{place}" holds {found}; expected "frames" and "labels"')


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    # No more is unpacked than the archive says; other ways of packing than NumPy's take memory of
    # their own.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f'"{info.filename}" is packed in another way than NumPy does')
    with archive.open(info) as file:
        return npy.read(file, info.file_size)


def _labels(labels: NDArray[Any] | None, count: int, place: Path) -> tuple[str, ...]:
    if labels is None:
        return ()
    if labels.shape != (count,) or labels.dtype.kind not in "iuU":
        raise SenseError(
            f'"labels" of "{place}" has type {labels.dtype} and shape {labels.shape}; expected'
            f" ({count},), of text or whole numbers"
        )
    return tuple(str(label) for label in labels.tolist())


def _check_label(label: str) -> None:
    if not label or label != label.strip() or not label.isprintable():
        raise SenseError(f"{label!r} is no label; expected printable text without spaces around it")
    if label == UNSURE:
        raise SenseError(
            f'a class has the name "{UNSURE}", which stands for frames of no class; expected'
            " another name"
        )
