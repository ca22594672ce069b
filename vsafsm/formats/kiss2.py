"""KISS2, the format of the MCNC state machine benchmarks: rows of input cube, present state, next
state, output bits.

How what the format leaves open is read:

* Input cubes are split into *input classes*: two input vectors are in one class if the same cubes
  of the file cover them. A class is named by its cubes with ``x`` for don't-care (``x0``,
  ``0x|10``). Vectors that no cube covers are no input of the machine.
* Where that makes too many classes, inputs are the vectors themselves (`SymbolicMachine`): each
  state splits them by the cubes of its own rows.
* An output bit ``1`` is a Mealy output, named by ``.ob`` or else ``o0``, ``o1``, ... from the left.
  ``0`` is no output, and so is ``-`` (unspecified), unless another row for the same case says 1.
* The present state ``*``, ``ANY`` or ``-`` stands for every state that has no row of its own for
  the input class.
* The next state ``*``, ``ANY`` or ``-`` is unspecified: the case counts as unlisted.
* An unlisted case (a state and an input class without a row) is read as `UNLISTED` says: ``hold``
  stays without outputs, ``sink`` goes to a state of its own that is never left, ``free-state`` goes
  anywhere without outputs, ``free-output`` stays with any outputs, ``error`` refuses it. What is
  free is what the state does most often already.
* Without ``.r`` the machine starts in the present state of the first row.
* Of a BLIF file, what is between ``.start_kiss`` and ``.end_kiss`` is read. The names of inputs and
  outputs are those of ``.inputs`` and ``.outputs``, the machine's is that of ``.model``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath
from typing import Literal

from vsafsm.cubes import Cube, InputClass, parse_cube, size, split, union
from vsafsm.errors import (
    Location,
    NondeterministicError,
    SpecError,
    SyntaxSpecError,
    TooLargeError,
    UnknownStateError,
    did_you_mean,
)
from vsafsm.formats import MAX_TRANSITIONS, Format, Reading, name_from, unreachable_warnings
from vsafsm.formats._kiss2_file import (
    Kiss2File,
    Kiss2Line,
    check_rows,
    count_of,
    input_width,
    output_names,
    parse_kiss2,
)
from vsafsm.formats._kiss2_writer import ANY_STATE, fits_kiss2, write_blif, write_kiss2
from vsafsm.machine import Machine, Outputs, Transition, listed
from vsafsm.symbolic import symbolic_machine

Unlisted = Literal["hold", "sink", "free-state", "free-output", "error"]
UNLISTED: tuple[Unlisted, ...] = ("hold", "sink", "free-state", "free-output", "error")
"""How a case without a row can be read; the first by default."""
SINK = "sink"
MAX_GUARDS = 30_000
"""Most cubes, over all states, that a file is split by where a flat alphabet is too large."""

_EVERY = -1  # the number that stands for every state


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
    file, width, outputs = _checked(text, source)
    try:
        classes, classes_of = _classes(file.rows, width)
    except TooLargeError:
        return _read_symbolic(file, width, outputs, unlisted)
    cases = _numbered_states(file)
    _fill(cases, file, file.rows, classes_of, classes, cases.states)
    initial = _initial(file, cases.states)
    if len(cases.states) * len(classes) > MAX_TRANSITIONS:
        raise TooLargeError(
            f"the machine has more than {MAX_TRANSITIONS} transitions", Location(source)
        )
    if unlisted == "error":
        _refuse_unlisted(file, cases, classes)
    states = tuple(cases.states)
    table = _table(cases, len(classes), outputs, states)
    if unlisted == "sink" and any(None in row for row in table):
        states = (*states, _unused(SINK, states))
        table.append([Transition(states[-1])] * len(classes))
    machine = Machine(
        name=_name(file),
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


def read_guards(text: str, source: str) -> Reading:
    """As `read_kiss2`, with guards even where a flat alphabet would do."""
    return _read_symbolic(*_checked(text, source), UNLISTED[0])


def _checked(text: str, source: str) -> tuple[Kiss2File, int, Outputs]:
    """The file, its number of input bits, and the names of its outputs."""
    file = parse_kiss2(text.removeprefix("\ufeff"), source)
    width, outputs = input_width(file), output_names(file)
    check_rows(file, width, len(outputs))
    return file, width, outputs


def _name(file: Kiss2File) -> str:
    return name_from(file.model, PurePath(file.source).stem, "kiss2")


def _classes(
    rows: list[Kiss2Line], width: int, beside: tuple[Cube, ...] = ()
) -> tuple[list[InputClass], dict[str, list[int]]]:
    """The input classes of the rows' cubes and those `beside`, and for each cube of a row the
    positions of its classes.
    """
    texts = list(dict.fromkeys(row.words[0] for row in rows))
    classes = split([*map(parse_cube, texts), *beside], width)
    classes_of: dict[str, list[int]] = {text: [] for text in texts}
    for number, one in enumerate(classes):
        for member in one.members:
            if member < len(texts):
                classes_of[texts[member]].append(number)
    return classes, classes_of


def _read_symbolic(file: Kiss2File, width: int, outputs: Outputs, unlisted: Unlisted) -> Reading:
    """The machine with guards in place of a flat alphabet: each state splits the vectors by the
    cubes of its own rows.
    """
    try:
        machine, numbered = _symbolic(file, width, outputs, unlisted)
    except TooLargeError as error:
        raise TooLargeError(error.message, file.place(file.rows[0].line)) from None
    return Reading(machine, tuple(_warnings(file, machine, numbered)))


def _symbolic(
    file: Kiss2File, width: int, outputs: Outputs, unlisted: Unlisted
) -> tuple[Machine, _Cases]:
    numbered = _numbered_states(file)
    initial, states = _initial(file, numbered.states), tuple(numbered.states)
    rows_of: dict[str, list[Kiss2Line]] = {state: [] for state in states}
    for row in file.rows:
        for state in states if row.words[1] in ANY_STATE else (row.words[1],):
            rows_of[state].append(row)
    covered = union([parse_cube(t) for t in {row.words[0]: None for row in file.rows}], width)
    if sum(len(rows) + len(covered) for rows in rows_of.values()) > MAX_GUARDS:
        raise TooLargeError("the input cubes overlap in too many ways to be split by states")
    sink = _unused(SINK, states)
    guarded = []
    for state, number in numbered.states.items():
        classes, classes_of = _classes(rows_of[state], width, covered)
        cases = _Cases({state: number}, numbered.first_lines)
        _fill(cases, file, rows_of[state], classes_of, classes, numbered.states)
        if unlisted == "error":
            _refuse_unlisted(file, cases, classes)
        (told,) = _table(cases, len(classes), outputs, states)
        sizes = [sum(size(cube, width) for cube in one.cubes) for one in classes]
        taken = _completed(told, state, (*states, sink), unlisted, sizes)
        guarded.append(list(zip((one.cubes for one in classes), taken, strict=True)))
    if any(taken.to == sink for row in guarded for _, taken in row):
        states = (*states, sink)
        guarded.append([(covered, Transition(sink))])
    return symbolic_machine(_name(file), width, states, initial, guarded), numbered


def _fill(
    cases: _Cases,
    file: Kiss2File,
    rows: list[Kiss2Line],
    classes_of: dict[str, list[int]],
    classes: list[InputClass],
    states: dict[str, int],
) -> None:
    """Note what the rows say of each state and input class."""
    masks = {bits: parse_cube(bits) for bits in {row.words[3] for row in rows}}
    for row in rows:
        cube, present, following, bits = row.words
        state = _EVERY if present in ANY_STATE else states[present]
        to = None if following in ANY_STATE else states[following]
        care, ones = masks[bits]
        for number in classes_of[cube]:
            case = cases.found.get((state, number))
            if case is None:
                cases.found[state, number] = _Case(to, ones, care, row.line)
            elif not _agree(case, to, ones, care):
                raise _contradiction(file, row, case, classes[number].name)


def _numbered_states(file: Kiss2File) -> _Cases:
    """Present states in the order of their rows, then those that are a next state only."""
    cases = _Cases()
    for word in (1, 2):
        for row in file.rows:
            if row.words[word] not in cases.states and row.words[word] not in ANY_STATE:
                cases.add_state(row.words[word], row.line)
    if not cases.states:
        raise SyntaxSpecError("no row names a state", file.place(file.rows[0].line))
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


def _contradiction(
    file: Kiss2File, row: Kiss2Line, case: _Case, input_class: str
) -> NondeterministicError:
    other = next(r for r in file.rows if r.line == case.line)
    here, there = (f"{r.words[2]} {r.words[3]}".strip() for r in (row, other))
    return NondeterministicError(
        f'the row contradicts line {case.line}: state "{row.words[1]}" on input'
        f' "{input_class[:80]}" goes to "{here}" here and to "{there}" there; expected one of them',
        file.place(row.line),
    )


def _initial(file: Kiss2File, states: dict[str, int]) -> str:
    if ".r" not in file.directives:
        return next(iter(states))
    name = file.directives[".r"].words[1]
    if name not in states:
        hint = did_you_mean(name, states)
        raise UnknownStateError(
            f'.r names the state "{name[:80]}", which no row has; expected'
            f" {listed(list(states))}{hint}",
            file.value_place(".r"),
        )
    return name


def _table(
    cases: _Cases, inputs: int, names: Outputs, states: tuple[str, ...]
) -> list[list[Transition | None]]:
    """What the rows say of each case's state and input class; ``None`` where they say nothing."""
    made: dict[tuple[int, int], Transition] = {}

    def transition(state: int, number: int) -> Transition | None:
        case = _case(cases, state, number)
        if case is None or case.to is None:
            return None
        key = (case.to, case.ones)
        if key not in made:
            made[key] = Transition(states[key[0]], _asserted(key[1], names))
        return made[key]

    return [[transition(s, c) for c in range(inputs)] for s in cases.states.values()]


def _completed(
    row: list[Transition | None],
    state: str,
    states: tuple[str, ...],
    unlisted: Unlisted,
    sizes: Sequence[int] = (),
) -> tuple[Transition, ...]:
    """The row with something for each unlisted case; `sizes` says how many inputs each counts
    for, by default one.
    """
    if None not in row:
        return tuple(taken for taken in row if taken)
    stay = Transition(state)
    taken_so_far: Counter[Transition] = Counter()
    for taken, inputs in zip(row, sizes or [1] * len(row), strict=True):
        if taken:
            taken_so_far[taken] += inputs
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


def _refuse_unlisted(file: Kiss2File, cases: _Cases, classes: list[InputClass]) -> None:
    for name, state in cases.states.items():
        for number, one in enumerate(classes):
            case = _case(cases, state, number)
            if case is None or case.to is None:
                line = case.line if case else cases.first_lines[state]
                raise SpecError(
                    f'state "{name}" has no next state on input "{one.name[:80]}"; expected a row'
                    " for it",
                    file.place(line),
                )


def _warnings(file: Kiss2File, machine: Machine, cases: _Cases) -> Iterator[str]:
    rows, states = count_of(file, ".p"), count_of(file, ".s")
    if rows is not None and rows != len(file.rows):
        truncated = "; is the file truncated?" if len(file.rows) < rows else ""
        yield (
            f"{file.value_place('.p')}: .p says {rows} rows and there are"
            f" {len(file.rows)}{truncated}"
        )
    if states is not None and states != len(cases.states):
        yield (
            f"{file.value_place('.s')}: .s says {states} states and the rows name"
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


_READINGS: dict[str, Callable[[str, str], Reading]] = {
    name: partial(read_kiss2, unlisted=name) for name in UNLISTED
}
FORMAT = Format(
    "kiss2",
    (".kiss2", ".kiss"),
    read_kiss2,
    write_kiss2,
    "KISS2 (MCNC benchmarks)",
    _READINGS,
    read_guards,
    fits_kiss2,
)
BLIF = Format(
    "blif",
    (".blif",),
    read_kiss2,
    write_blif,
    "KISS2 inside BLIF (SIS, ABC)",
    _READINGS,
    read_guards,
    fits_kiss2,
)
