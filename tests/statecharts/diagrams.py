"""Charts as diagrams of states, for tests: what has no place in those is taken out before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from vsafsm.statecharts import History, Output, State, Statechart, Transition
from vsafsm.statecharts.parts import Action, walk

from .charts import in_python

DONE = "done.state."


def for_diagrams(chart: Statechart, seed: int, times: bool = True) -> Statechart:
    """A chart that a diagram can say: each region has one state, transitions of a state differ in
    event or guard, and those without event do not leave states that can be done. With `times`,
    some get a time-out for their event.
    """
    rng = np.random.default_rng([seed, 2])
    states = tuple(_fitted(each, rng, times) for each in chart.states if isinstance(each, State))
    first = chart.initial or (states[0].id,)
    data = tuple(replace(each, values=None) for each in chart.data)
    return Statechart(chart.name, states, first, data=data)


def _fitted(node: State | History, rng: np.random.Generator, times: bool) -> State | History:
    if isinstance(node, History):
        return node
    children = tuple(_fitted(each, rng, times) for each in node.children)
    if node.kind == "parallel":
        children = tuple(
            State(f"{node.id}.{number}", (each,), name=str(number))
            for number, each in enumerate(children, 1)
        )
    seen: set[object] = set()
    kept: list[Transition] = []
    can_end = can_be_done(node)
    for each in node.transitions:
        done = each.events[:1] == (DONE + node.id,)
        waits = bool(each.events) and each.events[0].startswith(DONE)
        if waits and not (done and can_end and each.targets):
            continue
        if not each.events and can_end:
            continue
        if times and not node.children and rng.random() < 0.2:
            each = replace(each, events=(), after=Fraction(int(rng.integers(1, 4))))
        key = (each.events, each.guard, each.after)
        if key not in seen:
            seen.add(key)
            kept.append(each)
    return replace(node, children=children, transitions=tuple(kept))


def can_be_done(node: State) -> bool:
    """Whether a final state lies inside; regions have one state each, which is none."""
    return node.kind == "state" and any(child.kind == "final" for child in node.states)


class Diagram:
    """The text of a chart that `for_diagrams` gave; in Mermaid without histories."""

    def __init__(self, chart: Statechart, mermaid: bool) -> None:
        self.chart, self.mermaid = chart, mermaid
        self.called: dict[str, str] = {}
        for node, parent in walk(chart.root):
            if isinstance(node, History) and parent:
                host = parent.id
                self.called[node.id] = f"{host}[H*]" if node.deep else f"{host}[H]"
            elif isinstance(node, State):
                self.called[node.id] = node.id

    def text(self) -> str:
        head = "stateDiagram-v2" if self.mermaid else "@startuml"
        start = f"[*] --> {self.called[self.chart.initial[0]]}"
        if self.chart.data:
            start += " : / " + ", ".join(f"{v.name} = {v.initial}" for v in self.chart.data)
        body = [line for each in self.chart.states for line in self.node(each)]
        return "\n".join([head, start, *body, *([] if self.mermaid else ["@enduml"])]) + "\n"

    def node(self, node: State | History) -> Iterator[str]:
        if isinstance(node, History):
            yield f"{self.called[node.id]} --> {self.called[node.targets[0]]}"
            return
        if node.kind == "final":
            yield f"state {node.id} <<end>>"
        elif not node.children:
            yield f"state {node.id}"
        else:
            yield f"state {node.id} {{"
            regions = node.states if node.kind == "parallel" else (node,)
            for number, region in enumerate(regions):
                if number:
                    yield "--"
                first = region.initial or (region.states[0].id,)
                yield f"[*] --> {self.called[first[0]]}"
                for child in region.children:
                    yield from self.node(child)
            yield "}"
        for way, actions in (("entry", node.entry), ("exit", node.exit)):
            if actions:
                yield f"{node.id} : {way} / {', '.join(map(_action, actions))}"
        for each in node.transitions:
            label = self.label(each)
            if each.targets:
                shown = f" : {label}" if label else ""
                yield f"{node.id} --> {self.called[each.targets[0]]}{shown}"
            else:
                yield f"{node.id} : {label or '/'}"

    def label(self, each: Transition) -> str:
        parts = [", ".join(event for event in each.events if not event.startswith(DONE))]
        if each.after is not None:
            parts = [f"after {each.after} s" if each.after > 1 else "after(1000ms)"]
        if each.guard is not None:
            parts.append(f"[{in_python(each.guard, 'in')}]")
        if each.actions or not each.targets:
            parts.append("/ " + ", ".join(map(_action, each.actions)))
        return " ".join(part for part in parts if part)


def _action(each: Action) -> str:
    if isinstance(each, Output):
        return each.name
    return f"{each.variable} = {in_python(each.value)}"  # type: ignore[union-attr]
