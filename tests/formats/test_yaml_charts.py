"""Charts in YAML: what they are, what they do, and what is said of those that are wrong."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import errors as e
from vsafsm.formats import SpecWarning, format_for, load, load_chart
from vsafsm.formats import written as text_of
from vsafsm.formats.yaml import read_chart, read_yaml
from vsafsm.machine import Machine
from vsafsm.statecharts import (
    Assign,
    History,
    Output,
    Raise,
    State,
    Statechart,
    Transition,
    Variable,
    flatten,
    parse_expression,
)
from vsafsm.statecharts.expressions import After, And, Idle, written
from vsafsm.statecharts.parts import Action, transitions_of

from ..statecharts.charts import EVENTS, RAISED, drawn

SPECS = Path(__file__).parents[2] / "specs"
CHARTS = ("junction", "robot_arm", "wake_word")

ANY_STATE = """\
machine: press
initial: idle
any:
  transitions: {stop: halted}
states:
  idle:
    transitions: {go: running}
  running: {}
  halted:
    transitions: {stop: halted, release: idle}
"""

LAMP = """\
machine: lamp
clock: 100 ms
data:
  tries: 0..3
  armed: false
  mode: [eco, normal]
initial: "off"
any:
  transitions: {stop: "off"}
states:
  "off":
    transitions: {power: last}
  "on":
    initial: dim
    entry: [lit]
    exit: {outputs: [unlit], set: {mode: eco}}
    transitions: {power: "off"}
    states:
      last: {history: shallow, default: dim}
      dim:
        outputs: [glow]
        transitions:
          more:
            - {to: bright, if: tries < 3 and not armed, set: {tries: tries + 1}, outputs: [click]}
            - {set: {armed: true, mode: normal}}
      bright:
        after:
          500 ms: dim
"""

DOORS = """\
machine: house
regions:
  door:
    initial: open
    states:
      open: {transitions: {push: closed}}
      closed:
        initial: unlocked
        states:
          unlocked: {transitions: {pull: open, key: locked}}
          locked: {transitions: {key: {to: unlocked, raise: [click]}}}
  light:
    initial: dark
    states:
      dark:
        transitions: {push: bright, key: {to: bright, if: in(door.closed)}}
      bright:
        transitions: {click: dark}
        always: {to: dark, if: in(open)}
"""


def chart_of(text: str) -> Statechart:
    return read_chart(text, "m.yaml")


def machine_of(text: str) -> Machine:
    return read_yaml(text, "m.yaml").machine


def unplaced(chart: Statechart) -> tuple[object, ...]:
    """What a chart is, without the places in its text."""

    def action(each: Action) -> object:
        return type(each), *(getattr(each, name) for name in each.__slots__ if name != "place")

    def transition(each: Transition) -> object:
        actions = tuple(map(action, each.actions))
        return each.events, each.targets, each.guard, actions, each.after, each.idle, each.internal

    def node(each: State | History) -> object:
        if isinstance(each, History):
            return each.id, each.targets, each.deep
        return (
            *(each.id, each.called, each.kind, each.initial, each.outputs),
            *(tuple(map(action, each.entry)), tuple(map(action, each.exit))),
            *(tuple(map(transition, each.transitions)), tuple(map(node, each.children))),
        )

    data = tuple((each.name, each.initial, each.values) for each in chart.data)
    return chart.name, node(chart.root), data, chart.clock, chart.events


# ---- what a chart is


def test_a_chart_is_the_one_made_by_hand() -> None:
    guard = parse_expression
    more = (
        Transition(
            ("more",),
            ("on.bright",),
            guard("tries < 3 and not armed"),
            (Assign("tries", guard("tries + 1")), Output("click")),
        ),
        Transition(
            ("more",), actions=(Assign("armed", guard("true")), Assign("mode", guard("'normal'")))
        ),
    )
    chart = Statechart(
        "lamp",
        (
            State("off", transitions=(Transition(("power",), ("on.last",)),)),
            State(
                "on",
                (
                    History("on.last", ("on.dim",)),
                    State("on.dim", name="dim", outputs=("glow",), transitions=more),
                    State(
                        "on.bright",
                        name="bright",
                        transitions=(Transition((), ("on.dim",), after=Fraction(1, 2)),),
                    ),
                ),
                initial=("on.dim",),
                entry=(Output("lit"),),
                exit=(Output("unlit"), Assign("mode", guard("'eco'"))),
                transitions=(Transition(("power",), ("off",)),),
            ),
        ),
        initial=("off",),
        transitions=(Transition(("stop",), ("off",)),),
        data=(
            Variable("tries", 0, range(4)),
            Variable("armed", False, (False, True)),
            Variable("mode", "eco", ("eco", "normal")),
        ),
        clock=Fraction(1, 10),
    )
    assert unplaced(chart_of(LAMP)) == unplaced(chart)
    assert machine_of(LAMP) == flatten(chart)


def test_regions_at_the_top_are_one_parallel_state() -> None:
    guard = parse_expression

    def go(event: str, to: str, **rest: Any) -> Transition:
        return Transition((event,), (to,), **rest)

    closed = State(
        "door.closed",
        (
            State(
                "door.closed.unlocked",
                name="unlocked",
                transitions=(go("pull", "door.open"), go("key", "door.closed.locked")),
            ),
            State(
                "door.closed.locked",
                name="locked",
                transitions=(go("key", "door.closed.unlocked", actions=(Raise("click"),)),),
            ),
        ),
        name="closed",
        initial=("door.closed.unlocked",),
    )
    door = State(
        "door",
        (State("door.open", name="open", transitions=(go("push", "door.closed"),)), closed),
        initial=("door.open",),
    )
    push_or_key = (
        go("push", "light.bright"),
        go("key", "light.bright", guard=guard("in('door.closed')")),
    )
    by_itself = Transition((), ("light.dark",), guard("in('door.open')"))
    light = State(
        "light",
        (
            State("light.dark", name="dark", transitions=push_or_key),
            State(
                "light.bright", name="bright", transitions=(go("click", "light.dark"), by_itself)
            ),
        ),
        initial=("light.dark",),
    )
    chart = Statechart("house", (State("house", (door, light), "parallel"),), initial=("house",))
    assert unplaced(chart_of(DOORS)) == unplaced(chart)
    assert machine_of(DOORS) == flatten(chart)


def test_a_flat_machine_is_a_chart_too(spec_files: list[Path]) -> None:
    for path in spec_files:
        if path.stem not in CHARTS:
            assert flatten(load_chart(path)) == load(path)


def test_regions_with_networks_of_their_own_are_no_one_machine() -> None:
    text = DOORS.replace("\n", "\nnetworks: separate\ncompile: {bits: 4}\n", 1)
    chart = chart_of(text)
    assert chart.separate
    assert chart.compile_options == (("bits", 4),)
    plain = replace(chart, separate=False, compile_options=())
    assert unplaced(plain) == unplaced(chart_of(DOORS))
    with pytest.raises(e.SystemSpecError, match=r':2:11: regions .* of "house" .* separate'):
        machine_of(text)
    assert machine_of(text.replace("separate", "one")).compile_options == (("bits", 4),)
    with pytest.raises(e.SyntaxSpecError, match="expected one of: one, separate; did you mean"):
        machine_of(text.replace("separate", "seperate"))


def test_the_same_chart_from_a_mapping() -> None:
    for text in (ANY_STATE, LAMP, DOORS):
        assert unplaced(load_chart(yaml.safe_load(text))) == unplaced(chart_of(text))
        assert load(yaml.safe_load(text)) == machine_of(text)


def test_load_chart_takes_what_load_takes(tmp_path: Path) -> None:
    (tmp_path / "lamp.yaml").write_text(LAMP)
    chart = vsafsm.load_chart(tmp_path / "lamp.yaml")
    assert vsafsm.load(tmp_path / "lamp.yaml") == flatten(chart)
    with (tmp_path / "lamp.yaml").open() as file:
        assert unplaced(load_chart(file)) == unplaced(chart)
    (tmp_path / "m.kiss2").write_text(".i 1\n.o 1\n1 a a 1\n.e\n")
    with pytest.raises(e.FormatError, match="kiss2 has no statecharts; expected one of: yaml"):
        load_chart(tmp_path / "m.kiss2")
    with pytest.raises(e.ArgumentError, match=r"vsafsm.load_chart\(io.StringIO"):
        load_chart(LAMP)


# ---- what it does


def test_a_transition_of_every_state_that_has_none_of_its_own() -> None:
    machine = machine_of(ANY_STATE)
    assert machine.run(["go", "stop", "release"]).states[1:] == ("running", "halted", "idle")
    assert machine.states == ("idle", "running", "halted")


def one(transitions: str, more: str = "", data: str = "") -> str:
    """A chart of a state `a` beside one with two states inside."""
    return (
        f"machine: m\n{data}initial: a\nstates:\n  a: {{transitions: {transitions}}}\n"
        f"  b: {{initial: x, states: {{x: , y: }}{more}}}\n"
    )


@pytest.mark.parametrize(
    ("transitions", "more", "word", "state"),
    [
        ("{go: b}", "", "go", "b.x"),
        ("{go: y}", "", "go", "b.y"),
        ("{go: b.y}", "", "go", "b.y"),
        ("{go: m.b.y}", "", "go", "b.y"),
        ("{go: {to: [y]}}", "", "go", "b.y"),
        ("{go: [{to: b, if: in(b)}, y]}", "", "go", "b.y"),
        ("{go: b, no: a}", ', transitions: {"*": a, go: y}', "go go", "b.y"),
        ("{go: b, no: a}", ', transitions: {"*": a, go: y}', "go no", "a"),
        ("{go: b}", ", transitions: {go: x}", "go go", "b.x"),
    ],
)
def test_names_lead_where_they_say(transitions: str, more: str, word: str, state: str) -> None:
    assert machine_of(one(transitions, more)).run(word.split()).states[-1] == state


def test_names_are_looked_for_from_the_inside_out() -> None:
    text = """\
machine: m
initial: a
states:
  a:
    initial: x
    states:
      x: {transitions: {go: y, out: m.y}}
      y: {transitions: {go: a.x, out: b}}
  b:
    initial: y
    transitions: {go: x}
    states:
      y: {transitions: {out: m.y}}
  y: {transitions: {go: a.y}}
"""
    states = machine_of(text).run(["go", "go", "out", "go", "out", "out"]).states
    assert states == ("a.x", "a.y", "a.x", "y", "a.y", "b.y", "y")


def test_one_name_under_two_paths_is_ambiguous_elsewhere() -> None:
    text = one("{go: x}").replace("y: }", "y: }}\n  c: {initial: x, states: {x: }")
    with pytest.raises(e.SpecError) as caught:
        read_yaml(text, "m.yaml")
    assert str(caught.value) == (
        'm.yaml:4:25: state "x" may be one of several; expected one of: b.x, c.x'
    )


def test_done_follows_a_final_state_inside() -> None:
    text = """\
machine: m
initial: work
states:
  work:
    initial: first
    done: {to: idle, outputs: [bell]}
    states:
      first: {transitions: {next: second}}
      second: {transitions: {next: end}}
      end: {final: true}
  idle: {transitions: {next: over}}
  over: {final: true}
"""
    trace = machine_of(text).run(["next", "next", "next"])
    assert trace.states == ("work.first", "work.second", "idle", "over")
    assert trace.outputs[1:] == (("bell",), ("accept",))


def test_done_follows_when_every_region_is_final() -> None:
    text = """\
machine: m
initial: work
states:
  work:
    done: idle
    regions:
      a: {initial: x, states: {x: {transitions: {a: end}}, end: {final: true}}}
      b: {initial: x, states: {x: {transitions: {b: end}}, end: {final: true}}}
  idle: {}
"""
    machine = machine_of(text)
    assert machine.inputs == ("a", "b")
    states = machine.run(["b", "b", "a"]).states
    assert states == ("work.a.x|work.b.x", *["work.a.x|work.b.end"] * 2, "idle")


def test_deep_history_remembers_the_innermost_state() -> None:
    text = """\
machine: m
initial: "on"
states:
  "on":
    initial: a
    transitions: {power: "off"}
    states:
      last: {history: deep, default: a}
      a: {transitions: {go: b.y}}
      b: {initial: x, states: {x: , y: }}
  "off": {transitions: {power: last}}
"""
    assert machine_of(text).run(["go", "power", "power"]).states[-1] == "on.b.y"
    shallow = text.replace("deep", "shallow")
    assert machine_of(shallow).run(["go", "power", "power"]).states[-1] == "on.b.x"


@pytest.mark.parametrize(
    ("times", "ticks"),
    [
        ("after: {2 s: b}", 2),
        ("after: {1000 ms: b}", 1),
        ("after: {0.05 min: b}", 3),
        ("always: {to: b, after: 2s}", 2),
        ("after: {2 s: {to: b, if: n == 0}, 1 s: {to: b, if: n > 0}}", 2),
        ("transitions: {tock: {to: b, after: 3 s}}, after: {4 s: b}", 4),
    ],
)
def test_time_passes_in_ticks(times: str, ticks: int) -> None:
    text = (
        "machine: m\nclock: 1 s\ndata: {n: 0..1}\ninitial: a\nstates:\n"
        f"  a: {{{times}}}\n  b: {{transitions: {{back: a}}}}\n"
    )
    states = machine_of(text).run(["tick"] * ticks).states
    assert [state.startswith("b") for state in states] == [False] * ticks + [True]


def test_a_time_is_a_condition_of_an_input_too() -> None:
    text = (
        "machine: m\ninitial: a\nstates:\n"
        "  a: {transitions: {go: {to: b, after: 3 s}}, after: {6 s: a}}\n  b:\n"
    )
    machine = machine_of(text)
    assert load_period(text) == 3
    assert machine.run(["go"]).states[-1] == "a"
    assert machine.run(["tick", "go"]).states[-1] == "b"
    assert machine.run(["tick", "tick", "go"]).states[-1] == "a"


def load_period(text: str) -> Fraction | None:
    return chart_of(text).period


def test_an_unlisted_input_keeps_its_place_in_the_alphabet() -> None:
    text = ANY_STATE + "inputs: [release, stop, go]\n"
    assert machine_of(text).inputs == ("release", "stop", "go")


def test_compile_options_reach_the_machine() -> None:
    assert machine_of(ANY_STATE + "compile: {seed: 3}\n").compile_options == (("seed", 3),)


@pytest.mark.parametrize("name", CHARTS)
def test_an_example_is_the_machine_of_its_chart(name: str) -> None:
    path = SPECS / f"{name}.yaml"
    assert flatten(load_chart(path)) == load(path)


def test_unlisted_error_takes_what_states_around_list() -> None:
    text = ANY_STATE.replace("stop: halted}", '"*": halted}', 1) + "unlisted: error\n"
    assert machine_of(text).run(["release"]).states == ("idle", "halted")
    text = one("{go: b}", ", transitions: {go: a}") + "unlisted: error\n"
    assert machine_of(text).run(["go", "go"]).states == ("a", "b.x", "a")


# ---- random charts


def expressible(chart: Statechart) -> Statechart:
    """`chart` without what YAML has no words for: times since the last transition, done events of
    other states, events that nothing hears; and without transitions that are never taken.
    """

    def timed(each: Transition) -> Transition:
        parts = each.guard.parts if isinstance(each.guard, And) else (each.guard,)
        if not isinstance(parts[0], After | Idle):
            return each
        guard = parts[1] if len(parts) > 1 else None
        return replace(each, guard=guard, after=parts[0].seconds)

    def taken(each: State) -> Iterator[Transition]:
        sure: set[tuple[str, ...]] = set()
        for one in map(timed, each.transitions):
            done = [event for event in one.events if event.startswith("done.")]
            if one.events not in sure and done in ([], [f"done.state.{each.id}"]):
                yield one
            if one.guard is None and one.after is None:
                sure.add(one.events)

    def pruned(each: State | History) -> State | History:
        if isinstance(each, History):
            return each
        initial = each.initial or ((each.states[0].id,) if each.compound else ())
        children = tuple(map(pruned, each.children))
        return replace(each, children=children, initial=initial, transitions=tuple(taken(each)))

    def action(each: Action) -> Action:
        unheard = isinstance(each, Raise) and each.event not in heard
        return Output(each.event) if unheard and isinstance(each, Raise) else each

    def told(each: State | History) -> State | History:
        if isinstance(each, History):
            return each
        transitions = [
            replace(one, actions=tuple(map(action, one.actions))) for one in each.transitions
        ]
        children = tuple(map(told, each.children))
        return replace(each, children=children, transitions=tuple(transitions))

    states = tuple(map(pruned, chart.states))
    heard = {
        event
        for state in states
        for _, each in transitions_of(State("", (state,)))
        for event in each.events
    }
    first = next(each.id for each in states if isinstance(each, State))
    inputs = (*EVENTS, *RAISED)
    initial = chart.initial or (first,)
    return replace(chart, states=tuple(map(told, states)), initial=initial, inputs=inputs)


def as_yaml(chart: Statechart) -> str:
    """A chart as a spec."""
    spec: dict[str, object] = {"machine": chart.name, "inputs": list(chart.inputs or ())}
    spec |= {"initial": list(chart.initial)}
    if chart.clock:
        spec["clock"] = f"{chart.clock} s"
    if chart.data:
        spec["data"] = {"n": "0..99", "armed": False}
    spec["states"] = {each.id: node_of(each) for each in chart.states}
    return yaml.safe_dump(spec, sort_keys=False)


def node_of(each: State | History) -> dict[str, object]:
    if isinstance(each, History):
        return {"history": "deep" if each.deep else "shallow", "default": list(each.targets)}
    found: dict[str, object] = {"outputs": list(each.outputs)} if each.outputs else {}
    found |= {"entry": actions_of(each.entry), "exit": actions_of(each.exit)}
    if each.kind == "final":
        return found | {"final": True}
    if each.initial:
        found["initial"] = list(each.initial)
    if each.children:
        children = {child.id: node_of(child) for child in each.children}
        found["regions" if each.kind == "parallel" else "states"] = children
    groups: dict[str, list[object]] = {}
    for one in each.transitions:
        groups.setdefault(one.events[0] if one.events else "always", []).append(transition_of(one))
    for key, key_groups in (("always", ["always"]), ("done", [f"done.state.{each.id}"])):
        for group in key_groups:
            if group in groups:
                found[key] = groups.pop(group)
    return found | {"transitions": groups}


def transition_of(each: Transition) -> dict[str, object]:
    found: dict[str, object] = {"outputs": [], **actions_of(each.actions)}
    found |= {"to": list(each.targets)} if each.targets else {}
    found |= {"if": written(each.guard)} if each.guard else {}
    found |= {"internal": True} if each.internal else {}
    return found | ({"after": f"{each.after} s"} if each.after else {})


def actions_of(actions: tuple[Action, ...]) -> dict[str, object]:
    found: dict[str, Any] = {}
    for each in actions:
        if isinstance(each, Assign):
            found.setdefault("set", {})[each.variable] = written(each.value)
        elif isinstance(each, Output | Raise):
            name = each.name if isinstance(each, Output) else each.event
            found.setdefault("outputs" if isinstance(each, Output) else "raise", []).append(name)
    return found


def flat_or_error(make: Callable[[], Machine]) -> Machine | str:
    """The machine, or why there is none."""
    try:
        return make()
    except e.SpecError as error:
        return error.message.partition(" ")[0]


def alike(one: Machine, other: Machine) -> bool:
    """Whether machines are equal but for the names of their states."""
    names = dict(zip(one.states, other.states, strict=True))
    return one.moore == other.moore and other.table == tuple(
        tuple(replace(taken, to=names[taken.to]) for taken in row) for row in one.table
    )


def check_random_charts(seeds: range) -> None:
    constructs = (
        "",
        "histories several",
        "guards data raises eventless internal",
        "finals times guards",
    )
    flat = 0
    for seed in seeds:
        chart = expressible(drawn(seed, constructs[seed % len(constructs)]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SpecWarning)
            expected = flat_or_error(lambda chart=chart: flatten(chart, 3000))  # type: ignore[misc]
            if isinstance(expected, str):
                continue
            found = read_yaml(as_yaml(chart), "drawn.yaml").machine
        flat += 1
        assert alike(expected, found), as_yaml(chart)
    assert flat > len(seeds) / 2


def test_random_charts_are_the_same_machines_in_yaml() -> None:
    check_random_charts(range(80))


PLAYER = """\
machine: player
initial: off
states:
  off: {transitions: {power: on}}
  on:
    initial: radio
    entry: [hello]
    exit: [bye]
    transitions:
      power: off
      disc: {to: disc, internal: true}
      reset: disc
    states:
      radio: {transitions: {disc: radio}}
      disc: {}
"""


def test_an_internal_transition_does_not_leave_its_state() -> None:
    machine = machine_of(PLAYER.replace("radio: {transitions: {disc: radio}}", "radio: {}"))
    trace = machine.run(["power", "disc", "reset", "power"])
    assert trace.states[1:] == ("on.radio", "on.disc", "on.disc", "off")
    assert trace.outputs == (("hello",), (), ("bye", "hello"), ("bye",))
    assert machine_of(PLAYER).run(["power", "disc"]).states[-1] == "on.radio"


@pytest.mark.slow
def test_many_random_charts_are_the_same_machines_in_yaml() -> None:
    check_random_charts(range(1000, 3000))


# ---- doubts


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ANY_STATE + "  lost: {}\n", ['m.yaml:11:3: state "lost" is never reached from "idle"']),
        (
            ANY_STATE.replace("machine: press", "machine: press\ninputs: [go, stop, release, x]"),
            ['m.yaml:2:29: input "x" is used by no transition'],
        ),
        (
            ANY_STATE + "clock: 1 s\n",
            ["m.yaml:11:8: there is a clock and nothing waits"],
        ),
        (
            ANY_STATE.replace("idle:\n", "idle:\n    entry: [hum]\n"),
            [
                'm.yaml:7:13: what state "idle" puts out when it is entered counts where a'
                " transition enters it, and not at the start"
            ],
        ),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(text: str, told: list[str]) -> None:
    assert list(read_yaml(text, "m.yaml").warnings) == told
    with pytest.warns(SpecWarning):
        load(yaml.safe_load(text))


def test_a_clock_whose_tick_is_an_input_is_no_doubt() -> None:
    chart = "machine: m\ninitial: a\nstates:\n  a: {after: {4 s: b}}\n  b: {after: {6 s: a}}\n"
    machine = read_yaml(chart, "m.yaml").machine
    flat = text_of(machine, format_for("flat.yaml"))
    assert "clock: 2s" in flat
    reading = read_yaml(flat, "flat.yaml")
    assert not reading.warnings
    assert reading.machine == machine


# ---- what is wrong

# what is wrong, the error, the text that it points to, and words of its message
BAD: Mapping[str, tuple[str, type[e.VsafsmError], str, list[str]]] = {
    "unknown key at the top": (
        ANY_STATE.replace("any:", "anyy:"),
        e.SyntaxSpecError,
        "anyy",
        ['"anyy"', 'did you mean "any"'],
    ),
    "key of another tool": (
        one("{go: {target: b}}"),
        e.SyntaxSpecError,
        "target",
        ['"target"', 'did you mean "to"'],
    ),
    "guard of another tool": (
        one("{go: {to: b, guard: in(b)}}"),
        e.SyntaxSpecError,
        "guard",
        ['"guard"', 'did you mean "if"'],
    ),
    "unknown key of a state": (
        one("{go: b}", ", entyr: [x]"),
        e.SyntaxSpecError,
        "entyr",
        ['state "b"', 'did you mean "entry"'],
    ),
    "unknown key of any": (
        ANY_STATE.replace("  transitions: {stop: halted}", "  always: idle"),
        e.SyntaxSpecError,
        "always",
        ["any", "transitions"],
    ),
    "unknown target": (
        one("{go: b.z}", ""),
        e.UnknownStateError,
        "b.",
        ['"b.z"', "a, b, b.x, b.y", "did you mean"],
    ),
    "unknown initial": (
        one("{go: b}").replace("initial: x", "initial: z"),
        e.UnknownStateError,
        "z",
        ['"z"'],
    ),
    "initial elsewhere": (
        one("{go: b}").replace("initial: x", "initial: a"),
        e.SpecError,
        "a,",
        ['"a"', '"b"', "not inside"],
    ),
    "unknown state in a condition": (
        one("{go: {to: b, if: in(bb)}}"),
        e.UnknownStateError,
        "in(",
        ['"bb"', 'did you mean "b"'],
    ),
    "state in place of whether it is active": (
        one("{go: {to: b, if: b}}"),
        e.SpecError,
        "b}}",
        ['unknown variable "b"', 'did you mean "in(b)"?'],
    ),
    "path in place of whether it is active": (
        one("{go: {to: b, if: b.x and a}}"),
        e.SyntaxSpecError,
        "b.x",
        ['has "." at character 2', 'did you mean "in(b.x)"?'],
    ),
    "path of a state that is not there": (
        one("{go: {to: b, if: true and b.xx}}"),
        e.SyntaxSpecError,
        "true and",
        ['did you mean "in(b.xx)"?'],
    ),
    "no initial": (
        one("{go: b}").replace("initial: x, ", ""),
        e.SyntaxSpecError,
        "{states",
        ['state "b"', '"initial"'],
    ),
    "initial without states": (
        ANY_STATE.replace("running: {}", "running: {initial: idle}"),
        e.SpecError,
        "idle}\n ",
        ['"initial"', 'no "states"'],
    ),
    "initial beside regions": (
        DOORS.replace("regions:", "initial: door\nregions:"),
        e.SpecError,
        "door\n",
        ['"initial"', "regions"],
    ),
    "states and regions": (
        one("{go: b}", ", regions: {r: {initial: p, states: {p: }}}"),
        e.SpecError,
        "{r",
        ['"states" and "regions"'],
    ),
    "neither states nor regions": (
        "machine: m\ninitial: a\nclock: 1 s\n",
        e.SyntaxSpecError,
        "machine",
        ['"states"'],
    ),
    "a region without anything": (
        DOORS.replace("regions:\n", "regions:\n  r: {}\n"),
        e.SpecError,
        "r: ",
        ['region "r"', "empty", "expected states"],
    ),
    "siblings of one name": (
        one("{go: b}").replace("y: }", "x: }"),
        e.BadNameError,
        "x: }",
        ['"x"', "twice", "line 5"],
    ),
    "regions of one name": (
        DOORS.replace("  light:", "  door:"),
        e.BadNameError,
        "door:\n    initial: dark",
        ['region "door"', "line 3"],
    ),
    "a name that is another's path": (
        one("{go: b}") + "  b.x: {}\n",
        e.BadNameError,
        "b.",
        ['"b.x"', "twice", "line 5"],
    ),
    "transition into another region": (
        DOORS.replace("push: bright", "push: closed"),
        e.SpecError,
        "closed,",
        ['"light.dark"', '"door.closed"', "another region"],
    ),
    "two targets in one region": (
        one("{go: {to: [b.x, b.y]}}"),
        e.SpecError,
        "b.x",
        ["different regions"],
    ),
    "history without default": (
        LAMP.replace(", default: dim", ""),
        e.SpecError,
        "last:",
        ['history "on.last"', '"default"', "nothing to remember"],
    ),
    "default without history": (
        LAMP.replace("history: shallow, ", ""),
        e.SyntaxSpecError,
        "dim}",
        ['"default"', '"history"'],
    ),
    "default elsewhere": (
        LAMP.replace("default: dim", 'default: "off"'),
        e.SpecError,
        "last:",
        ['"off"', "not inside"],
    ),
    "unknown depth": (
        LAMP.replace("shallow", "shalow"),
        e.SyntaxSpecError,
        "shalow",
        ['"shalow"', "shallow, deep"],
    ),
    "history with transitions": (
        LAMP.replace("default: dim", "default: dim, outputs: [x]"),
        e.SpecError,
        "outputs: [x",
        ['"outputs"', "history"],
    ),
    "final with transitions": (
        ANY_STATE.replace("running: {}", "running: {final: true, transitions: {go: idle}}"),
        e.SpecError,
        "{go: idle",
        ["final", '"transitions"'],
    ),
    "final that is no truth value": (
        ANY_STATE.replace("running: {}", "running: {final: yes}"),
        e.SyntaxSpecError,
        "yes",
        ["true or false"],
    ),
    "done without states": (
        ANY_STATE.replace("running: {}", "running: {done: idle}"),
        e.SpecError,
        "idle}\n ",
        ['"done"'],
    ),
    "condition cut off": (
        one("{go: {to: b, if: in(b) and}}"),
        e.SyntaxSpecError,
        "in(",
        ["the end at character 10"],
    ),
    "condition that calls": (
        one("{go: {to: b, if: open('x')}}"),
        e.SyntaxSpecError,
        "open",
        ["in(state) as the only call"],
    ),
    "condition that is a number": (
        one("{go: {to: b, if: n + 1}}", data="data: {n: 0..3}\n"),
        e.SpecError,
        "n ",
        ["a whole number", "a condition"],
    ),
    "condition on an unknown variable": (
        one("{go: {to: b, if: trys < 3}}", data="data: {tries: 0..3}\n"),
        e.SpecError,
        "trys",
        ['"trys"', 'did you mean "tries"'],
    ),
    "condition that never holds": (
        one("{go: {to: b, if: mode == ecco}}", data="data: {mode: [eco, normal]}\n"),
        e.SpecError,
        "mode ",
        ['"ecco"', 'did you mean "eco"'],
    ),
    "condition that is a list": (
        one("{go: {to: b, if: [x]}}"),
        e.SyntaxSpecError,
        "[",
        ["a list", "a condition"],
    ),
    "one behind another without a condition": (
        one("{go: [b, {to: a, if: in(b)}]}"),
        e.SpecError,
        "{to",
        ["never taken"],
    ),
    "a transition that does nothing": (
        one("{go: {if: in(a)}}"),
        e.SyntaxSpecError,
        "{if",
        ['"to"', "outputs, set, raise"],
    ),
    "an empty list of transitions": (
        one("{go: [], no: {to: b, if: in(a)}}"),
        e.SyntaxSpecError,
        "[",
        ["empty list"],
    ),
    "set of an unknown variable": (
        one("{go: {to: b, set: {trys: 0}}}", data="data: {tries: 0..3}\n"),
        e.SpecError,
        "trys",
        ['"trys"', 'did you mean "tries"'],
    ),
    "set out of range": (
        one("{go: {to: b, set: {n: 4}}}", data="data: {n: 0..3}\n"),
        e.SpecError,
        "4",
        ["4", "0..3"],
    ),
    "set that leaves the range": (
        one("{go: {set: {n: n + 1}}}", data="data: {n: 0..2}\n"),
        e.SpecError,
        "n ",
        ["0..2", '"go go go"'],
    ),
    "set to another kind": (
        one("{go: {set: {n: true}}}", data="data: {n: 0..2}\n"),
        e.SpecError,
        "true",
        ["0..2"],
    ),
    "set twice": (
        one("{go: {set: {n: 1, n: 2}}}", data="data: {n: 0..2}\n"),
        e.SyntaxSpecError,
        "n: 2",
        ['"n"', "twice"],
    ),
    "event that nothing hears": (
        one("{go: {to: b, raise: [no]}}"),
        e.SpecError,
        "no",
        ['"no"', "go", "or outputs"],
    ),
    "data without a range": (
        one("{go: b}", data="data: {n: 3}\n"),
        e.SpecError,
        "3",
        ["without a range", "0..3"],
    ),
    "data of no kind": (
        one("{go: b}", data="data: {n: much}\n"),
        e.SpecError,
        "much",
        ["a range such as 0..3"],
    ),
    "data of numbers in a list": (
        one("{go: b}", data="data: {n: [0, 1]}\n"),
        e.SpecError,
        "0",
        ["a range such as 0..3"],
    ),
    "data of truth values in a list": (
        one("{go: b}", data="data: {n: [true, false]}\n"),
        e.SpecError,
        "true",
        ["without a list"],
    ),
    "data the wrong way round": (
        one("{go: b}", data="data: {n: 3..0}\n"),
        e.SpecError,
        "3",
        ["3..0", "smaller number first"],
    ),
    "data that are large": (
        one("{go: b}", data="data: {n: 0..9999999999}\n"),
        e.SpecError,
        "0",
        ["1000000000"],
    ),
    "data that start elsewhere": (
        one("{go: b}", data="data: {n: {values: 0..3, initial: 7}}\n"),
        e.SpecError,
        "7",
        ["7", "0..3"],
    ),
    "data that start misspelt": (
        one("{go: b}", data="data: {n: {values: [eco, normal], initial: ecco}}\n"),
        e.SpecError,
        "ecco",
        ["ecco", 'did you mean "eco"'],
    ),
    "data twice": (
        one("{go: b}", data="data: {n: 0..1, n: 0..2}\n"),
        e.BadNameError,
        "n: 0..2",
        ['"n"', "line 2"],
    ),
    "a variable that is no word": (
        one("{go: b}", data="data: {not: 0..1}\n"),
        e.BadNameError,
        "not",
        ['"not"'],
    ),
    "two clocks": (
        "clock: 1 s\n" + LAMP,
        e.SyntaxSpecError,
        "clock: 100",
        ['"clock"', "twice", "line 1"],
    ),
    "a clock in a state": (
        one("{go: b}", ", clock: 1 s"),
        e.SyntaxSpecError,
        "clock",
        ["one clock, at the top"],
    ),
    "after 0": (
        LAMP.replace("500 ms", "0 ms"),
        e.SpecError,
        "0 ms:",
        ["0 ms", "more than 0"],
    ),
    "after a negative time": (
        LAMP.replace("500 ms", "-5 ms"),
        e.SpecError,
        "-5",
        ["-5 ms", "more than 0"],
    ),
    "after no multiple of the clock": (
        LAMP.replace("500 ms", "550 ms"),
        e.SpecError,
        "550",
        ["550 ms", "100 ms", "multiple of the clock"],
    ),
    "after without a unit": (
        LAMP.replace("500 ms", "500"),
        e.SyntaxSpecError,
        "500",
        ['"500"', "ms, s, min", '"500 ms"'],
    ),
    "after with another unit": (
        LAMP.replace("500 ms", "500 msec"),
        e.SyntaxSpecError,
        "500",
        ['"msec"', "ms, s, min", 'did you mean "ms"'],
    ),
    "after without a number": (
        LAMP.replace("500 ms", "soon"),
        e.SyntaxSpecError,
        "soon",
        ['"soon"', '"500 ms"'],
    ),
    "after of many digits": (
        one("{go: {to: b, after: " + "5" * 5000 + " ms}}"),
        e.SpecError,
        "5555",
        ["digits"],
    ),
    "after for ages": (
        LAMP.replace("500 ms", "500000 s"),
        e.TooLargeError,
        "500000",
        ["5000000 ticks of 100 ms", "100000"],
    ),
    "after twice": (
        LAMP.replace("500 ms: dim", "500 ms: dim\n          0.5 s: dim"),
        e.NondeterministicError,
        "0.5",
        ["0.5 s", "line 28"],
    ),
    "after in after": (
        LAMP.replace("500 ms: dim", "500 ms: {to: dim, after: 1 s}"),
        e.SpecError,
        "1 ",
        ["a second time"],
    ),
    "after a list": (
        LAMP.replace("\n          500 ms: dim", " [dim]"),
        e.SyntaxSpecError,
        "[dim",
        ["a list", "500 ms"],
    ),
    "an input that is the tick": (
        LAMP.replace("more:", "tick:"),
        e.BadNameError,
        "{to",
        ['"tick"', "another name"],
    ),
    "an input that inputs lacks": (
        ANY_STATE + "inputs: [go, stop, relase]\n",
        e.UnknownInputError,
        "release",
        ["relase"],
    ),
    "an alphabet that has one twice": (
        ANY_STATE + "inputs: [go, stop, release, go]\n",
        e.BadNameError,
        "go]",
        ['"go"', "twice"],
    ),
    "a pair left out under unlisted: error": (
        ANY_STATE + "unlisted: error\n",
        e.SpecError,
        "idle:\n",
        ['state "idle"', '"release"', "unlisted: error"],
    ),
    "unlisted: error with regions": (
        DOORS + "unlisted: error\n",
        e.SpecError,
        "error",
        ["regions", "stay"],
    ),
    "internal without a target": (
        ANY_STATE.replace("go: running", "go: {outputs: [x], internal: true}"),
        e.SpecError,
        "true}",
        ['state "idle"', "internal", "expected a target inside"],
    ),
    "internal with a target outside": (
        ANY_STATE.replace("go: running", "go: {to: running, internal: true}"),
        e.SpecError,
        "true}",
        ['state "idle"', "expected a target inside"],
    ),
    "internal of every state": (
        ANY_STATE.replace("stop: halted", "stop: {to: halted, internal: true}", 1),
        e.SpecError,
        "true}",
        ["internal", "expected a target inside"],
    ),
    "unlisted that is neither": (
        ANY_STATE + "unlisted: sty\n",
        e.SyntaxSpecError,
        "sty",
        ["stay, error", 'did you mean "stay"'],
    ),
    "a step that never ends": (
        one("{go: b}", ", always: {to: b}"),
        e.SpecError,
        "{to",
        ['"go"'],
    ),
    "no input": (
        "machine: m\ninitial: a\nstates: {a: {initial: b, states: {b: }}}\n",
        e.SpecError,
        "machine",
        ["at least one"],
    ),
    "nested too deep": (
        "machine: m\ninitial: s0\nstates: "
        + "".join(f"{{s{i}: {{initial: s{i + 1}, states: " for i in range(20))
        + "{s20: }"
        + "}}" * 20,
        e.TooLargeError,
        "initial: s16",
        ["deeper than 32"],
    ),
    "a condition nested too deep": (
        one("{go: {to: b, if: " + "(" * 500 + "true" + ")" * 500 + "}}"),
        e.TooLargeError,
        "((((((((((((((((((((((((",
        ["deeper"],
    ),
    "more configurations than the bound": (
        one("{go: {set: {n: n + 1}}}", data="data: {n: 0..1000000}\n"),
        e.TooLargeError,
        "machine",
        ["100000", '"n"'],
    ),
}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=pytest.mark.slow if "the bound" in name else (), id=name)
        for name, case in BAD.items()
    ],
)
def test_a_bad_chart_is_refused_where_it_is_wrong(
    case: tuple[str, type[e.VsafsmError], str, list[str]],
) -> None:
    text, error, pointed, useful = case
    with pytest.raises(error) as caught:
        read_yaml(text, "m.yaml")
    assert type(caught.value) is error
    before = text[: text.index(pointed)]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert str(caught.value).startswith(f"m.yaml:{line}:{column}: ")
    for words in useful:
        assert words in caught.value.message, caught.value.message


def test_a_wrong_mapping_names_the_keys() -> None:
    spec = yaml.safe_load(LAMP)
    spec["states"]["on"]["states"]["bright"]["after"] = {"500 parsecs": "dim"}
    with pytest.raises(e.SyntaxSpecError) as caught:
        load(spec)
    assert str(caught.value).startswith("mapping['states']['on']['states']['bright']['after']")


# ---- whatever the text

TEXTS = [ANY_STATE, LAMP, DOORS, *((SPECS / f"{name}.yaml").read_text() for name in CHARTS)]
SCRAPS = (
    *("any:", "regions:", "states:", "initial: a", "history: deep", "default: x", "final: true"),
    *("always: dim", "done: a", "after: {1 s: a}", "after: 0 s", "if: in(a)", "if: (", "x: 0..9"),
    *("set: {tries: tries + 1}", "raise: [stop]", "clock: 7 ms", "{", "}", "[", "]", '"', ": "),
    *("5", "..", "*", '"*": a', "and", "not", "tries", "-", "- ", ".", "\t", "é", "{}", "on"),
)
SECONDS = 2


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A chart with some lines, words or characters deleted, put in, or swapped."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["lines", "words", "characters"]))
        pieces = (
            text.splitlines(keepends=True)
            if kind == "lines"
            else text.replace(" ", " \0").split("\0")
            if kind == "words"
            else list(text)
        )
        i, j = (draw(st.integers(0, max(0, len(pieces) - 1))) for _ in range(2))
        change = draw(st.sampled_from(["delete", "insert", "swap", "repeat"]))
        if change == "insert" or not pieces:
            end = "\n" if kind == "lines" else " " if kind == "words" else ""
            pieces.insert(i, draw(st.sampled_from(SCRAPS)) + end)
        elif change == "delete":
            del pieces[i]
        elif change == "repeat":
            pieces.insert(i, pieces[j])
        else:
            pieces[i], pieces[j] = pieces[j], pieces[i]
        text = "".join(pieces)
    return text


def survives(text: str) -> None:
    """A chart of the same machine from here on, or an error of ours, in time."""
    started = time.process_time()
    try:
        chart = read_chart(text, "fuzz")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            machine = flatten(chart, 2000)
        assert set(machine.inputs) >= {*chart.events}
    except e.SpecError as error:
        place = error.location
    else:
        place = chart.place
    assert place is not None
    assert 1 <= place.line <= 1 + text.count("\n") + text.count("\r")
    assert time.process_time() - started < SECONDS


def test_charts_with_mistakes_in_them() -> None:
    @settings(max_examples=300, deadline=None)
    @given(mutated())
    def check(text: str) -> None:
        survives(text)

    check()


@pytest.mark.slow
def test_many_charts_with_mistakes_in_them() -> None:
    @settings(max_examples=10_000, deadline=None)
    @given(mutated())
    def check(text: str) -> None:
        survives(text)

    check()


def test_many_states_take_time_in_proportion() -> None:
    """Counted by names: each level is looked at once for each name."""

    def chart(count: int) -> str:
        states = "".join(
            f"      s{i}: {{transitions: {{go: s{(i + 1) % count}, up: {{to: b, if: in(b)}}}}}}\n"
            for i in range(count)
        )
        return (
            "machine: m\ninitial: a\nstates:\n  b: {}\n  a:\n    initial: s0\n    states:\n"
            + states
        )

    def seconds(count: int) -> float:
        text, best = chart(count), float("inf")
        for _ in range(3):
            started = time.process_time()
            chart_of(text)
            best = min(best, time.process_time() - started)
        return best

    assert seconds(2000) < 16 * seconds(500)
