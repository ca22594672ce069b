"""SCXML, the W3C's statecharts, as far as they are flat machines.

* A ``<state>`` is a state, ``<transition event target>`` a transition; the first in the document
  that takes an event counts. ``a`` takes the event ``a.b`` too, and ``*`` every event that some
  transition names.
* ``<send event>`` and ``<raise event>`` in ``<transition>``, ``<onentry>`` and ``<onexit>`` are
  outputs of the transition that runs them. Where the machine itself would take such an event, it is
  refused, unless ``<send>`` names another target. ``<log>`` says nothing.
* A ``<final>`` state is never left and puts out ``accept`` when it is entered.
* Nested and parallel states, history, ``cond``, ``delay``, transitions without an event, data and
  scripts are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.sax.saxutils import quoteattr

from vsafsm.errors import SyntaxSpecError
from vsafsm.formats import ACCEPT, Format, Reading
from vsafsm.formats._events import Action, Arc, State, check_names, reading, refused, written
from vsafsm.formats._xml import XmlElement, parse_xml
from vsafsm.machine import Machine

NAMESPACE = "http://www.w3.org/2005/07/scxml"

_HIERARCHY = "makes the machine a hierarchy"
_REFUSED = {
    **dict.fromkeys(("state", "final", "initial"), _HIERARCHY),
    "parallel": "is several machines at once",
    "history": "needs a memory of its own",
    **dict.fromkeys(("datamodel", "data", "assign", "donedata"), "is data"),
    **dict.fromkeys(("script", "if", "foreach", "invoke", "finalize"), "is code"),
    "cancel": "is about time",
}
_EVENT = re.compile(r"[\w-]+\Z")


def read_scxml(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors and, without its suffix, an
    unnamed machine.

    Raises
    ------
    SyntaxSpecError, NotImportableError, UnknownStateError, NondeterministicError,
    TooLargeError
        If the text is no SCXML, or the statechart no flat machine; with the place.
    """
    root = parse_xml(text, source, NAMESPACE, "scxml")
    states = []
    for child in root.children:
        if child.tag not in ("state", "final"):
            raise _unfit(child)
        states.append(_state(child))
    if not states:
        raise SyntaxSpecError("there is no <state>; expected at least one", root.location)
    initial = root.attributes.get("initial")
    return reading(
        root.attributes.get("name", ""),
        source,
        states,
        None if initial is None else (initial, root.location),
    )


# ---- from elements to states


def _unfit(element: XmlElement) -> Exception:
    if element.tag in _REFUSED:
        return refused(element.describe(), _REFUSED[element.tag], element.location)
    return SyntaxSpecError(f"{element.describe()} cannot stand here", element.location)


def _needed(element: XmlElement, name: str) -> str:
    value = element.attributes.get(name)
    if value is None:
        raise SyntaxSpecError(f'{element.describe()} has no "{name}"', element.location)
    return value


def _state(element: XmlElement) -> State:
    arcs: list[Arc] = []
    actions: dict[str, list[Action]] = {"onentry": [], "onexit": []}
    if element.tag == "final":
        actions["onentry"].append(Action(ACCEPT, element.location))
    elif "initial" in element.attributes:
        raise refused(f'"initial" of {element.describe()}', _HIERARCHY, element.location)
    for child in element.children:
        if child.tag in actions:
            actions[child.tag] += _actions(child)
        elif child.tag == "transition" and element.tag == "state":
            arcs.append(_arc(child))
        else:
            raise _unfit(child)
    name = _needed(element, "id")
    return State(
        name, element.location, tuple(arcs), tuple(actions["onentry"]), tuple(actions["onexit"])
    )


def _arc(element: XmlElement) -> Arc:
    if "cond" in element.attributes:
        raise refused('"cond" of a transition', "is a guard", element.location)
    described = element.attributes.get("event", "").split()
    if not described:
        raise refused("a transition without an event", "is taken by itself", element.location)
    if len(element.attributes.get("target", "").split()) > 1:
        raise refused(
            "a transition with several targets", "is for parallel states", element.location
        )
    tokens = [_token(text) for text in described]
    actions = tuple(_actions(element))
    events = tuple(token for token in tokens if token)
    target, place = element.attributes.get("target"), element.location
    return Arc(events, target, actions, (), place, place, _takes(tokens))


def _token(described: str) -> str:
    """An event descriptor without a trailing ``.*``; empty for every event."""
    return "" if described == "*" else described.removesuffix(".*").removesuffix(".")


def _takes(tokens: list[str]) -> Callable[[str], bool]:
    return lambda event: any(
        not token or event == token or event.startswith(token + ".") for token in tokens
    )


def _actions(element: XmlElement) -> Iterator[Action]:
    for child in element.children:
        if child.tag == "log":
            continue
        if child.tag not in ("send", "raise"):
            raise _unfit(child)
        for timed in ("delay", "delayexpr"):
            if timed in child.attributes:
                raise refused(f'"{timed}" of <send>', "is about time", child.location)
        if "eventexpr" in child.attributes or child.children:
            raise refused(
                f"{child.describe()} with an expression or data", "is code", child.location
            )
        elsewhere = (
            child.attributes.get("target", "#_internal") != "#_internal"
            or "targetexpr" in child.attributes
        )
        yield Action(_needed(child, "event"), child.location, heard=not elsewhere)


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
    "SCXML statecharts that are flat machines",
    fits=_fits,
)
