"""SCXML, the W3C's statecharts, as far as they need no code.

* ``<state>``, ``<parallel>``, ``<final>`` and ``<history>`` nest as the standard says. The first
  transition in the document that takes an event counts, inner states before outer ones. ``a`` takes
  the event ``a.b`` too, and ``*`` every event that there is. A transition without an event is taken
  as soon as its ``cond`` holds.
* Inputs are the events that transitions name, but for ``done.state.ID`` and those that the chart
  raises or sends itself.
* ``<raise event>`` and ``<send event>`` are heard by the chart, where a transition takes them. What
  nobody takes, and what goes to another machine, is an output. ``<send delay>`` is heard later,
  unless ``<cancel>`` comes first. ``<log>`` says nothing.
* What can only fail raises an error event, and a warning: `_scxml_events` tells who gets what is
  sent.
* ``<data>`` are whole numbers, truth values and texts; ``<assign>``, ``<if>`` and ``cond`` take
  comparisons, ``+``, ``-``, and, or, not, and ``In('state')``.
* A ``<final>`` state at the top is never left and puts out ``accept`` when it is entered.
* Scripts, loops, invoked machines, donedata and other expressions are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Literal as OneOf
from xml.sax.saxutils import quoteattr

from vsafsm.errors import Location, SyntaxSpecError
from vsafsm.formats import Format, Reading, name_from
from vsafsm.formats._charts import chart_reading
from vsafsm.formats._events import check_names, written
from vsafsm.formats._scxml_actions import ActionReader, needed, refused, unfit
from vsafsm.formats._scxml_events import STATES, Events
from vsafsm.formats._xml import XmlElement, parse_xml
from vsafsm.machine import Machine
from vsafsm.statecharts import (
    History,
    State,
    Statechart,
    Transition,
    Variable,
    parse_expression,
)
from vsafsm.statecharts.expressions import Literal
from vsafsm.statecharts.parts import Action, Actions

NAMESPACE = "http://www.w3.org/2005/07/scxml"

_KINDS: Mapping[str, OneOf["state", "parallel", "final"]] = {
    "state": "state",
    "parallel": "parallel",
    "final": "final",
}
_EVENT = re.compile(r"[\w-]+\Z")


def read_scxml(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors and, without its suffix, an
    unnamed machine.

    Raises
    ------
    SyntaxSpecError, NotImportableError, UnknownStateError, TooLargeError, SpecError
        If the text is no SCXML, or the statechart no finite machine; with the place.
    """
    reader = _reader(text, source)
    chart = reader.chart()
    return chart_reading(chart, tuple(reader.actions.warnings))


def scxml_chart(text: str, source: str) -> Statechart:
    """The statechart of `text`; parameters and errors as `read_scxml`."""
    return _reader(text, source).chart()


def _reader(text: str, source: str) -> _ChartReader:
    return _ChartReader(parse_xml(text, source, NAMESPACE, "scxml"), source)


# ---- from elements to states


class _ChartReader:
    def __init__(self, root: XmlElement, source: str) -> None:
        self.root, self.source = root, source
        self.data: list[Variable] = []
        self.events = Events(root)
        self.actions = ActionReader(self.events)

    def chart(self) -> Statechart:
        root = self.root
        states: list[State | History] = []
        for child in root.children:
            if child.tag == "datamodel":
                self.declare(child)
            elif child.tag in STATES and child.tag != "history":
                states.append(self.node(child))
            else:
                raise unfit(child)
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
                actions[child.tag] += self.actions.block(child.children)
            elif child.tag == "datamodel":
                self.declare(child)
            elif element.tag == "final":
                raise unfit(child)
            elif child.tag == "transition":
                transitions.append(self.transition(child, element.tag == "state"))
            elif child.tag == "initial" and element.tag == "state":
                initial, initial_actions = self.default(child)
                place = child.location
            elif child.tag in STATES:
                children.append(self.node(child))
            else:
                raise unfit(child)
        return State(
            needed(element, "id"),
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
        return History(needed(element, "id"), targets, kind == "deep", actions, element.location)

    def default(self, element: XmlElement) -> tuple[tuple[str, ...], Actions]:
        """Targets and actions of the one transition of <initial> or <history>."""
        transitions = element.children
        for child in transitions:
            if child.tag != "transition":
                raise unfit(child)
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
        return tuple(needed(only, "target").split()), self.actions.block(only.children)

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
            self.actions.block(element.children),
            compound and element.attributes.get("type") == "internal",
            place=element.location,
        )

    def declare(self, element: XmlElement) -> None:
        for child in element.children:
            if child.tag != "data":
                raise unfit(child)
            name = needed(child, "id")
            if "src" in child.attributes:
                raise refused(f'"src" of data "{name[:80]}"', "is another file", child.location)
            text = child.attributes.get("expr", child.text)
            if not text.strip():
                raise refused(f'data "{name[:80]}"', "has no value", child.location)
            value = parse_expression(text, child.location)
            if not isinstance(value, Literal):
                raise refused(f'the value of data "{name[:80]}"', "is computed", child.location)
            self.data.append(Variable(name, value.value, place=child.location))


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
