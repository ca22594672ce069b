"""Machines of the JavaScript library XState (version 5), as JSON: the object that
``createMachine`` is given, without functions.

* ``states`` inside ``states``, ``type`` ``parallel``, ``final`` and ``history``; ``on``,
  ``always``, ``after`` milliseconds, ``onDone``; targets beside, inside (``.child``) and by id
  (``#id``), one or several; ``reenter``; event descriptors with ``*``.
* Actions (``entry``, ``exit``, ``actions``) are names, or objects with a ``type``: outputs.
  ``tags`` are Moore outputs. ``context``, ``meta``, ``description``, ``output`` say nothing.
* Guards, ``invoke`` and delays that are names call functions, which JSON does not hold: they are
  refused.
* What ``JSON.stringify(machine)`` gives leaves out eventless transitions and guards, and is
  refused; ``JSON.stringify(machine.config)`` is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from typing import Literal as OneOf

from vsafsm.errors import (
    BadNameError,
    Location,
    SyntaxSpecError,
    UnknownStateError,
    did_you_mean,
)
from vsafsm.formats import Format, Reading
from vsafsm.formats._charts import chart_reading
from vsafsm.formats._events import check_names, named, refused
from vsafsm.formats._flat_charts import chart_name
from vsafsm.formats._keys import fields, has_value, needed, texts
from vsafsm.formats._keys import text as text_of
from vsafsm.formats._nodes import Items, Mapping, Node, Scalar, parse
from vsafsm.formats._regions import inner_first
from vsafsm.machine import Machine, listed
from vsafsm.statecharts import Cancel, History, Output, Send, State, Statechart, Transition
from vsafsm.statecharts.chart import DONE
from vsafsm.statecharts.parts import Actions

_STATE = (
    *("id", "type", "initial", "states", "on", "always", "after", "onDone", "entry", "exit"),
    *("history", "target", "tags"),
)
_SILENT = (
    "key",
    "order",
    "version",
    "description",
    "meta",
    "context",
    "output",
    "types",
    "schemas",
)
_TRANSITION = ("target", "actions", "reenter")
_CODE = "calls a function, which JSON does not hold"
_VERSION_4 = "is of XState 4"
_DEFINITION = (
    "stands in what JSON.stringify(machine) gives, which leaves out eventless transitions and"
    " guards (JSON.stringify(machine.config) gives all)"
)
_UNFIT_STATE = {
    "invoke": "runs another machine or a function",
    "route": "is an event of its own",
    "transitions": _DEFINITION,
    **dict.fromkeys(("activities", "onEntry", "onExit", "delimiter", "strict"), _VERSION_4),
}
_UNFIT_TRANSITION = {
    "guard": _CODE,
    **dict.fromkeys(("cond", "in", "internal"), _VERSION_4),
    **dict.fromkeys(("source", "eventType"), _DEFINITION),
}
_KINDS: tuple[OneOf["atomic", "compound", "parallel", "final", "history"], ...]
_KINDS = ("atomic", "compound", "parallel", "final", "history")
MOST_KEY = 1000
"""Longest key that is written: YAML, which this is read as, takes 1024."""

_MILLISECONDS = re.compile(r"\d{1,12}(?:\.\d{1,6})?")


def read_xstate(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors and, without its suffix, an
    unnamed machine.

    Raises
    ------
    SyntaxSpecError, UnknownStateError, BadNameError, NotImportableError, TooLargeError
        If the text is no such object, or needs functions, or has too many configurations; with the
        place.
    """
    return chart_reading(_File(text, source).chart())


def read_chart(text: str, source: str) -> Statechart:
    """The statechart in `text`; `source` names the text in errors, which are as those of
    `read_xstate`.
    """
    return _File(text, source).chart()


_Kind = OneOf["atomic", "compound", "parallel", "final", "history"]


@dataclass(eq=False)
class _Node:
    """A state of the file.

    Attributes
    ----------
    key, id
        What the file calls it, beside its siblings and everywhere.
    path
        What the chart calls it; nothing for a root that is no parallel state.
    """

    key: str
    id: str
    path: str
    place: Location
    found: dict[str, Node]
    kind: _Kind
    parent: _Node | None
    entry: Actions
    exit: Actions
    children: dict[str, _Node] = field(default_factory=dict)

    @property
    def top(self) -> bool:
        """Whether no chart names it."""
        return self.parent is None and self.kind != "parallel"

    def all(self) -> Iterator[_Node]:
        yield self
        for child in self.children.values():
            yield from child.all()


@dataclass(frozen=True)
class _Move:
    """A transition of the file; without targets it stays inside."""

    targets: tuple[_Node, ...]
    actions: Actions
    reenter: bool
    place: Location
    target_place: Location


class _File:
    def __init__(self, text: str, source: str) -> None:
        self.source = source
        root = parse(text.replace("\t", " "), source)
        if root is None:
            raise SyntaxSpecError("the text is empty; expected a machine", Location(source))
        self.place = root.location
        self.root = self.node(root, "", None)
        if not self.root.children:
            raise SyntaxSpecError('there is no "states"; expected it here', self.place)
        self.ids: dict[str, _Node] = {}
        for each in self.root.all():
            if each.id in self.ids:
                line = self.ids[each.id].place.line
                raise BadNameError(
                    f'state "{each.id[:80]}" is declared twice (first in line {line})', each.place
                )
            self.ids[each.id] = each
        heard = [
            (key, key.text)
            for each in self.ids.values()
            for key, _ in _pairs(each.found.get("on"), "on")
        ]
        for key, name in heard:
            if not name or name.startswith("xstate.") or name.startswith(DONE):
                raise refused(f'event "{name[:80]}"', "is one of XState's own", key.location)
        self.wild = any(name == "*" for _, name in heard)
        self.events = dict.fromkeys(name for _, name in heard if not _is_wild(name))
        self.tied = self.has_ties()
        if self.wild:
            for each in self.ids.values():
                self.events |= dict.fromkeys(_delay_event(each, k.text) for k, _ in _delays(each))
                if each.children and not each.top:
                    self.events[DONE + each.path] = None

    def chart(self) -> Statechart:
        root = self.root
        states: tuple[State | History, ...]
        if root.top:
            states = tuple(self.built(each) for each in root.children.values())
        else:
            states = self.ending(self.built(root))
        top = tuple(self.transitions(root)) if root.top else ()
        states, top = inner_first(states, top, eventless=False)
        name = text_of(root.found["id"], "id").text if "id" in root.found else ""
        initial, place = self.initial(root)
        return Statechart(
            chart_name(name, self.source),
            states,
            initial if root.top else (),
            top,
            between_regions=True,
            place=self.place,
            initial_place=place,
        )

    def ending(self, root: State | History) -> tuple[State | History, ...]:
        """A parallel root, with the final state that it ends in where all of its regions can be
        done.
        """
        regions = self.root.children.values()
        if not isinstance(root, State) or not all(map(_can_be_done, regions)):
            return (root,)
        if any(each.kind == "parallel" for each in regions):
            raise refused(
                "a region of the root with regions that are done", "ends the machine", self.place
            )
        end = f"{root.id}.done"
        while any(each.path == end for each in self.ids.values()):
            end += "'"
        ends = Transition((DONE + root.id,), (end,), place=root.place)
        root = replace(root, transitions=(ends, *root.transitions))
        return (root, State(end, kind="final", name="done", place=root.place))

    def has_ties(self) -> bool:
        """Whether two delays that end at once can be told apart by which comes first: one inside
        the other's state, or one that leaves the region beside the other's.
        """
        timed = [each for each in self.ids.values() if _delays(each)]
        within: dict[_Node, int] = {}
        for each in timed:
            for around in _path(each):
                within[around] = within.get(around, 0) + 1
        for each in timed:
            moves = [move for _, value in _delays(each) for move in self.moves(each, value)]
            for inner, outer in pairwise(_path(each)):
                if _delays(outer):
                    return True
                beside = outer.kind == "parallel" and within[outer] > within[inner]
                for move in moves if beside else ():
                    if not all(to is inner or _inside(to, inner) for to in move.targets):
                        return True
        return False

    # ---- states

    def node(self, node: Node, key: str, parent: _Node | None) -> _Node:
        found = fields(node, "state" if parent else "machine", _STATE, _UNFIT_STATE, _SILENT)
        if isinstance(found.get("history"), Scalar) and _is(found["history"], "false"):
            del found["history"]
        kind = _kind(found)
        own = text_of(found["id"], "id").text if "id" in found else ""
        if parent is None:
            identity = own or "(machine)"
            path = chart_name(own, self.source) if kind == "parallel" else ""
        else:
            around = parent
            keys = [key]
            while around.parent is not None:
                keys.append(around.key)
                around = around.parent
            identity = own or ".".join([around.id, *reversed(keys)])
            path = f"{parent.path}.{key}" if parent.path else key
        entry, leave = (_actions(found.get(each)) for each in ("entry", "exit"))
        made = _Node(key, identity, path, node.location, found, kind, parent, entry, leave)
        for name, inner in _pairs(found.get("states"), "states"):
            named("state", name.text, name.location)
            if name.text in made.children:
                line = made.children[name.text].place.line
                raise BadNameError(
                    f'state "{name.text[:80]}" is declared twice (first in line {line})',
                    name.location,
                )
            made.children[name.text] = self.node(inner, name.text, made)
        if made.children and kind in ("atomic", "final", "history"):
            raise SyntaxSpecError(
                f'state "{key[:80]}" is {kind} and has states; expected none', node.location
            )
        return made

    def built(self, node: _Node) -> State | History:
        if node.kind == "history":
            return self.history(node)
        started, stopped = self.timers(node)
        entry, leave = (*started, *node.entry), (*node.exit, *stopped)
        root = self.root
        if node.kind == "final" and root.top and node.parent is root:
            entry = (*entry, *node.exit, *root.exit)
        initial, place = self.initial(node)
        kinds: dict[_Kind, OneOf["state", "parallel", "final"]]
        kinds = {"parallel": "parallel", "final": "final"}
        around = root.found if root.top and node.parent is root else {}
        return State(
            node.path,
            tuple(self.built(child) for child in node.children.values()),
            kinds.get(node.kind, "state"),
            name=node.key,
            initial=initial,
            initial_actions=self.initial_actions(node),
            entry=entry,
            exit=leave,
            outputs=tuple(dict.fromkeys((*_tags(around), *_tags(node.found)))),
            transitions=tuple(self.transitions(node)),
            place=node.place,
            initial_place=place,
        )

    def initial(self, node: _Node) -> tuple[tuple[str, ...], Location | None]:
        """What is entered with a state, and where that stands."""
        if node.kind != "compound":
            return (), None
        if "initial" not in node.found:
            raise SyntaxSpecError(
                f'there is no "initial" in state "{node.key or node.id}"; expected it here',
                node.place,
            )
        found = node.found["initial"]
        if isinstance(found, Mapping):
            inside = fields(found, "initial", ("target", "actions"), _UNFIT_TRANSITION, _SILENT)
            found = needed(inside, "target", found)
        target = text_of(found, "initial")
        if target.text not in node.children:
            raise _unknown(target.text, list(node.children), target.location)
        return (node.children[target.text].path,), target.location

    def initial_actions(self, node: _Node) -> Actions:
        found = node.found.get("initial")
        if node.kind != "compound" or not isinstance(found, Mapping):
            return ()
        inside = fields(found, "initial", ("target", "actions"), _UNFIT_TRANSITION, _SILENT)
        return _actions(inside.get("actions"))

    def history(self, node: _Node) -> History:
        for key in ("on", "always", "after", "onDone", "entry", "exit", "initial", "tags"):
            if key in node.found:
                raise refused(
                    f'"{key}" of the history "{node.key[:80]}"',
                    "cannot be said here",
                    node.found[key].location,
                )
        parent = node.parent or self.root
        actions: Actions = ()
        targets: tuple[str, ...]
        deep = "history" in node.found and _is(node.found["history"], "deep")
        if "target" in node.found:
            found = texts(node.found["target"], "target")
            targets = tuple(self.from_path(parent, each).path for each in found)
        elif parent.kind == "parallel":
            regions = parent.children.values()
            targets = tuple(each.path for each in regions if each.kind != "history")
        else:
            targets, _ = self.initial(parent)
            actions = self.initial_actions(parent)
        return History(node.path, targets, deep, actions, node.place)

    # ---- transitions

    def transitions(self, node: _Node) -> Iterator[Transition]:
        found = node.found
        for move in self.moves(node, found.get("always")):
            if not (move.targets or move.actions):
                break
            yield self.transition(node, move, ())
        pairs = list(_pairs(found.get("on"), "on"))
        pairs.sort(key=lambda pair: -len(pair[0].text) if _is_wild(pair[0].text) else -(10**9))
        exact = {key.text for key, _ in pairs if not _is_wild(key.text)}
        exact |= {_delay_event(node, key.text) for key, _ in _delays(node)}
        exact |= {DONE + node.path} if "onDone" in found else set()
        for key, value in pairs:
            events: tuple[str, ...] = (named("input", key.text, key.location),)
            if _is_wild(key.text):
                events = tuple(each for each in self.events if _takes(key.text, each))
                events = tuple(each for each in events if each not in exact)
            for move in self.moves(node, value) if events else ():
                yield self.transition(node, move, events)
        if "onDone" in found and node.children and node.parent is not None:
            if node.kind == "parallel" and any(
                each.kind == "parallel" for each in node.children.values()
            ):
                raise refused(
                    f'"onDone" of "{node.path}", which has a region with regions',
                    "is raised later",
                    found["onDone"].location,
                )
            for move in self.moves(node, found["onDone"]):
                yield self.transition(node, move, (DONE + node.path,))
        for key, value in _delays(node):
            first = next(iter(self.moves(node, value)), None)
            if first is None:
                continue
            if self.is_timer(node, first):
                yield self.transition(node, first, (_delay_event(node, key.text),))
            else:
                yield replace(self.transition(node, first, ()), after=_seconds(key))

    def timers(self, node: _Node) -> tuple[Actions, Actions]:
        """What starts and stops the delays of a state that XState sends as events; others are
        time-outs.
        """
        started: list[Send] = []
        stopped: list[Cancel] = []
        for key, value in _delays(node):
            move = next(iter(self.moves(node, value)), None)
            if move is not None and self.is_timer(node, move):
                event = _delay_event(node, key.text)
                started.append(Send(event, _seconds(key), event, key.location))
                stopped.append(Cancel(event, key.location))
        return tuple(started), tuple(stopped)

    def is_timer(self, node: _Node, move: _Move) -> bool:
        """Whether a delay is more than a time-out: its state is not left, others may hear it, or
        come first by being sent first.
        """
        return self.wild or self.tied or not move.targets or _stays(node, move)

    def moves(self, node: _Node, value: Node | None) -> Iterator[_Move]:
        nodes = value.items if isinstance(value, Items) else () if value is None else (value,)
        for each in nodes:
            if isinstance(each, Scalar):
                if not has_value(each):
                    raise SyntaxSpecError(
                        "a transition is null; expected a target or {}", each.location
                    )
                targets = (self.target(node, each),)
                yield _Move(targets, (), False, each.location, each.location)
                continue
            found = fields(each, "transition", _TRANSITION, _UNFIT_TRANSITION, _SILENT)
            reenter = "reenter" in found and _is(found["reenter"], "true")
            named_targets = texts(found["target"], "target") if "target" in found else []
            yield _Move(
                tuple(self.target(node, target) for target in named_targets if target.text),
                _actions(found.get("actions")),
                reenter,
                each.location,
                named_targets[0].location if named_targets else each.location,
            )

    def target(self, node: _Node, target: Scalar) -> _Node:
        """The state that a transition of `node` names; raises `UnknownStateError`."""
        text = target.text
        if text.startswith("#"):
            return self.from_path(node, target)
        if text.startswith("."):
            return self.walked(node, _split(text[1:]), target)
        if node.parent is None:
            raise UnknownStateError(
                f'target "{text[:80]}" of the machine itself; expected ".{text[:80]}"',
                target.location,
            )
        return self.walked(node.parent, _split(text), target)

    def from_path(self, start: _Node, target: Scalar) -> _Node:
        """The state at a path from another, or from the one whose id it begins with."""
        first, *rest = _split(target.text)
        if not first.startswith("#"):
            return self.walked(start, [first, *rest], target)
        if first[1:] not in self.ids:
            raise _unknown(first, [f"#{each}" for each in self.ids], target.location)
        return self.walked(self.ids[first[1:]], rest, target)

    def walked(self, node: _Node, path: list[str], target: Scalar) -> _Node:
        for key in path:
            if key not in node.children:
                raise _unknown(target.text, list(node.children), target.location)
            node = node.children[key]
        return node

    def transition(self, node: _Node, move: _Move, events: tuple[str, ...]) -> Transition:
        """A transition as SCXML says it."""
        made = Transition(
            events,
            actions=move.actions,
            leaves="regions",
            place=move.place,
            target_place=move.target_place,
        )
        if not move.targets:
            return made
        root = self.root
        outermost = root in move.targets or (node is root and move.reenter)
        if outermost and (root.entry or root.exit or len(move.targets) > 1):
            raise refused("a transition that enters the root again", "runs its actions", move.place)
        if outermost and root in move.targets:
            targets = self.initial(root)[0] if root.top else (root.path,)
            return replace(made, targets=targets)
        made = replace(made, targets=tuple(each.path for each in move.targets))
        for each in move.targets:
            around = each.parent
            if each.kind == "history" and around and around is not node and _inside(node, around):
                raise refused(
                    f'a transition of "{node.path}" to the history of a state around it',
                    "leaves what is remembered, or does not",
                    move.place,
                )
        if node.top or not _stays(node, move):
            return made
        if node in move.targets:
            inside = node.children.values() if node.kind == "parallel" else ()
            regions = tuple(each.path for each in inside if each.kind != "history")
            made = replace(made, targets=regions or self.initial(node)[0])
        return replace(made, internal=True)


def _kind(found: dict[str, Node]) -> _Kind:
    if "type" in found:
        kind = text_of(found["type"], "type")
        for each in _KINDS:
            if each == kind.text:
                return each
        raise SyntaxSpecError(
            f'type "{kind.text[:80]}" is unknown; expected {listed(_KINDS)}'
            f"{did_you_mean(kind.text, _KINDS)}",
            kind.location,
        )
    if "states" in found and _pairs(found["states"], "states"):
        return "compound"
    return "history" if "history" in found else "atomic"


def _is(node: Node, text: str) -> bool:
    return isinstance(node, Scalar) and node.text == text


def _pairs(node: Node | None, what: str) -> tuple[tuple[Scalar, Node], ...]:
    if node is None:
        return ()
    if not isinstance(node, Mapping):
        raise SyntaxSpecError(f'"{what}" is no object; expected one', node.location)
    return node.pairs


def _unknown(name: str, states: list[str], place: Location) -> UnknownStateError:
    hint = did_you_mean(name, states)
    return UnknownStateError(f'unknown state "{name[:80]}"; expected {listed(states)}{hint}', place)


def _split(text: str) -> list[str]:
    """The keys of a path; a backslash takes the next character as it is."""
    found, escaped = [""], False
    for each in text:
        if escaped or each not in "\\.":
            found[-1] += each
            escaped = False
        elif each == ".":
            found.append("")
        else:
            escaped = True
    return found


def _is_wild(event: str) -> bool:
    return event == "*" or event.endswith(".*")


def _takes(descriptor: str, event: str) -> bool:
    """Whether an event is one that a descriptor with ``*`` stands for."""
    if descriptor == "*":
        return True
    start = descriptor.removesuffix(".*")
    return event == start or event.startswith(start + ".")


def _path(node: _Node) -> list[_Node]:
    """A state and those around it, from the inside out."""
    found = [node]
    while found[-1].parent is not None:
        found.append(found[-1].parent)
    return found


def _inside(node: _Node, outer: _Node) -> bool:
    around = node.parent
    while around is not None and around is not outer:
        around = around.parent
    return around is outer


def _stays(node: _Node, move: _Move) -> bool:
    """Whether a transition does not leave its state."""
    return not move.reenter and all(each is node or _inside(each, node) for each in move.targets)


def _can_be_done(node: _Node) -> bool:
    if node.kind == "parallel":
        return all(map(_can_be_done, node.children.values()))
    return any(each.kind == "final" for each in node.children.values())


def _delays(node: _Node) -> tuple[tuple[Scalar, Node], ...]:
    found = _pairs(node.found.get("after"), "after")
    for key, _ in found:
        if not _MILLISECONDS.fullmatch(key.text):
            raise refused(f'the delay "{key.text[:80]}"', _CODE, key.location)
        if node.top:
            raise refused("a delay of the root", "cannot be said here", key.location)
    return found


def _seconds(key: Scalar) -> Fraction:
    return Fraction(key.text) / 1000


def _delay_event(node: _Node, delay: str) -> str:
    return f"after {delay} ms in {node.path}"


def _tags(found: dict[str, Node]) -> tuple[str, ...]:
    return tuple(each.text for each in texts(found["tags"], "a tag")) if "tags" in found else ()


def _actions(node: Node | None) -> Actions:
    if node is None:
        return ()
    found = []
    for each in node.items if isinstance(node, Items) else (node,):
        name = each
        if isinstance(each, Mapping):
            inside = fields(each, "action", ("type",), {}, ("params",))
            name = needed(inside, "type", each)
        told = text_of(name, "an action")
        if told.text.startswith("xstate."):
            raise refused(f'action "{told.text[:80]}"', _CODE, told.location)
        found.append(Output(told.text, told.location))
    return tuple(found)


# ---- writing


def write_xstate(machine: Machine) -> str:
    """`machine` as the object that ``createMachine`` is given; Moore outputs are tags, the others
    actions.

    Raises
    ------
    NotExpressibleError
        If an input is a descriptor (``*``, ``go.*``), or of XState's own.
    """
    check_names(
        machine,
        "XState",
        _is_writable,
        'expected at most 1000 characters, an input without "*" at its end, and no name that begins'
        ' with "xstate."',
    )
    states: list[str] = []
    for state, row in zip(machine.states, machine.table, strict=True):
        on: dict[str, object] = {}
        for event, taken in zip(machine.inputs, row, strict=True):
            move: dict[str, object] = {}
            if taken.to != state:
                move["target"] = re.sub(r"([\\.])", r"\\\1", taken.to)
                if taken.to.startswith("#"):
                    move["target"] = "\\" + str(move["target"])
            if taken.outputs:
                move["actions"] = list(taken.outputs)
            on[event] = move
        tags = machine.outputs_of(state)
        told = {**({"tags": list(tags)} if tags else {}), "on": on}
        states.append(f"    {_json(state)}: {_json(told)}")
    head = f'{{\n  "id": {_json(machine.name)},\n  "initial": {_json(machine.initial)},\n'
    return head + '  "states": {\n' + ",\n".join(states) + "\n  }\n}\n"


def _is_writable(kind: str, name: str) -> bool:
    if kind == "input" and (_is_wild(name) or name.startswith(DONE)):
        return False
    return len(_json(name)) <= MOST_KEY and (kind == "state" or not name.startswith("xstate."))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


FORMAT = Format(
    "xstate",
    (".xstate",),
    read_xstate,
    write_xstate,
    "machines of the JavaScript library XState 5, as JSON without functions",
    fits=_is_writable,
    chart=read_chart,
)
