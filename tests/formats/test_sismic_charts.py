"""Statecharts of sismic: random ones event by event against sismic itself, hand-written ones, and
what is refused, by line.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import sismic.io
from hypothesis import strategies as st
from sismic.clock import SimulatedClock
from sismic.exceptions import ConflictingTransitionsError, NonDeterminismError
from sismic.interpreter import Interpreter as SismicInterpreter

from vsafsm import errors as e
from vsafsm.formats.sismic import read_chart, read_sismic
from vsafsm.statecharts import Interpreter

MOST_STEPS = 200

# ---- sismic


class Ran:
    """A chart that sismic runs: configurations without the root, data, and outputs."""

    def __init__(self, text: str) -> None:
        self.chart = sismic.io.import_from_yaml(text)
        self.clock = SimulatedClock()
        self.run = SismicInterpreter(self.chart, clock=self.clock)
        self.told: list[str] = []
        self.heard = {each.event for each in self.chart.transitions}
        self.run.attach(self.tell)
        self.settle()

    def tell(self, event: object) -> None:
        name = getattr(event, "name", "")
        if name.startswith("out"):
            self.told.append(name)
        if name == "event sent" and event.event.name not in self.heard:  # type: ignore[attr-defined]
            self.told.append(event.event.name)  # type: ignore[attr-defined]

    def settle(self) -> bool:
        """Whether it comes to an end."""
        return len(self.run.execute(max_steps=MOST_STEPS)) < MOST_STEPS

    def step(self, event: str, period: float) -> tuple[str, ...]:
        self.told.clear()
        if event == "tick":
            self.clock.time += period
        else:
            self.run.queue(event)
        if not self.settle():
            raise EndlessError
        return tuple(dict.fromkeys(self.told))

    @property
    def configuration(self) -> set[str]:
        return {*self.run.configuration} - {self.chart.root}


class EndlessError(Exception):
    pass


# ---- random charts


@dataclass
class Node:
    name: str
    kind: str
    around: list[Node]
    children: list[Node] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


class Maker:
    """A random chart as text."""

    def __init__(self, draw: random.Random, *, time: bool, data: bool) -> None:
        self.draw, self.time, self.data = draw, time, data
        self.nodes: list[Node] = []
        self.root = self.node([], "root", draw.choice(["compound", "compound", "parallel"]), 0)

    def node(self, around: list[Node], name: str, kind: str, depth: int) -> Node:
        made = Node(name, kind, around)
        self.nodes.append(made)
        if kind in ("compound", "parallel"):
            for _ in range(self.draw.choice([1, 2, 2, 3] if kind == "compound" else [2, 2, 3])):
                weights = [4, 3 if depth < 2 else 0, 2 if depth < 2 else 0]
                inner = self.draw.choices(["basic", "compound", "parallel"], weights)[0]
                child = self.node([made, *around], f"s{len(self.nodes)}", inner, depth + 1)
                made.children.append(child)
            if kind == "compound" and self.draw.random() < 0.3:
                made.children.append(Node(f"s{len(self.nodes)}", "final", [made, *around]))
                self.nodes.append(made.children[-1])
            if kind == "compound" and around and self.draw.random() < 0.4:
                kind_of = self.draw.choice(["shallow history", "deep history"])
                made.children.append(Node(f"s{len(self.nodes)}", kind_of, [made, *around]))
                self.nodes.append(made.children[-1])
        return made

    def guard(self) -> str:
        kinds = ("basic", "compound", "parallel")
        names = [each.name for each in self.nodes[1:] if each.kind in kinds]
        options = [
            f"active('{self.draw.choice(names)}')",
            f"not active('{self.draw.choice(names)}')",
        ]
        if self.data:
            options += ["x < 2", "flag", "x == 1 or not flag"]
        return self.draw.choice(options)

    def action(self) -> str:
        options = ["notify('out1')", "notify('out2')", "send('ping')", "send('e')"]
        if self.data:
            options += ["flag = not flag"]
        return "; ".join(self.draw.sample(options, self.draw.choice([1, 1, 2])))

    def targets(self, node: Node) -> list[Node]:
        """Those in no other region, and not in one region alone of what is entered."""
        path = [node, *node.around]
        found = []
        for each in self.nodes:
            stays = next((outer for outer in each.around if outer in path[1:]), None)
            entered = each.around[: each.around.index(stays)] if stays else each.around
            if any(outer.kind == "parallel" for outer in entered):
                continue
            if stays and stays.kind == "parallel":
                its = [each, *each.around]
                if path[path.index(stays) - 1] is not its[its.index(stays) - 1]:
                    continue
            found.append(each)
        return found

    def transition(self, node: Node, used: set[str]) -> str | None:
        draw, parts = self.draw, []
        kind = draw.choices(["event", "eventless", "timed"], [8, 1, 2 if self.time else 0])[0]
        if node is self.root and kind == "timed":
            return None
        if kind == "event":
            event = draw.choice(["a", "b", "c", "e"])
            if event in used:
                return None
            used.add(event)
            parts.append(f"event: {event}")
            guard = draw.choice(["", "", self.guard()])
        elif kind == "eventless":
            guard = self.guard()
        else:
            guard = draw.choice(
                [f"after({draw.choice([1, 2, 3])})", f"idle({draw.choice([2, 3])})"]
            )
        if kind != "event" and kind in used:
            return None
        used.add(kind)
        action = self.action() if draw.random() < 0.4 else ""
        if self.data and draw.random() < 0.3 and kind == "event":
            guard, action = "x < 3", "x += 1"
        if guard:
            parts.append(f'guard: "{guard}"')
        if action:
            parts.append(f'action: "{action}"')
        if draw.random() < 0.85 or not (action or guard):
            parts.append(f"target: {draw.choice(self.targets(node)).name}")
        return "{" + ", ".join(parts) + "}"

    def written(self, node: Node, indent: str) -> Iterator[str]:
        draw = self.draw
        yield f"{indent}name: {node.name}"
        regular = [each for each in node.children if "history" not in each.kind]
        if "history" in node.kind:
            beside = [n for n in node.around[0].children if "history" not in n.kind]
            yield f"{indent}type: {node.kind}"
            yield f"{indent}memory: {draw.choice(beside).name}"
            return
        if node.kind == "final":
            yield f"{indent}type: final"
        for key in ("on entry", "on exit"):
            if draw.random() < 0.25 and node is not self.root:
                yield f"{indent}{key}: \"notify('out {key[3:]} {node.name}')\""
        if node.kind == "compound" and (node is self.root or draw.random() < 0.85):
            yield f"{indent}initial: {draw.choice(regular).name}"
        if node.kind != "final":
            used: set[str] = set()
            found = [self.transition(node, used) for _ in range(draw.choice([0, 1, 2, 3]))]
            if any(found):
                yield f"{indent}transitions:"
                yield from (f"{indent}- {each}" for each in found if each)
        if node.children:
            yield f"{indent}{'parallel states' if node.kind == 'parallel' else 'states'}:"
            for child in node.children:
                first, *rest = self.written(child, indent + "  ")
                yield f"{indent}- {first.lstrip()}"
                yield from rest

    def text(self) -> str:
        lines = ["statechart:", "  name: random"]
        if self.data:
            lines.append("  preamble: 'x = 0; flag = False'")
        return "\n".join([*lines, "  root state:", *self.written(self.root, "    ")]) + "\n"


def compared(text: str, word: list[str]) -> int:
    """How many events were compared."""
    try:
        chart = read_chart(text, "m.sismic")
        found = read_sismic(text, "m.sismic")
    except (e.NotImportableError, e.NondeterministicError):
        return 0
    except e.SpecError as error:
        assert any(
            told in error.message
            for told in (
                *("without end", "no transition names", "another region", "not in different"),
                *("more than",),
            )
        ), f"{error}\n{text}"
        return 0
    if any("sismic enters" in told for told in found.warnings):
        return 0
    ours, state = Interpreter(chart), found.machine.initial
    try:
        theirs = Ran(text)
    except AssertionError:  # sismic's own: a history of a state that is active alone
        return 0
    count = 0
    for event in word:
        if event not in chart.events:
            continue
        try:
            told = theirs.step(event, float(chart.period or 0))
        except (NonDeterminismError, ConflictingTransitionsError, AssertionError):
            break
        outputs = ours.send(event)
        taken = found.machine.transition(state, event)
        state = taken.to
        names = {each for each in ours.configuration if not each.endswith(".itself")}
        assert names - {theirs.chart.root} == theirs.configuration or ours.ended, f"{event}\n{text}"
        assert {*outputs} - {"accept"} == {*told}, f"{event}\n{text}"
        assert {*taken.outputs} == {*outputs}
        if not ours.ended:
            context = {key: theirs.run.context[key] for key in ours.data}
            assert dict(ours.data) == context, f"{event}\n{text}"
        count += 1
        if ours.ended:
            break
    return count


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    seeded = random.Random(draw(st.integers(0, 2**32)))
    maker = Maker(seeded, time=seeded.random() < 0.4, data=seeded.random() < 0.4)
    return maker.text(), [seeded.choice(["a", "b", "c", "tick"]) for _ in range(40)]
