"""KISS2, the format of the MCNC state machine benchmarks: rows of input cube, present state, next
state, output bits.

How what the format leaves open is read:

* Input cubes are split into *input classes*: two input vectors are in one class if the same cubes
  of the file cover them. A class is named by its cubes with ``x`` for don't-care (``x0``,
  ``0x|10``). Vectors that no cube covers are no input of the machine.
* An output bit ``1`` is a Mealy output, named by ``.ob`` or else ``o0``, ``o1``, ... from the left.
  ``0`` is no output, and so is ``-`` (unspecified), unless another row for the same case says 1.
* The present state ``*`` or ``ANY`` stands for every state that has no row of its own for the input
  class.
* The next state ``*`` or ``ANY`` is unspecified: the case counts as unlisted.
* An unlisted case (a state and an input class without a row) is read as `UNLISTED` says: ``hold``
  stays without outputs, ``sink`` goes to a state of its own that is never left, ``free-state`` goes
  anywhere without outputs, ``free-output`` stays with any outputs, ``error`` refuses it. What is
  free is what the state does most often already.
* Without ``.r`` the machine starts in the present state of the first row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import PurePath
from typing import Literal

from vsafsm.errors import (
    BadNameError,
    DuplicateKeyError,
    EmptySpecError,
    Location,
    MissingKeyError,
    NoInputsError,
    NondeterministicError,
    NotExpressibleError,
    SyntaxSpecError,
    TooLargeError,
    UnknownKeyError,
    UnknownStateError,
    UnlistedTransitionError,
    WrongTypeError,
    did_you_mean,
)
from vsafsm.formats import MAX_TRANSITIONS, Format, Reading, name_from, unreachable_warnings
from vsafsm.formats._cubes import InputClass, parse_cube, split
from vsafsm.machine import Machine, Outputs, Transition, check_name, listed

Unlisted = Literal["hold", "sink", "free-state", "free-output", "error"]
UNLISTED: tuple[Unlisted, ...] = ("hold", "sink", "free-state", "free-output", "error")
"""How a case without a row can be read; the first by default."""
SINK = "sink"
ANY_STATE = ("*", "ANY")
MAX_BITS = 1024

_COUNTS = (".i", ".o", ".p", ".s")
_DIRECTIVES = (*_COUNTS, ".r", ".ilb", ".ob", ".e", ".end")
_LINE_END = re.compile(r"\r\n|\r|\n")
_EVERY = -1  # the number that stands for every state


# ---- reading


@dataclass(frozen=True)
class _Directive:
    words: list[str]
    line: int


@dataclass(frozen=True)
class _Row:
    words: list[str]  # cube, present, next, outputs (empty for .o 0)
    line: int


@dataclass(frozen=True)
class _File:
    source: str
    lines: list[str]
    directives: dict[str, _Directive]
    rows: list[_Row]
    ended: int  # line of .e, or 0

    def place(self, line: int, word: int = 0) -> Location:
        """The place of a word of a line; past the last word, the end of the line."""
        text = self.lines[line - 1].partition("#")[0]
        starts = [m.start() for m in re.finditer(r"\S+", text)]
        return Location(
            self.source, line, (starts[word] if word < len(starts) else len(text.rstrip())) + 1
        )


@dataclass
class _Case:
    """What the rows say of one state and one input class."""

    to: int | None  # None: unspecified
    ones: int
    care: int
    line: int


@dataclass
class _Cases:
    states: dict[str, int] = field(default_factory=dict)
    first_lines: list[int] = field(default_factory=list)
    found: dict[tuple[int, int], _Case] = field(default_factory=dict)

    def add_state(self, name: str, line: int) -> None:
        self.states[name] = len(self.states)
        self.first_lines.append(line)


def read_kiss2(text: str, source: str, unlisted: Unlisted = UNLISTED[0]) -> Reading:
    """Read a machine from `text`; `source` names the text in errors and, without its suffix, the
    machine.

    Parameters
    ----------
    text, source
        The file's content and its name.
    unlisted
        What a case without a row means, one of `UNLISTED`.

    Raises
    ------
    SpecError
        One of its subclasses, with the place and what was expected there.
    """
    file = _lines(text.removeprefix("\ufeff"), source)
    width, outputs = _width(file), _output_names(file)
    _check_rows(file, width, len(outputs))
    classes, classes_of = _classes(file, width)
    cases = _cases(file, classes_of, classes)
    initial = _initial(file, cases.states)
    if len(cases.states) * len(classes) > MAX_TRANSITIONS:
        raise TooLargeError(
            f"the machine has more than {MAX_TRANSITIONS} transitions", Location(source)
        )
    if unlisted == "error":
        _refuse_unlisted(file, cases, classes)
    table = _table(cases, len(classes), outputs)
    states = tuple(cases.states)
    if unlisted == "sink" and any(None in row for row in table):
        states = (*states, _unused(SINK, states))
        table.append([Transition(states[-1])] * len(classes))
    machine = Machine(
        name=name_from(PurePath(source).stem, "kiss2"),
        states=states,
        inputs=tuple(c.name for c in classes),
        initial=initial,
        table=tuple(
            _completed(row, state, states, unlisted)
            for row, state in zip(table, states, strict=True)
        ),
        moore=((),) * len(states),
    )
    return Reading(machine, tuple(_warnings(file, machine, cases)))


def _lines(text: str, source: str) -> _File:
    lines = _LINE_END.split(text)
    file = _File(source, lines, {}, [], 0)
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0] in (".e", ".end"):
            return _File(source, lines, file.directives, file.rows, number)
        if words[0].startswith("."):
            _add_directive(file, _Directive(words, number))
        else:
            file.rows.append(_Row(words, number))
    if not file.directives and not file.rows:
        raise EmptySpecError("the file is empty; expected .i, .o and rows", Location(source))
    return file


def _add_directive(file: _File, directive: _Directive) -> None:
    word, place = directive.words[0], file.place(directive.line)
    if word not in _DIRECTIVES:
        hint = did_you_mean(word, _DIRECTIVES)
        raise UnknownKeyError(
            f'unknown directive "{word[:80]}"; expected'
            f" {listed(_DIRECTIVES, len(_DIRECTIVES))}{hint}",
            place,
        )
    if word in file.directives:
        raise DuplicateKeyError(
            f"{word} stands twice (first in line {file.directives[word].line})", place
        )
    if word in (*_COUNTS, ".r") and len(directive.words) != 2:
        expected = "the name of a state" if word == ".r" else "one number"
        raise SyntaxSpecError(
            f"{word} has {len(directive.words) - 1} values; expected {expected}", place
        )
    file.directives[word] = directive


def _count(file: _File, word: str) -> int | None:
    """The number that a directive gives; ``None`` where it is not there."""
    if word not in file.directives:
        return None
    directive = file.directives[word]
    if not re.fullmatch(r"[0-9]{1,9}", directive.words[1]):
        raise WrongTypeError(
            f'{word} is "{directive.words[1][:80]}"; expected a whole number',
            file.place(directive.line, 1),
        )
    return int(directive.words[1])


def _needed_count(file: _File, word: str, what: str) -> int:
    count = _count(file, word)
    if count is None:
        raise MissingKeyError(
            f"there is no {word} line; expected {word} and the {what}", Location(file.source)
        )
    if count > MAX_BITS:
        raise TooLargeError(
            f"{word} is {count}; expected at most {MAX_BITS}", _value_place(file, word)
        )
    return count


def _value_place(file: _File, word: str) -> Location:
    return file.place(file.directives[word].line, 1)


def _width(file: _File) -> int:
    width = _needed_count(file, ".i", "number of input bits")
    if width == 0:
        raise NoInputsError(
            "a machine without inputs (.i 0) cannot move; expected .i 1 or more",
            _value_place(file, ".i"),
        )
    _labels(file, ".ilb", ".i", width)
    return width


def _output_names(file: _File) -> Outputs:
    count = _needed_count(file, ".o", "number of output bits")
    return _labels(file, ".ob", ".o", count) or tuple(f"o{i}" for i in range(count))


def _labels(file: _File, word: str, counted: str, count: int) -> Outputs:
    if word not in file.directives:
        return ()
    directive = file.directives[word]
    names = directive.words[1:]
    if len(names) != count:
        place = file.place(directive.line)
        raise WrongTypeError(
            f"{word} gives {len(names)} names; expected {count}, as {counted} says", place
        )
    for position, name in enumerate(names):
        _check_name(file, word.removeprefix(".") + " label", name, directive.line, position + 1)
        if name in names[:position]:
            raise DuplicateKeyError(
                f'{word} gives the name "{name}" twice', file.place(directive.line, position + 1)
            )
    return tuple(names)


def _check_name(file: _File, kind: str, name: str, line: int, word: int) -> None:
    try:
        check_name(kind, name)
    except BadNameError as error:
        raise BadNameError(error.message, file.place(line, word)) from None


def _check_rows(file: _File, width: int, outputs: int) -> None:
    if not file.rows:
        raise EmptySpecError(
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


def _wrong_fields(file: _File, row: _Row, fields: int) -> SyntaxSpecError:
    names = ("an input cube", "the present state", "the next state", "the output bits")[:fields]
    few = len(row.words) < fields
    told = (
        f"the row ends after {len(row.words)} of {fields} fields"
        if few
        else f"the row has more than {fields} fields"
    )
    return SyntaxSpecError(
        f"{told}; expected {', '.join(names)}", file.place(row.line, min(len(row.words), fields))
    )


def _check_bits(file: _File, row: _Row, word: int, what: str, width: int) -> None:
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


def _classes(file: _File, width: int) -> tuple[list[InputClass], dict[str, list[int]]]:
    """The input classes, and for each cube of the file the positions of its classes."""
    texts = list(dict.fromkeys(row.words[0] for row in file.rows))
    try:
        classes = split([parse_cube(t) for t in texts], width)
    except TooLargeError as error:
        raise TooLargeError(error.message, file.place(file.rows[0].line)) from None
    classes_of: dict[str, list[int]] = {text: [] for text in texts}
    for number, one in enumerate(classes):
        for member in one.members:
            classes_of[texts[member]].append(number)
    return classes, classes_of


def _cases(file: _File, classes_of: dict[str, list[int]], classes: list[InputClass]) -> _Cases:
    cases = _numbered_states(file)
    masks = {bits: parse_cube(bits) for bits in {row.words[3] for row in file.rows}}
    for row in file.rows:
        cube, present, following, bits = row.words
        state = _EVERY if present in ANY_STATE else cases.states[present]
        to = None if following in ANY_STATE else cases.states[following]
        care, ones = masks[bits]
        for number in classes_of[cube]:
            case = cases.found.get((state, number))
            if case is None:
                cases.found[state, number] = _Case(to, ones, care, row.line)
            elif not _agree(case, to, ones, care):
                raise _contradiction(file, row, case, classes[number].name)
    return cases


def _numbered_states(file: _File) -> _Cases:
    """Present states in the order of their rows, then those that are a next state only."""
    cases = _Cases()
    for word in (1, 2):
        for row in file.rows:
            if row.words[word] not in cases.states and row.words[word] not in ANY_STATE:
                cases.add_state(row.words[word], row.line)
    if not cases.states:
        raise EmptySpecError("no row names a state", file.place(file.rows[0].line))
    return cases


def _agree(case: _Case, to: int | None, ones: int, care: int) -> bool:
    """Whether another row fits the case; if so the case takes in what the row adds."""
    if to is None:
        return True
    if case.to is None:
        case.to, case.ones, case.care = to, ones, care
        return True
    if to != case.to or (ones ^ case.ones) & care & case.care:
        return False
    case.ones |= ones
    case.care |= care
    return True


def _contradiction(file: _File, row: _Row, case: _Case, input_class: str) -> NondeterministicError:
    other = next(r for r in file.rows if r.line == case.line)
    here, there = (f"{r.words[2]} {r.words[3]}".strip() for r in (row, other))
    return NondeterministicError(
        f'the row contradicts line {case.line}: state "{row.words[1]}" on input'
        f' "{input_class[:80]}" goes to "{here}" here and to "{there}" there; expected one of them',
        file.place(row.line),
    )


def _initial(file: _File, states: dict[str, int]) -> str:
    if ".r" not in file.directives:
        return next(iter(states))
    name = file.directives[".r"].words[1]
    if name not in states:
        hint = did_you_mean(name, states)
        raise UnknownStateError(
            f'.r names the state "{name[:80]}", which no row has; expected'
            f" {listed(list(states))}{hint}",
            _value_place(file, ".r"),
        )
    return name


def _table(cases: _Cases, inputs: int, names: Outputs) -> list[list[Transition | None]]:
    """What the rows say of each state and input class; ``None`` where they say nothing."""
    states = list(cases.states)
    made: dict[tuple[int, int], Transition] = {}

    def transition(state: int, number: int) -> Transition | None:
        case = _case(cases, state, number)
        if case is None or case.to is None:
            return None
        key = (case.to, case.ones)
        if key not in made:
            made[key] = Transition(states[key[0]], _asserted(key[1], names))
        return made[key]

    return [[transition(s, c) for c in range(inputs)] for s in range(len(states))]


def _completed(
    row: list[Transition | None], state: str, states: tuple[str, ...], unlisted: Unlisted
) -> tuple[Transition, ...]:
    """The row with something for each unlisted case."""
    if None not in row:
        return tuple(taken for taken in row if taken)
    stay = Transition(state)
    taken_so_far = Counter(taken for taken in row if taken)
    fitting = {
        "free-state": [t for t, _ in taken_so_far.most_common() if not t.outputs],
        "free-output": [t for t, _ in taken_so_far.most_common() if t.to == state],
        "sink": [Transition(states[-1])],
    }.get(unlisted, [])
    chosen = fitting[0] if fitting else stay
    return tuple(taken or chosen for taken in row)


def _unused(name: str, names: Iterable[str]) -> str:
    taken = set(names)
    while name in taken:
        name += "_"
    return name


def _case(cases: _Cases, state: int, number: int) -> _Case | None:
    return cases.found.get((state, number)) or cases.found.get((_EVERY, number))


def _asserted(ones: int, names: Outputs) -> Outputs:
    highest = len(names) - 1
    return tuple(name for i, name in enumerate(names) if ones >> (highest - i) & 1)


def _refuse_unlisted(file: _File, cases: _Cases, classes: list[InputClass]) -> None:
    for name, state in cases.states.items():
        for number, one in enumerate(classes):
            case = _case(cases, state, number)
            if case is None or case.to is None:
                line = case.line if case else cases.first_lines[state]
                raise UnlistedTransitionError(
                    f'state "{name}" has no next state on input "{one.name[:80]}"; expected a row'
                    " for it",
                    file.place(line),
                )


def _warnings(file: _File, machine: Machine, cases: _Cases) -> Iterator[str]:
    rows, states = _count(file, ".p"), _count(file, ".s")
    if rows is not None and rows != len(file.rows):
        truncated = "; is the file truncated?" if len(file.rows) < rows else ""
        yield (
            f"{_value_place(file, '.p')}: .p says {rows} rows and there are"
            f" {len(file.rows)}{truncated}"
        )
    if states is not None and states != len(cases.states):
        yield (
            f"{_value_place(file, '.s')}: .s says {states} states and the rows name"
            f" {len(cases.states)}"
        )
    for number in range(file.ended + 1, len(file.lines) + 1 if file.ended else 0):
        if file.lines[number - 1].partition("#")[0].strip():
            yield (
                f"{file.place(number)}: what follows {file.lines[file.ended - 1].split()[0]} is not"
                " read"
            )
            break
    yield from unreachable_warnings(
        machine, lambda s: file.place(cases.first_lines[cases.states[s]])
    )


# ---- writing


def write_kiss2(machine: Machine) -> str:
    """`machine` as KISS2: every (state, input) pair is a row.

    Inputs that are named as `read_kiss2` names its classes are written as those cubes; others are
    numbered in binary, which a comment explains. KISS2 knows Mealy outputs only: a state's Moore
    outputs are written on every transition into it, and the initial state's before the first input
    are lost; a comment says so.

    Raises
    ------
    NotExpressibleError
        A state or an output has a name that KISS2 cannot hold.
    """
    for state in machine.states:
        _check_word("state", state)
    moore = dict(zip(machine.states, machine.moore, strict=True))
    rows = [
        (state, cubes_of, taken.to, frozenset(taken.outputs + moore[taken.to]))
        for state, row in zip(machine.states, machine.table, strict=True)
        for cubes_of, taken in zip(_input_cubes(machine), row, strict=True)
    ]
    names = _ordered({t.outputs + moore[t.to]: None for row in machine.table for t in row})
    for name in names:
        _check_word("output", name)
    bits = {
        outputs: "".join("01"[n in outputs] for n in names) or "0"
        for outputs in {row[3] for row in rows}
    }
    lines = [
        f"{cube} {state} {to} {bits[outputs]}"
        for state, cubes, to, outputs in rows
        for cube in cubes
    ]
    return "\n".join([*_comments(machine), *_head(machine, names, lines), *lines, ".e", ""])


def _ordered(groups: Iterable[Outputs]) -> Outputs:
    """All outputs once, so that each group keeps its order where they do not disagree on it."""
    names = {name: None for group in groups for name in group}
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(names, ()))
    for group in groups:
        for before, after in pairwise(group):
            sorter.add(after, before)
    try:
        return tuple(sorter.static_order())
    except CycleError:
        return tuple(names)


def _head(machine: Machine, names: Outputs, rows: list[str]) -> list[str]:
    label = [f".ob {' '.join(names)}"] if names else []
    return [
        f".i {len(rows[0].split()[0])}",
        f".o {max(1, len(names))}",
        f".p {len(rows)}",
        f".s {len(machine.states)}",
        f".r {machine.initial}",
        *label,
    ]


def _check_word(kind: str, name: str) -> None:
    if name in ANY_STATE and kind == "state":
        raise NotExpressibleError(
            f'the state "{name}" cannot be written as KISS2, where it stands for every state'
        )
    if "#" in name or any(c.isspace() for c in name):
        raise NotExpressibleError(
            f'the {kind} "{name[:80]}" cannot be written as KISS2: it holds a space or a "#"'
        )


def _input_cubes(machine: Machine) -> list[list[str]]:
    """For each input the cubes to write."""
    cubes = [name.split("|") for name in machine.inputs]
    if _are_disjoint_cubes([cube for several in cubes for cube in several]):
        return [[cube.replace("x", "-") for cube in several] for several in cubes]
    width = max(1, (len(machine.inputs) - 1).bit_length())
    return [[f"{number:0{width}b}"] for number in range(len(machine.inputs))]


def _are_disjoint_cubes(words: list[str]) -> bool:
    width = len(words[0])
    if width > MAX_BITS or any(len(w) != width or not re.fullmatch("[01x]+", w) for w in words):
        return False
    if len(set(words)) < len(words):
        return False
    try:
        return all(len(c.members) == 1 for c in split([parse_cube(w) for w in words], width))
    except TooLargeError:
        return False


def _comments(machine: Machine) -> Iterable[str]:
    yield f"# machine {machine.name}"
    cubes = _input_cubes(machine)
    for name, several in zip(machine.inputs, cubes, strict=True):
        if [cube.replace("-", "x") for cube in several] != name.split("|"):
            yield f"# input {several[0]} is {name}"
    if any(machine.moore):
        yield (
            "# Moore outputs became Mealy outputs: each transition carries those of the state it"
            " enters."
        )
        first = machine.outputs_of(machine.initial)
        if first:
            yield (
                f"# Before the first input, state {machine.initial} has the outputs:"
                f" {', '.join(first)}"
            )
    if machine.compile_options:
        yield "# Compile options of the machine are not part of KISS2 and are left out."


FORMAT = Format(
    "kiss2",
    (".kiss2", ".kiss"),
    read_kiss2,
    write_kiss2,
    "KISS2 (MCNC benchmarks)",
    {name: partial(read_kiss2, unlisted=name) for name in UNLISTED},
)
