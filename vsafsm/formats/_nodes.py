"""YAML text as nodes that know their place, every scalar as text; what a spec has no use for is
refused.

The parser's events are taken one by one, so that a text of endless nesting is given up at the depth
bound and never becomes a tree.

PyYAML has two parsers: one in Python, and libyaml's in C, which takes a tenth of the time and is
not in every installation. They disagree on what is broken and on a few rare constructs. So what
libyaml reads counts where it finds nothing of both; all else is parsed again in Python, and no
installation reads another machine or gives another error.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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

MAX_CHARACTERS = 64 * 2**20
MAX_DEPTH = 32
MAX_NODES = 8_000_000

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

_RARE = ("\t", "\x85", "\u2028", "\u2029", "\ufeff", "\n%", "\r%")
_RARE_KEY = re.compile(r"(?<![^\s,\[\]{}])\?")
"""Tabs, rare line breaks, directives, and keys behind a "?": texts with one are not for libyaml."""


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    location: Location


@dataclass(frozen=True, slots=True)
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
    if yaml.__with_libyaml__ and not _is_rare(text):
        refused = (yaml.YAMLError, ValueError, OverflowError, SyntaxSpecError, _RareError)
        with contextlib.suppress(*refused):
            return _Composer(text, source, yaml.CSafeLoader).document()
    composer = _Composer(text, source, yaml.SafeLoader)
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


def _is_rare(text: str) -> bool:
    if text.startswith("%") or any(mark in text for mark in _RARE):
        return True
    return "?" in text and _RARE_KEY.search(text) is not None


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


class _RareError(Exception):
    """Something that libyaml reads otherwise than the parser in Python."""


class _Composer:
    """The nodes of a document, from the events of a loader of PyYAML."""

    def __init__(self, text: str, source: str, loader: Any) -> None:
        self.text, self.source = text, source
        self.in_python = loader is yaml.SafeLoader
        self.loader = loader(text)
        self.event: Any = yaml.StreamStartEvent()
        self.nodes = 0
        self.texts: dict[str, str] = {}  # those that were read, so that equal ones are one object

    @property
    def last(self) -> Location:
        """Where the last event begins."""
        return self.place(self.event) if self.event.start_mark else Location(self.source)

    def place(self, event: Any) -> Location:
        mark = event.start_mark
        return Location(self.source, mark.line + 1, mark.column + 1)

    def next(self) -> Any:
        self.event = event = self.loader.get_event()
        return event

    def document(self) -> Node | None:
        try:
            self.next()  # start of the stream
            if isinstance(self.next(), yaml.StreamEndEvent):
                return None
            root = self.node(self.next(), 0)
            self.next()  # end of the document
            if not isinstance(self.next(), yaml.StreamEndEvent):
                raise SyntaxSpecError(
                    "a second YAML document starts here; expected one machine in a file", self.last
                )
        finally:
            self.loader.dispose()
        return None if isinstance(root, Scalar) and root.nothing else root

    def node(self, event: Any, depth: int) -> Node:
        place = self.place(event)
        self.nodes += 1
        if (
            depth > MAX_DEPTH
            or self.nodes > MAX_NODES
            or event.anchor is not None
            or event.tag is not None
        ):
            raise self.refusal(event, place, depth)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, place)
        if isinstance(event, yaml.SequenceStartEvent):
            items = [self.node(each, depth + 1) for each in self.until(yaml.SequenceEndEvent)]
            return Items(tuple(items), place)
        if not self.in_python and event.flow_style and self.text[event.start_mark.index] != "{":
            raise _RareError  # one pair in a list, such as [a: b]
        pairs = [
            (self.key(each, depth + 1), self.node(self.next(), depth + 1))
            for each in self.until(yaml.MappingEndEvent)
        ]
        return Mapping(tuple(pairs), place)

    def scalar(self, event: Any, place: Location) -> Scalar:
        text = self.texts.setdefault(event.value, event.value)
        plain = not event.style
        start = event.start_mark
        if not self.in_python and (
            event.style in ("|", ">")
            or (plain and "?" in text)
            or (not text and plain and self.text[start.index - 1] not in ":-")
        ):
            raise _RareError
        return Scalar(text, place, plain, 1 + event.end_mark.line - start.line)

    def until(self, end: type) -> Iterator[Any]:
        while not isinstance(event := self.next(), end):
            yield event

    def key(self, event: Any, depth: int) -> Scalar:
        key = self.node(event, depth)
        if not isinstance(key, Scalar):
            raise SyntaxSpecError(
                "a list or a mapping cannot be a key; expected a name", key.location
            )
        if key.plain and key.text == "<<":
            raise SyntaxSpecError(
                'merge keys are not allowed; quote "<<" if it is a name', key.location
            )
        return key

    def refusal(self, event: Any, place: Location, depth: int) -> VsafsmError:
        """The error for a node that a spec has no use for."""
        if depth > MAX_DEPTH:
            return TooLargeError(
                f"lists and mappings are nested deeper than {MAX_DEPTH} levels", place
            )
        if self.nodes > MAX_NODES:
            return TooLargeError(f"the text holds more than {MAX_NODES} values", place)
        if event.anchor is not None:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            return SyntaxSpecError(
                f'"{sign}{event.anchor[:80]}": aliases and anchors are not allowed; write the value'
                " out, or quote it if it is a name",
                place,
            )
        return SyntaxSpecError(
            f'tag "{event.tag[:80]}" is not allowed; expected text, lists and mappings', place
        )
