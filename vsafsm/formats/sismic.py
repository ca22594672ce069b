"""Statecharts of the Python library ``sismic``, in YAML.

* States inside others (``states`` with ``initial``, ``parallel states``), histories, final states,
  ``on entry`` and ``on exit``; ``transitions`` with ``event``, ``target`` (without one they stay
  inside), ``guard``, ``action`` and ``priority``. Those of a state on one event have to differ in
  priority or guard, as sismic demands when it runs.
* Actions hold ``send('name')``, which the chart itself hears or puts out, ``notify('name')``, an
  output, and assignments; ``send('name', delay=3)`` comes later. ``preamble`` gives variables
  their first values. Guards are what `vsafsm.statecharts.parse_expression` reads, with
  ``after(seconds)`` and ``idle(seconds)``.
* A state of ``type: final`` at the top is never left and puts out ``accept`` when it is entered.
* Contracts and all other code are refused.

What sismic does otherwise than SCXML is said in SCXML's terms (`vsafsm.formats._regions`). The
order of what several regions put out on one event stays that of the document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal as OneOf

from vsafsm.errors import (
    BadNameError,
    Location,
    NondeterministicError,
    SyntaxSpecError,
    UnknownStateError,
    did_you_mean,
)
from vsafsm.formats import Format, Reading
from vsafsm.formats._charts import assignment, chart_reading
from vsafsm.formats._events import check_names, named, refused, written
from vsafsm.formats._flat_charts import chart_name, flat_reading
from vsafsm.formats._keys import fields, items, needed
from vsafsm.formats._keys import text as text_of
from vsafsm.formats._nodes import Items, Mapping, Node, Scalar, parse
from vsafsm.formats._regions import Tree, inner_first
from vsafsm.machine import Machine, listed
from vsafsm.statecharts import (
    Assign,
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
from vsafsm.statecharts.expressions import (
    After,
    Idle,
    Literal,
    parts_of,
)
from vsafsm.statecharts.parts import Action, Actions

_CHART = ("name", "description", "preamble", "root state")
_STATE = (
    *("name", "type", "initial", "memory", "on entry", "on exit", "transitions"),
    *("states", "parallel states"),
)
_TRANSITION = ("event", "guard", "target", "action", "priority")
_REFUSED = {"contract": "is code"}
_HISTORIES = {"shallow history": False, "deep history": True}
_PRIORITIES = {"low": -1, "high": 1}

_PIECE = re.compile(r"""'[^'\n]*'|"[^"\n]*"|\#[^\n]*|[;\n]|[^'"\#;\n]+|['"]""")
_CALL = re.compile(
    r"""(send|notify)\(\s*(?:'([^'\\]+)'|"([^"\\]+)")\s*"""
    r"""(?:,\s*delay\s*=\s*(\d{1,9}(?:\.\d{1,9})?)\s*)?\)"""
)
_INTEGER = re.compile(r"[+-]?\d{1,9}")


def read_sismic(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors.

    Raises
    ------
    SyntaxSpecError, NondeterministicError, UnknownStateError, NotImportableError, TooLargeError
        If the text is no statechart of sismic, or holds code, or has too many configurations; with
        the place.
    """
    found = _Chart(text, source)
    chart = found.chart()
    flat = flat_reading(chart, source, found.warnings)
    return flat or chart_reading(chart, tuple(found.warnings))


def read_chart(text: str, source: str) -> Statechart:
    """The statechart in `text`; `source` names the text in errors, which are as those of
    `read_sismic`.
    """
    return _Chart(text, source).chart()


@dataclass
class _Node:
    """A state of the file; `top` for a root that is no parallel state, which no chart names."""

    name: Scalar
    found: dict[str, Node]
    kind: OneOf["state", "parallel", "final", "history"]
    parent: str
    entry: Actions
    exit: Actions
    top: bool = False
    children: list[_Node] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.name.text

    @property
    def compound(self) -> bool:
        return self.kind == "state" and bool(self.children)


class _Chart:
    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.warnings: list[str] = []
        root = parse(text, source)
        if root is None:
            raise SyntaxSpecError("the text is empty; expected a statechart", Location(source))
        self.place = root.location
        file = fields(root, "file", ("statechart",), {})
        self.found = fields(needed(file, "statechart", root), "statechart", _CHART, _REFUSED)
        top = needed(self.found, "root state", root)
        self.nodes: dict[str, _Node] = {}
        self.root = self.node(top, None)
        if not self.root.children:
            raise SyntaxSpecError('there is no "states"; expected it here', self.place)
        if self.root.top and "initial" not in self.root.found:
            raise SyntaxSpecError('there is no "initial"; expected it here', self.place)
        self.tree = Tree(
            {each.id: each.parent for each in self.nodes.values()},
            [each.id for each in self.nodes.values() if each.kind == "parallel"],
        )

    def chart(self) -> Statechart:
        root = self.root
        data = self.data()
        states = tuple(self.built(each) for each in ([root] if not root.top else root.children))
        initial = self.initial(root) if root.top else ()
        top = self.transitions(root) if root.top else ()
        states, top = inner_first(states, top, eventless=True)
        name = text_of(self.found["name"], "name").text if "name" in self.found else ""
        return Statechart(
            chart_name(name, self.source),
            states,
            initial,
            top,
            data,
            place=self.place,
            initial_place=root.found["initial"].location if initial else None,
        )

    def data(self) -> tuple[Variable, ...]:
        """The variables, from the preamble and from what a root that no chart names runs when it
        is entered.
        """
        first = _actions(self.found.get("preamble"))
        found: dict[str, Variable] = {}
        for each in (*first, *(self.root.entry if self.root.top else ())):
            place = each.place or self.place
            if not isinstance(each, Assign):
                if each in first:
                    raise refused("what the preamble sends", "is heard by nobody", place)
                if isinstance(each, Send) or self.hears(each):
                    raise refused(
                        f'what "{self.root.id}" sends when it is entered',
                        "comes before the first state",
                        place,
                    )
                self.warnings.append(
                    f'{place}: what state "{self.root.id}" puts out when it is entered does not'
                    " count at the start"
                )
                continue
            if not isinstance(each.value, Literal):
                raise refused(
                    f'the first value of "{each.variable}"', "is no number or text", place
                )
            found[each.variable] = Variable(each.variable, each.value.value, place=place)
        return tuple(found.values())

    def hears(self, action: Action) -> bool:
        """Whether some transition takes what an action raises."""
        if not isinstance(action, Raise):
            return False
        return any(
            key.text == "event" and isinstance(value, Scalar) and value.text == action.event
            for node in self.nodes.values()
            for each in _listed(node.found.get("transitions"))
            if isinstance(each, Mapping)
            for key, value in each.pairs
        )

    # ---- states

    def node(self, node: Node, parent: _Node | None) -> _Node:
        found = fields(node, "state" if parent else "root state", _STATE, _REFUSED)
        if parent is None:
            found.setdefault("name", Scalar("root", node.location))
        name = text_of(needed(found, "name", node), "name")
        if name.text in self.nodes:
            line = self.nodes[name.text].name.location.line
            raise BadNameError(
                f'state "{name.text[:80]}" is declared twice (first in line {line})', name.location
            )
        if "states" in found and "parallel states" in found:
            raise SyntaxSpecError(
                f'state "{name.text[:80]}" has "states" and "parallel states"; expected one',
                found["parallel states"].location,
            )
        around = "" if parent is None or parent.top else parent.id
        entry, leave = (_actions(found.get(key)) for key in ("on entry", "on exit"))
        made = _Node(name, found, _kind(found), around, entry, leave)
        made.top = parent is None and made.kind == "state"
        self.nodes[name.text] = made
        for key in ("states", "parallel states"):
            for each in items(found[key], key) if key in found else ():
                made.children.append(self.node(each, made))
        return made

    def built(self, node: _Node) -> State | History:
        """A node, for a chart."""
        place = node.name.location
        if node.kind == "history":
            return self.history(node)
        children = [self.built(child) for child in node.children]
        initial = self.initial(node)
        if node.compound and "initial" not in node.found:
            children.append(State(initial[0], name=node.id, place=place))
        entry = node.entry
        if node.kind == "final" and self.root.top and not node.parent:
            entry = (*entry, *node.exit, *self.root.exit)
        return State(
            named("state", node.id, place),
            tuple(children),
            node.kind,
            initial=initial,
            entry=entry,
            exit=node.exit,
            transitions=self.transitions(node),
            place=place,
            initial_place=node.found["initial"].location if "initial" in node.found else None,
        )

    def initial(self, node: _Node) -> tuple[str, ...]:
        """What is entered with a state; one more inside it, where it has no initial state."""
        if not node.compound:
            return ()
        if "initial" not in node.found:
            hidden = f"{node.id}.itself"
            while hidden in self.nodes:
                hidden += "'"
            return (hidden,)
        return (self.known(node.found["initial"], [child.id for child in node.children]),)

    def history(self, node: _Node) -> History:
        for key in node.found:
            if key not in ("name", "type", "memory"):
                raise refused(
                    f'"{key}" of the history "{node.id[:80]}"',
                    "cannot be said here",
                    node.found[key].location,
                )
        targets: tuple[str, ...] = ()
        if "memory" in node.found:
            around = self.nodes[node.parent] if node.parent else self.root
            beside = [child.id for child in around.children if child is not node]
            targets = (self.known(node.found["memory"], beside),)
        place = node.name.location
        deep = _HISTORIES[text_of(node.found["type"], "type").text]
        return History(named("history", node.id, place), targets, deep, place=place)

    def known(self, node: Node, states: Collection[str]) -> str:
        """The name of one of some states; raises `UnknownStateError`."""
        name = text_of(node, "a state")
        if name.text not in states:
            hint = did_you_mean(name.text, states)
            raise UnknownStateError(
                f'unknown state "{name.text[:80]}"; expected {listed([*states])}{hint}',
                name.location,
            )
        return name.text

    # ---- transitions

    def transitions(self, node: _Node) -> tuple[Transition, ...]:
        found: list[tuple[int, Transition]] = []
        for each in (
            items(node.found["transitions"], "transitions") if ("transitions" in node.found) else ()
        ):
            priority, made = self.transition(node, each)
            for other, before in found:
                if priority == other and _together(before, made):
                    told = f'on "{made.events[0]}"' if made.events else "without an event"
                    line = before.place.line if before.place else 1
                    raise NondeterministicError(
                        f'state "{node.id}" has another transition {told} in line {line}; expected'
                        " one for each event, or guards or priorities that tell them apart",
                        made.place,
                    )
            found.append((priority, made))
        found.sort(key=lambda each: -each[0])
        return tuple(made for _, made in found)

    def transition(self, owner: _Node, node: Node) -> tuple[int, Transition]:
        """A transition with its priority."""
        found = fields(node, "transition", _TRANSITION, _REFUSED)
        events: tuple[str, ...] = ()
        if "event" in found:
            event = text_of(found["event"], "event")
            events = (named("input", event.text, event.location),)
            if event.text.startswith(DONE) and event.text[len(DONE) :] in self.nodes:
                raise refused(
                    f'event "{event.text[:80]}"', "has a meaning of its own", event.location
                )
        made = Transition(events, actions=_actions(found.get("action")), place=node.location)
        if "guard" in found:
            made = _guarded(owner, made, text_of(found["guard"], "guard"))
        if "target" in found:
            made = self.targeted(owner, made, found["target"])
        return _priority(found.get("priority")), made

    def targeted(self, owner: _Node, made: Transition, node: Node) -> Transition:
        target = self.known(node, self.nodes)
        top = self.nodes[target].top
        made = replace(made, targets=(target,), leaves="region", target_place=node.location)
        if owner.top or top:
            if any(child.kind == "history" for child in self.root.children):
                raise refused(
                    "a transition that leaves the root state, which has a history,",
                    "cannot be said here",
                    node.location,
                )
            actions = (*self.root.exit, *made.actions, *self.root.entry)
            targets = self.initial(self.root) if top else made.targets
            made = replace(made, targets=targets, actions=actions)
        if owner.top or top:
            return self.whole(made, target, "")
        around = self.tree.common(owner.id, target)
        history = self.nodes[target].kind == "history"
        if history and around and self.nodes[target].parent == around:
            raise refused(
                f'a transition of "{owner.id}" to the history of the state "{around}" around it',
                "leaves more than what is remembered",
                node.location,
            )
        return self.whole(made, target, around)

    def whole(self, made: Transition, target: str, around: str) -> Transition:
        """`made`, with a warning where sismic enters some regions of a parallel state alone."""
        partly = self.tree.partly(target, around)
        if partly:
            self.warnings.append(
                f'{made.target_place}: all regions of "{partly}" are entered here; sismic enters'
                f' that of "{target}" alone'
            )
        return made


def _kind(found: dict[str, Node]) -> OneOf["state", "parallel", "final", "history"]:
    if "type" not in found:
        return "parallel" if "parallel states" in found else "state"
    kind = text_of(found["type"], "type")
    if kind.text == "final":
        return "final"
    if kind.text in _HISTORIES:
        return "history"
    known = ("final", *_HISTORIES)
    raise SyntaxSpecError(
        f'type "{kind.text[:80]}" is unknown; expected {listed(known)}'
        f"{did_you_mean(kind.text, known)}",
        kind.location,
    )


def _listed(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, Items) else ()


def _guarded(owner: _Node, made: Transition, guard: Scalar) -> Transition:
    expression = parse_expression(guard.text, guard.location, times=True)
    if owner.top and any(isinstance(each, After | Idle) for each in parts_of(expression)):
        raise refused("a time-out of the root state", "cannot be said here", guard.location)
    if isinstance(expression, After):
        return replace(made, after=expression.seconds)
    if isinstance(expression, Idle):
        return replace(made, idle=expression.seconds)
    return replace(made, guard=expression)


def _together(one: Transition, other: Transition) -> bool:
    """Whether two transitions of a state and a priority can be enabled at once for sure: sismic
    stops then.
    """
    guards = [(each.guard, each.after, each.idle) for each in (one, other)]
    free = (None, None, None)
    return one.events == other.events and (free in guards or guards[0] == guards[1])


def _priority(node: Node | None) -> int:
    if node is None:
        return 0
    priority = text_of(node, "priority")
    if priority.text in _PRIORITIES:
        return _PRIORITIES[priority.text]
    if not _INTEGER.fullmatch(priority.text):
        raise SyntaxSpecError(
            f'priority is "{priority.text[:80]}"; expected low, high or a whole number',
            priority.location,
        )
    return int(priority.text)


# ---- code


def _actions(node: Node | None) -> Actions:
    if node is None:
        return ()
    code = text_of(node, "an action")
    return tuple(_action(each, code.location) for each in _statements(code.text))


def _statements(code: str) -> Iterator[str]:
    """What stands between line breaks and semicolons, without comments."""
    pieces: list[str] = []
    for piece in (*(each[0] for each in _PIECE.finditer(code)), "\n"):
        if piece in (";", "\n"):
            found = "".join(pieces).strip()
            if found and found != "pass":
                yield found
            pieces.clear()
        elif not piece.startswith("#"):
            pieces.append(piece)


def _action(code: str, place: Location) -> Action:
    call = _CALL.fullmatch(code)
    if call:
        name = call[2] or call[3]
        if call[1] == "notify" and call[4] is None:
            return Output(name, place)
        if call[1] == "send":
            delay = Fraction(call[4] or 0)
            return Send(name, delay, place=place) if delay else Raise(name, place)
    assigned = assignment(code, place)
    if assigned is None:
        raise refused(f'"{code[:60]}"', "is code", place)
    return assigned


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
    "statecharts of the Python library sismic",
    fits=_fits,
    chart=read_chart,
)
