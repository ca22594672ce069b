"""Statecharts of the Python library ``sismic``, in YAML, as far as they are flat machines.

* The states of the root state are the machine's; ``transitions`` have an ``event``, a ``target``
  (without one they stay inside) and an ``action``. Two transitions of a state on one event are
  refused, as sismic does when it runs.
* Actions, ``on entry`` and ``on exit`` may hold ``send('name')`` and ``notify('name')`` alone:
  outputs of the transition that runs them. A sent event that the machine itself would take is
  refused.
* A state of ``type: final`` is never left and puts out ``accept`` when it is entered.
* Nested and parallel states, history, guards, contracts, a preamble and transitions without an
  event are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from vsafsm.errors import Location, NondeterministicError, SyntaxSpecError
from vsafsm.formats import ACCEPT, Format, Reading
from vsafsm.formats._events import Action, Arc, State, check_names, named, reading, refused, written
from vsafsm.formats._keys import fields, items, needed
from vsafsm.formats._keys import text as text_of
from vsafsm.formats._nodes import Node, parse
from vsafsm.machine import Machine

_CHART = ("name", "description", "root state")
_ROOT = ("name", "initial", "states")
_STATE = ("name", "type", "on entry", "on exit", "transitions")
_TRANSITION = ("event", "target", "action")
_REFUSED = {
    **dict.fromkeys(
        ("states", "initial", "parallel states", "memory"), "makes the machine a hierarchy"
    ),
    "guard": "is a guard",
    "preamble": "is code",
    "contract": "is code",
    "priority": "orders transitions by number",
}
_CALL = re.compile(r"""\s*(send|notify)\(\s*(?:'([^'\\]+)'|"([^"\\]+)")\s*\)\s*""")


def read_sismic(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors.

    Raises
    ------
    SyntaxSpecError, NondeterministicError,
    NotImportableError
        If the text is no statechart of sismic, or no flat machine; with the place.
    """
    root = parse(text, source)
    if root is None:
        raise SyntaxSpecError("the text is empty; expected a statechart", Location(source))
    file = fields(root, "file", ("statechart",), _REFUSED)
    chart = fields(needed(file, "statechart", root), "statechart", _CHART, _REFUSED)
    top = fields(needed(chart, "root state", root), "root state", _ROOT, _REFUSED)
    states = [_state(node) for node in items(needed(top, "states", root), "states")]
    initial = text_of(needed(top, "initial", root), "initial")
    name = text_of(chart["name"], "name").text if "name" in chart else ""
    return reading(name, source, states, (initial.text, initial.location))


def _state(node: Node) -> State:
    found = fields(node, "state", _STATE, _REFUSED)
    name = text_of(needed(found, "name", node), "name")
    entry, leave = (tuple(_actions(found.get(key))) for key in ("on entry", "on exit"))
    if "type" in found:
        kind = text_of(found["type"], "type")
        if kind.text != "final":
            raise refused(f'type "{kind.text}"', "needs a memory of its own", kind.location)
        entry = (Action(ACCEPT, kind.location), *entry)
    arcs: list[Arc] = []
    for each in items(found["transitions"], "transitions") if "transitions" in found else ():
        arc = _arc(each, name.text)
        for before in arcs:
            if before.events == arc.events:
                raise NondeterministicError(
                    f'state "{name.text}" has another transition on "{arc.events[0]}" in line'
                    f" {before.location.line}; expected one for each event",
                    arc.location,
                )
        arcs.append(arc)
    return State(name.text, name.location, tuple(arcs), entry, leave)


def _arc(node: Node, state: str) -> Arc:
    found = fields(node, "transition", _TRANSITION, _REFUSED)
    if "event" not in found:
        raise refused(
            f'a transition of state "{state}" without an event', "is taken by itself", node.location
        )
    event = text_of(found["event"], "event")
    events = (named("input", event.text, event.location),)
    target = text_of(found["target"], "target") if "target" in found else None
    actions, place = tuple(_actions(found.get("action"))), node.location
    if target is None:
        return Arc(events, None, actions, (), place, place, events.__contains__)
    return Arc(events, target.text, actions, (), place, target.location, events.__contains__)


def _actions(node: Node | None) -> Iterator[Action]:
    if node is None:
        return
    code = text_of(node, "an action")
    for line in re.split(r"[;\n]", code.text):
        call = _CALL.fullmatch(line)
        if call:
            yield Action(call[2] or call[3], code.location, heard=call[1] == "send")
        elif line.strip():
            raise refused(f'"{line.strip()[:60]}"', "is code", code.location)


# ---- writing


def write_sismic(machine: Machine) -> str:
    """`machine` as a statechart of sismic; outputs are ``notify('name')``.

    Moore outputs are told by each transition that enters their state.

    Raises
    ------
    NotExpressibleError
        If an output holds a quote or a backslash, or a state is called ``root``.
    """
    check_names(
        machine,
        "sismic",
        _fits,
        'expected an output without quotes, ";" and backslashes, and another state than "root"',
    )
    lines = ["statechart:", f"  name: {_quoted(machine.name)}", "  root state:", "    name: root"]
    lines += [f"    initial: {_quoted(machine.initial)}", "    states:"]
    for state, arcs in written(machine):
        lines += [f"    - name: {_quoted(state)}", "      transitions:"]
        for event, target, outputs in arcs:
            lines.append(f"      - event: {_quoted(event)}")
            if target is not None:
                lines.append(f"        target: {_quoted(target)}")
            if outputs:
                calls = "; ".join(f"notify('{output}')" for output in outputs)
                lines.append(f"        action: {_quoted(calls)}")
    return "\n".join(lines) + "\n"


def _fits(kind: str, name: str) -> bool:
    if kind == "state":
        return name != "root"
    return kind != "output" or not re.search(r"['\"\\;]", name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


FORMAT = Format(
    "sismic",
    (".sismic",),
    read_sismic,
    write_sismic,
    "flat statecharts of the Python library sismic",
    fits=_fits,
)
