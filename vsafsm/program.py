"""`Program`: what is compiled. Machine, network, proof, and the requirements it met, in one .npz without pickle.

The file is a plain zip of ``.npy`` arrays, stored, with fixed time stamps, so that the same program gives the same
bytes. Metadata is one JSON text; a SHA-256 over all other members guards the content. Loading checks every size before
it reads, executes nothing, and believes no proof: `Program.prove` walks again.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.codebook import Codebook
from vsafsm.errors import (
    AlteredProgramError,
    FileError,
    FutureProgramError,
    NotAProgramError,
    TruncatedProgramError,
    VsafsmError,
)
from vsafsm.files import write_atomically
from vsafsm.lowering import Code, Lowered, lower
from vsafsm.machine import Machine, Transition
from vsafsm.network import Contract, Network
from vsafsm.options import Options
from vsafsm.proof import Proof, prove
from vsafsm.sizing import Requirements
from vsafsm.weights import Grid, Parts, autoassociative, transition

FORMAT_VERSION = 1
SUFFIX = ".npz"
_MEMBERS = {"metadata": "|u1", "weights": "", "masks": "|u1", "codes": "|u1", "content_hash": "|u1"}
_MOST_BYTES = 2**31
_NPY: Any = np.lib.format
_MOST_METADATA = 2**28


@dataclass(frozen=True)
class Claim:
    """What a proof found when the program was compiled: a claim, to be checked where it matters."""

    verdict: str
    fixed_points: int
    radius: float
    margin: float

    @property
    def holds(self) -> bool:
        """Whether the proof held."""
        return self.verdict == "holds"


@dataclass(frozen=True)
class Program:
    """A compiled machine.

    Attributes
    ----------
    machine, network
        The machine, and the network that runs it.
    options
        The compile options in force, the spec's and the target's included.
    requirements, target
        What the target asked for, and its name (``"reference"`` by default).
    claim
        What the proof found.
    smallest
        Fewest neurons that proved in the search, or None where the dimension was given.
    """

    machine: Machine
    network: Network
    options: Options
    requirements: Requirements
    target: str
    claim: Claim
    smallest: int | None = None

    def prove(self, progress: Callable[[int], None] = lambda points: None) -> Proof:
        """Walk the proof again on the network as it is."""
        return prove(self.machine, self.network, progress)

    @cached_property
    def lowered(self) -> Lowered:
        """The machine as codes and moves."""
        return lower(self.machine, self.options.trigger)

    def parts(self) -> Parts:
        """The weights taken apart: symmetric autoassociative part, bound transitions, correction (float64, units)."""
        network = self.network
        book = Codebook(network.masks, network.codes)
        stored, moved = autoassociative(book), transition(self.lowered, book)
        return Parts(stored, moved, network.weights / network.scale - stored - moved)

    def grid(self) -> Grid:
        """The integers that the weights are laid over."""
        network = self.network
        folded = self.options.inhibition == "folded"
        return Grid(network.bits, network.scale, float(0.5 - network.codes.mean()), folded)

    @property
    def content_hash(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return _digest(_members(self)).hex()

    def to_bytes(self) -> bytes:
        """The file's content: the same for the same program."""
        members = _members(self)
        members["content_hash"] = np.frombuffer(_digest(members), np.uint8)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, array in members.items():
                info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
                info.create_system, info.external_attr = 3, 0o644 << 16
                archive.writestr(info, _npy(array))
        return buffer.getvalue()

    def save(self, path: str | Path) -> None:
        """Write the program, whole or not at all. Raises `FileError`."""
        write_atomically(Path(path), self.to_bytes())


def load_program(path: str | Path) -> Program:
    """Read a program.

    Raises
    ------
    FileError
        If the file cannot be read.
    NotAProgramError, TruncatedProgramError, AlteredProgramError, FutureProgramError
        If it is not an unharmed program of this or an earlier version.
    """
    name = str(path)
    try:
        with Path(path).open("rb") as file:
            members = _read_members(file, name)
    except OSError as error:
        raise FileError(f"{name}: cannot be read: {error.strerror or error}") from None
    metadata = _metadata(members["metadata"], name)
    given = members.pop("content_hash")
    if _digest(members) != given.tobytes():
        raise AlteredProgramError(f"{name}: the content does not match its hash; expected an unaltered program")
    try:
        return _program(metadata, members)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, VsafsmError) as error:
        raise AlteredProgramError(f"{name}: the parts do not make a program: {error}") from None


def is_program(path: str | Path) -> bool:
    """Whether a file begins like a program (a zip archive) or is named like one."""
    if Path(path).suffix == SUFFIX:
        return True
    try:
        with Path(path).open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


# ---- writing


def _members(program: Program) -> dict[str, NDArray[Any]]:
    network = program.network
    text = json.dumps(_described(program), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return {
        "metadata": np.frombuffer(text.encode(), np.uint8),
        "weights": network.weights,
        "masks": np.packbits(network.masks, axis=1),
        "codes": np.packbits(network.codes, axis=1),
    }


def _described(program: Program) -> dict[str, Any]:
    machine, network = program.machine, program.network
    return {
        "format": "vsafsm program",
        "version": FORMAT_VERSION,
        "machine": {
            "name": machine.name,
            "states": machine.states,
            "inputs": machine.inputs,
            "initial": machine.initial,
            "table": [[[machine.state_index(t.to), list(t.outputs)] for t in row] for row in machine.table],
            "moore": machine.moore,
            "compile": machine.compile_options,
        },
        "network": {
            "gain": network.gain,
            "scale": network.scale,
            "bits": network.bits,
            "labels": [[x.state, x.pending, list(x.outputs)] for x in network.labels],
            "start": network.start,
            "contract": asdict(network.contract),
        },
        "options": asdict(program.options),
        "requirements": asdict(program.requirements),
        "target": program.target,
        "claim": asdict(program.claim),
        "smallest": program.smallest,
    }


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    little = array.dtype.newbyteorder("<")
    _NPY.write_array(buffer, np.ascontiguousarray(array, little), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _digest(members: Mapping[str, NDArray[Any]]) -> bytes:
    digest = hashlib.sha256()
    for name in sorted(members):
        array = np.ascontiguousarray(members[name])
        digest.update(f"{name}:{array.dtype.str}:{array.shape};".encode())
        digest.update(array.tobytes())
    return digest.digest()


# ---- reading


def _read_members(file: Any, name: str) -> dict[str, NDArray[Any]]:
    if file.read(4) != b"PK\x03\x04":
        raise NotAProgramError(f"{name}: is no vsafsm program; expected a file that vsafsm compile wrote")
    try:
        with zipfile.ZipFile(file) as archive:
            infos = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if len(infos) > len(_MEMBERS) or not infos.keys() <= _MEMBERS.keys():
                raise NotAProgramError(f"{name}: is an archive of something else; expected a vsafsm program")
            missing = _MEMBERS.keys() - infos.keys()
            if missing:
                raise TruncatedProgramError(f"{name}: lacks {', '.join(sorted(missing))}")
            return {member: _read_array(archive, infos[member], name, member) for member in _MEMBERS}
    except (zipfile.BadZipFile, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise TruncatedProgramError(f"{name}: is cut off or damaged; expected a whole program") from None
    except (EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise AlteredProgramError(f"{name}: cannot be unpacked: {error}") from None


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, member: str) -> NDArray[Any]:
    stored = info.compress_type == zipfile.ZIP_STORED and info.file_size == info.compress_size
    if not stored or info.file_size > (_MOST_METADATA if member == "metadata" else _MOST_BYTES):
        raise AlteredProgramError(f"{name}: {member} is packed or larger than a program's can be")
    raw = archive.read(info)
    stream = io.BytesIO(raw)
    try:
        if _NPY.read_magic(stream) != (1, 0):
            raise ValueError("an unknown array version")
        shape, fortran, dtype = _NPY.read_array_header_1_0(stream)
    except ValueError as error:
        raise AlteredProgramError(f"{name}: {member} is no array: {error}") from None
    body = raw[stream.tell() :]
    allowed = (_MEMBERS[member],) if _MEMBERS[member] else ("|i1", "<i2")
    size = math.prod(shape) * dtype.itemsize if min(shape, default=0) >= 0 else -1
    if fortran or dtype.str not in allowed or size != len(body):
        raise AlteredProgramError(f"{name}: {member} has type {dtype.str} and shape {shape}, which do not fit it")
    return np.frombuffer(body, dtype).reshape(shape)


def _metadata(array: NDArray[Any], name: str) -> dict[str, Any]:
    try:
        found = json.loads(array.tobytes().decode())
    except (ValueError, RecursionError):
        raise AlteredProgramError(f"{name}: the metadata are no JSON") from None
    if not isinstance(found, dict) or found.get("format") != "vsafsm program":
        raise NotAProgramError(f"{name}: is no vsafsm program; expected a file that vsafsm compile wrote")
    version = found.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise AlteredProgramError(f"{name}: format version {version!r} makes no sense")
    if version > FORMAT_VERSION:
        raise FutureProgramError(
            f"{name}: written in format {version}, this vsafsm reads up to {FORMAT_VERSION}; expected an earlier one, "
            "or a newer vsafsm"
        )
    return found


def _program(metadata: dict[str, Any], members: dict[str, NDArray[Any]]) -> Program:
    described, network = metadata["machine"], metadata["network"]
    states = tuple(described["states"])
    table = tuple(tuple(Transition(states[to], tuple(outputs)) for to, outputs in row) for row in described["table"])
    moore = tuple(map(tuple, described["moore"]))
    machine = Machine(
        described["name"],
        states,
        tuple(described["inputs"]),
        described["initial"],
        table,
        moore,
        tuple((key, value) for key, value in described["compile"]),
    )
    neurons = members["weights"].shape[0]
    return Program(
        machine,
        Network(
            members["weights"].copy(),
            int(network["gain"]),
            float(network["scale"]),
            int(network["bits"]),
            _unpacked(members["masks"], neurons),
            _unpacked(members["codes"], neurons),
            tuple(Code(int(state), bool(pending), tuple(outputs)) for state, pending, outputs in network["labels"]),
            int(network["start"]),
            states,
            machine.inputs,
            moore,
            Contract(**network["contract"]),
        ),
        Options(**metadata["options"]),
        Requirements(**metadata["requirements"]),
        str(metadata["target"]),
        Claim(**metadata["claim"]),
        metadata["smallest"],
    )


def _unpacked(rows: NDArray[Any], neurons: int) -> NDArray[np.bool_]:
    if rows.ndim != 2 or rows.shape[1] != -(-neurons // 8):
        raise ValueError(f"masks or codes of shape {rows.shape} for {neurons} neurons")
    return np.unpackbits(rows, axis=1, count=neurons).astype(np.bool_)
