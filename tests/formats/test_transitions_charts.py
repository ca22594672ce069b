"""Nested machines of transitions: random ones event by event against the library, hand-written
ones, and what is refused, by line.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable

from transitions.extensions.nesting import HierarchicalMachine, NestedTransition

from vsafsm import errors as e
from vsafsm.formats.transitions import read_chart, read_transitions
from vsafsm.statecharts import Interpreter

Told = dict[str, object]


class Model:
    """Notes every callback that is called, by its name."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("out_"):
            return lambda: self.called.append(name)
        raise AttributeError(name)


class BrokenError(Exception):
    """The library has lost its way: it takes a transition of a state that was left before, or it
    looks for a state by the names of several.
    """


class Checked(NestedTransition):
    def execute(self, event_data: object) -> bool:
        active = _flat(event_data.model.state)  # type: ignore[attr-defined]
        if not any(f"{each}_".startswith(f"{self.source}_") for each in active):
            raise BrokenError
        return bool(super().execute(event_data))


class Machine(HierarchicalMachine):
    transition_cls = Checked


class Ran:
    """A machine that the library runs."""

    def __init__(self, told: Told) -> None:
        self.model = Model()
        self.machine = Machine(
            self.model, **told, auto_transitions=False, ignore_invalid_triggers=True
        )

    def step(self, event: str) -> set[str]:
        self.model.called.clear()
        try:
            self.machine.trigger_event(self.model, event)
        except (ValueError, TypeError) as error:
            raise BrokenError from error
        return {*self.model.called}

    @property
    def leaves(self) -> set[str]:
        return {*_flat(self.model.state)}


def _flat(states: object) -> Iterable[str]:
    if isinstance(states, list):
        return [name for each in states for name in _flat(each)]
    return [str(states)]


def leaves(ours: Interpreter) -> set[str]:
    """The innermost states by the library's names."""
    active = {each.removesuffix(".itself") for each in ours.configuration}
    inner = {each for each in active if not any(o.startswith(each + ".") for o in active)}
    return {each.replace(".", "_") for each in inner}


# ---- random machines


class Maker:
    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.names: list[tuple[str, ...]] = []
        self.parallel: set[tuple[str, ...]] = set()
        self.states = [self.state((), i, 0) for i in range(draw.choice([2, 3]))]
        rows = [self.row() for _ in range(draw.choice([3, 6, 9, 12]))]
        self.told: Told = {
            "states": self.states,
            "transitions": [each for each in rows if each],
            "initial": draw.choice([each["name"] for each in self.states]),
        }

    def callbacks(self, chance: float = 0.3) -> list[str]:
        if self.draw.random() > chance:
            return []
        return self.draw.sample(["out_1", "out_2", "out_3"], self.draw.choice([1, 2]))

    def state(self, path: tuple[str, ...], number: int, depth: int) -> Told:
        draw, name = self.draw, "abcdef"[number] + str(depth)
        path = (*path, name)
        self.names.append(path)
        made: Told = {"name": name}
        for key in ("on_enter", "on_exit"):
            if draw.random() < 0.4:
                made[key] = [f"out_{key}_{'_'.join(path)}"]
        kinds = ["basic", "children", "parallel", "listed"]
        kind = draw.choices(kinds, [4, 3, 1, 1] if depth < 3 else [1, 0, 0, 0])[0]
        if kind != "basic":
            key = "parallel" if kind == "parallel" else "children"
            count = draw.choice([1, 2, 3] if kind == "children" else [2, 3])
            children = [self.state(path, i, depth + 1) for i in range(count)]
            made[key] = children
            if kind == "listed":
                made["initial"] = [each["name"] for each in children]
            if kind == "children" and draw.random() < 0.7:
                made["initial"] = draw.choice(children)["name"]
            if kind != "children":
                self.parallel.add(path)
        return made

    def fits(self, source: tuple[str, ...], dest: tuple[str, ...]) -> bool:
        """Whether no region is entered alone, and none left for another."""
        depth = 0
        while depth < min(len(source), len(dest)) and source[depth] == dest[depth]:
            depth += 1
        if dest[:depth] in self.parallel and depth < min(len(source), len(dest)):
            return False
        return not any(dest[:end] in self.parallel for end in range(depth + 1, len(dest)))

    def row(self) -> Told | None:
        draw = self.draw
        source = draw.choice(self.names)
        dest: str | None = None
        kind = draw.choices(["dest", "same", "none", "every"], [8, 1, 1, 1])[0]
        every = [each for each in self.names if len(each) == 1]
        if kind in ("dest", "every"):
            sources = every if kind == "every" else [source]
            good = [each for each in self.names if all(self.fits(s, each) for s in sources)]
            if not good:
                return None
            dest = "_".join(draw.choice(good))
        return {
            "trigger": draw.choice(["go", "on", "up"]),
            "source": "*" if kind == "every" else "_".join(source),
            "dest": "=" if kind == "same" else dest,
            "before": self.callbacks(),
            "after": self.callbacks(),
        }


def compared(told: Told, word: list[str]) -> int:
    """How many events were compared."""
    text = json.dumps(told)
    try:
        chart = read_chart(text, "m.transitions")
        found = read_transitions(text, "m.transitions")
    except e.SpecError as error:
        if "no transition names" in error.message or "that leaves" in error.message:
            return 0
        raise
    ours, theirs, state = Interpreter(chart), Ran(told), found.machine.initial
    assert leaves(ours) == theirs.leaves
    count = 0
    for event in word:
        if event not in chart.events:
            continue
        try:
            called = theirs.step(event)
        except BrokenError:
            break
        outputs = ours.send(event)
        taken = found.machine.transition(state, event)
        state = taken.to
        assert leaves(ours) == theirs.leaves, event
        assert {*outputs} == called, event
        assert {*taken.outputs} == called
        count += 1
    return count
