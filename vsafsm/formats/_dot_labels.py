"""Labels of DOT as the text that Graphviz shows.

Between reading an attribute and using it, a label keeps its backslash escapes: a line break is
``\\n`` or a newline, and a sign that stands for itself has a backslash before it.
"""

from __future__ import annotations

import re
from html import unescape

from vsafsm.formats._dot_graph import DotText

LINE_ENDS = ("\\n", "\\l", "\\r", "\n")
SIGNS = "|{}<>"
"""What has a meaning in the label of a record."""

_ENTITY = re.compile(r"&(?:#[0-9]{1,9}|#[xX][0-9A-Fa-f]{1,8}|[A-Za-z][A-Za-z0-9]{1,40});")
_ESCAPE_OR_ENTITY = re.compile(rf"\\.|{_ENTITY.pattern}", re.DOTALL)
_SIGN = re.compile(rf"\\.|[{SIGNS}]", re.DOTALL)
_TAG_TEXTS = {"br": "\n", "hr": "\n", "/tr": "\n", "/td": " "}


def label_of(value: DotText, name: str) -> str:
    """The label that an attribute gives to the node or edge called `name`: tags are dropped,
    entities resolved, and ``\\N`` is the name.
    """
    if value.html:
        return _html_text(value.text).replace("\\", "\\\\")

    def resolved(found: re.Match[str]) -> str:
        if found.group() == "\\N":
            return _SIGN.sub(lambda sign: sign.group().rjust(2, "\\"), name)
        return (
            found.group() if found.group()[0] == "\\" else escaped(unescape(found.group()), SIGNS)
        )

    return _ESCAPE_OR_ENTITY.sub(resolved, value.text)


def _html_text(markup: str) -> str:
    pieces, index = [], 0
    while (opening := markup.find("<", index)) >= 0:
        pieces.append(_words(markup[index:opening]))
        comment = markup.startswith("<!--", opening)
        closing = markup.find("-->" if comment else ">", opening)
        if closing < 0:
            return "".join(pieces)
        words = markup[opening + 1 : closing].lower().split(maxsplit=1)
        pieces.append(_TAG_TEXTS.get(words[0].rstrip("/"), "") if words and not comment else "")
        index = closing + (3 if comment else 1)
    return "".join([*pieces, _words(markup[index:])])


def _words(text: str) -> str:
    """Text between tags: white space of any length is one space."""
    return _ENTITY.sub(lambda found: unescape(found.group()), re.sub(r"\s+", " ", text))


def split(label: str, marks: tuple[str, ...]) -> list[str]:
    """Parts between marks that no backslash stands before; a mark may itself be an escape."""
    parts: list[list[str]] = [[]]
    for piece in re.findall(r"\\.|\\$|[^\\]", label, re.DOTALL):
        if piece in marks:
            parts.append([])
        else:
            parts[-1].append(piece)
    return ["".join(part) for part in parts]


def readable(label: str) -> str:
    """A label in one line, without escapes and without spaces around it."""
    return " ".join(
        re.sub(r"\\(.)", r"\1", line, flags=re.DOTALL).strip() for line in split(label, LINE_ENDS)
    ).strip()


def escaped(text: str, signs: str = "") -> str:
    """`text` as a label: with a backslash before backslashes and `signs`, and without what would be
    read as an entity.
    """
    plain = _ENTITY.sub(lambda found: "&amp;" + found.group()[1:], text)
    return re.sub(rf"([\\{re.escape(signs)}])", r"\\\1", plain)
