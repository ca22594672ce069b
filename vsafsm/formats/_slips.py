"""Which line of a broken YAML text is to blame.

A line without a colon joins the next one to one text, so that YAML's parser stumbles later, over
the next colon. Here such a line is looked for from the top.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vsafsm.errors import Location, SyntaxSpecError

_BLOCK_TEXT = re.compile(r"[:-] +[|>][0-9+-]{0,2} *$")
_IN_PLACE_OF_COLON = ("->", "=>", "=", "：", ";")


@dataclass
class _Nesting:
    """How many brackets, and which quote, are open at a place of the text."""

    brackets: int = 0
    quote: str = ""

    @property
    def open(self) -> bool:
        return bool(self.brackets or self.quote)


def first_slip(text: str, last_line: int, source: str) -> SyntaxSpecError | None:
    """The error for the first line, up to `last_line`, that is neither ``key: value`` nor an item
    of a list; None where there is none.
    """
    for number, line in _block_lines(text, last_line):
        colon = _colon(line)
        if colon is None:
            indent = len(line) - len(line.lstrip())
            return SyntaxSpecError(
                f'this line has no colon; expected "key: value"{_instead(line)}',
                Location(source, number, indent + 1),
            )
        if line[colon + 1 : colon + 2].strip():
            return SyntaxSpecError(
                space_is_missing(line.strip(), line[:colon].strip(), line[colon + 1 :]),
                Location(source, number, colon + 1),
            )
    return None


def space_is_missing(line: str, key: str, value: str) -> str:
    """What is said of ``key:value``."""
    return (
        f'a space is missing after the colon in "{line[:60]}"; expected "{key[:40]}: {value[:40]}"'
    )


def _instead(line: str) -> str:
    if line.lstrip().startswith(("//", "/*", "--", "%", ";")):
        return ', or "#" before a comment'
    sign = next((sign for sign in _IN_PLACE_OF_COLON if sign in line), None)
    return f', with ":" in place of "{sign}"' if sign else ""


def _block_lines(text: str, last_line: int) -> Iterator[tuple[int, str]]:
    """The lines, with their numbers, that begin outside brackets, quotes and blocks of text, and
    are no item of a list; without comments.
    """
    nesting = _Nesting()
    block: int | None = None  # indentation of the line that opened a block of text
    for number, line in enumerate(text.split("\n")[:last_line], 1):
        line = line.rstrip("\r")
        indent = len(line) - len(line.lstrip(" "))
        if block is not None and (not line.strip() or indent > block):
            continue
        block = None
        begins_outside = not nesting.open
        line = _without_comment(line, nesting)
        stripped = line.strip()
        if not begins_outside or not stripped:
            continue
        if _BLOCK_TEXT.search(line):
            block = indent
        if not stripped.startswith(
            ("- ", "? ", ": ", "{", "[", "---", "...", "%YAML", "%TAG")
        ) and (stripped not in ("-", "?", "}", "]")):
            yield number, line


def _without_comment(line: str, nesting: _Nesting) -> str:
    """The line up to a comment; `nesting` follows its brackets and quotes."""
    before = " "
    for index, sign in enumerate(line):
        if nesting.quote:
            nesting.quote = "" if sign == nesting.quote and before != "\\" else nesting.quote
        elif sign == "#" and before == " ":
            return line[:index]
        elif sign in "\"'" and before in " [{,:":
            nesting.quote = sign
        elif sign in "[{" and (nesting.brackets or before in " :"):
            nesting.brackets += 1
        elif sign in "]}" and nesting.brackets:
            nesting.brackets -= 1
        before = sign
    return line


def _colon(line: str) -> int | None:
    """The colon behind a line's key: the first with a space or nothing behind it, else the first;
    quotes at the start are passed over.
    """
    start = len(line) - len(line.lstrip())
    if line[start : start + 1] in ("'", '"'):
        closing = line.find(line[start], start + 1)
        start = closing + 1 if closing >= 0 else start
    bracket = next((i for i in range(start, len(line)) if line[i] in "[{"), len(line))
    colons = [i for i in range(start, bracket) if line[i] == ":"]
    good = [i for i in colons if not line[i + 1 : i + 2].strip()]
    return next(iter(good or colons), None)
