"""A chart in YAML as it is written: its states and transitions, before names are looked up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from vsafsm.errors import (
    BadNameError,
    Location,
    NondeterministicError,
    SpecError,
    SyntaxSpecError,
)
from vsafsm.formats._nodes import Items, Mapping, Node, Scalar
from vsafsm.formats._yaml_data import duration_of, is_true
from vsafsm.formats._yaml_fields import (
    FLAT_STATE,
    FLAT_TOP,
    FLAT_TRANSITION,
    STATE_KEYS,
    TOP_KEYS,
    TRANSITION_KEYS,
    check_one_line,
    check_space,
    distinct_pairs,
    fields_of,
    kind_shown,
    name_of,
    names_of,
    names_once,
    outputs_of,
    pairs_of,
    scalar_of,
)
from vsafsm.formats._yaml_writer import EVERY_OTHER
from vsafsm.machine import Outputs
from vsafsm.statecharts import Output, Raise

_CHART_TOP = frozenset(TOP_KEYS) - frozenset(FLAT_TOP)
_CHART_STATE = frozenset(STATE_KEYS) - frozenset(FLAT_STATE)
_CHART_TRANSITION = frozenset(TRANSITION_KEYS) - frozenset(FLAT_TRANSITION)
_ACTION_KEYS = ("outputs", "set", "raise")
_OF_HISTORY = ("history", "default")
_A_TARGET = "the name of a state, or {to: ..., if: ..., outputs: [...]}"


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable, and the text of the value that it is given."""

    variable: Scalar
    value: Scalar


Effect = Output | Raise | Setting


@dataclass(frozen=True, slots=True)
class Arrow:
    """A transition; `event` is None for one without an input.

    `what` names it in errors. `after` is the place of its duration, and the duration in seconds.
    `internal` is where it says that its state is not left.
    """

    what: str
    event: str | None
    place: Location
    to: tuple[Scalar, ...]
    guard: Scalar | None = None
    after: tuple[Location, Fraction] | None = None
    effects: tuple[Effect, ...] = ()
    internal: Location | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A state, a region or a history.

    `path` is its name behind those of all states around it, `initial` what is entered with it, or
    what a history stands for by default, `done` the transitions that it has when it is done.
    """

    name: str
    path: str
    place: Location
    kind: str
    initial: tuple[Scalar, ...] = ()
    children: tuple[Shape, ...] = ()
    outputs: Outputs = ()
    entry: tuple[Effect, ...] = ()
    exit: tuple[Effect, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    done: tuple[Arrow, ...] = ()
    deep: bool = False


def is_chart(root: Node) -> bool:
    """Whether a spec has a key that a flat machine does not have."""
    if not isinstance(root, Mapping):
        return False
    for key, value in root.pairs:
        if key.text in _CHART_TOP:
            return True
        if (
            key.text == "states"
            and isinstance(value, Mapping)
            and any(_is_state_of_chart(state) for _, state in value.pairs)
        ):
            return True
    return False


def _is_state_of_chart(state: Node) -> bool:
    if not isinstance(state, Mapping):
        return False
    for key, value in state.pairs:
        if key.text in _CHART_STATE:
            return True
        if key.text == "transitions" and isinstance(value, Mapping):
            for _, arrow in value.pairs:
                if not isinstance(arrow, Scalar) and _is_arrow_of_chart(arrow):
                    return True
    return False


def _is_arrow_of_chart(arrow: Node) -> bool:
    each = arrow.items if isinstance(arrow, Items) else (arrow,)
    return any(
        isinstance(one, Mapping) and any(key.text in _CHART_TRANSITION for key, _ in one.pairs)
        for one in each
    )


def shapes_of(node: Node, kind: str, around: str = "") -> tuple[Shape, ...]:
    """The states in a mapping, or its regions; raises `SpecError`.

    Parameters
    ----------
    node
        What stands under the key ``states`` or ``regions``.
    kind
        ``"state"`` or ``"region"``.
    around
        Path of the state around them.
    """
    pairs = pairs_of(node, f"{kind}s", f"a key for each {kind}")
    if not pairs:
        raise SyntaxSpecError(f"{kind}s is empty; expected at least one {kind}", node.location)
    problem = "is declared twice (first in line"
    distinct = distinct_pairs(pairs, lambda k, n: BadNameError(f'{kind} "{k}" {problem} {n})'))
    shapes = tuple(_shape(key, value, kind, around) for key, value in distinct)
    if all(shape.kind == "history" for shape in shapes):
        raise SpecError(f"there is no {kind} but only a history; expected one", node.location)
    return shapes


def _shape(key: Scalar, node: Node, kind: str, around: str) -> Shape:
    name = name_of(key, "state")
    path = f"{around}.{name}" if around else name
    what = f'{kind} "{path}"'
    if isinstance(node, Mapping) and any(each.text == "history" for each, _ in node.pairs):
        return _history(key, node, path)
    empty = isinstance(node, Scalar) and node.nothing
    fields = {} if empty else fields_of(node, what, STATE_KEYS)
    if "default" in fields:
        raise SyntaxSpecError(
            f'{what} has "default" and no "history"; expected both or none',
            fields["default"].location,
        )
    inside = children_of(fields, node, what, path)
    if kind == "region" and not fields:
        raise SpecError(
            f"{what} is empty; expected states, or what it does without any", key.location
        )
    final = "final" in fields and is_true(fields["final"], f"final of {what}")
    if final:
        for each in ("states", "regions", "transitions", "always", "after"):
            if each in fields:
                raise SpecError(
                    f'{what} is final and has "{each}"; expected none', fields[each].location
                )
    if "done" in fields and not inside:
        raise SpecError(
            f'{what} has "done" and no states inside, of which one is final; expected both',
            fields["done"].location,
        )
    parallel = "regions" in fields
    return Shape(
        name,
        path,
        key.location,
        "final" if final else "parallel" if parallel else "state",
        initial_of(fields, what, node, "states" in fields),
        inside,
        outputs_of(fields.get("outputs")),
        _effects(fields.get("entry"), f"entry of {what}"),
        _effects(fields.get("exit"), f"exit of {what}"),
        tuple(_arrows_in_order(fields, f'state "{path}"')),
        tuple(_done(fields.get("done"), what)),
    )


def _done(node: Node | None, what: str) -> Iterator[Arrow]:
    if node is not None and not (isinstance(node, Scalar) and node.nothing):
        yield from _alternatives(node, f"done of {what}", None)


def children_of(
    fields: dict[str, Node], node: Node, what: str, path: str = ""
) -> tuple[Shape, ...]:
    """What is inside a state, or at the top; raises `SpecError`."""
    if "states" in fields and "regions" in fields:
        raise SpecError(
            f'{what} has "states" and "regions"; expected one of them, with the states inside the'
            " regions",
            fields["regions"].location,
        )
    if "regions" in fields:
        return shapes_of(fields["regions"], "region", path)
    return shapes_of(fields["states"], "state", path) if "states" in fields else ()


def initial_of(fields: dict[str, Node], what: str, node: Node, needed: bool) -> tuple[Scalar, ...]:
    """What is entered with a state, where there is something to choose; raises `SpecError`."""
    if needed and "initial" not in fields:
        raise SyntaxSpecError(f'{what} has no key "initial"; expected it here', node.location)
    if "initial" not in fields:
        return ()
    if not needed:
        told = (
            "regions, which have their own; expected none"
            if "regions" in fields
            else 'no "states"; expected both or none'
        )
        raise SpecError(f'{what} has "initial" and {told}', fields["initial"].location)
    return _targets(fields["initial"], "initial")


def _history(key: Scalar, node: Mapping, path: str) -> Shape:
    what = f'history "{path}"'
    for each, _ in node.pairs:
        if each.text in STATE_KEYS and each.text not in _OF_HISTORY:
            raise SpecError(
                f'{what} has "{each.text}"; expected history and default alone', each.location
            )
    fields = fields_of(node, what, _OF_HISTORY)
    depth = scalar_of(fields["history"], f"the depth of {what}", "shallow or deep")
    if depth.text not in ("shallow", "deep"):
        raise SyntaxSpecError(
            f"the depth of {what} is {kind_shown(depth)}; expected one of: shallow, deep",
            depth.location,
        )
    if "default" not in fields:
        raise SpecError(
            f'{what} has no key "default"; expected the state that it stands for while there is'
            " nothing to remember",
            key.location,
        )
    default = _targets(fields["default"], f"default of {what}")
    return Shape(key.text, path, key.location, "history", default, deep=depth.text == "deep")


def _targets(node: Node, what: str) -> tuple[Scalar, ...]:
    if not isinstance(node, Items):
        return (scalar_of(node, what, "the name of a state"),)
    if not node.items:
        raise SyntaxSpecError(f"{what} is an empty list; expected states", node.location)
    return tuple(scalar_of(each, what, "the name of a state") for each in node.items)


# ---- transitions


def any_of(node: Node | None) -> tuple[Arrow, ...]:
    """The transitions that every state has."""
    if node is None:
        return ()
    fields = fields_of(node, "any", ("transitions",), ("transitions",))
    return tuple(_arrows_in_order(fields, "any"))


def _arrows_in_order(fields: dict[str, Node], owner: str) -> Iterator[Arrow]:
    for key, value in fields.items():
        if isinstance(value, Scalar) and value.nothing:
            continue
        if key == "transitions":
            yield from _on_inputs(value, owner)
        elif key == "always":
            yield from _alternatives(value, f"always of {owner}", None)
        elif key == "after":
            yield from _after(value, owner)


def _on_inputs(node: Node, owner: str) -> Iterator[Arrow]:
    pairs = pairs_of(node, f"transitions of {owner}", "a key for each input")
    problem = f"{owner} has a second transition on input"
    distinct = distinct_pairs(
        pairs, lambda k, n: NondeterministicError(f'{problem} "{k}"; the first is in line {n}')
    )
    for key, value in distinct:
        if isinstance(value, Scalar) and value.nothing:
            check_space(key)
        event = key.text if key.text == EVERY_OTHER else name_of(key, "input")
        what = f'the transition of {owner} on "{event[:80]}"'
        yield from _alternatives(value, what, event, key.location)


def _after(node: Node, owner: str) -> Iterator[Arrow]:
    """The transitions of a state after some time."""
    pairs = pairs_of(node, f"after of {owner}", 'a key for each time, such as "500 ms"')
    lines: dict[Fraction, int] = {}
    for key, value in pairs:
        if isinstance(value, Scalar) and value.nothing:
            check_space(key)
        seconds = duration_of(key, f'a time in "after" of {owner}')
        if seconds in lines:
            raise NondeterministicError(
                f"{owner} has a second transition after {key.text}; the first is in line"
                f" {lines[seconds]}",
                key.location,
            )
        lines[seconds] = key.location.line
        what = f"the transition of {owner} after {key.text}"
        yield from _alternatives(value, what, None, key.location, (key.location, seconds))


def _alternatives(
    node: Node,
    what: str,
    event: str | None,
    place: Location | None = None,
    after: tuple[Location, Fraction] | None = None,
) -> Iterator[Arrow]:
    """One transition, or those of a list, of which the first counts whose conditions hold."""
    if not isinstance(node, Items):
        yield _arrow(node, what, event, place or node.location, after)
        return
    if not node.items:
        raise SyntaxSpecError(f"{what} is an empty list; expected transitions", node.location)
    sure = False
    for item in node.items:
        if sure:
            raise SpecError(
                f"{what} stands behind one without a condition, and is never taken; expected the"
                " one without a condition last",
                item.location,
            )
        found = _arrow(item, what, event, item.location, after)
        sure = found.guard is None and found.after is after
        yield found


def _arrow(
    node: Node,
    what: str,
    event: str | None,
    place: Location,
    after: tuple[Location, Fraction] | None,
) -> Arrow:
    if not isinstance(node, Mapping):
        return Arrow(what, event, place, (scalar_of(node, what, _A_TARGET),), after=after)
    fields = fields_of(node, what, TRANSITION_KEYS)
    if not fields.keys() & {"to", *_ACTION_KEYS}:
        raise SyntaxSpecError(
            f'{what} has no key "to"; expected it here, or what is done without leaving: outputs,'
            " set, raise",
            node.location,
        )
    if "after" in fields:
        if after:
            raise SpecError(
                f'{what} has "after" a second time; expected one', fields["after"].location
            )
        after = (fields["after"].location, duration_of(fields["after"], f"after of {what}"))
    guard = scalar_of(fields["if"], f"if of {what}", "a condition") if "if" in fields else None
    to = _targets(fields["to"], f"to in {what}") if "to" in fields else ()
    internal = None
    if "internal" in fields and is_true(fields["internal"], f"internal of {what}"):
        internal = fields["internal"].location
    effects = tuple(_effects_in_order(fields, what))
    return Arrow(what, event, place, to, guard, after, effects, internal)


def _effects(node: Node | None, what: str) -> tuple[Effect, ...]:
    """What is done on entry or exit: a list of outputs, or a mapping."""
    if node is None or (isinstance(node, Scalar) and node.nothing):
        return ()
    if isinstance(node, Mapping):
        fields = fields_of(node, what, _ACTION_KEYS)
        return tuple(_effects_in_order(fields, what))
    if not isinstance(node, Items):
        raise SyntaxSpecError(
            f"{what} is {kind_shown(node)}; expected a list of outputs, or a mapping with"
            f" {', '.join(_ACTION_KEYS)}",
            node.location,
        )
    return tuple(_listed(node, "output"))


def _effects_in_order(fields: dict[str, Node], what: str) -> Iterator[Effect]:
    for key, value in fields.items():
        if key == "outputs":
            yield from _listed(value, "output")
        elif key == "raise":
            yield from _listed(value, "event")
        elif key == "set":
            yield from _settings(value, what)


def _listed(node: Node, kind: str) -> Iterator[Output | Raise]:
    make = Output if kind == "output" else Raise
    names_once(node, kind)
    return (make(name, place) for name, place in names_of(node, kind))


def _settings(node: Node, what: str) -> Iterator[Setting]:
    pairs = pairs_of(node, f"set of {what}", "a key for each variable")
    distinct = distinct_pairs(
        pairs, lambda k, n: SyntaxSpecError(f'variable "{k}" is set twice (first in line {n})')
    )
    for key, value in distinct:
        if isinstance(value, Scalar):
            check_one_line(value)
        yield Setting(key, scalar_of(value, f'the value of "{key.text[:80]}"', "a value"))


def walk_shapes(shapes: Sequence[Shape]) -> Iterator[Shape]:
    """Shapes and those inside them, in document order."""
    for shape in shapes:
        yield shape
        yield from walk_shapes(shape.children)
