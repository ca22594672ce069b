"""A JFLAP file as states and transitions with their places, as JFLAP 7 reads it.

Whether states have distinct names and transitions agree is not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from vsafsm.errors import (
    BadNameError,
    Location,
    NondeterministicError,
    NotImportableError,
    SyntaxSpecError,
    TooLargeError,
    UnknownStateError,
    did_you_mean,
)
from vsafsm.formats import MAX_TRANSITIONS
from vsafsm.formats._events import named
from vsafsm.formats._xml import XmlElement, parse_xml
from vsafsm.machine import Outputs, listed

RECOGNISER, MEALY, MOORE = KINDS = ("fa", "mealy", "moore")
BETWEEN_OUTPUTS = ", "
MAX_LABEL = 256
"""Most characters of a label: each but the last makes a state."""

_OTHER_TYPES = {
    "pda": "a pushdown automaton, with a stack",
    "turing": "a Turing machine, with a tape",
    "grammar": "a grammar",
    "re": "a regular expression",
    "lsystem": "an L-system",
    "regular pumping lemma": "a proof about a language",
    "context-free pumping lemma": "a proof about a language",
}
_OF_AUTOMATON = ("state", "transition", "note")
_OF_STATE = ("initial", "final", "name", "label", "x", "y")
_OF_TRANSITION = ("from", "to", "read", "controlx", "controly")
_RANGE = re.compile(r"\[(.)-(.)\]", re.DOTALL)
_ID = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True)
class JflapState:
    """A state; `outputs` are those of a Moore machine."""

    name: str
    final: bool
    outputs: Outputs
    location: Location


@dataclass(frozen=True)
class JflapTransition:
    """From one state to another, by number, after the characters of `word`."""

    source: int
    to: int
    word: str
    outputs: Outputs
    location: Location


@dataclass(frozen=True)
class JflapFile:
    """An automaton; `kind` is one of `KINDS`, `initial` the number of a state."""

    kind: str
    states: dict[int, JflapState]
    transitions: tuple[JflapTransition, ...]
    initial: int
    location: Location


def parse_jflap(text: str, source: str) -> JflapFile:
    """The automaton that `text` holds.

    Raises
    ------
    SpecError
        One of its subclasses, if there is none; with the place.
    """
    root = parse_xml(text, source, "", "structure")
    kind = _kind(root)
    automaton, elements = _automaton(root)
    states: dict[int, JflapState] = {}
    initial: int | None = None
    for element in (each for each in elements if each.tag == "state"):
        number, state, is_initial = _state(element, kind)
        if number in states:
            raise BadNameError(
                f'the id "{number}" stands twice (first in line {states[number].location.line})',
                state.location,
            )
        if is_initial and initial is not None:
            raise NondeterministicError(
                f'state "{state.name}" is initial, and so is "{states[initial].name}" in line'
                f" {states[initial].location.line}; expected one initial state",
                state.location,
            )
        states[number] = state
        initial = number if is_initial else initial
    if not states:
        raise SyntaxSpecError("there is no <state>; expected at least one", automaton.location)
    if initial is None:
        raise SyntaxSpecError("no state has <initial/>; expected one", automaton.location)
    transitions = (each for each in elements if each.tag == "transition")
    found = tuple(_bounded(_transitions(transitions, kind, states), automaton.location))
    return JflapFile(kind, states, found, initial, automaton.location)


def _kind(root: XmlElement) -> str:
    """What the file says that it holds."""
    element = next((child for child in root.children if child.tag == "type"), None)
    if element is None:
        raise SyntaxSpecError("<structure> has no <type>; expected one", root.location)
    word = element.text.strip()
    if word in _OTHER_TYPES:
        raise NotImportableError(
            f'<type> is "{word}", {_OTHER_TYPES[word]}; expected {listed(KINDS)}', element.location
        )
    if word not in KINDS:
        hint = did_you_mean(word, KINDS)
        raise SyntaxSpecError(
            f'<type> is "{word[:80]}"; expected {listed(KINDS)}{hint}', element.location
        )
    return word


def _automaton(root: XmlElement) -> tuple[XmlElement, list[XmlElement]]:
    """The element of the automaton, and what stands in it."""
    first = {child.tag: child for child in reversed(root.children)}
    automaton = first.get("automaton", root)  # files of JFLAP 4 have none
    of_root = ("type", "automaton") if automaton is not root else ("type", *_OF_AUTOMATON)
    for child in root.children:
        _check_place(child, of_root)
        if child.tag in ("type", "automaton") and child is not first[child.tag]:
            raise _twice(child, first[child.tag])
    elements = [child for child in automaton.children if child.tag != "type"]
    for child in elements:
        _check_place(child, _OF_AUTOMATON)
    return automaton, elements


def _twice(element: XmlElement, first: XmlElement) -> SyntaxSpecError:
    return SyntaxSpecError(
        f"{element.describe()} stands twice (first in line {first.location.line})",
        element.location,
    )


def _check_place(element: XmlElement, known: Collection[str]) -> None:
    if element.tag == "block":
        raise NotImportableError(
            "<block> is a machine inside a state; expected <state>", element.location
        )
    if element.tag not in known:
        expected = listed([f"<{tag}>" for tag in known])
        hint = did_you_mean(element.tag, known)
        raise SyntaxSpecError(
            f"{element.describe()} cannot stand here; expected {expected}{hint}", element.location
        )


def _parts(element: XmlElement, known: Collection[str]) -> dict[str, XmlElement]:
    """What is in a state or a transition, by tag."""
    found: dict[str, XmlElement] = {}
    for child in element.children:
        _check_place(child, known)
        if child.tag in found:
            raise _twice(child, found[child.tag])
        for inner in child.children:
            raise SyntaxSpecError(
                f"{inner.describe()} cannot stand in {child.describe()}; expected text",
                inner.location,
            )
        found[child.tag] = child
    return found


def _number(text: str, what: str, place: Location) -> int:
    if not _ID.fullmatch(text.strip()):
        raise SyntaxSpecError(f'{what} is "{text[:80]}"; expected a whole number', place)
    return int(text)


def _state(element: XmlElement, kind: str) -> tuple[int, JflapState, bool]:
    """Number, state, and whether it is initial."""
    if "id" not in element.attributes:
        raise SyntaxSpecError('<state> has no "id"; expected a whole number', element.location)
    number = _number(element.attributes["id"], "the id of a state", element.location)
    parts = _parts(element, (*_OF_STATE, "output") if kind == MOORE else _OF_STATE)
    inner = parts["name"].text.strip() if "name" in parts else ""
    name = inner or element.attributes.get("name") or f"q{number}"
    outputs = _outputs(parts.get("output"))
    return number, JflapState(name, "final" in parts, outputs, element.location), "initial" in parts


def _transitions(
    elements: Iterable[XmlElement], kind: str, states: dict[int, JflapState]
) -> Iterator[JflapTransition]:
    known = _OF_TRANSITION if kind == RECOGNISER else (*_OF_TRANSITION, "transout")
    for element in elements:
        parts = _parts(element, known)
        source, to = (_end(element, parts, tag, states) for tag in ("from", "to"))
        outputs = _outputs(parts.get("transout"))
        if kind == MOORE and outputs not in ((), states[to].outputs):
            raise SyntaxSpecError(
                f'<transout> is "{BETWEEN_OUTPUTS.join(outputs)[:80]}" and state'
                f' "{states[to].name}", where the transition leads, puts out'
                f' "{BETWEEN_OUTPUTS.join(states[to].outputs)[:80]}" (line'
                f" {states[to].location.line}); expected the same",
                parts["transout"].location,
            )
        for word in _words(parts.get("read"), kind):
            yield JflapTransition(
                source, to, word, outputs if kind == MEALY else (), element.location
            )


def _end(
    element: XmlElement, parts: dict[str, XmlElement], tag: str, states: dict[int, JflapState]
) -> int:
    if tag not in parts:
        raise SyntaxSpecError(
            f"<transition> has no <{tag}>; expected the id of a state", element.location
        )
    number = _number(parts[tag].text, f"<{tag}>", parts[tag].location)
    if number not in states:
        raise UnknownStateError(
            f'<{tag}> is "{number}"; expected the id of a state, {listed([*map(str, states)])}',
            parts[tag].location,
        )
    return number


def _words(element: XmlElement | None, kind: str) -> Iterator[str]:
    """The words that a label stands for: one, or each character of a range."""
    label = "" if element is None else element.text
    if element is None or not label:
        yield ""
        return
    if len(label) > MAX_LABEL:
        raise TooLargeError(
            f"the label has {len(label)} characters; expected at most {MAX_LABEL}",
            element.location,
        )
    words: Iterable[str] = (label,)
    if kind == RECOGNISER and "[" in label:
        found = _RANGE.fullmatch(label)
        if not found or found[1] > found[2]:
            raise SyntaxSpecError(
                f'the label is "{label}"; expected a range such as "[a-z]", or no "["',
                element.location,
            )
        words = map(chr, range(ord(found[1]), ord(found[2]) + 1))
    for word in words:
        for character in word:
            named("input", character, element.location)
        yield word


def _outputs(element: XmlElement | None) -> Outputs:
    if element is None:
        return ()
    parts = (part.strip() for part in element.text.split(BETWEEN_OUTPUTS))
    return tuple(named("output", name, element.location) for name in dict.fromkeys(parts) if name)


def _bounded(
    transitions: Iterable[JflapTransition], location: Location
) -> Iterator[JflapTransition]:
    """The same, with an end to what labels may add up to."""
    characters = 0
    for each in transitions:
        characters += max(len(each.word), 1)
        if characters > MAX_TRANSITIONS:
            raise TooLargeError(f"the labels have more than {MAX_TRANSITIONS} characters", location)
        yield each
