"""Diagrams of states in Mermaid: ``stateDiagram-v2``.

Labels of arrows are ``event, event [guard] / output, output`` (`vsafsm.formats._diagram_labels`);
what states, arrows and descriptions mean is told in `vsafsm.formats._diagram_charts`. Notes,
styles, directions, comments and the front matter say nothing, but for its ``title``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from html import unescape

from vsafsm.errors import Location, SyntaxSpecError, did_you_mean
from vsafsm.formats import Format, Reading
from vsafsm.formats._diagram_charts import diagram_chart, diagram_reading
from vsafsm.formats._diagram_lines import Line, first_word, lines_of
from vsafsm.formats._diagram_parts import Dialect, Sign, Statement, Titled
from vsafsm.formats._diagram_writer import diagram_lines
from vsafsm.machine import Machine
from vsafsm.statecharts import Statechart

HEADS = ("stateDiagram-v2", "stateDiagram")
SPECIAL = frozenset('"#;:<>&{}[]()|\\`/,=%*')
"""What would mean something to Mermaid, or in a label."""
_IGNORED = ("direction", "classDef", "class", "style", "click", "linkStyle", "hide", "scale")
_TEXTS = ("accTitle", "accDescr")
_OTHER_DIAGRAMS = ("flowchart", "graph", "sequenceDiagram", "classDiagram", "erDiagram")
_ENTITY = re.compile(r"#(\w{1,31});")


def read_mermaid(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors and, without its suffix, an
    unnamed machine.

    Raises
    ------
    SyntaxSpecError, NondeterministicError, UnknownStateError, NotImportableError, TooLargeError
        If the text is no diagram of states, or has no meaning as one; with the place.
    """
    return diagram_reading(_statements(text, source), source, MERMAID)


def read_chart(text: str, source: str) -> Statechart:
    """The statechart in `text`; `source` names the text in errors, which are as those of
    `read_mermaid`.
    """
    return diagram_chart(_statements(text, source), source, MERMAID)


# ---- reading


def _arrow(text: str, at: int) -> Sign | None:
    return Sign(at + 3) if text.startswith("-->", at) else None


def _decode(text: str) -> str:
    """`text` without entities: ``#35;``, ``#quot;``."""
    return _ENTITY.sub(_letter, text)


def _letter(found: re.Match[str]) -> str:
    entity = f"&{'#' if found[1].isdecimal() else ''}{found[1]};"
    return found[0] if (letter := unescape(entity)) == entity else letter


MERMAID = Dialect(
    "Mermaid",
    _arrow,
    _decode,
    {"choice": "choice", "fork": "fork", "join": "join"},
    ("state", "note", *_IGNORED, *_TEXTS),
    other_kinds=False,
    lone_names=True,
    histories=False,
)


def _statements(text: str, source: str) -> Iterator[Statement]:
    lines = lines_of(text, source)
    yield from _head(lines, source)
    for text_, place in lines:
        line = Line(text_, place, MERMAID)
        word = first_word(line.rest)
        if not line.rest or line.rest.startswith("%%"):
            continue
        if word in _TEXTS:
            if "{" in line.rest and "}" not in line.rest:
                _skip(lines, "}", line.place)
        elif line.begins_with("note"):
            if ":" not in line.rest and '"' not in line.rest:
                _skip(lines, "end note", line.place)
        elif word not in _IGNORED or not line.begins_with(word):
            yield from line.statement()


def _head(lines: Iterator[tuple[str, Location]], source: str) -> Iterator[Statement]:
    """The title of a front matter; reads up to ``stateDiagram-v2``."""
    front, place = 0, Location(source)
    for text, place in lines:
        told = text.strip()
        if told == "---" and front < 2:
            front += 1
        elif front == 1:
            if text.startswith("title:"):
                yield Titled(_unquoted(told.removeprefix("title:").strip()))
        elif told in HEADS:
            return
        elif told and not told.startswith("%%"):
            word = told.split(maxsplit=1)[0]
            hint = did_you_mean(word, HEADS)
            other = f", a {word}" if word in _OTHER_DIAGRAMS else ""
            raise SyntaxSpecError(
                f'the diagram begins with "{told[:40]}"{other}; expected "{HEADS[0]}"{hint}', place
            )
    raise SyntaxSpecError(f'there is no diagram; expected "{HEADS[0]}"', place)


def _unquoted(title: str) -> str:
    if title.startswith('"'):
        try:
            found = json.loads(title)
        except ValueError:
            return title
        return str(found)
    return title


def _skip(lines: Iterable[tuple[str, Location]], last: str, place: Location) -> None:
    """Read up to a line."""
    for text, _ in lines:
        if text.strip() == last:
            return
    raise SyntaxSpecError(f'what begins here has no end; expected "{last}"', place)


# ---- writing


def write_mermaid(machine: Machine) -> str:
    """`machine` as a ``stateDiagram-v2``.

    Any name can be written: characters that mean something stand as their numbers (``#44;``).
    """
    return mermaid(machine, machine.states)


def mermaid(machine: Machine, states: Iterable[str], lit: str | None = None) -> str:
    """A machine as Mermaid text, which many pages draw by themselves.

    Parameters
    ----------
    machine
        The machine.
    states
        The states that are drawn: the initial one, and with each those that it leads to.
    lit
        One that is lit up.

    Examples
    --------
    >>> lamp = Machine.from_dict(
    ...     {"name": "lamp", "transitions": {"off": {"press": "on"}, "on": {"press": "off"}}}
    ... )
    >>> print(mermaid(lamp, lamp.reachable), end="")
    ---
    title: "lamp"
    ---
    stateDiagram-v2
        state "off" as s0
        state "on" as s1
        [*] --> s0
        s0 --> s1 : press
        s1 --> s0 : press
    """
    states = list(states)
    lines = [*diagram_lines(machine, states, escaped, _number)]
    if lit is not None:
        lines += [
            "classDef now fill:#ffe2a8,stroke:#3b4cc0,color:#1b1d28",
            f"class s{states.index(lit)} now",
        ]
    head = f"---\ntitle: {json.dumps(machine.name, ensure_ascii=False)}\n---\n{HEADS[0]}\n"
    return head + "".join(f"    {line}\n" for line in lines)


def escaped(name: str) -> str:
    """A name in which nothing means anything: special characters by their numbers."""
    return "".join(_number(letter) if letter in SPECIAL else letter for letter in name)


def _number(letter: str) -> str:
    return f"#{ord(letter)};"


FORMAT = Format(
    "mermaid",
    (".mmd", ".mermaid"),
    read_mermaid,
    write_mermaid,
    "diagrams of states in Mermaid",
    chart=read_chart,
)
