"""Python mappings as the nodes that YAML text has, so that one reader serves both."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass

from vsafsm.errors import Location, SyntaxSpecError, TooLargeError
from vsafsm.formats._nodes import MAX_DEPTH, Items, Mapping, Node, Scalar


@dataclass(frozen=True)
class KeyPath(Location):
    """A place in a mapping: ``mapping['states']['a']``."""

    keys: tuple[object, ...] = ()

    def __str__(self) -> str:
        return self.source + "".join(f"[{key!r}]" for key in self.keys)

    def inside(self, key: object) -> KeyPath:
        return KeyPath(self.source, keys=(*self.keys, key))


def node_of(value: object, place: KeyPath = KeyPath("mapping")) -> Node:
    """The node of a mapping, a list, a tuple, a text, a number or None.

    Raises
    ------
    SyntaxSpecError, TooLargeError
        If something else is in it, or it is nested deeper than a spec; with the keys that lead
        there.
    """
    if len(place.keys) > MAX_DEPTH:
        raise TooLargeError(f"the mapping is nested deeper than {MAX_DEPTH} levels", place)
    if isinstance(value, AnyMapping):
        pairs = [
            (_scalar(key, place.inside(key)), node_of(each, place.inside(key)))
            for key, each in value.items()
        ]
        return Mapping(tuple(pairs), place)
    if isinstance(value, list | tuple):
        return Items(tuple(node_of(each, place.inside(i)) for i, each in enumerate(value)), place)
    return Scalar("", place) if value is None else _scalar(value, place)


def _scalar(value: object, place: KeyPath) -> Scalar:
    """A text, or a number as it is written."""
    if isinstance(value, str):
        return Scalar(value, place, plain=False)
    if isinstance(value, bool) and _may_be_truth(place.keys):
        return Scalar("true" if value else "false", place)
    if isinstance(value, bool):
        raise SyntaxSpecError(
            f"{value} is no name; expected a text (YAML makes {value} of"
            f" {'on, yes and true' if value else 'off, no and false'} without quotes)",
            place,
        )
    if isinstance(value, int | float):
        return Scalar(repr(value), place)
    raise SyntaxSpecError(
        f"{str(value)[:40]!r} is a {type(value).__name__}; expected a text, a number, a list or a"
        " mapping",
        place,
    )


def _may_be_truth(keys: tuple[object, ...]) -> bool:
    """Whether a truth value can stand behind these keys."""
    return bool(keys) and (keys[0] == "data" or keys[-1] in ("final", "if") or "set" in keys[-2:-1])
