"""`Program`: what is compiled. Machine, network, proof, and the requirements it met, in one file of
arrays (`vsafsm.npz`).

Metadata is one JSON text. Loading executes nothing and believes no proof: `Program.prove` walks
again. Version 1 of the file, of one matrix, is still read.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass
from fractions import Fraction
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, Literal, NewType, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from vsafsm import guards, npz
from vsafsm.codebook import Codebook
from vsafsm.errors import BadNameError, FileError, ProgramError, VsafsmError
from vsafsm.files import check_path, reason, write_atomically
from vsafsm.garbage import collector_paused
from vsafsm.json_text import parse_json
from vsafsm.lowering import Code, Lowered, lower
from vsafsm.machine import Clock, Machine, Outputs, Transition, check_name
from vsafsm.network import Contract, Network
from vsafsm.options import Options
from vsafsm.proof import Proof, Verdict, prove
from vsafsm.requirements import Requirements
from vsafsm.symbolic import SymbolicMachine
from vsafsm.synapses import Synapses
from vsafsm.tolerance import Tolerated
from vsafsm.weights import Grid, Parts, autoassociative, transition

FORMAT_VERSION = 2
SUFFIX = ".npz"
_BYTES, _WEIGHTS = ("|u1",), ("|i1", "<i2")
_MEMBERS = {
    "metadata": _BYTES,
    "table": ("<i4",),
    "labels": ("<i4",),
    "blocks": _WEIGHTS,
    "starts": ("<i8",),
    "targets": ("<i4",),
    "values": _WEIGHTS,
    "masks": _BYTES,
    "opens": ("<i4",),
    "codes": _BYTES,
    "homes": ("<i4",),
    npz.HASH: _BYTES,
}
"""Members of version 2, and their types.

``table`` (S, A, 2): where each transition leads, and the index of its outputs. ``labels`` (C, 2):
the state that each code stands for, and the index of the outputs of a pending code, or -1.
``starts``, ``targets`` and ``values`` are the synapses between modules. Rows of ``masks`` and
``codes`` are packed bits; ``opens`` (A + 1, M) has the row of ``masks`` for each mask in each
module.
"""
_GUARDED = {**_MEMBERS, **guards.MEMBERS}
"""Those of a symbolic machine, whose table has the representatives alone."""
_MEMBERS_1 = {
    "metadata": _BYTES,
    "weights": _WEIGHTS,
    "masks": _BYTES,
    "codes": _BYTES,
    npz.HASH: _BYTES,
}


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
    tolerated
        What draws of noise showed when the program was compiled: a claim as well.

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
    tolerated: tuple[Tolerated, ...] = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Program):
            return NotImplemented
        return self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __repr__(self) -> str:
        network = self.network
        modules = f" in {network.modules} modules" if network.modules > 1 else ""
        return (
            f"<Program {self.machine.name}: {network.neurons} neurons{modules}, {network.active}"
            f" active, {network.bits} bits, {self.claim.verdict}>"
        )

    def _repr_html_(self) -> str:
        """A small table, for notebooks."""
        network, claim = self.network, self.claim
        modules = f" in {network.modules} modules" if network.modules > 1 else ""
        rows = {
            "machine": self.machine.name,
            "states, inputs": f"{len(self.machine.states)}, {len(self.machine.inputs)}",
            "neurons N, active k": f"{network.neurons}{modules}, {network.active}",
            "bits per weight": str(network.bits),
            "proof": claim.verdict,
            "margin (units)": f"{claim.margin:.3f}",
            "hold, gap (steps)": f"{network.contract.hold_steps}, {network.contract.gap_steps}",
            "tolerates": "; ".join(map(str, self.tolerated)) or "nothing was tried",
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
        """The weights of one matrix taken apart: symmetric autoassociative part, bound transitions,
        correction (float64, units). Raises `NetworkError` where there are several modules.
        """
        network = self.network
        book = Codebook(network.masks, network.codes)
        stored, moved = (
            autoassociative(book),
            transition(self.lowered, book, self.options.settled_rule),
        )
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
        return npz.digest(_members(self)).hex()

    def to_bytes(self) -> bytes:
        """The file's content: the same for the same program."""
        buffer = io.BytesIO()
        npz.write(_members(self), buffer)
        return buffer.getvalue()

    def save(self, path: str | Path) -> None:
        """Write the program, whole or not at all. Raises `FileError`, or `ArgumentError`."""
        check_path(path, "Program.save")
        members = _members(self)
        write_atomically(Path(path), lambda file: npz.write(members, file))


def load_program(path: str | Path) -> Program:
    """Read a program.

    Raises
    ------
    ArgumentError
        If `path` is none.
    FileError
        If the file cannot be read.
    ProgramError
        If it is not an unharmed program of this or an earlier version.

    Examples
    --------
    >>> import vsafsm
    >>> vsafsm.compile(vsafsm.load("specs/turnstile.yaml")).save("turnstile.npz")
    >>> vsafsm.load_program("turnstile.npz").machine.name
    'turnstile'
    """
    check_path(path, "vsafsm.load_program")
    name = str(path)
    try:
        with Path(path).open("rb") as file:
            members = npz.read(file, name, (_MEMBERS, _GUARDED, _MEMBERS_1))
    except (OSError, ValueError) as error:
        raise FileError(f"{name}: cannot be read: {reason(error)}") from None
    metadata = _metadata(members["metadata"], name)
    npz.check_hash(members, name)
    try:
        with collector_paused():
            if metadata["version"] == 1:
                metadata, members = _from_version_1(metadata, members)
            return _program(metadata, members)
    except (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        OverflowError,
        ZeroDivisionError,
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
            return {"metadata.npy", "codes.npy"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


# ---- writing


def _members(program: Program) -> npz.Members:
    network, machine = program.network, program.machine
    outputs = _outputs_of(program)
    text = json.dumps(
        _described(program, list(outputs)), ensure_ascii=True, sort_keys=True, separators=(",", ":")
    )
    index = {state: x for x, state in enumerate(machine.states)}
    table = [(index[taken.to], outputs[taken.outputs]) for row in machine.table for taken in row]
    labels = [
        (label.state, outputs[label.outputs] if label.pending else -1) for label in network.labels
    ]
    guarded = guards.members_of(machine, outputs) if isinstance(machine, SymbolicMachine) else {}
    return {
        "metadata": np.frombuffer(text.encode(), np.uint8),
        "table": np.array(table, np.int32).reshape(len(machine.states), -1, 2),
        "labels": np.array(labels, np.int32),
        "blocks": network.blocks,
        "starts": network.between.starts.astype(np.int64),
        "targets": network.between.targets,
        "values": network.between.values,
        "masks": np.packbits(network.masks, axis=1),
        "opens": network.opens.astype(np.int32),
        "codes": np.packbits(network.codes, axis=1),
        "homes": network.homes.astype(np.int32),
        **guarded,
    }


def _outputs_of(program: Program) -> dict[Outputs, int]:
    """The Mealy outputs of transitions and codes, each numbered by its first place."""
    found: dict[Outputs, int] = {}
    for row in program.machine.table:
        for taken in row:
            found.setdefault(taken.outputs, len(found))
    for label in program.network.labels:
        if label.pending:
            found.setdefault(label.outputs, len(found))
    return found


def _described(program: Program, outputs: list[Outputs]) -> dict[str, Any]:
    machine, network = program.machine, program.network
    clocks = () if machine.clock is None else (machine.clock,)
    return {
        "format": "vsafsm program",
        "version": FORMAT_VERSION,
        "machine": {
            "name": machine.name,
            "states": machine.states,
            "inputs": machine.inputs,
            "initial": machine.initial,
            "outputs": outputs,
            "moore": machine.moore,
            "compile": machine.compile_options,
            # Its input, and the numerator and denominator of its period in seconds.
            "clock": [[clock.symbol, *clock.seconds.as_integer_ratio()] for clock in clocks],
        },
        "network": {
            "gain": network.gain,
            "scale": network.scale,
            "bits": network.bits,
            "start": network.start,
            "contract": asdict(network.contract),
        },
        "options": asdict(program.options),
        "requirements": asdict(program.requirements),
        "target": program.target,
        "claim": asdict(program.claim),
        "smallest": program.smallest,
        "tolerated": [astuple(each) for each in program.tolerated],
    }


# ---- reading


def _metadata(array: NDArray[Any], name: str) -> dict[str, Any]:
    try:
        with collector_paused():
            found = parse_json(array.tobytes())
    except ValueError:
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
        "outputs": [[_Name]],
        "moore": [[_Name]],
        "compile": [(_Name, str | int | float)],
        "clock": [(_Name, int, int)],
    },
    "network": {
        "gain": int,
        "scale": float,
        "bits": int,
        "start": int,
        "contract": get_type_hints(Contract),
    },
    "options": get_type_hints(Options),
    "requirements": get_type_hints(Requirements),
    "target": _Name,
    "claim": get_type_hints(Claim),
    "smallest": int | None,
    "tolerated": [(_Name, int, int)],
}
"""What the metadata of version 2 hold: a dict by key, a list of one kind, a tuple as a list of that
length, or a type.
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


_TOLERANCE: dict[str, Any] = {"tolerate": "none", "confidence": "auto"}
"""Options of before programs had tolerances."""


def _with_tolerances(metadata: dict[str, Any]) -> dict[str, Any]:
    """Metadata as they are now, from files of before programs had tolerances. There the rule of
    small weights was called ``robust``.
    """
    options = metadata.get("options")
    if "tolerated" in metadata or not isinstance(options, dict):
        return metadata
    rule = "small" if options.get("rule") == "robust" else options.get("rule")
    options = {**options, "rule": rule, **_TOLERANCE}
    return {**metadata, "options": options, "tolerated": []}


def _program(metadata: dict[str, Any], members: npz.Members) -> Program:
    metadata = _with_tolerances(metadata)
    _check(metadata, _SHAPE, "metadata")
    outputs = [tuple(each) for each in metadata["machine"]["outputs"]]
    machine = _machine(metadata["machine"], members["table"], outputs)
    if guards.MEMBERS.keys() <= members.keys():
        machine = guards.with_guards(machine, members, outputs)
    program = Program(
        machine,
        _network(metadata["network"], machine, members, outputs),
        Options(**metadata["options"]),
        Requirements(**metadata["requirements"]),
        metadata["target"],
        Claim(**metadata["claim"]),
        metadata["smallest"],
        tuple(Tolerated(*each) for each in metadata["tolerated"]),
    )
    if program.options.trigger == "event":
        fit = _fit(program.network, members["table"], members["labels"], outputs)
    else:
        lowered = program.lowered
        fit = (program.network.labels, program.network.start) == (lowered.codes, lowered.start)
    if not fit or machine.states[program.network.start] != machine.initial:
        raise ValueError("the network's labels or its start are not the machine's")
    return program


def _fit(
    network: Network, table: NDArray[np.int32], labels: NDArray[np.int32], outputs: list[Outputs]
) -> bool:
    """Whether the labels are the codes that `vsafsm.lowering.lower` gives, without making them: a
    pending code for every target and outputs of a transition that leads away or puts something out,
    in the order of the table.

    In modules further pending codes may follow, of states that many transitions lead to.
    """
    states = len(network.states)
    to, put = table[..., 0].astype(np.int64), table[..., 1].astype(np.int64)
    speaks = np.array([bool(each) for each in outputs])
    pending = (to != np.arange(states)[:, None]) | speaks[put]
    kinds, first = np.unique((to * len(outputs) + put)[pending], return_index=True)
    expected = kinds[np.argsort(first)]
    found = labels[states:, 0].astype(np.int64) * len(outputs) + labels[states:, 1]
    usual, more = found[: len(expected)], found[len(expected) :]
    several = network.modules > 1 or not len(more)
    return np.array_equal(usual, expected) and several and bool(np.isin(more, expected).all())


def _machine(
    described: dict[str, Any], table: NDArray[np.int32], outputs: list[Outputs]
) -> Machine:
    states, inputs = tuple(described["states"]), tuple(described["inputs"])
    if table.shape != (len(states), len(inputs), 2):
        raise ValueError(f"a table of shape {table.shape} for these states and inputs")
    to, put = table[..., 0].astype(np.int64), table[..., 1]
    right = to.min() >= 0 and to.max() < len(states) and put.min() >= 0
    if not right or put.max() >= len(outputs):
        raise ValueError("a transition to a state or with outputs that are not there")
    # Equal transitions are one object.
    different, which = np.unique(to * len(outputs) + put, return_inverse=True)
    taken = [
        Transition(states[each // len(outputs)], outputs[each % len(outputs)])
        for each in different.tolist()
    ]
    rows = tuple(tuple([taken[i] for i in row]) for row in which.reshape(table.shape[:2]).tolist())
    moore = tuple(map(tuple, described["moore"]))
    options = tuple((key, value) for key, value in described["compile"])
    clocks = [Clock(symbol, Fraction(*period)) for symbol, *period in described["clock"]]
    return Machine(
        *(described["name"], states, inputs, described["initial"], rows, moore, options),
        clock=clocks[0] if clocks else None,
    )


def _network(
    described: dict[str, Any], machine: Machine, members: npz.Members, outputs: list[Outputs]
) -> Network:
    blocks, labels = members["blocks"], members["labels"]
    if blocks.ndim != 3 or labels.ndim != 2 or labels.shape[1] != 2:
        raise ValueError(f"blocks of shape {blocks.shape} and labels of shape {labels.shape}")
    if len(labels) and not -1 <= labels[:, 1].min() <= labels[:, 1].max() < len(outputs):
        raise ValueError("a label with outputs that are not there")
    neurons = blocks.shape[1]
    return Network(
        blocks,
        Synapses(members["starts"].astype(np.intp), members["targets"], members["values"]),
        described["gain"],
        described["scale"],
        described["bits"],
        _unpacked(members["masks"], neurons),
        members["opens"].astype(np.intp),
        _unpacked(members["codes"], neurons),
        members["homes"].astype(np.intp),
        tuple(
            Code(state, True, outputs[put]) if put >= 0 else Code(state)
            for state, put in labels.tolist()
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


# ---- version 1: one matrix, with the table and the labels among the metadata


def _shape_of_version_1() -> dict[str, Any]:
    new = ("outputs", "clock")
    machine = {key: kind for key, kind in _SHAPE["machine"].items() if key not in new}
    later = {*_NEW_OPTIONS, *_TOLERANCE}
    return {
        **{key: kind for key, kind in _SHAPE.items() if key != "tolerated"},
        "machine": {**machine, "table": [[(int, [_Name])]]},
        "network": {**_SHAPE["network"], "labels": [(int, bool, [_Name])]},
        "options": {k: v for k, v in _SHAPE["options"].items() if k not in later},
        "requirements": {
            k: v for k, v in _SHAPE["requirements"].items() if k not in _NEW_REQUIREMENTS
        },
    }


_NEW_OPTIONS: dict[str, Any] = {
    "layout": "dense",
    "module_neurons": "auto",
    "placement": "partition",
}
_NEW_REQUIREMENTS: dict[str, Any] = {"one_matrix": False}
"""What version 1 did not have, and what it stands for there."""


def _from_version_1(
    metadata: dict[str, Any], members: npz.Members
) -> tuple[dict[str, Any], npz.Members]:
    """The same program as version 2 has it."""
    _check(metadata, _shape_of_version_1(), "metadata")
    outputs: dict[Outputs, int] = {}

    def number(names: list[str]) -> int:
        return outputs.setdefault(tuple(names), len(outputs))

    machine, network = dict(metadata["machine"]), dict(metadata["network"])
    rows = machine.pop("table")
    if len({len(row) for row in rows}) > 1:
        raise ValueError("the table's rows differ in length")
    table = [[(to, number(names)) for to, names in row] for row in rows]
    labels = [
        (state, number(names) if pending else -1) for state, pending, names in network.pop("labels")
    ]
    weights = members["weights"]
    if weights.ndim != 2:
        raise ValueError(f"weights of shape {weights.shape}")
    upgraded = {
        **metadata,
        "machine": {**machine, "outputs": [list(each) for each in outputs], "clock": []},
        "network": network,
        "options": {**metadata["options"], **_NEW_OPTIONS},
        "requirements": {**metadata["requirements"], **_NEW_REQUIREMENTS},
    }
    return upgraded, {
        "table": np.array(table, np.int32).reshape(len(rows), -1, 2),
        "labels": np.array(labels, np.int32).reshape(-1, 2),
        "blocks": weights[None],
        "starts": np.zeros(len(weights) + 1, np.int64),
        "targets": np.zeros(0, np.int32),
        "values": np.zeros(0, weights.dtype),
        "masks": members["masks"],
        "opens": np.arange(len(members["masks"]), dtype=np.int32)[:, None],
        "codes": members["codes"],
        "homes": np.zeros(len(labels), np.int32),
    }
