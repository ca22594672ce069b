"""Nested machines of transitions: random ones event by event against the library, hand-written
ones, and what is refused, by line.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from transitions.extensions.markup import HierarchicalMarkupMachine
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


def random_machine(seed: int) -> tuple[Told, list[str]]:
    draw = random.Random(seed)
    return Maker(draw).told, [draw.choice(["go", "on", "up"]) for _ in range(40)]


def test_random_machines_do_what_transitions_does() -> None:
    compare(range(40), least=400)


@pytest.mark.slow
def test_many_random_machines_do_what_transitions_does() -> None:
    compare(range(1000, 1300), least=5000)


def compare(seeds: range, least: int) -> None:
    """Machines against transitions, at least so many events in all."""
    assert sum(compared(*random_machine(seed)) for seed in seeds) > least


@pytest.mark.parametrize("seed", [2, 3, 4, 5, 6, 8, 9])
def test_the_markup_is_read_as_the_same_machine(seed: int) -> None:
    told, _ = random_machine(seed)
    markup = HierarchicalMarkupMachine(Model(), **told, auto_transitions=False).markup
    markup.pop("models")
    one, other = (read_transitions(json.dumps(each), "m").machine for each in (told, markup))
    assert {*one.inputs} == {*other.inputs}
    for state in one.states:
        for symbol in one.inputs:
            first, second = one.transition(state, symbol), other.transition(state, symbol)
            assert (first.to, {*first.outputs}) == (second.to, {*second.outputs})


# ---- hand-written ones

ARM = (Path(__file__).parents[1] / "data" / "charts" / "arm.transitions").read_text()


def test_an_arm_with_time_outs() -> None:
    word = "go faster tick tick tick arrive close switch stop tick tick tick tick tick"
    trace = read_transitions(ARM, "m").machine.run(word.split())
    assert [each.partition("~")[0] for each in trace.states] == [
        *("idle", "moving.slow", "moving.fast", "moving.fast", "moving.fast", "moving.slow"),
        *("work.grip.open|work.lamp.dark", "work.grip.shut|work.lamp.dark"),
        *("work.grip.shut|work.lamp.lit", *["stopped"] * 5, "idle"),
    ]
    told = [{*each} for each in trace.outputs]
    assert [told[i] for i in (4, 5, 8, 13)] == [{"warn", "slower"}, {"brake"}, {"alarm"}, {"rest"}]


def machine(states: object, *rows: object, **more: object) -> str:
    return json.dumps({"states": states, "initial": "a", "transitions": rows, **more}, indent=0)


def test_a_state_with_children_can_be_active_alone() -> None:
    text = machine(["a", {"name": "b", "children": ["c"]}], ["go", "a", "b"], ["in", "b", "b_c"])
    assert read_transitions(text, "m").machine.run(["go", "in"]).states == ("a", "b", "b.c")


@pytest.mark.parametrize("separator", ["_", ".", "/", "↦"])
def test_names_with_any_separator(separator: str) -> None:
    inner = f"b{separator}c"
    text = machine(["a", {"name": "b", "children": ["c"]}], ["go", "a", inner])
    assert read_transitions(text, "m").machine.run(["go"]).states == ("a", "b.c")


def test_a_name_behind_another_is_inside_it() -> None:
    text = machine(["a", "a_b", "on_hold", {"name": "z", "children": ["y"]}], ["go", "*", "a_b"])
    assert read_transitions(text, "m").machine.run(["go"]).states == ("a", "a.b")
    flat = machine(["a", "a_b"], ["go", "*", "a_b"])
    assert read_transitions(flat, "m").machine.run(["go"]).states == ("a", "a_b")


def test_json_with_tabs() -> None:
    text = machine(["a", "b"], ["go", "a", "b"]).replace("\n", "\n\t")
    assert read_transitions(text, "m").machine.states == ("a", "b")


NEST = {"name": "b", "children": ["c", "d"], "initial": "c"}
BOTH = {"name": "p", "parallel": [{**NEST, "name": "q"}, {**NEST, "name": "r"}]}


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        (machine(["a", {**NEST, "initial": "x"}]), e.UnknownStateError, 'state "x"'),
        (machine(["a", {**NEST, "initial": ["c", "x"]}]), e.UnknownStateError, 'state "x"'),
        (
            machine(["a", {**NEST, "children": ["c", "d", "f"], "initial": ["c", "d"]}]),
            e.NotImportableError,
            "2 of 3 states are initial",
        ),
        (
            machine(["a", {**NEST, "parallel": ["x"]}]),
            e.SyntaxSpecError,
            '"parallel" and "children"',
        ),
        (machine(["a", {"name": "b", "initial": "c"}]), e.SyntaxSpecError, "no children"),
        (machine(["a", NEST], ["go", "a", "b_x"]), e.UnknownStateError, "b_c"),
        (machine(["a", NEST], ["go", "x", "b"]), e.UnknownStateError, 'state "x"'),
        (machine(["a", NEST, NEST]), e.BadNameError, "declared twice"),
        (
            machine(["a", {"name": "b", "timeout": "x", "on_timeout": "go"}], ["go", "a", "b"]),
            e.SyntaxSpecError,
            "a number of seconds",
        ),
        (machine(["a", {"name": "b", "timeout": 1}]), e.SyntaxSpecError, '"on_timeout"'),
        (machine(["a", BOTH], ["go", "p_q_c", "p_r_d"]), e.SpecError, "another region"),
        (
            machine(["a", BOTH], ["go", "p_q_c", "a"], ["go", "p_r_c", "p_r_d"]),
            e.NotImportableError,
            "before or behind that",
        ),
        (
            machine(
                ["a", {**NEST, "transitions": [["go", "c", "d"]]}],
                {"trigger": "go", "source": "b_d", "dest": "a"},
            ),
            e.NotImportableError,
            "is taken inside first",
        ),
        (
            machine(["a", NEST], {"trigger": "go", "source": "a", "dest": "b", "unless": "x"}),
            e.NotImportableError,
            '"unless" of a transition is a guard',
        ),
    ],
)
def test_what_is_refused(text: str, error: type[e.SpecError], told: str) -> None:
    with pytest.raises(error) as caught:
        read_transitions(text, "m")
    assert told in caught.value.message
    assert caught.value.location is not None
