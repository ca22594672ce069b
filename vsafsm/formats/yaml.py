"""The spec format: a machine as YAML (``docs`` and ``schema.json`` describe it to people and
editors).

Names are text exactly as written: ``on``, ``no``, ``1`` and ``null`` are names like any other.
`write` and `read` are inverse: a machine read back is equal to the one written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as AnyMapping
from typing import NamedTuple

from vsafsm.errors import (
    BadNameError,
    Location,
    NondeterministicError,
    OptionError,
    SpecError,
    SyntaxSpecError,
    TooLargeError,
    UnknownInputError,
    UnknownStateError,
    did_you_mean,
)
from vsafsm.formats import MAX_TRANSITIONS, Format, Reading, summarised, unreachable_warnings
from vsafsm.formats._mappings import node_of
from vsafsm.formats._nodes import Items, Mapping, Node, Scalar, parse
from vsafsm.formats._slips import space_is_missing
from vsafsm.formats._yaml_writer import EVERY_OTHER, FLOAT, INTEGER, fits_yaml, write_yaml
from vsafsm.machine import Machine, Outputs, Transition, check_name, listed
from vsafsm.options import OPTION_NAMES, check_option

_TOP_KEYS = ("machine", "initial", "inputs", "states", "unlisted", "compile")
_STATE_KEYS = ("outputs", "transitions")
_TRANSITION_KEYS = ("to", "outputs")
_MAPPINGS = ("states", "transitions", "compile")
_CONDITION = ("a condition", "give each case an input of its own")
_TIME = ("a time", "let a timer give an input")
_NOT_YET = {
    **dict.fromkeys(("if", "when", "guard"), _CONDITION),
    **dict.fromkeys(("after", "timeout", "delay"), _TIME),
}

Option = str | int | float


class _Arrow(NamedTuple):
    key: Scalar
    to: Scalar
    outputs: Outputs


class _StateEntry(NamedTuple):
    name: Scalar
    outputs: Outputs
    arrows: dict[str, _Arrow]
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
    return _reading(root)


def read_mapping(spec: AnyMapping[str, object]) -> Reading:
    """Read a machine from a mapping of the shape that a spec has, such as a parsed one.

    Raises
    ------
    SpecError
        One of its subclasses, with the keys that lead to the place.
    """
    if "states" not in spec:
        raise SyntaxSpecError(
            f"a mapping {_with_keys(spec)} is no spec; expected the keys machine, initial and"
            " states, or vsafsm.Machine.from_dict for a mapping with transitions"
        )
    return _reading(node_of(spec))


def _with_keys(mapping: AnyMapping[str, object]) -> str:
    keys = [str(key)[:40] for key in mapping]
    return f"with the keys {', '.join(keys[:8])}" if keys else "without keys"


def _reading(root: Node) -> Reading:
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
        table=_table(states, inputs),
        moore=tuple(s.outputs for s in states.values()),
        compile_options=_compile_options(top.get("compile")),
    )
    unused = _unused_inputs(top.get("inputs"), states)
    unreachable = unreachable_warnings(machine, lambda s: states[s].name.location)
    return Reading(machine, (*unused, *unreachable))


def _pairs(node: Node, what: str, keys: str) -> tuple[tuple[Scalar, Node], ...]:
    if isinstance(node, Mapping):
        return node.pairs
    if isinstance(node, Scalar) and node.plain:
        _check_space(node)
    remedy = ""
    if isinstance(node, Items):
        remedy = ', "key: value" without "-" and brackets'
    elif isinstance(node, Scalar) and not node.nothing:
        remedy = "; is a colon missing?"
    raise SyntaxSpecError(
        f"{what} is {_kind(node)}; expected a mapping with {keys}{remedy}", node.location
    )


def _check_space(scalar: Scalar) -> None:
    """Refuse ``key:value`` where it can only be a key and a value."""
    key, colon, value = scalar.text.partition(":")
    if scalar.plain and colon and value.strip() == value != "":
        place = scalar.location
        raise SyntaxSpecError(
            space_is_missing(scalar.text, key, value.split()[0]),
            Location(place.source, place.line, place.column + len(key)),
        )


def _distinct(
    pairs: Iterable[tuple[Scalar, Node]], duplicate: Callable[[str, int], SpecError]
) -> Iterator[tuple[Scalar, Node]]:
    """The pairs; `told` makes the error for a key that stands twice, from its text and the first
    one's line.
    """
    lines: dict[str, int] = {}
    for key, value in pairs:
        if key.text in lines:
            error = duplicate(key.text, lines[key.text])
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
            raise _unknown_key(key, what, known)
        if isinstance(value, Scalar) and key.text not in _MAPPINGS:
            _check_one_line(value)
        fields[key.text] = value
    for name in needed:
        if name not in fields:
            raise SyntaxSpecError(f'{what} has no key "{name}"; expected it here', node.location)
    return fields


def _unknown_key(key: Scalar, what: str, known: tuple[str, ...]) -> SyntaxSpecError:
    if key.text.partition(":")[0] in known:
        _check_space(key)
    first = key.text.split()[0] if key.text.split() else ""
    if key.plain and first in known:
        return SyntaxSpecError(
            f'a colon is missing after "{first}" in "{key.text[:60]}"; expected "{first}: ..."',
            key.location,
        )
    problem = f'unknown key "{key.text[:80]}" in {what}'
    hint = did_you_mean(key.text, known)
    if key.text in _NOT_YET:
        kind, remedy = _NOT_YET[key.text]
        problem, hint = f'"{key.text}" ({kind}) in {what} is not supported yet', f"; {remedy}"
    elif known == _STATE_KEYS and not hint:
        hint = '; inputs stand under "transitions"'
    elif known == _TOP_KEYS and not hint:
        hint = '; states stand under "states", indented'
    return SyntaxSpecError(f"{problem}; expected {listed(known)}{hint}", key.location)


def _kind(node: Node) -> str:
    if isinstance(node, Scalar):
        return "empty" if node.nothing else f'the text "{node.text[:40]}"'
    return "a list" if isinstance(node, Items) else "a mapping"


def _scalar(node: Node, what: str, expected: str) -> Scalar:
    if isinstance(node, Scalar) and not node.nothing:
        _check_one_line(node)
        return node
    raise SyntaxSpecError(f"{what} is {_kind(node)}; expected {expected}", node.location)


def _check_one_line(scalar: Scalar) -> None:
    """Refuse a text without quotes that goes on in the next line."""
    if scalar.plain and scalar.lines > 1:
        place = scalar.location
        raise SyntaxSpecError(
            f"this line has no colon and continues the text of line {place.line}; expected"
            ' "key: value", or the text in quotes',
            Location(place.source, place.line + 1),
        )


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
    found: dict[str, None] = {}
    for name, location in () if node is None else _names(node, "output"):
        if name in found:
            raise BadNameError(
                f'output "{name}" stands twice in one list; expected it once', location
            )
        found[name] = None
    return tuple(found)


def _states(node: Node) -> dict[str, _StateEntry]:
    pairs = _pairs(node, "states", "a key for each state")
    if not pairs:
        raise SyntaxSpecError("states is empty; expected at least one state", node.location)
    problem = "is declared twice (first in line"
    distinct = _distinct(pairs, lambda k, n: BadNameError(f'state "{k}" {problem} {n})'))
    return {_name(key, "state"): _state(key, value) for key, value in distinct}


def _state(name: Scalar, node: Node) -> _StateEntry:
    if isinstance(node, Scalar) and node.nothing:
        return _StateEntry(name, (), {}, None)
    fields = _fields(node, f'state "{name.text}"', _STATE_KEYS)
    arrows, every_other = _arrows(name.text, fields.get("transitions"))
    return _StateEntry(name, _outputs(fields.get("outputs")), arrows, every_other)


def _arrows(state: str, node: Node | None) -> tuple[dict[str, _Arrow], _Arrow | None]:
    if node is None or (isinstance(node, Scalar) and node.nothing):
        return {}, None
    pairs = _pairs(node, f'transitions of state "{state}"', "a key for each input")
    problem = f'state "{state}" has a second transition on input'
    distinct = _distinct(
        pairs, lambda k, n: NondeterministicError(f'{problem} "{k}"; the first is in line {n}')
    )
    arrows, every_other = {}, None
    for key, value in distinct:
        arrow = _arrow(state, key, value)
        if key.text == EVERY_OTHER:
            every_other = arrow
        else:
            arrows[_name(key, "input")] = arrow
    return arrows, every_other


def _arrow(state: str, key: Scalar, node: Node) -> _Arrow:
    if isinstance(node, Scalar) and node.text and node.lines == 1:
        return _Arrow(key, node, ())
    if isinstance(node, Scalar) and node.nothing:
        _check_space(key)
    what = f'the transition of state "{state}" on "{key.text[:80]}"'
    if not isinstance(node, Mapping):
        to = _scalar(node, what, "the name of a state, or {to: ..., outputs: [...]}")
        return _Arrow(key, to, ())
    fields = _fields(node, what, _TRANSITION_KEYS, ("to",))
    return _Arrow(
        key,
        _scalar(fields["to"], f"to in {what}", "the name of a state"),
        _outputs(fields.get("outputs")),
    )


def _inputs(node: Node | None, states: dict[str, _StateEntry], place: Location) -> tuple[str, ...]:
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
        for name, arrow in state.arrows.items():
            if name not in declared:
                problem = (
                    f'state "{state.name.text}" has a transition on input "{name}", which inputs'
                    " does not declare"
                )
                hint = did_you_mean(name, declared)
                raise UnknownInputError(
                    f"{problem}; expected {listed(list(declared))}{hint}", arrow.key.location
                )
    return tuple(declared)


def _unused_inputs(node: Node | None, states: dict[str, _StateEntry]) -> Iterator[str]:
    """Warnings for declared inputs that no transition names."""
    if node is None or any(state.every_other for state in states.values()):
        return iter(())
    used = {name for state in states.values() for name in state.arrows}
    unused = {name: place for name, place in _names(node, "input") if name not in used}
    return summarised(tuple(unused), unused.__getitem__, "input", "used by no transition")


def _known_state(name: Scalar, states: dict[str, _StateEntry]) -> str:
    if name.text not in states:
        hint = did_you_mean(name.text, states)
        raise UnknownStateError(
            f'unknown state "{name.text[:80]}"; expected {listed(list(states))}{hint}',
            name.location,
        )
    return name.text


def _check_targets(states: dict[str, _StateEntry]) -> None:
    for state in states.values():
        for arrow in state.arrows.values():
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


def _refuse_unlisted(states: dict[str, _StateEntry], inputs: tuple[str, ...]) -> None:
    for state in states.values():
        missing = next((a for a in inputs if a not in state.arrows), None)
        if missing is not None and state.every_other is None:
            raise SpecError(
                f'state "{state.name.text}" lists no transition on input "{missing}", and the spec'
                ' says unlisted: error; expected one, or "*" for every other input',
                state.name.location,
            )


def _table(
    states: dict[str, _StateEntry], inputs: tuple[str, ...]
) -> tuple[tuple[Transition, ...], ...]:
    """The transitions of each state on each input; equal ones are one object."""
    made: dict[tuple[str, Outputs], Transition] = {}

    def taken(arrow: _Arrow) -> Transition:
        key = (arrow.to.text, arrow.outputs)
        return made.get(key) or made.setdefault(key, Transition(*key))

    def row(state: _StateEntry) -> tuple[Transition, ...]:
        stays = _Arrow(state.name, state.name, ())
        default = state.every_other or stays
        return tuple([taken(state.arrows.get(name, default)) for name in inputs])

    return tuple([row(state) for state in states.values()])


def _compile_options(node: Node | None) -> tuple[tuple[str, Option], ...]:
    if node is None or (isinstance(node, Scalar) and node.nothing):
        return ()
    pairs = _pairs(node, "compile", "a key for each option")
    problem = "stands twice (first in line"
    distinct = _distinct(
        pairs, lambda k, n: SyntaxSpecError(f'compile option "{k}" {problem} {n})')
    )
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
    if value.plain and INTEGER.fullmatch(value.text):
        return int(value.text)
    if value.plain and FLOAT.fullmatch(value.text) and math.isfinite(float(value.text)):
        return float(value.text)
    return value.text


FORMAT = Format(
    "yaml", (".yaml", ".yml"), read_yaml, write_yaml, "vsafsm spec (YAML)", fits=fits_yaml
)
