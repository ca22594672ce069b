"""SCXML, the W3C's statecharts, as far as they need no code.

* ``<state>``, ``<parallel>``, ``<final>`` and ``<history>`` nest as the standard says. The first
  transition in the document that takes an event counts, inner states before outer ones. ``a`` takes
  the event ``a.b`` too, and ``*`` every event that there is. A transition without an event is taken
  as soon as its ``cond`` holds.
* Inputs are the events that transitions name, but for ``done.state.ID`` and those that the chart
  raises or sends itself.
* ``<raise event>`` and ``<send event>`` are heard by the chart, where a transition takes them. What
  nobody takes, and what ``<send>`` sends to another target, is an output. ``<send delay>`` is heard
  later, unless ``<cancel>`` comes first. ``<log>`` says nothing.
* ``<data>`` are whole numbers, truth values and texts; ``<assign>``, ``<if>`` and ``cond`` take
  comparisons, ``+``, ``-``, and, or, not, and ``In('state')``.
* A ``<final>`` state at the top is never left and puts out ``accept`` when it is entered.
* Scripts, loops, invoked machines, donedata and other expressions are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import PurePath
from typing import Literal as OneOf
from xml.sax.saxutils import quoteattr

from vsafsm.errors import Location, NotImportableError, SyntaxSpecError
from vsafsm.formats import Format, Reading, name_from
from vsafsm.formats._charts import chart_reading
from vsafsm.formats._events import check_names, written
from vsafsm.formats._xml import XmlElement, parse_xml
from vsafsm.machine import Machine
from vsafsm.statecharts import (
    Assign,
    Cancel,
    Choice,
    History,
    Output,
    Raise,
    Send,
    State,
    Statechart,
    Transition,
    Variable,
    parse_expression,
)
from vsafsm.statecharts.chart import DONE
from vsafsm.statecharts.expressions import Expression, Literal
from vsafsm.statecharts.parts import Action, Actions

NAMESPACE = "http://www.w3.org/2005/07/scxml"

_REFUSED = {
    **dict.fromkeys(("script", "foreach"), "is code"),
    **dict.fromkeys(("invoke", "finalize"), "runs another machine"),
    **dict.fromkeys(("donedata", "param", "content"), "is data that is sent"),
}
_STATES = ("state", "parallel", "final", "history")
_KINDS: Mapping[str, OneOf["state", "parallel", "final"]] = {
    "state": "state",
    "parallel": "parallel",
    "final": "final",
}
_EVENT = re.compile(r"[\w-]+\Z")
_DURATION = re.compile(r"\s*(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*(ms|s)\s*\Z")


def read_scxml(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors and, without its suffix, an
    unnamed machine.

    Raises
    ------
    SyntaxSpecError, NotImportableError, UnknownStateError, TooLargeError, SpecError
        If the text is no SCXML, or the statechart no finite machine; with the place.
    """
    return chart_reading(scxml_chart(text, source))


def scxml_chart(text: str, source: str) -> Statechart:
    """The statechart of `text`; parameters and errors as `read_scxml`."""
    root = parse_xml(text, source, NAMESPACE, "scxml")
    return _ChartReader(root, source).chart()


# ---- from elements to states


class _ChartReader:
    def __init__(self, root: XmlElement, source: str) -> None:
        self.root, self.source = root, source
        self.data: list[Variable] = []
        self.events = _Events()
        self.events.gather(root)

    def chart(self) -> Statechart:
        root = self.root
        states: list[State | History] = []
        for child in root.children:
            if child.tag == "datamodel":
                self.declare(child)
            elif child.tag in _STATES and child.tag != "history":
                states.append(self.node(child))
            else:
                raise _unfit(child)
        if not states:
            raise SyntaxSpecError("there is no <state>; expected at least one", root.location)
        return Statechart(
            name_from(root.attributes.get("name", ""), PurePath(self.source).stem, "machine"),
            tuple(states),
            tuple(root.attributes.get("initial", "").split()),
            data=tuple(self.data),
            inputs=self.events.inputs,
            between_regions=True,
            place=Location(self.source),
            initial_place=root.location,
        )

    def node(self, element: XmlElement) -> State | History:
        return self.history(element) if element.tag == "history" else self.state(element)

    def state(self, element: XmlElement) -> State:
        children: list[State | History] = []
        transitions: list[Transition] = []
        actions: dict[str, list[Action]] = {"onentry": [], "onexit": []}
        initial = tuple(element.attributes.get("initial", "").split())
        initial_actions: Actions = ()
        place = element.location
        for child in element.children:
            if child.tag in actions:
                actions[child.tag] += _actions(child.children)
            elif child.tag == "datamodel":
                self.declare(child)
            elif element.tag == "final":
                raise _unfit(child)
            elif child.tag == "transition":
                transitions.append(self.transition(child, element.tag == "state"))
            elif child.tag == "initial" and element.tag == "state":
                initial, initial_actions = self.default(child)
                place = child.location
            elif child.tag in _STATES:
                children.append(self.node(child))
            else:
                raise _unfit(child)
        return State(
            _needed(element, "id"),
            tuple(children),
            kind=_KINDS[element.tag],
            initial=initial,
            initial_actions=initial_actions,
            entry=tuple(actions["onentry"]),
            exit=tuple(actions["onexit"]),
            transitions=tuple(transitions),
            place=element.location,
            initial_place=place,
        )

    def history(self, element: XmlElement) -> History:
        kind = element.attributes.get("type", "shallow")
        if kind not in ("shallow", "deep"):
            raise SyntaxSpecError(
                f'the type of a history is "{kind[:80]}"; expected shallow or deep',
                element.location,
            )
        targets, actions = self.default(element)
        return History(_needed(element, "id"), targets, kind == "deep", actions, element.location)

    def default(self, element: XmlElement) -> tuple[tuple[str, ...], Actions]:
        """Targets and actions of the one transition of <initial> or <history>."""
        transitions = element.children
        for child in transitions:
            if child.tag != "transition":
                raise _unfit(child)
        if len(transitions) != 1:
            raise SyntaxSpecError(
                f"{element.describe()} has {len(transitions)} transitions; expected the one to its"
                " default",
                element.location,
            )
        (only,) = transitions
        for key in ("event", "cond"):
            if key in only.attributes:
                raise SyntaxSpecError(
                    f'the transition of {element.describe()} has "{key}"; expected a target alone',
                    only.location,
                )
        return tuple(_needed(only, "target").split()), tuple(_actions(only.children))

    def transition(self, element: XmlElement, compound: bool) -> Transition:
        described = element.attributes.get("event")
        cond = element.attributes.get("cond")
        if described is not None and not described.split():
            raise SyntaxSpecError(
                "the event of a transition is empty; expected one or none", element.location
            )
        return Transition(
            () if described is None else self.events.taken(described),
            tuple(element.attributes.get("target", "").split()),
            None if cond is None else parse_expression(cond, element.location),
            tuple(_actions(element.children)),
            compound and element.attributes.get("type") == "internal",
            place=element.location,
        )

    def declare(self, element: XmlElement) -> None:
        for child in element.children:
            if child.tag != "data":
                raise _unfit(child)
            name = _needed(child, "id")
            if "src" in child.attributes:
                raise _refused(f'"src" of data "{name[:80]}"', "is another file", child.location)
            text = child.attributes.get("expr", child.text)
            if not text.strip():
                raise _refused(f'data "{name[:80]}"', "has no value", child.location)
            value = parse_expression(text, child.location)
            if not isinstance(value, Literal):
                raise _refused(f'the value of data "{name[:80]}"', "is computed", child.location)
            self.data.append(Variable(name, value.value, place=child.location))


class _Events:
    """Every event of a chart, and which of them a transition takes.

    Attributes
    ----------
    inputs
        Those from outside.
    """

    def __init__(self) -> None:
        self.named: dict[str, None] = {}
        self.own: dict[str, None] = {}
        self.inputs: tuple[str, ...] = ()
        self.beginning: dict[str, list[str]] = {}

    def gather(self, root: XmlElement) -> None:
        pending = [root]
        while pending:
            element = pending.pop()
            pending += reversed(element.children)
            event = element.attributes.get("event", "")
            if element.tag == "transition":
                self.named.update(
                    (token, None) for text in event.split() if (token := _token(text))
                )
            elif element.tag == "raise" or (element.tag == "send" and _heard(element)):
                self.own[event] = None
            elif element.tag in ("state", "parallel") and any(
                child.tag in _STATES for child in element.children
            ):
                self.own[DONE + element.attributes.get("id", "")] = None
        for event in {**self.named, **self.own}:
            parts = event.split(".")
            for end in range(1, len(parts) + 1):
                self.beginning.setdefault(".".join(parts[:end]), []).append(event)
        done = (DONE[:-1], DONE.partition(".")[0])
        self.inputs = tuple(
            event
            for event in self.named
            if event not in self.own
            and not (event in done and any(each.startswith(DONE) for each in self.beginning[event]))
        )

    def taken(self, described: str) -> tuple[str, ...]:
        """The events that a transition with these descriptors takes."""
        found: dict[str, None] = {}
        for text in described.split():
            token = _token(text)
            events = self.beginning.get(token, []) if token else [*self.named, *self.own]
            found.update(dict.fromkeys(events))
        return tuple(found)


def _token(described: str) -> str:
    """An event descriptor without a trailing ``.*``; empty for every event."""
    return "" if described == "*" else described.removesuffix(".*").removesuffix(".")


# ---- from elements to actions


def _actions(elements: Iterable[XmlElement]) -> Iterator[Action]:
    for element in elements:
        place = element.location
        if element.tag == "raise":
            yield Raise(_needed(element, "event"), place)
        elif element.tag == "send":
            yield _send(element)
        elif element.tag == "cancel":
            if "sendidexpr" in element.attributes:
                raise _refused('"sendidexpr" of <cancel>', "is code", place)
            yield Cancel(_needed(element, "sendid"), place)
        elif element.tag == "assign":
            value = element.attributes.get("expr", element.text)
            yield Assign(_needed(element, "location"), parse_expression(value, place), place)
        elif element.tag == "if":
            yield _choice(element)
        elif element.tag != "log":
            raise _unfit(element)


def _heard(send: XmlElement) -> bool:
    """Whether the chart sends to itself."""
    to = send.attributes.get("target", "#_internal")
    return to == "#_internal" and "targetexpr" not in send.attributes


def _send(element: XmlElement) -> Action:
    attributes, place = element.attributes, element.location
    if "eventexpr" in attributes or element.children:
        raise _refused("<send> with an expression or data", "is code", place)
    event = _needed(element, "event")
    delay = Fraction(0)
    if "delayexpr" in attributes:
        value = parse_expression(attributes["delayexpr"], place)
        if not isinstance(value, Literal):
            raise _refused('"delayexpr" of <send>', "is computed", place)
        delay = _duration(str(value.value), place)
    elif "delay" in attributes:
        delay = _duration(attributes["delay"], place)
    if not _heard(element):
        if delay:
            raise _refused("<send> with a delay and another target", "is an output later", place)
        return Output(event, place)
    if delay or "target" not in attributes:
        return Send(event, delay, attributes.get("id"), place)
    return Raise(event, place)


def _duration(text: str, place: Location) -> Fraction:
    match = _DURATION.match(text)
    if match is None:
        raise SyntaxSpecError(
            f'a delay is "{text[:80]}"; expected a number of s or ms, such as 0.5s', place
        )
    return Fraction(match[1]) / (1000 if match[2] == "ms" else 1)


def _choice(element: XmlElement) -> Choice:
    """<if> and its branches, which <elseif> and <else> divide."""
    guard: Expression | None = parse_expression(_needed(element, "cond"), element.location)
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
        branches.append((guard, tuple(_actions(inside))))
        inside = []
        guard = None
        if child.tag == "elseif":
            guard = parse_expression(_needed(child, "cond"), child.location)
    branches.append((guard, tuple(_actions(inside))))
    return Choice(tuple(branches), element.location)


# ---- what does not fit


def _unfit(element: XmlElement) -> Exception:
    if element.tag in _REFUSED:
        return _refused(element.describe(), _REFUSED[element.tag], element.location)
    return SyntaxSpecError(f"{element.describe()} cannot stand here", element.location)


def _refused(construct: str, why: str, place: Location) -> NotImportableError:
    return NotImportableError(
        f"{construct} {why}; expected states, transitions, comparisons and assigned values alone",
        place,
    )


def _needed(element: XmlElement, name: str) -> str:
    value = element.attributes.get(name)
    if value is None:
        raise SyntaxSpecError(f'{element.describe()} has no "{name}"', element.location)
    return value


# ---- writing


def write_scxml(machine: Machine) -> str:
    """`machine` as SCXML: every pair of state and input is a transition, its outputs are sent to
    the parent.

    Moore outputs are sent by each transition that enters their state.

    Raises
    ------
    NotExpressibleError
        If a state or an input is no plain word of letters, digits, ``_`` and ``-``.
    """
    check_names(machine, "SCXML", _fits, "expected letters, digits, _ and - alone")
    head = f'initial="{machine.initial}" name={quoteattr(machine.name)}'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<scxml xmlns="{NAMESPACE}" version="1.0" {head}>',
    ]
    for state, arcs in written(machine):
        lines.append(f'  <state id="{state}">')
        for event, target, outputs in arcs:
            to = "" if target is None else f' target="{target}"'
            sent = "".join(
                f'<send event={quoteattr(output)} target="#_parent"/>' for output in outputs
            )
            opened = f'    <transition event="{event}"{to}'
            lines.append(f"{opened}>{sent}</transition>" if sent else f"{opened}/>")
        lines.append("  </state>")
    return "\n".join([*lines, "</scxml>"]) + "\n"


def _fits(kind: str, name: str) -> bool:
    return kind == "output" or bool(_EVENT.match(name))


FORMAT = Format(
    "scxml",
    (".scxml",),
    read_scxml,
    write_scxml,
    "SCXML statecharts without code",
    fits=_fits,
    chart=scxml_chart,
)
