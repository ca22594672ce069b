"""Mappings of a YAML text by their keys: those that count, those that are refused, and those that
nobody knows.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as Named

from vsafsm.errors import (
    SyntaxSpecError,
    did_you_mean,
)
from vsafsm.formats._events import refused
from vsafsm.formats._nodes import Items, Mapping, Node, Scalar
from vsafsm.machine import listed

_NOTHING = ("", "null", "~", "Null", "NULL")


def has_value(node: Node | None) -> bool:
    """Whether there is a value, that is not null and no empty list."""
    if isinstance(node, Scalar):
        return not (node.plain and node.text in _NOTHING)
    return node is not None and not (isinstance(node, Items) and not node.items)


def fields(
    node: Node,
    what: str,
    known: tuple[str, ...],
    unfit: Named[str, str],
    ignored: Collection[str] = (),
) -> dict[str, Node]:
    """The values of the `known` keys of a mapping that are given.

    Raises
    ------
    NotImportableError
        If a key of `unfit`, which says why a machine has no place for it, has a value.
    SyntaxSpecError
        For other keys, for a key that stands twice, and for what is no mapping.
    """
    if not isinstance(node, Mapping):
        raise SyntaxSpecError(f"a {what} is no mapping; expected one", node.location)
    found: dict[str, Node] = {}
    lines: dict[str, int] = {}
    for key, value in node.pairs:
        name = key.text
        if name in lines:
            raise SyntaxSpecError(
                f'key "{name[:80]}" stands twice (first in line {lines[name]})', key.location
            )
        lines[name] = key.location.line
        if name in known:
            found.update({name: value} if has_value(value) else {})
        elif name in unfit:
            if has_value(value):
                raise refused(f'"{name}" of a {what}', unfit[name], key.location)
        elif name not in ignored:
            hint = did_you_mean(name, known)
            raise SyntaxSpecError(
                f'unknown key "{name[:80]}" in a {what}; expected {listed(known)}{hint}',
                key.location,
            )
    return found


def needed(found: dict[str, Node], name: str, node: Node) -> Node:
    """The value of a key that has to be there; raises `SyntaxSpecError`."""
    if name not in found:
        raise SyntaxSpecError(f'there is no "{name}"; expected it here', node.location)
    return found[name]


def items(node: Node, what: str) -> tuple[Node, ...]:
    """What is in a list; raises `SyntaxSpecError`."""
    if not isinstance(node, Items):
        raise SyntaxSpecError(f"{what} is no list; expected one", node.location)
    return node.items


def text(node: Node, what: str) -> Scalar:
    """A text; raises `SyntaxSpecError`."""
    if not isinstance(node, Scalar) or not has_value(node):
        raise SyntaxSpecError(f"{what} is no text; expected one", node.location)
    return node


def texts(node: Node, what: str) -> list[Scalar]:
    """One text, or a list of texts; raises `SyntaxSpecError`."""
    return [text(each, what) for each in (node.items if isinstance(node, Items) else (node,))]
