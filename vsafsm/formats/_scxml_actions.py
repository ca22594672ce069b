"""The executable content of an SCXML document: from elements to actions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction

from vsafsm.errors import Location, NotImportableError, SyntaxSpecError
from vsafsm.formats._scxml_events import COMMUNICATION, EXECUTION, Events
from vsafsm.formats._xml import XmlElement
from vsafsm.statecharts import (
    Assign,
    Block,
    Cancel,
    Choice,
    Fail,
    Output,
    Raise,
    Send,
    parse_expression,
)
from vsafsm.statecharts.expressions import Expression, Literal
from vsafsm.statecharts.parts import Action, Actions

_REFUSED = {
    **dict.fromkeys(("script", "foreach"), "is code"),
    **dict.fromkeys(("invoke", "finalize"), "runs another machine"),
    **dict.fromkeys(("donedata", "param", "content"), "is data that is sent"),
}
_DURATION = re.compile(r"\s*(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*(ms|s)\s*\Z")


class ActionReader:
    """Reads blocks of executable content.

    Attributes
    ----------
    warnings
        What always is an error when it is run, with its place.
    """

    def __init__(self, events: Events) -> None:
        self.events = events
        self.warnings: list[str] = []

    def block(self, elements: Iterable[XmlElement]) -> Actions:
        """The actions of a block, of which an error skips the rest.

        Raises
        ------
        SpecError
            For the first element that is none, or is code; with its place.
        """
        doubts = len(self.warnings)
        actions = tuple(self._actions(elements))
        return actions if len(self.warnings) == doubts else (Block(actions),)

    def _actions(self, elements: Iterable[XmlElement]) -> Iterator[Action]:
        for element in elements:
            place = element.location
            if element.tag == "raise":
                yield Raise(needed(element, "event"), place)
            elif element.tag == "send":
                yield from self._send(element)
            elif element.tag == "cancel":
                if "sendidexpr" in element.attributes:
                    raise refused('"sendidexpr" of <cancel>', "is code", place)
                yield Cancel(needed(element, "sendid"), place)
            elif element.tag == "assign":
                yield self._assign(element)
            elif element.tag == "if":
                yield self._choice(element)
            elif element.tag != "log":
                raise unfit(element)

    def _assign(self, element: XmlElement) -> Action:
        name, place = needed(element, "location"), element.location
        value = parse_expression(element.attributes.get("expr", element.text), place)
        if name in self.events.data or not self.events.heard(EXECUTION):
            return Assign(name, value, place)
        return self._failed(f'<assign> to "{name[:80]}", which is not declared,', place)

    def _send(self, element: XmlElement) -> Iterator[Action]:
        attributes, place = element.attributes, element.location
        if "eventexpr" in attributes or element.children:
            raise refused("<send> with an expression or data", "is code", place)
        event, delay = needed(element, "event"), _delay(element)
        receiver = self.events.receiver(element)
        if receiver == "computed":
            raise refused('"targetexpr" or "typeexpr" of <send>', "is computed", place)
        unknown = self.events.unknown(attributes.get("namelist", ""))
        if receiver == "wrong":
            yield self._failed(f"<send> with {_addressed(element)}, which SCXML has not,", place)
        elif unknown:
            yield self._failed(f'<send> with "{unknown[:80]}", which is not declared,', place)
        elif receiver in ("chart", "inside"):
            internal = receiver == "inside" and not delay
            yield (
                Raise(event, place) if internal else Send(event, delay, attributes.get("id"), place)
            )
        elif delay:
            raise refused("<send> with a delay and another target", "is an output later", place)
        elif receiver == "outside":
            yield Output(event, place)
        else:
            told = f"<send> with {_addressed(element)}, which does not run,"
            self._doubt(told, COMMUNICATION, place)
            if self.events.heard(COMMUNICATION):
                yield Raise(COMMUNICATION, place)

    def _choice(self, element: XmlElement) -> Choice:
        """<if> and its branches, which <elseif> and <else> divide."""
        guard: Expression | None = parse_expression(needed(element, "cond"), element.location)
        branches: list[tuple[Expression | None, Actions]] = []
        inside: list[XmlElement] = []
        for child in element.children:
            if child.tag not in ("elseif", "else"):
                inside.append(child)
                continue
            if guard is None:
                raise SyntaxSpecError(
                    f"{child.describe()} follows <else>; expected none", child.location
                )
            branches.append((guard, tuple(self._actions(inside))))
            inside = []
            guard = None
            if child.tag == "elseif":
                guard = parse_expression(needed(child, "cond"), child.location)
        branches.append((guard, tuple(self._actions(inside))))
        return Choice(tuple(branches), element.location)

    def _failed(self, what: str, place: Location) -> Fail:
        self._doubt(what, EXECUTION, place)
        return Fail(EXECUTION, place)

    def _doubt(self, what: str, event: str, place: Location) -> None:
        self.warnings.append(f"{place}: {what} raises {event} and does nothing else")


def _delay(element: XmlElement) -> Fraction:
    attributes, place = element.attributes, element.location
    if "delayexpr" in attributes:
        value = parse_expression(attributes["delayexpr"], place)
        if not isinstance(value, Literal):
            raise refused('"delayexpr" of <send>', "is computed", place)
        return _duration(str(value.value), place)
    return _duration(attributes["delay"], place) if "delay" in attributes else Fraction(0)


def _duration(text: str, place: Location) -> Fraction:
    match = _DURATION.match(text)
    if match is None:
        raise SyntaxSpecError(
            f'a delay is "{text[:80]}"; expected a number of s or ms, such as 0.5s', place
        )
    return Fraction(match[1]) / (1000 if match[2] == "ms" else 1)


def _addressed(send: XmlElement) -> str:
    """Type and target as they are written."""
    names = ("type", "typeexpr", "target", "targetexpr")
    found = [(name, send.attributes[name]) for name in names if name in send.attributes]
    return " and ".join(f'{name} "{value[:80]}"' for name, value in found)


# ---- what does not fit


def unfit(element: XmlElement) -> Exception:
    """The error for an element that cannot stand where it does."""
    if element.tag in _REFUSED:
        return refused(element.describe(), _REFUSED[element.tag], element.location)
    return SyntaxSpecError(f"{element.describe()} cannot stand here", element.location)


def refused(construct: str, why: str, place: Location) -> NotImportableError:
    """The error for what a machine has no place for."""
    return NotImportableError(
        f"{construct} {why}; expected states, transitions, comparisons and assigned values alone",
        place,
    )


def needed(element: XmlElement, name: str) -> str:
    """An attribute; raises `SyntaxSpecError` where it is not there."""
    value = element.attributes.get(name)
    if value is None:
        raise SyntaxSpecError(f'{element.describe()} has no "{name}"', element.location)
    return value
