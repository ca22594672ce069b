"""Named arrays in one file: a plain zip of ``.npy`` members, stored, with fixed time stamps, so
that the same arrays give the same bytes.

Reading is strict: members of known names, types and dimensions only, sizes checked before anything
is allocated, no pickle. A SHA-256 over all members guards the content.
"""

from __future__ import annotations

import errno
import hashlib
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import ProgramError

Members = dict[str, NDArray[Any]]
Kinds = Mapping[str, Sequence[str]]
"""The types that each member may have, as NumPy writes them: ``"|i1"``."""
HASH = "content_hash"
_MOST_METADATA = 2**28
_NPY: Any = np.lib.format
_MAGIC = b"\x93NUMPY\x01\x00"
_START = len(_MAGIC) + 2
_SIZE = rb"(0|[1-9][0-9]{0,9})"
_SHAPED = rb"'shape': \(" + _SIZE + rb"(?:,|, " + _SIZE + rb"|, " + _SIZE + rb", " + _SIZE + rb")\)"
_HEADER = re.compile(
    rb"\{'descr': '([|<][a-z][0-9])', 'fortran_order': False, " + _SHAPED + rb", \} *\n"
)


def digest(members: Mapping[str, NDArray[Any]]) -> bytes:
    """SHA-256 of the names, types, shapes and elements of members."""
    found = hashlib.sha256()
    for name in sorted(members):
        array = np.ascontiguousarray(members[name])
        found.update(f"{name}:{array.dtype.str}:{array.shape};".encode())
        found.update(array.reshape(-1).view(np.uint8).data)
    return found.digest()


def write(members: Mapping[str, NDArray[Any]], file: IO[bytes]) -> None:
    """Write members, and their hash as one more."""
    every = {**members, HASH: np.frombuffer(digest(members), np.uint8)}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in every.items():
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o644 << 16
            little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            with archive.open(info, "w", force_zip64=array.nbytes >= 2**31 - 2**12) as member:
                _NPY.write_array(member, little, version=(1, 0), allow_pickle=False)


def read(file: IO[bytes], name: str, layouts: Sequence[Kinds]) -> Members:
    """Read the members of a file that has those of one of some layouts.

    Parameters
    ----------
    name
        What the file is called, for messages.
    layouts
        The members that there may be, the newest layout first.

    Raises
    ------
    ProgramError
        If it is no such archive.
    OSError
        If it cannot be read.
    """
    if file.read(4) != b"PK\x03\x04":
        raise ProgramError(
            f"{name}: is no vsafsm program; expected a file that vsafsm compile wrote"
        )
    most = file.seek(0, 2)
    try:
        with zipfile.ZipFile(file) as archive:
            infos = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            kinds = _layout_of(infos, len(archive.infolist()), name, layouts)
            members = {
                member: _read_array(archive, infos[member], name, member, kinds[member], most)
                for member in kinds
            }
    except (zipfile.BadZipFile, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise ProgramError(f"{name}: is cut off or damaged; expected a whole program") from None
    except (EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise ProgramError(f"{name}: cannot be unpacked: {error}") from None
    return members


def check_hash(members: Members, name: str) -> None:
    """Raise `ProgramError` where the members are not those that were hashed."""
    if digest({m: array for m, array in members.items() if m != HASH}) != members[HASH].tobytes():
        raise ProgramError(
            f"{name}: the content does not match its hash; expected an unaltered program"
        )


def _layout_of(
    infos: Mapping[str, zipfile.ZipInfo], count: int, name: str, layouts: Sequence[Kinds]
) -> Kinds:
    """The layout whose members are there: the one with the fewest missing."""
    known = [kinds for kinds in layouts if count <= len(kinds) and infos.keys() <= kinds.keys()]
    if not known:
        raise ProgramError(f"{name}: is an archive of something else; expected a vsafsm program")
    kinds = min(known, key=lambda each: len(each.keys() - infos.keys()))
    missing = kinds.keys() - infos.keys()
    if missing:
        raise ProgramError(f"{name}: lacks {', '.join(sorted(missing))}")
    return kinds


def _read_array(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    name: str,
    member: str,
    kinds: Sequence[str],
    most: int,
) -> NDArray[Any]:
    stored = info.compress_type == zipfile.ZIP_STORED and info.file_size == info.compress_size
    if not stored or info.file_size > (min(most, _MOST_METADATA) if member == "metadata" else most):
        raise ProgramError(f"{name}: {member} is packed or larger than a program's can be")
    raw = archive.read(info)
    end = _START + int.from_bytes(raw[len(_MAGIC) : _START], "little")
    header = _HEADER.fullmatch(raw[_START:end])
    if not raw.startswith(_MAGIC) or header is None:
        raise ProgramError(f"{name}: {member} is no array as vsafsm writes it")
    descr = header[1].decode()
    shape = tuple(int(size) for size in header.groups()[1:] if size is not None)
    size = math.prod(shape) * np.dtype(descr).itemsize
    if descr not in kinds or size != len(raw) - end:
        raise ProgramError(
            f"{name}: {member} has type {descr} and shape {shape}, which do not fit it"
        )
    # Without a copy: the elements stay in the bytes that were read.
    return np.frombuffer(raw, descr, offset=end).reshape(shape)
