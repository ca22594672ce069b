"""Events become held and rest phases: a machine is lowered to moves between codes under masks.

While input a is held, the network goes from the code of state x to a *pending* code of (target,
outputs), which has no transition on any input and therefore stays. When the input ends, the rest
phase takes the pending code to the target. So one event is one transition however long it is held
(``trigger="event"``). ``trigger="level"`` moves from state to state directly, and refuses a machine
that would run on while an input is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple

from vsafsm.errors import CompileError
from vsafsm.garbage import collector_paused
from vsafsm.machine import Machine, Outputs
from vsafsm.options import Trigger
from vsafsm.symbolic import SymbolicMachine

REST = 0
"""Index of the rest phase's mask; input a has mask a + 1."""


class Code(NamedTuple):
    """What a code stands for: a state at rest, or a transition under way to `state` with its Mealy
    outputs.
    """

    state: int
    pending: bool = False
    outputs: Outputs = ()


class Move(NamedTuple):
    """Under `mask`, the code `source` leads to the code `target`, which may be `source` itself."""

    source: int
    mask: int
    target: int


@dataclass(frozen=True)
class Lowered:
    """A machine as codes and moves.

    Attributes
    ----------
    codes
        The S states first, in order, then the pending codes.
    moves
        S x A: what the code of a state does while an input is held.
    releases
        For each code, the code that it leads to at rest (itself for a state).
    start
        Code of the initial state.
    guarded
        Whether the inputs are representatives of those of a symbolic machine.
    """

    codes: tuple[Code, ...]
    moves: tuple[Move, ...]
    releases: tuple[int, ...]
    start: int
    inputs: int
    guarded: bool = False

    @property
    def masks(self) -> int:
        """Number of masks: one for each input, and the rest phase's."""
        return self.inputs + 1

    @cached_property
    def targets(self) -> tuple[tuple[int, ...], ...]:
        """For each state the code that each input leads to."""
        found = [move.target for move in self.moves]
        return tuple(tuple(found[i : i + self.inputs]) for i in range(0, len(found), self.inputs))

    @cached_property
    def pending(self) -> int:
        """Number of pending codes."""
        return sum(code.pending for code in self.codes)


@collector_paused()
def lower(machine: Machine, trigger: Trigger = "event") -> Lowered:
    """Lower `machine` to codes and moves.

    Raises
    ------
    CompileError
        For ``trigger="level"``, where a held input would take a second transition; the message
        names the chain.
    CompileError
        For ``trigger="level"``, where a transition has outputs: without pending codes nothing
        stands for it.
    """
    if trigger == "level":
        _check_level(machine)
    codes = [Code(x) for x in range(len(machine.states))]
    pending: dict[tuple[int, Outputs], int] = {}
    moves = []
    index = {name: x for x, name in enumerate(machine.states)}
    for x, row in enumerate(machine.table):
        for mask, taken in enumerate(row, 1):
            y, outputs = index[taken.to], taken.outputs
            if y == x and not outputs:
                target = x
            elif trigger == "level":
                target = y
            else:
                target = pending.setdefault((y, outputs), len(codes))
                if target == len(codes):
                    codes.append(Code(y, True, outputs))
            moves.append(Move(x, mask, target))
    releases = tuple(code.state for code in codes)
    return Lowered(
        tuple(codes),
        tuple(moves),
        releases,
        machine.state_index(machine.initial),
        len(machine.inputs),
        isinstance(machine, SymbolicMachine),
    )


def _check_level(machine: Machine) -> None:
    rows = dict(zip(machine.states, machine.table, strict=True))
    for (state, row), (a, symbol) in product(rows.items(), enumerate(machine.inputs)):
        to, outputs = row[a].to, row[a].outputs
        if outputs:
            raise CompileError(
                f'trigger "level" has nothing to read transition outputs from, and "{state}" on'
                f' "{symbol}" has outputs {", ".join(outputs)}; expected outputs of states only, or'
                ' trigger "event"'
            )
        after = rows[to][a].to
        if to not in (state, after):
            chain = f'"{state}" -> "{to}" -> "{after}"'
            raise CompileError(
                f'trigger "level" would run on while "{symbol}" is held: {chain}; expected a state'
                ' that is entered on an input to stay on it, or trigger "event"'
            )
