"""Lines of a diagram that declare, join and describe states, read from the left."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsafsm.errors import (
    Location,
    NotImportableError,
    SyntaxSpecError,
    TooLargeError,
    did_you_mean,
)
from vsafsm.formats._diagram_parts import (
    Arrow,
    Closed,
    Declared,
    Described,
    Dialect,
    Divided,
    End,
    Piece,
    Statement,
)
from vsafsm.machine import listed

LONGEST_LINE = 100_000
"""Most characters of a line."""
_ENDS = {"[*]": "point", "[H]": "shallow", "[H*]": "deep"}
_WRONG_ARROWS = ("->", "=>", "==>", "---", "-.->", "→", "—>", "–>", "--")
_BREAK = re.compile(r"<br */?>|\\n")
_WORD = re.compile(r"[\w!@]+")
_MEANINGLESS = {
    "entryPoint": "enters a state past its border",
    "exitPoint": "leaves a state past its border",
    "inputPin": "is data that flows",
    "outputPin": "is data that flows",
    "expansionInput": "is data that flows",
    "expansionOutput": "is data that flows",
}


def first_word(text: str) -> str:
    """The word that a line begins with."""
    found = _WORD.match(text)
    return found[0] if found else ""


def breaks_as_spaces(text: str) -> str:
    """``<br>`` and ``\\n`` as line ends, at the same columns."""
    return _BREAK.sub(lambda found: found[0][:-1].translate(_BLANKS) + "\n", text)


_BLANKS = dict.fromkeys(range(128), " ")


def one_line(text: str) -> str:
    """Lines joined by a space."""
    return " ".join(part for each in text.split("\n") if (part := each.strip()))


class Line:
    """A line that is read from the left.

    Parameters
    ----------
    text
        The line, without its end.
    place
        Where it begins.
    dialect
        The language.
    """

    def __init__(self, text: str, place: Location, dialect: Dialect) -> None:
        self.whole = Piece(text.rstrip(), place)
        self.dialect = dialect
        self.at = 0
        self.skip()

    @property
    def rest(self) -> str:
        """What is left."""
        return self.whole.text[self.at :]

    @property
    def place(self) -> Location:
        """Where that begins."""
        start = self.whole.place
        return Location(start.source, start.line, start.column + self.at)

    def statement(self) -> Iterator[Statement]:
        """What the line says."""
        if self.rest == "}":
            yield Closed(self.place)
        elif self.rest and not self.rest.strip("-") and len(self.rest) > 1:
            yield Divided(self.place)
        elif self.begins_with("state"):
            self.takes("state")
            yield from self.declaration()
        else:
            yield from self.joined()

    def begins_with(self, word: str) -> bool:
        """Whether a keyword is next, and not a state that is called so."""
        if first_word(self.rest) != word:
            return False
        before = self.at
        self.at += len(word)
        self.skip()
        at, text = self.at, self.whole.text
        self.at = before
        return text[at : at + 1] != ":" and self.dialect.arrow(text, at) is None

    def takes(self, sign: str) -> bool:
        """Whether `sign` is next; it is passed over."""
        if not self.whole.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        self.skip()
        return True

    def skip(self) -> None:
        text = self.whole.text
        while self.at < len(text) and text[self.at].isspace():
            self.at += 1

    # ---- declarations

    def declaration(self) -> Iterator[Statement]:
        place, text = self.place, self.quoted()
        if text is None:
            name = self.name("the name of a state")
            if self.begins_with("as"):
                self.takes("as")
                text = self.quoted()
                if text is None:
                    raise self.wrong("a text in quotes")
        elif self.begins_with("as"):
            self.takes("as")
            place, name = self.place, self.name("the name of a state")
        else:
            name = one_line(breaks_as_spaces(text.text))
        kind = self.styled()
        opens = self.takes("{")
        if opens and self.takes("}"):
            opens = False
        yield Declared(name, place, text, kind, opens)
        if not opens and self.takes(":"):
            yield self.described(End(name, "state", place))
        elif self.rest:
            raise self.wrong('"{" or the end of the line')

    def quoted(self) -> Piece | None:
        if not self.rest.startswith('"'):
            return None
        start = self.at + 1
        end = self.whole.text.find('"', start)
        if end < 0:
            raise SyntaxSpecError("a quote is not closed; expected another one", self.place)
        self.at = end + 1
        self.skip()
        return self.whole.part(start, end)

    def styled(self) -> str:
        """The kind of a declared state; colours and links are passed over."""
        kind, text = "state", self.whole.text
        while True:
            place, at = self.place, self.at
            for opening, closing in (("<<", ">>"), ("[[", "]]")):
                end = text.find(closing, at) if text.startswith(opening, at) else -1
                if end >= 0:
                    self.at = end + 2
                    word = text[at + 2 : end].strip()
                    if opening == "<<" or word in self.dialect.kinds:
                        kind = self.kind(word, place) or kind
                    break
            else:
                if not text.startswith(("#", ":::"), at):
                    return kind
                while self.at < len(text) and not text[self.at].isspace():
                    self.at += 1
            self.skip()

    def kind(self, word: str, place: Location) -> str:
        known = self.dialect.kinds
        if word in known:
            return known[word]
        if word in _MEANINGLESS:
            raise NotImportableError(
                f"<<{word}>> {_MEANINGLESS[word]}; expected an arrow to a state inside", place
            )
        hint = did_you_mean(word, known)
        if hint or not self.dialect.other_kinds:
            raise SyntaxSpecError(
                f'unknown kind of state "<<{word[:80]}>>"; expected {listed([*known])}{hint}',
                place,
            )
        return ""

    # ---- arrows and descriptions

    def joined(self) -> Iterator[Statement]:
        source = self.end()
        text = self.whole.text
        sign = self.dialect.arrow(text, self.at)
        if sign is not None:
            self.at = sign.end
            self.skip()
            target = self.end()
            label = None
            if self.takes(":"):
                label = self.label()
            elif self.rest:
                raise self.wrong('":" and a label, or the end of the line')
            if sign.drawn:
                ends = (target, source) if sign.left else (source, target)
                yield Arrow(*ends, label)
        elif source.kind == "state" and self.takes(":"):
            yield self.described(source)
        elif source.kind == "state" and not self.rest and self.dialect.lone_names:
            yield Declared(source.name, source.place)
        else:
            raise self.unknown(source)

    def described(self, state: End) -> Described:
        return Described(state, self.label())

    def label(self) -> Piece:
        found = self.whole.part(self.at)
        return Piece(breaks_as_spaces(found.text), found.place)

    def end(self) -> End:
        place, text = self.place, self.whole.text
        for sign, kind in _ENDS.items():
            if self.takes(sign):
                return self.of_kind("", sign, kind, place)
        name = self.name("a state")
        for sign, kind in _ENDS.items():
            if kind != "point" and text.startswith(sign, self.at) and self.takes(sign):
                return self.of_kind(name, sign, kind, place)
        if self.takes(":::"):
            self.name("the name of a style")
        return End(name, "state", place)

    def of_kind(self, name: str, sign: str, kind: str, place: Location) -> End:
        if kind == "point":
            return End(name, "point", place)
        if not self.dialect.histories:
            raise NotImportableError(
                f'"{sign}" is a history, which {self.dialect.name} does not know; expected a state',
                place,
            )
        return End(name, "deep" if kind == "deep" else "shallow", place)

    def name(self, expected: str) -> str:
        text, start = self.whole.text, self.at
        if text.startswith('"', start):
            found = self.quoted()
            return found.text if found else ""
        at = start
        while at < len(text):
            sign = text[at]
            if sign.isspace() or sign in ':{}"' or text.startswith(("<<", "[H"), at):
                break
            begins = sign in "-<" and (at == start or text[at - 1] not in "-<")
            if begins and self.dialect.arrow(text, at) is not None:
                break
            at += 1
        name, place = text[start:at], self.place
        if not name:
            raise self.wrong(expected)
        if name == "*":
            raise SyntaxSpecError('"*" is no state; expected "[*]"', place)
        self.at = at
        self.skip()
        return name

    # ---- errors

    def wrong(self, expected: str) -> SyntaxSpecError:
        there = f'"{self.rest[:40]}"' if self.rest else "the end of the line"
        return SyntaxSpecError(f"{there} cannot stand here; expected {expected}", self.place)

    def unknown(self, source: End) -> SyntaxSpecError:
        """What is said of a line that begins with a name, and goes on with nothing known."""
        mark = self.rest.split(maxsplit=1)[0] if self.rest else ""
        if mark in _WRONG_ARROWS:
            return SyntaxSpecError(
                f'"{mark}" is no arrow; expected "-->"; did you mean "-->"?', self.place
            )
        if source.kind != "state":
            return self.wrong('"-->"')
        hint = did_you_mean(source.name, self.dialect.keywords)
        if self.rest:
            there = f'"{source.name[:40]} {self.rest[:40]}" is no line of {self.dialect.name}'
        else:
            there = f'"{source.name[:80]}" stands alone'
        return SyntaxSpecError(
            f'{there}; expected "a --> b", "a : text", "state a" or another keyword{hint}',
            source.place,
        )


def lines_of(text: str, source: str) -> Iterator[tuple[str, Location]]:
    """Each line with the place where it begins.

    Raises
    ------
    TooLargeError
        If one is longer than `LONGEST_LINE`.
    """
    for number, line in enumerate(text.split("\n"), 1):
        place = Location(source, number)
        if len(line) > LONGEST_LINE:
            raise TooLargeError(f"a line is longer than {LONGEST_LINE} characters", place)
        yield line, place
