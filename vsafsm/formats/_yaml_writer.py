"""A machine as a spec in YAML that reads back equal to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

import yaml
from yaml.resolver import Resolver

from vsafsm.durations import duration_text
from vsafsm.errors import NotExpressibleError
from vsafsm.formats._nodes import MAX_CHARACTERS
from vsafsm.formats.renaming import RENAME
from vsafsm.machine import TICK, Machine, Outputs, Transition

EVERY_OTHER = "*"
"""Stands for every input that a state does not list; no state or input can have this name."""
INTEGER = re.compile(r"[-+]?[0-9]{1,100}")
FLOAT = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")

_WIDTH = 100
_PLAIN = re.compile(r"\w+([ ./+|-]\w+)*")
_LONGEST_SIMPLE_KEY = 500  # YAML ends at 1024 characters
_STRING = "tag:yaml.org,2002:str"
_RESOLVE: Callable[..., str] = Resolver().resolve


def write_yaml(machine: Machine) -> str:
    """`machine` as a spec that reads back equal to it.

    Raises
    ------
    NotExpressibleError
        A state or input is called ``*``, a compile option is no finite number or text or stands
        twice, or the text would be too long to read back.
    """
    for kind, names in (("state", machine.states), ("input", machine.inputs)):
        if not all(fits_yaml(kind, name) for name in names):
            raise NotExpressibleError(
                f'the {kind} "*" cannot be written: in a spec it stands for every other input;'
                f" expected another name, or {RENAME}"
            )
    lines = [f"machine: {_text(machine.name)}", f"initial: {_text(machine.initial)}"]
    lines += _flow_list("inputs: ", machine.inputs, "")
    if machine.clock is not None:
        if machine.clock.symbol != TICK:
            raise NotExpressibleError(
                f'the clock gives the input "{machine.clock.symbol}"; expected "{TICK}"'
            )
        period = duration_text(machine.clock.seconds)
        if "/" in period:
            raise NotExpressibleError(f"the clock's period is {period}; expected a decimal number")
        lines.append(f"clock: {period}")
    lines.append("states:")
    for state, row, outputs in zip(machine.states, machine.table, machine.moore, strict=True):
        lines += _state_lines(state, _entries(state, row, machine.inputs), outputs)
    lines += _option_lines(machine.compile_options)
    text = "\n".join(lines) + "\n"
    if len(text) > MAX_CHARACTERS:
        raise NotExpressibleError(f"the spec would be longer than {MAX_CHARACTERS} characters")
    return text


def fits_yaml(kind: str, name: str) -> bool:
    """Whether a spec can hold the `name` of a state, an input or an output."""
    return kind == "output" or name != EVERY_OTHER


def _text(name: str) -> str:
    """`name`, in quotes where without them this or another reader of YAML would take it for
    something else.
    """
    is_text = _RESOLVE(yaml.ScalarNode, name, (True, False)) == _STRING and not FLOAT.fullmatch(
        name
    )
    if is_text and _PLAIN.fullmatch(name) and name.isprintable():
        return name
    return '"' + "".join(_escaped(c) for c in name) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08X}"


def _key(name: str, indent: str) -> str:
    text = _text(name)
    return f"{indent}{text}:" if len(text) < _LONGEST_SIMPLE_KEY else f"{indent}? {text}\n{indent}:"


def _flow(names: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, names))}]"


def _flow_list(head: str, names: Iterable[str], indent: str) -> list[str]:
    """``head: [a, b, ...]``, broken into lines where it is long."""
    lines, line = [], f"{indent}{head}["
    for piece in (f"{_text(name)}, " for name in names):
        if len(line) + len(piece) > _WIDTH:
            lines.append(line.rstrip())
            line = f"{indent}  "
        line += piece
    return [*lines, line.removesuffix(", ") + "]"]


def _entries(
    state: str, row: tuple[Transition, ...], inputs: tuple[str, ...]
) -> list[tuple[str, Transition]]:
    """The transitions to write down: those that do something, or with "*" where that is much
    shorter.
    """
    stay = Transition(state)
    plain = [(name, taken) for name, taken in zip(inputs, row, strict=True) if taken != stay]
    usual, times = Counter(row).most_common(1)[0]
    if usual == stay or len(plain) < 4 or len(row) - times + 1 > len(plain) / 2:
        return plain
    return [*((n, t) for n, t in zip(inputs, row, strict=True) if t != usual), (EVERY_OTHER, usual)]


def _state_lines(state: str, entries: list[tuple[str, Transition]], outputs: Outputs) -> list[str]:
    head = _key(state, "  ")
    if not entries and not outputs:
        return [f"{head} {{}}"]
    lines = [head]
    if outputs:
        lines += _flow_list("outputs: ", outputs, "    ")
    return lines + (_transition_lines(entries) if entries else [])


def _transition_lines(entries: list[tuple[str, Transition]]) -> list[str]:
    flow = ", ".join(f"{_text(name)}: {_text(taken.to)}" for name, taken in entries)
    if len(flow) <= _WIDTH - 20 and not any(taken.outputs for _, taken in entries):
        return [f"    transitions: {{{flow}}}"]
    return [
        "    transitions:",
        *(f"{_key(name, '      ')} {_target(taken)}" for name, taken in entries),
    ]


def _target(taken: Transition) -> str:
    return (
        f"{{to: {_text(taken.to)}, outputs: {_flow(taken.outputs)}}}"
        if taken.outputs
        else _text(taken.to)
    )


def _option_lines(options: tuple[tuple[str, str | int | float], ...]) -> list[str]:
    lines = [
        f"  {key}: {_text(value) if isinstance(value, str) else repr(value)}"
        for key, value in options
    ]
    return ["compile:", *lines] if lines else []
