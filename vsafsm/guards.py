"""The guards of a symbolic machine as arrays, as a program file holds them.

``guards`` (G, 4), state after state: the state, where it leads, the index of its outputs, and the
end of its cubes. ``cubes`` (C, 2, B): of each cube the bits it looks at and their values, B bytes
with the highest bit first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from vsafsm.machine import Machine, Outputs, Transition
from vsafsm.npz import Kinds, Members
from vsafsm.symbolic import Guarded, SymbolicMachine

MEMBERS: Kinds = {"guards": ("<i4",), "cubes": ("|u1",)}


def members_of(machine: SymbolicMachine, outputs: Mapping[Outputs, int]) -> Members:
    """The guards as arrays, with the numbers that outputs have there."""
    rows, cubes, size, end = [], bytearray(), _bytes(machine.width), 0
    for x, guarded in enumerate(machine.guarded):
        for each in guarded:
            end += len(each.guard)
            rows.append((x, machine.state_index(each.taken.to), outputs[each.taken.outputs], end))
            for bits in (bits for cube in each.guard for bits in cube):
                cubes += bits.to_bytes(size, "big")
    return {
        "guards": np.array(rows, np.int32),
        "cubes": np.frombuffer(bytes(cubes), np.uint8).reshape(end, 2, size),
    }


def with_guards(machine: Machine, members: Members, outputs: Sequence[Outputs]) -> SymbolicMachine:
    """The machine whose inputs are the representatives, with the guards that arrays hold.

    Raises
    ------
    ValueError
        If the arrays do not fit the machine or each other.
    SpecError, TooLargeError
        As `SymbolicMachine` does.
    """
    rows, cubes = members["guards"], members["cubes"]
    width = len(machine.inputs[0])
    if rows.ndim != 2 or rows.shape[1] != 4 or cubes.shape[1:] != (2, _bytes(width)):
        raise ValueError(f"guards of shape {rows.shape} and cubes of shape {cubes.shape}")
    states, to, put, ends = rows.T.astype(np.int64)
    steps, lengths = np.diff(states, prepend=-1), np.diff(ends, prepend=0)
    if not ((steps == 0) | (steps == 1)).all() or (lengths < 1).any():
        raise ValueError("guards out of order, or without cubes")
    if states[-1:].tolist() != [len(machine.states) - 1] or ends[-1] != len(cubes):
        raise ValueError("guards for other states, or cubes of no guard")
    there = to.max() < len(machine.states) and put.max() < len(outputs)
    if not there or min(to.min(), put.min()) < 0:
        raise ValueError("a guard to a state or with outputs that are not there")
    every = [(_number(care), _number(value)) for care, value in cubes]
    found: list[list[Guarded]] = [[] for _ in machine.states]
    start = 0
    for x, y, o, end in rows.tolist():
        taken = Transition(machine.states[y], outputs[o])
        found[x].append(Guarded(tuple(every[start:end]), taken))
        start = end
    same = {each.name: getattr(machine, each.name) for each in fields(Machine)}
    return SymbolicMachine(**same, width=width, guarded=tuple(map(tuple, found)))


def _bytes(width: int) -> int:
    return -(-width // 8)


def _number(row: NDArray[np.uint8]) -> int:
    return int.from_bytes(row.tobytes(), "big")
