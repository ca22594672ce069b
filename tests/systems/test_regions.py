"""Regions kept apart do what the one machine of the chart does."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.errors import NotExpressibleError
from vsafsm.statecharts import (
    Assign,
    Output,
    Raise,
    Send,
    State,
    Statechart,
    Transition,
    Variable,
    flatten,
    parse_expression,
)
from vsafsm.systems import compile_system, system_of


def chart(*regions: State, **more: Any) -> Statechart:
    return Statechart("chart", (State("all", regions, kind="parallel"),), **more)


@st.composite
def charts(draw: st.DrawFn) -> Statechart:
    """Regions of some states, with events that several have, outputs and time-outs."""
    regions = []
    for r in range(draw(st.integers(1, 3))):
        names = [f"r{r}.s{x}" for x in range(draw(st.integers(1, 3)))]

        def transitions(state: str, names: list[str] = names, r: int = r) -> tuple[Transition, ...]:
            found = []
            for event in draw(st.lists(st.sampled_from("abc"), unique=True, max_size=3)):
                put = (Output(f"out {r}"),) if draw(st.booleans()) else ()
                found.append(Transition((event,), (draw(st.sampled_from(names)),), actions=put))
            if draw(st.booleans()):
                after = Fraction(draw(st.integers(1, 3)), 10)
                found.append(Transition((), (draw(st.sampled_from(names)),), after=after))
            return tuple(found)

        states = [State(n, name=n[3:], transitions=transitions(n)) for n in names]
        # Some event, so that no region is without.
        states[0] = State(
            names[0], name="s0", transitions=(*states[0].transitions, Transition(("x",)))
        )
        regions.append(State(f"r{r}", tuple(states)))
    return chart(*regions)


@settings(deadline=None)
@given(charts(), st.data())
def test_a_system_is_where_the_flat_machine_is(made: Statechart, data: st.DataObject) -> None:
    flat, system = flatten(made), system_of(made)
    word = data.draw(st.lists(st.sampled_from(flat.inputs), max_size=12))
    trace, found = flat.run(word), system.run(word)
    assert len(system.product().states) <= len(flat.states)
    configurations = ["|".join(states) for states in found.states]
    # Where several timers run, names of the flat machine say what each shows at their end.
    bare = [name.partition("@")[0].partition(" ")[0] for name in trace.states]
    expected = [name.split("@")[0].split(" ")[0] for name in bare]
    assert [_without_times(c) for c in configurations] == [_without_times(e) for e in expected]
    assert system.clock == flat.clock


def _without_times(name: str) -> str:
    return "|".join(part.split("@")[0].split(" ")[0] for part in name.split("|"))


def test_what_a_region_raises_others_get() -> None:
    opened = Transition(("handle",), ("open",), actions=(Raise("opened"), Output("creak")))
    door = State("door", (State("shut", transitions=(opened,)), State("open")))
    lit = Transition(("opened",), ("on",), actions=(Raise("light"),))
    lamp = State("lamp", (State("off", transitions=(lit,)), State("on")))
    woken = Transition(("light", "opened"), ("awake",))
    cat = State("cat", (State("asleep", transitions=(woken,)), State("awake")))
    system = system_of(chart(door, lamp, cat))
    assert [machine.inputs for machine in system.machines] == [
        ("handle",),
        ("opened",),
        ("opened", "light"),
    ]
    trace = system.run(["handle"])
    assert trace.states[-1] == ("door.open", "lamp.on", "cat.awake")
    assert trace.outputs == (("opened", "creak", "light"),)
    flat = flatten(chart(door, lamp, cat)).run(["handle"])
    assert flat.states[-1] == "|".join(trace.states[-1])
    with compile_system(system).open() as session:
        assert session.send("handle") == trace.states[-1]


def test_a_transition_of_every_state_stays_in_its_region() -> None:
    one = State("one", (State("a", transitions=(Transition(("go",), ("b",)),)), State("b")))
    two = State("two", (State("c", transitions=(Transition(("go",), ("d",)),)), State("d")))
    system = system_of(chart(one, two, transitions=(Transition(("stop",), ("a",)),)))
    assert system.run(["go", "stop"]).states[-1] == ("one.a", "two.d")


X = State("x", (State("x1", transitions=(Transition(("go",), ("x2",)),)), State("x2")))
TRIES = (Variable("tries", 0, range(3)),)
MORE = (Assign("tries", parse_expression("0")),)


def region(*transitions: Transition) -> State:
    return State("y", (State("y1", transitions=transitions), State("y2")))


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (Statechart("c", (X,)), "no parallel state at the top"),
        (
            chart(X, region(Transition(("go",), ("y2",), guard=parse_expression("in(x2)")))),
            'a guard looks at "x2" in another region',
        ),
        (
            chart(
                State("x", (State("x1", transitions=(Transition(("go",), actions=MORE),)),)),
                region(Transition(("go",), actions=MORE)),
                data=TRIES,
            ),
            '"tries" is data of the regions "x" and "y"',
        ),
        (
            chart(X, region(Transition(("stop",), actions=(Output("go"),)))),
            'the output "go" is an event of another region',
        ),
        (
            chart(X, region(Transition(("stop",), actions=(Send("go", Fraction(1)),)))),
            "after a delay",
        ),
        (
            chart(X, region(Transition(("done.state.x",), ("y2",)), Transition(("s",)))),
            '"done.state.x" is of another region',
        ),
        (
            chart(X, region(Transition(("s",))), transitions=(Transition(("t",)),)),
            "belongs to no region",
        ),
    ],
)
def test_what_passes_between_regions_is_told(made: Statechart, told: str) -> None:
    with pytest.raises(NotExpressibleError) as caught:
        system_of(made)
    assert told in str(caught.value)
