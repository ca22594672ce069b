"""JFLAP, the program in which automata are drawn in class: finite automata (``fa``), Mealy and
Moore machines.

* Each character is an input. A label of several characters is a word, as in JFLAP: it is read
  character by character, through states of its own that are called after their state and what was
  read (``q0.ab``). In a finite automaton ``[a-z]`` is every character of a range.
* A final state puts out ``accept``. Of a Mealy machine the output comes with the last character of
  the label; an output is the whole text, of which ``, `` makes several.
* Where a state has no transition on a character, JFLAP stops and does not accept: the machine goes
  to a state ``trap``, which is never left and puts out nothing.
* Two transitions on one input, labels of which one begins with the other, and transitions without
  input are refused; for a finite automaton the format ``jflap:nfa`` makes the smallest
  deterministic machine of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from vsafsm.errors import (
    BadNameError,
    Location,
    NondeterministicError,
    SpecError,
    SyntaxSpecError,
    TooLargeError,
)
from vsafsm.formats import (
    ACCEPT,
    MAX_TRANSITIONS,
    Format,
    Reading,
    name_from,
    unreachable_warnings,
)
from vsafsm.formats._events import named
from vsafsm.formats._jflap_file import (
    RECOGNISER,
    JflapFile,
    JflapState,
    JflapTransition,
    parse_jflap,
)
from vsafsm.formats._jflap_writer import fits_jflap, write_jflap
from vsafsm.formats._subsets import recogniser
from vsafsm.machine import Machine, Outputs, Transition

TRAP = "trap"


@dataclass(frozen=True)
class _Step:
    """What one character does: `to` is a place; `ends` where a label ends with it."""

    to: int
    outputs: Outputs
    ends: bool
    transition: JflapTransition


@dataclass(frozen=True)
class _Places:
    """States, those within labels too, by number: their names and where each comes from."""

    names: list[str]
    locations: list[Location]
    steps: dict[tuple[int, str], _Step]


def read_jflap(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors and, without its suffix, the
    machine.

    Raises
    ------
    SpecError
        One of its subclasses, if the text is no JFLAP file, or no deterministic machine of a kind
        that is read; with the place.
    """
    file = parse_jflap(text, source)
    numbers = {number: i for i, number in enumerate(file.states)}
    inputs = _inputs(file)
    places = _places(file, numbers, len(inputs))
    missing = [
        place
        for place in range(len(places.names))
        if any((place, symbol) not in places.steps for symbol in inputs)
    ]
    trap = len(places.names)
    if missing:
        places.names.append(_fresh(TRAP, set(places.names)))
        places.locations.append(places.locations[missing[0]])

    def transition(place: int, symbol: str) -> Transition:
        step = places.steps.get((place, symbol))
        return Transition(places.names[step.to if step else trap], step.outputs if step else ())

    moore = tuple(_moore(state, file.kind) for state in file.states.values())
    machine = Machine(
        _name(source),
        tuple(places.names),
        inputs,
        places.names[numbers[file.initial]],
        tuple(
            tuple(transition(place, symbol) for symbol in inputs)
            for place in range(len(places.names))
        ),
        (*moore, *((),) * (len(places.names) - len(moore))),
    )
    located = dict(zip(places.names, places.locations, strict=True))
    warnings = (
        *_final_warnings(file),
        *(_trap_warnings(file, places, missing) if missing else ()),
        *unreachable_warnings(machine, located.__getitem__),
    )
    return Reading(machine, warnings)


def read_jflap_nfa(text: str, source: str) -> Reading:
    """Read `text` as a finite automaton that may be nondeterministic.

    Raises
    ------
    SpecError
        One of its subclasses, as `read_jflap` does; also if it is no finite automaton, or no state
        is final.
    """
    file = parse_jflap(text, source)
    if file.kind != RECOGNISER:
        raise SyntaxSpecError(f'<type> is "{file.kind}"; expected "fa"', file.location)
    _inputs(file)
    accepting = {number for number, state in file.states.items() if state.final}
    if not accepting:
        raise SyntaxSpecError(
            "no state has <final/>; expected a recogniser of words", file.location
        )
    edges: dict[tuple[tuple[int, int], str], dict[tuple[int, int], None]] = {}
    inside = 0
    for each in file.transitions:
        place = (each.source, 0)
        for character in each.word[:-1]:
            inside += 1
            edges.setdefault((place, character), {})[each.source, inside] = None
            place = (each.source, inside)
        edges.setdefault((place, each.word[-1:]), {})[each.to, 0] = None
    return Reading(
        recogniser(
            _name(source),
            edges,
            [(file.initial, 0)],
            {(number, 0) for number in accepting},
            file.location,
        )
    )


def _name(source: str) -> str:
    return name_from(PurePath(source).stem, "machine")


def _inputs(file: JflapFile) -> tuple[str, ...]:
    """The characters, in the order of the file."""
    found = dict.fromkeys(character for each in file.transitions for character in each.word)
    if not found:
        raise SpecError("no transition has a label; expected at least one", file.location)
    return tuple(found)


def _moore(state: JflapState, kind: str) -> Outputs:
    if kind == RECOGNISER:
        return (ACCEPT,) if state.final else ()
    return state.outputs


def _state_names(file: JflapFile) -> list[str]:
    lines: dict[str, int] = {}
    for state in file.states.values():
        if state.name in lines:
            raise BadNameError(
                f'state "{state.name}" is declared twice (first in line {lines[state.name]})',
                state.location,
            )
        lines[named("state", state.name, state.location)] = state.location.line
    return [*lines]


def _fresh(name: str, taken: Collection[str]) -> str:
    """`name`, with a number behind it where another has it."""
    number = 1
    found = name
    while found in taken:
        number += 1
        found = f"{name} {number}"
    return found


def _places(file: JflapFile, numbers: dict[int, int], inputs: int) -> _Places:
    """Every state and what each character does there, labels taken apart."""
    names = _state_names(file)
    taken = set(names)
    places = _Places(names, [state.location for state in file.states.values()], {})
    for each in file.transitions:
        if not each.word:
            raise NondeterministicError(
                f'a transition of "{file.states[each.source].name}" takes no input; expected a'
                f" label{_hint(file)}",
                each.location,
            )
        place = numbers[each.source]
        for i, character in enumerate(each.word, 1):
            ends = i == len(each.word)
            to = numbers[each.to] if ends else len(places.names)
            new = _Step(to, each.outputs if ends else (), ends, each)
            step = places.steps.setdefault((place, character), new)
            if step is new and not ends:
                name = _fresh(f"{file.states[each.source].name}.{each.word[:i]}", taken)
                taken.add(name)
                places.names.append(name)
                places.locations.append(each.location)
            if step.ends != ends or (ends and (step.to, step.outputs) != (to, each.outputs)):
                raise _conflict(file, step.transition, each)
            place = step.to
        if (len(places.names) + 1) * inputs > MAX_TRANSITIONS:
            raise TooLargeError(
                f"the machine has more than {MAX_TRANSITIONS} transitions", file.location
            )
    return places


def _conflict(file: JflapFile, one: JflapTransition, other: JflapTransition) -> SpecError:
    state, line = file.states[other.source].name, one.location.line
    if one.word == other.word:
        told = f'"{state}" has another transition on "{one.word}" in line {line}'
    else:
        told = (
            f'"{state}" has a transition on "{other.word}", and one on "{one.word}" in line {line}:'
            " one label begins with the other"
        )
    return NondeterministicError(
        f"{told}; expected one for each input{_hint(file)}", other.location
    )


def _hint(file: JflapFile) -> str:
    if file.kind != RECOGNISER:
        return ""
    return ", or --format jflap:nfa for a recogniser of words"


def _final_warnings(file: JflapFile) -> Iterator[str]:
    final = next((state for state in file.states.values() if state.final), None)
    if file.kind == RECOGNISER and final is None:
        yield f"{file.location}: no state has <final/>: no word is accepted"
    if file.kind != RECOGNISER and final is not None:
        yield (
            f'{final.location}: state "{final.name}" has <final/>, which means nothing in a machine'
            f' of the type "{file.kind}"'
        )


def _trap_warnings(file: JflapFile, places: _Places, missing: list[int]) -> Iterator[str]:
    if file.kind != RECOGNISER:
        first = missing[0]
        yield (
            f'{places.locations[first]}: state "{places.names[first]}" has no transition on some'
            f" input ({len(missing)} states in all): there the machine goes to"
            f' "{places.names[-1]}", which is never left and puts out nothing'
        )


FORMAT = Format(
    "jflap",
    (".jff",),
    read_jflap,
    write_jflap,
    "JFLAP: finite automata, Mealy and Moore machines",
    {"nfa": read_jflap_nfa},
    fits=fits_jflap,
)
