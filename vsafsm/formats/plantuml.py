"""Diagrams of states in PlantUML.

Labels of arrows are ``event, event [guard] / output, output`` (`vsafsm.formats._diagram_labels`);
what states, arrows and descriptions mean is told in `vsafsm.formats._diagram_charts`. Notes,
styles, layout and comments say nothing, but for the ``title``. The preprocessor is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import PurePath

from vsafsm.errors import Location, NotImportableError, SyntaxSpecError, did_you_mean
from vsafsm.formats import Format, Reading
from vsafsm.formats._diagram_charts import diagram_chart, diagram_reading
from vsafsm.formats._diagram_lines import Line, first_word, lines_of
from vsafsm.formats._diagram_parts import Dialect, Sign, Statement, Titled
from vsafsm.formats._diagram_writer import diagram_lines
from vsafsm.machine import Machine
from vsafsm.statecharts import Statechart

START, END = "@startuml", "@enduml"
SPECIAL = frozenset("\"<>&#\\~*[],/=:;{}|'%!")
"""What would mean something to PlantUML, or in a label."""
_ENDS = {
    "note": ("end note", "endnote"),
    "title": ("end title", "endtitle"),
    "header": ("end header", "endheader"),
    "footer": ("end footer", "endfooter"),
    "legend": ("end legend", "endlegend"),
    "skinparam": ("}",),
    "<style>": ("</style>",),
}
"""What ends what goes on over several lines."""
_IGNORED = (
    *("hide", "show", "scale", "left", "top", "allow_mixing", "caption", "mainframe", "set"),
    *("remove", "restore", "skin", "autonumber"),
)
_IGNORED_COMMANDS = ("!theme", "!pragma", "!assume")
_ARROW = re.compile(
    r"(<)?-+(\[[^\]]{0,100}\])?(?:left|right|up|down|le|ri|do|l|r|u|d)?(\[[^\]]{0,100}\])?-*(>)?"
)
_ESCAPE = re.compile(r"<U\+([0-9A-Fa-f]{4,6})>|&#?\w{1,31};")
_DOUBLED = re.compile(r"(?<=_)_|(?<=-)-")


def read_plantuml(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors and, without its suffix, an
    unnamed machine.

    Raises
    ------
    SyntaxSpecError, NondeterministicError, UnknownStateError, NotImportableError, TooLargeError
        If the text is no diagram of states, or has no meaning as one; with the place.
    """
    return diagram_reading(_statements(text, source), source, PLANTUML)


def read_chart(text: str, source: str) -> Statechart:
    """The statechart in `text`; `source` names the text in errors, which are as those of
    `read_plantuml`.
    """
    return diagram_chart(_statements(text, source), source, PLANTUML)


# ---- reading


def _arrow(text: str, at: int) -> Sign | None:
    found = _ARROW.match(text, at) if text[at : at + 1] in ("-", "<") else None
    if found is None or bool(found[1]) == bool(found[4]):
        return None
    return Sign(found.end(), bool(found[1]), "hidden" not in (found[2] or found[3] or ""))


def _decode(text: str) -> str:
    """`text` without escapes: ``<U+002C>``, ``&#44;``."""
    return _ESCAPE.sub(_letter, text)


def _letter(found: re.Match[str]) -> str:
    if found[1] is None:
        return unescape(found[0])
    code = int(found[1], 16)
    return chr(code) if code < 0xD800 or 0xDFFF < code < 0x110000 else found[0]


PLANTUML = Dialect(
    "PlantUML",
    _arrow,
    _decode,
    {
        **{kind: kind for kind in ("choice", "fork", "join", "start", "end")},
        **{kind: kind for kind in ("history", "history*")},
    },
    ("state", *_ENDS, *_IGNORED),
    other_kinds=True,
    lone_names=False,
    histories=True,
)


def _statements(text: str, source: str) -> Iterator[Statement]:
    lines = _without_comments(_inside(text, source))
    for text_, place in lines:
        line = Line(text_, place, PLANTUML)
        rest = line.rest
        word = "<style>" if rest.startswith("<style>") else first_word(rest)
        if rest.startswith("!"):
            if word not in _IGNORED_COMMANDS:
                raise NotImportableError(
                    f'"{word[:40]}" is for the preprocessor of PlantUML; expected its output',
                    line.place,
                )
        elif word in _ENDS and (word == "<style>" or line.begins_with(word)):
            told = rest[len(word) :].strip()
            if word == "title" and told:
                yield Titled(_decode(told))
            if _goes_on(word, told):
                _skip(lines, _ENDS[word], line.place)
        elif rest == "||":
            yield from Line("--", line.place, PLANTUML).statement()
        elif rest and not (word in _IGNORED and line.begins_with(word)):
            yield from line.statement()


def _goes_on(word: str, told: str) -> bool:
    """Whether more lines follow, behind a keyword and what stands in its line."""
    if word == "note":
        return ":" not in told and not told.startswith('"')
    if word == "skinparam":
        return told.endswith("{")
    if word == "<style>":
        return not told.endswith("</style>")
    return word == "legend" or not told


def _skip(lines: Iterator[tuple[str, Location]], last: tuple[str, ...], place: Location) -> None:
    """Read up to a line; braces nest."""
    depth = 0
    for text, _ in lines:
        told = text.strip()
        if told in last and not depth:
            return
        if last == ("}",):
            depth += told.endswith("{") - (told == "}")
    raise SyntaxSpecError(f'what begins here has no end; expected "{last[0]}"', place)


def _inside(text: str, source: str) -> Iterator[tuple[str, Location]]:
    """The lines between ``@startuml`` and ``@enduml``, or all where there are none."""
    bare = not any(line.lstrip().startswith("@start") for line in text.split("\n"))
    started = ended = False
    for line, place in lines_of(text, source):
        told = line.strip()
        word = first_word(told)
        if not word.startswith("@"):
            if (started or bare) and not ended:
                yield line, place
        elif word == END and (started or bare):
            ended = True
        elif word == START and not started:
            started = True
            name = PurePath(told.removeprefix(START).strip().strip('"')).stem
            if name:
                yield f"title {name}", place
        elif started or word != START:
            known = (START, END)
            raise SyntaxSpecError(
                f'"{told[:40]}" cannot stand here; expected one "{START}" and one "{END}"'
                f"{did_you_mean(word, known)}",
                place,
            )


def _without_comments(lines: Iterator[tuple[str, Location]]) -> Iterator[tuple[str, Location]]:
    """Lines without ``' ...`` and ``/' ... '/``, whose columns stay blank."""
    opened: Location | None = None
    for line, place in lines:
        pieces: list[str] = []
        at = 0
        while at < len(line):
            mark = "'/" if opened else "/'"
            found = line.find(mark, at)
            end = len(line) if found < 0 else found
            pieces.append(" " * (end - at) if opened else line[at:end])
            if found >= 0:
                start = Location(place.source, place.line, found + 1)
                opened = None if opened else start
                pieces.append("  ")
            at = end + 2
        text = "".join(pieces)
        yield "" if text.lstrip().startswith("'") else text, place
    if opened:
        raise SyntaxSpecError('a comment has no end; expected "\'/"', opened)


# ---- writing


def write_plantuml(machine: Machine) -> str:
    """`machine` as a diagram of states.

    Any name can be written: characters that mean something stand as their code (``<U+002C>``).

    Examples
    --------
    >>> lamp = Machine.from_dict(
    ...     {"name": "lamp", "transitions": {"off": {"press": "on"}, "on": {"press": "off"}}}
    ... )
    >>> print(write_plantuml(lamp), end="")
    @startuml
    title lamp
    state "off" as s0
    state "on" as s1
    [*] --> s0
    s0 --> s1 : press
    s1 --> s0 : press
    @enduml
    """
    lines = diagram_lines(machine, machine.states, escaped, _code)
    return "\n".join([START, f"title {escaped(machine.name)}", *lines, END]) + "\n"


def escaped(name: str) -> str:
    """A name in which nothing means anything: special characters by their code."""
    text = "".join(_code(letter) if letter in SPECIAL else letter for letter in name)
    return _DOUBLED.sub(lambda found: _code(found[0]), text)


def _code(letter: str) -> str:
    return f"<U+{ord(letter):04X}>"


FORMAT = Format(
    "plantuml",
    (".puml", ".plantuml"),
    read_plantuml,
    write_plantuml,
    "diagrams of states in PlantUML",
    chart=read_chart,
)
