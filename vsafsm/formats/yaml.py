"""The spec format: a machine as YAML (``docs`` and ``schema.json`` describe it to people and
editors).

Names are text exactly as written: ``on``, ``no``, ``1`` and ``null`` are names like any other.
`write` and `read` are inverse: a machine read back is equal to the one written.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from typing import NamedTuple

from vsafsm.errors import (
    BadNameError,
    Location,
    NondeterministicError,
    SpecError,
    SyntaxSpecError,
    TooLargeError,
    UnknownInputError,
    UnknownStateError,
    did_you_mean,
)
from vsafsm.formats import MAX_TRANSITIONS, Format, Reading, summarised, unreachable_warnings
from vsafsm.formats._mappings import node_of
from vsafsm.formats._nodes import Mapping, Node, Scalar, parse
from vsafsm.formats._yaml_charts import chart_of, reading_of
from vsafsm.formats._yaml_fields import (
    STATE_KEYS,
    TOP_KEYS,
    TRANSITION_KEYS,
    check_space,
    distinct_pairs,
    fields_of,
    name_of,
    names_of,
    outputs_of,
    pairs_of,
    scalar_of,
    unlisted_error,
    unlisted_told,
)
from vsafsm.formats._yaml_options import compile_options_of
from vsafsm.formats._yaml_shape import is_chart
from vsafsm.formats._yaml_writer import EVERY_OTHER, fits_yaml, write_yaml
from vsafsm.machine import Machine, Outputs, Transition, listed
from vsafsm.statecharts import Statechart


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
    return _reading(_root(text, source))


def read_chart(text: str, source: str) -> Statechart:
    """Read a chart from `text`, which may be a flat machine; `source` names the text in errors.

    Raises
    ------
    SpecError
        As `read_yaml`.
    """
    return chart_of(_root(text, source))


def _root(text: str, source: str) -> Node:
    root = parse(text, source)
    if root is None:
        raise SyntaxSpecError("the spec is empty; expected a machine with states", Location(source))
    return root


def read_mapping(spec: AnyMapping[str, object]) -> Reading:
    """Read a machine from a mapping of the shape that a spec has, such as a parsed one.

    Raises
    ------
    SpecError
        One of its subclasses, with the keys that lead to the place.
    """
    return _reading(_root_of(spec))


def chart_of_mapping(spec: AnyMapping[str, object]) -> Statechart:
    """The chart of a mapping, as `read_mapping` reads one; raises `SpecError`."""
    return chart_of(_root_of(spec))


def _root_of(spec: AnyMapping[str, object]) -> Node:
    if "states" not in spec and "regions" not in spec:
        raise SyntaxSpecError(
            f"a mapping {_with_keys(spec)} is no spec; expected the keys machine, initial and"
            " states, or vsafsm.Machine.from_dict for a mapping with transitions"
        )
    return node_of(spec)


def _with_keys(mapping: AnyMapping[str, object]) -> str:
    keys = [str(key)[:40] for key in mapping]
    return f"with the keys {', '.join(keys[:8])}" if keys else "without keys"


def _reading(root: Node) -> Reading:
    if is_chart(root):
        return reading_of(root)
    top = fields_of(root, "a spec", TOP_KEYS, ("machine", "initial", "states"))
    name = name_of(top["machine"], "machine")
    states = _states(top["states"])
    inputs = _inputs(top.get("inputs"), states, root.location)
    if len(states) * len(inputs) > MAX_TRANSITIONS:
        raise TooLargeError(
            f"the machine has more than {MAX_TRANSITIONS} transitions", root.location
        )
    initial = _known_state(scalar_of(top["initial"], "initial", "the name of a state"), states)
    _check_targets(states)
    if unlisted_error(top.get("unlisted")):
        _refuse_unlisted(states, inputs)
    machine = Machine(
        name=name,
        states=tuple(states),
        inputs=inputs,
        initial=initial,
        table=_table(states, inputs),
        moore=tuple(s.outputs for s in states.values()),
        compile_options=compile_options_of(top.get("compile")),
    )
    unused = _unused_inputs(top.get("inputs"), states)
    unreachable = unreachable_warnings(machine, lambda s: states[s].name.location)
    return Reading(machine, (*unused, *unreachable))


def _states(node: Node) -> dict[str, _StateEntry]:
    pairs = pairs_of(node, "states", "a key for each state")
    if not pairs:
        raise SyntaxSpecError("states is empty; expected at least one state", node.location)
    problem = "is declared twice (first in line"
    distinct = distinct_pairs(pairs, lambda k, n: BadNameError(f'state "{k}" {problem} {n})'))
    return {name_of(key, "state"): _state(key, value) for key, value in distinct}


def _state(name: Scalar, node: Node) -> _StateEntry:
    if isinstance(node, Scalar) and node.nothing:
        return _StateEntry(name, (), {}, None)
    fields = fields_of(node, f'state "{name.text}"', STATE_KEYS)
    arrows, every_other = _arrows(name.text, fields.get("transitions"))
    return _StateEntry(name, outputs_of(fields.get("outputs")), arrows, every_other)


def _arrows(state: str, node: Node | None) -> tuple[dict[str, _Arrow], _Arrow | None]:
    if node is None or (isinstance(node, Scalar) and node.nothing):
        return {}, None
    pairs = pairs_of(node, f'transitions of state "{state}"', "a key for each input")
    problem = f'state "{state}" has a second transition on input'
    distinct = distinct_pairs(
        pairs, lambda k, n: NondeterministicError(f'{problem} "{k}"; the first is in line {n}')
    )
    arrows, every_other = {}, None
    for key, value in distinct:
        arrow = _arrow(state, key, value)
        if key.text == EVERY_OTHER:
            every_other = arrow
        else:
            arrows[name_of(key, "input")] = arrow
    return arrows, every_other


def _arrow(state: str, key: Scalar, node: Node) -> _Arrow:
    if isinstance(node, Scalar) and node.text and node.lines == 1:
        return _Arrow(key, node, ())
    if isinstance(node, Scalar) and node.nothing:
        check_space(key)
    what = f'the transition of state "{state}" on "{key.text[:80]}"'
    if not isinstance(node, Mapping):
        to = scalar_of(node, what, "the name of a state, or {to: ..., outputs: [...]}")
        return _Arrow(key, to, ())
    fields = fields_of(node, what, TRANSITION_KEYS, ("to",))
    return _Arrow(
        key,
        scalar_of(fields["to"], f"to in {what}", "the name of a state"),
        outputs_of(fields.get("outputs")),
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
    for name, location in names_of(node, "input"):
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
    unused = {name: place for name, place in names_of(node, "input") if name not in used}
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


def _refuse_unlisted(states: dict[str, _StateEntry], inputs: tuple[str, ...]) -> None:
    for state in states.values():
        missing = next((a for a in inputs if a not in state.arrows), None)
        if missing is not None and state.every_other is None:
            raise SpecError(unlisted_told(state.name.text, missing), state.name.location)


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


FORMAT = Format(
    "yaml",
    (".yaml", ".yml"),
    read_yaml,
    write_yaml,
    "vsafsm spec (YAML)",
    fits=fits_yaml,
    chart=read_chart,
)
