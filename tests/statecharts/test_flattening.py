"""The flat machine of a chart: it does what the interpreter does, and is named as it should be."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from time import process_time

import pytest

from vsafsm.errors import Location, SpecError, TooLargeError
from vsafsm.statecharts import (
    Assign,
    Cancel,
    History,
    Interpreter,
    Output,
    Raise,
    Send,
    State,
    Statechart,
    Transition,
    Variable,
    explore,
    flatten,
    parse_expression,
)
from vsafsm.statecharts.flattening import _Search

from .charts import drawn, word_for

ALL = "histories guards data raises eventless finals several internal times"


def on(event: str, *targets: str, **parts: object) -> Transition:
    """A transition; without an event an eventless one."""
    return Transition((event,) if event else (), targets, **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_the_machine_does_what_the_interpreter_does(first: int) -> None:
    compared = 0
    for seed in range(first, first + 50):
        chart = drawn(seed, ALL, depth=3)
        try:
            explored = explore(chart, most=1500)
        except SpecError:
            continue
        machine = explored.machine
        state, run = machine.initial, Interpreter(chart)
        for event in word_for(chart, seed, 100):
            assert explored.active(state) == run.configuration
            assert machine.outputs_of(state) == run.outputs
            assert run.ended or explored.data(state) == run.data
            taken = machine.transition(state, event)
            assert taken.outputs == run.send(event)
            state = taken.to
            compared += 1
    assert compared > 1000


def lamp(deep: bool = False, **parts: object) -> Statechart:
    dim = State("dim", transitions=(on("more", "bright"),))
    bright = State("bright", transitions=(on("less", "dim"),))
    lit = State(
        "on", (History("last", ("dim",), deep), dim, bright), transitions=(on("power", "off"),)
    )
    chart = Statechart("lamp", (State("off", transitions=(on("power", "last"),)), lit))
    return replace(chart, **parts)  # type: ignore[arg-type]


def test_a_history_tells_configurations_apart_only_where_it_remembers_something_else() -> None:
    machine = flatten(lamp())
    assert machine.states == ("off", "off{last: on.bright}", "on.dim", "on.bright")
    assert machine.run(["power", "more", "power", "power"]).states[-1] == "on.bright"
    assert machine.run(["power", "power", "power"]).states == ("off", "on.dim", "off", "on.dim")


def test_a_deep_target_enters_what_is_around_it_and_beside_it() -> None:
    deep = State("deep", (State("x"), State("y", (State("y1"), State("y2")))))
    beside = State("beside", (State("u"), State("v")))
    both = State("both", (deep, beside), kind="parallel")
    chart = Statechart("deep", (State("away", transitions=(on("go", "y2"),)), both))
    assert flatten(chart).states == ("away", "both.deep.y.y2|both.beside.u")
    started = Statechart("deep", (both,), initial=("y2", "v"), transitions=(on("again", "both"),))
    machine = flatten(started)
    assert machine.initial == "deep.y.y2|beside.v"
    assert machine.run(["again"]).states[-1] == "deep.x|beside.u"


def noisy(name: str, *children: State, **parts: object) -> State:
    entry, leave = (Output(f"in {name}"),), (Output(f"out {name}"),)
    return State(name, children, entry=entry, exit=leave, **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["state", "parallel"])
def test_a_self_transition_leaves_all_inside_and_enters_it_anew(kind: str) -> None:
    a = noisy("a", noisy("a1", transitions=(on("next", "a2"),)), noisy("a2"))
    b = noisy("b", noisy("b1"))
    again = on("again", "p", actions=(Output("do"),))
    machine = flatten(Statechart("m", (noisy("p", a, b, kind=kind, transitions=(again,)),)))
    trace = machine.run(["next", "again"])
    assert trace.states[0] == trace.states[2] != trace.states[1]
    if kind == "parallel":
        left = ("out b1", "out b", "out a2", "out a", "out p")
        assert trace.outputs[1] == (*left, "do", "in p", "in a", "in a1", "in b", "in b1")
    else:
        assert trace.outputs[1] == ("out a2", "out a", "out p", "do", "in p", "in a", "in a1")


def test_regions_take_a_transition_each_and_the_parallel_state_one_for_all() -> None:
    def region(name: str) -> State:
        steps = (on("step", f"{name}2"),)
        return noisy(name, noisy(f"{name}1", transitions=steps), noisy(f"{name}2"))

    stop = on("stop", "end", actions=(Output("do"),))
    both = State("both", (region("a"), region("b")), kind="parallel", transitions=(stop,))
    machine = flatten(Statechart("m", (both, State("end"))))
    trace = machine.run(["step", "stop"])
    assert trace.states == ("both.a.a1|both.b.b1", "both.a.a2|both.b.b2", "end")
    assert trace.outputs[0] == ("out b1", "out a1", "in a2", "in b2")
    assert trace.outputs[1] == ("out b2", "out b", "out a2", "out a", "do")


def test_any_is_taken_by_every_state_that_has_nothing_of_its_own() -> None:
    idle = State("idle", transitions=(on("go", "run"),))
    run = State("run", transitions=(on("stop", "run", actions=(Output("no"),)),))
    halted = State("halted", transitions=(on("release", "idle"),))
    chart = Statechart("m", (idle, run, halted), transitions=(on("stop", "halted"),))
    machine = flatten(chart)
    assert machine.run(["stop", "release", "go", "stop"]).states == (
        "idle", "halted", "idle", "run", "run",
    )  # fmt: skip
    assert machine.inputs == ("go", "stop", "release")


def test_a_final_state_at_the_top_accepts_and_stays() -> None:
    chart = Statechart("m", (State("a", transitions=(on("go", "z"),)), State("z", kind="final")))
    machine = flatten(replace(chart, transitions=(on("stop", "a"),)))
    assert machine.transition("a", "go").outputs == ("accept",)
    assert {taken.to for taken in machine.table[machine.state_index("z")]} == {"z"}


def test_unreached_states_are_kept_where_nothing_is_nested() -> None:
    states = (State("a", transitions=(on("go", "a"),)), State("b", transitions=(on("go", "a"),)))
    explored = explore(Statechart("m", states))
    assert explored.machine.states == ("a", "b")
    assert explored.never_entered == ("b",)
    assert explore(lamp(initial=("dim",))).machine.states[0] == "off"


# ---- data


def counter(values: range | None, guard: str = "true") -> Statechart:
    add = Assign("n", parse_expression("n + 1"), Location("m", 7))
    up = on("up", guard=parse_expression(guard), actions=(add,))
    down = on("down", "a", actions=(Assign("n", parse_expression("0")),))
    states = (State("a", transitions=(up, down)),)
    return Statechart("m", states, data=(Variable("n", 0, values),))


def test_data_multiplies_states_and_is_told_where_it_differs() -> None:
    machine = flatten(counter(None, "n < 2"))
    assert machine.states == ("a[n=0]", "a[n=1]", "a[n=2]")
    assert machine.run(["up"] * 3 + ["down"]).states[-2:] == ("a[n=2]", "a[n=0]")


def test_a_value_out_of_its_range_is_told_with_the_word_that_leads_there() -> None:
    with pytest.raises(SpecError) as caught:
        flatten(counter(range(3)))
    assert str(caught.value) == (
        'm:7:1: variable "n" becomes 3; expected 0..2; reached by the word "up up up"'
    )


def test_what_grows_without_end_is_named() -> None:
    with pytest.raises(TooLargeError, match='variable "n" has more than 1000 values'):
        flatten(counter(None))
    with pytest.raises(TooLargeError, match=r'more than 100 .*101 values of variable "n"'):
        flatten(counter(range(1000)), most=100)


# ---- time

S = Fraction(1)


def test_a_time_out_is_a_chain_of_ticks() -> None:
    wait = State("wait", transitions=(on("", "off", after=S * 3 / 10), on("press", "wait")))
    chart = Statechart("m", (State("off", transitions=(on("press", "wait"),)), wait), clock=S / 10)
    machine = flatten(chart)
    assert machine.inputs == ("press", "tick")
    assert machine.states == ("off", "wait", "wait@100ms", "wait@200ms")
    trace = machine.run(["tick", "press", "tick", "tick", "press", "tick", "tick", "tick", "tick"])
    assert [state.partition("@")[0] for state in trace.states] == [
        "off", "off", "wait", "wait", "wait", "wait", "wait", "wait", "off", "off",
    ]  # fmt: skip


def test_idle_counts_from_the_last_transition_of_the_state_and_after_from_its_entry() -> None:
    def ends(**time: Fraction) -> int:
        stay = State("stay", transitions=(on("", "off", **time), on("press")))
        run = Interpreter(Statechart("m", (stay, State("off"))))
        for count, event in enumerate(["tick", "press", "tick", "tick"], 1):
            run.send(event)
            if run.configuration == ("off",):
                return count
        return 0

    clock = Fraction(2)
    assert ends(after=clock) == 1
    chart = Statechart(
        "m",
        (
            State(
                "stay",
                transitions=(on("", "after", after=S * 3), on("", "idle", idle=S * 2), on("press")),
            ),
            State("after"),
            State("idle"),
        ),
    )

    def run(word: str) -> tuple[str, ...]:
        found = Interpreter(chart)
        for event in word.split():
            found.send(event)
        return found.configuration

    assert chart.period == 1
    assert run("tick tick") == ("idle",)
    assert run("tick press tick press tick") == ("after",)
    assert run("press tick press tick") == ("stay",)


def test_delayed_events_come_unless_they_are_cancelled() -> None:
    entry = (Send("late", S / 2, "x"), Send("later", S))
    wait = State(
        "wait", entry=entry, transitions=(on("late", "late"), on("stop", actions=(Cancel("x"),)))
    )
    late = State("late", transitions=(on("later", "end", actions=(Output("bye"),)),))
    chart = Statechart("m", (State("a", transitions=(on("go", "wait"),)), wait, late, State("end")))
    assert chart.events == ("go", "stop", "tick")
    assert chart.period == S / 2
    machine = flatten(chart)
    assert machine.run(["go", "tick", "tick", "tick"]).states[1:] == (
        "wait~late@500ms~later@1s", "late", "end", "end",
    )  # fmt: skip
    assert machine.run(["go", "tick", "tick"]).outputs[-1] == ("bye",)
    assert machine.run(["go", "stop", "tick", "tick", "tick"]).states[2:] == (
        "wait~later@1s", "wait~later@500ms", "wait", "wait",
    )  # fmt: skip


def test_delayed_events_do_not_pile_up_without_end() -> None:
    states = (State("a", transitions=(on("go", "a", actions=(Send("go", S),)),)),)
    with pytest.raises(SpecError, match="while 100 others wait"):
        flatten(Statechart("m", states, inputs=("go",)))


# ---- what goes on by itself


def test_an_endless_step_is_an_error_that_names_the_states() -> None:
    a = State("a", transitions=(on("go", "b"),))
    b = State("b", transitions=(on("", "c"),))
    c = State("c", transitions=(on("", "b", place=Location("m", 3)),))
    with pytest.raises(SpecError) as caught:
        flatten(Statechart("m", (a, b, c)))
    assert 'those of "b" -> "c" -> "b"' in str(caught.value) or '"c" -> "b" -> "c"' in str(
        caught.value
    )
    assert str(caught.value).endswith('reached by the word "go"')
    ring = on("ring", actions=(Raise("ring"),))
    with pytest.raises(SpecError, match="without end"):
        flatten(Statechart("m", (State("a", transitions=(ring,)),), inputs=("ring",)))
    grow = on("ring", actions=(Raise("ring"), Raise("ring")))
    with pytest.raises(SpecError, match="without end"):
        flatten(Statechart("m", (State("a", transitions=(grow,)),), inputs=("ring",)))


def test_what_is_raised_to_nobody_is_an_output() -> None:
    go = on("go", actions=(Raise("ring"), Output("click"), Send("ring"), Raise("heard")))
    states = (State("a", transitions=(go, on("heard", "b"))), State("b"))
    machine = flatten(Statechart("m", states))
    assert machine.inputs == ("go",)
    assert machine.transition("a", "go").outputs == ("ring", "click")
    assert machine.transition("a", "go").to == "b"


# ---- size


@pytest.mark.parametrize("back", [False, True])
def test_growth_without_end_is_found_before_much_is_explored(back: bool) -> None:
    ring = State("r", tuple(State(f"r{i}", transitions=(on("go", f"r{(i + 1) % 40}"),))
                            for i in range(40)))  # fmt: skip
    grow = Assign("n", parse_expression("n + 1"))
    steps = (
        (Transition(("up",), ("b",)), Transition(("down",), ("a",), actions=(grow,)))
        if back
        else (Transition(("up",), actions=(grow,)), Transition(("down",), ("a",)))
    )
    one, other = steps
    count = State("c", (State("a", transitions=(one,)), State("b", transitions=(other,))))
    chart = Statechart("m", (State("p", (ring, count), kind="parallel"),), data=(Variable("n", 0),))
    search = _Search(chart, 100_000)
    with pytest.raises(TooLargeError, match='variable "n" has more than 1000 values'):
        search.run()
    assert len(search.snapshots) < 5000  # of 40,000 or more


def test_a_guard_that_ends_growth_is_seen() -> None:
    grow = Transition(
        ("up",),
        guard=parse_expression("n < 60"),
        actions=(Assign("n", parse_expression("n + 1")),),
    )
    chart = Statechart("m", (State("a", transitions=(grow,)),), data=(Variable("n", 0),))
    assert len(flatten(chart).states) == 61


def test_ten_thousand_configurations_take_at_most_five_seconds() -> None:
    def region(k: int) -> State:
        steps = [
            State(
                f"r{k}s{i}",
                name=f"s{i}",
                transitions=(on(f"e{k}", f"r{k}s{(i + 1) % 10}"), on("all", f"r{k}s{3 * i % 10}")),
            )
            for i in range(10)
        ]
        return State(f"r{k}", tuple(steps))

    chart = Statechart("big", (State("p", tuple(map(region, range(4))), kind="parallel"),))
    start = process_time()
    machine = flatten(chart)
    assert process_time() - start < 5
    assert len(machine.states) == 10_000
    assert machine.run(["e0", "e2", "all"]).states[-2:] == (
        "r0.s1|r1.s0|r2.s1|r3.s0", "r0.s3|r1.s0|r2.s3|r3.s0",
    )  # fmt: skip
    with pytest.raises(
        TooLargeError, match=r"more than 1000 configurations.*sets of active states"
    ):
        flatten(chart, most=1000)
