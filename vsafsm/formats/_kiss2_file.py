"""A KISS2 file, alone or inside BLIF, as directives and rows that are checked one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from vsafsm.errors import (
    BadNameError,
    Location,
    SpecError,
    SyntaxSpecError,
    TooLargeError,
    did_you_mean,
)
from vsafsm.machine import Outputs, check_name, listed

MAX_BITS = 1024

_COUNTS = (".i", ".o", ".p", ".s")
_DIRECTIVES = (*_COUNTS, ".r", ".ilb", ".ob", ".e", ".end")
_BLIF_LABELS = {".inputs": ".ilb", ".outputs": ".ob"}
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Kiss2Line:
    """The words of a line, with those of the lines that continue it, and its number."""

    words: list[str]
    line: int


@dataclass(frozen=True)
class Kiss2File:
    """The directives by name, and the rows: cube, present state, next state, outputs (empty for
    ``.o 0``). `model` is the name that BLIF gives, `ended` the line of ``.e`` or 0.
    """

    source: str
    lines: list[str]
    directives: dict[str, Kiss2Line] = field(default_factory=dict)
    rows: list[Kiss2Line] = field(default_factory=list)
    model: str = ""
    ended: int = 0

    def place(self, line: int, word: int = 0) -> Location:
        """The place of a word of a line; past the last word, the end of the line."""
        while True:
            text, continued = _body(self.lines[line - 1])
            starts = [found.start() for found in re.finditer(r"\S+", text)]
            if word < len(starts):
                return Location(self.source, line, starts[word] + 1)
            if not continued or line == len(self.lines):
                return Location(self.source, line, len(text.rstrip()) + 1)
            line, word = line + 1, word - len(starts)

    def value_place(self, word: str) -> Location:
        return self.place(self.directives[word].line, 1)


def parse_kiss2(text: str, source: str) -> Kiss2File:
    """The file in `text`; of BLIF, what is between ``.start_kiss`` and ``.end_kiss``.

    Raises
    ------
    SpecError
        One of its subclasses, with the place.
    """
    lines = _LINE_END.split(text)
    found = list(_joined(lines))
    blif = any(each.words[0] in (".model", ".start_kiss") for each in found)
    file = _of_blif(Kiss2File(source, lines), found) if blif else _of_kiss2(source, lines, found)
    if not file.directives and not file.rows:
        raise SyntaxSpecError("the file is empty; expected .i, .o and rows", Location(source))
    return file


def _body(line: str) -> tuple[str, bool]:
    """A line without its comment, and whether a backslash at its end continues it."""
    text = line.partition("#")[0].rstrip()
    return text.removesuffix("\\"), text.endswith("\\")


def _joined(lines: list[str]) -> Iterator[Kiss2Line]:
    words: list[str] = []
    first = 0
    for number, line in enumerate(lines, 1):
        text, continued = _body(line)
        first = first or number
        words += text.split()
        if not continued or number == len(lines):
            if words:
                yield Kiss2Line(words, first)
            words, first = [], 0


def _of_kiss2(source: str, lines: list[str], found: Iterable[Kiss2Line]) -> Kiss2File:
    file = Kiss2File(source, lines)
    for each in found:
        if each.words[0] in (".e", ".end"):
            return Kiss2File(source, lines, file.directives, file.rows, ended=each.line)
        _add(file, each)
    return file


def _add(file: Kiss2File, line: Kiss2Line) -> None:
    if line.words[0].startswith("."):
        _add_directive(file, line)
    else:
        file.rows.append(line)


def _of_blif(empty: Kiss2File, found: list[Kiss2Line]) -> Kiss2File:
    """The state table of the one model that has one. Names of the model's inputs and outputs hold
    where the table has none of its own.
    """
    starts = [i for i, each in enumerate(found) if each.words[0] == ".start_kiss"]
    if len(starts) != 1:
        what = "a second .start_kiss" if starts else "BLIF without .start_kiss is no state machine"
        line = found[starts[1]].line if starts else found[0].line
        raise SyntaxSpecError(f"{what}; expected one state table", empty.place(line))
    (start,) = starts
    ends = [i for i, each in enumerate(found) if each.words[0] == ".end_kiss" and i > start]
    if not ends:
        raise SyntaxSpecError(
            "the state table is not closed; expected .end_kiss: is the file cut off?",
            empty.place(found[start].line),
        )
    first, last = _model(found, start)
    outside = [*found[first:start], *found[ends[0] + 1 : last]]
    named = [each.words[1] for each in outside if each.words[0] == ".model" and each.words[1:]]
    file = Kiss2File(empty.source, empty.lines, model=named[0] if named else "")
    for each in found[start + 1 : ends[0]]:
        if each.words[0] in (".e", ".end"):
            break
        _add(file, each)
    for word, label in _BLIF_LABELS.items():
        matches = [each for each in outside if each.words[0] == word]
        if matches and label not in file.directives:
            names = [name for each in matches for name in each.words[1:]]
            file.directives[label] = Kiss2Line([word, *names], matches[0].line)
    return file


def _model(found: list[Kiss2Line], start: int) -> tuple[int, int]:
    """From where to where the model reaches that has the line `start`."""
    models = [i for i, each in enumerate(found) if each.words[0] == ".model"]
    first = max((i for i in models if i < start), default=0)
    return first, min((i for i in models if i > start), default=len(found))


def _add_directive(file: Kiss2File, directive: Kiss2Line) -> None:
    word, place = directive.words[0], file.place(directive.line)
    if word not in _DIRECTIVES:
        hint = did_you_mean(word, _DIRECTIVES)
        raise SyntaxSpecError(
            f'unknown directive "{word[:80]}"; expected'
            f" {listed(_DIRECTIVES, len(_DIRECTIVES))}{hint}",
            place,
        )
    if word in file.directives:
        raise SyntaxSpecError(
            f"{word} stands twice (first in line {file.directives[word].line})", place
        )
    if word in (*_COUNTS, ".r") and len(directive.words) != 2:
        expected = "the name of a state" if word == ".r" else "one number"
        raise SyntaxSpecError(
            f"{word} has {len(directive.words) - 1} values; expected {expected}", place
        )
    file.directives[word] = directive


def count_of(file: Kiss2File, word: str) -> int | None:
    """The number that a directive gives; ``None`` where it is not there."""
    if word not in file.directives:
        return None
    directive = file.directives[word]
    if not re.fullmatch(r"[0-9]{1,9}", directive.words[1]):
        raise SyntaxSpecError(
            f'{word} is "{directive.words[1][:80]}"; expected a whole number',
            file.place(directive.line, 1),
        )
    return int(directive.words[1])


def _needed_count(file: Kiss2File, word: str, what: str) -> int:
    count = count_of(file, word)
    if count is None:
        raise SyntaxSpecError(
            f"there is no {word} line; expected {word} and the {what}", Location(file.source)
        )
    if count > MAX_BITS:
        raise TooLargeError(
            f"{word} is {count}; expected at most {MAX_BITS}", file.value_place(word)
        )
    return count


def input_width(file: Kiss2File) -> int:
    width = _needed_count(file, ".i", "number of input bits")
    if width == 0:
        raise SpecError(
            "a machine without inputs (.i 0) cannot move; expected .i 1 or more",
            file.value_place(".i"),
        )
    _labels(file, ".ilb", ".i", width)
    return width


def output_names(file: Kiss2File) -> Outputs:
    count = _needed_count(file, ".o", "number of output bits")
    return _labels(file, ".ob", ".o", count) or tuple(f"o{i}" for i in range(count))


def _labels(file: Kiss2File, word: str, counted: str, count: int) -> Outputs:
    if word not in file.directives:
        return ()
    directive = file.directives[word]
    names = directive.words[1:]
    if len(names) != count:
        place = file.place(directive.line)
        raise SyntaxSpecError(
            f"{directive.words[0]} gives {len(names)} names; expected {count}, as {counted} says",
            place,
        )
    for position, name in enumerate(names):
        _check_name(file, word.removeprefix(".") + " label", name, directive.line, position + 1)
        if name in names[:position]:
            raise SyntaxSpecError(
                f'{directive.words[0]} gives the name "{name}" twice',
                file.place(directive.line, position + 1),
            )
    return tuple(names)


def _check_name(file: Kiss2File, kind: str, name: str, line: int, word: int) -> None:
    try:
        check_name(kind, name)
    except BadNameError as error:
        raise BadNameError(error.message, file.place(line, word)) from None


def check_rows(file: Kiss2File, width: int, outputs: int) -> None:
    if not file.rows:
        raise SyntaxSpecError(
            "the file has no rows; expected rows of input, state, next state, output",
            Location(file.source),
        )
    fields = 4 if outputs else 3
    good_cubes: set[str] = set()
    good_outputs: set[str] = {""}
    good_states: set[str] = set()
    for row in file.rows:
        if len(row.words) != fields:
            raise _wrong_fields(file, row, fields)
        if fields == 3:
            row.words.append("")
        cube, *states, bits = row.words
        if cube not in good_cubes:
            _check_bits(file, row, 0, "input cube", width)
            good_cubes.add(cube)
        if bits not in good_outputs:
            _check_bits(file, row, 3, "output", outputs)
            good_outputs.add(bits)
        for position, state in enumerate(states, 1):
            if state not in good_states:
                _check_name(file, "state", state, row.line, position)
                good_states.add(state)


def _wrong_fields(file: Kiss2File, row: Kiss2Line, fields: int) -> SyntaxSpecError:
    names = ("an input cube", "the present state", "the next state", "the output bits")[:fields]
    few = len(row.words) < fields
    problem = (
        f"the row ends after {len(row.words)} of {fields} fields"
        if few
        else f"the row has more than {fields} fields"
    )
    return SyntaxSpecError(
        f"{problem}; expected {', '.join(names)}", file.place(row.line, min(len(row.words), fields))
    )


def _check_bits(file: Kiss2File, row: Kiss2Line, word: int, what: str, width: int) -> None:
    text, place = row.words[word], file.place(row.line, word)
    bad = next((i for i, c in enumerate(text) if c not in "01-"), None)
    if bad is not None:
        place = Location(place.source, place.line, place.column + bad)
        raise SyntaxSpecError(
            f"the {what} holds the character {text[bad]!r}; expected 0, 1 or -", place
        )
    if len(text) != width:
        raise SyntaxSpecError(
            f'the {what} "{text[:80]}" has {len(text)} characters; expected {width}', place
        )
