"""A machine as KISS2, alone or inside BLIF: every (state, input) pair is a row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from vsafsm.cubes import cube_text, parse_cube, split
from vsafsm.errors import NotExpressibleError, TooLargeError
from vsafsm.formats._kiss2_file import MAX_BITS
from vsafsm.formats.renaming import RENAME, names_of
from vsafsm.machine import Machine, Outputs, Transition
from vsafsm.symbolic import SymbolicMachine

ANY_STATE = ("*", "ANY", "-")
"""Names that are no state: as the present one every state, as the next one unspecified."""


@dataclass(frozen=True)
class _Written:
    comments: list[str]
    head: list[str]
    outputs: Outputs
    rows: list[str]


def write_kiss2(machine: Machine) -> str:
    """`machine` as KISS2.

    Guards are written as their cubes, and so are inputs that are named as `read_kiss2` names its
    classes. Other inputs are numbered in binary, which a comment explains. KISS2 knows Mealy
    outputs only: a state's Moore outputs are written on every transition into it, and the initial
    state's before the first input are lost; a comment says so.

    Raises
    ------
    NotExpressibleError
        A state or an output has a name that KISS2 cannot hold.
    """
    written = _written(machine)
    label = [f".ob {' '.join(written.outputs)}"] if written.outputs else []
    return "\n".join([*written.comments, *written.head, *label, *written.rows, ".e", ""])


def write_blif(machine: Machine) -> str:
    """`machine` as the state table of a BLIF model; otherwise as `write_kiss2`.

    Raises
    ------
    NotExpressibleError
        A state or an output has a name that KISS2 cannot hold.
    """
    written = _written(machine)
    width = len(written.rows[0].split()[0])
    name = re.sub(r"[\s#\\]", "_", machine.name)
    lines = [
        f".model {name}",
        f".inputs {' '.join(f'i{n}' for n in range(width))}",
        f".outputs {' '.join(written.outputs or ('o0',))}",
        ".start_kiss",
    ]
    end = [".end_kiss", ".end", ""]
    return "\n".join([*written.comments, *lines, *written.head, *written.rows, *end])


def _written(machine: Machine) -> _Written:
    _check_names(machine)
    moore = dict(zip(machine.states, machine.moore, strict=True))
    rows = [
        (state, cubes_of, taken.to, frozenset(taken.outputs + moore[taken.to]))
        for state, cubes_of, taken in _cases(machine)
    ]
    names = _ordered({t.outputs + moore[t.to]: None for row in machine.table for t in row})
    bits = {
        outputs: "".join("01"[n in outputs] for n in names) or "0"
        for outputs in {row[3] for row in rows}
    }
    lines = [
        f"{cube} {state} {to} {bits[outputs]}"
        for state, cubes, to, outputs in rows
        for cube in cubes
    ]
    return _Written(list(_comments(machine)), _head(machine, names, lines), names, lines)


def _cases(machine: Machine) -> Iterator[tuple[str, list[str], Transition]]:
    """Every state with cubes to write and what it does on their vectors."""
    if isinstance(machine, SymbolicMachine):
        for state, guarded in zip(machine.states, machine.guarded, strict=True):
            for each in guarded:
                yield state, [cube_text(c, machine.width, "-") for c in each.guard], each.taken
        return
    input_cubes = _input_cubes(machine)
    for state, row in zip(machine.states, machine.table, strict=True):
        for cubes_of, taken in zip(input_cubes, row, strict=True):
            yield state, cubes_of, taken


def _ordered(groups: Iterable[Outputs]) -> Outputs:
    """All outputs once, so that each group keeps its order where they do not disagree on it."""
    names = {name: None for group in groups for name in group}
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(names, ()))
    for group in groups:
        for before, after in pairwise(group):
            sorter.add(after, before)
    try:
        return tuple(sorter.static_order())
    except CycleError:
        return tuple(names)


def _head(machine: Machine, names: Outputs, rows: list[str]) -> list[str]:
    return [
        f".i {len(rows[0].split()[0])}",
        f".o {max(1, len(names))}",
        f".p {len(rows)}",
        f".s {len(machine.states)}",
        f".r {machine.initial}",
    ]


def _check_names(machine: Machine) -> None:
    for kind, names in names_of(machine).items():
        for name in names:
            if not fits_kiss2(kind, name):
                told = 'it holds a space or a "#", or ends in a backslash'
                if kind == "state" and name in ANY_STATE:
                    told = "there it stands for every or no state"
                raise NotExpressibleError(
                    f'the {kind} "{name[:80]}" cannot be written as KISS2: {told}; expected another'
                    f" name, or {RENAME}"
                )


def fits_kiss2(kind: str, name: str) -> bool:
    """Whether KISS2 can hold the `name` of a state or an output; inputs are written as cubes."""
    if kind == "input":
        return True
    if "#" in name or name.endswith("\\") or any(c.isspace() for c in name):
        return False
    return kind != "state" or name not in ANY_STATE


def _input_cubes(machine: Machine) -> list[list[str]]:
    """For each input the cubes to write."""
    cubes = [name.split("|") for name in machine.inputs]
    if _are_disjoint_cubes([cube for several in cubes for cube in several]):
        return [[cube.replace("x", "-") for cube in several] for several in cubes]
    width = max(1, (len(machine.inputs) - 1).bit_length())
    return [[f"{number:0{width}b}"] for number in range(len(machine.inputs))]


def _are_disjoint_cubes(words: list[str]) -> bool:
    width = len(words[0])
    if width > MAX_BITS or any(len(w) != width or not re.fullmatch("[01x]+", w) for w in words):
        return False
    if len(set(words)) < len(words):
        return False
    try:
        return all(len(c.members) == 1 for c in split([parse_cube(w) for w in words], width))
    except TooLargeError:
        return False


def _comments(machine: Machine) -> Iterable[str]:
    yield f"# machine {machine.name}"
    symbolic = isinstance(machine, SymbolicMachine)
    named = [] if symbolic else zip(machine.inputs, _input_cubes(machine), strict=True)
    for name, several in named:
        if [cube.replace("-", "x") for cube in several] != name.split("|"):
            yield f"# input {several[0]} is {name}"
    if any(machine.moore):
        yield (
            "# Moore outputs became Mealy outputs: each transition carries those of the state it"
            " enters."
        )
        first = machine.outputs_of(machine.initial)
        if first:
            yield (
                f"# Before the first input, state {machine.initial} has the outputs:"
                f" {', '.join(first)}"
            )
    # The reader gives a machine with guards its layout back.
    if set(machine.compile_options) - ({("layout", "dense")} if symbolic else set()):
        yield "# Compile options of the machine are not part of KISS2 and are left out."
