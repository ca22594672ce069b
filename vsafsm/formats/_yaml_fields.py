"""The values of a spec in YAML by their keys: mappings, names and lists of names; errors name the
place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from vsafsm.errors import (
    BadNameError,
    Location,
    SpecError,
    SyntaxSpecError,
    did_you_mean,
)
from vsafsm.formats._nodes import Items, Mapping, Node, Scalar
from vsafsm.formats._slips import space_is_missing
from vsafsm.formats._yaml_writer import EVERY_OTHER
from vsafsm.machine import Outputs, check_name, listed

FLAT_TOP = ("machine", "initial", "inputs", "states", "unlisted", "compile")
FLAT_STATE = ("outputs", "transitions")
FLAT_TRANSITION = ("to", "outputs")
TOP_KEYS = (*FLAT_TOP, "any", "data", "clock", "regions", "networks")
STATE_KEYS = (
    *("outputs", "transitions", "states", "initial", "regions", "entry", "exit", "always"),
    *("after", "final", "done", "history", "default"),
)
TRANSITION_KEYS = (*FLAT_TRANSITION, "if", "set", "after", "raise", "internal")
"""What may stand at the top, in a state and in a transition: first what a flat machine has."""

_SHOWN_KEYS = 8
_MAPPINGS = ("states", "transitions", "compile", "regions", "any", "data", "set", "after")
_MEANT = {
    **dict.fromkeys(("when", "guard", "cond", "condition"), "if"),
    **dict.fromkeys(("timeout", "delay", "wait"), "after"),
    **dict.fromkeys(("target", "goto", "next"), "to"),
    **dict.fromkeys(("output", "action", "actions"), "outputs"),
    **dict.fromkeys(("on_entry", "on entry", "onentry", "enter"), "entry"),
    **dict.fromkeys(("on_exit", "on exit", "onexit", "leave"), "exit"),
    **dict.fromkeys(("variables", "context", "datamodel"), "data"),
    **dict.fromkeys(("assign", "let"), "set"),
    **dict.fromkeys(("parallel", "parallel states"), "regions"),
    "on": "transitions",
    "event": "transitions",
}
"""What other tools call what a key here says."""


def pairs_of(node: Node, what: str, keys: str) -> tuple[tuple[Scalar, Node], ...]:
    """The pairs of a mapping; raises `SyntaxSpecError` for what is none."""
    if isinstance(node, Mapping):
        return node.pairs
    if isinstance(node, Scalar) and node.plain:
        check_space(node)
    remedy = ""
    if isinstance(node, Items):
        remedy = ', "key: value" without "-" and brackets'
    elif isinstance(node, Scalar) and not node.nothing:
        remedy = "; is a colon missing?"
    raise SyntaxSpecError(
        f"{what} is {kind_shown(node)}; expected a mapping with {keys}{remedy}", node.location
    )


def check_space(scalar: Scalar) -> None:
    """Refuse ``key:value`` where it can only be a key and a value."""
    key, colon, value = scalar.text.partition(":")
    if scalar.plain and colon and value.strip() == value != "":
        place = scalar.location
        raise SyntaxSpecError(
            space_is_missing(scalar.text, key, value.split()[0]),
            Location(place.source, place.line, place.column + len(key)),
        )


def distinct_pairs(
    pairs: Iterable[tuple[Scalar, Node]], duplicate: Callable[[str, int], SpecError]
) -> Iterator[tuple[Scalar, Node]]:
    """The pairs; `duplicate` makes the error for a key that stands twice, from its text and the
    line of the first.
    """
    lines: dict[str, int] = {}
    for key, value in pairs:
        if key.text in lines:
            error = duplicate(key.text, lines[key.text])
            raise type(error)(error.message, key.location)
        lines[key.text] = key.location.line
        yield key, value


def fields_of(
    node: Node, what: str, known: tuple[str, ...], needed: tuple[str, ...] = ()
) -> dict[str, Node]:
    """The values of a mapping by their keys.

    Raises
    ------
    SyntaxSpecError
        If it is no mapping, has a key that is not among the `known`, or one twice, or lacks one
        that is `needed`.
    """
    pairs = pairs_of(node, what, f"the keys {', '.join(known[:_SHOWN_KEYS])}")
    fields = {}
    for key, value in distinct_pairs(
        pairs, lambda k, n: SyntaxSpecError(f'key "{k}" stands twice (first in line {n})')
    ):
        if key.text not in known:
            raise _unknown_key(key, what, known)
        if isinstance(value, Scalar) and key.text not in _MAPPINGS:
            check_one_line(value)
        fields[key.text] = value
    for name in needed:
        if name not in fields:
            raise SyntaxSpecError(f'{what} has no key "{name}"; expected it here', node.location)
    return fields


def _unknown_key(key: Scalar, what: str, known: tuple[str, ...]) -> SyntaxSpecError:
    if key.text.partition(":")[0] in known:
        check_space(key)
    first = key.text.split()[0] if key.text.split() else ""
    if key.plain and first in known:
        return SyntaxSpecError(
            f'a colon is missing after "{first}" in "{key.text[:60]}"; expected "{first}: ..."',
            key.location,
        )
    hint = did_you_mean(key.text, known)
    if _MEANT.get(key.text) in known:
        hint = f'; did you mean "{_MEANT[key.text]}"?'
    elif known == STATE_KEYS and not hint:
        hint = '; inputs stand under "transitions"'
        if key.text == "clock":
            hint = "; a chart has one clock, at the top"
    elif known == TOP_KEYS and not hint:
        hint = '; states stand under "states", indented'
    expected = listed(known, len(known))
    expected = listed(known, len(known))
    return SyntaxSpecError(
        f'unknown key "{key.text[:80]}" in {what}; expected {expected}{hint}', key.location
    )


def kind_shown(node: Node) -> str:
    """What a node is, for an error."""
    if isinstance(node, Scalar):
        return "empty" if node.nothing else f'the text "{node.text[:40]}"'
    return "a list" if isinstance(node, Items) else "a mapping"


def scalar_of(node: Node, what: str, expected: str) -> Scalar:
    """A text; raises `SyntaxSpecError` for what is none."""
    if isinstance(node, Scalar) and not node.nothing:
        check_one_line(node)
        return node
    raise SyntaxSpecError(f"{what} is {kind_shown(node)}; expected {expected}", node.location)


def check_one_line(scalar: Scalar) -> None:
    """Refuse a text without quotes that goes on in the next line."""
    if scalar.plain and scalar.lines > 1:
        place = scalar.location
        raise SyntaxSpecError(
            f"this line has no colon and continues the text of line {place.line}; expected"
            ' "key: value", or the text in quotes',
            Location(place.source, place.line + 1),
        )


def name_of(node: Node, kind: str) -> str:
    """A text that can name a `kind` of thing; raises `SyntaxSpecError` or `BadNameError`."""
    scalar = scalar_of(node, kind, f"the name of {'an' if kind[0] in 'aeiou' else 'a'} {kind}")
    try:
        check_name(kind, scalar.text)
    except BadNameError as error:
        raise BadNameError(error.message, scalar.location) from None
    if scalar.text == EVERY_OTHER and kind in ("state", "input"):
        raise BadNameError(
            f'"*" cannot name the {kind}: it stands for every other input', scalar.location
        )
    return scalar.text


def names_of(node: Node, kind: str) -> Iterator[tuple[str, Location]]:
    """The names in a list, with their places; raises as `name_of`."""
    if not isinstance(node, Items):
        raise SyntaxSpecError(
            f"{kind}s is {kind_shown(node)}; expected a list of names, for example [first, second]",
            node.location,
        )
    return ((name_of(item, kind), item.location) for item in node.items)


def names_once(node: Node, kind: str) -> tuple[str, ...]:
    """The names in a list, each once; raises as `name_of`."""
    found: dict[str, None] = {}
    for name, location in names_of(node, kind):
        if name in found:
            raise BadNameError(
                f'{kind} "{name}" stands twice in one list; expected it once', location
            )
        found[name] = None
    return tuple(found)


def outputs_of(node: Node | None) -> Outputs:
    """The names in a list of outputs, each once; raises as `name_of`."""
    return () if node is None else names_once(node, "output")


def unlisted_error(node: Node | None) -> Location | None:
    """The place of ``unlisted: error``, or None where it says ``stay``; raises `SyntaxSpecError`
    for anything else.
    """
    return _other_word(node, "unlisted", ("stay", "error"))


def separate_networks(node: Node | None) -> bool:
    """Whether it says ``networks: separate`` and not ``one``; raises `SyntaxSpecError` for anything
    else.
    """
    return _other_word(node, "networks", ("one", "separate")) is not None


def _other_word(node: Node | None, key: str, words: tuple[str, str]) -> Location | None:
    """The place of the second of two words, or None where the first stands or nothing."""
    if node is None:
        return None
    scalar = scalar_of(node, key, " or ".join(words))
    if scalar.text not in words:
        hint = did_you_mean(scalar.text, words)
        raise SyntaxSpecError(
            f"{key} is {kind_shown(scalar)}; expected one of: {', '.join(words)}{hint}",
            scalar.location,
        )
    return scalar.location if scalar.text == words[1] else None


def unlisted_told(state: str, event: str) -> str:
    """What is said of a pair that ``unlisted: error`` does not allow to be left out."""
    return (
        f'state "{state}" lists no transition on input "{event}", and the spec says unlisted:'
        ' error; expected one, or "*" for every other input'
    )
