"""The spec format: a machine as YAML (``docs`` and ``schema.json`` describe it to people and
editors).

Names are text exactly as written: ``on``, ``no``, ``1`` and ``null`` are names like any other.
`write` and `read` are inverse: a machine read back is equal to the one written.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import yaml
from yaml.resolver import Resolver

from vsafsm.errors import (
    BadNameError,
    Location,
    NondeterministicError,
    NotExpressibleError,
    OptionError,
    SpecError,
    SyntaxSpecError,
    TooLargeError,
    UnknownInputError,
    UnknownStateError,
    did_you_mean,
)
from vsafsm.formats import MAX_TRANSITIONS, Format, Reading, unreachable_warnings
from vsafsm.formats._nodes import MAX_CHARACTERS, Items, Mapping, Node, Scalar, parse
from vsafsm.machine import Machine, Outputs, Transition, check_name, listed
from vsafsm.options import OPTION_NAMES, check_option

EVERY_OTHER = "*"
"""Stands for every input that a state does not list; no state or input can have this name."""
_TOP_KEYS = ("machine", "initial", "inputs", "states", "unlisted", "compile")
_STATE_KEYS = ("outputs", "transitions")
_TRANSITION_KEYS = ("to", "outputs")
_INTEGER = re.compile(r"[-+]?[0-9]{1,100}")
_FLOAT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")

Option = str | int | float


# ---- reading


@dataclass(frozen=True)
class _Arrow:
    to: Scalar
    outputs: Outputs


@dataclass(frozen=True)
class _State:
    name: Scalar
    outputs: Outputs
    arrows: dict[str, tuple[Scalar, _Arrow]]
    every_other: _Arrow | None


def read_yaml(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors.

    Raises
    ------
    SpecError
        One of its subclasses, with the place and what was expected there.
    """
    root = parse(text, source)
    if root is None:
        raise SyntaxSpecError("the spec is empty; expected a machine with states", Location(source))
    top = _fields(root, "a spec", _TOP_KEYS, ("machine", "initial", "states"))
    name = _name(top["machine"], "machine")
    states = _states(top["states"])
    inputs = _inputs(top.get("inputs"), states, root.location)
    if len(states) * len(inputs) > MAX_TRANSITIONS:
        raise TooLargeError(
            f"the machine has more than {MAX_TRANSITIONS} transitions", root.location
        )
    initial = _known_state(_scalar(top["initial"], "initial", "the name of a state"), states)
    _check_targets(states)
    if _unlisted(top.get("unlisted")) == "error":
        _refuse_unlisted(states, inputs)
    machine = Machine(
        name=name,
        states=tuple(states),
        inputs=inputs,
        initial=initial,
        table=tuple(_row(s, inputs) for s in states.values()),
        moore=tuple(s.outputs for s in states.values()),
        compile_options=_compile_options(top.get("compile")),
    )
    return Reading(machine, tuple(unreachable_warnings(machine, lambda s: states[s].name.location)))


def _pairs(node: Node, what: str, keys: str) -> tuple[tuple[Scalar, Node], ...]:
    if isinstance(node, Mapping):
        return node.pairs
    raise SyntaxSpecError(f"{what} is {_kind(node)}; expected a mapping with {keys}", node.location)


def _distinct(
    pairs: Iterable[tuple[Scalar, Node]], told: Callable[[str, int], SpecError]
) -> Iterator[tuple[Scalar, Node]]:
    """The pairs; `told` makes the error for a key that stands twice, from its text and the first
    one's line.
    """
    lines: dict[str, int] = {}
    for key, value in pairs:
        if key.text in lines:
            error = told(key.text, lines[key.text])
            raise type(error)(error.message, key.location)
        lines[key.text] = key.location.line
        yield key, value


def _fields(
    node: Node, what: str, known: tuple[str, ...], needed: tuple[str, ...] = ()
) -> dict[str, Node]:
    pairs = _pairs(node, what, f"the keys {', '.join(known)}")
    fields = {}
    for key, value in _distinct(
        pairs, lambda k, n: SyntaxSpecError(f'key "{k}" stands twice (first in line {n})')
    ):
        if key.text not in known:
            hint = did_you_mean(key.text, known)
            raise SyntaxSpecError(
                f'unknown key "{key.text[:80]}" in {what}; expected {listed(known)}{hint}',
                key.location,
            )
        fields[key.text] = value
    for name in needed:
        if name not in fields:
            raise SyntaxSpecError(f'{what} has no key "{name}"; expected it here', node.location)
    return fields


def _kind(node: Node) -> str:
    if isinstance(node, Scalar):
        return "empty" if node.nothing else f'the text "{node.text[:40]}"'
    return "a list" if isinstance(node, Items) else "a mapping"


def _scalar(node: Node, what: str, expected: str) -> Scalar:
    if isinstance(node, Scalar) and not node.nothing:
        return node
    raise SyntaxSpecError(f"{what} is {_kind(node)}; expected {expected}", node.location)


def _name(node: Node, kind: str) -> str:
    scalar = _scalar(node, kind, f"the name of {'an' if kind[0] in 'aeiou' else 'a'} {kind}")
    try:
        check_name(kind, scalar.text)
    except BadNameError as error:
        raise BadNameError(error.message, scalar.location) from None
    if scalar.text == EVERY_OTHER and kind in ("state", "input"):
        raise BadNameError(
            f'"*" cannot be the name of a {kind}: it stands for every other input', scalar.location
        )
    return scalar.text


def _names(node: Node, kind: str) -> Iterator[tuple[str, Location]]:
    if not isinstance(node, Items):
        raise SyntaxSpecError(
            f"{kind}s is {_kind(node)}; expected a list of names, for example [first, second]",
            node.location,
        )
    return ((_name(item, kind), item.location) for item in node.items)


def _outputs(node: Node | None) -> Outputs:
    return () if node is None else tuple(name for name, _ in _names(node, "output"))


def _states(node: Node) -> dict[str, _State]:
    pairs = _pairs(node, "states", "a key for each state")
    if not pairs:
        raise SyntaxSpecError("states is empty; expected at least one state", node.location)
    told = "is declared twice (first in line"
    distinct = _distinct(pairs, lambda k, n: BadNameError(f'state "{k}" {told} {n})'))
    return {_name(key, "state"): _state(key, value) for key, value in distinct}


def _state(name: Scalar, node: Node) -> _State:
    if isinstance(node, Scalar) and node.nothing:
        return _State(name, (), {}, None)
    fields = _fields(node, f'state "{name.text}"', _STATE_KEYS)
    arrows, every_other = _arrows(name.text, fields.get("transitions"))
    return _State(name, _outputs(fields.get("outputs")), arrows, every_other)


def _arrows(
    state: str, node: Node | None
) -> tuple[dict[str, tuple[Scalar, _Arrow]], _Arrow | None]:
    if node is None or (isinstance(node, Scalar) and node.nothing):
        return {}, None
    pairs = _pairs(node, f'transitions of state "{state}"', "a key for each input")
    told = f'state "{state}" has a second transition on input'
    distinct = _distinct(
        pairs, lambda k, n: NondeterministicError(f'{told} "{k}"; the first is in line {n}')
    )
    arrows, every_other = {}, None
    for key, value in distinct:
        arrow = _arrow(f'the transition of state "{state}" on "{key.text[:80]}"', value)
        if key.text == EVERY_OTHER:
            every_other = arrow
        else:
            arrows[_name(key, "input")] = (key, arrow)
    return arrows, every_other


def _arrow(what: str, node: Node) -> _Arrow:
    if not isinstance(node, Mapping):
        return _Arrow(_scalar(node, what, "the name of a state, or {to: ..., outputs: [...]}"), ())
    fields = _fields(node, what, _TRANSITION_KEYS, ("to",))
    return _Arrow(
        _scalar(fields["to"], f"to in {what}", "the name of a state"),
        _outputs(fields.get("outputs")),
    )


def _inputs(node: Node | None, states: dict[str, _State], place: Location) -> tuple[str, ...]:
    if node is None:
        found = tuple(dict.fromkeys(name for s in states.values() for name in s.arrows))
        if not found:
            raise SpecError(
                "no state lists an input and there is no key inputs; expected at least one", place
            )
        return found
    declared: dict[str, Location] = {}
    for name, location in _names(node, "input"):
        if name in declared:
            raise BadNameError(f'input "{name}" is declared twice', location)
        declared[name] = location
    if not declared:
        raise SpecError("inputs is empty; expected at least one input", node.location)
    for state in states.values():
        for name, (key, _) in state.arrows.items():
            if name not in declared:
                told = (
                    f'state "{state.name.text}" has a transition on input "{name}", which inputs'
                    " does not declare"
                )
                hint = did_you_mean(name, declared)
                raise UnknownInputError(
                    f"{told}; expected {listed(list(declared))}{hint}", key.location
                )
    return tuple(declared)


def _known_state(name: Scalar, states: dict[str, _State]) -> str:
    if name.text not in states:
        hint = did_you_mean(name.text, states)
        raise UnknownStateError(
            f'unknown state "{name.text[:80]}"; expected {listed(list(states))}{hint}',
            name.location,
        )
    return name.text


def _check_targets(states: dict[str, _State]) -> None:
    for state in states.values():
        for _, arrow in state.arrows.values():
            _known_state(arrow.to, states)
        if state.every_other:
            _known_state(state.every_other.to, states)


def _unlisted(node: Node | None) -> str:
    if node is None:
        return "stay"
    scalar = _scalar(node, "unlisted", "stay or error")
    if scalar.text not in ("stay", "error"):
        hint = did_you_mean(scalar.text, ("stay", "error"))
        raise SyntaxSpecError(
            f"unlisted is {_kind(scalar)}; expected one of: stay, error{hint}", scalar.location
        )
    return scalar.text


def _refuse_unlisted(states: dict[str, _State], inputs: tuple[str, ...]) -> None:
    for state in states.values():
        missing = next((a for a in inputs if a not in state.arrows), None)
        if missing is not None and state.every_other is None:
            raise SpecError(
                f'state "{state.name.text}" lists no transition on input "{missing}", and the spec'
                ' says unlisted: error; expected one, or "*" for every other input',
                state.name.location,
            )


def _row(state: _State, inputs: tuple[str, ...]) -> tuple[Transition, ...]:
    other = state.every_other
    default = Transition(other.to.text, other.outputs) if other else Transition(state.name.text)
    row = {
        name: Transition(arrow.to.text, arrow.outputs) for name, (_, arrow) in state.arrows.items()
    }
    return tuple(row.get(name, default) for name in inputs)


def _compile_options(node: Node | None) -> tuple[tuple[str, Option], ...]:
    if node is None or (isinstance(node, Scalar) and node.nothing):
        return ()
    pairs = _pairs(node, "compile", "a key for each option")
    told = "stands twice (first in line"
    distinct = _distinct(pairs, lambda k, n: SyntaxSpecError(f'compile option "{k}" {told} {n})'))
    return tuple((key.text, _option(key, value)) for key, value in distinct)


def _option(key: Scalar, node: Node) -> Option:
    scalar = _scalar(node, f'compile option "{key.text[:80]}"', "a number or a text")
    value = _option_value(scalar)
    try:
        check_option(key.text, value)
    except OptionError as error:
        raise OptionError(
            error.message, scalar.location if key.text in OPTION_NAMES else key.location
        ) from None
    return value


def _option_value(value: Scalar) -> Option:
    if value.plain and _INTEGER.fullmatch(value.text):
        return int(value.text)
    if value.plain and _FLOAT.fullmatch(value.text) and math.isfinite(float(value.text)):
        return float(value.text)
    return value.text


# ---- writing

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
        if EVERY_OTHER in names:
            raise NotExpressibleError(
                f'a {kind} is called "*", which in a spec stands for every other input'
            )
    lines = [f"machine: {_text(machine.name)}", f"initial: {_text(machine.initial)}"]
    lines += _flow_list("inputs: ", machine.inputs, "")
    lines.append("states:")
    for state, row, outputs in zip(machine.states, machine.table, machine.moore, strict=True):
        lines += _state_lines(state, _entries(state, row, machine.inputs), outputs)
    lines += _option_lines(machine.compile_options)
    text = "\n".join(lines) + "\n"
    if len(text) > MAX_CHARACTERS:
        raise NotExpressibleError(f"the spec would be longer than {MAX_CHARACTERS} characters")
    return text


def _text(name: str) -> str:
    """`name`, in quotes where without them this or another reader of YAML would take it for
    something else.
    """
    is_text = _RESOLVE(yaml.ScalarNode, name, (True, False)) == _STRING and not _FLOAT.fullmatch(
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


def _option_lines(options: tuple[tuple[str, Option], ...]) -> list[str]:
    lines = [
        f"  {key}: {_text(value) if isinstance(value, str) else repr(value)}"
        for key, value in options
    ]
    return ["compile:", *lines] if lines else []


FORMAT = Format("yaml", (".yaml", ".yml"), read_yaml, write_yaml, "vsafsm spec (YAML)")
