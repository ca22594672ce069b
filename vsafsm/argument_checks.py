"""What the calls of ``vsafsm`` take, said where something else is given."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike

from vsafsm.errors import ArgumentError
from vsafsm.machine import Machine
from vsafsm.program import Program


def check_machine(value: object, call: str) -> None:
    """Raise `ArgumentError` unless `value` is a `Machine`."""
    if isinstance(value, Machine):
        return
    if isinstance(value, Program):
        remedy = "the program's machine, program.machine"
    elif isinstance(value, str | PathLike | Mapping):
        remedy = f"{call}(vsafsm.load({_quote(value)}))"
    else:
        remedy = "what vsafsm.load or vsafsm.Machine.from_dict gives"
    raise ArgumentError(f"{call} takes a Machine, and got {_kind(value)}; expected {remedy}")


def check_program(value: object, call: str) -> None:
    """Raise `ArgumentError` unless `value` is a `Program`."""
    if isinstance(value, Program):
        return
    if isinstance(value, Machine):
        remedy = f"{call}(vsafsm.compile(machine), ...)"
    elif isinstance(value, str | PathLike):
        remedy = f"{call}(vsafsm.load_program({_quote(value)}), ...)"
    else:
        remedy = "what vsafsm.compile or vsafsm.load_program gives"
    raise ArgumentError(f"{call} takes a Program, and got {_kind(value)}; expected {remedy}")


def _kind(value: object) -> str:
    return f"the text {_quote(value)}" if isinstance(value, str) else type(value).__name__


def _quote(value: object) -> str:
    if isinstance(value, Mapping):
        return "..."
    return f'"{str(value)[:60]}"'
