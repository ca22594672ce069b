"""Random statecharts, and charts as the texts of other tools, for tests."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from xml.sax.saxutils import quoteattr

import numpy as np

from vsafsm.statecharts import (
    Assign,
    History,
    Output,
    Raise,
    State,
    Statechart,
    Transition,
    Variable,
)
from vsafsm.statecharts.expressions import (
    After,
    And,
    Comparison,
    Expression,
    Idle,
    In,
    Literal,
    Name,
    Not,
    Or,
    Sum,
)
from vsafsm.statecharts.parts import Action, walk

EVENTS = ("go", "stop", "more", "less")
RAISED = ("ring", "blink")


class Drawing:
    """Draws a chart with some of SCXML's constructs.

    Parameters
    ----------
    rng
        Where choices come from.
    depth
        Deepest nesting of states.
    constructs
        Which of ``histories``, ``guards``, ``data``, ``raises``, ``eventless``, ``finals``,
        ``several`` (targets), ``internal``, ``times``, ``deep`` (initial states and defaults) and
        ``part`` (targets inside a region) there can be.
    """

    def __init__(self, rng: np.random.Generator, depth: int, constructs: str) -> None:
        self.rng, self.depth = rng, depth
        self.may = set(constructs.split())
        self.count = 0
        self.around: dict[str, list[str]] = {}
        self.kinds: dict[str, str] = {}

    def chart(self) -> Statechart:
        if self.chance(0.2):
            tops = [self.parallel(0, [])]
        else:
            tops = [self.state(1, []) for _ in range(self.number(2, 3))]
        if "finals" in self.may and self.chance(0.3):
            tops.append(self.named("final", []))
        data = (Variable("n", 0, range(100)), Variable("armed", False))
        states = tuple(map(self.with_transitions, tops))
        return Statechart(
            "drawn",
            states,
            data=data if "data" in self.may else (),
            inputs=EVENTS,
            clock=Fraction(1) if "times" in self.may else None,
        )

    # ---- states

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def number(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def one_of(self, things: list[str]) -> str:
        return things[int(self.rng.integers(len(things)))]

    def named(self, kind: str, around: list[str]) -> State:
        self.count += 1
        name = f"s{self.count}"
        self.around[name], self.kinds[name] = around, kind
        return State(name, kind="final" if kind == "final" else "state")

    def state(self, level: int, around: list[str]) -> State:
        if level < self.depth and self.chance(0.55):
            if self.chance(0.35):
                return self.parallel(level, around)
            return self.compound(level, around)
        return self.named("atomic", around)

    def compound(self, level: int, around: list[str]) -> State:
        state = self.named("compound", around)
        within = [state.id, *around]
        children: list[State | History] = [
            self.state(level + 1, within) for _ in range(self.number(1, 3))
        ]
        if "finals" in self.may and self.chance(0.4):
            children.append(self.named("final", within))
        inside = [s for s in self.around if state.id in self.around[s] and self.is_state(s)]
        if "deep" not in self.may:
            inside = [child.id for child in children]
        initial = (self.one_of(inside),) if self.chance(0.5) else ()
        if "histories" in self.may and self.chance(0.5):
            self.count += 1
            name = f"h{self.count}"
            self.around[name], self.kinds[name] = within, "history"
            default = self.one_of(inside)
            children.insert(0, History(name, (default,), deep=self.chance(0.5)))
        return replace(state, children=tuple(children), initial=initial)

    def parallel(self, level: int, around: list[str]) -> State:
        state = self.named("parallel", around)
        within = [state.id, *around]
        regions = []
        for _ in range(self.number(2, 3)):
            atomic = self.chance(0.15) or level + 1 >= self.depth
            regions.append(
                self.named("atomic", within) if atomic else self.compound(level + 1, within)
            )
        return replace(state, kind="parallel", children=tuple(regions))

    def is_state(self, name: str) -> bool:
        return self.kinds[name] != "history"

    # ---- transitions

    def with_transitions(self, state: State) -> State:
        children = tuple(
            self.with_transitions(child) if isinstance(child, State) else child
            for child in state.children
        )
        entry, leave = (self.actions(f"{way} {state.id}") for way in ("in", "out"))
        state = replace(state, children=children, entry=entry, exit=leave)
        if state.kind == "final":
            return state
        count = self.number(0, 3)
        return replace(state, transitions=tuple(self.transition(state) for _ in range(count)))

    def transition(self, state: State) -> Transition:
        events: tuple[str, ...] = (self.one_of([*EVENTS]),)
        guard, after = self.guard(), None
        if "raises" in self.may and self.chance(0.15):
            events = (self.one_of([*RAISED]),)
        elif "finals" in self.may and self.chance(0.15):
            done = [s for s, kind in self.kinds.items() if kind in ("compound", "parallel")]
            events = (f"done.state.{self.one_of(done)}",) if done else events
        elif "eventless" in self.may and self.chance(0.15):
            guard = guard or self.condition(0)
            events = ()
        elif "times" in self.may and self.chance(0.4):
            seconds = Fraction(self.number(1, 4))
            after = After(seconds) if self.chance(0.6) else Idle(seconds)
            guard = after if guard is None else And((after, guard))
            events = events if self.chance(0.2) else ()
        targets = self.targets(state.id)
        internal = (
            "internal" in self.may
            and self.chance(0.4)
            and bool(targets)
            and self.kinds[state.id] == "compound"
            and all(state.id in self.around[target] for target in targets)
        )
        if not events and not targets:
            targets = (state.id,)
        actions = self.actions(f"do {self.number(0, 99)}") + self.effects()
        if any(self.kinds[target] == "history" for target in targets):
            actions = ()  # python-statemachine would run them twice
        return Transition(events, targets, guard, actions, internal)

    def actions(self, label: str) -> tuple[Action, ...]:
        return (Output(label),) if self.chance(0.5) else ()

    def effects(self) -> tuple[Action, ...]:
        found: list[Action] = []
        if "raises" in self.may and self.chance(0.25):
            found.append(Raise(self.one_of([*RAISED])))
        if "data" in self.may and self.chance(0.4):
            if self.chance(0.5):
                found.append(Assign("n", Literal(self.number(0, 3))))
            else:
                found.append(Assign("armed", Not(Name("armed"))))
        return tuple(found)

    def guard(self) -> Expression | None:
        return self.condition(0) if "guards" in self.may and self.chance(0.4) else None

    def condition(self, level: int) -> Expression:
        if level < 2 and self.chance(0.3):
            parts = (self.condition(level + 1), self.condition(level + 1))
            return And(parts) if self.chance(0.5) else Or(parts)
        if level < 2 and self.chance(0.2):
            return Not(self.condition(level + 1))
        if "data" in self.may and self.chance(0.5):
            sign = self.one_of(["==", "!=", "<", "<=", ">", ">="])
            left = Name("n") if self.chance(0.7) else Sum(((1, Name("n")), (-1, Literal(1))))
            return Comparison(sign, left, Literal(self.number(0, 2)))
        return In(self.one_of([name for name in self.around if self.is_state(name)]))

    def targets(self, source: str) -> tuple[str, ...]:
        if self.chance(0.15):
            return ()
        if self.chance(0.15):
            return (source,)
        first = self.one_of(list(self.around))
        for _ in range(20):
            if self.allowed(source, first) and self.enters_whole(source, first):
                break
            first = self.one_of(list(self.around))
        else:
            return (source,)
        if "several" in self.may and self.chance(0.4):
            for _ in range(10):
                other = self.one_of(list(self.around))
                if self.allowed(source, other) and self.apart(first, other):
                    return (first, other)
        return (first,)

    def regions(self, name: str) -> dict[str, str]:
        path = [name, *self.around[name]]
        return {outer: inner for inner, outer in pairwise(path) if self.kinds[outer] == "parallel"}

    def enters_whole(self, source: str, target: str) -> bool:
        """Whether a transition enters no region without its parallel state; sismic would enter that
        region alone, and none of the others.
        """
        mine = self.around[source]
        return "part" in self.may or all(p in mine for p in self.regions(target))

    def allowed(self, source: str, target: str) -> bool:
        mine = self.regions(source)
        return all(mine.get(p, region) == region for p, region in self.regions(target).items())

    def apart(self, one: str, other: str) -> bool:
        its = [other, *self.around[other]]
        common = next((each for each in [one, *self.around[one]] if each in its), "")
        return common not in ("", one, other) and self.kinds[common] == "parallel"


def drawn(seed: int, constructs: str, depth: int = 4) -> Statechart:
    """A random chart."""
    return Drawing(np.random.default_rng(seed), depth, constructs).chart()


def word_for(chart: Statechart, seed: int, length: int) -> list[str]:
    """Random inputs of a chart."""
    rng = np.random.default_rng([seed, 1])
    return [chart.events[i] for i in rng.integers(len(chart.events), size=length)]


# ---- as SCXML, with Python for expressions


def in_python(each: Expression, active: str = "In") -> str:
    if isinstance(each, Literal):
        return repr(each.value)
    if isinstance(each, Name):
        return each.name
    if isinstance(each, In):
        return f"{active}('{each.state}')"
    if isinstance(each, After | Idle):
        return f"{type(each).__name__.lower()}({each.seconds})"
    if isinstance(each, Not):
        return f"(not {in_python(each.inner, active)})"
    if isinstance(each, And | Or):
        word = " and " if isinstance(each, And) else " or "
        return "(" + word.join(in_python(part, active) for part in each.parts) + ")"
    if isinstance(each, Comparison):
        return f"({in_python(each.left, active)} {each.sign} {in_python(each.right, active)})"
    text = "".join(f"{'-' if s < 0 else '+'}{in_python(term, active)}" for s, term in each.terms)
    return f"({text.removeprefix('+')})"


def as_scxml(chart: Statechart, trace: bool = False) -> str:
    """`chart` as SCXML. With `trace`, outputs are appended to the variable ``trace``, else they are
    sent to the parent.
    """
    data = [f"<data id='{v.name}' expr={quoteattr(repr(v.initial))}/>" for v in chart.data]
    data += ["<data id='trace' expr='[]'/>"] if trace else []
    lines = ["<scxml xmlns='http://www.w3.org/2005/07/scxml' version='1.0' datamodel='python'"]
    first = next(each.id for each in chart.states if isinstance(each, State))
    initial = f" initial='{' '.join(chart.initial or (first,))}'"
    lines[0] += f" name='{chart.name}'{initial}>"
    lines += ["<datamodel>", *data, "</datamodel>"] if data else []
    for child in chart.states:
        lines += _scxml_node(child, trace)
    return "\n".join([*lines, "</scxml>"])


def _scxml_node(node: State | History, trace: bool) -> list[str]:
    if isinstance(node, History):
        kind = "deep" if node.deep else "shallow"
        return [
            f"<history id='{node.id}' type='{kind}'>",
            f"<transition target='{' '.join(node.targets)}'/>",
            "</history>",
        ]
    tag = node.kind
    initial = ""
    if node.compound:  # python-statemachine would take the first <state>, even after a <parallel>
        initial = f" initial='{' '.join(node.initial or (node.states[0].id,))}'"
    lines = [f"<{tag} id='{node.id}'{initial}>"]
    for key, actions in (("onentry", node.entry), ("onexit", node.exit)):
        if actions:
            lines += [f"<{key}>", *(_scxml_action(each, trace) for each in actions), f"</{key}>"]
    for each in node.transitions:
        parts = [f"event='{' '.join(each.events)}'"] if each.events else []
        parts += [f"target='{' '.join(each.targets)}'"] if each.targets else []
        parts += [f"cond={quoteattr(in_python(each.guard))}"] if each.guard else []
        parts += ["type='internal'"] if each.internal else []
        lines += [f"<transition {' '.join(parts)}>"]
        lines += [_scxml_action(action, trace) for action in each.actions]
        lines += ["</transition>"]
    for child in node.children:
        lines += _scxml_node(child, trace)
    return [*lines, f"</{tag}>"]


# ---- for sismic and transitions


def with_one_transition_for_each_event(state: State) -> State:
    """Without the transitions that another one of the state on the same event could rule out."""
    first: dict[tuple[str, ...], Transition] = {}
    for each in state.transitions:
        first.setdefault(each.events, each)
    children = tuple(
        with_one_transition_for_each_event(child) if isinstance(child, State) else child
        for child in state.children
    )
    return replace(state, children=children, transitions=tuple(first.values()))


def as_sismic(chart: Statechart) -> dict[str, object]:
    """`chart` as sismic's dictionary; outputs are told to its listeners."""
    preamble = "\n".join(f"{each.name} = {each.initial!r}" for each in chart.data)
    root = _sismic_state(State("root", chart.states))
    return {"statechart": {"name": "drawn", "preamble": preamble, "root state": root}}


def _sismic_state(node: State | History) -> dict[str, object]:
    if isinstance(node, History):
        kind = "deep history" if node.deep else "shallow history"
        return {"name": node.id, "type": kind, "memory": node.targets[0]}
    told: dict[str, object] = {"name": node.id}
    told["on entry"], told["on exit"] = map(_sismic_code, (node.entry, node.exit))
    if node.kind == "final":
        return {**told, "type": "final"}
    told["transitions"] = [
        {
            **({"event": each.events[0]} if each.events else {}),
            **({"target": each.targets[0]} if each.targets else {}),
            **({"guard": in_python(each.guard, "active")} if each.guard else {}),
            "action": _sismic_code(each.actions),
        }
        for each in node.transitions
    ]
    if node.children:
        key = "parallel states" if node.kind == "parallel" else "states"
        told[key] = [_sismic_state(child) for child in node.children]
    if node.compound:
        told["initial"] = node.initial[0] if node.initial else node.states[0].id
    return told


def _sismic_code(actions: tuple[Action, ...]) -> str:
    return "\n".join(map(_sismic_action, actions))


def _sismic_action(action: Action) -> str:
    if isinstance(action, Output):
        return f"notify({action.name!r})"
    if isinstance(action, Raise):
        return f"send({action.event!r})"
    assert isinstance(action, Assign)
    return f"{action.variable} = {in_python(action.value)}"


def for_transitions(chart: Statechart) -> Statechart:
    """What transitions can do of `chart`, as it does it.

    A transition leaves what is in the way of its target: a state that leads to a child of its own
    is not left, and a target deeper inside is left out here, since it would depend on what is
    active. Regions take transitions one after the other, so one that leaves its region would leave
    the others nothing to take; such transitions are left out too.
    """
    around: dict[str, tuple[str, ...]] = {"": ()}
    region: dict[str, str] = {}
    for node, parent in walk(chart.root):
        if parent is not None:
            around[node.id] = (parent.id, *around[parent.id])
            within = parent.kind == "parallel"
            region[node.id] = node.id if within else region.get(parent.id, "")

    def fits(source: str, target: str) -> bool:
        inner = region[source]
        stays = not inner or target == inner or inner in around[target]
        return stays and (source not in around[target] or around[target][0] == source)

    def of(state: State) -> State:
        return replace(
            state,
            children=tuple(of(child) for child in state.states),
            transitions=tuple(
                replace(each, leaves="region", internal=state.id in around[each.targets[0]])
                if each.targets
                else each
                for each in state.transitions
                if not each.targets or fits(state.id, each.targets[0])
            ),
        )

    states = tuple(of(each) for each in chart.states if isinstance(each, State))
    return replace(chart, states=states, inner_rules_out=True)


def as_transitions(chart: Statechart) -> dict[str, object]:
    """`chart` as the arguments of transitions' HierarchicalMachine."""
    path: dict[str, str] = {"": ""}
    told: list[dict[str, object]] = []
    for node, parent in walk(chart.root):
        if parent is not None:
            path[node.id] = f"{path[parent.id]}_{node.id}" if path[parent.id] else node.id

    def of(state: State) -> dict[str, object]:
        found: dict[str, object] = {"name": state.id}
        if state.children:
            key = "parallel" if state.kind == "parallel" else "children"
            found[key] = [of(child) for child in state.states]
        if state.compound:
            (initial,) = state.initial or (state.states[0].id,)
            found["initial"] = path[initial].removeprefix(path[state.id] + "_")
        for each in state.transitions:
            target = path[each.targets[0]] if each.targets else None
            (event,) = each.events
            told.append({"trigger": event, "source": path[state.id], "dest": target})
        return found

    states = [of(each) for each in chart.states if isinstance(each, State)]
    (initial,) = chart.initial or (chart.root.states[0].id,)
    return {"states": states, "transitions": told, "initial": path[initial]}


def _scxml_action(action: Action, trace: bool) -> str:
    if isinstance(action, Output):
        if trace:
            shown = quoteattr(f"trace + [{action.name!r}]")
            return f"<assign location='trace' expr={shown}/>"
        return f"<send event={quoteattr(action.name)} target='#_parent'/>"
    if isinstance(action, Raise):
        return f"<raise event='{action.event}'/>"
    assert isinstance(action, Assign)
    return f"<assign location='{action.variable}' expr={quoteattr(in_python(action.value))}/>"
