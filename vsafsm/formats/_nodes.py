"""YAML text as nodes that know their place, every scalar as text; what a spec has no use for is
refused.

The parser's events are taken one by one, so that a text of endless nesting is given up at the depth
bound and never becomes a tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from yaml.reader import Reader

from vsafsm.errors import (
    Location,
    SyntaxSpecError,
    TooLargeError,
    VsafsmError,
)
from vsafsm.formats import location_at
from vsafsm.formats._slips import first_slip

MAX_CHARACTERS = 8 * 2**20
MAX_DEPTH = 32
MAX_NODES = 1_000_000

_PROBLEMS = {
    "mapping values are not allowed": (
        'a ":" cannot stand here; check the indentation, or quote the text'
    ),
    "could not find expected ':'": 'expected "key: value"; a ":" is missing',
    "expected <block end>": "the indentation does not line up with the lines above",
    "expected ',' or ']'": 'a list in [ ] is not closed here; expected "," or "]"{since}',
    "expected ',' or '}'": 'a mapping in { } is not closed here; expected "," or "}"{since}',
    "unexpected end of stream": "a closing quote is missing{since}",
    "expected the node content": "expected a value here",
    "expected a single document": "expected one machine",
    "undefined tag handle": (
        "a spec has no tags (words that start with !); expected plain text, lists and mappings"
    ),
}


@dataclass(frozen=True)
class Scalar:
    """A text; `plain` where it stands without quotes, `lines` how many lines it spans."""

    text: str
    location: Location
    plain: bool = True
    lines: int = 1

    @property
    def nothing(self) -> bool:
        """Nothing at all is written where a value could stand."""
        return self.plain and not self.text


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    location: Location


@dataclass(frozen=True)
class Mapping:
    """A mapping; its keys may repeat, the reader says what that means."""

    pairs: tuple[tuple[Scalar, Node], ...]
    location: Location


Node = Scalar | Items | Mapping


def parse(text: str, source: str) -> Node | None:
    """The root node of a text that holds one YAML document; ``None`` for an empty text.

    Raises
    ------
    SyntaxSpecError
        The text is no YAML, or uses what a spec has no use for.
    TooLargeError
        It is longer or deeper than a spec has reason to be.
    """
    text = text.removeprefix("\ufeff")
    _check_text(text, source)
    composer = _Composer(text, source)
    try:
        return composer.document()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, source) from None
    except (
        yaml.YAMLError,
        ValueError,
        OverflowError,
    ) as error:  # chr() and int() on absurd escapes and versions
        raise SyntaxSpecError(
            "this is not YAML: an escape or a version number is out of range", composer.last
        ) from error


def _check_text(text: str, source: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise TooLargeError(
            f"the text is longer than {MAX_CHARACTERS} characters", Location(source)
        )
    bad = Reader.NON_PRINTABLE.search(text)
    if bad:
        raise SyntaxSpecError(
            f"character U+{ord(bad.group()):04X} cannot stand in a spec; remove it, or write it as"
            " an escape",
            location_at(text, bad.start(), source),
        )


def _syntax_error(error: yaml.MarkedYAMLError, text: str, source: str) -> VsafsmError:
    problem, context = error.problem or "", error.context or ""
    in_alias = context == "while scanning an alias"
    mark = error.context_mark if in_alias else error.problem_mark or error.context_mark
    place = Location(source, mark.line + 1, mark.column + 1) if mark else Location(source)
    if mark and text[mark.index : mark.index + 1] == "\t":
        return SyntaxSpecError(
            "a tab cannot stand here: tabs are not allowed for indentation; use spaces", place
        )
    if in_alias:
        return SyntaxSpecError(
            'a bare * cannot stand here; write "*" with quotes for every other input', place
        )
    slip = first_slip(text, place.line, source)
    if slip is not None:
        return slip
    start = error.context_mark
    since = (
        f" (it begins in line {start.line + 1})" if start and start.line + 1 < place.line else ""
    )
    reason = next((words for part, words in _PROBLEMS.items() if part in problem), problem)
    return SyntaxSpecError(f"this is not YAML: {reason.replace('{since}', since)}", place)


class _Composer:
    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.last = Location(source)
        self.nodes = 0
        self.events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=yaml.SafeLoader))

    def next(self) -> yaml.Event:
        event = next(self.events)
        mark = event.start_mark
        if mark is not None:
            self.last = Location(self.source, mark.line + 1, mark.column + 1)
        return event

    def document(self) -> Node | None:
        self.next()  # start of the stream
        if isinstance(self.next(), yaml.StreamEndEvent):
            return None
        root = self.node(self.next(), 0)
        self.next()  # end of the document
        if not isinstance(self.next(), yaml.StreamEndEvent):
            raise SyntaxSpecError(
                "a second YAML document starts here; expected one machine in a file", self.last
            )
        return None if isinstance(root, Scalar) and root.nothing else root

    def node(self, event: yaml.Event, depth: int) -> Node:
        self.check(event, depth)
        place = self.last
        if isinstance(event, yaml.ScalarEvent):
            start, end = event.start_mark, event.end_mark
            lines = 1 + end.line - start.line if start and end else 1
            return Scalar(event.value, place, event.style in (None, ""), lines)
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(
                tuple(self.node(e, depth + 1) for e in self.until(yaml.SequenceEndEvent)), place
            )
        pairs = [
            (self.key(e, depth + 1), self.node(self.next(), depth + 1))
            for e in self.until(yaml.MappingEndEvent)
        ]
        return Mapping(tuple(pairs), place)

    def until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := self.next(), end):
            yield event

    def key(self, event: yaml.Event, depth: int) -> Scalar:
        place = self.last
        key = self.node(event, depth)
        if not isinstance(key, Scalar):
            raise SyntaxSpecError("a list or a mapping cannot be a key; expected a name", place)
        if key.plain and key.text == "<<":
            raise SyntaxSpecError('merge keys are not allowed; quote "<<" if it is a name', place)
        return key

    def check(self, event: yaml.Event, depth: int) -> None:
        self.nodes += 1
        if depth > MAX_DEPTH:
            raise TooLargeError(
                f"lists and mappings are nested deeper than {MAX_DEPTH} levels", self.last
            )
        if self.nodes > MAX_NODES:
            raise TooLargeError(f"the text holds more than {MAX_NODES} values", self.last)
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor is not None:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            raise SyntaxSpecError(
                f'"{sign}{anchor[:80]}": aliases and anchors are not allowed; write the value out, '
                "or quote it if it is a name",
                self.last,
            )
        if tag is not None:
            raise SyntaxSpecError(
                f'tag "{tag[:80]}" is not allowed; expected text, lists and mappings', self.last
            )
