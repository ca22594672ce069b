"""`Program`: what is compiled. Machine, network, proof, and the requirements it met, in one .npz
without pickle.

The file is a plain zip of ``.npy`` arrays, stored, with fixed time stamps, so that the same program
gives the same bytes. Metadata is one JSON text; a SHA-256 over all other members guards the
content. Loading checks every size before it reads, executes nothing, and believes no proof:
`Program.prove` walks again.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import math
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, Literal, NewType, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from vsafsm.codebook import Codebook
from vsafsm.errors import BadNameError, FileError, ProgramError, VsafsmError
from vsafsm.files import reason, write_atomically
from vsafsm.garbage import collector_paused
from vsafsm.lowering import Code, Lowered, lower
from vsafsm.machine import Machine, Outputs, Transition, check_name
from vsafsm.network import Contract, Network
from vsafsm.options import Options
from vsafsm.proof import Proof, Verdict, prove
from vsafsm.requirements import Requirements
from vsafsm.weights import Grid, Parts, autoassociative, transition

FORMAT_VERSION = 1
SUFFIX = ".npz"
_MEMBERS = {
    "metadata": ("|u1",),
    "weights": ("|i1", "<i2"),
    "masks": ("|u1",),
    "codes": ("|u1",),
    "content_hash": ("|u1",),
}
_MOST_BYTES = 2**31
_NPY: Any = np.lib.format
_MOST_METADATA = 2**28
_MAGIC = b"\x93NUMPY\x01\x00"
_SIZE = rb"(0|[1-9][0-9]{0,9})"
_SHAPED = rb"'shape': \(" + _SIZE + rb"(?:,|, " + _SIZE + rb")\)"
_HEADER = re.compile(
    rb"\{'descr': '([|<][a-z][0-9])', 'fortran_order': False, " + _SHAPED + rb", \} *\n"
)


@dataclass(frozen=True)
class Claim:
    """What a proof found when the program was compiled: a claim, to be checked where it matters."""

    verdict: Verdict
    fixed_points: int
    radius: float
    margin: float

    @property
    def holds(self) -> bool:
        """Whether the proof held."""
        return self.verdict == "holds"


@dataclass(frozen=True, eq=False, repr=False)
class Program:
    """A compiled machine. Programs whose files have the same bytes are equal.

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

    Examples
    --------
    >>> import vsafsm
    >>> program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"), dimension=80)
    >>> program
    <Program turnstile: 80 neurons, 8 active, 8 bits, holds>
    >>> program.save("turnstile.npz")
    >>> vsafsm.load_program("turnstile.npz") == program
    True
    """

    machine: Machine
    network: Network
    options: Options
    requirements: Requirements
    target: str
    claim: Claim
    smallest: int | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Program):
            return NotImplemented
        return self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __repr__(self) -> str:
        network = self.network
        return (
            f"<Program {self.machine.name}: {network.neurons} neurons, {network.active} active,"
            f" {network.bits} bits, {self.claim.verdict}>"
        )

    def _repr_html_(self) -> str:
        """A small table, for notebooks."""
        network, claim = self.network, self.claim
        rows = {
            "machine": self.machine.name,
            "states, inputs": f"{len(self.machine.states)}, {len(self.machine.inputs)}",
            "neurons N, active k": f"{network.neurons}, {network.active}",
            "bits per weight": str(network.bits),
            "proof": claim.verdict,
            "margin (units)": f"{claim.margin:.3f}",
            "hold, gap (steps)": f"{network.contract.hold_steps}, {network.contract.gap_steps}",
            "target": self.target,
        }
        cells = "".join(
            f'<tr><th style="text-align:left">{escape(name)}</th><td>{escape(value)}</td></tr>'
            for name, value in rows.items()
        )
        return f"<table>{cells}</table>"

    def prove(self, progress: Callable[[int], None] = lambda points: None) -> Proof:
        """Walk the proof again on the network as it is."""
        return prove(self.machine, self.network, progress)

    @cached_property
    def lowered(self) -> Lowered:
        """The machine as codes and moves."""
        return lower(self.machine, self.options.trigger)

    def parts(self) -> Parts:
        """The weights taken apart: symmetric autoassociative part, bound transitions, correction
        (float64, units).
        """
        network = self.network
        book = Codebook(network.masks, network.codes)
        stored, moved = autoassociative(book), transition(self.lowered, book)
        units = np.asarray(network.weights / network.scale, np.float64)
        return Parts(stored, moved, units - stored - moved)

    def grid(self) -> Grid:
        """The integers that the weights are laid over."""
        network = self.network
        folded = self.options.inhibition == "folded"
        return Grid(network.bits, network.scale, float(0.5 - network.codes.mean()), folded)

    @cached_property
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
    ProgramError, ProgramError, ProgramError, ProgramError
        If it is not an unharmed program of this or an earlier version.

    Examples
    --------
    >>> import vsafsm
    >>> vsafsm.compile(vsafsm.load("specs/turnstile.yaml")).save("turnstile.npz")
    >>> vsafsm.load_program("turnstile.npz").machine.name
    'turnstile'
    """
    name = str(path)
    try:
        with Path(path).open("rb") as file:
            members = _read_members(file, name)
    except (OSError, ValueError) as error:
        raise FileError(f"{name}: cannot be read: {reason(error)}") from None
    metadata = _metadata(members["metadata"], name)
    digest = members.pop("content_hash")
    if _digest(members) != digest.tobytes():
        raise ProgramError(
            f"{name}: the content does not match its hash; expected an unaltered program"
        )
    try:
        with collector_paused():
            return _program(metadata, members)
    except (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        OverflowError,
        VsafsmError,
    ) as error:
        raise ProgramError(f"{name}: the parts do not make a program: {error}") from None


def is_program(path: str | Path) -> bool:
    """Whether a file begins like a program (a zip archive) or is named like one."""
    if Path(path).suffix == SUFFIX:
        return True
    try:
        if not Path(path).is_file():  # to look into a pipe would take from whoever reads it
            return False
        with Path(path).open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def holds_program(path: str | Path) -> bool:
    """Whether a file that is there holds a program, whole or damaged inside."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {"metadata.npy", "weights.npy"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
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
    index = {state: x for x, state in enumerate(machine.states)}
    return {
        "format": "vsafsm program",
        "version": FORMAT_VERSION,
        "machine": {
            "name": machine.name,
            "states": machine.states,
            "inputs": machine.inputs,
            "initial": machine.initial,
            "table": [[(index[t.to], t.outputs) for t in row] for row in machine.table],
            "moore": machine.moore,
            "compile": machine.compile_options,
        },
        "network": {
            "gain": network.gain,
            "scale": network.scale,
            "bits": network.bits,
            "labels": network.labels,
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
    _NPY.write_array(
        buffer, np.ascontiguousarray(array, little), version=(1, 0), allow_pickle=False
    )
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
        raise ProgramError(
            f"{name}: is no vsafsm program; expected a file that vsafsm compile wrote"
        )
    try:
        with zipfile.ZipFile(file) as archive:
            infos = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if len(infos) > len(_MEMBERS) or not infos.keys() <= _MEMBERS.keys():
                raise ProgramError(
                    f"{name}: is an archive of something else; expected a vsafsm program"
                )
            missing = _MEMBERS.keys() - infos.keys()
            if missing:
                raise ProgramError(f"{name}: lacks {', '.join(sorted(missing))}")
            return {
                member: _read_array(archive, infos[member], name, member) for member in _MEMBERS
            }
    except (zipfile.BadZipFile, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise ProgramError(f"{name}: is cut off or damaged; expected a whole program") from None
    except (EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise ProgramError(f"{name}: cannot be unpacked: {error}") from None


def _read_array(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, member: str
) -> NDArray[Any]:
    stored = info.compress_type == zipfile.ZIP_STORED and info.file_size == info.compress_size
    if not stored or info.file_size > (_MOST_METADATA if member == "metadata" else _MOST_BYTES):
        raise ProgramError(f"{name}: {member} is packed or larger than a program's can be")
    raw = archive.read(info)
    start = len(_MAGIC) + 2
    end = start + int.from_bytes(raw[len(_MAGIC) : start], "little")
    header = _HEADER.fullmatch(raw[start:end])
    if not raw.startswith(_MAGIC) or header is None:
        raise ProgramError(f"{name}: {member} is no array as vsafsm writes it")
    descr, body = header[1].decode(), raw[end:]
    shape = tuple(int(size) for size in header.groups()[1:] if size is not None)
    if descr not in _MEMBERS[member] or math.prod(shape) * np.dtype(descr).itemsize != len(body):
        raise ProgramError(
            f"{name}: {member} has type {descr} and shape {shape}, which do not fit it"
        )
    return np.frombuffer(body, descr).reshape(shape)


def _metadata(array: NDArray[Any], name: str) -> dict[str, Any]:
    try:
        with collector_paused():
            found = json.loads(array.tobytes().decode())
    except (ValueError, RecursionError):
        raise ProgramError(f"{name}: the metadata are no JSON") from None
    if not isinstance(found, dict) or found.get("format") != "vsafsm program":
        raise ProgramError(
            f"{name}: is no vsafsm program; expected a file that vsafsm compile wrote"
        )
    version = found.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ProgramError(
            f"{name}: the format version makes no sense; expected a whole number from 1"
        )
    if version > FORMAT_VERSION:
        raise ProgramError(
            f"{name}: written in format {version}, this vsafsm reads up to {FORMAT_VERSION};"
            " expected an earlier one, or a newer vsafsm"
        )
    return found


_Name = NewType("_Name", str)
_SHAPE: dict[str, Any] = {
    "format": str,
    "version": int,
    "machine": {
        "name": _Name,
        "states": [_Name],
        "inputs": [_Name],
        "initial": _Name,
        "table": [[(int, [_Name])]],
        "moore": [[_Name]],
        "compile": [(_Name, str | int | float)],
    },
    "network": {
        "gain": int,
        "scale": float,
        "bits": int,
        "labels": [(int, bool, [_Name])],
        "start": int,
        "contract": get_type_hints(Contract),
    },
    "options": get_type_hints(Options),
    "requirements": get_type_hints(Requirements),
    "target": _Name,
    "claim": get_type_hints(Claim),
    "smallest": int | None,
}
"""What the metadata hold: a dict by key, a list of one kind, a tuple as a list of that length, or a
type.
"""


def _is_name(found: object) -> bool:
    try:
        check_name("a", found)
    except BadNameError:
        return False
    return True


_LEAVES: dict[Any, Callable[[Any], bool]] = {
    bool: lambda found: isinstance(found, bool),
    int: lambda found: type(found) is int and found >= 0,
    float: lambda found: type(found) in (int, float) and math.isfinite(found),
    str: lambda found: isinstance(found, str),
    _Name: _is_name,
    type(None): lambda found: found is None,
}


def _check(found: Any, shape: Any, place: str) -> None:
    if not isinstance(shape, dict):
        if not _checker(shape)(found):
            raise ValueError(f"{place} is of the wrong type or out of range")
        return
    if not isinstance(found, dict) or found.keys() != shape.keys():
        raise ValueError(f"{place} does not hold what it should; expected {', '.join(shape)}")
    for key, kind in shape.items():
        _check(found[key], kind, f"{place}.{key}")


def _checker(shape: Any) -> Callable[[Any], bool]:
    """What tells whether something has a shape: made once for all items of a list."""
    if isinstance(shape, list):
        fits = _checker(shape[0])
        return lambda found: isinstance(found, list) and all(map(fits, found))
    if isinstance(shape, tuple):
        parts = tuple(map(_checker, shape))
        return lambda found: (
            isinstance(found, list)
            and len(found) == len(parts)
            and all(part(item) for part, item in zip(parts, found, strict=True))
        )
    if get_origin(shape) is Literal:
        return lambda found: found in get_args(shape)
    if kinds := get_args(shape):
        checks = tuple(map(_checker, kinds))
        return lambda found: any(check(found) for check in checks)
    return _LEAVES[shape]


def _program(metadata: dict[str, Any], members: dict[str, NDArray[Any]]) -> Program:
    _check(metadata, _SHAPE, "metadata")
    machine = _machine(metadata["machine"])
    program = Program(
        machine,
        _network(metadata["network"], machine, members),
        Options(**metadata["options"]),
        Requirements(**metadata["requirements"]),
        metadata["target"],
        Claim(**metadata["claim"]),
        metadata["smallest"],
    )
    network, lowered = program.network, program.lowered
    if (network.labels, network.start) != (lowered.codes, lowered.start):
        raise ValueError("the network's labels or its start are not the machine's")
    return program


def _machine(described: dict[str, Any]) -> Machine:
    states = tuple(described["states"])
    made: dict[tuple[int, Outputs], Transition] = {}  # equal transitions are one object

    def transition(to: int, outputs: list[str]) -> Transition:
        key = (to, tuple(outputs))
        return made.get(key) or made.setdefault(key, Transition(states[to], key[1]))

    table = tuple(tuple(transition(*taken) for taken in row) for row in described["table"])
    moore = tuple(map(tuple, described["moore"]))
    options = tuple((key, value) for key, value in described["compile"])
    return Machine(
        described["name"],
        states,
        tuple(described["inputs"]),
        described["initial"],
        table,
        moore,
        options,
    )


def _network(
    described: dict[str, Any], machine: Machine, members: dict[str, NDArray[Any]]
) -> Network:
    neurons = members["weights"].shape[0]
    return Network(
        members["weights"].copy(),
        described["gain"],
        described["scale"],
        described["bits"],
        _unpacked(members["masks"], neurons),
        _unpacked(members["codes"], neurons),
        tuple(
            Code(state, pending, tuple(outputs)) for state, pending, outputs in described["labels"]
        ),
        described["start"],
        machine.states,
        machine.inputs,
        machine.moore,
        Contract(**described["contract"]),
    )


def _unpacked(rows: NDArray[Any], neurons: int) -> NDArray[np.bool_]:
    if rows.ndim != 2 or rows.shape[1] != -(-neurons // 8):
        raise ValueError(f"masks or codes of shape {rows.shape} for {neurons} neurons")
    return np.unpackbits(rows, axis=1, count=neurons).astype(np.bool_)
