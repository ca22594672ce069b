"""What the calls of ``vsafsm`` take, said where something else is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def check_callable(value: object, call: str, name: str) -> None:
    """Raise `ArgumentError` unless `value` can be called."""
    if not callable(value):
        raise ArgumentError(f"{call}: {name} is {value!r}; expected a function")


def check_mapping(value: object, call: str, name: str) -> None:
    """Raise `ArgumentError` unless `value` is a mapping from names, or None."""
    if value is None or (isinstance(value, Mapping) and all(isinstance(key, str) for key in value)):
        return
    raise ArgumentError(f"{call}: {name} is {value!r}; expected a mapping from names to values")


def checked_word(value: Iterable[str], call: str) -> tuple[str, ...]:
    """The inputs of a word; raises `ArgumentError` where they are no texts."""
    symbols = tuple(value) if isinstance(value, Iterable) else None
    if symbols is None or not all(isinstance(symbol, str) for symbol in symbols):
        shown = repr(value if symbols is None else [*symbols[:8]])
        raise ArgumentError(f"{call} takes a word, and got {shown}; expected a list of inputs")
    return symbols


def _kind(value: object) -> str:
    return f"the text {_quote(value)}" if isinstance(value, str) else type(value).__name__


def _quote(value: object) -> str:
    if isinstance(value, Mapping):
        return "..."
    return f'"{str(value)[:60]}"'
