"""Machines of the Python library ``transitions``, as the dictionary that its
``MarkupMachine(...).markup`` or ``HierarchicalMarkupMachine(...).markup`` gives.

In a file it is JSON or YAML.

* ``states`` are names, or mappings with ``name``, ``on_enter`` and ``on_exit``; ``transitions`` are
  mappings or lists of trigger, source and dest. The source ``*`` is every state, the dest ``=`` the
  source, no dest an internal transition. The first transition that fits counts.
* ``children`` and ``parallel`` are states inside one, ``initial`` those that are entered with it;
  their names follow the outer one's behind ``_`` (or ``.``, ``/``, ``↦``). A state in which nothing
  is initial can be active alone.
* The names of callbacks (``before``, ``after``, ``prepare``, ``on_enter``, ``on_exit``) are outputs
  of the transitions that call them. A trigger that a state does not know leaves it where it is.
* After ``timeout`` seconds, ``on_timeout`` names triggers, or else outputs.
* Automatic transitions (``to_...``) are not part of the machine, but for those that ``on_timeout``
  names. Conditions and callbacks on failure are refused.

What the library does otherwise than SCXML is said in SCXML's terms
(`vsafsm.formats._regions`, and `_Nested.into`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from vsafsm.errors import BadNameError, Location, SyntaxSpecError
from vsafsm.formats import Format, Reading
from vsafsm.formats._charts import chart_reading
from vsafsm.formats._events import (
    Action,
    Arc,
    check_names,
    known,
    named,
    reading,
    refused,
    written,
)
from vsafsm.formats._events import State as FlatState
from vsafsm.formats._flat_charts import chart_name
from vsafsm.formats._keys import fields, has_value, items, needed, texts
from vsafsm.formats._keys import text as text_of
from vsafsm.formats._nodes import Items, Mapping, Node, Scalar, parse
from vsafsm.formats._regions import Tree, inner_first
from vsafsm.machine import Machine
from vsafsm.statecharts import Cancel, Output, Send, State, Statechart, Transition
from vsafsm.statecharts.expressions import And, Expression, In, Not
from vsafsm.statecharts.parts import Actions

EVERY, SAME = "*", "="
_SEPARATORS = ("_", ".", "/", "↦")
_MACHINE = (
    *("name", "states", "transitions", "initial", "before_state_change", "after_state_change"),
    "auto_transitions",
)
_NESTED = ("children", "states", "parallel", "initial", "transitions", "timeout", "on_timeout")
_STATE = ("name", "on_enter", "on_exit", *_NESTED)
_TRANSITION = ("trigger", "source", "dest", "before", "after", "prepare")
_IGNORED = (
    *("send_event", "model_attribute", "model_override", "queued", "models"),
    *("ignore_invalid_triggers", "ordered_transitions", "tags", "final", "value", "label"),
)
_REFUSED = {
    **dict.fromkeys(("conditions", "unless"), "is a guard"),
    **dict.fromkeys(
        ("on_exception", "on_final", "finalize_event", "prepare_event"),
        "is code outside of transitions",
    ),
}
_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?")


def read_transitions(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors and, without its suffix, an
    unnamed machine.

    Raises
    ------
    SyntaxSpecError, UnknownStateError, NotImportableError, TooLargeError
        If the text is no such dictionary, or holds code, or has too many configurations; with the
        place.
    """
    root, top = _parsed(text, source)
    if not _is_nested(items(top["states"], "states")):
        return _flat(top, source)
    found = _Nested(root, top, source)
    return chart_reading(found.chart(), tuple(found.warnings))


def read_chart(text: str, source: str) -> Statechart:
    """The statechart in `text`; `source` names the text in errors, which are as those of
    `read_transitions`.
    """
    return _Nested(*_parsed(text, source), source).chart()


def _parsed(text: str, source: str) -> tuple[Node, dict[str, Node]]:
    """The root of a text, and what it holds."""
    if text.lstrip()[:1] == "{":
        text = text.replace("\t", " ")  # JSON's, which YAML does not take
    root = parse(text, source)
    if root is None:
        raise SyntaxSpecError(
            "the text is empty; expected the dictionary of a machine", Location(source)
        )
    top = fields(root, "machine", _MACHINE, _REFUSED, _IGNORED)
    needed(top, "states", root)
    return root, top


def _is_nested(states: Iterable[Node]) -> bool:
    """Whether some state has others inside, or a time-out."""
    return any(
        key.text in _NESTED and has_value(value)
        for state in states
        if isinstance(state, Mapping)
        for key, value in state.pairs
    )


def _actions(node: Node | None) -> tuple[Action, ...]:
    if node is None:
        return ()
    return tuple(Action(each.text, each.location) for each in texts(node, "a callback"))


# ---- transitions


@dataclass(frozen=True)
class _Row:
    """A transition of the file, which is `inner` where it stands in a state; without `dest` it is
    internal.
    """

    triggers: tuple[str, ...]
    sources: tuple[str, ...]
    dest: str | None
    before: tuple[Action, ...]
    after: tuple[Action, ...]
    place: Location
    dest_place: Location
    inner: bool = False


_Shared = tuple[tuple[Action, ...], tuple[Action, ...]]


def _shared(top: dict[str, Node]) -> _Shared:
    return _actions(top.get("before_state_change")), _actions(top.get("after_state_change"))


def _rows(node: Node | None, shared: _Shared, *, inner: bool = False) -> Iterator[_Row]:
    for each in items(node, "transitions") if node is not None else ():
        yield _row(each, shared, inner)


def _row(node: Node, shared: _Shared, inner: bool) -> _Row:
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
    sources = tuple(each.text for each in texts(needed(found, "source", node), "a source"))
    dest = text_of(found["dest"], "dest") if "dest" in found else None
    return _Row(
        triggers,
        sources,
        dest.text if dest else None,
        (*_actions(found.get("prepare")), *shared[0], *_actions(found.get("before"))),
        (*_actions(found.get("after")), *shared[1]),
        node.location,
        dest.location if dest else node.location,
        inner,
    )


# ---- flat machines


def _flat(top: dict[str, Node], source: str) -> Reading:
    declared = [_flat_state(node) for node in items(top["states"], "states")]
    arcs: dict[str, list[Arc]] = {state.name: [] for state in declared}
    for row in _rows(top.get("transitions"), _shared(top)):
        for state in arcs if EVERY in row.sources else row.sources:
            arcs[known(state, arcs, row.place)].append(_arc(row, state))
    states = [FlatState(s.name, s.location, tuple(arcs[s.name]), s.entry, s.exit) for s in declared]
    initial = text_of(top["initial"], "initial") if "initial" in top else None
    name = text_of(top["name"], "name").text if "name" in top else ""
    return reading(name, source, states, (initial.text, initial.location) if initial else None)


def _flat_state(node: Node) -> FlatState:
    if isinstance(node, Scalar):
        return FlatState(text_of(node, "a state").text, node.location)
    found = fields(node, "state", _STATE, _REFUSED, _IGNORED)
    name = text_of(needed(found, "name", node), "name")
    entry, leave = _actions(found.get("on_enter")), _actions(found.get("on_exit"))
    return FlatState(name.text, name.location, (), entry, leave)


def _arc(row: _Row, state: str) -> Arc:
    target = state if row.dest == SAME else row.dest
    place, to, takes = row.place, row.dest_place, row.triggers.__contains__
    return Arc(row.triggers, target, row.before, row.after, place, to, takes)


# ---- nested machines


@dataclass(eq=False)
class _State:
    """A state of the file.

    Attributes
    ----------
    path
        The names of the states around it, and its own.
    rows
        Transitions inside it, by names that begin inside it.
    arcs
        Transitions that it is the source of, with their target; none for internal ones.
    """

    path: tuple[str, ...]
    place: Location
    parent: _State | None
    entry: Actions = ()
    exit: Actions = ()
    parallel: bool = False
    initial: Scalar | None = None
    children: dict[str, _State] = field(default_factory=dict)
    rows: list[_Row] = field(default_factory=list)
    arcs: list[tuple[tuple[str, ...], _State | None, _Row]] = field(default_factory=list)

    @property
    def id(self) -> str:
        return ".".join(self.path)

    @property
    def hidden(self) -> str:
        """The state inside that is active where it is active alone."""
        return f"{self.id}.itself"

    def all(self) -> Iterator[_State]:
        """Those inside, in order."""
        for child in self.children.values():
            yield child
            yield from child.all()


class _Nested:
    def __init__(self, root: Node, top: dict[str, Node], source: str) -> None:
        self.source, self.place, self.top = source, root.location, top
        self.warnings: list[str] = []
        self.shared = _shared(top)
        self.outer = _State((), root.location, None)
        self.timeouts: list[tuple[_State, Scalar]] = []
        for node in items(top["states"], "states"):
            self.state(node, self.outer)
        self.states = {each.path: each for each in self.outer.all()}
        self.tree = Tree(
            {each.id: each.parent.id if each.parent else "" for each in self.states.values()},
            [each.id for each in self.states.values() if each.parallel],
        )
        self.outer.rows += _rows(top.get("transitions"), self.shared)
        for scope in (self.outer, *self.states.values()):
            for row in scope.rows:
                self.add(scope, row)
        self.check_scopes()
        self.check_regions()
        self.inputs = tuple(
            dict.fromkeys(
                trigger
                for scope in (self.outer, *self.states.values())
                for row in scope.rows
                for trigger in row.triggers
            )
        )
        for state, name in self.timeouts:
            self.automatic(state, name)
        self.made: dict[str, list[Transition]] = {each.id: [] for each in self.states.values()}
        self.pushed: dict[str, list[Transition]] = {each.id: [] for each in self.states.values()}
        for each in self.states.values():
            seen: set[str] = set()
            for events, target, row in each.arcs:
                first = tuple(event for event in events if event not in seen)
                seen.update(events)
                if first:
                    self.transition(each, first, target, row)

    def chart(self) -> Statechart:
        top = self.top
        built = tuple(self.built(each) for each in self.outer.children.values())
        states, _ = inner_first(built, (), eventless=False)
        initial: tuple[str, ...] = ()
        if "initial" in top:
            start = self.found(text_of(top["initial"], "initial"), self.outer)
            self.warn_of_part(start, "", top["initial"].location)
            initial = (start.id,)
        name = text_of(top["name"], "name").text if "name" in top else ""
        return Statechart(
            chart_name(name, self.source),
            states,
            initial,
            inputs=self.inputs,
            place=self.place,
            initial_place=top["initial"].location if initial else None,
        )

    # ---- states

    def state(self, node: Node, parent: _State) -> None:
        if isinstance(node, Scalar):
            self.plain(text_of(node, "a state").text, node.location, parent)
            return
        found = fields(node, "state", _STATE, _REFUSED, _IGNORED)
        name = text_of(needed(found, "name", node), "name")
        made = self.declared(name.text, name.location, parent)
        entry, leave = (_outputs(_actions(found.get(key))) for key in ("on_enter", "on_exit"))
        started, stopped = self.timed(found, node, made)
        made.entry, made.exit = (*started, *entry), (*stopped, *leave)
        keys: tuple[str, ...] = ("parallel", "children", "states")
        inside = [key for key in keys if key in found]
        for key in inside[1:]:
            raise SyntaxSpecError(
                f'state "{made.id[:80]}" has "{inside[0]}" and "{key}"; expected one of them',
                found[key].location,
            )
        for key in inside:
            for child in items(found[key], key):
                self.state(child, made)
        for key in ("initial", "transitions"):
            if key in found and not inside:
                raise SyntaxSpecError(
                    f'"{key}" of state "{made.id[:80]}", which has no children; expected none',
                    found[key].location,
                )
        made.parallel = inside == ["parallel"] and len(made.children) > 1
        if inside == ["parallel"] and not made.parallel:
            made.initial = Scalar(next(iter(made.children)), made.place)
        if "initial" in found:
            self.initial(made, found["initial"])
        made.rows += _rows(found.get("transitions"), self.shared, inner=True)

    def declared(self, name: str, place: Location, parent: _State) -> _State:
        if name in parent.children:
            line = parent.children[name].place.line
            raise BadNameError(
                f'state "{name[:80]}" is declared twice (first in line {line})', place
            )
        named("state", name, place)
        made = _State((*parent.path, name), place, parent)
        parent.children[name] = made
        return made

    def plain(self, name: str, place: Location, parent: _State) -> None:
        """A state that is a name alone; behind that of another and ``_`` it is inside that."""
        outer, _, inner = name.partition(_SEPARATORS[0])
        if inner and outer in parent.children:
            self.plain(inner, place, parent.children[outer])
        else:
            self.declared(name, place, parent)

    def initial(self, state: _State, node: Node) -> None:
        names = texts(node, "initial")
        for name in names:
            known(name.text, state.children, name.location)
        if len(names) == 1:
            state.initial, state.parallel = names[0], False
        elif {name.text for name in names} == {*state.children}:
            state.parallel = True
        else:
            raise refused(
                f'state "{state.id[:80]}", of which {len(names)} of {len(state.children)} states'
                " are initial,",
                "has regions that may be missing",
                node.location,
            )

    def timed(self, found: dict[str, Node], node: Node, state: _State) -> tuple[Actions, Actions]:
        """What starts the time-out of a state, and what stops it."""
        if "timeout" not in found:
            return (), ()
        seconds = text_of(found["timeout"], "timeout")
        if not _SECONDS.fullmatch(seconds.text):
            raise SyntaxSpecError(
                f'timeout is "{seconds.text[:80]}"; expected a number of seconds', seconds.location
            )
        delay = Fraction(seconds.text)
        if not delay:
            return (), ()
        key = f"timeout of {state.id}"
        names = texts(needed(found, "on_timeout", node), "on_timeout")
        self.timeouts += [(state, name) for name in names]
        sent = tuple(Send(name.text, delay, key, name.location) for name in names)
        return sent, (Cancel(key, seconds.location),)

    def built(self, state: _State) -> State:
        children = [self.built(child) for child in state.children.values()]
        initial: tuple[str, ...] = ()
        if children and not state.parallel:
            if state.initial is None:
                children.append(State(state.hidden, name=state.path[-1], place=state.place))
                initial = (state.hidden,)
            else:
                initial = (state.children[state.initial.text].id,)
        return State(
            state.id,
            tuple(children),
            "parallel" if state.parallel else "state",
            name=state.path[-1],
            initial=initial,
            entry=state.entry,
            exit=state.exit,
            transitions=(*self.made[state.id], *self.pushed[state.id]),
            place=state.place,
            initial_place=state.initial.location if state.initial else None,
        )

    # ---- transitions

    def found(self, name: Scalar, scope: _State) -> _State:
        """The state of that name inside a scope; raises `UnknownStateError`."""
        for separator in _SEPARATORS:
            found: _State | None = self._walk(name.text, separator, scope)
            if found is not None:
                return found
        names = ["_".join(each.path[len(scope.path) :]) for each in scope.all()]
        known(name.text, names, name.location)
        return scope

    def _walk(self, name: str, separator: str, scope: _State) -> _State | None:
        if name in scope.children:
            return scope.children[name]
        at = name.find(separator)
        while at >= 0:
            child = scope.children.get(name[:at])
            found = child and self._walk(name[at + 1 :], separator, child)
            if found:
                return found
            at = name.find(separator, at + 1)
        return None

    def add(self, scope: _State, row: _Row) -> None:
        """Give a transition to the states that are its sources."""
        place = row.place
        if EVERY in row.sources:
            every = scope.all() if row.dest == SAME else scope.children.values()
            sources = list(every)
        else:
            sources = [self.found(Scalar(name, place), scope) for name in row.sources]
        for source in sources:
            target = None
            if row.dest is not None:
                target = source
                if row.dest != SAME:
                    target = self.found(Scalar(row.dest, row.dest_place), scope)
                    self.check_inside(scope, source, target, row)
            source.arcs.append((row.triggers, target, row))

    def check_inside(self, scope: _State, source: _State, target: _State, row: _Row) -> None:
        """A transition that stands in a state leaves the child of it that is active."""
        depth = len(scope.path)
        one, other = source.path[depth:], target.path[depth:]
        if depth and len(one) > 1 and len(other) > 1 and one[0] == other[0]:
            raise refused(
                f'a transition in state "{scope.id}" between states inside "{one[0]}"',
                f'leaves "{one[0]}" there',
                row.place,
            )

    def check_scopes(self) -> None:
        """A transition that stands in a state comes before those that stand around it, however deep
        their sources are.
        """
        for scope in self.states.values():
            inner = {trigger: row for row in scope.rows for trigger in row.triggers}
            for state in self.states.values() if inner else ():
                path = scope.path[: len(state.path)]
                if path == state.path:
                    continue
                inside = state.path[: len(scope.path)] == scope.path
                beside = self.tree.common(state.id, scope.id) in self.tree.parallel
                for triggers, _, row in state.arcs if inside or beside else ():
                    for trigger in triggers:
                        if trigger in inner and row not in scope.rows:
                            raise refused(
                                f'trigger "{trigger}" of state "{state.id}", which stands outside'
                                f' of state "{scope.id}" and inside it (line'
                                f" {inner[trigger].place.line}),",
                                "is taken inside first",
                                row.place,
                            )

    def check_regions(self) -> None:
        """The library takes a transition that leaves a parallel state and those of its regions one
        after the other, in whichever order.
        """
        if not self.tree.parallel:
            return
        taking: dict[tuple[str, str], set[str]] = {}  # by trigger and by a state around
        for state in self.states.values():
            for triggers, _, _ in state.arcs:
                for trigger in triggers:
                    for around in (state.id, *self.tree.around(state.id)):
                        taking.setdefault((trigger, around), set()).add(state.id)
        for state in self.states.values():
            left = {}
            for around in self.tree.around(state.id):
                if around in self.tree.parallel:
                    left[around] = self.tree.child(state.id, around)
            for triggers, target, row in state.arcs if left else ():
                for trigger in triggers if target else ():
                    for around, region in left.items():
                        beside = taking[trigger, around] - taking[trigger, region] - {around}
                        if beside and target and not self.tree.within(target.id, region):
                            raise refused(
                                f'a transition of state "{state.id}" on "{trigger}" that leaves'
                                f' "{around}", whose state "{min(beside)}" takes it too,',
                                "is taken before or behind that",
                                row.place,
                            )

    def automatic(self, state: _State, name: Scalar) -> None:
        """The automatic transition that a time-out names."""
        off = self.top.get("auto_transitions")
        plain = isinstance(off, Scalar) and off.text.lower() == "false"
        if plain or name.text in self.inputs or not name.text.startswith("to_"):
            return
        for separator in _SEPARATORS:
            target = self._walk(name.text.removeprefix("to_"), separator, self.outer)
            if target is not None:
                events, place = (name.text,), name.location
                row = _Row(events, (), target.id, *self.shared, place, place)
                state.arcs.append((events, target, row))
                return

    def transition(
        self, source: _State, events: tuple[str, ...], target: _State | None, row: _Row
    ) -> None:
        made = Transition(
            events,
            (target.id,) if target else (),
            leaves="region",
            actions=_outputs((*row.before, *row.after)),
            place=row.place,
            target_place=row.dest_place,
        )
        own = self.made[source.id]
        if target is None:
            own.append(made)
            return
        self.warn_of_part(target, self.tree.common(source.id, target.id), row.dest_place)
        within = target is not source and target.path[: len(source.path)] == source.path
        if not within or row.inner:
            own.append(made)
            return
        if not source.parallel:
            own.append(replace(made, internal=True))
        self.into(source, target, made)

    def into(self, source: _State, target: _State, made: Transition) -> None:
        """A transition into its source leaves what is inside the innermost state that is active and
        has the target inside: each such state has the transition too, where none of its own takes
        the event.
        """
        left = dict.fromkeys(made.events)
        for depth in range(len(source.path) + 1, len(target.path) + 1):
            state = self.states[target.path[:depth]]
            for events, _, _ in state.arcs:
                for event in events:
                    left.pop(event, None)
            if state.parallel and state is not target:
                continue
            for event in left:
                guard = self.beside(source, state, event)
                self.pushed[state.id].append(
                    replace(made, events=(event,), guard=guard, internal=state is not target)
                )

    def beside(self, source: _State, state: _State, event: str) -> Expression | None:
        """A guard that no region beside `state` inside `source` takes an event."""
        parts: list[Expression] = []
        for other in source.all():
            along = other.path[: len(state.path)] == state.path[: len(other.path)]
            taken = not along and any(event in events for events, _, _ in other.arcs)
            if taken and self.tree.common(other.id, state.id) in self.tree.parallel:
                parts.append(Not(In(other.id)))
        if len(parts) < 2:
            return parts[0] if parts else None
        return And(tuple(parts))

    def warn_of_part(self, target: _State, around: str, place: Location) -> None:
        partly = self.tree.partly(target.id, around)
        if partly:
            self.warnings.append(
                f'{place}: all regions of "{partly}" are entered here; transitions enters that of'
                f' "{target.id}" alone'
            )


def _outputs(actions: Iterable[Action]) -> Actions:
    return tuple(Output(each.output, each.location) for each in actions)


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
    chart=read_chart,
)
