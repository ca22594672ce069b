"""Durations, truth values and variables of a spec in YAML."""

from __future__ import annotations

import re
from fractions import Fraction

from vsafsm.durations import parse_duration
from vsafsm.errors import BadNameError, SpecError, SyntaxSpecError, did_you_mean
from vsafsm.formats._nodes import Items, Mapping, Node, Scalar
from vsafsm.formats._yaml_fields import (
    check_one_line,
    distinct_pairs,
    fields_of,
    kind_shown,
    names_once,
    pairs_of,
    scalar_of,
)
from vsafsm.statecharts import Variable
from vsafsm.statecharts.expressions import MAX_NUMBER, Value

_WHOLE = re.compile(r"[-+]?[0-9]+")
_RANGE = re.compile(r"([-+]?[0-9]+) *\.\. *([-+]?[0-9]+)")
_TRUTHS = {"true": True, "false": False}
_RESERVED = ("and", "or", "not", "true", "false", "True", "False", "in", "In", "active")
_EXAMPLES = "a range such as 0..3, true, false, or a list such as [eco, normal]"


def duration_of(node: Node, what: str) -> Fraction:
    """A time above zero, in seconds; raises `SpecError`."""
    scalar = scalar_of(node, what, 'a time such as "500 ms"')
    return parse_duration(scalar.text, what, scalar.location)


def is_true(node: Node, what: str) -> bool:
    """Whether a truth value is true; raises `SyntaxSpecError` for what is none."""
    scalar = scalar_of(node, what, "true or false")
    if scalar.text not in _TRUTHS:
        raise SyntaxSpecError(
            f"{what} is {kind_shown(scalar)}; expected true or false", scalar.location
        )
    return _TRUTHS[scalar.text]


def variables_of(node: Node | None) -> dict[str, Variable]:
    """The variables in a mapping, by name; raises `SpecError`."""
    if node is None or (isinstance(node, Scalar) and node.nothing):
        return {}
    pairs = pairs_of(node, "data", "a key for each variable")
    distinct = distinct_pairs(
        pairs, lambda k, n: BadNameError(f'variable "{k}" is declared twice (first in line {n})')
    )
    return {key.text: _variable(key, value) for key, value in distinct}


def _variable(key: Scalar, node: Node) -> Variable:
    name, what = key.text, f'variable "{key.text[:80]}"'
    if not name.isidentifier() or name in _RESERVED:
        raise BadNameError(
            f'"{name[:80]}" cannot be the name of a variable; expected a word of letters, digits'
            f" and _ that is none of: {', '.join(_RESERVED)}",
            key.location,
        )
    if not isinstance(node, Mapping):
        values, first = _values(node, what)
        return Variable(name, first, values, key.location)
    fields = fields_of(node, what, ("values", "initial"), ("values", "initial"))
    values, first = _values(fields["values"], f"values of {what}")
    initial = scalar_of(fields["initial"], f"initial of {what}", "its value at the start")
    variable = Variable(name, first, values, key.location)
    value = literal_of(initial.text, variable)
    if value is None or not variable.can_be(value):
        raise SpecError(
            f"{what} is {initial.text[:80]} at the start; expected {variable.expected}"
            f"{did_you_mean(initial.text, variable.texts or ())}",
            initial.location,
        )
    return Variable(name, value, values, key.location)


def literal_of(text: str, variable: Variable) -> Value | None:
    """The value that a text is, of the kind of a variable; None where it is none."""
    if variable.kind == "text":
        return text if text in (variable.texts or ()) else None
    if variable.kind == "truth":
        return _TRUTHS.get(text)
    return int(text) if _WHOLE.fullmatch(text) and not _too_large(text) else None


def _too_large(number: str) -> bool:
    return len(number) > len(str(-MAX_NUMBER)) or abs(int(number)) > MAX_NUMBER


def _values(node: Node, what: str) -> tuple[range | tuple[Value, ...], Value]:
    """The values that a variable can have, and the one that it has at the start."""
    if isinstance(node, Items):
        texts = _texts(node, what)
        return texts, texts[0]
    scalar = scalar_of(node, what, _EXAMPLES)
    check_one_line(scalar)
    text = scalar.text
    if text in _TRUTHS:
        return (False, True), _TRUTHS[text]
    bounds = _RANGE.fullmatch(text)
    if bounds is None:
        if _WHOLE.fullmatch(text):
            raise SpecError(
                f"{what} is {text[:80]}, without a range; expected one such as 0..3, or"
                " {values: 0..3, initial: 1}",
                scalar.location,
            )
        raise SpecError(f"{what} is {kind_shown(scalar)}; expected {_EXAMPLES}", scalar.location)
    if any(_too_large(text) for text in bounds.groups()):
        raise SpecError(
            f"the range of {what} has a number above {MAX_NUMBER}; expected smaller ones",
            scalar.location,
        )
    low, high = map(int, bounds.groups())
    if low > high:
        raise SpecError(
            f"the range of {what} is {low}..{high}; expected the smaller number first",
            scalar.location,
        )
    return range(low, high + 1), low


def _texts(node: Items, what: str) -> tuple[str, ...]:
    found = names_once(node, "value")
    if not found:
        raise SpecError(f"{what} is an empty list; expected its values", node.location)
    for item, text in zip(node.items, found, strict=True):
        if text in _TRUTHS or _WHOLE.fullmatch(text):
            expected = "true or false without a list" if text in _TRUTHS else "a range such as 0..3"
            raise SpecError(f"{what} has {text} in a list; expected {expected}", item.location)
    return found
