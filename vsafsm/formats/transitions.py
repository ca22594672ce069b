"""Machines of the Python library ``transitions``, as the dictionary that its
``MarkupMachine(...).markup`` gives.

In a file it is JSON or YAML.

* ``states`` are names, or mappings with ``name``, ``on_enter`` and ``on_exit``; ``transitions`` are
  mappings or lists of trigger, source and dest. The source ``*`` is every state, the dest ``=`` the
  source, no dest an internal transition. The first transition that fits counts.
* The names of callbacks (``before``, ``after``, ``prepare``, ``on_enter``, ``on_exit``) are outputs
  of the transitions that call them. A trigger that a state does not know leaves it where it is.
* Automatic transitions (``to_...``) are not part of the machine. Conditions, nested and parallel
  states, timeouts and callbacks on failure are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from vsafsm.errors import Location, SyntaxSpecError
from vsafsm.formats import Format, Reading
from vsafsm.formats._events import (
    Action,
    Arc,
    State,
    check_names,
    known,
    named,
    reading,
    refused,
    written,
)
from vsafsm.formats._keys import fields, has_value, items, needed, texts
from vsafsm.formats._keys import text as text_of
from vsafsm.formats._nodes import Items, Node, Scalar, parse
from vsafsm.machine import Machine

EVERY, SAME = "*", "="
_MACHINE = ("name", "states", "transitions", "initial", "before_state_change", "after_state_change")
_STATE = ("name", "on_enter", "on_exit")
_TRANSITION = ("trigger", "source", "dest", "before", "after", "prepare")
_IGNORED = (
    *(
        "send_event",
        "auto_transitions",
        "model_attribute",
        "model_override",
        "ignore_invalid_triggers",
    ),
    *("queued", "models", "ordered_transitions", "tags", "final", "value"),
)
_REFUSED = {
    **dict.fromkeys(
        ("children", "parallel", "initial", "transitions"), "makes the machine a hierarchy"
    ),
    **dict.fromkeys(("timeout", "on_timeout"), "is about time"),
    **dict.fromkeys(("conditions", "unless"), "is a guard"),
    **dict.fromkeys(
        ("on_exception", "on_final", "finalize_event", "prepare_event"),
        "is code outside of transitions",
    ),
}


def read_transitions(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors and, without its suffix, an
    unnamed machine.

    Raises
    ------
    SyntaxSpecError, UnknownStateError,
    NotImportableError
        If the text is no such dictionary, or holds no flat machine; with the place.
    """
    root = parse(text, source)
    if root is None:
        raise SyntaxSpecError(
            "the text is empty; expected the dictionary of a machine", Location(source)
        )
    top = fields(root, "machine", _MACHINE, _REFUSED, _IGNORED)
    declared = [_state(node) for node in items(needed(top, "states", root), "states")]
    shared = (_actions(top.get("before_state_change")), _actions(top.get("after_state_change")))
    arcs: dict[str, list[Arc]] = {state.name: [] for state in declared}
    for node in items(top["transitions"], "transitions") if "transitions" in top else ():
        for state, arc in _arcs(node, arcs, shared):
            arcs[known(state, arcs, arc.location)].append(arc)
    states = [State(s.name, s.location, tuple(arcs[s.name]), s.entry, s.exit) for s in declared]
    initial = text_of(top["initial"], "initial") if "initial" in top else None
    name = text_of(top["name"], "name").text if "name" in top else ""
    return reading(name, source, states, (initial.text, initial.location) if initial else None)


def _actions(node: Node | None) -> tuple[Action, ...]:
    if node is None:
        return ()
    return tuple(Action(each.text, each.location) for each in texts(node, "a callback"))


def _state(node: Node) -> State:
    if isinstance(node, Scalar):
        return State(text_of(node, "a state").text, node.location)
    found = fields(node, "state", _STATE, _REFUSED, _IGNORED)
    name = text_of(needed(found, "name", node), "name")
    return State(
        name.text,
        name.location,
        (),
        _actions(found.get("on_enter")),
        _actions(found.get("on_exit")),
    )


def _arcs(
    node: Node, states: Iterable[str], shared: tuple[tuple[Action, ...], tuple[Action, ...]]
) -> Iterator[tuple[str, Arc]]:
    """The arc that a transition is of each of its sources."""
    if isinstance(node, Items):
        if len(node.items) != 3:
            raise refused(
                "a list of more than trigger, source and dest",
                "has guards or callbacks",
                node.location,
            )
        pairs = zip(("trigger", "source", "dest"), node.items, strict=True)
        found = {name: value for name, value in pairs if has_value(value)}
    else:
        found = fields(node, "transition", _TRANSITION, _REFUSED, _IGNORED)
    triggers = tuple(
        named("input", each.text, each.location)
        for each in texts(needed(found, "trigger", node), "a trigger")
    )
    sources = [each.text for each in texts(needed(found, "source", node), "a source")]
    dest = text_of(found["dest"], "dest") if "dest" in found else None
    before = (*_actions(found.get("prepare")), *shared[0], *_actions(found.get("before")))
    after = (*_actions(found.get("after")), *shared[1])
    target_place = dest.location if dest else node.location
    for source in states if EVERY in sources else sources:
        target = None if dest is None else source if dest.text == SAME else dest.text
        yield (
            source,
            Arc(
                triggers, target, before, after, node.location, target_place, triggers.__contains__
            ),
        )


# ---- writing


def write_transitions(machine: Machine) -> str:
    """`machine` as JSON that ``transitions.Machine(**json.load(file))`` takes; outputs are
    callbacks ``after``.

    Moore outputs are called for by each transition that enters their state.

    Raises
    ------
    NotExpressibleError
        If a state is called ``*`` or ``=``.
    """
    check_names(machine, "transitions", _fits, 'expected another name than "*" and "="')
    rows = [
        json.dumps(
            {
                "trigger": event,
                "source": state,
                "dest": target,
                **({"after": list(outputs)} if outputs else {}),
            },
            ensure_ascii=False,
        )
        for state, arcs in written(machine)
        for event, target, outputs in arcs
    ]
    content = {
        "name": machine.name,
        "initial": machine.initial,
        "states": list(machine.states),
        "auto_transitions": False,
    }
    head = json.dumps(content, ensure_ascii=False)[:-1]
    return head + ', "transitions": [\n  ' + ",\n  ".join(rows) + "\n]}\n"


def _fits(kind: str, name: str) -> bool:
    return kind != "state" or name not in (EVERY, SAME)


FORMAT = Format(
    "transitions",
    (".transitions",),
    read_transitions,
    write_transitions,
    "machines of the Python library transitions, as JSON or YAML",
    fits=_fits,
)
